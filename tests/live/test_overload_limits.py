# SPDX-License-Identifier: GPL-2.0-or-later
"""Less memory than the table takes, hardly any CPU: it is told, and passes without help."""

import re
import time

import pytest

from lab import frames, netns
from lab.cgroup import Cgroup
from lab.daemon import Daemon
from lab.queues import kernel_queues
from test_overload import Pings, silence
from test_supervision import start_with, wait_successor
from test_systemd import (CONF, MARKS, count_marks, machine, main_pid, records,  # noqa: F401
                          service, wait_for)

# ---- memory ----

# Datagrams from the peer, each of another flow; argv is how many.
FLOOD = """
import socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
head = bytes.fromhex("4500001d0000400040110000c0000202c0000201")
for n in range(int(sys.argv[1])):
    ports = (1024 + n % 60000).to_bytes(2, "big") + (1024 + n // 60000).to_bytes(2, "big")
    s.sendto(head + ports + bytes([0, 9, 0, 0, 1]), ("192.0.2.1", 0))
    if n % 50 == 49:
        time.sleep(0.001)
"""


def flood(m, count):
    m.run("ip", "netns", "exec", "peer", "/usr/bin/python3", "-c", FLOOD, str(count), timeout=120)


def host_pid(m, pid):
    """The number of a process of the machine outside of it."""
    for line in netns.sh("ps", "-eo", "pid=,comm=").splitlines():
        number, name = line.split(None, 1)
        if name != "ctmarkd":
            continue
        with open(f"/proc/{number}/status") as status:
            inner = re.search(r"NSpid:\s.*\b(\d+)$", status.read(), re.M)[1]
        if int(inner) == pid and netns.sh("readlink", f"/proc/{number}/ns/pid") == \
                netns.sh("readlink", f"/proc/{m.leader}/ns/pid"):
            return int(number)
    raise AssertionError(f"process {pid} is not to be found")


@pytest.fixture(name="quiet")
def _quiet(service):  # noqa: F811
    """The service, on a machine that takes datagrams without a word."""
    rule = ("-p", "udp", "-j", "DROP")
    service.run("iptables", "-t", "mangle", "-A", "INPUT", *rule)
    service.write(CONF, "[Log]\nEvents=invalid\n")
    yield service
    service.run("iptables", "-t", "mangle", "-D", "INPUT", *rule)


@pytest.mark.systemd
def test_more_than_there_is(quiet, capsys):
    """Nobody can be told of a page that may not be taken: the kernel kills, a successor follows."""
    pid = start_with(quiet)  # pages that it has by now count elsewhere
    with Cgroup(memory=2 << 20) as group:
        group.add(host_pid(quiet, pid))
        begin = time.monotonic()
        while main_pid(quiet) == pid:
            assert time.monotonic() - begin < 60, "it was never short of memory"
            flood(quiet, 40000)
    wait_successor(quiet, pid)
    text = quiet.journal("-o", "cat", "UNIT=ctmarkd.service", "_PID=1", "-n", "10")
    assert re.search("code=killed, status=9/KILL|oom-kill", text), text
    assert count_marks(quiet, MARKS) == {"0xa": 1, "0xb": 1}
    with capsys.disabled():
        print(f"\nkilled after {time.monotonic() - begin:.1f} s of a flood; it marks again")


GROUP = "/run/groups/system.slice/ctmarkd.service"


@pytest.mark.systemd
@pytest.mark.parametrize("limit,told", [(32 << 20, 1), (160 << 20, 1), (162 << 20, 0)])
def test_limit_is_told(service, limit, told):  # noqa: F811
    """Inside the sandbox, about a limit as the kernel shows it."""
    service.run("mkdir", "-p", GROUP)
    service.run("sh", "-c", f"echo {limit} >{GROUP}/memory.max")
    pid = start_with(service, "BindReadOnlyPaths=/run/groups:/sys/fs/cgroup")
    wait_for(lambda: " pps" in service.show("ctmarkd", "StatusText"), what="the first look")
    found = records(service, f"_PID={pid}", "CTMARK_EVENT=memory-limit")
    assert len(found) == told
    assert all(f" is {limit:,} bytes" in record["MESSAGE"] for record in found)


# ---- CPU ----

MANY = 40000


@pytest.mark.alone
def test_hardly_any_cpu(lab, capsys):
    """A hundredth of a CPU under a flood: a full queue, exactly counted, and no false alarm."""
    silence(lab)
    frame = frames.ethernet(frames.udp(netns.CLIENT4, netns.SERVER4, 9, 9, b"x"))
    with Daemon(lab.router, {"Log": {"Events": "invalid"}}) as daemon, Cgroup(cpu=0.01) as group, \
            lab.client.raw("eth0") as wire:
        group.add(daemon.pid)
        sent = 0
        while kernel_queues(lab.router)[0][2] < 1000 and sent < 100 * MANY:
            for _ in range(1000):
                wire.send(frame)
            sent += 1000
        assert daemon.wait_line("Queue 0: .* MaxPackets= waiting and were dropped", 60)
        throttled = group.stat("nr_throttled")
        group.free()
        wait_for(lambda: kernel_queues(lab.router)[0][1] == 0, 30, "an empty queue")
        with Pings(lab):
            time.sleep(1)
        lost = kernel_queues(lab.router)[0][2]
        assert daemon.stop(timeout=30) == 0
    assert throttled > 5, "it was short of CPU"
    assert daemon.wait_line("Stopped: ").endswith(f", {lost:,} drops")
    assert not daemon.wait_line("has not come back", 0)
    assert "WATCHDOG=trigger" not in daemon.notify.lines
    rest = [line for line in daemon.lines if "ctmarkd: Queue" in line]
    assert len(rest) <= 3
    with capsys.disabled():
        print(f"\n1 % CPU: {sent} sent, {lost} found the queue full, {len(rest)} records")
