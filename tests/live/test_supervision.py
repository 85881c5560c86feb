# SPDX-License-Identifier: GPL-2.0-or-later
"""A thread that dies or hangs, and time that jumps: the service manager helps, or nobody has to."""

import pathlib
import re
import signal
import subprocess
import time

import pytest

from lab import frames, netns
from lab.daemon import Daemon
from lab.machine import Machine
from test_overload import Pings, silence
from test_systemd import (MARKS, count_marks, hold, machine, main_pid,  # noqa: F401
                          records, service, thread_called, wait_for)

DROP_IN = "/etc/systemd/system/ctmarkd.service.d/test.conf"
FAULTS = {"4", "7", "11"}  # SIGILL, SIGBUS, SIGSEGV


def start_with(m: Machine, *settings):
    """Starts the service with these settings of [Service] and returns its process id."""
    m.write(DROP_IN, "\n".join(("[Service]", *settings, "")))
    m.systemctl("daemon-reload")
    m.systemctl("restart", "ctmarkd")
    return main_pid(m)


def wait_successor(m, pid, timeout=10):
    wait_for(lambda: main_pid(m) not in (0, pid), timeout, "restart")
    wait_for(lambda: m.show("ctmarkd", "ActiveState") == "active", what="active state")


def manager_said(m, pattern):
    """The groups of what the service manager said last about the unit."""
    lines = m.journal("-o", "cat", "UNIT=ctmarkd.service", "_PID=1", "-g", pattern).splitlines()
    return re.search(pattern, lines[-1]).groups()


def seconds_between(m, first, second):
    """From a message of the daemon, or of the manager about it, to the next of another kind."""
    times, ours = [], ("SYSLOG_IDENTIFIER=ctmarkd", "+", "UNIT=ctmarkd.service")
    for pattern in (first, second):
        line = m.journal("-o", "short-monotonic", "-g", pattern, *ours).splitlines()[-1]
        times.append(float(re.match(r"\[ *([0-9.]+)\]", line)[1]))
    return times[1] - times[0]


# Where a sleeping thread is to go on there will be nothing: argv are the process and the thread.
BREAK_THREAD = """
import sys
pid, tid = sys.argv[1:]
words = ["running"]
while len(words) < 3:
    words = open(f"/proc/{pid}/task/{tid}/syscall").read().split()
with open(f"/proc/{pid}/mem", "r+b", buffering=0) as memory:
    memory.seek(int(words[-2], 16))
    memory.write(bytes(512))
"""


@pytest.mark.systemd
@pytest.mark.parametrize("name", ["queue-0", "log"])
def test_thread_that_dies(service, name, capsys):  # noqa: F811
    """Whichever it is takes the process along, which leaves a core; the successor marks."""
    pid = start_with(service, "StateDirectory=core", "WorkingDirectory=/var/lib/core")
    tid = thread_called(service, pid, name)
    service.run("/usr/bin/python3", "-c", BREAK_THREAD, str(pid), tid)
    wait_successor(service, pid)
    assert count_marks(service, MARKS) == {"0xa": 1, "0xb": 1}
    code, number = manager_said(service, r"Main process exited, code=(\w+), status=(\d+)/")
    assert code == "dumped" and number in FAULTS
    assert service.show("ctmarkd", "NRestarts") == "1"
    gap = seconds_between(service, "Main process exited", "Started version")
    cores = [int(size) for size in
             service.run("find", "/var/lib/core/", "-type", "f", "-printf", "%s\n").split()]
    with capsys.disabled():
        print(f"\n{name} died: {gap:.2f} s until its successor had started; cores: {cores}")
    assert all(size < 48 << 20 for size in cores), "the flow table is no part of it"


@pytest.mark.systemd
def test_worker_that_hangs(service, capsys):  # noqa: F811
    """The daemon itself asks for help; the watchdog, which would take ten minutes, does not."""
    pid = start_with(service, "WatchdogSec=10min", "LimitCORE=0")
    held = hold(service, thread_called(service, pid, "queue-0"))
    try:
        wait_successor(service, pid, 40)
    finally:
        held.kill()
        held.wait()
    assert count_marks(service, MARKS) == {"0xa": 1, "0xb": 1}
    told = records(service, f"_PID={pid}", "CTMARK_EVENT=worker-stalled")
    assert len(told) == 1 and "worker of queue 0" in told[0]["MESSAGE"]
    assert "atchdog" in service.journal("-o", "cat", "UNIT=ctmarkd.service", "-g", "atchdog")
    gap = seconds_between(service, "has not come back", "Started version")
    with capsys.disabled():
        print(f"\nqueue-0 hung: {gap:.2f} s from the record until its successor had started")


# ---- time ----

SHORT, LONG = 10000, 50  # flows that are due after the pause, and others


def open_flows(lab, packet, ports):
    with lab.client.raw("eth0") as wire:
        for n, port in enumerate(ports):
            wire.send(frames.ethernet(packet(port)))
            if n % 100 == 99:
                time.sleep(0.002)


def test_process_that_was_paused(lab, capsys):
    """As by a suspend or a debugger, for longer than a worker may hang: nobody hung, and flows
    whose time is up meanwhile go without making packets wait."""
    silence(lab)
    config = {"Timeouts": {"UDP": "6s"}, "Track": {"MaxFlows": "65536"},
              "Log": {"Events": "destroy", "RateLimit": "100/s", "Burst": "100"}}
    with Daemon(lab.router, config) as daemon:
        open_flows(lab, lambda port: frames.tcp(netns.CLIENT4, netns.SERVER4, port, 80, frames.SYN),
                   range(1000, 1000 + LONG))
        open_flows(lab, lambda port: frames.udp(netns.CLIENT4, netns.SERVER4, port, 9),
                   range(20000, 20000 + SHORT))
        assert daemon.notify.wait(rf"STATUS=.* {SHORT + LONG:,} flows", 5)
        daemon.freeze()
        time.sleep(6.5)
        heard = len(daemon.notify.lines)
        daemon.kill(signal.SIGCONT)
        with Pings(lab) as pings:
            time.sleep(3)
        assert daemon.notify.wait(rf"STATUS=.* {LONG + 1:,} flows", 10), daemon.notify.lines[-3:]
        assert "WATCHDOG=1" in daemon.notify.lines[heard:]
        assert daemon.stop() == 0
    with capsys.disabled():
        print(f"\n{SHORT} flows due at once after a pause: slowest of the pings {pings.slowest} ms")
    assert "WATCHDOG=trigger" not in daemon.notify.lines
    assert not daemon.wait_line("has not come back", 0)


def jumping_clock(where):
    library = where / "jumping_clock.so"
    source = pathlib.Path(__file__).with_suffix("").with_name("jumping_clock.c")
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source], check=True, timeout=60)
    return {"LD_PRELOAD": str(library), "ASAN_OPTIONS": "verify_asan_link_order=0"}


def test_clock_that_jumps(lab, tmp_path):
    """An hour forth and back all the time: what takes seconds takes seconds."""
    silence(lab)
    config = {"Timeouts": {"UDP": "3s"}}
    with Daemon(lab.router, config, env=jumping_clock(tmp_path)) as daemon:
        for port in (1, 2, 3):
            open_flows(lab, lambda port: frames.udp(netns.CLIENT4, netns.SERVER4, port, 9), [port])
        assert len(daemon.wait_events(3, event="new")) == 3
        begin = time.monotonic()
        assert len(daemon.wait_events(3, 15, event="destroy", reason="timeout")) == 3
        assert time.monotonic() - begin > 2
        with Pings(lab):
            time.sleep(1)
        assert daemon.reload()
        assert daemon.stop() == 0
    assert daemon.notify.lines.count("WATCHDOG=1") >= 3
    assert "WATCHDOG=trigger" not in daemon.notify.lines
