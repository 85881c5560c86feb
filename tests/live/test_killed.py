# SPDX-License-Identifier: GPL-2.0-or-later
"""
Killed again and again at any moment, with two workers and the exit hook: nobody notices.

Entries go to one queue and exits to another or to both by their addresses, so one packet is in the
hands of two workers. The rules are strict: whatever is INVALID is dropped.
"""

import collections
import random
import re
import socket
import struct
import threading
import time

import pytest

from lab import netns, rules
from lab.daemon import Daemon
from lab.pieces import Datagram, Piece
from lab.queues import kernel_queues
from lab.services import poll

SO_RCVBUFFORCE = 33
STORED = ["flows", "queue-0", "queue-1", "seat-0", "seat-1"]
LIVES = 60
STRICT = {"Queue": {"Range": "0-1"}, "Track": {"TCPLoose": "no", "Confirm": "exit"},
          "Verdict": {"Invalid": "drop"}}
ENDS = {"Timeouts": {"UDP": "1s", "UDPStream": "1s", "TCPTimeWait": "1s"}}
BLOCK = 600
FIGURES = ("packets_orig", "bytes_orig", "packets_reply", "bytes_reply")
UDP_LEN = 32  # of a number


class Stream:
    """Something goes on in a thread until it is told to stop."""

    def __init__(self):
        self.stopping = threading.Event()
        self.failure = None
        self.thread = threading.Thread(target=self._main)

    def _main(self):
        try:
            self.run()
        except Exception as e:  # told by the test
            self.failure = repr(e)

    def start(self):
        self.thread.start()

    def stop(self):
        self.stopping.set()

    def join(self):
        self.thread.join(30)
        assert not self.failure, f"{type(self).__name__}: {self.failure}"


class Counted(Stream):
    """
    What it sends is counted, and what comes. So much may be under way, and no more: a daemon that is
    slow to begin keeps it waiting, and no queue gets full.
    """

    WINDOW = 500

    def missing(self):
        raise NotImplementedError

    def run(self):
        while not self.stopping.is_set():
            if self.missing() < self.WINDOW:
                self.send()
            time.sleep(0.001)
            self.read()

    def settle(self):
        """Until all has come, and what has come twice."""
        def is_settled():
            self.read()
            return not self.missing()
        poll(is_settled, 20)
        self.read()


class Numbers(Counted):
    """Datagrams with numbers, some to the server and some back."""

    def __init__(self, lab, port):
        super().__init__()
        self.sent = collections.Counter()
        self.got = {"client": [], "server": []}
        self.client = lab.client.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.server = lab.server.socket(socket.AF_INET, socket.SOCK_DGRAM)
        for s in (self.client, self.server):
            s.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 16 << 20)
            s.setblocking(False)
        self.server.bind((netns.SERVER4, port))
        self.client.connect((netns.SERVER4, port))
        self.port, self.peer = port, self.client.getsockname()

    def send(self):
        self.client.send(struct.pack("!I", self.sent["server"]))
        self.sent["server"] += 1
        if self.got["server"]:
            self.server.sendto(struct.pack("!I", self.sent["client"]), self.peer)
            self.sent["client"] += 1

    def read(self):
        for name, s in (("client", self.client), ("server", self.server)):
            try:
                while True:
                    self.got[name].append(struct.unpack("!I", s.recv(100))[0])
            except BlockingIOError:
                pass

    def missing(self):
        return sum(max(0, self.sent[name] - len(numbers)) for name, numbers in self.got.items())

    def check(self):
        for name, numbers in self.got.items():
            assert sorted(numbers) == list(range(self.sent[name])), f"to the {name}"

    def figures(self):
        return [n for name in ("server", "client") for n in (self.sent[name], self.sent[name] * UDP_LEN)]


class Connection(Stream):
    """One connection that lives all the time, block by block, each echoed."""

    def __init__(self, lab, port):
        super().__init__()
        self.lab, self.port, self.blocks = lab, port, 0
        self.listener = lab.server.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind((netns.SERVER4, port))
        self.listener.listen()

    def talk(self, client, server):
        block = self.blocks.to_bytes(4, "big") * (BLOCK // 4)
        for one, other in ((client, server), (server, client)):
            one.sendall(block)
            assert other.recv(BLOCK, socket.MSG_WAITALL) == block
        self.blocks += 1

    def run(self):
        with self.lab.client.socket(timeout=20) as client:
            client.connect((netns.SERVER4, self.port))
            with self.listener.accept()[0] as server:
                server.settimeout(20)
                while not self.stopping.is_set():
                    self.talk(client, server)
                    time.sleep(0.001)


class Connections(Connection):
    """One after the other."""

    def run(self):
        while not self.stopping.is_set():
            with self.lab.client.socket(timeout=20) as client:
                client.connect((netns.SERVER4, self.port))
                with self.listener.accept()[0] as server:
                    server.settimeout(20)
                    self.talk(client, server)


class Pieces(Counted):
    """Datagrams in three pieces, the first of them at any place. The receiver puts them together."""

    PORT = 4100

    def __init__(self, lab):
        super().__init__()
        self.sent, self.got, self.port = 0, [], self.PORT
        self.server = lab.server.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.server.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 16 << 20)
        self.server.setblocking(False)
        self.server.bind((netns.SERVER4, self.PORT))
        lab.server.sysctl(ipv4__ipfrag_max_dist=0)  # a piece that waited comes behind many others
        self.wire = lab.client.raw("eth0")

    def send(self):
        pieces = [Piece(0, 80, True), Piece(80, 160, True), Piece(160, 200, False)]
        random.shuffle(pieces)
        datagram = Datagram(False, 1 + self.sent % 65535, 4101, dport=self.PORT)
        for piece in pieces:
            self.wire.send(datagram.fragment(piece))
        self.sent += 1

    def read(self):
        try:
            while True:
                self.got.append(self.server.recv(1000))
        except BlockingIOError:
            pass

    def missing(self):
        return max(0, self.sent - len(self.got))

    def check(self):
        assert len(self.got) == self.sent

    def figures(self):
        return [self.sent, self.sent * 220, 0, 0]


def queue_all(router, entry, leave):
    for chain, options in (("PREROUTING", entry), ("POSTROUTING", leave)):
        rules.queue(router, *options, chains=(chain,), families=("iptables",))


class Records:
    """What one process said."""

    def __init__(self, lines):
        self.lines = lines

    def events(self, kind):
        found = (dict(re.findall(r'(\w+)=("[^"]*"|\S*)', line)) for line in self.lines)
        return [e for e in found if e.get("event") == kind]

    def wrong(self):
        return [line for line in self.lines if re.search("Not taken over|does not add up|sanitizer", line)]

    def ended(self, port):
        """Packets and bytes of both directions of the only flow to a port that ended."""
        e, = [e for e in self.events("destroy") if e["dport"] == str(port)]
        return [int(e[k]) for k in FIGURES]


def live(lab, store, config):
    """One daemon after the other, each killed soon; each second one gets to work before."""
    records = []
    for n in range(LIVES):
        with Daemon(lab.router, config, store=store, ready=n % 2) as daemon:
            time.sleep(random.uniform(0, 0.12) if n % 2 else random.uniform(0.03, 0.15))
            daemon.crash()
            records.append(Records(daemon.lines))
    return records


def flow_of(event):
    return event["proto"], event["sport"], event["dport"]


def finish(lab, store, streams, counted):
    """The last ones: all has come, and then all ends. Returns the records of both."""
    with Daemon(lab.router, STRICT, store=store) as daemon:
        for stream in streams:
            stream.stop()
        for stream in streams:
            stream.join()
        for stream in counted:
            stream.settle()
        found = daemon.lines
        daemon.crash()
    with Daemon(lab.router, STRICT | ENDS, store=store) as daemon:
        for stream in counted:
            stream.send()
        daemon.wait_events(len(counted), 8, event="destroy", proto="udp")
        assert daemon.stop() == 0
        assert all(row[1] == 0 for row in kernel_queues(lab.router).values())  # nobody waits
        return Records(found), Records(daemon.lines)


def syns_sent_again(space):
    names, values = (line.split() for line in space.run("cat", "/proc/net/netstat").splitlines()
                     if line.startswith("TcpExt:"))
    return int(values[names.index("TCPSynRetrans")])


def check_records(lab, records):
    """
    Nothing is INVALID. Only where no daemon was quick enough for a second a client repeats its SYN,
    and one of the two comes too late for the flow that both have begun.
    """
    assert not [line for r in records for line in r.wrong()]
    invalid = [e for r in records for e in r.events("invalid")]
    assert not [e for e in invalid if e["reason"] != "clash" or e["proto"] != "tcp"]
    assert len(invalid) <= syns_sent_again(lab.client)


@pytest.mark.parametrize("entry, leave", [
    (("--queue-num", "0"), ("--queue-num", "1")),
    (("--queue-balance", "0:1"), ("--queue-balance", "0:1"))], ids=["one each", "balanced"])
def test_nobody_notices(lab, store, entry, leave):
    queue_all(lab.router, entry, leave)
    with Daemon(lab.router, STRICT, store=store) as daemon:
        assert store.wait_names(STORED) == STORED
        daemon.crash()
    counted = [Numbers(lab, 4001), Numbers(lab, 4002), Pieces(lab)]
    streams = [*counted, Connection(lab, 4010), Connections(lab, 4011)]
    for stream in streams:
        stream.start()
    records = [*live(lab, store, STRICT), *finish(lab, store, streams, counted)]
    for stream in counted:
        stream.settle()
        stream.check()
        assert records[-1].ended(stream.port) == stream.figures()
    check_records(lab, records)
    began = [flow_of(e) for r in records for e in r.events("new")]
    assert not [f for f, n in collections.Counter(began).items() if n > 1 and f[2] != "4011"]
