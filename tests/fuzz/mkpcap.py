#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
Writes the seeds of fuzz_pcap and fuzz_link: captures of one small conversation in each form of
file, and its first packet behind each link layer.
"""

import gzip
import struct
import sys
from pathlib import Path

CLIENT, SERVER = bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2])
SYN, ACK, FIN, RST = 2, 16, 1, 4
MACS = bytes.fromhex("020000000001020000000002")
# as in fuzz_link.c, which chooses by place
TYPES = [0, 1, 9, 12, 14, 50, 51, 101, 104, 108, 113, 204, 228, 229, 239, 276]


def total(data):
    data += bytes(len(data) % 2)
    value = sum(struct.unpack(f">{len(data) // 2}H", data))
    while value >> 16:
        value = (value & 0xffff) + (value >> 16)
    return value


def ip4(source, target, proto, body, offset=0):
    return struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(body), 7, offset, 64, proto, 0, source,
                       target) + body


def tcp(source, target, sport, dport, flags, seq, ack, data=b"", left=False):
    body = struct.pack(">HHIIBBHHH", sport, dport, seq, ack, 0x50, flags, 65000, 0, 0) + data
    pseudo = total(source + target + struct.pack(">HH", 6, len(body)))
    value = pseudo if left else 0xffff - total(struct.pack(">H", pseudo) + body)
    return ip4(source, target, 6, body[:16] + struct.pack(">H", value) + body[18:])


def udp(source, target, sport, dport, data=b""):
    return ip4(source, target, 17, struct.pack(">HHHH", sport, dport, 8 + len(data), 0) + data)


def conversation():
    """(seconds, packet) of a connection with data, a query, fragments and what is no IP."""
    def c(*args, **kwargs):
        return tcp(CLIENT, SERVER, 1000, 21, *args, **kwargs)

    def s(*args, **kwargs):
        return tcp(SERVER, CLIENT, 21, 1000, *args, **kwargs)

    yield 0, c(SYN, 1, 0, left=True)
    yield 0, s(SYN | ACK, 100, 2)
    yield 0, c(ACK, 2, 101)
    yield 1, c(ACK, 2, 101, b"PORT 10,0,0,1,4,1\r\n")
    yield 1, tcp(SERVER, CLIENT, 20, 1025, SYN, 5, 0)
    yield 2, udp(CLIENT, SERVER, 5353, 53, b"?")
    yield 2, udp(SERVER, CLIENT, 53, 5353, b"!")
    yield 3, ip4(CLIENT, SERVER, 17, b"later---", 2)
    yield 3, ip4(CLIENT, SERVER, 17, struct.pack(">HHHH", 1, 2, 24, 0) + b"8 bytes.", 0x2000)
    yield 4, b""
    yield 4, b"\xff"
    yield 400, s(FIN | ACK, 101, 21)
    yield 300, c(RST, 21, 0)


def pcap(order, magic, linktype, frames, snaplen=262144):
    out = struct.pack(f"{order}IHHiIII", magic, 2, 4, 0, 0, snaplen, linktype)
    for seconds, frame in frames:
        out += struct.pack(f"{order}IIII", 1700000000 + seconds, 5, min(len(frame), snaplen),
                           len(frame)) + frame[:snaplen]
    return out


def block(order, kind, body):
    body += bytes(-len(body) % 4)
    length = struct.pack(f"{order}I", 12 + len(body))
    return struct.pack(f"{order}I", kind) + length + body + length


def pcapng(order, linktype, frames):
    out = block(order, 0x0a0d0d0a, struct.pack(f"{order}IHHq", 0x1a2b3c4d, 1, 0, -1))
    out += block(order, 1, struct.pack(f"{order}HHI", linktype, 0, 262144) +
                 struct.pack(f"{order}HHB3xHH", 9, 1, 9, 0, 0))
    for seconds, frame in frames:
        time = (1700000000 + seconds) * 10**9
        out += block(order, 6, struct.pack(f"{order}IIIII", 0, time >> 32, time & 0xffffffff,
                                           len(frame), len(frame)) + frame)
    return out + block(order, 5, bytes(12))


def attr(kind, value):
    return struct.pack("<HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)


def nflog(packet, hook=2):
    return (bytes([2, 0, 0, 5]) + attr(1, bytes([8, 0, hook, 0])) + attr(10, b"prefix\0") +
            attr(2, struct.pack(">I", 0x1000a)) + attr(4, struct.pack(">I", 2)) +
            attr(5, struct.pack(">I", 3)) + attr(9, packet))


def ethernet(ethertypes):
    return lambda packet: MACS + bytes.fromhex(ethertypes) + packet


SLL = "0001000602000000000100000800"
LAYERS = {
    "null": (0, lambda p: b"\2\0\0\0" + p),
    "loop": (108, lambda p: b"\0\0\0\2" + p),
    "ethernet": (1, ethernet("0800")),
    "vlan": (1, ethernet("810000640800")),
    "qinq": (1, ethernet("88a80064810000650800")),
    "pppoe": (1, ethernet("8864110000010020" "0021")),
    "mpls": (1, ethernet("884700001040" "00002140")),
    "snap": (1, ethernet("0044aaaa030000000800")),
    "ppp": (9, lambda p: b"\xff\3\0\x21" + p),
    "ppp-short": (9, lambda p: b"\x21" + p),
    "hdlc": (50, lambda p: b"\x0f\0\x08\0" + p),
    "ppp-ether": (51, lambda p: b"\x11\0\0\1\0\x20\0\x21" + p),
    "ppp-sent": (204, lambda p: b"\1\xff\3\0\x21" + p),
    "raw": (101, lambda p: p),
    "raw4": (228, lambda p: p),
    "sll": (113, lambda p: bytes.fromhex("0004" + SLL) + p),
    "sll2": (276, lambda p: bytes.fromhex("08000000000000070001000602000000000100" "00") + p),
    "nflog": (239, nflog),
    "nflog-output": (239, lambda p: nflog(p, 3)),
}


def captures():
    raw = list(conversation())
    yield "usec-le", pcap("<", 0xa1b2c3d4, 101, raw)
    yield "usec-be", pcap(">", 0xa1b2c3d4, 101, raw)
    yield "nsec-le", pcap("<", 0xa1b23c4d, 101, raw)
    yield "snaplen", pcap("<", 0xa1b2c3d4, 101, raw, 38)
    yield "ng-le", pcapng("<", 101, raw)
    yield "ng-be", pcapng(">", 101, raw)
    yield "gzip", gzip.compress(pcap("<", 0xa1b2c3d4, 101, raw), mtime=0)
    yield "gzip-cut", gzip.compress(pcap("<", 0xa1b2c3d4, 101, raw), mtime=0)[:-20]
    yield "cut", pcap("<", 0xa1b2c3d4, 101, raw)[:-7]
    yield "empty", pcap("<", 0xa1b2c3d4, 101, [])
    yield "nothing", b"\n"
    for name, (linktype, layer) in LAYERS.items():
        yield f"of-{name}", pcap("<", 0xa1b2c3d4, linktype,
                                 [(seconds, layer(packet)) for seconds, packet in raw[:5]])


def frames():
    packet = next(conversation())[1]
    for name, (linktype, layer) in LAYERS.items():
        yield name, bytes([TYPES.index(linktype), 0]) + layer(packet)
        yield f"{name}-cut", bytes([TYPES.index(linktype), 1]) + layer(packet)[:-25]


def main():
    top = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent / "corpus")
    for target, seeds in (("pcap", captures()), ("link", frames())):
        (top / target).mkdir(parents=True, exist_ok=True)
        for name, data in seeds:
            (top / target / name).write_bytes(data)


if __name__ == "__main__":
    main()
