# SPDX-License-Identifier: GPL-2.0-or-later
"""More of the load measurements: two queues at once, and the kernel's own conntrack for comparison."""

import contextlib

from lab.bench_load import (BURST, MODERATE, Load, alternate, awake, backlog, both, column, paced, resting)
from lab.bench_place import Ctmarkd, Nothing, cpus
from lab.bench_report import ratios

# --- two queues -----------------------------------------------------------------------------------

OPTIONS = {False: "balance", True: "fanout"}


@contextlib.contextmanager
def two_queues(place, fanout):
    cpu = cpus()
    with Nothing(place.router, 0, 1, cpu=cpu) as nothing, \
            Ctmarkd(place.router, 2, 3, cpu=cpu) as ctmarkd:
        nothing.fanout = ctmarkd.fanout = fanout
        with resting(place, nothing, ctmarkd) as pair:
            yield pair


def queues(report, place, quick):
    """two queues with a thread and a sender on each of two CPUs, which all compete; 256 flows"""
    load = Load(quick)
    traffic = {"flows": 256, "senders": cpus()}
    for fanout, option in OPTIONS.items():
        with two_queues(place, fanout) as pair:
            turns = {
                "backlog": alternate(pair, load.backlogs // 4, lambda who: backlog(place, who, **traffic)),
                "paced": alternate(pair, load.paced // 2,
                                   lambda who: paced(place, who, load.seconds, **traffic)),
            }
        report.count("queues", **{option: turns})
        tell_queues(report, option, turns)


def tell_queues(report, option, turns):
    def pairs(kind, key):
        return column(turns, kind, "ctmarkd", key), column(turns, kind, "nothing", key)

    words = "--queue-balance" if option == "balance" else "--queue-cpu-fanout"
    report.add("queues", f"{option}-rate", "", ratios(*pairs("backlog", "rate")),
               f"{words}: packets per second of CPU time, ctmarkd / loop")
    report.add("queues", f"{option}-cpu", "", ratios(*pairs("paced", "ns")),
               f"{words}: CPU time per packet, ctmarkd / loop")
    for kind, key, unit in (("backlog", "wall", "packets/s"), ("paced", "ns", "ns")):
        for own, label in zip(pairs(kind, key), ("ctmarkd", "loop")):
            what = "packets per second, full queues" if unit != "ns" else "CPU time per packet"
            report.add("queues", f"{option}-{label}-{kind}", unit, own, f"{words}: {what}, {label}")


# --- the kernel's conntrack -----------------------------------------------------------------------

class Kernel:
    """Nobody answers a queue: there is none, and the kernel's conntrack is on or off."""

    def __init__(self, place, name, on):
        self.place, self.name, self.on, self.port = place, name, on, 999

    @contextlib.contextmanager
    def at_work(self):
        with self.place.conntrack("INPUT") if self.on else contextlib.nullcontext():
            yield

    def cpu_ns(self):
        return 0


@contextlib.contextmanager
def at_work(who):
    with who.at_work() if isinstance(who, Kernel) else awake(who):
        yield


def all_in(place, who, seconds):
    """
    CPU time of a packet from the sender's system call to the socket where it ends, at a moderate rate; that of
    whoever answers the queue included.
    """
    with at_work(who):
        cpu = who.cpu_ns()
        sent = place.blast(seconds=seconds, rate=MODERATE, burst=BURST, port=who.port, flows=256)
        if not isinstance(who, Kernel):
            who.drain()
        own = who.cpu_ns() - cpu
    return {"ns": (sent["cpu_ns"] + own) / max(sent["sent"], 1), "sent": sent["sent"]}


def full_speed(place, who, seconds):
    """Packets per second that one sender gets through without any queue."""
    with at_work(who):
        sent = place.blast(seconds=seconds, port=who.port, flows=256)
    return {"rate": sent["sent"] * 1e9 / (sent["end_ns"] - sent["begin_ns"])}


def conntrack(report, place, quick):
    """the way of a packet to a socket: bare, with the kernel's conntrack, and through a queue; 256 flows"""
    load = Load(quick)
    bare, kernel = Kernel(place, "bare", False), Kernel(place, "kernel", True)
    with contextlib.ExitStack() as stack:
        pair = stack.enter_context(both(place))
        for port in {who.port for who in (bare, *pair)}:
            stack.enter_context(place.sink(port))
        cost = alternate((bare, kernel, *pair), load.paced, lambda who: all_in(place, who, load.seconds))
        speed = alternate((bare, kernel), load.paced, lambda who: full_speed(place, who, load.seconds))
    report.count("conntrack", cost=cost, speed=speed)
    tell_conntrack(report, cost, speed)


def tell_conntrack(report, cost, speed):
    ns = {who: [turn["ns"] for turn in turns] for who, turns in cost.items()}
    rate = {who: [turn["rate"] for turn in turns] for who, turns in speed.items()}
    report.add("conntrack", "rate", "", ratios(rate["kernel"], rate["bare"]),
               "packets per second of one sender, conntrack / bare")
    for who, label in (("bare", "bare"), ("kernel", "conntrack")):
        report.add("conntrack", f"{label}-rate", "packets/s", rate[who], f"packets per second, {label}")
    report.add("conntrack", "bare", "ns", ns["bare"], "CPU time of a packet, all in: bare")
    for who, label in (("kernel", "conntrack"), ("nothing", "queue and loop"), ("ctmarkd", "queue and ctmarkd")):
        report.add("conntrack", f"{who}-added", "ns", [a - b for a, b in zip(ns[who], ns["bare"])],
                   f"added to that by {label}")
