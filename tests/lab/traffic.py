# SPDX-License-Identifier: GPL-2.0-or-later
"""Real traffic between the client and the server of a lab, by sockets that live in there."""

import errno
import socket

from lab import frames, netns


class Traffic:
    """The same conversations over one address family; log tells what is on the wire."""

    def __init__(self, lab, log, six):
        self.lab, self.log = lab, log
        self.family = "IPv6" if six else "IPv4"
        self.af = socket.AF_INET6 if six else socket.AF_INET
        self.client = netns.CLIENT6 if six else netns.CLIENT4
        self.server = netns.SERVER6 if six else netns.SERVER4

    def tcp_server(self, port):
        s = self.lab.server.socket(self.af)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind((self.server, port))
        s.listen()
        return s

    def udp_pair(self, port):
        server = self.lab.server.socket(self.af, socket.SOCK_DGRAM)
        server.bind((self.server, port))
        client = self.lab.client.socket(self.af, socket.SOCK_DGRAM)
        client.connect((self.server, port))
        return client, server

    def tcp_connection(self):
        """TCP connection with data and close"""
        with self.tcp_server(8080) as listener, self.lab.client.socket(self.af) as client:
            client.connect((self.server, 8080))
            server = listener.accept()[0]
            client.sendall(b"GET / HTTP/1.0\r\n\r\n")
            server.recv(100)
            server.sendall(b"HTTP/1.0 204 No Content\r\n\r\n")
            client.recv(100)
            before = len(self.log.settle(0.1))
            client.close()
            self.log.wait(before + 2)  # FIN, and the ACK that the kernel sends a little later
            server.close()
            self.log.settle(0.1)

    def tcp_refused(self):
        """TCP connection to a port that nobody listens on"""
        with self.lab.client.socket(self.af) as client:
            refused = client.connect_ex((self.server, 8081))
        if refused != errno.ECONNREFUSED:
            raise RuntimeError(f"the connection was not refused (errno {refused})")

    def tcp_forged(self):
        """TCP connection into which somebody forges a segment"""
        with self.tcp_server(8082) as listener, self.lab.client.socket(self.af) as client:
            client.connect((self.server, 8082))
            server = listener.accept()[0]
            self.log.settle(0.1)
            last = next(p.packet for p in reversed(self.log.seen) if p.packet.dport == 8082)
            with self.lab.client.raw("eth0") as wire:
                wire.send(frames.ethernet(frames.tcp(
                    self.client, self.server, last.sport, 8082, frames.PSH | frames.ACK,
                    last.seq + 1000000000, last.ack, b"forged")))
            self.log.settle(0.1)
            client.close()
            server.close()
            self.log.settle(0.1)

    def udp_query(self):
        """UDP query and answer"""
        client, server = self.udp_pair(5353)
        with client, server:
            client.send(b"who are you?")
            server.sendto(b"a server", server.recvfrom(100)[1])
            client.recv(100)

    def errors(self):
        """ICMP errors that passed so far."""
        return sum(p.packet.is_error for p in self.log.seen)

    def wait_error(self, before):
        self.log.wait(before + 1, match=lambda p: p.packet.is_error)

    def udp_closed(self, error=True):
        """UDP to a closed port: an ICMP error comes back"""
        before = self.errors()
        with self.lab.client.socket(self.af, socket.SOCK_DGRAM) as client:
            client.connect((self.server, 9))
            client.send(b"anybody there?")
            if error:
                self.wait_error(before)

    def udp_late(self, error=True):
        """UDP answer that nobody waits for any more: the client's ICMP error goes out"""
        before = self.errors()
        client, server = self.udp_pair(5354)
        with server:
            with client:
                client.send(b"quick?")
                peer = server.recvfrom(100)[1]
            server.sendto(b"too late", peer)
            if error:
                self.wait_error(before)

    def ping(self):
        """ping"""
        self.lab.client.run("ping", "-n", "-c1", "-W5", self.server)

    def neighbour(self):
        """Neighbour discovery"""
        self.lab.client.ask_for_neighbours("eth0")
        self.lab.client.ip("neigh", "del", netns.LAN6, "dev", "eth0")
        self.lab.client.run("ping", "-n", "-c1", "-W5", netns.LAN6)
