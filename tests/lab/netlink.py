# SPDX-License-Identifier: GPL-2.0-or-later
"""The little of nfnetlink that the listeners of this package need."""

import errno
import os
import socket
import struct

NETLINK_NETFILTER = 12
NLMSG_ERROR = 2
NLM_F_REQUEST, NLM_F_ACK = 1, 4
SOL_NETLINK, NETLINK_NO_ENOBUFS = 270, 5


def attr(kind, data):
    return struct.pack("=HH", 4 + len(data), kind) + data + bytes(-len(data) % 4)


def message(subsystem, kind, resource, *attrs, flags=NLM_F_REQUEST, family=socket.AF_UNSPEC):
    body = struct.pack("=BB", family, 0) + struct.pack("!H", resource) + b"".join(attrs)
    return struct.pack("=IHHII", 16 + len(body), subsystem << 8 | kind, flags, 0, 0) + body


def messages(buffer):
    """Splits what was received into (type, body)."""
    while len(buffer) >= 16:
        length, kind = struct.unpack_from("=IH", buffer)
        if length < 16 or length > len(buffer):
            return
        yield kind, buffer[16:length]
        buffer = buffer[(length + 3) & ~3:]


def attrs(body):
    """The attributes behind the 4 bytes of struct nfgenmsg, by type."""
    found, body = {}, body[4:]
    while len(body) >= 4:
        length, kind = struct.unpack_from("=HH", body)
        if length < 4:
            break
        found[kind & 0x3FFF] = body[4:length]
        body = body[(length + 3) & ~3:]
    return found


def request(sock, *args, **kwargs):
    """Sends one message and waits for the kernel's answer to it; OSError if it refuses."""
    sock.send(message(*args, flags=NLM_F_REQUEST | NLM_F_ACK, **kwargs))
    for kind, body in messages(sock.recv(65536)):
        if kind == NLMSG_ERROR:
            code = -struct.unpack_from("=i", body)[0]
            if code:
                raise OSError(code, os.strerror(code))
            return
    raise OSError(errno.EPROTO, "netlink request was not acknowledged")


def open_socket(netns, receive_buffer=16 << 20):
    sock = netns.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER)
    sock.bind((0, 0))
    sock.setsockopt(SOL_NETLINK, NETLINK_NO_ENOBUFS, 1)
    sock.setsockopt(socket.SOL_SOCKET, 33, receive_buffer)  # SO_RCVBUFFORCE
    return sock
