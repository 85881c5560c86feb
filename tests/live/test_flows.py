# SPDX-License-Identifier: GPL-2.0-or-later
"""
Packet scripts through a real NFQUEUE rule, with the kernel's own conntrack as the judge.

lab/wire.py is where they meet; flowlive compares.
"""

import collections
import pathlib
import re
import subprocess

import pytest

from lab.daemon import TOP, Daemon, binary
from lab.netns import sh
from lab.wire import Wire

FLOWS = TOP / "tests" / "flows"


def scripts():
    """Scripts by their settings: one run and one daemon for each group."""
    groups = {}
    for path in sorted(FLOWS.glob("*.flow")):
        settings = re.findall(r"^set +(\S+) +(.*?) *(?:#.*)?$", path.read_text(encoding="utf-8"), re.M)
        name = " ".join(f"{key}={'+'.join(value.split())}" for key, value in settings) or "defaults"
        groups.setdefault(name, []).append(path)
    return groups


def play(wire, files, *options):
    """Runs flowlive; returns (exit code, output)."""
    words = [flowlive(), *options, "--hosts", f"/run/netns/{wire.hosts.name}",
             "--router", f"/run/netns/{wire.router.name}", *map(str, files)]
    done = subprocess.run(words, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=170)
    return done.returncode, done.stdout


def flowlive():
    """Built beside the ctmarkd under test."""
    return str(pathlib.Path(binary()).parent / "tests" / "flows" / "flowlive")


def config(path):
    return sh(flowlive(), "--config", str(path))


def helpers(path):
    """Rules of the table raw that give the kernel the helpers of a script."""
    return sh(flowlive(), "--rules", str(path)).splitlines()


@pytest.fixture(scope="module")
def network():
    with Wire() as made:
        yield made


@pytest.fixture
def wire(network):
    network.oracle()
    network.helpers([])
    return network


@pytest.fixture(scope="module")
def total(request):
    """Sums of all runs, said at the end."""
    sums = collections.Counter()
    yield sums
    with request.config.pluginmanager.get_plugin("capturemanager").global_and_fixture_disabled():
        print("\npacket scripts: " + ", ".join(f"{n} {what}" for what, n in sums.items()))


def counts(output):
    """{"scripts": 154, "live comparisons": 3650, ...} of the last line of flowlive."""
    return {what: int(n) for n, what in re.findall(r"(\d+) ([a-z ]+)", output.splitlines()[-1])}


@pytest.mark.parametrize("confirm", ["entry", "exit"])
@pytest.mark.parametrize("settings", scripts())
def test_scripts(wire, total, settings, confirm):
    """Kernel, ctmarkd and script say the same of every packet, wherever flows are confirmed."""
    files = scripts()[settings]
    leaving = confirm == "exit"
    wire.oracle(leaving=leaving)
    wire.helpers(helpers(files[0]))
    with Daemon(wire.router, config(files[0]) + f"[Track]\nConfirm={confirm}\n[Log]\nTarget=none\n"):
        code, output = play(wire, files, *["--exit"] * leaving)
    print(output)
    total.update(counts(output))
    assert code == 0, "\n".join(line for line in output.splitlines() if line.startswith("#"))


@pytest.mark.parametrize("settings", [name for name in scripts() if "helpers=" in name])
def test_helpers_of_the_kernel(wire, total, settings):
    """What the scripts say of helpers is so of the kernel's, with nobody else to drop a packet."""
    files = scripts()[settings]
    wire.oracle(queue=False)
    wire.helpers(helpers(files[0]))
    code, output = play(wire, files, "--kernel-only")
    print(output)
    total.update(counts(output))
    assert code == 0, "\n".join(line for line in output.splitlines() if line.startswith("#"))


WRONG = """title Nothing of this is so
A > B tcp S seq 1000         : ESTABLISHED SYN_SENT 0x8 120
B > A tcp SA seq 1 ack 1001  : ESTABLISHED_REPLY ESTABLISHED 0xa 60
A > B tcp A seq 1001 ack 2   : ESTABLISHED ESTABLISHED 0xa 432000
A > B udp                    : NEW - 0x8 33
A > B icmp echo              : NEW gone
"""


def test_wrong_script_is_noticed(wire, tmp_path):
    """Class (kernel and ctmarkd), state, status (rules and table), timeout, existence: twice each."""
    path = tmp_path / "wrong.flow"
    path.write_text(WRONG)
    with Daemon(wire.router, "[Log]\nTarget=none\n"):
        code, output = play(wire, [path])
    assert code == 1
    assert counts(output)["differences"] == 14, output
