# SPDX-License-Identifier: GPL-2.0-or-later
"""A flood of first packets fills the table: who is in use goes on, who comes new gets in."""

import pathlib
import random
import re
import socket
import struct
import threading
import time

import pytest

from lab import frames, netns, rules
from lab.daemon import Daemon
from lab.echo import Echo
from lab.journald import Journald
from lab.queues import kernel_queues

pytestmark = pytest.mark.alone

MAX = 1024
IDLE = 10  # connections that keep still meanwhile: too few to stand out
PORT, SINK = 7000, 9
SECONDS = 4
PAUSE = 0.15  # between two short connections
ATTACKER = "192.0.2.66"
CONFIG = {"Track": {"MaxFlows": str(MAX), "MaxExpectations": "0", "MaxFragments": "0"},
          "Log": {"Events": "assured destroy invalid", "RateLimit": "100/s", "Burst": "100"}}


class Flood:
    """First packets as fast as this can make them, in bursts that leave the others a turn."""

    def __init__(self, lab, packets):
        self.wire = lab.client.raw("eth0")
        self.frames = [frames.ethernet(p) for p in packets]
        self.sent = 0
        self.done = False
        self.thread = threading.Thread(target=self._send, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *exc):
        self.done = True
        self.thread.join()
        self.wire.close()

    def _send(self):
        while not self.done:
            for _ in range(50):
                self.wire.send(self.frames[self.sent % len(self.frames)])
                self.sent += 1
            time.sleep(0.002)


def syns_from_anywhere(rng, count=20000):
    return [frames.tcp(f"10.{rng.randrange(256)}.{rng.randrange(256)}.{rng.randrange(1, 255)}",
                       netns.SERVER4, rng.randrange(1024, 65536), SINK, frames.SYN)
            for _ in range(count)]


def datagrams_from_one(rng, count=20000):
    return [frames.udp(ATTACKER, netns.SERVER4, port, SINK)
            for port in rng.sample(range(1024, 65536), count)]


def connect(lab):
    s = lab.client.socket(timeout=3)
    s.connect((netns.SERVER4, PORT))
    return s


def echo(s, data):
    s.sendall(data)
    got = b""
    while len(got) < len(data):
        part = s.recv(65536)
        assert part, "closed by the other side"
        got += part
    return got == data


def visit(lab):
    """One short connection, as of somebody who fetches a page."""
    try:
        with connect(lab) as s:
            return echo(s, b"GET / HTTP/1.0\r\n\r\n")
    except OSError:
        return False


def retransmitted(s):
    return struct.unpack_from("I", s.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104), 100)[0]


def memory(daemon):
    """{"VmRSS": kB, ...} of the daemon."""
    text = pathlib.Path(f"/proc/{daemon.pid}/status").read_text()
    return {name: int(kb) for name, kb in re.findall(r"^(\w+):\s+(\d+) kB$", text, re.M)}


@pytest.fixture(name="busy")
def _busy(lab):
    """A server that answers on PORT and to nothing else."""
    lab.server.run("iptables", "-w", "-A", "INPUT", "-p", "tcp", "--dport", str(SINK), "-j", "DROP")
    lab.server.run("iptables", "-w", "-A", "INPUT", "-p", "udp", "-j", "DROP")
    rules.queue(lab.router, families=("iptables",))
    with Echo(lab.server, netns.SERVER4, PORT):
        yield lab


def talk_through(lab, daemon, talker):
    """Talks on, lets others come, and returns how many of them there were and got what they wanted."""
    rng = random.Random(1)
    visits, good, early = 0, 0, None
    begin = time.monotonic()
    while (passed := time.monotonic() - begin) < SECONDS:
        assert echo(talker, rng.randbytes(700))
        if passed > visits * PAUSE:
            visits += 1
            good += visit(lab)
        if early is None and passed > 1:
            early = memory(daemon)
    return visits, good, early


def check_memory(early, late):
    assert late["VmRSS"] - early["VmRSS"] <= 256, "nothing grows with the flood"
    assert late["RssShmem"] <= 300, "MaxFlows= flows, and pages that are not full"


def count_marks_of(lab, connection):
    """From now on, in rules.hits()."""
    port = str(connection.getsockname()[1])
    rules.count_marks(lab.router, rules.CTINFO.values(), 0xf, chains=(), families=("iptables",))
    for host, side in (("-s", "--sport"), ("-d", "--dport")):  # the flood has all ports
        lab.router.run("iptables", "-w", "-A", "FORWARD", host, netns.CLIENT4, "-p", "tcp", side,
                       port, "-j", rules.CHAIN)


def check_marks(lab):
    hits = rules.hits(lab.router)
    there, back = (hits.pop(rules.CTINFO[name]) for name in ("ESTABLISHED", "ESTABLISHED_REPLY"))
    assert there > 500 and back > 500
    assert not any(hits.values()), "every packet of it is ESTABLISHED"


def check_records(daemon, flood):
    """A few about the table, and no more of the flows than RateLimit= lets through."""
    lines = [line for line in daemon.lines if re.search("Table f|Making room", line)]
    assert 1 <= len(lines) <= 3, lines
    assert len(daemon.lines) < 2000 < flood.sent / 5
    assert daemon.events(event="log-suppressed")
    early = daemon.events(event="destroy", reason="early-drop")
    assert early and not [e for e in early if "ASSURED" in e["status"]]


@pytest.mark.parametrize("make,names", [
    (syns_from_anywhere, rf"; no source stands out; \d\d % go to {netns.SERVER4} tcp/{SINK}$"),
    (datagrams_from_one, rf"; most flows: {ATTACKER} \(\d\d %\); "
                         rf"\d\d % go to {netns.SERVER4} udp/{SINK}$"),
], ids=["SYNs from anywhere", "datagrams from one source"])
def test_flood(busy, make, names):
    packets = make(random.Random(2))
    with Daemon(busy.router, CONFIG) as daemon:
        idle = [connect(busy) for _ in range(IDLE)]
        talker = connect(busy)
        assert len(daemon.wait_events(IDLE + 1, event="assured")) == IDLE + 1
        count_marks_of(busy, talker)
        with Flood(busy, packets) as flood:
            visits, good, early = talk_through(busy, daemon, talker)
            late = memory(daemon)
        assert flood.sent > 10 * MAX, "it was a flood"
        assert all(echo(s, b"still here") for s in idle)
        assert kernel_queues(busy.router)[0][1:4] == (0, 0, 0), "no queue was full"
        assert retransmitted(talker) <= 2
        assert visits >= 5 and good >= 0.8 * visits
        said = daemon.wait_line("Making room: ")
        assert re.search(names, said), said
        for s in (*idle, talker):
            s.close()
        assert daemon.stop() == 0
    check_memory(early, late)
    check_marks(busy)
    check_records(daemon, flood)


def test_fields_in_the_journal(busy):
    config = {"Track": {"MaxFlows": "64"}, "Log": {"Target": "journal", "Events": "invalid"}}
    with Journald() as journal:
        with Daemon(busy.router, config, prefix=journal.enter()) as daemon:
            with busy.client.raw("eth0") as wire:
                for packet in datagrams_from_one(random.Random(3), 200):
                    wire.send(frames.ethernet(packet))
            assert daemon.notify.wait("STATUS=") and daemon.notify.wait("STATUS=")
            assert daemon.stop() == 0
        record = journal.records(CTMARK_EVENT="early-drop")[0]
    assert record["CTMARK_TALKERS"] == f"{ATTACKER}=1000"
    assert record["CTMARK_TARGET"] == f"{netns.SERVER4},udp/{SINK}=1000"
    assert "\n" not in record["MESSAGE"] and record["MESSAGE"].endswith(f"udp/{SINK}")
