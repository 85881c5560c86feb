# SPDX-License-Identifier: GPL-2.0-or-later
"""
Packets per second and CPU time per packet: ctmarkd and the loop that does nothing, in turn.

Both stay up through a measurement, each with a queue of its own, and are stopped while it is not their turn. What
comes to which port belongs to which queue. There are three kinds of turns:

    backlog  the queue is filled while nobody answers; then it is answered as fast as can be. This is what one CPU
             can do, and does not depend on the sender, which alone may not be able to overload a queue.
    paced    packets come at a rate that is easily borne: CPU time per packet, with all that waking up costs
    flood    packets come as fast as the sender can: what passes, and what is lost
"""

import contextlib
import os
import signal
import time

from lab.bench_place import Ctmarkd, Nothing, cpus, on_cpu
from lab.bench_report import ratios

BACKLOG = 8000  # packets, of the 8192 that a queue holds
MODERATE = 100000  # packets per second
BURST = 16
SETTLE = 0.3  # seconds until a flood is in full swing
PORT = 1000  # and up: of the queues


class Load:
    """How long and how often."""

    def __init__(self, quick):
        self.backlogs, self.paced, self.floods = (4, 2, 1) if quick else (80, 12, 3)
        self.seconds = 0.3 if quick else 0.8


# --- turns ----------------------------------------------------------------------------------------

@contextlib.contextmanager
def awake(who):
    who.wake()
    try:
        yield
    finally:
        who.rest()


def backlog(place, who, **traffic):
    """A full queue is answered."""
    before, cpu = who.queues.read(), who.cpu_ns()
    sent = place.blast(packets=BACKLOG, port=who.port, **traffic)
    filled = who.queues.read()
    with on_cpu(cpus()[0]):
        begin = time.monotonic()
        os.kill(who.pid, signal.SIGCONT)
        after = who.drain(pause=0.0005)
        seconds = time.monotonic() - begin
        time.sleep(0.005)  # until it sleeps, and its time is counted
    who.rest()
    passed = after["passed"] - before["passed"]
    ns = (who.cpu_ns() - cpu) / max(passed, 1)
    return {"rate": 1e9 / ns, "ns": ns, "wall": passed / seconds, "sent": sent["sent"],
            "waited": filled["waiting"], "passed": passed}


def paced(place, who, seconds, **traffic):
    """CPU time per packet at a moderate rate, and what was lost at that."""
    with awake(who):
        before, cpu = who.queues.read(), who.cpu_ns()
        sent = place.blast(seconds=seconds, rate=MODERATE, burst=BURST, port=who.port, **traffic)
        after = who.drain()
        time.sleep(0.005)
        cpu = who.cpu_ns() - cpu
    passed = after["passed"] - before["passed"]
    return {"ns": cpu / max(passed, 1), "sent": sent["sent"], "passed": passed,
            "full": after["full"] - before["full"], "lost": after["lost"] - before["lost"],
            "rate": sent["sent"] * 1e9 / max(sent["end_ns"] - sent["begin_ns"], 1)}


def flood(place, who, seconds, **traffic):
    """Packets per second that came through, and the losses."""
    with awake(who):
        before = who.queues.read()
        with place.blasting(seconds=seconds + SETTLE, port=who.port, **traffic) as sender:
            time.sleep(SETTLE)
            first, begin = who.queues.read(), time.monotonic()
            time.sleep(seconds * 0.9)
            last, end = who.queues.read(), time.monotonic()
            sent = sender.report()["sent"]
        after = who.drain()
    return {"rate": (last["passed"] - first["passed"]) / (end - begin), "sent": sent,
            **{key: after[key] - before[key] for key in ("given", "passed", "full", "lost")}}


@contextlib.contextmanager
def resting(place, *all_of_them):
    """Each has a queue, or some, and a port; nobody is awake."""
    rules = []
    for n, who in enumerate(all_of_them):
        who.port = PORT + n
        who.rest()
        rules += [f"-p {protocol} --dport {who.port} {who.option()}" for protocol in ("udp", "tcp")]
    place.queue(*rules)
    yield all_of_them


@contextlib.contextmanager
def both(place, config=None):
    """(the loop that does nothing, ctmarkd), on one CPU."""
    cpu = cpus()[1]
    with Nothing(place.router, 0, cpu=cpu) as nothing, \
            Ctmarkd(place.router, 1, cpu=cpu, config=config) as ctmarkd, \
            resting(place, nothing, ctmarkd) as pair:
        yield pair


def alternate(pair, times, turn):
    """{name: [what the turn found, ...]} of A B A B ..."""
    found = {who.name: [] for who in pair}
    for _ in range(times):
        for who in pair:
            found[who.name].append(turn(who))
    return found


def play(place, pair, load, **traffic):
    """All three kinds of turns, and the packets that came through in all of them."""
    came = place.dropped()
    turns = {
        "backlog": alternate(pair, load.backlogs, lambda who: backlog(place, who, **traffic)),
        "paced": alternate(pair, load.paced, lambda who: paced(place, who, load.seconds, **traffic)),
        "flood": alternate(pair, load.floods, lambda who: flood(place, who, load.seconds, **traffic)),
    }
    return turns, place.dropped() - came


# --- figures --------------------------------------------------------------------------------------

def column(turns, kind, who, key):
    return [turn[key] for turn in turns[kind][who]]


def share(turns, who, key):
    """Percent of a flood."""
    return [100 * turn[key] / turn["sent"] for turn in turns["flood"][who]]


def tell(report, name, turns):
    """The figures that all measurements of this kind have."""
    def pairs(kind, key):
        return column(turns, kind, "ctmarkd", key), column(turns, kind, "nothing", key)

    report.add(name, "rate", "", ratios(*pairs("backlog", "rate")),
               "packets per second of CPU time, full queue: ctmarkd / loop")
    report.add(name, "cpu", "", ratios(*pairs("paced", "ns")),
               f"CPU time per packet at {MODERATE // 1000} kpps: ctmarkd / loop")
    report.add(name, "own", "ns", [a - b for a, b in zip(*pairs("paced", "ns"))],
               "the same: ctmarkd - loop")
    for who, label in (("ctmarkd", "ctmarkd"), ("nothing", "loop")):
        report.add(name, f"{label}-rate", "packets/s", column(turns, "backlog", who, "rate"),
                   f"packets per second of CPU time, full queue: {label}")
        report.add(name, f"{label}-cpu", "ns", column(turns, "paced", who, "ns"),
                   f"CPU time per packet at {MODERATE // 1000} kpps: {label}")
        report.add(name, f"{label}-missing", "", [t["sent"] - t["passed"] for t in turns["paced"][who]],
                   f"packets lost at that rate: {label}")
        report.add(name, f"{label}-flood", "packets/s", column(turns, "flood", who, "rate"),
                   f"packets per second that pass of a flood: {label}")
        report.add(name, f"{label}-refused", "%", share(turns, who, "full"),
                   f"of the flood, found the queue full: {label}")


def udp_256(report, place, quick):
    """64-byte UDP payloads of 256 flows"""
    with both(place) as pair:
        turns, came = play(place, pair, Load(quick), flows=256)
    report.count("udp-256", came=came, turns=turns)
    tell(report, "udp-256", turns)


FLOWS = 1000000
ROOM = 1200000
FILL_RATE = 200000


def fill(place, ctmarkd, flows, passes=4):
    """Makes so many flows. Returns how many there are."""
    with awake(ctmarkd):
        for _ in range(passes):
            place.blast(flows=flows, packets=flows, rate=FILL_RATE, burst=BURST, port=ctmarkd.port)
            ctmarkd.drain()
            there = ctmarkd.flows()
            if there >= flows:
                break
    return there


def udp_1m(report, place, quick):
    """the same with a million flows in the table, in an order without any pattern"""
    flows = FLOWS // 10 if quick else FLOWS
    config = {"Track": {"MaxFlows": ROOM}, "Timeouts": {"UDP": "1h"}}
    with both(place, config) as pair:
        there = fill(place, pair[1], flows)
        turns, came = play(place, pair, Load(quick), flows=flows, order="scramble")
    report.count("udp-1m", flows=there, came=came, turns=turns)
    tell(report, "udp-1m", turns)
