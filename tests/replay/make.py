#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes the captures of this directory, which are kept: make.py DIRECTORY. Needs scapy."""

import sys
from pathlib import Path

from scapy.all import (ICMP, IP, TCP, UDP, Ether, ICMPv6EchoRequest, IPv6, Raw, SCTP,
                       SCTPChunkCookieAck, SCTPChunkCookieEcho, SCTPChunkInit, SCTPChunkInitAck,
                       fragment, wrpcap)

A, B, R = "192.0.2.2", "198.51.100.2", "192.0.2.1"
BEGIN = 1_700_000_000


class Story:
    """Packets with times, in seconds since the first one."""

    def __init__(self):
        self.packets = []

    def add(self, at, packet):
        packet = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02") / packet
        # bytes as they are: checksums were computed, and stay
        packet = Ether(bytes(packet))
        packet.time = BEGIN + at
        self.packets.append(packet)

    def tcp(self, at, there, flags, seq, ack=0, data=b"", sport=40000, dport=80, **more):
        src, dst = (A, B) if there else (B, A)
        ports = {"sport": sport, "dport": dport} if there else {"sport": dport, "dport": sport}
        self.add(at, IP(src=src, dst=dst) / TCP(flags=flags, seq=seq, ack=ack, window=64240,
                                                **ports, **more) / Raw(data))

    def handshake(self, at, **more):
        options = [("MSS", 1460), ("WScale", 7), ("SAckOK", "")]
        self.tcp(at, True, "S", 100, options=options, **more)
        self.tcp(at + 0.01, False, "SA", 500, 101, options=options, **more)
        self.tcp(at + 0.02, True, "A", 101, 501, **more)


def udp(src, dst, sport, dport, data=b"x"):
    return IP(src=src, dst=dst) / UDP(sport=sport, dport=dport) / Raw(data)


def tcp():
    """A connection with a segment out of window and one with bad flags; days later its ports again."""
    s = Story()
    s.handshake(0)
    s.tcp(0.03, True, "PA", 101, 501, b"GET / HTTP/1.0\r\n\r\n")
    s.tcp(0.04, False, "PA", 90_000_000, 119, b"stray")
    s.tcp(0.05, False, "PA", 501, 119, b"hello")
    s.tcp(0.06, True, "SF", 119)
    s.tcp(0.07, False, "FA", 506, 119)
    s.tcp(0.08, True, "FA", 119, 507)
    s.tcp(0.09, False, "A", 507, 120)
    s.tcp(1, True, "S", 70_000)  # in TIME_WAIT: opened anew
    s.tcp(1.01, False, "RA", 0, 70_001)
    s.tcp(3 * 86400, True, "S", 5)
    return s


def icmp():
    """Echo, errors about flows and about none."""
    s = Story()
    s.add(0, IP(src=A, dst=B) / ICMP(id=5, seq=1) / Raw(b"12345678"))
    s.add(0.1, IP(src=B, dst=A) / ICMP(type=0, id=5, seq=1) / Raw(b"12345678"))
    s.add(0.2, IP(src=B, dst=A) / ICMP(type=0, id=6, seq=1))  # nobody asked
    probe = udp(A, B, 5000, 33434)
    s.add(1, probe)
    s.add(1.1, IP(src=R, dst=A) / ICMP(type=11) / IP(bytes(probe)))
    s.add(1.2, IP(src=R, dst=A) / ICMP(type=3, code=3) / IP(bytes(udp(A, B, 5000, 1))))
    s.add(2, IPv6(src="2001:db8::2", dst="2001:db8::3") / ICMPv6EchoRequest(id=7, seq=2))
    return s


def fragments():
    """Datagrams in pieces: in order, the first one late, and never."""
    s = Story()
    data = bytes(range(200)) * 10
    for at, order, ident in ((0, (0, 1, 2), 1), (1, (1, 2, 0), 2), (2, (1, 2), 3)):
        pieces = fragment(IP(src=A, dst=B, id=ident) / UDP(sport=5000 + ident, dport=53) / Raw(data),
                          fragsize=800)
        for i, at_piece in enumerate(order):
            s.add(at + i / 10, pieces[at_piece])
    s.add(60, udp(A, B, 9, 9))
    return s


def ftp():
    """A control connection that announces where data will come from, and that connection."""
    s = Story()
    s.handshake(0, dport=21)
    s.tcp(0.5, True, "PA", 101, 501, b"USER x\r\n", dport=21)
    s.tcp(1, True, "PA", 109, 501, b"PORT 192,0,2,2,156,65\r\n", dport=21)
    data = {"flags": "S", "seq": 9000, "window": 64240}
    s.add(2, IP(src=B, dst=A) / TCP(sport=20, dport=40001, **data))
    s.add(2.1, IP(src=A, dst=B) / TCP(sport=40001, dport=20, flags="SA", seq=1, ack=9001, window=64240))
    return s


def other():
    """SCTP, GRE, a protocol without a name, and packets that are cut short."""
    s = Story()
    there, back = {"sport": 36412, "dport": 3868}, {"sport": 3868, "dport": 36412}
    s.add(0, IP(src=A, dst=B) / SCTP(tag=0, **there) / SCTPChunkInit(init_tag=0x1111))
    s.add(0.1, IP(src=B, dst=A) / SCTP(tag=0x1111, **back) / SCTPChunkInitAck(init_tag=0x2222))
    s.add(0.2, IP(src=A, dst=B) / SCTP(tag=0x2222, **there) / SCTPChunkCookieEcho(cookie=b"cook"))
    s.add(0.3, IP(src=B, dst=A) / SCTP(tag=0x1111, **back) / SCTPChunkCookieAck())
    s.add(0.4, IP(src=B, dst=A) / SCTP(tag=0x9999, **back) / SCTPChunkCookieAck())
    s.add(2, IP(src=A, dst=B, proto=47) / Raw(bytes.fromhex("0000080045000000")))
    s.add(3, IP(src=A, dst=B, proto=89) / Raw(b"hello ospf"))
    s.add(4, IP(src=A, dst=B, proto=6) / Raw(b"\0\1\0\2"))
    return s


def full():
    """More flows than MaxFlows=64 leaves room for, none of which may be ended early."""
    s = Story()
    for i in range(70):
        s.add(i / 100, udp(A, B, 1000 + i, 53))
        s.add(i / 100 + 0.001, udp(B, A, 53, 1000 + i))
        s.add(3 + i / 100, udp(A, B, 1000 + i, 53))
    s.packets.sort(key=lambda p: p.time)
    return s


def empty():
    """Nothing."""
    return Story()


def main():
    where = Path(sys.argv[1])
    for make in (tcp, icmp, fragments, ftp, other, full, empty):
        wrpcap(str(where / f"{make.__name__}.pcap"), make().packets, linktype=1)


if __name__ == "__main__":
    main()
