# SPDX-License-Identifier: GPL-2.0-or-later
"""
Networks with the same addresses behind one router: zones of ctmarkd and of the kernel.

Each tenant has a client and a server, on ports of the router that only its own routes lead to. The
hosts are one namespace without addresses, frames are injected.
"""

import os
import socket
import time

import pytest

from lab import frames, netns, rules
from lab.daemon import Daemon
from lab.netns import Netns, sh
from lab.nflog import Nflog
from lab.wire import ORACLE

TENANTS = {"blue": 1, "red": 2, "other": 0}  # the last is in no zone
SIX = pytest.mark.parametrize("six", [False, True], ids=["ipv4", "ipv6"])
CLIENT, SERVER = ("10.1.0.2", "fd00:1::2"), ("10.2.0.2", "fd00:2::2")
KERNEL = dict(zip(("ESTABLISHED", "RELATED", "NEW", "ESTABLISHED_REPLY", "RELATED_REPLY",
                   "UNTRACKED", "INVALID"), ORACLE.values()))
# Only what came in: the router has multicast messages of its own.
LOG = """
table inet ctzone {{
    chain in {{ type filter hook prerouting priority -50; log group {group}; }}
}}
"""
ZONES = "[Zone blue]\nId=1\nInputInterface=blue-c blue-s\n[Zone red]\nId=2\nInputInterface=red-*\n"


class Tenants:
    """hosts (cN, sN) ==== (blue-c, blue-s, red-c, ...) router"""

    def __init__(self):
        name = f"ctzone-{os.getpid()}"
        self.hosts, self.router = Netns(f"{name}-hosts"), Netns(f"{name}-router")
        self.sockets, self.macs = {}, {}
        self.ear = self.hosts.inside(socket.socket, socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        self.hosts.sysctl(ipv6__conf__default__disable_ipv6=1)
        self.router.sysctl(ipv4__ip_forward=1, ipv6__conf__all__forwarding=1,
                           ipv4__conf__all__rp_filter=0, ipv4__conf__default__rp_filter=0,
                           ipv6__conf__default__accept_ra=0, ipv6__conf__default__accept_dad=0)
        for number, tenant in enumerate(TENANTS, 1):
            self.link(f"{tenant}-c", number, CLIENT)
            self.link(f"{tenant}-s", number, SERVER)

    def link(self, port, table, addresses):
        """A port of the router with a host behind it, both in the routing table of a tenant."""
        number = len(self.macs) + 1
        near, far = (f"02:00:00:01:{number:02}:{end:02}" for end in (1, 2))
        host = f"h{number}"
        sh("ip", "link", "add", "name", host, "address", far, "netns", self.hosts.name, "type",
           "veth", "peer", "name", port, "address", near, "netns", self.router.name)
        for space, interface in ((self.hosts, host), (self.router, port)):
            space.ask_for_neighbours(interface, 0)
            space.ip("link", "set", interface, "addrgenmode", "none")
            space.ip("link", "set", interface, "up")
        for family, address in zip(("-4", "-6"), addresses):
            self.router.ip(family, "rule", "add", "iif", port, "lookup", str(100 + table))
            self.router.ip(family, "route", "replace", address, "dev", port, "table", str(100 + table))
            self.router.ip("neigh", "replace", address, "lladdr", far, "dev", port, "nud", "permanent")
        self.sockets[port], self.macs[port] = self.hosts.raw(host), (near, far)

    def send(self, port, packet):
        near, far = self.macs[port]
        self.sockets[port].send(frames.ethernet(packet, near, far))

    def wait_arrival(self, timeout=5):
        """Until a frame has come out of the router: then nothing of it is under way in there any more."""
        self.ear.settimeout(timeout)
        try:
            while self.ear.recvfrom(65536)[1][2] != socket.PACKET_HOST:
                pass
        except TimeoutError:
            return False
        return True

    def close(self):
        for s in (self.ear, *self.sockets.values()):
            s.close()
        self.hosts.close()
        self.router.close()


@pytest.fixture
def tenants():
    network = Tenants()
    try:
        yield network
    finally:
        network.close()


class Judged:
    """The classes of what is sent, by ctmarkd and, as a check of the expectation, by the kernel."""

    def __init__(self, network, log):
        self.network, self.log, self.sent = network, log, 0

    def __call__(self, port, packet):
        self.network.send(port, packet)
        self.sent += 1
        seen = self.log.wait(self.sent)
        assert len(seen) == self.sent and self.network.wait_arrival(), f"lost on {port}"
        kernel = [name for name, bit in KERNEL.items() if seen[-1].mark & bit]
        ours = rules.name_of(seen[-1].mark)
        assert kernel == [ours], f"{port}: {kernel} and {ours}"
        return ours


def restore(space, table, lines):
    for command in rules.FAMILIES:
        space.run(f"{command}-restore", "-w", stdin=f"*{table}\n" + "".join(
            f"-A {line}\n" for line in lines) + "COMMIT\n")


@pytest.fixture
def judge(tenants):
    """Both judge at the entry; ctmarkd is shown what leaves, too."""
    restore(tenants.router, "raw", [f"PREROUTING -i {tenant}-+ -j CT --zone {zone}"
                                    for tenant, zone in TENANTS.items() if zone])
    restore(tenants.router, "mangle", [
        "PREROUTING -j MARK --set-mark 0",
        *(f"PREROUTING -m conntrack {condition} -j MARK --or-mark {bit:#x}"
          for condition, bit in ORACLE.items() if bit in KERNEL.values()),
        "PREROUTING -j NFQUEUE --queue-num 0",
        "POSTROUTING -j NFQUEUE --queue-num 0"])
    with Nflog(tenants.router, rules=LOG) as log:
        yield Judged(tenants, log)


def hosts(six, reply=False):
    pair = (CLIENT[six], SERVER[six])
    return pair[::-1] if reply else pair


@SIX
@pytest.mark.parametrize("confirm", ["entry", "exit"])
def test_same_connection_in_each_zone(tenants, judge, six, confirm):
    """The same five numbers, and even the same sequence numbers, are a flow of its own in each zone."""
    syn = frames.tcp(*hosts(six), 1000, 80, frames.SYN, 100, 0)
    answer = frames.tcp(*hosts(six, True), 80, 1000, frames.SYN | frames.ACK, 500, 101)
    ack = frames.tcp(*hosts(six), 1000, 80, frames.ACK, 101, 501)
    with Daemon(tenants.router, ZONES + f"[Track]\nConfirm={confirm}\n[Log]\nTarget=console\n") as daemon:
        assert judge("blue-c", syn) == "NEW"
        assert judge("red-s", answer) == "INVALID", "it answers a flow of another zone"
        assert judge("red-c", syn) == "NEW"
        assert judge("other-s", answer) == "INVALID"
        assert judge("other-c", syn) == "NEW"
        for tenant in TENANTS:
            assert judge(f"{tenant}-s", answer) == "ESTABLISHED_REPLY"
        assert judge("red-c", ack) == "ESTABLISHED"
        assert judge("red-c", frames.tcp(*hosts(six), 1000, 80, frames.RST | frames.ACK, 101, 501)) == "ESTABLISHED"
        assert judge("blue-c", ack) == "ESTABLISHED", "its namesake in red has been reset"
        new = daemon.wait_events(3, event="new")
        assert [e.get("zone") for e in new] == ["1", "2", None]
        assert {e["hook"] for e in new} == {"PREROUTING" if confirm == "entry" else "POSTROUTING"}
        assert len({e["flow"] for e in new}) == 3
        invalid = daemon.wait_events(2, event="invalid")
        assert [e.get("zone") for e in invalid] == ["2", None]
        red = next(e for e in new if e.get("zone") == "2")
        assert daemon.wait_events(1, event="state", flow=red["flow"], zone="2", state="ESTABLISHED>CLOSE")


@SIX
def test_datagrams_and_errors(tenants, judge, six):
    """A reply in the wrong zone opens a flow there; an error has to come in the zone of its flow."""
    query = frames.udp(*hosts(six), 1000, 53, b"query")
    reply = frames.udp(*hosts(six, True), 53, 1000, b"reply")
    late = frames.udp(*hosts(six), 2000, 53, b"late")
    error = frames.icmp(*hosts(six, True), *((1, 4) if six else (3, 3)), data=late)
    with Daemon(tenants.router, ZONES + "[Log]\nTarget=console\n"):
        assert judge("blue-c", query) == "NEW"
        assert judge("red-s", reply) == "NEW"
        assert judge("other-s", reply) == "NEW"
        assert judge("blue-s", reply) == "ESTABLISHED_REPLY"
        assert judge("red-c", query) == "ESTABLISHED_REPLY", "red has seen the other packet first"
        assert judge("red-c", late) == "NEW"
        assert judge("blue-s", error) == "INVALID"
        assert judge("red-s", error) == "RELATED_REPLY"


def test_expected_in_the_zone_of_the_master(tenants, judge):
    """What a helper has read in one zone is expected there."""
    restore(tenants.router, "raw", [
        *(f"PREROUTING -i {tenant}-+ -p tcp --dport 21 -j CT --zone {zone} --helper ftp"
          for tenant, zone in TENANTS.items() if zone),
        *(f"PREROUTING -i {tenant}-+ -j CT --zone {zone}" for tenant, zone in TENANTS.items() if zone)])
    data = frames.tcp(*hosts(False, True), 20, 40000, frames.SYN, 900, 0)
    with Daemon(tenants.router, ZONES + "[Track]\nHelpers=ftp\n[Log]\nTarget=console\n") as daemon:
        for tenant in ("blue", "red"):
            assert judge(f"{tenant}-c", frames.tcp(*hosts(False), 1000, 21, frames.SYN, 100, 0)) == "NEW"
            assert judge(f"{tenant}-s", frames.tcp(*hosts(False, True), 21, 1000,
                                                   frames.SYN | frames.ACK, 500, 101)) == "ESTABLISHED_REPLY"
            assert judge(f"{tenant}-c", frames.tcp(*hosts(False), 1000, 21, frames.ACK, 101, 501)) == "ESTABLISHED"
        for seq, line in ((101, b"USER me\r\n"), (110, b"PORT 10,1,0,2,156,64\r\n")):
            assert judge("red-c", frames.tcp(*hosts(False), 1000, 21, frames.ACK | frames.PSH, seq, 501,
                                             line)) == "ESTABLISHED"
        assert judge("blue-s", data) == "NEW"
        assert judge("red-s", data) == "RELATED"
        master = next(e for e in daemon.wait_events(2, event="new") if e["zone"] == "2")
        child = daemon.wait_events(1, event="related")[0]
        assert (child["zone"], child["master"]) == ("2", master["flow"])


def test_reload(tenants, judge):
    """A zone that is new takes effect at once; a flow of before is not found in it."""
    restore(tenants.router, "raw", [])
    query = frames.udp(*hosts(False), 1000, 53, b"query")
    with Daemon(tenants.router) as daemon:
        assert judge("blue-c", query) == "NEW"
        daemon.write_config(ZONES + "[Log]\nTarget=console\n")
        assert daemon.reload()
        restore(tenants.router, "raw", ["PREROUTING -i blue-+ -j CT --zone 1"])
        assert judge("blue-c", query) == "NEW"
        assert [e.get("zone") for e in daemon.wait_events(2, event="new")] == [None, "1"]
        daemon.write_config(ZONES.replace("Id=2", "Id=1"))
        assert daemon.reload()
        assert daemon.wait_line(r"\.conf:5: \[Zone red\] Id=1: is that of \[Zone blue\]")
        assert judge("blue-c", frames.udp(*hosts(False), 1001, 53)) == "NEW"
        assert daemon.wait_events(1, event="new", sport=1001, zone=1)


def test_interfaces_come_and_go(tenants):
    """The zone follows names: of a new interface, of one that is renamed, of one that was removed."""
    restore(tenants.router, "mangle", ["PREROUTING -j NFQUEUE --queue-num 0"])
    ports = iter(range(1000, 65000))

    def becomes(daemon, port, zone):
        """Sends first packets until one of them is in the zone."""
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            number = next(ports)
            tenants.send(port, frames.udp(*hosts(False), number, 53))
            seen = daemon.wait_events(1, event="new", sport=number)
            if seen and seen[0].get("zone") == zone:
                return True
        return False

    with Daemon(tenants.router, ZONES + "[Log]\nTarget=console\n") as daemon:
        assert becomes(daemon, "blue-c", "1")
        tenants.router.ip("link", "set", "blue-c", "name", "green")
        assert becomes(daemon, "blue-c", None)
        tenants.router.ip("link", "set", "green", "name", "red-9")
        assert becomes(daemon, "blue-c", "2"), "it matches a pattern"
        tenants.link("red-new", 2, CLIENT)
        assert becomes(daemon, "red-new", "2")
        tenants.router.ip("link", "del", "red-new")
        tenants.router.ip("link", "set", "red-9", "name", "blue-c")
        assert becomes(daemon, "blue-c", "1")
        assert becomes(daemon, "red-c", "2")


def test_queue(lab, nflog):
    """Where the interface is in no zone the queue decides, as for packets of the router itself."""
    router = lab.router
    for chain, match in (("PREROUTING", ("-i", "lan")), ("OUTPUT", ("-o", "wan"))):
        router.run("iptables", "-w", "-t", "mangle", "-A", chain, *match, "-j", "NFQUEUE",
                   "--queue-num", "1")
    router.run("iptables", "-w", "-t", "mangle", "-A", "PREROUTING", "-i", "wan", "-j", "NFQUEUE")
    config = "[Queue]\nRange=0-1\n[Zone q]\nId=3\nQueue=1\nInputInterface=wan\n[Log]\nTarget=console\n"
    with Daemon(router, config) as daemon:
        router.run("ping", "-n", "-c1", "-W5", netns.SERVER4)
        lab.client.run("ping", "-n", "-c1", "-W5", netns.SERVER4)
        new = daemon.wait_events(2, event="new")
        assert [(e["hook"], e["queue"], e["zone"]) for e in new] == [("OUTPUT", "1", "3"),
                                                                    ("PREROUTING", "1", "3")]
        replies = daemon.wait_events(2, event="reply")
        assert [(e["iif"], e["queue"], e["zone"]) for e in replies] == [("wan", "0", "3")] * 2
        daemon.write_config(config + "[Zone lan]\nId=4\nInputInterface=lan\n")
        assert daemon.reload()
        lab.client.run("ping", "-n", "-c1", "-W1", netns.SERVER4, check=False)
        assert daemon.wait_events(1, event="new", zone=4), "the interface goes before the queue"
        assert daemon.wait_events(1, event="invalid", reason="icmp-unasked", zone=3)
