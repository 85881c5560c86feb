# SPDX-License-Identifier: GPL-2.0-or-later
"""Packets that no honest stack sends: each gets a verdict and a reason, and the daemon lives on."""

import contextlib
import random
import struct
import time

import pytest

from lab import frames, netns, rules
from lab.daemon import Daemon
from lab.frames import ACK, FIN, PSH, RST, SYN
from lab.netns import CLIENT4, CLIENT6, SERVER4, SERVER6
from lab.nflog import Nflog
from lab.queues import kernel_queues

MANY = 4000


def ip4(proto, payload, **kwargs):
    return frames.ip(CLIENT4, SERVER4, proto, payload, **kwargs)


def ip6(proto, payload, **kwargs):
    return frames.ip(CLIENT6, SERVER6, proto, payload, **kwargs)


def tcp4(flags, **kwargs):
    return frames.tcp(CLIENT4, SERVER4, 1234, 4321, flags, **kwargs)


def tcp6(flags, **kwargs):
    return frames.tcp(CLIENT6, SERVER6, 1234, 4321, flags, **kwargs)


def udp4(**kwargs):
    return frames.udp(CLIENT4, SERVER4, 1234, 4321, b"data", **kwargs)


def udp6(**kwargs):
    return frames.udp(CLIENT6, SERVER6, 1234, 4321, b"data", **kwargs)


def icmp4(kind, **kwargs):
    return frames.icmp(CLIENT4, SERVER4, kind, **kwargs)


def icmp6(kind, **kwargs):
    return frames.icmp(CLIENT6, SERVER6, kind, **kwargs)


def sctp4(*chunks, vtag=0, **kwargs):
    return frames.sctp(CLIENT4, SERVER4, 1234, 4321, vtag, *chunks, **kwargs)


def sctp6(*chunks, vtag=0, **kwargs):
    return frames.sctp(CLIENT6, SERVER6, 1234, 4321, vtag, *chunks, **kwargs)


INIT = frames.chunk(1, struct.pack("!IIHHI", 7, 65536, 1, 1, 1))
DATA = frames.chunk(0, bytes(13))

# What is wrong with it, the packet, the reason that ctmarkd must give.
CASES = [
    ("TCP header cut", ip4(6, bytes(12)), "l4-header"),
    ("TCP header cut, IPv6", ip6(6, bytes(12)), "l4-header"),
    ("no TCP header at all", ip4(6, b""), "l4-header"),
    ("ports cut", ip4(17, b"\x12\x34"), "l4-header"),
    ("UDP header cut", ip4(17, bytes(7)), "l4-header"),
    ("ICMP header cut", ip4(1, bytes(4)), "l4-header"),
    ("TCP data offset below a header", tcp4(SYN, offset=3), "tcp-data-offset"),
    ("TCP data offset beyond the packet", tcp4(SYN, offset=15), "tcp-data-offset"),
    ("no TCP flag", tcp4(0), "tcp-flags"),
    ("SYN and FIN", tcp4(SYN | FIN), "tcp-flags"),
    ("SYN and RST, IPv6", tcp6(SYN | RST), "tcp-flags"),
    ("all TCP flags", tcp4(0x3f), "tcp-flags"),
    ("FIN and PSH and URG without ACK", tcp4(0x29), "tcp-flags"),
    ("TCP checksum", tcp4(SYN, bad_sum=True), "checksum"),
    ("TCP checksum, IPv6", tcp6(SYN, bad_sum=True), "checksum"),
    ("RST out of the blue", tcp4(RST), "tcp-not-first"),
    ("SYN and ACK out of the blue", tcp4(SYN | ACK), "tcp-not-first"),
    ("UDP checksum", udp4(bad_sum=True), "checksum"),
    ("UDP checksum, IPv6", udp6(bad_sum=True), "checksum"),
    ("UDP checksum of a large packet",
     frames.udp(CLIENT4, SERVER4, 1234, 4321, bytes(1200), bad_sum=True), "checksum"),
    ("UDP length beyond the packet", udp4(length=500), "udp-length"),
    ("UDP length below a header", udp4(length=7), "udp-length"),
    ("UDP length beyond the packet, IPv6", udp6(length=500), "udp-length"),
    ("UDP-Lite without a checksum", ip4(136, bytes(8)), "udplite-no-checksum"),
    ("UDP-Lite coverage beyond the packet", ip4(136, struct.pack("!HHHH", 1, 2, 9, 3)),
     "udplite-coverage"),
    ("UDP-Lite coverage of half a header, IPv6", ip6(136, struct.pack("!HHHH", 1, 2, 4, 3)),
     "udplite-coverage"),
    ("UDP-Lite checksum", ip4(136, struct.pack("!HHHH", 1, 2, 0, 3)), "checksum"),
    ("SCTP header cut", ip4(132, bytes(11)), "l4-header"),
    ("SCTP without a chunk", sctp4(), "l4-header"),
    ("SCTP checksum", sctp4(INIT, bad_sum=True), "checksum"),
    ("SCTP checksum, IPv6", sctp6(INIT, bad_sum=True), "checksum"),
    ("SCTP data out of the blue", sctp4(DATA, vtag=9), "sctp-not-first"),
    ("ABORT out of the blue, IPv6", sctp6(frames.chunk(6), vtag=9), "sctp-not-first"),
    ("INIT and data", sctp4(INIT, DATA), "sctp-chunks"),
    ("chunk of no length", sctp4(frames.chunk(9, bytes(4), length=0)), "sctp-chunks"),
    ("INIT with a tag", sctp4(INIT, vtag=9), "sctp-vtag"),
    ("INIT cut", sctp6(frames.chunk(1, bytes(12))), "l4-header"),
    ("GRE version 1 without PPP", ip4(47, struct.pack("!HHHH", 0x3001, 0x0800, 0, 5)),
     "gre-protocol"),
    ("ICMP type nobody knows", icmp4(77), "icmp-type"),
    ("echo reply nobody asked for", icmp4(0), "icmp-unasked"),
    ("echo reply nobody asked for, IPv6", icmp6(129), "icmp-unasked"),
    ("ICMP router solicitation", icmp4(10), "no-reply-form"),
    ("ICMPv6 in IPv4", ip4(58, struct.pack("!BBHI", 128, 0, 0x7fff, 0)), "icmp-family"),
    ("ICMPv4 in IPv6", ip6(1, struct.pack("!BBHI", 8, 0, 0xf7ff, 0)), "icmp-family"),
    ("ICMP error that quotes nothing", icmp4(3, code=3), "icmp-quote-short"),
    ("ICMP error that quotes half a header", icmp4(3, data=udp4()[:10]), "icmp-quote-short"),
    ("ICMP error that quotes no ports", icmp4(3, data=udp4()[:22]), "icmp-quote-short"),
    ("ICMPv6 error that quotes nothing", icmp6(1), "icmp-quote-short"),
    ("ICMP error about an unknown flow", icmp4(3, code=3, data=udp4()), "icmp-no-flow"),
    ("ICMPv6 error about an unknown flow", icmp6(1, code=4, data=udp6()), "icmp-no-flow"),
    ("ICMP error about an ICMP error", icmp4(3, data=icmp4(3, data=udp4())), "icmp-quote-form"),
    ("redirect with a wrong hop limit", icmp6(137, data=bytes(48)), "icmp6-redirect"),
    ("IPv6 without an upper layer", ip6(59, b""), "ip6-no-next-header"),
    ("IPv6 destination options cut", ip6(60, b"\x11"), "ip6-ext-header"),
    ("IPv6 destination options beyond the packet", ip6(60, struct.pack("!BB6x", 17, 9)),
     "l4-header"),
    ("IPv6 authentication header cut", ip6(51, b"\x11"), "ip6-ext-header"),
    ("IPv6 authentication header beyond the packet", ip6(51, struct.pack("!BB6x", 17, 60)),
     "l4-header"),
    ("IPv6 fragment header cut", ip6(44, b"\x11\0\0"), "ip6-ext-header"),
]


@pytest.fixture
def hostile(lab, nflog):
    """A daemon, and a server that never answers: only what the client sends is on the wire."""
    with silence(lab, nflog) as daemon:
        yield lab, nflog, daemon


@contextlib.contextmanager
def silence(lab, nflog, config=None):
    for command in rules.FAMILIES:
        lab.server.run(command, "-w", "-t", "raw", "-A", "PREROUTING", "-j", "DROP")
    rules.queue(lab.router)
    with Daemon(lab.router, config) as daemon:
        yield daemon
        assert daemon.process.poll() is None
        assert daemon.stop() == 0


@pytest.fixture(scope="module")
def one_for_all():
    """The same daemon for all cases: it must not suffer from any of them."""
    with netns.Lab() as lab, Nflog(lab.router) as nflog, silence(lab, nflog) as daemon:
        yield lab, nflog, daemon


@pytest.mark.parametrize("packet,reason", [case[1:] for case in CASES],
                         ids=[case[0] for case in CASES])
def test_reason(one_for_all, packet, reason):
    lab, nflog, daemon = one_for_all
    passed, told = len(nflog.seen), len(daemon.events(event="invalid"))
    with lab.client.raw("eth0") as wire:
        wire.send(frames.ethernet(packet))
    assert [p.mark for p in nflog.wait(passed + 1)[passed:]] == [0xe]
    events = daemon.wait_events(told + 1, event="invalid")[told:]
    assert [e["reason"] for e in events] == [reason]
    assert (events[0]["ctinfo"], events[0]["mark"]) == ("INVALID", "0xe")


@pytest.mark.parametrize("packet", [
    ip4(17, bytes(64), fragment=100),
    ip6(44, struct.pack("!BBHI", 17, 0, 800, 7) + bytes(64)),
], ids=["IPv4", "IPv6"])
def test_later_fragment(lab, nflog, packet):
    """Without a memory for datagrams a later fragment belongs to nothing."""
    rules.queue(lab.router)
    with Daemon(lab.router, {"Track": {"MaxFragments": "0"}}) as daemon:
        with lab.client.raw("eth0") as wire:
            wire.send(frames.ethernet(packet))
        assert [p.mark for p in nflog.wait(1, match=lambda p: p.mark)] == [0xe]
        assert [e["reason"] for e in daemon.wait_events(1, event="invalid")] == ["ip-fragment"]


@pytest.mark.parametrize("packet,proto,kind,code", [
    (icmp4(3, code=3, data=udp4()), "icmp", "3", "3"),
    (icmp6(1, code=4, data=udp6()), "icmpv6", "1", "4"),
], ids=["IPv4", "IPv6"])
def test_error_without_a_flow_names_its_type(one_for_all, packet, proto, kind, code):
    lab, _, daemon = one_for_all
    told = len(daemon.events(event="invalid"))
    with lab.client.raw("eth0") as wire:
        wire.send(frames.ethernet(packet))
    event = daemon.wait_events(told + 1, event="invalid")[told]
    assert (event["proto"], event["icmp_type"], event["icmp_code"]) == (proto, kind, code)
    assert event["reason"] == "icmp-no-flow" and "flow" not in event
    assert "proto=17" in event["detail"], "the packet that it quotes"


# Strange, but nothing is wrong with it.
@pytest.mark.parametrize("packet", [
    frames.udp(CLIENT4, SERVER4, 1, 2, b"x", options=b"\x01" * 8),
    ip6(60, struct.pack("!BB6x", 17, 0) + frames.udp(CLIENT6, SERVER6, 3, 4)[40:]),
    ip6(43, struct.pack("!BBBB4x", 17, 0, 4, 0) + frames.udp(CLIENT6, SERVER6, 5, 6)[40:]),
    ip6(44, struct.pack("!BBHI", 17, 0, 0, 7) + frames.udp(CLIENT6, SERVER6, 7, 8)[40:]),
    frames.udp(CLIENT4, SERVER4, 0, 0),
    ip4(50, b""),
    ip4(253, bytes(3)),
    frames.tcp(CLIENT4, SERVER4, 9, 10, SYN, data=b"early", options=bytes([3, 3, 14, 8, 2])),
    ip4(47, b""),
    sctp4(frames.chunk(4, b"path"), frames.chunk(9), vtag=9),
], ids=["IP options", "destination options", "routing header", "atomic fragment", "port 0",
        "empty ESP", "experimental protocol", "SYN with data and a cut option",
        "empty GRE", "HEARTBEAT and ERROR"])
def test_strange_but_new(hostile, packet):
    lab, nflog, daemon = hostile
    with lab.client.raw("eth0") as wire:
        wire.send(frames.ethernet(packet))
    assert [p.mark for p in nflog.wait(1)] == [0xa]
    assert len(daemon.wait_events(1, event="new")) == 1


def mutilated(rng):
    """A packet of CASES or a sane one, with bytes changed, cut or added behind its addresses."""
    packet = bytearray(rng.choice(SEEDS))
    header = 40 if packet[0] >> 4 == 6 else 20
    for _ in range(rng.randrange(5)):
        if len(packet) > header:
            packet[rng.randrange(header, len(packet))] = rng.randrange(256)
    body = bytes(packet[header:])
    how = rng.randrange(4)
    if how == 0:
        body = body[:rng.randrange(len(body) + 1)]
    elif how == 1:
        body += rng.randbytes(rng.randrange(200))
    elif how == 2:
        body = rng.randbytes(rng.randrange(300))
    proto = packet[6] if header == 40 else packet[9]
    if rng.randrange(3) == 0:
        proto = rng.choice((1, 6, 17, 43, 44, 47, 50, 51, 58, 59, 60, 132, 136, rng.randrange(1, 256)))
    if header == 40:
        return ip6(proto, body)
    return ip4(proto, body, fragment=rng.choice((0, 0, 0, 0x4000, 0x2000, 0x2005)))


SEEDS = [case[1] for case in CASES] + [
    tcp4(SYN, options=bytes([2, 4, 5, 180, 4, 2, 3, 3, 7])), tcp4(ACK, data=b"x" * 40),
    tcp6(PSH | ACK, data=b"y" * 40, options=bytes([1, 1, 5, 10]) + bytes(8)),
    udp4(), udp6(), icmp4(8), icmp6(128), icmp6(135, data=bytes(16)), sctp4(INIT), sctp6(INIT),
]


def send_mutilated(lab, nflog, seed):
    rng = random.Random(seed)
    with lab.client.raw("eth0") as wire:
        for n in range(1, MANY + 1):
            wire.send(frames.ethernet(mutilated(rng)))
            if n % 200 == 0:
                nflog.settle(0.02)
    nflog.settle(0.3)


@pytest.mark.parametrize("seed", [3, 4])
def test_mutilated_fragments_do_not_stay(lab, nflog, seed):
    """Fragments of nothing among them are held for a while, and given up."""
    with silence(lab, nflog, {"Track": {"FragmentTimeout": "1s"}}) as daemon:
        send_mutilated(lab, nflog, seed)
        assert daemon.wait_events(1, event="invalid", reason="fragment-timeout")
        end = time.monotonic() + 5
        while kernel_queues(lab.router)[0][1] and time.monotonic() < end:
            time.sleep(0.1)
        queued = kernel_queues(lab.router)[0]
        assert queued[1:4] == (0, 0, 0), "nothing waits, nothing was dropped by the kernel"
        assert MANY / 3 < len(nflog.seen) < queued[4]
        assert None not in {rules.name_of(p.mark) for p in nflog.seen}


@pytest.mark.parametrize("seed", [1, 2])
def test_mutilated_packets_all_get_a_verdict(lab, nflog, seed):
    """Bad in ways nobody thought of: answered one and all, and judged as anything but not seen."""
    with silence(lab, nflog, {"Track": {"MaxFragments": "0"}}) as daemon:
        send_mutilated(lab, nflog, seed)
        check_verdicts(lab, nflog, daemon)


def check_verdicts(lab, nflog, daemon):
    queued = kernel_queues(lab.router)[0]
    assert queued[1:4] == (0, 0, 0), "nothing waits, nothing was dropped"
    assert queued[4] > MANY / 2, "the kernel's own checks leave most of them"
    assert len(nflog.seen) == queued[4], "each queued packet was accepted"
    names = [rules.name_of(p.mark) for p in nflog.seen]
    assert None not in names
    assert names.count("INVALID") > MANY / 10 and names.count("NEW") > MANY / 50
    invalid = daemon.wait_events(names.count("INVALID"), event="invalid")
    held_back = sum(int(e["suppressed"]) for e in daemon.events(event="log-suppressed"))
    assert len(invalid) + held_back == names.count("INVALID")
    assert all(e["reason"] not in ("none", "") for e in invalid)
    assert len({e["reason"] for e in invalid}) >= 12
