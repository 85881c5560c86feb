# SPDX-License-Identifier: GPL-2.0-or-later
"""
The units that put the metrics where node_exporter finds them, under a real systemd. ctmarkctl is a
stand-in here, which answers as a file says.
"""

import os
import stat
import time

import pytest

from lab.continuity import install
from lab.machine import Machine

pytestmark = pytest.mark.systemd

UNIT = "ctmarkd-metrics.service"
PLACE = "/var/lib/prometheus/node-exporter"
FILE = PLACE + "/ctmarkd.prom"
SOCKET = "/run/ctmarkd/io.ctmark.Manager"
STAND_IN = f"""#!/bin/sh
[ "$*" = "--socket {SOCKET} metrics" ] || exit 2
cat /run/answer
read -r status </run/status
exit "$status"
"""
ANSWER = "# HELP ctmarkd_flows Flows.\n# TYPE ctmarkd_flows gauge\nctmarkd_flows 7\n"
DOWN = ("# HELP ctmarkd_up The daemon gave these figures.\n"
        "# TYPE ctmarkd_up gauge\nctmarkd_up 0\n")


@pytest.fixture(scope="module")
def machine():
    with Machine() as m:
        install(m.root)
        m.write("/usr/bin/ctmarkctl", STAND_IN)
        (m.root / "usr/bin/ctmarkctl").chmod(0o755)
        m.boot()
        yield m


@pytest.fixture
def place(machine):
    """The directory as another user's, and a daemon that listens."""
    machine.run("rm", "-rf", PLACE)
    machine.run("mkdir", "-p", PLACE)
    machine.run("chown", "nobody", PLACE)
    machine.run("mkdir", "-p", os.path.dirname(SOCKET))
    machine.run("python3", "-c",
                f"import socket; socket.socket(socket.AF_UNIX).bind('{SOCKET}')", check=False)
    answer(machine, ANSWER)
    yield machine
    machine.systemctl("stop", "ctmarkd-metrics.timer", check=False)
    machine.run("rm", "-f", SOCKET)


def answer(m, text, status=0):
    """Through its own first process, as /run is a file system of the machine."""
    m.run("sh", "-c", f"printf '%s' '{text}' >/run/answer; echo {status} >/run/status")


def read(m):
    return m.run("cat", FILE)


def test_writes_the_file(place):
    place.systemctl("start", UNIT)
    assert read(place) == ANSWER
    assert place.run("ls", PLACE).split() == ["ctmarkd.prom"]
    mode = int(place.run("stat", "-c", "%a", FILE), 8)
    assert stat.S_IMODE(mode) == 0o644, "the collector is another user"


def test_no_daemon(place):
    place.systemctl("start", UNIT)
    place.run("rm", SOCKET)
    place.systemctl("start", UNIT)
    assert read(place) == DOWN


def test_daemon_that_does_not_answer(place):
    """Half an answer is none, and nothing of it stays."""
    answer(place, "ctmarkd_flows", status=1)
    place.systemctl("start", UNIT)
    assert read(place) == DOWN
    assert place.run("ls", PLACE).split() == ["ctmarkd.prom"]


def test_nobody_to_write_for(place):
    place.run("rm", "-rf", PLACE)
    place.systemctl("start", UNIT)
    assert place.show(UNIT, "ConditionResult") == "no"
    assert "ctmarkd" not in place.run("find", "/var/lib/prometheus")


def test_timer_goes_on_by_itself(place):
    """It is off at first; then the file is renewed, without a line in the log for each time."""
    assert place.systemctl("is-enabled", "ctmarkd-metrics.timer", check=False).strip() == "disabled"
    place.systemctl("start", "ctmarkd-metrics.timer")
    seen = set()
    end = time.monotonic() + 60
    while len(seen) < 2:
        assert time.monotonic() < end, "the file was not renewed"
        seen.add(place.run("stat", "-c", "%i %y", FILE, check=False).strip())
        seen.discard("")
        time.sleep(0.5)
    assert place.journal("-u", UNIT, "-p", "debug", "-o", "cat") in (
        "", "-- No entries --\n")
