# SPDX-License-Identifier: GPL-2.0-or-later
"""Floods of what is no flow: told once, counted to the last packet, and nobody else suffers."""

import re
import signal
import subprocess
import time

import pytest

from lab import frames, netns, rules
from lab.daemon import Daemon, Store
from lab.frames import ACK, PSH, RST, SYN
from lab.netns import CLIENT4, SERVER4
from lab.queues import kernel_queues

pytestmark = pytest.mark.alone

MANY = 20000
LOG = {"RateLimit": "100/s", "Burst": "100"}


def silence(lab):
    """Hosts that answer pings and nothing else, behind a queue."""
    for space in (lab.client, lab.server):
        for kind in ("echo-request", "echo-reply"):
            space.run("iptables", "-w", "-t", "raw", "-A", "PREROUTING", "-p", "icmp",
                      "--icmp-type", kind, "-j", "ACCEPT")
        space.run("iptables", "-w", "-t", "raw", "-A", "PREROUTING", "-j", "DROP")
    rules.queue(lab.router, families=("iptables",))
    return lab


@pytest.fixture(name="silent")
def _silent(lab):
    return silence(lab)


class Pings:
    """Somebody who has nothing to do with it; none of his packets may be lost."""

    def __init__(self, lab):
        self.process = lab.client.popen("ping", "-n", "-i0.05", "-q", SERVER4, text=True,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def __enter__(self):
        assert self.process.stdout.readline().startswith("PING ")
        return self

    def __exit__(self, *exc):
        self.process.send_signal(signal.SIGINT)
        said = self.process.communicate(timeout=10)[0]
        assert " 0% packet loss" in said, said
        self.slowest = float(re.search(r"= [0-9.]+/[0-9.]+/([0-9.]+)/", said)[1])


def flood(wire, packet_frames, count=MANY):
    for n in range(count):
        wire.send(packet_frames[n % len(packet_frames)])
        if n % 50 == 49:
            time.sleep(0.002)


def lines_with(daemon, text):
    return [line for line in daemon.lines if text in line]


def kept_out(daemon, name):
    return sum(int(event["suppressed"]) for event in daemon.events(event="log-suppressed")
               if event["class"] == name)


def resident(daemon):
    return int(re.search(r"VmRSS:\s+(\d+)", open(f"/proc/{daemon.pid}/status").read())[1])


def send_in(lab, daemon, space, packet_frames):
    """A flood beside a ping, told of in lines that stay few; returns the slowest answer in ms."""
    with space.raw("eth0") as wire, Pings(lab) as pings:
        flood(wire, packet_frames[:MANY // 2], MANY // 2)
        early = resident(daemon)
        flood(wire, packet_frames[-MANY // 2:], MANY // 2)
    assert resident(daemon) - early < 512, "nothing grows with it"
    assert kernel_queues(lab.router)[0][2:4] == (0, 0), "no queue was full"
    return pings.slowest


NOTHING = frames.udp(CLIENT4, SERVER4, 9, 9, b"x")


@pytest.mark.parametrize("packet,reason", [
    (frames.udp(CLIENT4, SERVER4, 1, 2, b"x", bad_sum=True), "checksum"),
    (frames.tcp(CLIENT4, SERVER4, 1, 2, RST), "tcp-not-first"),
    (frames.icmp(CLIENT4, SERVER4, 3, code=3, data=NOTHING), "icmp-no-flow"),
], ids=["damage", "RST", "ICMP errors"])
def test_invalid(silent, packet, reason, capsys):
    with Daemon(silent.router, {"Log": LOG}) as daemon:
        slowest = send_in(silent, daemon, silent.client, [frames.ethernet(packet)])
        assert daemon.notify.wait(f"STATUS=.* {MANY:,} invalid, .* 0 drops")
        assert daemon.stop() == 0
    told = lines_with(daemon, "INVALID packets in masses: ")
    assert len(told) == 1 and told[0].endswith(f" 100 % of them {reason}"), told
    records = len(daemon.events(event="invalid", reason=reason))
    assert records + kept_out(daemon, "invalid") == MANY
    assert records < MANY / 20
    with capsys.disabled():
        print(f"\n{MANY} {reason}: {records} records, slowest ping {slowest} ms")


def test_successor_repeats_nothing(silent):
    """It goes on with the counters, and its predecessor has told of them."""
    bad = frames.ethernet(frames.udp(CLIENT4, SERVER4, 1, 2, b"x", bad_sum=True))
    with Store() as store:
        with Daemon(silent.router, {"Log": LOG}, store=store) as daemon:
            send_in(silent, daemon, silent.client, [bad])
            assert daemon.wait_line("INVALID packets in masses: ")
            assert store.wait_names(["flows", "queue-0", "seat-0"])
            daemon.crash()
        with Daemon(silent.router, {"Log": LOG}, store=store) as daemon:
            assert daemon.notify.wait(f"STATUS=.* {MANY:,} invalid, ")
            assert daemon.notify.wait(f"STATUS=.* {MANY:,} invalid, ")
            assert daemon.stop() == 0
    assert not lines_with(daemon, "INVALID packets in masses: ")


def test_errors_about_a_flow(silent, capsys):
    """They are RELATED and harm nothing: the flow lives as long as without them."""
    about = frames.udp(CLIENT4, SERVER4, 9, 9, b"x")
    error = frames.ethernet(frames.icmp(SERVER4, CLIENT4, 3, code=3, data=about), netns.WAN_MAC,
                            netns.SERVER_MAC)
    config = {"Log": LOG, "Timeouts": {"UDP": "4s"}}
    rules.count_marks(silent.router, [0xc], families=("iptables",))
    with Daemon(silent.router, config) as daemon:
        with silent.client.raw("eth0") as wire:
            wire.send(frames.ethernet(about))
        assert daemon.wait_events(1, event="new", proto="udp")
        slowest = send_in(silent, daemon, silent.server, [error])
        assert daemon.wait_events(1, 15, event="destroy", reason="timeout", proto="udp")
        assert daemon.stop() == 0
    related = rules.hits(silent.router)[0xc]
    records = len(daemon.events(event="related"))
    assert records + kept_out(daemon, "related") == related
    assert MANY * 0.5 < related <= MANY, "while the flow lived"
    assert records < MANY / 20
    with capsys.disabled():
        print(f"\n{related} RELATED: {records} records, slowest ping {slowest} ms")


def fragment(ident):
    """One in the middle of a datagram of which nothing else will come."""
    return frames.ethernet(frames.ip(CLIENT4, SERVER4, 17, bytes(64), ident=ident, fragment=0x2008))


def test_fragments(silent, capsys):
    config = {"Log": LOG, "Track": {"MaxFragments": "64", "FragmentTimeout": "1s"}}
    with Daemon(silent.router, config) as daemon:
        slowest = send_in(silent, daemon, silent.client, [fragment(i) for i in range(MANY)])
        deadline = time.monotonic() + 10
        while kernel_queues(silent.router)[0][1] and time.monotonic() < deadline:
            time.sleep(0.05)
        assert kernel_queues(silent.router)[0][1] == 0, "none waits for ever"
        assert daemon.stop() == 0
    told = lines_with(daemon, "No room for fragments: ")
    assert len(told) == 1
    records = len(daemon.events(event="invalid"))
    assert records + kept_out(daemon, "invalid") == MANY
    drops = int(re.search(r" ([\d,]+) drops$", daemon.wait_line("Stopped: "))[1].replace(",", ""))
    assert MANY - 64 * 4 <= drops < MANY
    with capsys.disabled():
        print(f"\n{MANY} fragments: {drops} drops, {records} records, slowest ping {slowest} ms")


class Masters:
    """Control connections of FTP that announce ports which nobody will come to."""

    def __init__(self, lab, client, server):
        self.client, self.server = client, server
        self.seq = {}

    def _from_client(self, port, flags, seq, ack, data=b""):
        self.client.send(frames.ethernet(frames.tcp(CLIENT4, SERVER4, port, 21, flags, seq, ack, data)))

    def open(self, port):
        self._from_client(port, SYN, 100, 0)
        time.sleep(0.002)
        self.server.send(frames.ethernet(
            frames.tcp(SERVER4, CLIENT4, 21, port, SYN | ACK, 500, 101), netns.WAN_MAC,
            netns.SERVER_MAC))
        time.sleep(0.002)
        self._from_client(port, ACK, 101, 501)
        self.seq[port] = 101
        self._say(port, b"USER x\r\n")  # where lines begin is learnt from it

    def _say(self, port, line, refused=False):
        self._from_client(port, PSH | ACK, self.seq[port], 501, line)
        self.seq[port] += 0 if refused else len(line)

    def announce(self, port, data_port, refused=False):
        """refused: it is dropped, and never happened."""
        self._say(port, b"PORT 192,0,2,2,%d,%d\r\n" % divmod(data_port, 256), refused)

    def reset(self, port):
        self._from_client(port, RST, self.seq[port], 0)


ROOM, MASTERS = 16, 40


def test_expectations(silent):
    """The table of expectations is full: told, counted, and free again when its users have gone."""
    config = {"Track": {"Helpers": "ftp", "MaxExpectations": str(ROOM)},
              "Timeouts": {"TCPClose": "1s"}}
    with Daemon(silent.router, config) as daemon, silent.client.raw("eth0") as client, \
            silent.server.raw("eth0") as server:
        masters = Masters(silent, client, server)
        for port in range(1000, 1000 + MASTERS):
            masters.open(port)
        assert len(daemon.wait_events(MASTERS, event="assured")) == MASTERS
        for n, port in enumerate(masters.seq):
            masters.announce(port, 20000 + n, refused=n >= ROOM)
        assert daemon.notify.wait(f"STATUS=.* {MASTERS - ROOM} drops")
        # as often as they like: each connection has a limit of its own
        with Pings(silent):
            for n in range(200):
                for i in range(ROOM):
                    masters.announce(1000 + i, 30000 + ROOM * n + i)
        for port in list(masters.seq):
            masters.reset(port)
        assert len(daemon.wait_events(MASTERS, 15, event="destroy", proto="tcp")) == MASTERS
        masters.open(2000)
        assert daemon.wait_events(MASTERS + 1, event="assured")
        masters.announce(2000, 40000)
        time.sleep(0.01)
        server.send(frames.ethernet(frames.tcp(SERVER4, CLIENT4, 20, 40000, SYN), netns.WAN_MAC,
                                    netns.SERVER_MAC))
        assert daemon.wait_events(1, event="related", dport=40000), "room again"
        assert daemon.notify.wait("STATUS=") and daemon.notify.wait("STATUS=")
        assert daemon.stop() == 0
    told = lines_with(daemon, "No room for expectations: ")
    assert [re.findall(r"\d+", line)[0] for line in told] == [str(MASTERS - ROOM)], told
    assert len(daemon.events(event="invalid", reason="expect-refused")) == MASTERS - ROOM
    assert f", {MASTERS - ROOM} drops" in daemon.wait_line("Stopped: ")
