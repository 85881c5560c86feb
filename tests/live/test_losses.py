# SPDX-License-Identifier: GPL-2.0-or-later
"""Packets that are lost, and whether the daemon says so: neither more nor less than it knows."""

import os
import re
import shutil
import signal
import socket
import tempfile
import time

import pytest

from lab import frames, netns, rules
from lab.daemon import Daemon, binary
from lab.queues import kernel_queues

# As the unit does: an unprivileged user who keeps the one capability that it takes.
UNPRIVILEGED = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
                "--inh-caps=-all,+net_admin", "--ambient-caps=-all,+net_admin"]


def send_udp(lab, count, port=5353):
    """Datagrams of one flow that nobody answers."""
    with lab.client.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect((netns.SERVER4, port))
        for _ in range(count):
            try:
                s.send(b"x")
            except ConnectionRefusedError:
                pass


def wait_queued(space, count):
    deadline = time.monotonic() + 5
    while kernel_queues(space)[0][1] < count and time.monotonic() < deadline:
        time.sleep(0.01)
    assert kernel_queues(space)[0][1] == count


class UnprivilegedDaemon(Daemon):
    """One that runs as the user of the unit would, from where that user may read it."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, prefix=UNPRIVILEGED, **kwargs)
        os.chmod(self.config.parent, 0o755)


@pytest.fixture
def unprivileged(monkeypatch):
    with tempfile.TemporaryDirectory(prefix="ctmarkd-lab-") as where:
        os.chmod(where, 0o755)
        monkeypatch.setenv("CTMARKD", shutil.copy(binary(), where))
        yield UnprivilegedDaemon


def status(daemon):
    """STATUS= of a look that began after this call."""
    assert daemon.notify.wait("STATUS=")
    return daemon.notify.wait("STATUS=")


def totals(daemon):
    return daemon.wait_line("Stopped: ")


def test_full_queue_is_counted_for_root(quiet):
    with Daemon(quiet.router, {"Queue": {"MaxPackets": "100"}}) as daemon:
        daemon.freeze()
        send_udp(quiet, 150)
        wait_queued(quiet.router, 100)
        daemon.kill(signal.SIGCONT)
        assert daemon.wait_line("Queue 0: 50 packets found MaxPackets= waiting and were dropped")
        assert status(daemon).endswith(" 50 drops")
        assert daemon.stop() == 0
    assert totals(daemon).endswith(", 50 drops")
    assert "at least" not in "\n".join(daemon.lines)


def test_full_queue_is_guessed_without_root(quiet, unprivileged):
    config = {"Queue": {"MaxPackets": "100"}}
    with unprivileged(quiet.router, config) as daemon:
        assert "root only" in daemon.wait_line("Started version")
        assert status(daemon).endswith(" at least 0 drops")
        send_udp(quiet, 20)
        time.sleep(1.5)
        assert not [line for line in daemon.lines if "MaxPackets=" in line], "no false alarm"
        daemon.freeze()
        send_udp(quiet, 150)
        wait_queued(quiet.router, 100)
        daemon.kill(signal.SIGCONT)
        assert daemon.wait_line("Queue 0: 1 times MaxPackets= packets .* probably full")
        assert daemon.stop() == 0
    assert totals(daemon).endswith(", at least 0 drops")


def test_open_queue_drops_nothing(quiet, unprivileged):
    """With FailOpen=yes there is nothing to be counted by root only."""
    config = {"Queue": {"MaxPackets": "100", "FailOpen": "yes"}}
    with unprivileged(quiet.router, config) as daemon:
        daemon.freeze()
        send_udp(quiet, 150)
        wait_queued(quiet.router, 100)
        daemon.kill(signal.SIGCONT)
        assert daemon.wait_line("probably full, and packets were let through unseen")
        assert status(daemon).endswith(" 0 drops")
        assert "at least" not in "\n".join(daemon.notify.lines)


def test_packets_gone_before_their_verdict(quiet):
    """A full iptables-restore deletes base chains, and with them whatever waits in queues."""
    saved = quiet.router.run("iptables-save", "-t", "mangle")
    with Daemon(quiet.router) as daemon:
        send_udp(quiet, 1)
        assert daemon.wait_events(1, event="new")
        daemon.freeze()
        send_udp(quiet, 25)
        wait_queued(quiet.router, 25)
        quiet.router.run("iptables-restore", "-w", stdin=saved)
        assert kernel_queues(quiet.router)[0][1] == 0
        daemon.kill(signal.SIGCONT)
        assert daemon.wait_line("Queue 0: 25 packets or more were dropped by the kernel before "
                                "their verdict; rules were replaced or an interface went down")
        assert status(daemon).endswith(" at least 25 drops")
        assert daemon.stop() == 0
    assert "refused" not in "\n".join(daemon.lines)
    assert totals(daemon).endswith(", at least 25 drops")


def gone(daemon):
    """What the daemon says of packets that did not live to see their verdict."""
    line = daemon.wait_line(r"Queue 0: \d+ packets or more were dropped by the kernel before")
    return int(re.search(r"Queue 0: (\d+)", line)[1])


def test_packets_gone_and_younger_ones(quiet):
    """The kernel does not say how many packets of a run it still had: the number is the least."""
    saved = quiet.router.run("iptables-save", "-t", "mangle")
    rules.count_marks(quiet.router, [0xa], families=("iptables",))
    with Daemon(quiet.router) as daemon:
        daemon.freeze()
        send_udp(quiet, 25)
        wait_queued(quiet.router, 25)
        quiet.router.run("iptables-restore", "-w", stdin=saved)
        send_udp(quiet, 10)
        wait_queued(quiet.router, 10)
        daemon.kill(signal.SIGCONT)
        assert 1 <= gone(daemon) <= 25
        assert daemon.stop() == 0
    assert rules.hits(quiet.router)[0xa] == 10


def test_packets_gone_with_their_interface(quiet):
    """Those of another interface between them are let go."""
    frame = frames.ethernet(frames.udp(netns.SERVER4, netns.CLIENT4, 1, 2), netns.WAN_MAC,
                            netns.SERVER_MAC)
    rules.count_marks(quiet.router, [0xa], chains=("INPUT",), families=("iptables",))
    with Daemon(quiet.router) as daemon, quiet.server.raw("eth0") as server, \
            quiet.client.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        daemon.freeze()
        for _ in range(10):
            server.send(frame)
            client.sendto(b"x", (netns.LAN4, 5353))
        wait_queued(quiet.router, 20)
        quiet.router.ip("link", "set", "wan", "down")
        wait_queued(quiet.router, 10)
        daemon.kill(signal.SIGCONT)
        assert 1 <= gone(daemon) <= 10
        assert daemon.stop() == 0
    assert rules.hits(quiet.router)[0xa] == 10


def assure(lab, ports):
    """Connections in mid-stream, of which both sides are seen, so that none has to make room."""
    hosts = (netns.CLIENT4, netns.SERVER4)
    for space in (lab.client, lab.server):
        space.run("iptables", "-w", "-A", "INPUT", "-p", "tcp", "-j", "DROP")
    with lab.client.raw("eth0") as client, lab.server.raw("eth0") as server:
        for port in ports:
            there = frames.ethernet(frames.tcp(*hosts, port, 80, frames.ACK, 100, 500))
            back = frames.ethernet(frames.tcp(*hosts[::-1], 80, port, frames.ACK, 500, 100),
                                   netns.WAN_MAC, netns.SERVER_MAC)
            for space, frame in ((client, there), (server, back), (client, there)):
                space.send(frame)


@pytest.mark.parametrize("shadow", [False, True])
def test_full_table(quiet, shadow):
    config = {"Track": {"MaxFlows": "64"}}
    with Daemon(quiet.router, config, args=["--shadow"] * shadow) as daemon:
        assure(quiet, range(2000, 2064))
        assert len(daemon.wait_events(64, event="assured")) == 64
        for port in range(1000, 1036):
            send_udp(quiet, 1, port)
        said = daemon.wait_line("Table full: ")
        line = status(daemon)
        assert daemon.stop() == 0
    drops = int(re.search(r"(\d+) drops", line)[1])
    assert (" packets would have been dropped; " if shadow else " packets dropped; ") in said
    assert said.endswith("; most flows: 192.0.2.2 (100 %); 100 % go to 198.51.100.2 tcp/80"), said
    assert drops == (0 if shadow else 36)
    assert totals(daemon).endswith(f", {drops} drops")


def test_making_room(quiet):
    """Flows that nobody answers give way to new ones: told as a sum, and each by its own record."""
    with Daemon(quiet.router, {"Track": {"MaxFlows": "64"}}) as daemon:
        for port in range(1000, 1100):
            send_udp(quiet, 1, port)
        assert len(daemon.wait_events(100, event="new")) == 100
        assert daemon.wait_line(r"Making room: \d+ flows ended early in a full table of 64")
        assert len(daemon.events(event="destroy", reason="early-drop")) >= 36
        assert status(daemon).endswith(" 0 drops")
