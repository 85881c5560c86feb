# SPDX-License-Identifier: GPL-2.0-or-later
"""
Keys that a reload changes, changed while packets flow: each is in force afterwards, none of the
packets is lost, and the accounts come out even.
"""

import contextlib
import os
import pathlib
import re
import signal
import socket
import threading

import pytest

from lab import frames, netns, rules
from lab.daemon import Daemon
from lab.queues import kernel_queues
from lab.services import poll


class Echo:
    """Questions of the client that the server answers, one after the other, until it ends."""

    def __init__(self, lab):
        self.asked = self.missing = 0
        self._over = threading.Event()
        self._client = lab.client.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._server = lab.server.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._server.bind((netns.SERVER4, 5353))
        self._client.connect((netns.SERVER4, 5353))
        self._client.settimeout(5)
        self._server.settimeout(5)
        self._thread = threading.Thread(target=self._run)

    def __enter__(self):
        self._thread.start()
        assert poll(lambda: self.asked > 10)
        return self

    def __exit__(self, *exc):
        self._over.set()
        self._thread.join()
        self._client.close()
        self._server.close()

    def _run(self):
        while not self._over.is_set():
            question = b"%d" % self.asked
            try:
                self._client.send(question)
                data, peer = self._server.recvfrom(100)
                self._server.sendto(data, peer)
                if self._client.recv(100) != question:
                    self.missing += 1
            except TimeoutError:
                self.missing += 1
            self.asked += 1

    def more(self, count=50):
        """Waits until so many more were asked."""
        until = self.asked + count
        assert poll(lambda: self.asked >= until)


def reload(daemon, config):
    daemon.write_config(config)
    assert daemon.reload()


def no_trouble(daemon):
    """Neither a restart was asked for, nor did anything get lost."""
    for line in daemon.lines:
        assert not re.search("restart|refused|dropped|neither answered|accepted", line), line


@pytest.fixture
def busy(lab):
    rules.queue(lab.router, families=("iptables",))
    return lab


# --- [Queue] -----------------------------------------------------------------------------------


def test_queue_keys_under_traffic(busy):
    """All at once, again and again; the kernel is asked what it has."""
    with Daemon(busy.router) as daemon, Echo(busy) as echo:
        for i in range(10):
            reload(daemon, {"Queue": {"MaxPackets": 1000 + i, "FailOpen": "yes" if i % 2 else "no",
                                      "ReceiveBuffer": "1M" if i % 2 else "auto",
                                      "CopyRange": 256 + i, "CPUAffinity": "0"}})
            assert poll(lambda: copied(busy) == 256 + i)
            echo.more(20)
        assert echo.missing == 0
        assert daemon.stop() == 0
    no_trouble(daemon)
    assert daemon.wait_line("Stopped: ").endswith(", 0 drops")


def copied(lab):
    """The copy range, which is asked for last."""
    text = lab.router.run("cat", "/proc/net/netfilter/nfnetlink_queue")
    return int(text.split()[4])


def send_asleep(lab, daemon, count):
    """A flow of datagrams that find the daemon asleep."""
    daemon.freeze()
    with lab.client.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect((netns.SERVER4, 5353))
        for _ in range(count):
            with contextlib.suppress(ConnectionRefusedError):
                s.send(b"x")


def fill(lab, daemon, count, waiting):
    send_asleep(lab, daemon, count)
    assert poll(lambda: kernel_queues(lab.router)[0][1] == waiting), kernel_queues(lab.router)


def test_max_packets(quiet):
    with Daemon(quiet.router, {"Queue": {"MaxPackets": 50}}) as daemon:
        reload(daemon, {"Queue": {"MaxPackets": 100}})
        daemon.wait_line("(?i)reloaded")
        assert settled(daemon)
        fill(quiet, daemon, 120, 100)
        daemon.kill(signal.SIGCONT)
        assert daemon.wait_line("Queue 0: 20 packets found MaxPackets= waiting and were dropped")
        assert poll(lambda: kernel_queues(quiet.router)[0][1] == 0)
        reload(daemon, {"Queue": {"MaxPackets": 30}})
        assert settled(daemon)
        fill(quiet, daemon, 120, 30)
        daemon.kill(signal.SIGCONT)
        assert daemon.stop() == 0
    assert daemon.wait_line("Stopped: ").endswith(", 110 drops")


def settled(daemon):
    """The worker comes by at least four times a second; the monitor's next look is later."""
    return daemon.notify.wait("STATUS=") and daemon.notify.wait("STATUS=")


def test_fail_open(quiet):
    """Open what is full, then close it: what passed is no drop, what did not is."""
    with Daemon(quiet.router, {"Queue": {"MaxPackets": 100}}) as daemon:
        reload(daemon, {"Queue": {"MaxPackets": 100, "FailOpen": "yes"}})
        assert settled(daemon)
        fill(quiet, daemon, 150, 100)
        daemon.kill(signal.SIGCONT)
        assert poll(lambda: kernel_queues(quiet.router)[0][1] == 0)
        reload(daemon, {"Queue": {"MaxPackets": 100}})
        assert settled(daemon)
        fill(quiet, daemon, 150, 100)
        daemon.kill(signal.SIGCONT)
        assert daemon.wait_line("Queue 0: 50 packets found MaxPackets= waiting and were dropped")
        assert daemon.stop() == 0
    assert daemon.wait_line("Stopped: ").endswith(", 50 drops")


def test_receive_buffer(quiet):
    """What a small socket cannot hold does not get here, until it is larger."""
    with Daemon(quiet.router) as daemon:
        reload(daemon, {"Queue": {"ReceiveBuffer": "64K"}})
        assert daemon.wait_line("ReceiveBuffer=65536: each queue gets 65536 bytes")
        assert settled(daemon)
        send_asleep(quiet, daemon, 600)
        assert poll(lambda: kernel_queues(quiet.router)[0][3] > 0)
        daemon.kill(signal.SIGCONT)
        assert poll(lambda: kernel_queues(quiet.router)[0][1] == 0)
        lost = kernel_queues(quiet.router)[0][3]
        reload(daemon, {})
        assert settled(daemon)
        fill(quiet, daemon, 600, 600)  # the first of them shows the gap
        daemon.kill(signal.SIGCONT)
        assert daemon.wait_line(f"Queue 0: {lost} packets did not fit into ReceiveBuffer=")
        assert daemon.stop() == 0
    assert daemon.wait_line("Stopped: ").endswith(f", {lost} drops"), "none the second time"


def cpus(daemon):
    """Of the worker."""
    for task in pathlib.Path(f"/proc/{daemon.process.pid}/task").iterdir():
        if (task / "comm").read_text().strip() == "queue-0":
            return os.sched_getaffinity(int(task.name))
    raise AssertionError("no worker")


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="one CPU")
def test_cpu_affinity(busy):
    every = os.sched_getaffinity(0)
    with Daemon(busy.router) as daemon, Echo(busy) as echo:
        assert cpus(daemon) == every
        for cpu in sorted(every):
            reload(daemon, {"Queue": {"CPUAffinity": cpu}})
            assert cpus(daemon) == {cpu}
            echo.more()
        reload(daemon, {})
        assert cpus(daemon) == every
        reload(daemon, {"Queue": {"CPUAffinity": "1023"}, "Mark": {"Mask": "0xf0"}})
        assert daemon.wait_line("CPUAffinity=1023: the CPU for queue 0 does not exist")
        assert daemon.wait_line("the running one stays in force")
        assert cpus(daemon) == every
        assert echo.missing == 0


# --- others ------------------------------------------------------------------------------------


def test_mark_under_traffic(busy, nflog):
    """Each packet has its class in the old bits or in the new ones, and the old ones are 0 then."""
    with Daemon(busy.router) as daemon, Echo(busy) as echo:
        reload(daemon, {"Mark": {"Mask": "0xf00"}})
        echo.more()
        reload(daemon, {"Mark": {"Mask": "0x7f0000", "Encoding": "flags"}})
        echo.more()
        assert echo.missing == 0
        marks = {p.mark for p in nflog.settle()}
    assert {0x800, 0xb00} <= marks and marks <= {
        0x8, 0xa, 0xb, 0x800, 0xb00, 0x020000, 0x220000, 0x420000, 0x620000}, marks
    assert marks & {0x020000, 0x420000} and marks & {0x220000, 0x620000}


def test_verdict_under_traffic(busy):
    """What is ESTABLISHED is dropped for a while."""
    with Daemon(busy.router) as daemon, Echo(busy) as echo:
        reload(daemon, {"Verdict": {"Established": "drop"}})
        assert poll(lambda: echo.missing > 0)
        reload(daemon, {})
        echo.more(2)
        missing = echo.missing
        echo.more()
        assert echo.missing == missing


def test_timeouts_apply_from_the_next_packet(busy, nflog):
    """A flow keeps its deadline until it has one more packet, whichever of the two is longer."""
    hosts = (netns.CLIENT4, netns.SERVER4)
    busy.server.run("iptables", "-w", "-A", "INPUT", "-j", "DROP")
    with Daemon(busy.router, {"Timeouts": {"UDP": "4s"}}) as daemon, busy.client.raw("eth0") as wire:
        for port in (1000, 1001):
            wire.send(frames.ethernet(frames.udp(*hosts, port, 9)))
            daemon.wait_events(1, event="new", sport=port)
        reload(daemon, {"Timeouts": {"UDP": "60s"}})
        assert settled(daemon)
        wire.send(frames.ethernet(frames.udp(*hosts, 1001, 9)))
        ended = daemon.wait_events(1, event="destroy", sport=1000)[0]
        assert ended["reason"] == "timeout"
        reload(daemon, {"Timeouts": {"UDP": "1s"}})
        assert settled(daemon)
        assert not daemon.events(event="destroy", sport=1001), "its 60 seconds have begun"
        wire.send(frames.ethernet(frames.udp(*hosts, 1001, 9)))
        daemon.wait_events(1, event="destroy", sport=1001)


def test_log_events_and_rate(busy):
    with Daemon(busy.router) as daemon, Echo(busy):
        hosts = (netns.CLIENT4, netns.SERVER4)
        with busy.client.raw("eth0") as wire:
            reload(daemon, {"Log": {"Events": "invalid"}})
            wire.send(frames.ethernet(frames.tcp(*hosts, 2000, 9, frames.SYN, 1)))
            wire.send(frames.ethernet(frames.tcp(*hosts, 2001, 9, frames.SYN | frames.FIN, 1)))
            daemon.wait_events(1, event="invalid", sport=2001)
            assert not daemon.events(event="new", sport=2000)
            reload(daemon, {"Log": {"RateLimit": "1/s", "Burst": 1}})
            for port in range(3000, 3050):
                wire.send(frames.ethernet(frames.tcp(*hosts, port, 9, frames.SYN, 1)))
            assert daemon.wait_line("suppressed")
            reload(daemon, {"Log": {"RateLimit": "0"}})
            for port in range(4000, 4050):
                wire.send(frames.ethernet(frames.tcp(*hosts, port, 9, frames.SYN, 1)))
            assert poll(lambda: all(daemon.events(event="new", sport=port)
                                    for port in range(4000, 4050)))


def test_max_fragments_waits(lab):
    """What is not applied is named, and only that."""
    with Daemon(lab.router) as daemon:
        reload(daemon, {"Queue": {"MaxPackets": 7}, "Track": {"MaxFragments": 7}})
        assert daemon.wait_line("restart is needed for: MaxFragments=$")
