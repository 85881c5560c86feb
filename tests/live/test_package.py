# SPDX-License-Identifier: GPL-2.0-or-later
"""
The Debian package on a booted system: installed, used, upgraded under traffic, removed, purged.

The tests are one story and run in this order.
"""

import collections
import os
import pathlib
import re
import shutil

import pytest

from lab import package, rules
from lab.continuity import DROP_IN, STATE_FILE, Bed, Talk, identity
from lab.services import poll

pytestmark = [pytest.mark.systemd, pytest.mark.package]

PLACE = "/var/tmp/packages"
NEWER = "9.9-1"
SOCKET = "/run/ctmarkd/io.ctmark.Manager"
# where documents lead that are for those who have the source
IN_SOURCE = {"ARCHITECTURE.md", "CONTRIBUTING.md", "COPYING", "man", "src", "tests"}
TEXTFILE = "/var/lib/prometheus/node-exporter/ctmarkd.prom"


@pytest.fixture(scope="module")
def deb():
    return package.built()


@pytest.fixture(scope="module")
def changes():
    """Is given the Changes since the moment before the installation."""
    return {}


@pytest.fixture(scope="module")
def bed(deb, changes):
    """The lab, and in its machine the package as dpkg has installed it."""
    def prepare(machine):
        place = machine.root / PLACE.lstrip("/")
        place.mkdir()
        shutil.copy(deb, place)
        sources = machine.root / "etc/apt/sources.list.d"
        shutil.rmtree(sources, ignore_errors=True)  # there is no network
        sources.mkdir()
        machine.write("/etc/apt/sources.list", "")
        (machine.root / "var/lib/man-db/auto-update").unlink(missing_ok=True)  # its trigger takes long
        (machine.root / TEXTFILE.lstrip("/")).parent.mkdir(parents=True, exist_ok=True)
        machine.boot()
        assert "ctmarkd" not in machine.run("getent", "passwd")
        changes["all"] = package.Changes(machine)
        dpkg(machine, "-i", f"{PLACE}/{deb.name}")

    with Bed(prepare) as b:
        b.rules()
        yield b


def dpkg(machine, *words):
    """With the documentation, which small systems leave out."""
    return machine.run("dpkg", "--force-unsafe-io", "--path-include=/usr/share/*", *words, timeout=120)


def listed(machine, directory):
    """Files of the package in a directory."""
    return [path for path in machine.run("dpkg", "-L", "ctmarkd").split()
            if path.startswith(f"{directory}/") and (machine.root / path.lstrip("/")).is_file()]


# --- installed ------------------------------------------------------------------------------------


def test_runs_with_the_defaults(bed):
    show = bed.unit.show("ActiveState", "UnitFileState", "NRestarts", "User", "FragmentPath")
    assert show["ActiveState"] == "active" and show["UnitFileState"] == "enabled"
    assert show["NRestarts"] == "0" and show["User"] == "ctmarkd"
    assert show["FragmentPath"] in listed(bed.machine, "/lib/systemd/system")
    assert "queue 0" in poll(lambda: bed.unit.show("StatusText")["StatusText"])
    assert bed.waiting(0) is not None, "queue 0 is bound"


def test_only_what_was_asked_for_is_enabled(bed):
    """Who has no node_exporter needs no timer."""
    states = {unit: [bed.machine.systemctl(verb, unit, check=False).strip() for verb in ("is-enabled", "is-active")]
              for unit in ("ctmarkd.service", "ctmarkd.socket", "ctmarkd-metrics.timer")}
    assert states == {"ctmarkd.service": ["enabled", "active"], "ctmarkd.socket": ["enabled", "active"],
                      "ctmarkd-metrics.timer": ["disabled", "inactive"]}
    assert bed.machine.run("stat", "-c", "%U:%G %a", SOCKET).strip() == "root:ctmarkd 660"


def test_tells_of_its_start(bed):
    """With the explanation of the catalog, which the trigger of systemd has read in."""
    text = bed.machine.journal("-u", "ctmarkd", "-x", "CTMARK_EVENT=started")
    assert "Subject: ctmarkd has started" in text
    assert "iptables -t mangle -A PREROUTING -j NFQUEUE" in text
    assert bed.unit.errors(0) == []


def test_units_are_sound(bed):
    units = listed(bed.machine, "/lib/systemd/system")
    assert units
    assert bed.machine.run("systemd-analyze", "verify", *units) == ""


def test_user_is_there(bed):
    words = bed.machine.run("getent", "passwd", "ctmarkd").strip().split(":")
    assert words[5] == "/" and words[6].endswith("nologin")
    assert bed.machine.run("id", "-gn", "ctmarkd").strip() == "ctmarkd"


def test_manual_can_be_read(bed):
    pages = listed(bed.machine, "/usr/share/man")
    assert len(pages) >= 3
    for page in pages:
        name = pathlib.Path(page).name.removesuffix(".gz")
        stem, _, section = name.rpartition(".")
        assert len(bed.machine.run("man", "-P", "cat", section, stem).splitlines()) > 50, name


def test_documents_lead_to_each_other(bed):
    """By their names, not compressed; what is in the source only is left out."""
    top = bed.machine.root / "usr/share/doc/ctmarkd"
    files = [bed.machine.root / path.lstrip("/") for path in listed(bed.machine, "/usr/share/doc/ctmarkd")]
    pages = [file for file in files if file.suffix == ".md"]
    assert {top / "README.md", top / "NEWS.md", top / "doc/tutorial.md"} <= set(pages)
    for page in pages:
        for link in re.findall(r"\]\(([^)\s#:]+)[)#]", page.read_text(encoding="utf-8")):
            target = pathlib.Path(os.path.normpath(page.parent / link))
            name = str(target.relative_to(top))
            assert target.exists() or name.split("/")[0] in IN_SOURCE, (page, link)


def test_completions_load(bed):
    for path in listed(bed.machine, "/usr/share/bash-completion"):
        name = pathlib.Path(path).name
        script = f". /usr/share/bash-completion/bash_completion; _completion_loader {name}; complete -p {name}"
        assert f" {name}" in bed.machine.run("bash", "-c", script)
    for path in listed(bed.machine, "/usr/share/zsh"):
        name = pathlib.Path(path).name
        script = f"autoload -Uz compinit; compinit -u -D; whence -w {name}; print $_comps[{name[1:]}]"
        assert bed.machine.run("zsh", "-f", "-c", script).split()[-1] == name


def test_files_are_as_delivered(bed):
    assert bed.machine.run("dpkg", "--verify", "ctmarkd") == ""


# --- upgraded -------------------------------------------------------------------------------------


def inode(bed, path):
    return bed.machine.run("stat", "-c", "%i", path)


def exchanges(talk):
    """How many there were so far, each in a connection of its own."""
    return talk.look().connections["churn"]["exchanges"]


@pytest.fixture(scope="module")
def upgraded(bed, deb):
    """What became of traffic, and of its flows, while a newer package was installed."""
    new = package.renumbered(deb, bed.machine.root / PLACE.lstrip("/"), NEWER)
    bed.unit.fresh()
    before, since, socket = bed.unit.pid, bed.unit.now(), inode(bed, SOCKET)
    with Talk(bed) as talk:
        dpkg(bed.machine, "-i", f"{PLACE}/{new.name}")
        after = poll(lambda: bed.unit.is_back(before))
        done = exchanges(talk)
        poll(lambda: exchanges(talk) > done + 2)
        outcome = talk.finish()
    assert inode(bed, SOCKET) == socket, "the control socket is the same"
    return outcome, before, after, since


def test_upgrade_restarts(bed, upgraded):
    _, before, after, _ = upgraded
    assert bed.machine.run("dpkg-query", "-W", "-f", "${Version}", "ctmarkd") == NEWER
    assert after != before and bed.unit.pid == after
    assert bed.unit.show("NRestarts")["NRestarts"] == "0", "in order"


def test_upgrade_loses_nothing(bed, upgraded, capsys):
    outcome, _, _, since = upgraded
    with capsys.disabled():
        print(f"\nupgrade of the package: {outcome.line()}")
    assert outcome.sent() > 500
    assert outcome.lost() == {}
    assert outcome.duplicated() == {}
    assert outcome.broken() == {}
    assert bed.hits("refused") == 0
    assert bed.unit.events(since, "invalid") == []
    assert bed.unit.errors(since) == []


def test_upgrade_keeps_the_flows(bed, upgraded):
    outcome, _, _, since = upgraded
    new = collections.Counter(identity(r) for r in bed.unit.events(since, "new"))
    assert [name for name, key in outcome.long_lived().items() if new[key] != 1] == []


def test_upgrade_keeps_what_the_administrator_changed(bed, upgraded):
    file = bed.machine.root / "etc/ctmarkd/ctmarkd.conf"
    file.write_text(file.read_text() + "\n[Log]\nLevel=debug\n")
    dpkg(bed.machine, "-i", f"{PLACE}/ctmarkd_{NEWER}.deb")
    assert file.read_text().endswith("Level=debug\n")
    assert (bed.machine.root / DROP_IN.lstrip("/")).exists()


# --- gone -----------------------------------------------------------------------------------------


def test_remove_keeps_configuration_and_flows(bed):
    bed.machine.systemctl("enable", "--now", "ctmarkd-metrics.timer")
    bed.machine.systemctl("start", "ctmarkd-metrics.service")
    assert (bed.machine.root / TEXTFILE.lstrip("/")).exists()
    dpkg(bed.machine, "--remove", "ctmarkd")
    for unit in ("ctmarkd.service", "ctmarkd.socket", "ctmarkd-metrics.timer"):
        assert bed.machine.systemctl("is-active", unit, check=False).strip() == "inactive", unit
    assert bed.waiting(0) is None, "nobody holds queue 0"
    for path in ("/etc/ctmarkd/ctmarkd.conf", DROP_IN, STATE_FILE):
        assert (bed.machine.root / path.lstrip("/")).exists(), path


def test_purge_leaves_nothing(bed, changes):
    since = changes["all"]
    words = bed.machine.run("getent", "passwd", "ctmarkd").split(":")
    dpkg(bed.machine, "--purge", "ctmarkd")
    assert "ctmarkd" not in bed.machine.run("dpkg", "--get-selections")
    assert since.left() == []
    assert since.gone() == []
    assert since.accounts_changed() == {}
    assert since.owned_by(int(words[2]), int(words[3])) == []
    assert "ctmarkd" not in bed.machine.run("ls", "/run")
    assert "ctmarkd" not in bed.machine.run("journalctl", "--list-catalog")
    assert "ctmarkd" not in bed.machine.systemctl("list-unit-files", "--all")


# --- as Debian's own machinery tests it -----------------------------------------------------------


def test_autopkgtest(bed, deb):
    """Installs it again, and runs the tests that the source package brings."""
    for command in rules.FAMILIES:
        bed.router.run(command, "-w", "-t", "mangle", "-F")
    shutil.copytree(package.TOP / "debian", bed.machine.root / PLACE.lstrip("/") / "source/debian")
    bed.machine.run("autopkgtest", f"--summary-file={PLACE}/summary", "--no-built-binaries",
                    f"{PLACE}/{deb.name}", f"{PLACE}/source", "--", "null", timeout=300)
    summary = (bed.machine.root / PLACE.lstrip("/") / "summary").read_text()
    assert dict(line.split()[:2] for line in summary.splitlines()) == {
        "smoke": "PASS", "netns": "PASS", "upgrade": "PASS"}
