# SPDX-License-Identifier: GPL-2.0-or-later
"""
Very many flows are listed, counted and ended by ctmarkctl, and packets have to go on meanwhile.

How long each question takes on a quiet machine, with its output going nowhere; then how many packets of a flood pass
while flows are listed again and again, against as long a time without that.
"""

import contextlib
import re
import resource
import subprocess
import time

from lab.bench_expiry import BURST, FILL_RATE, PORT
from lab.bench_load import SETTLE
from lab.bench_place import Ctmarkd, cpus
from lab.bench_report import ratios
from lab.ctmarkctl import Ctl

# name: words of ctmarkctl
QUESTIONS = {
    "list": ("list",),
    "conntrack": ("list", "-o", "conntrack"),
    "json": ("list", "--json=short"),
    "sort": ("list", "--sort", "bytes", "--limit", "10"),
    "count": ("count", "-p", "udp"),
    "few": ("list", "--sport", "1"),
}


class Plan:
    def __init__(self, quick):
        self.flows, self.times, self.turns, self.seconds = (20000, 1, 1, 0.5) if quick else (1000000, 3, 5, 3)
        self.config = {
            "Queue": {"CPUAffinity": cpus()[1]},
            "Track": {"MaxFlows": self.flows * 6 // 5},
            "Timeouts": {"UDP": "1h", "UDPStream": "1h"},
        }


def fill(place, ctmarkd, plan):
    """What the queue has lost is sent again."""
    for _ in range(5):
        place.blast(flows=plan.flows, packets=plan.flows, rate=FILL_RATE, burst=BURST, port=PORT)
        ctmarkd.drain()
        if ctmarkd.flows() >= plan.flows:
            return ctmarkd.flows()
    raise RuntimeError(f"the table has {ctmarkd.flows()} flows, not {plan.flows}")


def timed(ctmarkd, ctl, words):
    """Seconds of one question: on the clock, and of the CPUs in ctmarkctl and in the daemon."""
    before, control, begin = used(), ctmarkd.cpu_ns("control"), time.monotonic()
    subprocess.run(ctl.words(*words), check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=300)
    return {"seconds": time.monotonic() - begin, "client": used() - before,
            "control": (ctmarkd.cpu_ns("control") - control) / 1e9}


def used():
    """CPU time of the processes that this one has waited for."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def lines(ctl):
    """Flows that a list has."""
    with ctl.popen("list", "--no-legend") as process:
        return sum(1 for _ in process.stdout)


@contextlib.contextmanager
def lister(ctl):
    """Lists again and again for as long as the block lasts."""
    words = ["sh", "-c", 'while "$@"; do :; done >/dev/null', "sh", *ctl.words("list")]
    with subprocess.Popen(words, start_new_session=True) as process:
        try:
            yield
        finally:
            subprocess.run(["kill", "--", f"-{process.pid}"], check=False)


def passing(place, ctmarkd, plan, beside):
    """Packets of a flood that pass in a second, and CPU time of the worker for each."""
    with place.blasting(seconds=plan.seconds + 2 * SETTLE, port=PORT, flows=256) as sender, beside:
        time.sleep(SETTLE)
        first, cpu, begin = ctmarkd.queues.read(), ctmarkd.cpu_ns(), time.monotonic()
        time.sleep(plan.seconds)
        last, ns, end = ctmarkd.queues.read(), ctmarkd.cpu_ns(), time.monotonic()
        sender.report()
    ctmarkd.drain()
    passed = last["passed"] - first["passed"]
    return {"rate": passed / (end - begin), "ns": (ns - cpu) / max(passed, 1), "passed": passed}


def flush(ctl):
    begin = time.monotonic()
    ended = int(re.match(r"\d+", ctl.text("flush"))[0])
    return {"ended": ended, "seconds": time.monotonic() - begin}


def observe(place, plan):
    with Ctmarkd(place.router, 0, config=plan.config) as ctmarkd:
        place.queue("--queue-num 0")
        ctl = Ctl(ctmarkd.daemon.control)
        found = {"flows": fill(place, ctmarkd, plan), "lines": lines(ctl)}
        found["questions"] = {name: [timed(ctmarkd, ctl, words) for _ in range(plan.times)]
                              for name, words in QUESTIONS.items()}
        found["alone"], found["beside"] = [], []
        for _ in range(plan.turns):
            found["alone"].append(passing(place, ctmarkd, plan, contextlib.nullcontext()))
            found["beside"].append(passing(place, ctmarkd, plan, lister(ctl)))
        place.queue()
        return found | {"flush": flush(ctl)}


def tell(report, found):
    for name, words in QUESTIONS.items():
        for key, what in (("seconds", ""), ("client", ": CPU time of it"), ("control", ": of the daemon for it")):
            report.add("list", name if key == "seconds" else f"{name}-{key}", "s",
                       [one[key] for one in found["questions"][name]], f"ctmarkctl {' '.join(words)}{what}")
    report.add("list", "flush", "s", [found["flush"]["seconds"]], f"ctmarkctl flush: {found['flush']['ended']:,} flows")
    for key, what in (("rate", "packets per second of a flood"), ("ns", "CPU time of the worker for a packet")):
        beside, alone = ([turn[key] for turn in found[who]] for who in ("beside", "alone"))
        report.add("list", f"{key}-ratio", "", ratios(beside, alone), f"{what}: while flows are listed / otherwise")


def listing(report, place, quick):
    """a million flows are listed, counted and ended, and what that costs packets"""
    found = observe(place, Plan(quick))
    report.count("list", **found)
    tell(report, found)
