# SPDX-License-Identifier: GPL-2.0-or-later
"""Datagrams in fragments, cut and ordered by hand, and the packets of each as they went by."""

import dataclasses
import socket
import struct

from lab import frames, netns

FRAGMENT = 44
SO_RCVBUFFORCE = 33


@dataclasses.dataclass(frozen=True)
class Piece:
    """Bytes [start, end) of a datagram's payload; more says that it is not the last."""

    start: int
    end: int
    more: bool
    ecn: int = 0


@dataclasses.dataclass
class Datagram:
    """UDP from the client to the server; ident tells its fragments from those of others."""

    six: bool
    ident: int
    sport: int
    size: int = 200
    dport: int = 9

    @property
    def data(self):
        return bytes((self.ident + i) & 255 for i in range(self.size - 8))

    @property
    def payload(self):
        """What is cut: everything behind the network header."""
        return self.packet()[40 if self.six else 20:]

    def ends(self):
        return (netns.CLIENT6, netns.SERVER6) if self.six else (netns.CLIENT4, netns.SERVER4)

    def packet(self):
        return frames.udp(*self.ends(), self.sport, self.dport, self.data)

    def fragment(self, piece):
        """One frame from the client to the router; bytes behind the end are zeros."""
        body = self.payload[piece.start:piece.end]
        body += bytes(piece.end - piece.start - len(body))
        if self.six:
            header = struct.pack("!BBHI", 17, 0, piece.start | piece.more, self.ident)
            packet = bytearray(frames.ip(*self.ends(), FRAGMENT, header + body))
            packet[1] |= piece.ecn << 4
            return frames.ethernet(bytes(packet))
        packet = bytearray(frames.ip(*self.ends(), 17, body, ident=self.ident,
                                     fragment=piece.more << 13 | piece.start // 8))
        packet[1] |= piece.ecn
        packet[10:12] = bytes(2)
        packet[10:12] = struct.pack("!H", frames.checksum(bytes(packet[:20])))
        return frames.ethernet(bytes(packet))

    def cut(self, *at):
        """Fragments that are cut at these offsets."""
        edges = [0, *at, self.size]
        return [Piece(a, b, b < self.size) for a, b in zip(edges, edges[1:])]


def ident_of(raw):
    """The id of a fragment, None if the packet is none."""
    if raw[0] >> 4 == 6:
        return struct.unpack_from("!I", raw, 44)[0] if raw[6] == FRAGMENT else None
    return struct.unpack_from("!H", raw, 4)[0] if struct.unpack_from("!H", raw, 6)[0] & 0x3fff \
        else None


def is_atomic(raw):
    """An IPv6 packet with a fragment header that splits nothing: the kernel takes it off."""
    return raw[0] >> 4 == 6 and raw[6] == FRAGMENT and raw[42:44] == bytes(2)


def receiver(lab, six, port=9):
    """A socket of the server that gets the datagrams."""
    s = lab.server.socket(socket.AF_INET6 if six else socket.AF_INET, socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 16 << 20)
    s.bind((netns.SERVER6 if six else netns.SERVER4, port))
    return s
