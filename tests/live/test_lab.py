# SPDX-License-Identifier: GPL-2.0-or-later
"""What the networks of other tests rely on: see tests/lab/netns.py."""

import os

import pytest

from lab import frames, netns
from lab.machine import Machine
from lab.services import poll

STRANGERS, ERRORS = 250, 600


def errors(space, six):
    """Unreachable destinations that a namespace had to tell of, whether or not it could."""
    names = ("Icmp6OutDestUnreachs", "Icmp6OutErrors") if six else ("IcmpOutDestUnreachs", "IcmpOutErrors")
    return sum(int(line.split()[1]) for line in space.run("nstat", "-asz", *names).splitlines()[1:])


@pytest.mark.parametrize("six", [False, True], ids=["ipv4", "ipv6"])
def test_errors_to_nobody_do_not_wait(lab, six):
    """
    The router tells strangers that their packets lead nowhere. Nobody answers for their addresses,
    and a ping is answered on every processor all the same.
    """
    net, nowhere = ("2001:db8:1::", "2001:db8:ffff::1") if six else ("192.0.2.", "203.0.113.1")
    lab.router.sysctl(ipv4__icmp_ratemask=0)
    with lab.client.raw("eth0") as wire:
        def tell():
            for n in range(STRANGERS):
                host = f"{net}{n + 4:x}" if six else f"{net}{n + 4}"
                wire.send(frames.ethernet(frames.udp(host, nowhere, 7, 7)))
            return errors(lab.router, six) >= ERRORS
        poll(tell)
        for cpu in sorted(os.sched_getaffinity(0)):
            out = lab.router.run("taskset", "-c", str(cpu), "ping", "-n", "-c5", "-i0.01", "-W1",
                                 "::1" if six else "127.0.0.1", check=False)
            assert " 5 received" in out, out


GROUP = "/sys/fs/cgroup/system.slice/same.service/cgroup.procs"


@pytest.mark.systemd
def test_machines_do_not_share_groups():
    """Services of one name in two machines: each finds its own process in its group, and stops alone."""
    with Machine() as one, Machine() as other:
        for machine in (one, other):
            machine.boot()
            machine.run("systemd-run", "--unit=same", "sleep", "1000")
        for machine in (one, other):
            assert machine.run("cat", GROUP).split() == [machine.show("same", "MainPID")]
        one.systemctl("stop", "same")
        assert other.show("same", "ActiveState") == "active"
        assert other.run("cat", GROUP).split() == [other.show("same", "MainPID")]
