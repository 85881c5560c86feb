# SPDX-License-Identifier: GPL-2.0-or-later
"""
A very large table that is filled to the last flow, goes on getting new ones, and is left alone again.

What it takes of memory, how long single packets wait meanwhile, what is told of it, and whether it is empty at the
end without anybody's help.
"""

import re
import time

from lab.bench_expiry import PORT, PROBES, delays, wait_empty
from lab.bench_place import Ctmarkd

FILL_RATE = 150000
MORE_RATE = 100000
BURST = 32


class Plan:
    def __init__(self, quick):
        self.flows, self.timeout, self.more = (30000, 4, 1) if quick else (1 << 22, 100, 20)
        self.quiet = 0.5 if quick else 5
        self.config = {
            "Track": {"MaxFlows": self.flows},
            "Timeouts": {"UDP": f"{self.timeout}s", "UDPStream": f"{self.timeout}s"},
            "Log": {"Target": "console", "Events": "invalid"},
        }


def memory_kib(pid):
    """{"RssAnon": ..., "RssShmem": ..., "VmRSS": ...}"""
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as status:
        return {name: int(kib) for name, kib in re.findall(r"(\w+):\s+(\d+) kB", status.read())}


def probed(place, seconds):
    with place.probing(PROBES, seconds) as probe:
        return delays(probe.samples())


def told(lines):
    return {name: sum(words in line for line in lines)
            for name, words in (("full", "Table full"), ("filling", "Table filling"), ("early", "Making room"),
                                ("queue", "Queue 0: "))}


def fill(place, ctmarkd, plan):
    """In as many rounds as it takes: what the queue has lost is sent again."""
    begin = time.monotonic()
    while True:
        place.blast(flows=plan.flows, packets=plan.flows, rate=FILL_RATE, burst=BURST, port=PORT)
        ctmarkd.drain()
        if (flows := ctmarkd.flows()) >= plan.flows * 0.98 or time.monotonic() - begin > plan.timeout / 2:
            return {"seconds": time.monotonic() - begin, "flows": flows, "memory": memory_kib(ctmarkd.pid)}


def observe(place, plan):
    with Ctmarkd(place.router, 0, config=plan.config) as ctmarkd:
        place.queue("--queue-num 0")
        found = {"empty": probed(place, plan.quiet), "start": memory_kib(ctmarkd.pid)}
        found["fill"] = fill(place, ctmarkd, plan)
        found["full"] = probed(place, plan.quiet)
        with place.blasting(flows=1 << 32, order="scramble", rate=MORE_RATE, burst=BURST, port=PORT + 1,
                            seconds=plan.more + 60):
            found["more"] = probed(place, plan.more)
            found["more"] |= {"flows": ctmarkd.flows(), "memory": memory_kib(ctmarkd.pid)}
        ctmarkd.drain()
        found["left"] = wait_empty(ctmarkd, 300, plan.timeout + 10)
        found["after"] = probed(place, plan.quiet)
        place.queue()
        ctmarkd.daemon.stop(timeout=30)
    return found | {"records": told(ctmarkd.daemon.lines), "last": ctmarkd.daemon.lines[-1]}


def tell(report, plan, found):
    def add(key, unit, value, what):
        report.add("full", key, unit, [value], what)

    flows, memory = found["fill"]["flows"], found["fill"]["memory"]
    add("flows", "", flows, f"flows in a table of {plan.flows:,}, after {found['fill']['seconds']:.0f} s")
    add("memory", "MiB", memory["VmRSS"] / 1024, f"of the daemon (before: {found['start']['VmRSS'] / 1024:.0f} MiB)")
    add("per-flow", "bytes", (memory["VmRSS"] - found["start"]["VmRSS"]) * 1024 / max(flows, 1), "for each flow")
    add("growth", "MiB", (found["more"]["memory"]["VmRSS"] - memory["VmRSS"]) / 1024,
        f"growth while {MORE_RATE} more come in a second")
    add("left", "", found["left"], "flows left after their time")
    for key, words in (("empty", "empty table"), ("full", "full table"),
                       ("more", f"full table, {MORE_RATE} more in a second"), ("after", "empty again")):
        for part in ("p50", "p99", "max"):
            add(f"{key}-{part}", "ms", found[key][part], f"delay of a packet, {words}, {part}")
    add("records", "", sum(found["records"].values()),
        "records (" + ", ".join(f"{n} {key}" for key, n in found["records"].items()) + ")")


def full(report, place, quick):
    """four million flows: a table that is filled, gets more than it can hold, and is left alone"""
    plan = Plan(quick)
    found = observe(place, plan)
    report.count("full", **found)
    tell(report, plan, found)
