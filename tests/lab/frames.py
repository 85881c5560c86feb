# SPDX-License-Identifier: GPL-2.0-or-later
"""Packets byte by byte, for what no socket would send. Checksums are right unless told otherwise."""

import socket
import struct

from lab import netns

FIN, SYN, RST, PSH, ACK, URG = (1 << i for i in range(6))


def checksum(data):
    data += bytes(len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def _address(text):
    return socket.inet_pton(socket.AF_INET6 if ":" in text else socket.AF_INET, text)


def _transport_sum(src, dst, proto, segment):
    src, dst = _address(src), _address(dst)
    if len(src) == 4:
        pseudo = src + dst + struct.pack("!BBH", 0, proto, len(segment))
    else:
        pseudo = src + dst + struct.pack("!II", len(segment), proto)
    return checksum(pseudo + segment)


def ip(src, dst, proto, payload, *, ttl=64, fragment=0, ident=1, length=None, ihl=None, options=b"",
       version=None):
    """An IPv4 or IPv6 packet, by the form of src. fragment is the 16-bit field of IPv4."""
    if ":" in src:
        return struct.pack("!IHBB", (version or 6) << 28,
                           len(payload) if length is None else length, proto,
                           ttl) + _address(src) + _address(dst) + payload
    header = struct.pack("!BBHHHBBH", (version or 4) << 4 | (5 + len(options) // 4 if ihl is None
                                                              else ihl), 0,
                         20 + len(options) + len(payload) if length is None else length, ident,
                         fragment, ttl, proto, 0) + _address(src) + _address(dst) + options
    header = header[:10] + struct.pack("!H", checksum(header)) + header[12:]
    return header + payload


def tcp(src, dst, sport, dport, flags, seq=0, ack=0, data=b"", window=65535, options=b"", offset=None,
        bad_sum=False, **kwargs):
    options += bytes(-len(options) % 4)
    words = 5 + len(options) // 4 if offset is None else offset
    segment = struct.pack("!HHIIBBHHH", sport, dport, seq & 0xFFFFFFFF, ack & 0xFFFFFFFF, words << 4,
                          flags, window, 0, 0) + options + data
    total = _transport_sum(src, dst, 6, segment) ^ (0x5555 if bad_sum else 0)
    return ip(src, dst, 6, segment[:16] + struct.pack("!H", total) + segment[18:], **kwargs)


def udp(src, dst, sport, dport, data=b"", length=None, bad_sum=False, **kwargs):
    datagram = struct.pack("!HHHH", sport, dport, 8 + len(data) if length is None else length,
                           0) + data
    total = (_transport_sum(src, dst, 17, datagram) or 0xFFFF) ^ (0x5555 if bad_sum else 0)
    return ip(src, dst, 17, datagram[:6] + struct.pack("!H", total) + datagram[8:], **kwargs)


def icmp(src, dst, kind, code=0, rest=bytes(4), data=b"", **kwargs):
    """ICMP or ICMPv6, by the form of src."""
    message = struct.pack("!BBH", kind, code, 0) + rest + data
    if ":" in src:
        total = _transport_sum(src, dst, 58, message)
    else:
        total = checksum(message)
    return ip(src, dst, 58 if ":" in src else 1, message[:2] + struct.pack("!H", total) + message[4:],
              **kwargs)


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def chunk(kind, body=b"", flags=0, length=None):
    """A chunk of SCTP, padded."""
    return struct.pack("!BBH", kind, flags, 4 + len(body) if length is None else length) + body + bytes(-len(body) % 4)


def sctp(src, dst, sport, dport, vtag, *chunks, bad_sum=False, **kwargs):
    packet = struct.pack("!HHII", sport, dport, vtag, 0) + b"".join(chunks)
    total = crc32c(packet) ^ (0x5555 if bad_sum else 0)
    return ip(src, dst, 132, packet[:8] + struct.pack("<I", total) + packet[12:], **kwargs)


def ethernet(packet, to=netns.LAN_MAC, sender=netns.CLIENT_MAC):
    """The frame that carries an IP packet, by default from the client to the router."""
    kind = 0x86DD if packet[:1] and packet[0] >> 4 == 6 else 0x0800
    return bytes.fromhex((to + sender).replace(":", "")) + struct.pack("!H", kind) + packet
