# SPDX-License-Identifier: GPL-2.0-or-later
"""Large packets: longer than the copy range, longer than the MTU, and whole TCP streams."""

import json
import socket

import pytest

from lab import netns, rules
from lab.daemon import Daemon
from lab.queues import kernel_queues
from lab.services import listens, poll
from lab.traffic import Traffic

SIX = pytest.mark.parametrize("six", [False, True], ids=["ipv4", "ipv6"])


@SIX
@pytest.mark.parametrize("size", [0, 1, 200, 229, 230, 1400, 1472])
def test_datagrams_around_the_copy_range(lab, nflog, six, size):
    """The checksum is not verified where the copy ends early, and then nothing is held against it."""
    size -= 20 * six if size > 1400 else 0
    rules.queue(lab.router)
    with Daemon(lab.router):
        client, server = Traffic(lab, nflog, six).udp_pair(5353)
        with client, server:
            client.send(b"q" * size)
            data, peer = server.recvfrom(2000)
            assert data == b"q" * size
            server.sendto(data, peer)
            assert client.recv(2000) == data
    assert [p.mark for p in nflog.wait(2)] == [0xa, 0xb]


@SIX
def test_bulk_tcp_with_large_segments(lab, nflog, six):
    """One stream both ways with the offloads of veth on: nothing is lost, nothing INVALID."""
    size = 32 << 20
    rules.queue(lab.router)
    with Daemon(lab.router) as daemon:
        traffic = Traffic(lab, nflog, six)
        server = lab.server.popen("iperf3", "-s", "-1", stdout=-3, stderr=-3)
        try:
            poll(lambda: listens(server.pid, "tcp", 5201), what="iperf3")
            report = json.loads(lab.client.run("iperf3", "-J", "-c", traffic.server, "-n", str(size),
                                               "--bidir", timeout=60))
            server.wait(10)
        finally:
            server.kill()
            server.wait()
        # the size ends the test for both directions; which of them is faster is chance
        received = [report["end"][key]["bytes"]
                    for key in ("sum_received", "sum_received_bidir_reverse")]
        assert sum(received) > size // 2
        assert min(received) > 1 << 20
        assert daemon.events(event="invalid") == []
        assert kernel_queues(lab.router)[0][2:4] == (0, 0)
    marks = {p.mark for p in nflog.seen}
    assert marks == {0xa, 0x8, 0xb}
    assert max(p.packet.length for p in nflog.seen) > 1514, "segments came unsplit"


def test_a_flow_counts_what_passed(lab, nflog):
    rules.queue(lab.router)
    with Daemon(lab.router, {"Timeouts": {"TCPTimeWait": "1s", "TCPClose": "1s"}}) as daemon:
        traffic = Traffic(lab, nflog, False)
        with traffic.tcp_server(9000) as listener, lab.client.socket() as client:
            client.connect((netns.SERVER4, 9000))
            server = listener.accept()[0]
            client.sendall(b"z" * 200000)
            got = 0
            while got < 200000:
                got += len(server.recv(65536))
            client.shutdown(socket.SHUT_WR)
            assert server.recv(1) == b""
            server.close()
        gone = daemon.wait_events(1, event="destroy", proto="tcp")[0]
    sizes = {CLIENT: [p.packet.length for p in nflog.seen if p.packet.src == CLIENT]
             for CLIENT in (netns.CLIENT4, netns.SERVER4)}
    assert int(gone["packets_orig"]) == len(sizes[netns.CLIENT4])
    assert int(gone["packets_reply"]) == len(sizes[netns.SERVER4])
    assert int(gone["bytes_orig"]) == sum(sizes[netns.CLIENT4]) >= 200000
    assert int(gone["bytes_reply"]) == sum(sizes[netns.SERVER4])
