# SPDX-License-Identifier: GPL-2.0-or-later
"""
Many flows that expire together, while single packets have to go on.

A table is filled with flows of one short timeout. When their time has come, probes at a steady pace show how long a
packet has to wait for its verdict, and a sample of the DESTROY records, one a millisecond, how late flows end. That
is done twice: as the flows come due, in the order and the time in which they were made; and at once, by stopping
the daemon from before the first deadline until after the last. Not pinned: the thread that ends flows and the one
that answers the queue each have a CPU if there are two. Both contenders are of high priority, so that other
programs of the machine do not make a packet look slow.
"""

import contextlib
import re
import subprocess
import time

from lab.bench_place import PREFERRED, Ctmarkd, Nothing, prefer
from lab.bench_report import ratios
from lab.daemon import Daemon

PROBES = 2000  # packets per second
FILL_RATE = 250000
BURST = 32
PORT = 1000
NET_FIRST, NET_HOSTS, PORT_FIRST = 198 << 24 | 18 << 16, 1 << 17, 1024  # of blast.c
NS = 1000000000


class Plan:
    """How many flows, and for how many seconds what."""

    def __init__(self, quick):
        self.flows, self.timeout = (20000, 2) if quick else (1000000, 20)
        self.idle, self.quiet, self.jitter = (0.2, 0.3, 1) if quick else (5, 5, 10)
        self.after, self.times = (1.5, 1) if quick else (4, 3)
        self.config = {
            "Track": {"MaxFlows": self.flows * 6 // 5},
            "Timeouts": {"UDP": f"{self.timeout}s", "UDPStream": f"{self.timeout}s"},
            "Log": {"Target": "console", "Events": "destroy", "RateLimit": "1000/s", "Burst": "1"},
        }


class TimedDaemon(Daemon):
    """Knows when each line came."""

    def _read(self):
        self.times = []
        for line in self.process.stdout:
            self.times.append(time.monotonic_ns())
            self.lines.append(line.rstrip("\n"))


def percentiles(took):
    """Of delays in nanoseconds; the result is in milliseconds."""
    took = sorted(took)
    if not took:
        raise RuntimeError("no probe came through")
    return {"probes": len(took), "p50": took[len(took) // 2] / 1e6, "p99": took[int(len(took) * 0.99)] / 1e6,
            "p999": took[int(len(took) * 0.999)] / 1e6, "max": took[-1] / 1e6}


def delays(samples, begin_ns=0, end_ns=1 << 62):
    """Percentiles of the probes sent in a time, and how many were lost."""
    inside = [took for sent, took in samples if begin_ns <= sent < end_ns]
    return percentiles([took for took in inside if took >= 0]) | {"lost": sum(took < 0 for took in inside)}


# --- the machine's own jitter ---------------------------------------------------------------------

@contextlib.contextmanager
def busy():
    """A process that uses all of a CPU, as the thread that ends flows does for a moment."""
    hog = subprocess.Popen([*PREFERRED, "sh", "-c", "while :; do :; done"])
    prefer(hog.pid)
    try:
        yield
    finally:
        hog.kill()
        hog.wait()


def jitter(place, seconds):
    """Delays through the loop that does nothing: alone, and beside a busy process."""
    found = {}
    with Nothing(place.router, 0):
        place.queue("--queue-num 0")
        for name, beside in (("alone", contextlib.nullcontext()), ("beside", busy())):
            with beside, place.probing(PROBES, seconds) as probe:
                found[name] = delays(probe.samples())
    place.queue()
    return found


# --- ctmarkd --------------------------------------------------------------------------------------

class Deadlines:
    """When the flows of a fill are due, as far as the pace of the sender tells."""

    def __init__(self, sent, timeout):
        self.begin, self.end = sent["begin_ns"], sent["end_ns"]
        self.timeout = timeout * NS
        self.flows = sent["sent"]
        self.first, self.last = self.begin + self.timeout, self.end + self.timeout

    def of(self, line):
        """Of the flow in a DESTROY record, None if it is not one of the fill."""
        found = re.search(r"\bsrc=(\d+)\.(\d+)\.(\d+)\.(\d+) sport=(\d+) ", line)
        if not found:
            return None
        a, b, c, d, port = map(int, found.groups())
        flow = (a << 24 | b << 16 | c << 8 | d) - NET_FIRST + (port - PORT_FIRST) * NET_HOSTS
        if not 0 <= flow < self.flows:
            return None
        return self.begin + (self.end - self.begin) * flow // self.flows + self.timeout


def fill(place, ctmarkd, plan):
    sent = place.blast(flows=plan.flows, packets=plan.flows, rate=FILL_RATE, burst=BURST, port=PORT)
    ctmarkd.drain()
    return Deadlines(sent, plan.timeout)


def sleep_until(when_ns):
    time.sleep(max(0, when_ns - time.monotonic_ns()) / NS)


def idle_percent(ctmarkd, seconds):
    """CPU time of all threads while no packet comes, in percent of one CPU."""
    before, begin = ctmarkd.cpu_ns(""), time.monotonic_ns()
    time.sleep(seconds)
    return 100 * (ctmarkd.cpu_ns("") - before) / (time.monotonic_ns() - begin)


def ended(daemon, since, deadlines, due=None):
    """
    What the DESTROY records from a line on say: how long it took from the first to the last, and how late they were
    against their deadlines, or against the time when the daemon could see to them.
    """
    late, seen = [], []
    for line, when in zip(daemon.lines[since:], daemon.times[since:]):
        deadline = deadlines.of(line) if "event=destroy" in line else None
        if deadline is not None:
            seen.append(when)
            late.append((when - max(deadline, due or 0)) / NS)
    if not late:
        raise RuntimeError("no flow of the fill was seen to end")
    return {"records": len(late), "seconds": (seen[-1] - seen[0]) / NS, "late_max": max(late), "late_last": late[-1],
            "last_ns": seen[-1]}


def wait_empty(ctmarkd, atmost, seconds):
    """Until hardly a flow is left. Returns how many are."""
    end = time.monotonic() + seconds
    while (left := ctmarkd.flows()) > atmost and time.monotonic() < end:
        pass
    return left


def as_they_come(place, ctmarkd, plan):
    """The quiet time before, and the flows ending one after the other."""
    daemon = ctmarkd.daemon
    deadlines = fill(place, ctmarkd, plan)
    flows = ctmarkd.flows()
    spare = (deadlines.first - time.monotonic_ns()) / NS - plan.quiet - 1
    idle = idle_percent(ctmarkd, max(0.1, min(plan.idle, spare)))
    since = len(daemon.lines)
    sleep_until(deadlines.first - int((plan.quiet + 0.5) * NS))
    begin = time.monotonic_ns()
    with place.probing(PROBES, (deadlines.last - begin) / NS + 1.5) as probe:
        samples = probe.samples()
    left = wait_empty(ctmarkd, 300, 5)
    end = ended(daemon, since, deadlines)
    return {"flows": flows, "left": left, "idle": idle, "ended": end,
            "quiet": delays(samples, begin, deadlines.first - NS // 10),
            "during": delays(samples, deadlines.first, end["last_ns"])}


def at_once(place, ctmarkd, plan):
    """All flows due in the same moment."""
    daemon = ctmarkd.daemon
    deadlines = fill(place, ctmarkd, plan)
    flows = ctmarkd.flows()
    since = len(daemon.lines)
    sleep_until(deadlines.first - NS // 5)
    ctmarkd.rest()
    sleep_until(deadlines.last + NS // 5)
    with place.probing(PROBES, plan.after) as probe:
        time.sleep(0.2)
        due = time.monotonic_ns()
        ctmarkd.wake()
        samples = probe.samples()
    left = wait_empty(ctmarkd, 300, 5)
    end = ended(daemon, since, deadlines, due)
    # what came while it was stopped waits no longer than this for its turn
    return {"flows": flows, "left": left, "ended": end,
            "during": delays(samples, due + NS // 50, max(end["last_ns"], due + NS // 10))}


def observe(place, plan):
    """One life of a daemon."""
    ctmarkd = Ctmarkd(place.router, 0, config=plan.config)
    ctmarkd.daemon.__class__ = TimedDaemon
    with ctmarkd:
        place.queue("--queue-num 0")
        found = {"as_they_come": as_they_come(place, ctmarkd, plan), "at_once": at_once(place, ctmarkd, plan)}
        place.queue()
    return found


# --- figures --------------------------------------------------------------------------------------

def tell(report, flows, lives):
    """The figures of all lives."""
    def of(*path):
        values = []
        for life in lives:
            for key in path:
                life = life[key]
            values.append(life)
        return values

    report.add("expiry", "delay-max", "ms", of("at_once", "during", "max"),
               f"{flows:,} flows due at once: longest delay of a packet")
    report.add("expiry", "destroy-late", "s",
               [max(a, b) for a, b in zip(of("at_once", "ended", "late_max"), of("as_they_come", "ended", "late_max"))],
               "latest DESTROY behind its deadline")
    report.add("expiry", "idle", "%", of("as_they_come", "idle"), "of one CPU, while no packet comes")
    report.add("expiry", "delay-ratio", "", ratios(of("at_once", "during", "p99"), of("as_they_come", "quiet", "p99")),
               "delay of a packet, p99: while they end / before")
    report.add("expiry", "at-once-seconds", "s", of("at_once", "ended", "seconds"), "until the last of them had ended")
    for key in ("p999", "p99", "p50"):
        report.add("expiry", f"at-once-{key}", "ms", of("at_once", "during", key), f"delay meanwhile, {key}")
    for key in ("max", "p999", "p99", "p50"):
        report.add("expiry", f"coming-{key}", "ms", of("as_they_come", "during", key),
                   f"delay while they expire as they were made, {key}")
    for key in ("max", "p999", "p99", "p50"):
        report.add("expiry", f"quiet-{key}", "ms", of("as_they_come", "quiet", key), f"delay before, full table, {key}")


def tell_jitter(report, own):
    for name, words in (("alone", "loop"), ("beside", "loop beside a busy process")):
        for key in ("max", "p999", "p99", "p50"):
            report.add("expiry", f"loop-{name}-{key}", "ms", [own[name][key]], f"delay through the {words}, {key}")


def expiry(report, place, quick):
    """the delay of single packets while very many flows expire, and how late the flows end"""
    plan = Plan(quick)
    own = jitter(place, plan.jitter)
    lives = [observe(place, plan) for _ in range(plan.times)]
    report.count("expiry", flows=plan.flows, loop=own, ctmarkd=lives)
    tell(report, plan.flows, lives)
    tell_jitter(report, own)
