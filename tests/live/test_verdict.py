# SPDX-License-Identifier: GPL-2.0-or-later
"""[Verdict] and --shadow."""

import struct
import threading

import pytest

from lab import frames, netlink, netns, rules
from lab.daemon import Daemon
from lab.queues import kernel_queues
from lab.traffic import Traffic

NFQUEUE = 3
MSG_PACKET, MSG_VERDICT, MSG_CONFIG = 0, 1, 2
ACCEPT = 1


class Consumer:
    """A second program on a queue: accepts everything and keeps the marks it was shown."""

    def __init__(self, space, queue):
        self.sock = netlink.open_socket(space)
        self.queue = queue
        self.marks = []
        for attribute in (netlink.attr(1, struct.pack("!BBH", 1, 0, 0)),
                          netlink.attr(2, struct.pack("!IB", 128, 2))):
            netlink.request(self.sock, NFQUEUE, MSG_CONFIG, queue, attribute)
        self.sock.settimeout(0.1)
        self._stop = False
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self):
        while not self._stop:
            try:
                buffer = self.sock.recv(1 << 18)
            except TimeoutError:
                continue
            for kind, body in netlink.messages(buffer):
                if kind == NFQUEUE << 8 | MSG_PACKET:
                    found = netlink.attrs(body)
                    self.marks.append(struct.unpack("!I", found.get(3, bytes(4)))[0])
                    verdict = struct.pack("!I", ACCEPT) + found[1][:4]
                    self.sock.send(netlink.message(NFQUEUE, MSG_VERDICT, self.queue,
                                                   netlink.attr(2, verdict)))

    def close(self):
        self._stop = True
        self._thread.join()
        self.sock.close()


@pytest.fixture
def consumer(lab):
    c = Consumer(lab.router, 5)
    yield c
    c.close()


@pytest.mark.parametrize("six", [False, True], ids=["ipv4", "ipv6"])
def test_invalid_is_dropped(lab, nflog, six):
    rules.queue(lab.router)
    with Daemon(lab.router, {"Verdict": {"Invalid": "drop"}}) as daemon:
        traffic = Traffic(lab, nflog, six)
        traffic.tcp_forged()
        assert daemon.wait_events(1, event="invalid", reason="tcp-seq-over")
        seen = nflog.settle()
    assert not [p for p in seen if p.packet.data == b"forged"]
    assert len(seen) >= 6, "the connection itself goes on"


def test_new_is_dropped_and_leaves_no_flow(lab, nflog):
    rules.queue(lab.router)
    with Daemon(lab.router, {"Verdict": {"New": "drop"}}) as daemon:
        client, server = Traffic(lab, nflog, False).udp_pair(5353)
        with client, server:
            client.send(b"one")
            client.send(b"two")
            server.settimeout(0.5)
            with pytest.raises(TimeoutError):
                server.recv(100)
    assert nflog.settle() == []
    assert daemon.events(event="new") == []


def test_established_is_dropped(lab, nflog):
    rules.queue(lab.router)
    with Daemon(lab.router, {"Verdict": {"Established": "drop"}}):
        client, server = Traffic(lab, nflog, False).udp_pair(5353)
        with client, server:
            client.send(b"query")
            server.sendto(b"answer", server.recvfrom(100)[1])
            client.settimeout(0.5)
            with pytest.raises(TimeoutError):
                client.recv(100)
    assert [p.mark for p in nflog.settle()] == [0xa]


def test_related_is_dropped(lab, nflog):
    rules.queue(lab.router)
    with Daemon(lab.router, {"Verdict": {"Related": "drop"}}):
        traffic = Traffic(lab, nflog, False)
        traffic.udp_closed(error=False)
        traffic.udp_late(error=False)
        seen = [p.mark for p in nflog.settle()]
    assert seen == [0xa, 0xa, 0xb]


def test_untracked_is_dropped(lab, nflog):
    rules.queue(lab.router)
    with Daemon(lab.router, {"Verdict": {"Untracked": "drop"}}):
        with lab.client.raw("eth0") as wire:
            wire.send(frames.ethernet(frames.icmp(netns.CLIENT6, netns.LAN6, 135, ttl=255,
                                                  data=bytes(16))))
        assert nflog.settle() == []


def test_class_is_handed_on_to_another_queue(lab, nflog, consumer):
    rules.queue(lab.router)
    with Daemon(lab.router, {"Verdict": {"New": "queue:5"}}):
        traffic = Traffic(lab, nflog, False)
        traffic.udp_query()
        traffic.ping()
        seen = [p.mark for p in nflog.settle()]
    assert consumer.marks == [0xa, 0xa], "the second program sees the mark"
    assert seen == [0xa, 0xb, 0xa, 0xb], "and hands the packet back to the rules"


def test_repeat_sends_the_packet_through_the_rules_again(lab, nflog):
    """The rule lets marked packets pass, as NF_REPEAT users write it."""
    lab.router.run("iptables", "-w", "-t", "mangle", "-A", "PREROUTING", "-m", "mark", "--mark",
                   "0xb/0xf", "-j", "ACCEPT")
    lab.router.run("iptables", "-w", "-t", "mangle", "-A", "PREROUTING", "-j", "NFQUEUE")
    with Daemon(lab.router, {"Verdict": {"Established": "repeat"}}):
        Traffic(lab, nflog, False).udp_query()
        assert [p.mark for p in nflog.settle()] == [0xa, 0xb]
    counters = lab.router.run("iptables", "-w", "-t", "mangle", "-nvxL", "PREROUTING")
    assert counters.splitlines()[2].split()[0] == "1", counters


def test_repeat_with_a_rule_that_clears_the_mark(lab, nflog):
    """Nothing tells that the packet was here before; it goes on all the same, after some rounds."""
    lab.router.run("iptables", "-w", "-t", "mangle", "-A", "PREROUTING", "-j", "MARK", "--set-mark",
                   "0")
    lab.router.run("iptables", "-w", "-t", "mangle", "-A", "PREROUTING", "-j", "NFQUEUE")
    with Daemon(lab.router, {"Verdict": {"New": "repeat"}}) as daemon:
        traffic = Traffic(lab, nflog, False)
        traffic.udp_query()
        traffic.ping()
        assert [p.mark for p in nflog.settle()] == [0xa, 0xb, 0xa, 0xb]
        assert kernel_queues(lab.router)[0][4] == 2 * 9 + 2
        assert daemon.wait_line("2 packets with the verdict repeat came back unmarked")


def test_shadow_leaves_marks_and_packets_alone(lab, nflog):
    lab.router.run("iptables", "-w", "-t", "mangle", "-A", "PREROUTING", "-j", "MARK", "--set-mark",
                   "0x1234")
    rules.queue(lab.router)
    config = {"Verdict": {"Invalid": "drop", "Related": "drop"}}
    with Daemon(lab.router, config, args=["--shadow"]) as daemon:
        traffic = Traffic(lab, nflog, False)
        traffic.udp_query()
        traffic.udp_closed()
        traffic.tcp_forged()
        seen = nflog.settle()
        assert daemon.wait_events(3, event="new")
        assert daemon.wait_events(1, event="invalid")
        assert daemon.wait_events(1, event="related")
    assert {p.mark for p in seen} == {0x1234}
    assert [p for p in seen if p.packet.data == b"forged"], "nothing is dropped"
