# SPDX-License-Identifier: GPL-2.0-or-later
"""Captures for the pictures of ctmark-replay: conversations written down byte by byte, as a file.

A scene is a list of (seconds, packet); python3 -m lab.scenes NAME FILE writes one of them.
"""

import struct
import sys

from lab import frames
from lab.frames import ACK, FIN, PSH, RST, SYN

CLIENT, SERVER, ROUTER = "10.0.0.1", "192.0.2.80", "198.51.100.1"
CLIENT6, SERVER6 = "2001:db8:0:1::1", "2001:db8:ffff:2:aaaa:bbbb:cccc:dddd"
MSS = bytes.fromhex("020405b4010303070402")
LINKTYPE_RAW = 101


def write(path, scene, start=1700000000):
    """A pcap file in nanoseconds of raw IP packets."""
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, LINKTYPE_RAW))
        for at, packet in scene:
            ns = round(at * 1e9)
            file.write(struct.pack("<IIII", start + ns // 10**9, ns % 10**9, len(packet),
                                   len(packet)) + packet)


class Tcp:
    """Both sides of a connection; sequence numbers are kept, and may be set wrong."""

    def __init__(self, sport=40000, dport=80, client=CLIENT, server=SERVER):
        self.ends = ((client, sport), (server, dport))
        self.seq = [1000, 5000]

    def send(self, side, flags, data=b"", *, seq=None, ack=None, options=b"", window=64240):
        (src, sport), (dst, dport) = self.ends[side], self.ends[1 - side]
        packet = frames.tcp(src, dst, sport, dport, flags, self.seq[side] if seq is None else seq,
                            (self.seq[1 - side] if ack is None else ack) if flags & ACK else 0, data,
                            options=options, window=window)
        if seq is None:
            self.seq[side] += len(data) + bool(flags & SYN) + bool(flags & FIN)
        return packet

    def open(self, at):
        return [(at, self.send(0, SYN, options=MSS)),
                (at + 0.021, self.send(1, SYN | ACK, options=MSS)),
                (at + 0.0212, self.send(0, ACK))]

    def close(self, at):
        return [(at, self.send(0, FIN | ACK)), (at + 0.01, self.send(1, ACK)),
                (at + 0.02, self.send(1, FIN | ACK)), (at + 0.03, self.send(0, ACK))]


def web():
    """A connection with a packet out of its window, a long silence, its end, and a second life."""
    c = Tcp()
    scene = c.open(0)
    scene += [(0.03, c.send(0, PSH | ACK, b"GET / HTTP/1.0\r\n\r\n")), (0.05, c.send(1, ACK)),
              (0.12, c.send(1, PSH | ACK, bytes(1200))),
              (0.1204, c.send(0, ACK)),
              (0.3, c.send(1, PSH | ACK, bytes(10), seq=c.seq[1] + 10**8)),
              (0.31, c.send(0, SYN | FIN, seq=c.seq[0])),
              (300.3, c.send(0, PSH | ACK, b"x")), (300.31, c.send(1, ACK))]
    scene += c.close(302)
    again = Tcp()
    again.seq = [900000, 800000]
    return scene + again.open(320) + [(320.5, again.send(1, RST | ACK))]


def lost():
    """Packets without a flow."""
    c = Tcp(41000, 443)
    return [(0, c.send(0, RST)), (0.1, c.send(1, SYN | ACK)), (0.2, c.send(0, SYN | FIN, seq=1)),
            (0.3, frames.udp(CLIENT, "192.0.2.53", 5000, 53, b"?", length=200)),
            (0.4, frames.icmp(ROUTER, CLIENT, 3, 1, data=frames.udp(CLIENT, SERVER, 1, 2, b"gone"))),
            (0.5, frames.tcp(CLIENT6, SERVER6, 1, 2, SYN, bad_sum=True))]


def datagrams():
    """UDP, and what a router and the responder say of it."""
    ask = frames.udp(CLIENT, SERVER, 33434, 33435, b"probe")
    return [(0, ask), (0.004, frames.icmp(ROUTER, CLIENT, 11, 0, data=ask)),
            (0.1, ask), (0.12, frames.icmp(SERVER, CLIENT, 3, 3, data=ask)),
            (0.5, frames.udp(CLIENT6, SERVER6, 5353, 53, b"question")),
            (0.6, frames.udp(SERVER6, CLIENT6, 53, 5353, b"answer")),
            (0.7, frames.udp(CLIENT6, SERVER6, 5353, 53, b"question")),
            (1.0, frames.icmp(CLIENT, SERVER, 8, rest=struct.pack("!HH", 77, 1), data=b"ping")),
            (1.02, frames.icmp(SERVER, CLIENT, 0, rest=struct.pack("!HH", 77, 1), data=b"ping"))]


def ftp():
    """A control connection and the data connection that it announces."""
    c, data = Tcp(42000, 21), Tcp(42001, 30000)
    scene = c.open(0)
    scene += [(0.1, c.send(1, PSH | ACK, b"220 ready\r\n")), (0.11, c.send(0, ACK)),
              (0.2, c.send(0, PSH | ACK, b"PASV\r\n")),
              (0.22, c.send(1, PSH | ACK, b"227 Entering Passive Mode (192,0,2,80,117,48)\r\n")),
              (0.23, c.send(0, ACK))]
    return scene + data.open(0.3) + [(0.5, data.send(1, PSH | ACK, bytes(900)))]


def association():
    """SCTP, from INIT to SHUTDOWN COMPLETE."""
    there, back = 0x11111111, 0x22222222

    def packet(side, vtag, *chunks):
        ends = ((CLIENT, SERVER, 5000, 5001), (SERVER, CLIENT, 5001, 5000))[side]
        return frames.sctp(*ends, vtag, *chunks)

    def init(kind, tag):
        return frames.chunk(kind, struct.pack("!IIHHI", tag, 65535, 1, 1, 1))

    steps = [(0, 0, init(1, back)), (1, back, init(2, there)), (0, there, frames.chunk(10, b"cook")),
             (1, back, frames.chunk(11)), (0, there, frames.chunk(0, bytes(12) + b"data", 3)),
             (1, back, frames.chunk(3, bytes(12))), (1, 0xBAD, frames.chunk(6)),
             (0, there, frames.chunk(7, bytes(4))),
             (1, back, frames.chunk(8)), (0, there, frames.chunk(14))]
    return [(i / 50, packet(side, vtag, *chunks)) for i, (side, vtag, *chunks) in enumerate(steps)]


def everything():
    """All of them, one after the other."""
    scene, at = [], 0
    for part in (web, ftp, datagrams, association, lost):
        packets = part()
        scene += [(at + t, packet) for t, packet in packets]
        at += packets[-1][0] + 200
    return scene


def long_flow(packets=100000, sport=40000):
    """One connection that talks a lot, and every ten thousandth time nonsense."""
    c = Tcp(sport)
    scene = c.open(0)
    for i in range(packets):
        seq = c.seq[0] + 10**8 if i % 10000 == 5000 else None
        scene.append((1 + i / 1000, c.send(i % 2 if seq is None else 0, PSH | ACK, b"word", seq=seq)))
    return scene


def many_flows(flows=10000):
    """As many conversations of two packets; some of the later ones end badly."""
    scene = []
    for i in range(flows):
        c = Tcp(1024 + i, 80)
        scene += c.open(i / 100)[:2]
        if i % 500 == 499:
            scene.append((i / 100 + 0.03, c.send(0, PSH | ACK, b"x", seq=99999999)))
    return sorted(scene, key=lambda entry: entry[0])


def long_flows(flows=20):
    """Several that are too long."""
    packets = (entry for i in range(flows) for entry in long_flow(400, 40000 + i))
    return sorted(packets, key=lambda entry: entry[0])


SCENES = (web, lost, datagrams, ftp, association, everything, long_flow, many_flows, long_flows)


def main():
    chosen = {scene.__name__: scene for scene in SCENES}
    write(sys.argv[2], chosen[sys.argv[1]]())


if __name__ == "__main__":
    main()
