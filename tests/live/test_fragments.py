# SPDX-License-Identifier: GPL-2.0-or-later
"""Fragments, in a router whose kernel does not put them together, and in one that does."""

import itertools
import os
import pathlib
import random
import re
import socket
import time

import pytest

from lab import frames, netns, rules
from lab.daemon import Daemon
from lab.netns import Lab
from lab.nflog import Nflog
from lab.pieces import Datagram, Piece, ident_of, receiver
from lab.queues import kernel_queues
from lab.rules import CTINFO

SIX = pytest.mark.parametrize("six", [False, True], ids=["ipv4", "ipv6"])

MTU = 1280


@pytest.fixture
def wire(lab):
    with lab.client.raw("eth0") as s:
        yield s


def arrived(sock, timeout=0.3):
    """What comes to a socket until nothing does for a while."""
    sock.settimeout(timeout)
    found = []
    while True:
        try:
            found.append(sock.recv(65536))
        except TimeoutError:
            return found


def marks(log, ident):
    """The marks of the fragments with this id that went by."""
    return [p.mark for p in log.seen if ident_of(p.raw) == ident]


def waiting(space):
    """Packets without a verdict, in all queues."""
    return sum(row[1] for row in kernel_queues(space).values())


def wait_until(condition, timeout=10):
    deadline = time.monotonic() + timeout
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert condition()


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
            nflog.wait(4, match=lambda p, n=1000 + i: ident_of(p.raw) == n)
            assert marks(nflog, 1000 + i) == [CTINFO["NEW"]] * 4, order
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
    lab.client.run("ping", "-n", "-c1", "-W2", "-s", "4000", server)


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
    assert marks(nflog, 77) == []


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
        assert marks(nflog, 79) == [0, 0, 0]


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
        assert len(nflog.wait(3)) == 3
        assert marks(nflog, 80) == [CTINFO["INVALID"]] * 3
        assert len(daemon.events(event="invalid", reason="ip-fragment")) == 3
        assert daemon.wait_line("Stopped: .*, 0 drops")
    with Daemon(lab.router), receiver(lab, six) as sock:
        for piece in reversed(after.cut(64)):
            wire.send(after.fragment(piece))
        assert sock.recv(65536) == after.data
        assert marks(nflog, 81) == [CTINFO["NEW"]] * 2


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
            nflog.wait(4, match=lambda p, n=500 + i: ident_of(p.raw) == n)
            assert marks(nflog, 500 + i) == [CTINFO["NEW"]] * 4
        given = [kernel_queues(lab.router)[q][4] for q in cpus]
        assert given == [40, 40], "the first came to the other queue each time"
        assert waiting(lab.router) == 0
        assert daemon.events(event="invalid") == []
