#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes the seeds of fuzz_track: one small story per file, in the format that fuzz_track.c reads."""

import ipaddress
import struct
import sys
from pathlib import Path

FIN, SYN, RST, PSH, ACK, URG = 1, 2, 4, 8, 16, 32
PREROUTING, INPUT, FORWARD, OUTPUT, POSTROUTING = range(5)
A4, B4, R4 = "10.0.0.1", "10.0.1.2", "10.0.0.254"
A6, B6, R6 = "2001:db8::1", "2001:db8:1::2", "fe80::254"


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def transport(src, dst, proto, data, at):
    """Fills the checksum at offset `at` of a transport header."""
    src, dst = ipaddress.ip_address(src).packed, ipaddress.ip_address(dst).packed
    pseudo = src + dst + struct.pack("!HBB" if len(src) == 4 else "!IHBB", *(
        (len(data), 0, proto) if len(src) == 4 else (len(data), 0, 0, proto)))
    if proto == 1:
        pseudo = b""
    return data[:at] + struct.pack("!H", checksum(pseudo + data)) + data[at + 2:]


def ip(src, dst, proto, payload, options=b"", frag=0, ext=b"", first=None, hops=64):
    s, d = ipaddress.ip_address(src).packed, ipaddress.ip_address(dst).packed
    if len(s) == 16:
        nxt = proto if first is None else first
        return struct.pack("!IHBB", 6 << 28, len(ext) + len(payload), nxt, hops) + s + d + ext + payload
    ihl = 5 + len(options) // 4
    head = struct.pack("!BBHHHBBH", 4 << 4 | ihl, 0, ihl * 4 + len(payload), 1, frag, hops, proto, 0) + s + d + options
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload


def tcp(src, dst, sport, dport, flags, seq, ack=0, data=b"", opts=b"", win=65535, **kw):
    opts += b"\0" * (-len(opts) % 4)
    seg = struct.pack("!HHIIBBHHH", sport, dport, seq, ack, (5 + len(opts) // 4) << 4, flags, win, 0, 0) + opts + data
    return ip(src, dst, 6, transport(src, dst, 6, seg, 16), **kw)


def udp(src, dst, sport, dport, data=b"x", **kw):
    seg = struct.pack("!HHHH", sport, dport, 8 + len(data), 0) + data
    return ip(src, dst, 17, transport(src, dst, 17, seg, 6), **kw)


def icmp(src, dst, kind, code, rest=b"\0\1\0\1", data=b"", **kw):
    proto = 58 if ":" in src else 1
    return ip(src, dst, proto, transport(src, dst, proto, struct.pack("!BBH", kind, code, 0) + rest + data, 2), **kw)


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def chunk(kind, body=b"", flags=0):
    return struct.pack("!BBH", kind, flags, 4 + len(body)) + body + b"\0" * (-len(body) % 4)


def sctp(src, dst, sport, dport, vtag, *chunks, **kw):
    packet = struct.pack("!HHII", sport, dport, vtag, 0) + b"".join(chunks)
    return ip(src, dst, 132, packet[:8] + struct.pack("<I", crc32c(packet)) + packet[12:], **kw)


def udplite(src, dst, sport, dport, coverage=0, data=b"x" * 8):
    """With the checksum that the kernel expects: that of UDP over the covered bytes."""
    head = struct.pack("!HHHH", sport, dport, coverage, 0)
    covered = transport(src, dst, 17, (head + data)[:coverage or 16] + b"\0" * (16 - (coverage or 16)), 6)
    return ip(src, dst, 136, covered[:8] + data)


def record(packet, ms=0, hook=PREROUTING, unverified=True, loopback=False, expire=False, cut=0, mark=0, zone=0, exact=True,
           leaves=True, ended=False, taken=False):
    shift = 0
    while ms >> (shift * 5) > 63:
        shift += 1
    flags = hook | (8 if unverified else 0) | (16 if loopback else 0) | (32 if expire else 0)
    return struct.pack("<HBBBBBB", len(packet), ms >> (shift * 5) | shift << 6, flags, cut, mark & 255,
                       mark >> 16 & 255, zone | (2 if exact else 0) | (8 if leaves else 0) | (16 if ended else 0) |
                       (32 if taken else 0)) + packet


def made(ms, *fields):
    """A TCP segment that fuzz_track makes itself: what, flags, seq, ack, window / 256, data."""
    what, flags, seq, ack, win, data = fields
    return struct.pack("<HBBBBBB", 8, ms, 0, 0, 0, 0, 14) + struct.pack("!BBHHBB", what, flags, seq, ack, win, data)


def connection(a, b, sport=40000, close=True):
    opts = b"\x02\x04\x05\xb4\x04\x02\x08\x0a" + b"\0" * 8 + b"\x01\x03\x03\x07"
    up = lambda flags, seq, ack, data=b"", o=b"": tcp(a, b, sport, 80, flags, seq, ack, data, o)
    down = lambda flags, seq, ack, data=b"", o=b"": tcp(b, a, 80, sport, flags, seq, ack, data, o)
    packets = [up(SYN, 1000, 0, o=opts), down(SYN | ACK, 5000, 1001, o=opts), up(ACK, 1001, 5001),
               up(ACK | PSH, 1001, 5001, b"a" * 99), down(ACK, 5001, 1100)]
    if close:
        packets += [up(FIN | ACK, 1100, 5001), down(ACK, 5001, 1101), down(FIN | ACK, 5001, 1101), up(ACK, 1101, 5002)]
    return packets


def association(a, b):
    init = lambda kind, tag: chunk(kind, struct.pack("!IIHHI", tag, 65536, 1, 1, 1))
    up = lambda vtag, *chunks: sctp(a, b, 40000, 3868, vtag, *chunks)
    down = lambda vtag, *chunks: sctp(b, a, 3868, 40000, vtag, *chunks)
    return [up(0, init(1, 7)), down(7, init(2, 9)), up(9, chunk(10, b"c" * 9), chunk(0, b"d" * 16)), down(7, chunk(11), chunk(3, b"s" * 12)),
            up(9, chunk(4, b"h" * 8)), down(7, chunk(5, b"h" * 8)), up(9, chunk(7, b"\0\0\0\1")), down(7, chunk(8)), up(9, chunk(14))]


def sip_dialogue(a, b):
    """A registration, a call to the phone, its media, and the same over TCP."""
    uri = lambda host: f"[{host}]" if ":" in host else host
    kind = "IP6" if ":" in a else "IP4"
    sdp = lambda host, port: f"v=0\r\nc=IN {kind} {host}\r\nm=audio {port} x\r\nm=video {port + 2} x\r\nc=IN {kind} {host}\r\n"
    message = lambda first, cseq, body="", more="": (
        f"{first}\r\nCSeq: {cseq}\r\n{more}l: {len(body)}\r\n\r\n{body}").encode()
    contact = f"Contact: \"a\" <sip:a@{uri(a)}:5070>;expires=60,\r\n <sip:{uri(b)}>\r\nExpires: 9\r\n"
    up = [message("REGISTER sip:b SIP/2.0", "1 REGISTER", more=contact), message("INVITE sip:b SIP/2.0", "2 INVITE", sdp(a, 6000)),
          message("BYE sip:b SIP/2.0", "3 BYE")]
    down = [message("SIP/2.0 200 OK", "1 REGISTER", more=contact), message("SIP/2.0 183 Wait", "2 INVITE", sdp(b, 7000))]
    yield udp(a, b, 5060, 5060, up[0])
    yield udp(b, a, 5060, 5060, down[0])
    yield udp(b, a, 5061, 5070, message("INVITE sip:a SIP/2.0", "1 INVITE", sdp(b, 7100)))
    yield udp(a, b, 6100, 7100)
    yield udp(a, b, 5060, 5060, up[1])
    yield udp(b, a, 7000, 6000)
    yield udp(b, a, 5060, 5060, down[1])
    yield udp(a, b, 6001, 7001)
    yield udp(a, b, 5060, 5060, up[2])
    yield udp(a, b, 5060, 5060, b"INVITE sip:b SIP/2.0\r\n\r\n")
    for flags, src, seq, ack, data in ((SYN, a, 0, 0, b""), (SYN | ACK, b, 0, 1, b""), (ACK | PSH, a, 1, 1, b"".join(up)),
                                       (ACK | PSH, b, 1, 1 + sum(map(len, up)), b"".join(down))):
        yield tcp(src, b if src == a else a, 5060, 5060, flags, seq, ack, data)


def pptp_call():
    """A call is asked for, answered, and its packets go both ways."""
    message = lambda kind, body: struct.pack("!HHIHH", 16 + len(body), 1, 0x1A2B3C4D, kind, 0) + body
    session = struct.pack("!HBBIIHH", 0x100, 1, 0, 1, 1, 0, 0) + b"\0" * 128
    up, down = (A4, B4, 1723), (B4, A4, 1723)
    said = [(up, message(1, session)), (down, message(2, session)),
            (up, message(7, struct.pack("!HHIIIIHHHH", 5, 1, 300, 9999, 1, 1, 64, 0, 0, 0) + b"\0" * 128)),
            (down, message(8, struct.pack("!HHBBHIHHI", 6, 5, 1, 0, 0, 9999, 64, 0, 0)))]
    seq = {A4: 1, B4: 1}
    yield tcp(A4, B4, 40000, 1723, SYN, 0)
    yield tcp(B4, A4, 1723, 40000, SYN | ACK, 0, 1)
    for (src, dst, port), data in said:
        sport, dport = (40000, port) if src == A4 else (port, 40000)
        yield tcp(src, dst, sport, dport, ACK | PSH, seq[src], seq[dst], data)
        seq[src] += len(data)
    for src, dst, ident in ((A4, B4, 6), (B4, A4, 5), (A4, B4, 6)):
        yield ip(src, dst, 47, struct.pack("!HHHHI", 0x3001, 0x880B, 4, ident, 1) + b"ppp")
    for (src, dst, port), data in ((up, message(12, struct.pack("!HH", 5, 0))),):
        yield tcp(src, dst, 40000, port, ACK | PSH, seq[src], seq[dst], data)


def stories():
    for v, a, b in (("4", A4, B4), ("6", A6, B6)):
        yield f"tcp{v}", map(record, connection(a, b))
        yield f"tcp{v}-reopen", map(record, connection(a, b) + connection(a, b))
        yield f"tcp{v}-refused", [record(tcp(a, b, 1, 2, SYN, 7)), record(tcp(b, a, 2, 1, RST | ACK, 0, 8))]
        yield f"udp{v}", [record(udp(a, b, 53, 5353), ms) for ms in (0, 10)] + [
            record(udp(b, a, 5353, 53), ms) for ms in (10, 2500, 10)]
        kind = 8 if v == "4" else 128
        yield f"echo{v}", [record(icmp(a, b, kind, 0)), record(icmp(b, a, 0 if v == "4" else 129, 0))]
        yield f"sctp{v}", map(record, association(a, b))
        yield f"sctp{v}-path", map(record, [sctp(a, b, 1, 2, 9, chunk(4, b"h" * 8)), sctp(b, a, 2, 1, 7, chunk(5, b"h" * 8)),
                                            sctp(a, b, 1, 2, 90, chunk(4, b"h" * 8)), sctp(b, a, 2, 1, 70, chunk(5, b"h" * 8)),
                                            sctp(a, b, 1, 2, 70, chunk(6, b"", 1))])
        yield f"udplite{v}", map(record, [udplite(a, b, 5, 6), udplite(b, a, 6, 5, 8), udplite(a, b, 5, 6, 12), udplite(a, b, 5, 6, 3)])
        call = lambda src, dst, ident: ip(src, dst, 47, struct.pack("!HHHHI", 0x3001, 0x880B, 0, ident, 1))
        yield f"gre{v}", map(record, [ip(a, b, 47, b"\0\0\x08\0"), ip(b, a, 47, b"\x20\0\x08\0\0\0\0\1"), call(a, b, 5), call(b, a, 6)])
        yield f"sip{v}", [record(p, 10) for p in sip_dialogue(a, b)]
        lost = udp(a, b, 9, 9)
        unreach = (3, 3) if v == "4" else (1, 4)
        yield f"error{v}", [record(lost), record(icmp(b, a, *unreach, b"\0" * 4, lost)),
                            record(icmp(a, b, *unreach, b"\0" * 4, udp(b, a, 9, 9)))]

    est = connection(A4, B4, close=False)
    for name, packet in {
            "rst": tcp(B4, A4, 80, 40000, RST, 5001), "rst-stale": tcp(B4, A4, 80, 40000, RST, 4000),
            "far": tcp(A4, B4, 40000, 80, ACK, 900000, 5001, b"x"), "syn": tcp(A4, B4, 40000, 80, SYN, 900000),
            "sack": tcp(A4, B4, 40000, 80, ACK, 1100, 5001, b"", b"\1\1\5\n" + struct.pack("!II", 5100, 5200)),
            "zero-window": tcp(A4, B4, 40000, 80, ACK, 1100, 5001, win=0)}.items():
        yield f"est-{name}", [record(p) for p in est + [packet, packet]]
    for name, packet in {
            "init": sctp(B4, A4, 3868, 40000, 0, chunk(1, b"\0\0\0\x0a" + b"\0" * 12)), "abort": sctp(A4, B4, 40000, 3868, 7, chunk(6, b"", 1)),
            "tag": sctp(A4, B4, 40000, 3868, 8, chunk(0, b"d" * 16)), "zero": sctp(A4, B4, 40000, 3868, 9, b"\0\0\0\0"),
            "bundle": sctp(A4, B4, 40000, 3868, 9, chunk(3, b"s" * 12), chunk(14)), "cut": sctp(A4, B4, 40000, 3868, 0, chunk(1, b"12"))}.items():
        yield f"sctp-{name}", [record(p) for p in association(A4, B4)[:4] + [packet, packet]]
    yield "resync", map(record, est + [tcp(A4, B4, 40000, 80, SYN, 900000), tcp(B4, A4, 80, 40000, SYN | ACK, 1, 900001),
                                       tcp(A4, B4, 40000, 80, ACK, 900001, 2)])
    yield "challenge", map(record, [tcp(A4, B4, 1, 2, SYN, 10), tcp(B4, A4, 2, 1, ACK, 99, 77),
                                    tcp(A4, B4, 1, 2, RST, 77), tcp(A4, B4, 1, 2, SYN, 10)])
    yield "simultaneous", map(record, [tcp(A4, B4, 1, 2, SYN, 10), tcp(B4, A4, 2, 1, SYN, 50), tcp(A4, B4, 1, 2, SYN | ACK, 10, 51),
                                       tcp(B4, A4, 2, 1, SYN | ACK, 50, 11), tcp(A4, B4, 1, 2, ACK, 11, 51)])
    yield "midstream", map(record, est[2:])
    yield "flags", [record(tcp(A4, B4, 1, 2, f, 1)) for f in range(64)]
    yield "retransmit", [record(p, 500) for p in est[:1] * 4 + est[1:] + [est[4]] * 5]
    yield "expiry", [record(udp(A4, B4, n, 1), 20000, expire=True) for n in range(12)]
    yield "table-full", [record(tcp(A4, B4, n, 1, SYN, 1)) for n in range(24)]
    yield "own-reply", [record(udp(A4, A4, 5, 5), loopback=True)] * 2
    yield "loopback", [record(udp(A4, A4, 5, 6), hook=OUTPUT, loopback=True),
                       record(udp(A4, A4, 5, 6), loopback=True, mark=0xA)]
    yield "exit", [record(udp(A4, B4, 5, 6), mark=0xF0), record(udp(A4, B4, 5, 6), hook=POSTROUTING, mark=0xFA),
                   record(udp(B4, A4, 6, 5), hook=FORWARD), record(udp(B4, A4, 6, 5), hook=INPUT)]
    first = [udp(A4, B4, 5, 6), tcp(A4, B4, 5, 6, SYN, 1), icmp(A4, B4, 8, 0)]
    yield "clash", [record(p, hook=h, mark=m, leaves=False) for p in first
                    for h, m in ((PREROUTING, 0), (PREROUTING, 0), (POSTROUTING, 0xA), (POSTROUTING, 0xA))]
    yield "rejected", [record(first[1], leaves=False), record(tcp(B4, A4, 6, 5, RST | ACK, 0, 2), hook=OUTPUT)]
    yield "lost", [record(p, 500, leaves=n % 3 == 0) for n, p in enumerate(first * 6)]
    yield "zones", [record(udp(A4, B4, 5, 6), zone=0), record(udp(B4, A4, 6, 5), zone=1)]
    yield "generic", [record(ip(A4, B4, p, b"")) for p in (47, 50, 132)] + [record(ip(B4, A4, 47, b"\0" * 8))]
    yield "options4", [record(udp(A4, B4, 1, 2, options=b"\x94\4\0\0")), record(tcp(A4, B4, 1, 2, SYN, 1, options=b"\1" * 40))]
    yield "fragment4", [record(udp(A4, B4, 1, 2, frag=0x2000)), record(udp(A4, B4, 1, 2, frag=0x0010))]
    yield "icmp-types", [record(icmp(A4, B4, t, 0)) for t in range(20)]
    yield "icmp6-types", [record(icmp(A6, B6, t, 0)) for t in (1, 2, 3, 4, 127, *range(128, 162))]
    yield "icmp-wrong-family", [record(ip(A4, B4, 58, b"\x80" + b"\0" * 7)), record(ip(A6, B6, 1, b"\x08" + b"\0" * 7))]
    quote = udp(A6, B6, 7, 7)
    redirect = b"\0" * 36 + struct.pack("!BBHI", 4, 1 + len(quote) // 8, 0, 0) + quote
    yield "redirect6", [record(quote), record(icmp(R6, A6, 137, 0, b"\0" * 4, redirect[4:], hops=255))]
    hbh, dst = struct.pack("!BB6x", 60, 0), struct.pack("!BB14x", 17, 1)
    yield "ext6", [record(udp(A6, B6, 1, 2, ext=hbh + dst, first=0)),
                   record(udp(A6, B6, 1, 2, ext=struct.pack("!BBHI", 17, 0, 0, 1), first=44)),
                   record(udp(A6, B6, 1, 2, ext=struct.pack("!BBHI", 17, 0, 8, 1), first=44)),
                   record(udp(A6, B6, 1, 2, ext=struct.pack("!BB10x", 17, 1), first=51)),
                   record(udp(A6, B6, 1, 2, first=59))]
    yield "cut", [record(p, cut=c) for p in (est[0], udp(A6, B6, 1, 2)) for c in range(0, len(p) + 1, 3)]
    bad = udp(A4, B4, 1, 2)
    yield "checksum", [record(bad[:-1] + b"y"), record(bad[:-1] + b"y", unverified=False), record(bad[:26] + b"\0\0" + bad[28:])]
    yield "made", [made(0, 2, SYN, 100, 0, 255, 0), made(1, 3, SYN | ACK, 500, 101, 255, 0), made(1, 0, ACK, 101, 501, 255, 9),
                   made(1, 1, ACK, 501, 110, 255, 0), made(1, 6, ACK, 110, 501, 255, 0), made(1, 0, FIN | ACK, 110, 501, 9, 0),
                   made(1, 1, FIN | ACK, 501, 111, 9, 0), made(1, 0, ACK, 111, 502, 9, 0), made(1, 0, SYN, 9, 0, 9, 0),
                   made(1, 1, RST, 0, 10, 9, 0)]
    yield "ended", [record(p, 500, ended=n % 4 == 3) for n, p in enumerate([*est, *sip_dialogue(A4, B4), *first, *est])]
    for name, packets in {"tcp4": connection(A4, B4), "sctp6": association(A6, B6), "sip4": [*sip_dialogue(A4, B4)],
                          "udp6": [udp(A6, B6, 1, 2), udp(B6, A6, 2, 1)] * 3, "calls": [*pptp_call()], "first": first * 3}.items():
        for how in range(8):  # copied, with another key, at another time
            yield f"taken-{name}-{how}", [record(p, 900, taken=n % 3 == 2, mark=how) for n, p in enumerate(packets)]
    yield "empty", [record(b""), record(b"\x45"), record(b"\x60"), record(b"\x15" * 60)]


def main():
    if len(sys.argv) != 2:
        sys.exit(f"usage: {sys.argv[0]} DIRECTORY")
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    for name, records in stories():
        story = b"".join(records)
        (out / name).write_bytes(b"\x00\x0f" + story)
        if name == "ended":
            (out / f"{name}-helped").write_bytes(b"\x00\x1f" + story)
        if name.startswith("taken"):
            (out / name).write_bytes((b"\x80" if "first" in name else b"\x00") + b"\x1f" + story)
        if name in ("clash", "rejected", "lost", "exit", "ended"):
            (out / f"{name}-exit").write_bytes(b"\x80\x0f" + story)
        if name in ("tcp4", "udp6", "error4", "est-far", "est-rst", "table-full", "midstream"):
            (out / f"{name}-odd").write_bytes(b"\x57\x02" + story)
            (out / f"{name}-tiny").write_bytes(b"\x29\x00" + story)
            (out / f"{name}-exit").write_bytes(b"\x80\x0f" + story)
            (out / f"{name}-exit-tiny").write_bytes(b"\x80\x00" + story)


if __name__ == "__main__":
    main()
