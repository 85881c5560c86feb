# SPDX-License-Identifier: GPL-2.0-or-later
"""Socket memory: MaxPackets= packets can wait, whatever they are, or the daemon says they cannot."""

import signal
import socket
import time

import pytest

from lab import netns, rules
from lab.daemon import Daemon
from lab.queues import kernel_queues

SO_SNDBUFFORCE = 32
IP_MTU_DISCOVER, IP_PMTUDISC_DONT = 10, 0


def flood(space, address, count, size):
    """Datagrams that all wait in the sender's own memory if they have to."""
    with space.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.setsockopt(socket.SOL_SOCKET, SO_SNDBUFFORCE, 512 << 20)
        s.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT)
        s.connect((address, 5353))
        for _ in range(count):
            s.send(bytes(size))


def waiting_and_lost(space, count):
    """(packets waiting, lost because the queue was full, because its socket was)"""
    deadline = time.monotonic() + 5
    while sum(kernel_queues(space)[0][1:4]) < count and time.monotonic() < deadline:
        time.sleep(0.01)
    return kernel_queues(space)[0][1:4]


@pytest.fixture
def silent(lab):
    """Nobody answers what was let through."""
    for space, chain in ((lab.server, "INPUT"), (lab.router, "INPUT")):
        space.run("iptables", "-w", "-A", chain, "-p", "udp", "-j", "DROP")
    return lab


def thaw(daemon):
    daemon.kill(signal.SIGCONT)
    assert daemon.stop(timeout=30) == 0
    assert daemon.wait_line("Stopped: ").endswith(", 0 drops")


@pytest.mark.parametrize("count", [None, 32768])
def test_every_packet_has_room(silent, count):
    rules.queue(silent.router, families=("iptables",))
    config = {"Queue": {"MaxPackets": count} if count else {}, "Log": {"Events": "destroy"}}
    with Daemon(silent.router, config) as daemon:
        daemon.freeze()
        flood(silent.client, netns.SERVER4, count or 8192, 1400)
        assert waiting_and_lost(silent.router, count or 8192) == (count or 8192, 0, 0)
        flood(silent.client, netns.SERVER4, 10, 1400)
        assert waiting_and_lost(silent.router, (count or 8192) + 10) == (count or 8192, 10, 0)
        daemon.kill(signal.SIGCONT)
        assert daemon.stop(timeout=30) == 0
    assert "ReceiveBuffer" not in "\n".join(daemon.lines)


@pytest.mark.parametrize("copied,size", [("auto", 1700), ("9216", 8900), ("16384", 16000),
                                         ("65535", 16000), ("65535", 65507)])
def test_large_packets_have_room(silent, copied, size):
    """Over the loopback device, which takes them whole."""
    rules.queue(silent.router, families=("iptables",), chains=("OUTPUT",))
    config = {"Queue": {"MaxPackets": "500", "CopyRange": copied}, "Log": {"Events": "destroy"}}
    with Daemon(silent.router, config) as daemon:
        daemon.freeze()
        flood(silent.router, "127.0.0.1", 500, size)
        assert waiting_and_lost(silent.router, 500) == (500, 0, 0)
        thaw(daemon)
    assert "ReceiveBuffer" not in "\n".join(daemon.lines)


def test_room_grows_with_what_is_copied(silent):
    rules.queue(silent.router, families=("iptables",), chains=("OUTPUT",))
    config = {"Queue": {"MaxPackets": "500"}, "Log": {"Events": "destroy"}}
    with Daemon(silent.router, config) as daemon:
        config["Queue"]["CopyRange"] = "65535"
        daemon.write_config(config)
        assert daemon.reload()
        flood(silent.router, "127.0.0.1", 1, 10)  # and whatever else the worker had to do
        time.sleep(0.5)
        daemon.freeze()
        flood(silent.router, "127.0.0.1", 500, 65507)
        assert waiting_and_lost(silent.router, 500) == (500, 0, 0)
        thaw(daemon)
    assert "ReceiveBuffer" not in "\n".join(daemon.lines)


def test_too_small_is_said_once(silent):
    rules.queue(silent.router, families=("iptables",))
    config = {"Queue": {"Range": "0-1", "ReceiveBuffer": "1M"}, "Log": {"Events": "destroy"}}
    with Daemon(silent.router, config) as daemon:
        daemon.freeze()
        flood(silent.client, netns.SERVER4, 8192, 1400)
        waiting, full, lost = waiting_and_lost(silent.router, 8192)
        assert (waiting + lost, full) == (8192, 0)
        assert waiting < 1100
        daemon.kill(signal.SIGCONT)
        assert daemon.stop(timeout=30) == 0
    said = [line for line in daemon.lines if "ReceiveBuffer=1048576" in line]
    assert len(said) == 1
    assert "each queue gets 1048576 bytes, which may hold no more than 451 of MaxPackets=8192 " \
        "packets with 2048 bytes copied; all take 17891328" in said[0]


def test_too_small_after_a_reload(lab):
    config = {"Queue": {"ReceiveBuffer": "18M"}}
    with Daemon(lab.router, config) as daemon:
        config["Queue"]["CopyRange"] = "9216"
        daemon.write_config(config)
        assert daemon.reload()
        assert daemon.reload()
        assert daemon.stop() == 0
    assert len([line for line in daemon.lines if "with 9216 bytes copied" in line]) == 1
    assert len([line for line in daemon.lines if "ReceiveBuffer=" in line]) == 1


def test_granted_too_little(lab):
    """In a container, whose root may not go beyond the sysctl."""
    alone = ["unshare", "--user", "--map-root-user", "--net"]
    with Daemon(lab.router, prefix=alone) as daemon:
        said = daemon.wait_line("ReceiveBuffer=auto: each queue gets ")
    assert "of MaxPackets=8192 packets" in said
