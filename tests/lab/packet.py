# SPDX-License-Identifier: GPL-2.0-or-later
"""What tests and people want to know of an IP packet: addresses, ports, flags, one line of text."""

import dataclasses
import socket
import struct

TCP_FLAGS = ("FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR")
PROTOCOLS = {1: "icmp", 6: "tcp", 17: "udp", 58: "icmpv6"}

ICMP4 = {0: "echo reply", 3: "unreachable", 5: "redirect", 8: "echo request", 11: "time exceeded",
         13: "timestamp request", 14: "timestamp reply"}
ICMP6 = {1: "unreachable", 2: "too big", 3: "time exceeded", 4: "parameter problem",
         128: "echo request", 129: "echo reply", 133: "router solicitation",
         134: "router advertisement", 135: "neighbour solicitation",
         136: "neighbour advertisement", 143: "multicast report"}
UNREACHABLE4 = {0: "network", 1: "host", 2: "protocol", 3: "port", 4: "fragmentation needed"}
UNREACHABLE6 = {0: "no route", 1: "prohibited", 3: "address", 4: "port"}

ICMP_ERRORS = {1: (3, 4, 5, 11, 12), 58: (1, 2, 3, 4)}
EXTENSION_HEADERS = (0, 43, 60)


@dataclasses.dataclass
class Packet:
    """Fields of a packet; those that a short or strange packet does not have stay empty."""

    family: int = 0
    src: str = ""
    dst: str = ""
    proto: int = -1
    sport: int = 0
    dport: int = 0
    flags: str = ""
    seq: int = 0
    ack: int = 0
    icmp_type: int = -1
    icmp_code: int = -1
    icmp_id: int = 0
    data: bytes = b""
    length: int = 0

    @property
    def proto_name(self):
        return PROTOCOLS.get(self.proto, str(self.proto))

    @property
    def is_error(self):
        """An ICMP error, which is about another packet."""
        return self.icmp_type in ICMP_ERRORS.get(self.proto, ())

    def summary(self):
        """One short line: the transport and what it says."""
        if self.flags:
            size = f" {len(self.data)} bytes" if self.data else ""
            return f"TCP  {self.flags}{size}"
        if self.proto == 17:
            return f"UDP  {len(self.data)} bytes"
        if self.icmp_type >= 0:
            return self._icmp_summary()
        return f"protocol {self.proto}"

    def _icmp_summary(self):
        if self.proto == 1:
            name, codes, unreachable = ICMP4.get(self.icmp_type), UNREACHABLE4, 3
        else:
            name, codes, unreachable = ICMP6.get(self.icmp_type), UNREACHABLE6, 1
        if self.icmp_type == unreachable and self.icmp_code in codes:
            name = f"{codes[self.icmp_code]} {name}"
        return f"ICMP {name or f'type {self.icmp_type}'}"


def parse(data):
    """Reads an IP packet that may be cut off anywhere."""
    p = Packet(length=len(data))
    version = data[0] >> 4 if data else 0
    if version == 4 and len(data) >= 20:
        _ipv4(p, data)
    elif version == 6 and len(data) >= 40:
        _ipv6(p, data)
    return p


def _ipv4(p, data):
    p.family = socket.AF_INET
    p.length, p.proto = struct.unpack_from("!H", data, 2)[0], data[9]
    p.src, p.dst = (socket.inet_ntop(p.family, data[i:i + 4]) for i in (12, 16))
    if struct.unpack_from("!H", data, 6)[0] & 0x1FFF == 0:
        _transport(p, data[(data[0] & 15) * 4:p.length])


def _ipv6(p, data):
    p.family = socket.AF_INET6
    p.length, p.proto = struct.unpack_from("!H", data, 4)[0] + 40, data[6]
    p.src, p.dst = (socket.inet_ntop(p.family, data[i:i + 16]) for i in (8, 24))
    at = 40
    while p.proto in EXTENSION_HEADERS and at + 2 <= len(data):
        p.proto, at = data[at], at + 8 * (data[at + 1] + 1)
    _transport(p, data[at:p.length])


def _transport(p, data):
    if p.proto == 6 and len(data) >= 20:
        p.sport, p.dport, p.seq, p.ack, offset, flags = struct.unpack_from("!HHIIBB", data)
        p.flags = ",".join(n for i, n in enumerate(TCP_FLAGS) if flags >> i & 1) or "none"
        p.data = data[(offset >> 4) * 4:]
    elif p.proto == 17 and len(data) >= 8:
        p.sport, p.dport = struct.unpack_from("!HH", data)
        p.data = data[8:]
    elif p.proto in (1, 58) and len(data) >= 8:
        p.icmp_type, p.icmp_code, _, p.icmp_id = struct.unpack_from("!BBHH", data)
        p.data = data[8:]
