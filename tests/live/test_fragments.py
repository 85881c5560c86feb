# SPDX-License-Identifier: GPL-2.0-or-later
"""Fragments, in a router whose kernel does not put them together, and in one that does."""

import collections
import itertools
import os
import pathlib
import random
import re
import socket
import struct
import time

import pytest

from lab import frames, netns, rules
from lab.daemon import Daemon
from lab.netns import Lab
from lab.nflog import Nflog
from lab.pieces import Datagram, Piece, ident_of, is_atomic, receiver
from lab.queues import kernel_queues
from lab.rules import CTINFO
from lab.services import poll as wait_until

SIX = pytest.mark.parametrize("six", [False, True], ids=["ipv4", "ipv6"])

MTU = 1280


@pytest.fixture
def wire(lab):
    with lab.client.raw("eth0") as s:
        yield s


def marks(log, ident, count):
    """The marks of the fragments with this id that went by, as soon as there are so many."""
    return [p.mark for p in log.wait(count, match=lambda p: ident_of(p.raw) == ident)]


def waiting(space):
    """Packets without a verdict, in all queues."""
    return sum(row[1] for row in kernel_queues(space).values())


def defragment(space):
    """What makes the kernel put datagrams together: somebody who asks for its conntrack."""
    for command in rules.FAMILIES:
        space.run(command, "-w", "-t", "mangle", "-A", "PREROUTING", "-m", "conntrack", "--ctstate",
                  "INVALID", "-j", "MARK", "--or-mark", "0x100")


@SIX
def test_every_order(lab, nflog, wire, six):
    """Four fragments in any order: one class for all of them, and the datagram arrives whole."""
    rules.queue(lab.router)
    with Daemon(lab.router) as daemon, receiver(lab, six) as sock:
        for i, order in enumerate(itertools.permutations(range(4))):
            datagram = Datagram(six, 1000 + i, 5000 + i)
            pieces = datagram.cut(40, 80, 160)
            for nth in order:
                wire.send(datagram.fragment(pieces[nth]))
            sock.settimeout(5)
            assert sock.recv(65536) == datagram.data, order
            assert marks(nflog, 1000 + i, 4) == [CTINFO["NEW"]] * 4, order
        assert waiting(lab.router) == 0
        assert daemon.wait_line(f"IPv{6 if six else 4} fragments arrive unassembled")
        assert daemon.notify.wait(f"STATUS=.*, IPv{6 if six else 4} fragments unassembled, ")
        assert daemon.events(event="invalid") == []
        assert daemon.stop() == 0
    assert sum("unassembled" in line for line in daemon.lines) == 1


def small_links(lab):
    """Makes both hosts cut what they send; the router's own links stay as they are."""
    lab.client.ip("link", "set", "eth0", "mtu", str(MTU))
    lab.server.ip("link", "set", "eth0", "mtu", str(MTU))


def converse(lab, six):
    """A question and an answer of several fragments each, and a ping of the same size."""
    family = socket.AF_INET6 if six else socket.AF_INET
    server = netns.SERVER6 if six else netns.SERVER4
    question, answer = os.urandom(5000), os.urandom(7000)
    with receiver(lab, six, 5353) as there, lab.client.socket(family, socket.SOCK_DGRAM) as here:
        here.connect((server, 5353))
        here.send(question)
        got, peer = there.recvfrom(65536)
        assert got == question
        there.sendto(answer, peer)
        assert here.recv(65536) == answer
        here.send(question)
        assert there.recv(65536) == question
    lab.client.run("ping", "-n", "-c1", "-W5", "-s", "4000", server)


def classes(log):
    """(name, number of packets) of each run of packets with the same class."""
    names = [rules.name_of(p.mark) for p in log.settle()]
    return [(name, len(list(group))) for name, group in itertools.groupby(names)]


@SIX
def test_real_datagrams(lab, nflog, six):
    """Of sockets and of ping, both directions: all fragments of a datagram have its class."""
    small_links(lab)
    rules.queue(lab.router)
    with Daemon(lab.router):
        converse(lab, six)
        assert classes(nflog) == [("NEW", 5 if six else 4), ("ESTABLISHED_REPLY", 6),
                                  ("ESTABLISHED", 5 if six else 4), ("NEW", 4),
                                  ("ESTABLISHED_REPLY", 4)]


@SIX
def test_kernel_defragments(lab, nflog, six):
    """The same where the kernel puts them together first: one packet each, and no word of it."""
    small_links(lab)
    defragment(lab.router)
    rules.queue(lab.router)
    with Daemon(lab.router) as daemon:
        converse(lab, six)
        assert classes(nflog) == [("NEW", 1), ("ESTABLISHED_REPLY", 1), ("ESTABLISHED", 1),
                                  ("NEW", 1), ("ESTABLISHED_REPLY", 1)]
        assert daemon.notify.wait("STATUS=.*, no fragments seen yet, ")
        assert daemon.stop() == 0
    assert "unassembled" not in "\n".join(daemon.lines)


@SIX
def test_first_never_comes(lab, nflog, wire, six):
    """Held for FragmentTimeout=, then dropped, with a record of each."""
    rules.queue(lab.router)
    datagram = Datagram(six, 77, 5000)
    with Daemon(lab.router, {"Track": {"FragmentTimeout": "2s"}}) as daemon:
        began = time.monotonic()
        for piece in datagram.cut(64, 128)[1:]:
            wire.send(datagram.fragment(piece))
        wait_until(lambda: waiting(lab.router) == 2)
        told = daemon.wait_events(2, timeout=10, event="invalid", reason="fragment-timeout")
        assert 2 <= time.monotonic() - began < 6
        assert [e["detail"] for e in told] == ['"offset=64 end=128 id=77"',
                                               '"offset=128 end=200 id=77"']
        assert [e["proto"] for e in told] == ["udp", "udp"]
        wait_until(lambda: waiting(lab.router) == 0)
    assert nflog.settle() == []


@SIX
def test_verdicts(lab, nflog, wire, six):
    """What the class is to do, every fragment does, whether it came before the first one or not."""
    rules.queue(lab.router)
    with Daemon(lab.router, {"Verdict": {"New": "drop"}}) as daemon:
        datagram = Datagram(six, 78, 5000)
        first, middle, last = datagram.cut(64, 128)
        for piece in (last, first, middle):
            wire.send(datagram.fragment(piece))
        wait_until(lambda: kernel_queues(lab.router)[0][4] >= 3 and waiting(lab.router) == 0)
        assert nflog.settle() == []
        assert daemon.events() == []


@SIX
def test_shadow(lab, nflog, wire, six):
    """Nothing waits and nothing is marked, whatever the order."""
    rules.queue(lab.router)
    datagram = Datagram(six, 79, 5000)
    with Daemon(lab.router, {"Verdict": {"Invalid": "drop"}}, args=["--shadow"]), \
            receiver(lab, six) as sock:
        for piece in reversed(datagram.cut(64, 128)):
            wire.send(datagram.fragment(piece))
            wait_until(lambda: waiting(lab.router) == 0)
        assert sock.recv(65536) == datagram.data
        assert marks(nflog, 79, 3) == [0, 0, 0]


@SIX
def test_stop_while_holding(lab, nflog, wire, six):
    """What waits is answered before the queue is given back, and the next daemon begins anew."""
    rules.queue(lab.router)
    held, after = Datagram(six, 80, 5000), Datagram(six, 81, 5001)
    with Daemon(lab.router) as daemon:
        for piece in held.cut(64, 128, 160)[1:]:
            wire.send(held.fragment(piece))
        wait_until(lambda: waiting(lab.router) == 3)
        assert daemon.reload()
        assert waiting(lab.router) == 3, "a reload changes nothing"
        assert daemon.stop() == 0
        assert marks(nflog, 80, 3) == [CTINFO["INVALID"]] * 3
        assert len(daemon.events(event="invalid", reason="ip-fragment")) == 3
        assert daemon.wait_line("Stopped: .*, 0 drops")
    with Daemon(lab.router), receiver(lab, six) as sock:
        for piece in reversed(after.cut(64)):
            wire.send(after.fragment(piece))
        assert sock.recv(65536) == after.data
        assert marks(nflog, 81, 2) == [CTINFO["NEW"]] * 2


@SIX
def test_exit_hooks(lab, nflog, six):
    """Flows confirmed where packets leave: by the first fragment, or by what the kernel made whole."""
    small_links(lab)
    lab.router.ip("link", "set", "lan", "mtu", str(MTU))
    rules.queue(lab.router, chains=("PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"))
    peers = (netns.SERVER6, netns.LAN6) if six else (netns.SERVER4, netns.LAN4)
    with Daemon(lab.router, {"Track": {"Confirm": "exit"}}) as daemon:
        for peer in peers:
            lab.client.run("ping", "-n", "-c2", "-i0.2", "-W5", "-s", "4000", peer)
        told = daemon.wait_events(2, event="new")
        assert [e["hook"] for e in told] == ["POSTROUTING", "INPUT"]
        assert {(e["packets_orig"], e["bytes_orig"]) for e in told} == \
            {("1", str(4000 + 8 + (40 if six else 20)))}
        assert len(daemon.wait_events(2, event="reply")) == 2
        assert daemon.events(event="invalid") == []
    assert [name for name, _ in classes(nflog)] == \
        ["NEW", "ESTABLISHED_REPLY", "ESTABLISHED", "ESTABLISHED_REPLY"] * 2


def on_cpu(cpu, function, *args):
    """Calls a function on one CPU; a veth device hands its frames over on the CPU of the sender."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {cpu})
    try:
        return function(*args)
    finally:
        os.sched_setaffinity(0, before)


@SIX
def test_first_comes_to_another_queue(lab, nflog, wire, six):
    """With a queue for each CPU; the verdict leaves through the queue that holds the packet."""
    cpus = sorted(os.sched_getaffinity(0))[:2]
    assert len(cpus) == 2, "takes two CPUs"
    rules.queue(lab.router, "--queue-balance", f"0:{cpus[1]}", "--queue-cpu-fanout")
    with Daemon(lab.router, {"Queue": {"Range": f"0-{cpus[1]}"}}) as daemon, \
            receiver(lab, six) as sock:
        for i in range(20):
            datagram = Datagram(six, 500 + i, 6000 + i)
            first, *others = datagram.cut(64, 128, 160)
            for piece in others:
                on_cpu(cpus[i % 2], wire.send, datagram.fragment(piece))
            wait_until(lambda: waiting(lab.router) == 3)
            on_cpu(cpus[1 - i % 2], wire.send, datagram.fragment(first))
            sock.settimeout(5)
            assert sock.recv(65536) == datagram.data
            assert marks(nflog, 500 + i, 4) == [CTINFO["NEW"]] * 4
        given = [kernel_queues(lab.router)[q][4] for q in cpus]
        assert given == [40, 40], "the first came to the other queue each time"
        assert waiting(lab.router) == 0
        assert daemon.events(event="invalid") == []


FLOOD = 50000


def flood(lab, wire, six):
    """
    Fragments that nothing else belongs to, half of them first ones, to where no route leads; yields
    now and then, when the daemon has caught up.
    """
    source, nowhere = (("2001:db8:1::", "2001:db8:ffff::1") if six else
                       ("192.0.2.", "203.0.113.1"))
    body = frames.udp(netns.CLIENT4, "203.0.113.1", 7, 7, bytes(56))[20:]
    for i in range(FLOOD):
        offset, sender = (0, 64)[i % 2], f"{source}{i % 200 + 10}"
        if six:
            header = struct.pack("!BBHI", 17, 0, offset | 1, i)
            packet = frames.ip(sender, nowhere, 44, header + body)
        else:
            packet = frames.ip(sender, nowhere, 17, body, ident=i & 65535,
                               fragment=0x2000 | offset // 8)
        wire.send(frames.ethernet(packet))
        if i % 500 == 499:
            wait_until(lambda: waiting(lab.router) < 2048)
            yield i


def resident(pid):
    """Memory of a process in KiB."""
    return int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text())[1])


@SIX
def test_flood(lab, wire, six):
    """Memory is bounded, and what is honest gets through, in order or not."""
    rules.queue(lab.router)
    quiet = {"Log": {"Events": "destroy"}}
    with Daemon(lab.router, quiet) as daemon, receiver(lab, six) as sock:
        before, sent = resident(daemon.pid), []
        for i in flood(lab, wire, six):
            datagram = Datagram(six, 60000 + i // 500 if not six else 1 << 20 | i, 6000 + i // 500)
            pieces = datagram.cut(64, 128)
            for piece in pieces if i % 1000 < 500 else reversed(pieces):
                wire.send(datagram.fragment(piece))
            sock.settimeout(5)
            assert sock.recv(65536) == datagram.data
            sent.append(datagram)
        assert len(sent) == FLOOD // 500
        assert waiting(lab.router) <= 1024
        assert resident(daemon.pid) - before < 16 << 10
        assert kernel_queues(lab.router)[0][2:4] == (0, 0), "the queue was never full of it"
        assert daemon.stop() == 0
    # what the flood lost is told
    assert re.search(r", [1-9][\d,]* drops$", daemon.wait_line("Stopped: "))


# --- the kernel as the judge ----------------------------------------------------------------------

COMPARED = 300
PORTS = 10000


def spoil(rng, datagram, pieces):
    """Adds a fragment that should not be there, or should be there once."""
    whole = datagram.size
    start = rng.randrange(0, whole, 8)
    end = min(whole, start + rng.choice((8, 16, 64, 13)))
    extra = rng.choice((
        lambda: rng.choice(pieces),
        lambda: Piece(start, end, True),
        lambda: Piece(start, max(end, start + 8), False),
        lambda: Piece(start, start, True),
        lambda: Piece(start, end + 8 - end % 8, end < whole),
        lambda: Piece(whole + 16 - whole % 8, whole + 80, True),
        lambda: Piece(65528, 65600, False),
        lambda: Piece(0, whole, False) if datagram.six else pieces[-1],
    ))()
    pieces.insert(rng.randrange(len(pieces) + 1), extra)


def stories(seed, six):
    """Datagrams with the frames that are sent of each: cut, shuffled, doubled, lost, spoilt."""
    rng = random.Random(seed)
    for i in range(COMPARED):
        datagram = Datagram(six, 1000 + i, PORTS + 1000 + i, rng.randrange(100, 1200))
        at = sorted({8 * rng.randrange(1, datagram.size // 8) for _ in range(rng.randrange(1, 6))})
        pieces = datagram.cut(*at)
        if rng.random() < 0.3:
            ecn = rng.choice((1, 2, 3))
            pieces = [Piece(p.start, p.end, p.more, rng.choice((ecn, ecn, ecn, 2, 0)))
                      for p in pieces]
        if rng.random() < 0.6:
            rng.shuffle(pieces)
        if rng.random() < 0.15:
            del pieces[rng.randrange(len(pieces))]
        if rng.random() < 0.6:
            spoil(rng, datagram, pieces)
        yield datagram, pieces


def story_of(logged):
    """The id of the datagram that a packet is, or belongs to."""
    ident = ident_of(logged.raw)
    return ident if ident is not None else logged.packet.sport - PORTS


def play(lab, seed, six):
    """What arrived of which datagram, and the classes of its packets."""
    for space in (lab.router, lab.server):
        space.sysctl(ipv4__ipfrag_max_dist=0)  # how many fragments lie between two says nothing
    classes_of = collections.defaultdict(set)
    arrived_of = {}
    with Nflog(lab.router) as log, lab.client.raw("eth0") as wire, receiver(lab, six) as sock:
        for datagram, pieces in stories(seed, six):
            for piece in pieces:
                wire.send(datagram.fragment(piece))
        for logged in log.settle():
            classes_of[story_of(logged)].add(class_of(logged))
        sock.settimeout(0.3)
        try:
            while True:
                data, peer = sock.recvfrom(65536)
                arrived_of.setdefault(peer[1] - PORTS, []).append(data)
        except TimeoutError:
            return arrived_of, classes_of


def class_of(logged):
    """What the kernel or the daemon made of a packet, by the mark that one of them gave."""
    oracle = {0x40000: "NEW", 0x400000: "INVALID"}.get(logged.mark & 0x440000)
    name = oracle or rules.name_of(logged.mark)
    alone = name == "INVALID" and ident_of(logged.raw) is not None and not is_atomic(logged.raw)
    return "INVALID alone" if alone else name


def judge_by_kernel(space):
    for command in rules.FAMILIES:
        for state, bit in (("NEW", 0x40000), ("INVALID", 0x400000)):
            space.run(command, "-w", "-t", "mangle", "-A", "PREROUTING", "-m", "conntrack",
                      "--ctstate", state, "-j", "MARK", "--or-mark", hex(bit))


@SIX
@pytest.mark.parametrize("seed", [1, 2])
def test_kernel_judges(lab, six, seed):
    """The same fragments through a router that defragments: the same arrives, of the same class."""
    rules.queue(lab.router)
    with Daemon(lab.router):
        ours = play(lab, seed, six)
    with Lab() as other:
        judge_by_kernel(other.router)
        kernels = play(other, seed, six)
    differ = [i for i in ours[0].keys() | kernels[0].keys() if ours[0].get(i) != kernels[0].get(i)]
    told = {d.ident: pieces for d, pieces in stories(seed, six)}
    assert not differ, [(i, told[i], i in ours[0], i in kernels[0]) for i in sorted(differ)]
    assert COMPARED / 5 < len(ours[0]) < COMPARED * 4 / 5, "some arrive, some do not"
    for ident in kernels[1]:
        want, got = kernels[1][ident], ours[1][ident]
        if ident in kernels[0]:
            assert got == want, (ident, told[ident], want, got)
        # whole, but not as it was sent: only the kernel has all of it to verify the checksum
        elif "INVALID alone" in want:
            assert "INVALID alone" in got, (ident, told[ident], want, got)
