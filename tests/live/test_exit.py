# SPDX-License-Identifier: GPL-2.0-or-later
"""
Entry and exit: with POSTROUTING and INPUT queued, flows are confirmed where the kernel confirms.

The router's own conntrack judges the same packets; nothing may differ, not even what the router
itself sends because of a packet that it refuses.
"""

import re
import signal
import socket

import pytest

from lab import frames, netns, rules
from lab.daemon import Daemon
from lab.traffic import Traffic
from lab.wire import ORACLE

SIX = pytest.mark.parametrize("six", [False, True], ids=["ipv4", "ipv6"])
CHAINS = ("PREROUTING", "OUTPUT", "INPUT", "POSTROUTING")
KERNEL = dict(zip(("ESTABLISHED", "RELATED", "NEW", "ESTABLISHED_REPLY", "RELATED_REPLY",
                   "UNTRACKED", "INVALID"), ORACLE.values()))


def command(six):
    return "ip6tables" if six else "iptables"


def oracle(space):
    """The kernel's class as a bit above ctmarkd's, at both entries."""
    for tables in rules.FAMILIES:
        for chain in ("PREROUTING", "OUTPUT"):
            space.run(tables, "-w", "-t", "mangle", "-A", chain, "-j", "MARK", "--set-xmark",
                      "0x0/0xfffffff0")
            for condition, bit in ORACLE.items():
                space.run(tables, "-w", "-t", "mangle", "-A", chain, "-m", "conntrack",
                          *condition.split(), "-j", "MARK", "--or-mark", hex(bit))


def kernel_class(mark):
    found = [name for name, bit in KERNEL.items() if mark & bit]
    return found[0] if len(found) == 1 else f"{found}"


def compare(nflog):
    """[(hook, class)] of what passed, ctmarkd's and the kernel's being the same."""
    seen = nflog.settle()
    ours = [(p.prefix, rules.name_of(p.mark)) for p in seen]
    theirs = [(p.prefix, kernel_class(p.mark)) for p in seen]
    assert ours == theirs
    return ours


def begin(nflog):
    """What the new interfaces said before the rules were there is not judged."""
    nflog.settle(0.1)
    nflog.seen.clear()


@pytest.fixture
def judged(lab, nflog):
    """A router on which the kernel and ctmarkd judge every packet at every hook."""
    oracle(lab.router)
    rules.queue(lab.router, chains=CHAINS)
    with Daemon(lab.router, {"Track": {"Confirm": "exit"}}) as daemon:
        begin(nflog)
        yield daemon


@SIX
def test_forwarded(lab, nflog, judged, six):
    traffic = Traffic(lab, nflog, six)
    traffic.tcp_connection()
    traffic.tcp_refused()
    traffic.udp_query()
    traffic.udp_closed()
    traffic.udp_late()
    traffic.ping()
    classes = {name for _, name in compare(nflog)}
    assert classes == {"NEW", "ESTABLISHED", "ESTABLISHED_REPLY", "RELATED", "RELATED_REPLY"}


@SIX
def test_local_services(lab, nflog, judged, six):
    """What ends at the router and what begins there: confirmed at INPUT and POSTROUTING."""
    family = socket.AF_INET6 if six else socket.AF_INET
    own = netns.LAN6 if six else netns.LAN4
    with lab.router.socket(family) as listener, lab.client.socket(family) as client:
        listener.bind((own, 8080))
        listener.listen()
        client.connect((own, 8080))
        server = listener.accept()[0]
        client.sendall(b"hello")
        server.recv(5)
        server.sendall(b"world")
        client.recv(5)
        server.close()
    with lab.client.socket(family) as client:
        assert client.connect_ex((own, 8081)) != 0
    lab.client.run("ping", "-n", "-c2", "-i0.2", own)
    lab.router.run("ping", "-n", "-c2", "-i0.2", netns.SERVER6 if six else netns.SERVER4)
    seen = compare(nflog)
    assert ("output", "NEW") in seen and ("prerouting", "NEW") in seen
    assert ("output", "ESTABLISHED_REPLY") in seen and ("prerouting", "ESTABLISHED_REPLY") in seen
    assert "INVALID" not in {name for _, name in seen}


@pytest.fixture(params=["ctmarkd", "kernel"])
def judge(request, lab, nflog):
    """
    The classes of what passes, judged by one of the two. Not by both: the kernel does not queue but
    drop a packet that shares an unconfirmed connection with another one, as errors about it do.
    """
    if request.param == "kernel":
        oracle(lab.router)
        begin(nflog)
        yield lambda: [(p.prefix, kernel_class(p.mark)) for p in nflog.settle()]
        return
    rules.queue(lab.router, chains=CHAINS)
    with Daemon(lab.router, {"Track": {"Confirm": "exit"}}) as daemon:
        begin(nflog)
        yield lambda: [(p.prefix, rules.name_of(p.mark)) for p in nflog.settle()]
        assert daemon.events(event="new") == [], "nothing was confirmed"


@SIX
def test_refused_by_rule(lab, nflog, judge, six):
    """REJECT: the router's RST and error belong to a connection that is never confirmed."""
    lab.router.run(command(six), "-w", "-A", "FORWARD", "-p", "tcp", "--dport", "9001", "-j",
                   "REJECT", "--reject-with", "tcp-reset")
    lab.router.run(command(six), "-w", "-A", "FORWARD", "-p", "udp", "--dport", "9002", "-j", "REJECT")
    traffic = Traffic(lab, nflog, six)
    for _ in range(2):
        with lab.client.socket(traffic.af) as client:
            client.bind((traffic.client, 7000))
            with pytest.raises(ConnectionRefusedError):
                client.connect((traffic.server, 9001))
        with lab.client.socket(traffic.af, socket.SOCK_DGRAM) as client:
            client.bind((traffic.client, 7000))
            client.connect((traffic.server, 9002))
            client.send(b"x")
            with pytest.raises(OSError):
                client.recv(1)
    assert judge() == [("prerouting", "NEW"), ("output", "RELATED_REPLY")] * 4


@SIX
def test_time_exceeded(lab, nflog, judge, six):
    """The first packet of a flow dies here; so does the flow."""
    traffic = Traffic(lab, nflog, six)
    option = (socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS) if six else (socket.IPPROTO_IP, socket.IP_TTL)
    lab.router.sysctl(ipv4__icmp_ratelimit=0, ipv6__icmp__ratelimit=0)
    with lab.client.socket(traffic.af, socket.SOCK_DGRAM) as client:
        client.setsockopt(*option, 1)
        client.bind((traffic.client, 7001))
        for sent in (2, 4):
            client.sendto(b"x", (traffic.server, 9003))
            assert len(nflog.wait(sent)) == sent
    assert judge() == [("prerouting", "NEW"), ("output", "RELATED_REPLY")] * 2


@SIX
def test_loopback(lab, nflog, judged, six):
    """One packet passes two entries and two exits; its class is found once."""
    own = "::1" if six else "127.0.0.1"
    with lab.router.socket(socket.AF_INET6 if six else socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.connect((own, 9))
        client.send(b"anybody?")
        with pytest.raises(ConnectionRefusedError):
            client.recv(1)
    assert compare(nflog) == [("output", "NEW"), ("prerouting", "NEW"), ("output", "RELATED_REPLY"),
                              ("prerouting", "RELATED_REPLY")]
    assert len(judged.wait_events(1, event="new")) == 1


@SIX
def test_dropped_on_the_way(lab, nflog, judged, six):
    """A first packet that a rule drops leaves nothing; the next is NEW and makes the flow."""
    traffic = Traffic(lab, nflog, six)
    drop = ("FORWARD", "-p", "udp", "--dport", "5353", "-j", "DROP")
    lab.router.run(command(six), "-w", "-A", *drop)
    client, server = traffic.udp_pair(5353)
    with client, server:
        client.send(b"lost")
        nflog.wait(1)
        assert judged.events(event="new") == []
        server.sendto(b"answer to nothing", client.getsockname())
        nflog.wait(2)
        lab.router.run(command(six), "-w", "-D", *drop)
        client.send(b"again")
        nflog.wait(3)
    assert [name for _, name in compare(nflog)][:3] == ["NEW", "NEW", "ESTABLISHED_REPLY"]


def first_packets(six):
    """First packets of flows, and whether a second one under way is let through."""
    hosts = (netns.CLIENT6, netns.SERVER6) if six else (netns.CLIENT4, netns.SERVER4)
    return {"tcp": (frames.tcp(*hosts, 1000, 80, frames.SYN, 1, 0), False),
            "udp": (frames.udp(*hosts, 1000, 53, b"question"), True),
            "icmp": (frames.icmp(*hosts, 128 if six else 8, rest=bytes([0, 77, 0, 1])), False)}


def listen(host, six):
    """Whole packets that arrive."""
    far = host.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x86DD if six else 0x0800))
    far.bind(("eth0", 0x86DD if six else 0x0800))
    return far


def arrivals(far, packet, six, wanted):
    """How many packets with the same transport part arrive: those wanted, and others until there is silence."""
    header, count = 40 if six else 20, 0
    try:
        while True:
            far.settimeout(5 if count < wanted else 0.3)
            got, (_, _, kind, *_) = far.recvfrom(2000)
            count += kind == socket.PACKET_HOST and got[header:] == packet[header:]
    except TimeoutError:
        return count


@SIX
@pytest.mark.parametrize("judge", ["ctmarkd", "kernel"])
def test_two_under_way(lab, nflog, six, judge):
    """
    Two equal first packets are judged before either has left: the second finds the flow made. The
    kernel does the same to packets that wait in a queue together.
    """
    if judge == "kernel":
        oracle(lab.router)
    rules.queue(lab.router, chains=CHAINS)
    lab.server.run(command(six), "-w", "-P", "OUTPUT", "DROP")  # an answer would end the flow
    with Daemon(lab.router, {"Track": {"Confirm": "exit"}},
                args=["--shadow"] if judge == "kernel" else []) as daemon:
        for name, (packet, joins) in first_packets(six).items():
            with lab.client.raw("eth0") as wire, listen(lab.server, six) as far:
                daemon.freeze()
                for _ in range(2):
                    wire.send(frames.ethernet(packet))
                daemon.kill(signal.SIGCONT)
                wanted = 2 if joins else 1
                assert arrivals(far, packet, six, wanted) == wanted, name
        if judge == "ctmarkd":
            clashes = daemon.wait_events(2, event="invalid", reason="clash")
            assert [e["proto"] for e in clashes] == ["tcp", "icmpv6" if six else "icmp"]


@SIX
@pytest.mark.parametrize("judge", ["ctmarkd", "kernel"])
def test_two_announcements_under_way(lab, nflog, six, judge):
    """What the first of two requests announces is expected already when the second one leaves."""
    hosts = (netns.CLIENT6, netns.SERVER6) if six else (netns.CLIENT4, netns.SERVER4)
    packet = frames.udp(*hosts, 1000, 69, b"\0\1file\0octet\0")
    if judge == "kernel":
        oracle(lab.router)
        lab.router.run(command(six), "-w", "-t", "raw", "-A", "PREROUTING", "-p", "udp", "--dport", "69",
                       "-j", "CT", "--helper", "tftp")
    rules.queue(lab.router, chains=CHAINS)
    lab.server.run(command(six), "-w", "-P", "OUTPUT", "DROP")
    with Daemon(lab.router, {"Track": {"Confirm": "exit", "Helpers": "tftp"}},
                args=["--shadow"] if judge == "kernel" else []) as daemon:
        with lab.client.raw("eth0") as wire, listen(lab.server, six) as far:
            daemon.freeze()
            for _ in range(2):
                wire.send(frames.ethernet(packet))
            daemon.kill(signal.SIGCONT)
            assert arrivals(far, packet, six, 1) == 1


@SIX
@pytest.mark.parametrize("judge", ["ctmarkd", "kernel"])
def test_counted_by_the_flow_that_won(lab, nflog, six, judge):
    """First packets that cross are of one flow, and count in its original direction, both of them."""
    near, far = (netns.CLIENT6, netns.SERVER6) if six else (netns.CLIENT4, netns.SERVER4)
    if judge == "kernel":
        oracle(lab.router)
        lab.router.sysctl(netfilter__nf_conntrack_acct=1)
    rules.queue(lab.router, chains=CHAINS)
    for host in (lab.client, lab.server):
        host.run(command(six), "-w", "-P", "OUTPUT", "DROP")
    there = frames.udp(near, far, 1000, 53, b"to")
    back = frames.udp(far, near, 53, 1000, b"fro")
    with Daemon(lab.router, {"Track": {"Confirm": "exit"}, "Timeouts": {"UDP": "1s"}},
                args=["--shadow"] if judge == "kernel" else []) as daemon:
        with lab.client.raw("eth0") as one, lab.server.raw("eth0") as other, \
                listen(lab.client, six) as arrived:
            daemon.freeze()
            one.send(frames.ethernet(there))
            other.send(frames.ethernet(back, netns.WAN_MAC, netns.SERVER_MAC))
            daemon.kill(signal.SIGCONT)
            assert arrivals(arrived, back, six, 1) == 1
        if judge == "kernel":
            table = lab.router.run("conntrack", "-L", "-f", "ipv6" if six else "ipv4")
            counts = re.findall(r"packets=(\d+) bytes=(\d+)", table)
        else:
            end = daemon.wait_events(1, event="destroy")[0]
            counts = [(end[f"packets_{way}"], end[f"bytes_{way}"]) for way in ("orig", "reply")]
    assert counts == [("2", str(len(there) + len(back))), ("0", "0")]


def status(daemon):
    """STATUS= of a look that began after this call."""
    assert daemon.notify.wait("STATUS=")
    return daemon.notify.wait("STATUS=")


def test_auto_finds_the_exit(lab, nflog):
    """Confirm=auto: at the entry until a packet comes from an exit hook, which is told once."""
    rules.queue(lab.router)
    with Daemon(lab.router) as daemon:
        traffic = Traffic(lab, nflog, False)
        traffic.udp_query()
        assert "confirming at the entry" in status(daemon)
        rules.queue(lab.router, chains=("INPUT", "POSTROUTING"))
        traffic.ping()
        traffic.tcp_connection()
        assert daemon.wait_line("from now on new flows are confirmed there")
        assert "confirming at the exit" in status(daemon)
        new = daemon.wait_events(3, event="new")
        assert [e["hook"] for e in new] == ["PREROUTING", "PREROUTING", "POSTROUTING"]
        daemon.stop()
        assert len([line for line in daemon.lines if "confirmed there" in line]) == 1
        assert not [line for line in daemon.lines if "did not come to an exit hook" in line]


def test_exit_is_not_queued(lab, nflog):
    """Confirm=exit without the rules for it: nothing is ever confirmed, and a warning says why."""
    rules.queue(lab.router)
    with Daemon(lab.router, {"Track": {"Confirm": "exit"}}) as daemon:
        with lab.client.raw("eth0") as wire:
            for port in range(1000, 1020):
                wire.send(frames.ethernet(frames.udp(netns.CLIENT4, netns.SERVER4, port, 53, b"?")))
        assert daemon.wait_line(r"20 first packets did not come to an exit hook", timeout=20)
        assert daemon.events(event="new") == []


def test_shadow_confirms_at_the_entry(lab, nflog):
    """Without marks nothing tells an exit hook what a packet is."""
    rules.queue(lab.router, chains=CHAINS)
    with Daemon(lab.router, {"Track": {"Confirm": "exit"}}, args=["--shadow"]) as daemon:
        Traffic(lab, nflog, False).tcp_connection()
        assert [e["hook"] for e in daemon.wait_events(1, event="new")] == ["PREROUTING"]
        assert daemon.wait_events(1, event="assured")


def test_only_first_packets_at_the_exit(lab, nflog):
    """Without helpers it is enough to queue there what can be the first of its flow."""
    rules.queue(lab.router)
    for command_ in rules.FAMILIES:
        for mark in ("NEW", "RELATED"):
            lab.router.run(command_, "-w", "-t", "mangle", "-A", "POSTROUTING", "-m", "mark", "--mark",
                           f"{rules.CTINFO[mark]:#x}/0xf", "-j", "NFQUEUE")
    with Daemon(lab.router, {"Track": {"Confirm": "exit"}}) as daemon:
        Traffic(lab, nflog, False).tcp_connection()
        assert [e["hook"] for e in daemon.wait_events(1, event="new")] == ["POSTROUTING"]
        assert daemon.wait_events(1, event="assured")
