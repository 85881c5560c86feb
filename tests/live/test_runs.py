# SPDX-License-Identifier: GPL-2.0-or-later
"""
Packets that are answered together. The daemon is stopped while they come, so that they wait in long
batches; each must get the verdict and the mark of its own.
"""

import collections
import random
import signal
import struct

import pytest

from lab import frames, netns
from lab.daemon import Daemon
from lab.pieces import Datagram
from lab.queues import kernel_queues

COUNT = 3000
MARKED = range(7000, 7100)  #  ports of packets that come with a mark
OLD_MARK = 0xab00
UNASSEMBLED = range(1, 100)  # idents


class Mixture:
    """Frames in a random order, and the mark that each is to have: {ident: [mark, ...]}."""

    def __init__(self, rng):
        self.rng = rng
        self.frames = []
        self.expected = collections.defaultdict(list)

    def add(self, ident, mark, packet):
        self.frames.append(frames.ethernet(packet))
        self.expected[ident].append(mark)

    def udp(self, ident, established):
        old = self.rng.random() < 0.2
        port = self.rng.choice(MARKED) if old else self.rng.randrange(20000, 60000)
        if established:
            old, port = False, 5353
        self.add(ident, (OLD_MARK if old else 0) | (0x8 if established else 0xa),
                 frames.udp(netns.CLIENT4, netns.SERVER4, 4000 if established else port,
                            port, bytes(10), ident=ident))

    def invalid(self, ident):
        self.add(ident, 0xe, frames.tcp(netns.CLIENT4, netns.SERVER4, 1, 2,
                                        frames.SYN | frames.FIN, ident=ident))

    def fragments(self, ident):
        """Two, of which the first comes some packets after the last; that one waits for it."""
        datagram = Datagram(False, ident, 3000 + ident)
        first, last = datagram.cut(80)
        self.frames.append(datagram.fragment(last))
        self.expected[ident] += [0xa, 0xa]
        return datagram.fragment(first)

    def fill(self):
        """Trains of packets of one kind, with datagrams in fragments across them."""
        unassembled = iter(UNASSEMBLED)
        late = []
        ident = 1000
        while len(self.frames) < COUNT:
            kind = self.rng.choice(["new", "established", "invalid"])
            for _ in range(self.rng.choice([1, 1, 3, 20, 100])):
                ident += 1
                if kind == "invalid":
                    self.invalid(ident)
                else:
                    self.udp(ident, kind == "established")
            if self.rng.random() < 0.3 and (number := next(unassembled, None)):
                late.append(self.fragments(number))
            while late and self.rng.random() < 0.3:
                self.frames.append(late.pop(self.rng.randrange(len(late))))
        self.frames += late


def ident_of(raw):
    return struct.unpack_from("!H", raw, 4)[0]


def converse(lab):
    """A flow whose packets are ESTABLISHED from now on."""
    with lab.client.raw("eth0") as client, lab.server.raw("eth0") as server:
        client.send(frames.ethernet(frames.udp(netns.CLIENT4, netns.SERVER4, 4000, 5353)))
        server.send(frames.ethernet(frames.udp(netns.SERVER4, netns.CLIENT4, 5353, 4000),
                                    netns.WAN_MAC, netns.SERVER_MAC))


def ask_for(lab, mixture):
    """Rules that give some a mark, queue what has no class yet, and are silent behind the router."""
    for space in (lab.client, lab.server):
        space.run("iptables", "-w", "-A", "INPUT", "-j", "DROP")
    mangle = ("iptables", "-w", "-t", "mangle", "-A", "PREROUTING")
    lab.router.run(*mangle, "-m", "mark", "!", "--mark", "0/0xf", "-j", "ACCEPT")
    lab.router.run(*mangle, "-p", "udp", "--dport", f"{MARKED[0]}:{MARKED[-1]}", "-j", "MARK",
                   "--set-mark", f"{OLD_MARK:#x}")
    lab.router.run(*mangle, "-j", "NFQUEUE")


@pytest.mark.parametrize("verdict", [{}, {"Invalid": "drop"}, {"Established": "repeat"},
                                     {"New": "queue:5"}], ids=lambda v: "".join(v.values()))
def test_each_gets_its_own(lab, nflog, verdict):
    mixture = Mixture(random.Random(str(verdict)))
    mixture.fill()
    ask_for(lab, mixture)
    handed_on = Daemon(lab.router, {"Queue": {"Range": "5"}, "Log": {"Events": "destroy"}},
                       args=["--shadow"])
    config = {"Verdict": verdict, "Log": {"Events": "destroy"}}
    with handed_on, Daemon(lab.router, config) as daemon:
        converse(lab)
        assert len(nflog.wait(2)) == 2
        daemon.freeze()
        with lab.client.raw("eth0") as wire:
            for frame in mixture.frames:
                wire.send(frame)
        assert kernel_queues(lab.router)[0][1] == len(mixture.frames)
        daemon.kill(signal.SIGCONT)
        if "Invalid" in verdict:
            mixture.expected = {i: m for i, m in mixture.expected.items() if m != [0xe]}
        count = sum(map(len, mixture.expected.values()))
        seen = nflog.wait(2 + count)[2:]
        assert sum(row[1] for row in kernel_queues(lab.router).values()) == 0
        assert kernel_queues(lab.router)[0][3] == 0
    got = collections.defaultdict(list)
    for packet in seen:
        got[ident_of(packet.raw)].append(packet.mark)
    assert len(seen) == count
    assert got == mixture.expected
    if "New" not in verdict:  # those wait a second time
        whole = [i for i in map(ident_of, (p.raw for p in seen)) if i not in UNASSEMBLED]
        assert whole == sorted(whole), "the order of packets stays"
