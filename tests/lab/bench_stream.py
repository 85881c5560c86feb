# SPDX-License-Identifier: GPL-2.0-or-later
"""
One TCP stream and single packets through the router: without a queue, with the kernel's conntrack, through the loop
that does nothing and through ctmarkd, in turn. Nothing is pinned: client, server and router share the CPUs.
"""

import contextlib
import json
import re
import statistics
import subprocess
import time

from lab import netns
from lab.bench_place import Ctmarkd, Nothing
from lab.bench_report import ratios

WAYS = ("bare", "conntrack", "loop", "ctmarkd")
LABELS = {"bare": "no queue", "conntrack": "the kernel's conntrack", "loop": "loop", "ctmarkd": "ctmarkd"}


class Ways:
    """with Ways(place) as ways: with ways.by("loop"): ... what passes the router goes that way."""

    def __init__(self, place):
        self.place = place
        self._stack = contextlib.ExitStack()

    def __enter__(self):
        with self._stack as stack:
            self.queued = {
                "loop": stack.enter_context(Nothing(self.place.router, 0)),
                "ctmarkd": stack.enter_context(Ctmarkd(self.place.router, 1)),
            }
            for who in self.queued.values():
                who.rest()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *exc):
        self._stack.__exit__(*exc)

    @contextlib.contextmanager
    def by(self, way):
        who = self.queued.get(way)
        self.place.queue(*([who.option()] if who else []))
        with self.place.conntrack("FORWARD") if way == "conntrack" else contextlib.nullcontext():
            if who:
                who.wake()
            try:
                yield who
            finally:
                self.place.queue()
                if who:
                    who.drain()
                    who.rest()

    def alternate(self, times, turn):
        """{way: [what turn() found, ...]}"""
        found = {way: [] for way in WAYS}
        for _ in range(times):
            for way in WAYS:
                with self.by(way) as who:
                    before = who and who.queues.read()
                    result = turn()
                    if who:
                        after = who.drain()
                        result["queue"] = {key: after[key] - before[key] for key in ("given", "full", "lost")}
                    found[way].append(result)
        return found


def stream(place, seconds):
    """One iperf3 stream from client to server."""
    with place.server.popen("iperf3", "-s", "-1", stdout=subprocess.DEVNULL) as server:
        try:
            time.sleep(0.2)
            said = json.loads(place.client.run("iperf3", "-J", "-c", netns.SERVER4, "-t", str(seconds),
                                               timeout=seconds + 30))
            server.wait(10)
        finally:
            server.kill()
    end = said["end"]
    return {"gbit": end["sum_received"]["bits_per_second"] / 1e9, "resent": end["sum_sent"]["retransmits"]}


def bulk(report, place, quick):
    """one TCP stream through the router, with the offloads of veth"""
    seconds, times = (1, 1) if quick else (2, 7)
    with Ways(place) as ways:
        found = ways.alternate(times, lambda: stream(place, seconds))
    report.count("bulk", **found)
    gbit = {way: [turn["gbit"] for turn in turns] for way, turns in found.items()}
    report.add("bulk", "rate", "", ratios(gbit["ctmarkd"], gbit["bare"]), "throughput, ctmarkd / no queue")
    report.add("bulk", "loop", "", ratios(gbit["ctmarkd"], gbit["loop"]), "throughput, ctmarkd / loop")
    report.add("bulk", "conntrack", "", ratios(gbit["ctmarkd"], gbit["conntrack"]),
               "throughput, ctmarkd / the kernel's conntrack")
    for way in WAYS:
        report.add("bulk", f"{way}-gbit", "Gbit/s", gbit[way], f"throughput, {LABELS[way]}")
    for way in ("loop", "ctmarkd"):
        report.add("bulk", f"{way}-lost", "", [t["queue"]["full"] + t["queue"]["lost"] for t in found[way]],
                   f"packets that the queue lost, {LABELS[way]}")


# --- single packets -------------------------------------------------------------------------------

def pings(place, count):
    """Round trips in microseconds, at 500 a second."""
    text = place.client.run("ping", "-n", "-i", "0.002", "-c", str(count), "-W", "1", netns.SERVER4,
                            timeout=60 + count * 0.01)
    times = sorted(1000 * float(ms) for ms in re.findall(r"time=([0-9.]+) ms", text))
    if not times:
        raise RuntimeError(f"no ping came back:\n{text[-500:]}")
    return {"sent": count, "received": len(times), "min": times[0], "p50": statistics.median(times),
            "mean": statistics.fmean(times), "p99": times[int(len(times) * 0.99)], "max": times[-1]}


def ping(report, place, quick):
    """round trips of single packets through the router, 500 a second: two crossings of the queue each"""
    count, times = (200, 1) if quick else (1000, 5)
    with Ways(place) as ways:
        found = ways.alternate(times, lambda: pings(place, count))
    report.count("ping", **found)
    of = {way: {key: [turn[key] for turn in turns] for key in turns[0] if key != "queue"}
          for way, turns in found.items()}
    report.add("ping", "ratio", "", ratios(of["ctmarkd"]["p50"], of["loop"]["p50"]),
               "median round trip, ctmarkd / loop")
    report.add("ping", "added", "µs", [a - b for a, b in zip(of["ctmarkd"]["p50"], of["bare"]["p50"])],
               "median round trip, ctmarkd - no queue")
    for way in WAYS:
        for key in ("min", "p50", "mean", "p99", "max"):
            report.add("ping", f"{way}-{key}", "µs", of[way][key], f"round trip, {key}: {LABELS[way]}")
    report.count("ping", lost={way: sum(of[way]["sent"]) - sum(of[way]["received"]) for way in WAYS})
