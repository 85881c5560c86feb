# SPDX-License-Identifier: GPL-2.0-or-later
"""A journal that is slow, or has no room on its disk: records are missing, packets are not."""

import threading
import time

import pytest

from lab import frames, netns
from lab.daemon import Daemon
from lab.journald import Journald
from test_overload import Pings, silence

MANY = 40000
LOG = {"Target": "journal", "Events": "new", "RateLimit": "1000000/s", "Burst": "1000000"}


@pytest.fixture(name="journal")
def _journal():
    with Journald() as journal:
        yield journal


class Slow:
    """A journal that works a twentieth of the time."""

    def __init__(self, journal):
        self.journal = journal
        self.done = False
        self.thread = threading.Thread(target=self._slow, daemon=True)

    def __enter__(self):
        self.thread.start()

    def __exit__(self, *exc):
        self.done = True
        self.thread.join()

    def _slow(self):
        while not self.done:
            self.journal.pause()
            time.sleep(0.095)
            self.journal.resume()
            time.sleep(0.005)


def send_flows(lab, first, count):
    """Beside pings none of which is lost; returns the slowest answer in ms."""
    with lab.client.raw("eth0") as wire, Pings(lab) as pings:
        for n in range(first, first + count):
            wire.send(frames.ethernet(frames.udp(netns.CLIENT4, netns.SERVER4, 1024 + n % 60000,
                                                 1024 + n // 60000, b"x")))
            if n % 50 == 49:
                time.sleep(0.002)
    assert pings.slowest < 2000, "nobody waits for the journal"
    return pings.slowest


def new_flows(journal):
    """How many records there are."""
    text = journal.journalctl("-o", "cat", "--output-fields=CTMARK_PROTO", "CTMARK_EVENT=new",
                              "CTMARK_PROTO=udp")
    return text.count("udp\n")


def dropped(journal):
    return sum(int(r["CTMARK_DROPPED"]) for r in journal.records(CTMARK_EVENT="log-dropped"))


def test_slow_journal(lab, journal, capsys):
    silence(lab)
    with Daemon(lab.router, {"Log": LOG}, prefix=journal.enter()) as daemon:
        with Slow(journal):
            slowest = send_flows(lab, 0, MANY)
        # as fast as it can again: nothing is missing any more
        assert daemon.notify.wait("STATUS=.* 0 drops")
        begin = time.monotonic()
        while new_flows(journal) + dropped(journal) < MANY and time.monotonic() - begin < 30:
            time.sleep(0.2)
        before = dropped(journal)
        send_flows(lab, MANY, 100)
        assert daemon.stop(timeout=30) == 0
    kept, lost = new_flows(journal), dropped(journal)
    assert kept + lost == MANY + 100, "each flow has a record or is in the sum of what is missing"
    assert lost == before > 0
    told = len(journal.records(CTMARK_EVENT="log-dropped"))
    assert told <= 12, "one a second"
    with capsys.disabled():
        print(f"\n{MANY} flows: {kept - 100} records, {lost} lost, told of in {told}; "
              f"slowest ping {slowest} ms")


@pytest.fixture(name="small")
def _small(journal):
    """A journal on a disk of 16 MiB."""
    journal.kill()
    where = str(journal.storage)
    journal.run("mount", "-t", "tmpfs", "-o", "size=16M", "small", where)
    journal.run("mount", "--bind", where, "/run/log/journal")
    journal.start()
    return journal


def test_full_disk(lab, small, capsys):
    """What journald cannot store is lost in there, where nobody is told; and only that."""
    silence(lab)
    with Daemon(lab.router, {"Log": LOG}, prefix=small.enter()) as daemon:
        send_flows(lab, 0, 10)
        assert new_flows(small) == 10
        small.run("sh", "-c", f"cat /dev/zero >{small.storage}/rest", check=False)
        slowest = send_flows(lab, 100, MANY // 2)
        assert daemon.notify.wait("STATUS=.* 0 drops")
        during = new_flows(small)
        small.run("rm", f"{small.storage}/rest")
        send_flows(lab, MANY, 10)
        end = time.monotonic() + 20
        while new_flows(small) < during + 10 and time.monotonic() < end:
            time.sleep(0.1)
        assert new_flows(small) >= during + 10
        assert daemon.stop(timeout=30) == 0
    assert during < MANY // 2
    with capsys.disabled():
        print(f"\nfull disk: {during} of {MANY // 2} records stored; slowest ping {slowest} ms")
