#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
One end of traffic that never pauses, every packet of which is accounted for.

    steady.py server ADDRESS...                 waits for the other end
    steady.py client ADDRESS... [--only NAME]   talks to it over IPv4 and IPv6

Streams are numbered packets at a steady pace: echo requests, and datagrams that each end sends by
its own clock. TCP connections are held open with small exchanges at random times, one keeps silent
until the very end, and short ones come and go. Only what the other end really got counts.

It obeys words on stdin and answers each with a line of JSON: "look" tells how things stand, "stop"
ends what is sent, "burst N" sends N datagrams at once, "end" lets the silent connection speak and
closes everything.
"""

import argparse
import contextlib
import json
import random
import socket
import socketserver
import struct
import sys
import threading
import time

UDP_PORT, TCP_PORT = 7000, 7022
PERIOD = {"ping4": 0.002, "udp4": 0.002, "ping6": 0.01, "udp6": 0.01}
CHURN_PAUSE, TALK_PAUSE = 0.05, (0.005, 0.15)
PATIENCE = 10  # of a TCP connection, in seconds
RECEIVE_BUFFER = 8 << 20
NUMBER = struct.Struct("!Q")
HEADERS = {4: 20 + 8, 6: 40 + 8}
ECHO = {4: struct.pack("!BBHHH", 8, 0, 0, 0, 0), 6: struct.pack("!BBHHH", 128, 0, 0, 0, 0)}


class Tally:
    """What came of a numbered stream: each number once, and never long after the one before."""

    def __init__(self):
        self.seen = set()
        self.duplicated = self.reordered = self.highest = 0
        self.last = None
        self.gap = 0.0

    def take(self, number):
        now = time.monotonic()
        if self.last is not None:
            self.gap = max(self.gap, now - self.last)
        self.last = now
        if number in self.seen:
            self.duplicated += 1
            return
        self.seen.add(number)
        self.reordered += number < self.highest
        self.highest = max(self.highest, number)

    def report(self):
        return {"received": len(self.seen), "duplicated": self.duplicated, "reordered": self.reordered,
                "gap": round(self.gap, 4)}


class Stream:
    """Sends numbered packets until it is told to stop, and takes those of the other end."""

    def __init__(self, name, sock, family, header=b""):
        self.name, self.sock, self.header = name, sock, header
        self.overhead = HEADERS[family]
        self.sent = self.bytes = 0
        self.error = None
        self.tally = Tally()
        self.sending = threading.Lock()
        self.stopped, self.begun = threading.Event(), threading.Event()
        sock.setsockopt(socket.SOL_SOCKET, 33, RECEIVE_BUFFER)  # SO_RCVBUFFORCE
        self.threads = [threading.Thread(target=run, daemon=True) for run in (self._send, self._receive)]

    def start(self, at_once=True):
        if at_once:
            self.begun.set()
        for thread in self.threads:
            thread.start()

    def send_one(self):
        with self.sending:
            packet = self.header + NUMBER.pack(self.sent + 1) + bytes(self.sent % 89)
            try:
                self.sock.send(packet)
            except OSError as e:
                self.error = str(e)
                return
            self.sent += 1
            self.bytes += len(packet) - len(self.header) + self.overhead

    def _send(self):
        self.begun.wait()
        due = time.monotonic()
        while not self.stopped.is_set():
            self.send_one()
            due = max(due + PERIOD[self.name], time.monotonic() - 0.1)
            time.sleep(max(0.0, due - time.monotonic()))

    def _receive(self):
        while True:
            try:
                packet, peer = self.sock.recvfrom(2048)
            except OSError as e:
                self.error = str(e)
                continue
            if not self.begun.is_set():
                self.sock.connect(peer)
                self.begun.set()
            self.tally.take(NUMBER.unpack_from(packet, len(self.header))[0])

    def stop(self):
        self.stopped.set()
        if self.begun.is_set():
            self.threads[0].join()

    def burst(self, count):
        for _ in range(count):
            self.send_one()

    def report(self):
        return {"sent": self.sent, "bytes": self.bytes, "id": self.sock.getsockname()[1],
                "error": self.error, **self.tally.report()}


def family_of(address):
    return 6 if ":" in address else 4


def make_socket(address, kind, proto=0):
    return socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, kind, proto)


def ping(address):
    """An echo request goes out, its number comes back."""
    family = family_of(address)
    proto = socket.IPPROTO_ICMPV6 if family == 6 else socket.IPPROTO_ICMP
    sock = make_socket(address, socket.SOCK_DGRAM, proto)
    sock.connect((address, 0))
    return Stream(f"ping{family}", sock, family, ECHO[family])


def udp_client(address):
    sock = make_socket(address, socket.SOCK_DGRAM)
    sock.connect((address, UDP_PORT))
    return Stream(f"udp{family_of(address)}", sock, family_of(address))


def udp_server(address):
    sock = make_socket(address, socket.SOCK_DGRAM)
    sock.bind((address, UDP_PORT))
    return Stream(f"udp{family_of(address)}", sock, family_of(address))


# --- connections ----------------------------------------------------------------------------------

def connect(address):
    sock = socket.create_connection((address, TCP_PORT), timeout=PATIENCE)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def exchange(sock):
    """Sends a few bytes and has them come back."""
    text = random.randbytes(random.randint(1, 400))
    sock.sendall(text)
    got = b""
    while len(got) < len(text):
        part = sock.recv(len(text) - len(got))
        if not part:
            raise ConnectionError("closed by the other end")
        got += part
    if got != text:
        raise ConnectionError("other bytes than were sent")


class Connection:
    """One that is held open; it is lost as soon as anything goes wrong with it."""

    def __init__(self, name, address, silent=False):
        self.name, self.silent = name, silent
        self.exchanges, self.error = 0, None
        self.stopped = threading.Event()
        self.sock = connect(address)
        self._exchange()
        self.port = self.sock.getsockname()[1]
        self.thread = threading.Thread(target=self._talk, daemon=True)

    def start(self):
        if not self.silent:
            self.thread.start()

    def _exchange(self):
        try:
            exchange(self.sock)
            self.exchanges += 1
        except OSError as e:
            self.error = f"after {self.exchanges} exchanges: {e}"

    def _talk(self):
        while self.error is None and not self.stopped.wait(random.uniform(*TALK_PAUSE)):
            self._exchange()

    def stop(self):
        self.stopped.set()
        if not self.silent:
            self.thread.join()

    def end(self):
        """Closed in good order; the other end does so as well."""
        if self.error is None:
            self._exchange()
        if self.error is None:
            self.sock.shutdown(socket.SHUT_WR)
            with contextlib.suppress(OSError):
                self.sock.recv(1)
        self.sock.close()

    def report(self):
        return {"exchanges": self.exchanges, "error": self.error, "id": self.port}


class Churn:
    """Short connections, one after the other."""

    name = "churn"

    def __init__(self, address):
        self.address, self.error, self.exchanges = address, None, 0
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def start(self):
        self.thread.start()

    def _run(self):
        while self.error is None and not self.stopped.wait(CHURN_PAUSE):
            try:
                with connect(self.address) as sock:
                    exchange(sock)
                self.exchanges += 1
            except OSError as e:
                self.error = f"after {self.exchanges} connections: {e}"

    def stop(self):
        self.stopped.set()
        self.thread.join()

    def end(self):
        pass

    def report(self):
        return {"exchanges": self.exchanges, "error": self.error}


class Echo(socketserver.BaseRequestHandler):
    def handle(self):
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with contextlib.suppress(OSError):
            while data := self.request.recv(65536):
                self.request.sendall(data)


class EchoServer(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True
    request_queue_size = 128


# --- the two ends ---------------------------------------------------------------------------------

class End:
    """All that one end does."""

    def __init__(self, streams, connections):
        self.streams, self.connections = streams, connections

    def report(self):
        return {"streams": {s.name: s.report() for s in self.streams},
                "connections": {c.name: c.report() for c in self.connections}}

    def stop(self):
        for part in (*self.streams, *self.connections):
            part.stop()

    def burst(self, count):
        next(s for s in self.streams if s.name == "udp4").burst(int(count))

    def end(self):
        for connection in self.connections:
            connection.end()

    def look(self):
        pass

    def serve(self):
        """Until "end", or until nobody is there to tell it."""
        print(json.dumps(self.report()), flush=True)
        for line in sys.stdin:
            word, *rest = line.split()
            getattr(self, word)(*rest)
            print(json.dumps(self.report()), flush=True)
            if word == "end":
                break


def server(addresses, _only):
    for address in addresses:
        kind = type("EchoServer", (EchoServer,), {"address_family": make_socket(address, socket.SOCK_STREAM).family})
        threading.Thread(target=kind((address, TCP_PORT), Echo).serve_forever, daemon=True).start()
    streams = [udp_server(address) for address in addresses]
    for stream in streams:
        stream.start(at_once=False)
    return End(streams, [])


def client(addresses, only):
    makers = {}
    for address in addresses:
        family = family_of(address)
        makers |= {f"ping{family}": lambda a=address: ping(a), f"udp{family}": lambda a=address: udp_client(a),
                   f"held{family}": lambda a=address, f=family: Connection(f"held{f}", a),
                   f"silent{family}": lambda a=address, f=family: Connection(f"silent{f}", a, silent=True)}
    makers["churn"] = lambda: Churn(addresses[0])
    parts = [make() for name, make in makers.items() if not only or name in only]
    for part in parts:
        part.start()
    streams = [part for part in parts if isinstance(part, Stream)]
    return End(streams, [part for part in parts if part not in streams])


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("side", choices=("client", "server"))
    arguments.add_argument("addresses", nargs="+")
    arguments.add_argument("--only", action="append")
    given = arguments.parse_args()
    {"client": client, "server": server}[given.side](given.addresses, given.only).serve()


if __name__ == "__main__":
    main()
