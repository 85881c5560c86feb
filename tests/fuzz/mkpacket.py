#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes the seeds of fuzz_packet: one packet per file, in the format that fuzz_packet.c reads."""

import struct
import sys
from pathlib import Path

from mkcorpus import A4, A6, ACK, B4, B6, R6, SYN, chunk, icmp, ip, sctp, tcp, udp, udplite

SAYS, FOUR, SIX, OTHER = range(4)
UNVERIFIED, UNCHECKED, OURS = 0x04, 0x08, 0x10


def seed(packet, flags=UNVERIFIED, cut=0):
    return bytes([flags, cut]) + packet


def packets():
    for v, a, b in (("4", A4, B4), ("6", A6, B6)):
        yield f"tcp{v}", tcp(a, b, 1, 2, SYN, 7, opts=b"\x02\x04\x05\xb4\x04\x02\x01\x03\x03\x07")
        yield f"tcp{v}-sack", tcp(a, b, 1, 2, ACK, 7, 9, b"data", b"\1\1\5\n" + struct.pack("!II", 5, 6))
        yield f"udp{v}", udp(a, b, 53, 5353, b"odd")
        yield f"udplite{v}", udplite(a, b, 5, 6, 12)
        yield f"sctp{v}", sctp(a, b, 1, 2, 9, chunk(3, b"s" * 12), chunk(0, b"d" * 13), chunk(200))
        yield f"gre{v}", ip(a, b, 47, struct.pack("!HHHHI", 0x3001, 0x880B, 0, 5, 1))
        yield f"gre{v}-plain", ip(a, b, 47, b"\x20\0\x08\0\0\0\0\1")
        yield f"esp{v}", ip(a, b, 50, b"")
    for kind in (0, 8, 13, 14, 15, 16, 17, 18, 9):
        yield f"icmp-{kind}", icmp(A4, B4, kind, 0)
    for kind in (128, 129, 139, 140, 133):
        yield f"icmp6-{kind}", icmp(A6, B6, kind, 0)
    yield "error4", icmp(B4, A4, 3, 3, b"\0" * 4, udp(A4, B4, 9, 9))
    yield "error4-quote-gre", icmp(B4, A4, 3, 3, b"\0" * 4, ip(A4, B4, 47, struct.pack("!HHHH", 0x3001, 0x880B, 0, 5)))
    yield "error6", icmp(B6, A6, 1, 4, b"\0" * 4, udp(A6, B6, 9, 9))
    yield "redirect6", icmp(R6, A6, 137, 0, b"\0" * 4, b"\0" * 32 + struct.pack("!BBHI", 4, 8, 0, 0) + udp(A6, B6, 7, 7), hops=255)
    yield "options4", tcp(A4, B4, 1, 2, SYN, 1, options=b"\1" * 40)
    yield "options4-long", ip(A4, B4, 17, b"", options=b"\1" * 40)[:30]
    yield "options4-few", b"\x41" + udp(A4, B4, 1, 2)[1:]
    yield "fragment4", udp(A4, B4, 1, 2, frag=0x2000)
    yield "fragment4-later", udp(A4, B4, 1, 2, frag=0x0010)
    yield "fragment4-last", ip(A4, B4, 17, b"x" * 8, frag=0x1FFF)
    hbh, dst = struct.pack("!BB6x", 60, 0), struct.pack("!BB14x", 17, 1)
    yield "ext6", udp(A6, B6, 1, 2, ext=hbh + dst, first=0)
    yield "ext6-ah", udp(A6, B6, 1, 2, ext=struct.pack("!BB10x", 17, 1), first=51)
    yield "ext6-beyond", udp(A6, B6, 1, 2, ext=struct.pack("!BB6x", 17, 255), first=60)
    yield "ext6-cut", ip(A6, B6, 17, b"", first=43, ext=b"\x11")
    yield "ext6-none", udp(A6, B6, 1, 2, first=59)
    fragment = lambda off: struct.pack("!BBHI", 17, 0, off, 77)
    yield "fragment6", udp(A6, B6, 1, 2, ext=fragment(1), first=44)
    yield "fragment6-later", udp(A6, B6, 1, 2, ext=fragment(0x0FF9), first=44)
    yield "fragment6-twice", udp(A6, B6, 1, 2, ext=b"\x2c" + fragment(1)[1:] + fragment(8), first=44)
    yield "fragment6-cut", ip(A6, B6, 17, b"", first=44, ext=fragment(1)[:5])
    yield "icmp-wrong-family", ip(A4, B4, 58, b"\x80" + b"\0" * 7)
    yield "zeros", ip(A4, B4, 1, b"\0" * 8)  # nothing to add up: the right checksum is all ones
    yield "zeros-but-one", ip(A4, B4, 1, b"\0\0\0\x7d" + b"\0" * 4)
    yield "empty", b""


def main():
    if len(sys.argv) != 2:
        sys.exit(f"usage: {sys.argv[0]} DIRECTORY")
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    for name, packet in packets():
        (out / name).write_bytes(seed(packet))
    syn = tcp(A4, B4, 1, 2, SYN, 7)
    (out / "family-other").write_bytes(seed(syn, OTHER))
    (out / "family-wrong").write_bytes(seed(syn, SIX | UNVERIFIED))
    (out / "unchecked").write_bytes(seed(syn[:-4] + b"wron", SAYS | UNVERIFIED | UNCHECKED))
    (out / "ours").write_bytes(seed(syn[:-4] + b"wron", FOUR | UNVERIFIED | OURS))
    for cut in (1, 12, 21, 39):
        (out / f"copied-less-{cut}").write_bytes(seed(syn, cut=cut))
        (out / f"copied-less6-{cut}").write_bytes(seed(udp(A6, B6, 1, 2, ext=struct.pack("!BB6x", 17, 0), first=0), cut=cut))


if __name__ == "__main__":
    main()
