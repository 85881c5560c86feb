# SPDX-License-Identifier: GPL-2.0-or-later
"""The mark: rules of filter match it, bits of others survive, both encodings, both families."""

import pytest

from lab import rules
from lab.daemon import Daemon
from lab.traffic import Traffic

SIX = pytest.mark.parametrize("six", [False, True], ids=["ipv4", "ipv6"])

FOREIGN = 0xa5c01230


def command(six):
    return "ip6tables" if six else "iptables"


@SIX
def test_ctinfo_is_matched_in_filter(lab, nflog, six):
    rules.count_marks(lab.router, rules.CTINFO.values(), 0xf)
    rules.queue(lab.router)
    with Daemon(lab.router):
        traffic = Traffic(lab, nflog, six)
        traffic.tcp_refused()
        traffic.udp_query()
        traffic.udp_closed()
        traffic.udp_late()
        traffic.tcp_forged()
        seen = [rules.name_of(p.mark) for p in nflog.settle()]

    hits = rules.hits(lab.router, command(six))
    assert None not in seen
    assert {name: hits[value] for name, value in rules.CTINFO.items()} == \
        {name: seen.count(name) for name in rules.CTINFO}
    assert hits[rules.CTINFO["NEW"]] == 5
    assert hits[rules.CTINFO["RELATED"]] == 1
    assert hits[rules.CTINFO["RELATED_REPLY"]] == 1
    assert hits[rules.CTINFO["INVALID"]] == 1
    assert hits[rules.CTINFO["ESTABLISHED_REPLY"]] >= 5
    assert hits[rules.CTINFO["ESTABLISHED"]] >= 2


@SIX
def test_flags_are_matched_in_filter(lab, nflog, six):
    shift = 16
    flags = {name: value << shift for name, value in rules.FLAGS.items()}
    rules.count_marks(lab.router, flags.values())
    rules.queue(lab.router)
    with Daemon(lab.router, {"Mark": {"Encoding": "flags", "Mask": "0x7f0000"}}):
        traffic = Traffic(lab, nflog, six)
        traffic.udp_query()     # NEW, then ESTABLISHED with REPLY
        traffic.udp_closed()    # NEW, then RELATED with REPLY
        traffic.udp_late()      # NEW, ESTABLISHED with REPLY, RELATED
        traffic.tcp_connection()
        traffic.tcp_forged()
        seen = [p.mark for p in nflog.settle()]

    hits = rules.hits(lab.router, command(six))
    assert hits == {bit: sum(bool(mark & bit) for mark in seen) for bit in flags.values()}
    assert hits[flags["NEW"]] == 5
    assert hits[flags["RELATED"]] == 2
    assert hits[flags["INVALID"]] == 1
    assert hits[flags["UNTRACKED"]] == 0
    assert hits[flags["ASSURED"]] >= 5
    state = flags["NEW"] | flags["ESTABLISHED"] | flags["RELATED"] | flags["INVALID"]
    assert all((mark & state).bit_count() == 1 for mark in seen), "one state bit per packet"
    assert seen[0] == flags["NEW"]
    assert seen[1] == flags["ESTABLISHED"] | flags["REPLY"]
    assert seen[3] == flags["RELATED"] | flags["REPLY"]
    assert seen[6] == flags["RELATED"]


@SIX
def test_untracked_is_matched_in_filter(lab, nflog, six):
    if not six:
        # nothing of IPv4 is UNTRACKED by its type: the class stays empty
        rules.queue(lab.router, chains=("PREROUTING", "OUTPUT"))
        with Daemon(lab.router):
            Traffic(lab, nflog, six).ping()
            assert 0xf not in [p.mark for p in nflog.settle()]
        return
    rules.count_marks(lab.router, rules.CTINFO.values(), 0xf, chains=("INPUT", "OUTPUT"))
    rules.queue(lab.router, chains=("PREROUTING", "OUTPUT"))
    with Daemon(lab.router):
        Traffic(lab, nflog, six).neighbour()
        nflog.settle()
    hits = rules.hits(lab.router, "ip6tables")
    assert hits[rules.CTINFO["UNTRACKED"]] >= 2
    assert hits[rules.CTINFO["NEW"]] == 1
    assert hits[rules.CTINFO["ESTABLISHED_REPLY"]] == 1


@SIX
@pytest.mark.parametrize("encoding,mask", [("ctinfo", 0xf), ("ctinfo", 0xf00000),
                                           ("flags", 0x7f0000), ("flags", 0xff000000)])
def test_bits_of_others_survive(lab, nflog, six, encoding, mask):
    for chain in ("PREROUTING",):
        lab.router.run(command(six), "-w", "-t", "mangle", "-A", chain, "-j", "MARK",
                       "--set-mark", hex(FOREIGN))
    rules.queue(lab.router)
    with Daemon(lab.router, {"Mark": {"Encoding": encoding, "Mask": hex(mask)}}):
        traffic = Traffic(lab, nflog, six)
        traffic.udp_query()
        traffic.tcp_forged()
        # and nothing that the router says by itself, which no rule has marked
        seen = [p.mark for p in nflog.settle() if p.packet.proto in (6, 17)]
    assert len(seen) >= 9
    assert {mark & ~mask for mark in seen} == {FOREIGN & ~mask}
    first = {"ctinfo": 0xa, "flags": 0x01}[encoding] * (mask & -mask)
    assert seen[0] & mask == first


def test_packet_without_mark_counts_as_zero(lab, nflog):
    rules.queue(lab.router)
    with Daemon(lab.router) as daemon:
        Traffic(lab, nflog, False).udp_query()
        assert [p.mark for p in nflog.wait(2)] == [0xa, 0xb]
        assert [e["mark"] for e in daemon.wait_events(2)][:2] == ["0xa", "0xb"]


def test_local_traffic_is_classified_once(lab, nflog):
    """The loopback device shows a packet to OUTPUT and to PREROUTING: one judgement."""
    rules.queue(lab.router, chains=("PREROUTING", "OUTPUT"))
    with Daemon(lab.router):
        lab.router.run("ping", "-n", "-c1", "-W5", "127.0.0.1")
        seen = [(p.prefix, p.mark) for p in nflog.settle()]
    assert seen == [("output", 0xa), ("prerouting", 0xa), ("output", 0xb), ("prerouting", 0xb)]
