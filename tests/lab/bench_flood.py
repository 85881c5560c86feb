# SPDX-License-Identifier: GPL-2.0-or-later
"""
A flood of new connections against a table that is far too small for it.

Connections that were there before carry requests and answers all the time; new ones are opened all the time. The
router is their server, and it sees both directions of them: PREROUTING and OUTPUT are queued. The flood comes from
random sources, at a rate that the queue bears.
"""

import contextlib
import re
import threading
import time

from lab import netns
from lab.bench_place import Ctmarkd
from lab.echo import Echo

MAX_FLOWS = 65536
RATE = 100000  # packets per second of the flood
BURST = 16
PORT = 8000
OLD = 20  # connections that were there before
ANSWER_S = 3  # after which a request, or an attempt to connect, is given up
AT_ONCE_S = 0.9  # a SYN that was lost is sent again after one second


class Plan:
    def __init__(self, quick):
        self.before, self.seconds = (1, 2) if quick else (5, 20)


# --- the clients ------------------------------------------------------------------------------------

class Clients:
    """
    Requests on the old connections in turn, and new connections between them, until stop(). The counts are of
    the time since the last call of take().
    """

    def __init__(self, space):
        self._space = space
        self._old = [self._connect() for _ in range(OLD)]
        self._lock = threading.Lock()
        self._stop = False
        self.take(first=True)
        self._threads = [threading.Thread(target=self._loop, args=(turn,), daemon=True)
                         for turn in (self._ask, self._open)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exc):
        self._stop = True
        for thread in self._threads:
            thread.join()
        for one in self._old:
            one.close()

    def _connect(self):
        one = self._space.socket(timeout=ANSWER_S)
        one.connect((netns.LAN4, PORT))
        one.sendall(b"hello")  # request and answer: the connection is ASSURED
        if one.recv(100) != b"hello":
            raise OSError("the server closed the connection")
        return one

    def _loop(self, turn):
        while not self._stop:
            turn()
            time.sleep(0.01)

    def _note(self, kind, begin, good):
        with self._lock:
            self._counts[kind].append((time.monotonic() - begin) if good else None)

    def _ask(self):
        one = self._old[0]
        self._old = self._old[1:] + [one]
        begin, good = time.monotonic(), False
        with contextlib.suppress(OSError):
            one.sendall(b"question")
            good = one.recv(100) == b"question"
        self._note("requests", begin, good)

    def _open(self):
        begin, good = time.monotonic(), False
        with contextlib.suppress(OSError):
            self._connect().close()
            good = True
        self._note("connections", begin, good)

    def take(self, first=False):
        """What was counted, and counts from zero."""
        with self._lock:
            counts = None if first else self._counts
            self._counts = {"requests": [], "connections": []}
        return counts and {kind: summary(took) for kind, took in counts.items()}


def summary(took):
    good = sorted(t for t in took if t is not None)
    return {"tried": len(took), "answered": len(good), "at_once": sum(t < AT_ONCE_S for t in good),
            "p50_ms": 1000 * good[len(good) // 2] if good else None, "max_ms": 1000 * good[-1] if good else None}


# --- what is watched --------------------------------------------------------------------------------

def resent(*spaces):
    """TCP segments that were sent again."""
    total = 0
    for space in spaces:
        names, values = (line.split() for line in space.run("cat", "/proc/net/snmp").splitlines()
                         if line.startswith("Tcp:"))
        total += int(values[names.index("RetransSegs")])
    return total


def rss_kib(pid):
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as status:
        return int(re.search(r"VmRSS:\s+(\d+) kB", status.read())[1])


def told(lines):
    """Records about the table."""
    return {name: sum(words in line for line in lines)
            for name, words in (("full", "Table full"), ("filling", "Table filling"), ("early", "Making room"))}


def watch(place, ctmarkd, clients, seconds):
    """What happens in a time, flood or not."""
    before, again = ctmarkd.queues.read(), resent(place.client, place.router)
    clients.take()
    time.sleep(seconds)
    after = ctmarkd.queues.read()
    return clients.take() | {"resent": resent(place.client, place.router) - again, "rss_kib": rss_kib(ctmarkd.pid),
                             **{key: after[key] - before[key] for key in ("given", "full", "lost")}}


def observe(place, ctmarkd, plan, syn):
    """Before the flood, during its first seconds, until its end, and after it."""
    options = {"syn": True} if syn else {}
    found = {"start_rss_kib": rss_kib(ctmarkd.pid)}
    with Echo(place.router, netns.LAN4, PORT), Clients(place.client) as clients:
        found["before"] = watch(place, ctmarkd, clients, plan.before)
        with place.blasting(flows=1 << 32, order="scramble", rate=RATE, burst=BURST, seconds=plan.seconds + 60,
                            **options):
            found["filling"] = watch(place, ctmarkd, clients, 1.5)  # the table is full after two thirds of a second
            found["during"] = watch(place, ctmarkd, clients, plan.seconds)
            found["flows"] = ctmarkd.flows()
        ctmarkd.drain()
        found["after"] = watch(place, ctmarkd, clients, plan.before)
    return found


def life(place, plan, syn):
    """One daemon and one flood."""
    config = {"Track": {"MaxFlows": MAX_FLOWS}, "Log": {"Target": "console", "Events": "invalid"}}
    with Ctmarkd(place.router, 0, config=config) as ctmarkd:
        place.queue("--queue-num 0", chains=("PREROUTING", "OUTPUT"))
        found = observe(place, ctmarkd, plan, syn)
        place.queue()
        ctmarkd.daemon.stop(timeout=30)
    found["records"] = told(ctmarkd.daemon.lines)
    found["last"] = ctmarkd.daemon.lines[-1]
    return found


# --- figures ----------------------------------------------------------------------------------------

def percent(part, whole):
    return 100 * part / max(whole, 1)


def tell(report, name, found):
    during, before = found["during"], found["before"]
    offered = during["given"] + during["full"]

    def add(key, unit, value, what):
        report.add("flood", f"{name}-{key}", unit, [value], f"{name} flood: {what}")

    add("old", "%", percent(during["requests"]["answered"], during["requests"]["tried"]),
        f"requests on connections of before that were answered ({during['requests']['tried']})")
    add("old-ms", "ms", during["requests"]["p50_ms"] or 0, f"median time (before: {before['requests']['p50_ms']:.2f})")
    add("old-max", "ms", during["requests"]["max_ms"] or 0,
        f"longest time (before: {before['requests']['max_ms']:.2f})")
    add("new", "%", percent(during["connections"]["at_once"], during["connections"]["tried"]),
        f"new connections at the first attempt ({during['connections']['tried']})")
    add("new-late", "%", percent(during["connections"]["answered"], during["connections"]["tried"]),
        f"new connections within {ANSWER_S} s")
    add("resent", "", during["resent"], "TCP segments sent again")
    add("queue-lost", "%", percent(during["full"] + during["lost"], offered),
        "of all packets, lost by the queue itself")
    add("rate", "packets/s", offered / found["seconds"], "packets per second")
    add("rss", "MiB", (during["rss_kib"] - found["filling"]["rss_kib"]) / 1024,
        f"growth of the daemon, from a full table on ({found['filling']['rss_kib'] / 1024:.0f} MiB)")
    add("records", "", sum(found["records"].values()),
        "records about the table (" + ", ".join(f"{n} {key}" for key, n in found["records"].items()) + ")")


def flood(report, place, quick):
    """100000 new flows per second against MaxFlows=65536, beside connections of before and new ones"""
    plan = Plan(quick)
    for name, syn in (("UDP", False), ("SYN", True)):
        found = life(place, plan, syn) | {"seconds": plan.seconds}
        report.count("flood", **{name: found})
        tell(report, name, found)
