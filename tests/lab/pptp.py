# SPDX-License-Identifier: GPL-2.0-or-later
"""
A PPTP tunnel (RFC 2637) between two hosts whose kernels may lack PPP.

The control connection is a real TCP connection that carries the messages of a client and a server;
the tunnel is GRE from raw sockets of both. Only what would be inside, PPP, is made up.
"""

import socket
import struct

PORT = 1723
MAGIC = 0x1a2b3c4d
START_REQUEST, START_REPLY, STOP_REQUEST, STOP_REPLY, ECHO_REQUEST, ECHO_REPLY = 1, 2, 3, 4, 5, 6
CALL_REQUEST, CALL_REPLY, CLEAR_REQUEST, DISCONNECT, LINK_INFO = 7, 8, 12, 13, 15
GRE = 47


def message(kind, body):
    return struct.pack("!HHIHH", 12 + len(body), 1, MAGIC, kind, 0) + body


def start(kind):
    """Start-Control-Connection, request or reply."""
    return message(kind, struct.pack("!HBBIIHH64s64s", 0x100, kind == START_REPLY, 0, 3, 3, 10, 1,
                                     b"lab", b"lab"))


def call_request(call):
    return message(CALL_REQUEST, struct.pack("!HHIIIIHHHH64s64s", call, 1, 300, 100000000, 3, 3, 64, 0,
                                             0, 0, b"", b""))


def call_reply(call, peer):
    return message(CALL_REPLY, struct.pack("!HHBBHIHHI", call, peer, 1, 0, 0, 100000000, 64, 0, 0))


def link_info(peer):
    return message(LINK_INFO, struct.pack("!HHII", peer, 0, 0xffffffff, 0xffffffff))


def disconnect(call):
    return message(DISCONNECT, struct.pack("!HBBHH128s", call, 4, 0, 0, 0, b""))


def data(call, number, payload):
    """GRE of version 1 with a sequence number."""
    return struct.pack("!BBHHHI", 0x30, 1, 0x880b, len(payload), call, number) + payload


class Pptp:
    """with Pptp(client namespace, server namespace, server address, ids) as tunnel: ..."""

    def __init__(self, client, server, address, client_call, server_call):
        self.address, self.calls = address, (client_call, server_call)
        self.listener = server.socket()
        self.control = client.socket()
        self.raw = [space.socket(kind=socket.SOCK_RAW, proto=GRE) for space in (client, server)]
        self.numbers = [0, 0]
        self.answering = None

    def __enter__(self):
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind((self.address, PORT))
        self.listener.listen()
        self.control.connect((self.address, PORT))
        self.answering = self.listener.accept()[0]
        self.hosts = (self.control.getsockname()[0], self.address)
        self.pass_on(self.control, self.answering, start(START_REQUEST))
        self.pass_on(self.answering, self.control, start(START_REPLY))
        self.pass_on(self.control, self.answering, call_request(self.calls[0]))
        self.pass_on(self.answering, self.control, call_reply(self.calls[1], self.calls[0]))
        self.pass_on(self.control, self.answering, link_info(self.calls[1]))
        return self

    def __exit__(self, *exc):
        for s in (self.control, self.answering, self.listener, *self.raw):
            if s:
                s.close()

    @staticmethod
    def pass_on(sender, receiver, words):
        sender.sendall(words)
        got = b""
        while len(got) < len(words):
            part = receiver.recv(len(words) - len(got))
            assert part, "the control connection ended"
            got += part
        assert got == words

    def disconnect(self):
        self.pass_on(self.answering, self.control, disconnect(self.calls[1]))

    def send(self, server):
        """One packet in the tunnel; each carries the call id of who receives it."""
        self.numbers[server] += 1
        packet = data(self.calls[not server], self.numbers[server], b"ppp" * 30)
        self.raw[server].sendto(packet, (self.hosts[not server], 0))
        return packet

    def receive(self, server):
        """What arrives next, without its IP header."""
        return self.raw[server].recv(2000)[20:]
