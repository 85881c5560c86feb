# SPDX-License-Identifier: GPL-2.0-or-later
"""
New connections: every packet is the first of a flow. ctmarkd without a log, with all of it to nowhere and with all of
it to a journal, and the loop that does nothing. Flows end after a second, so that the table never fills.

Apart from that, on a log in a file: whether what was written and what is said to be missing add up to what happened.
"""

import contextlib
import pathlib
import re
import tempfile

from lab.bench_load import BURST, Load, alternate, awake, backlog, column, paced, resting
from lab.bench_place import Ctmarkd, Nothing, cpus
from lab.bench_report import ratios
from lab.journald import Journald

ALL = "new reply assured state related destroy invalid"
SHORT = {"Track": {"MaxFlows": 1000000}, "Timeouts": {"UDP": "1s", "TCPSynSent": "1s"}}
NOWHERE = ["sh", "-c", 'exec "$@" >/dev/null 2>&1', "sh"]
NAMES = {"nothing": "loop", "none": "no log", "null": "all to /dev/null", "journal": "all to a journal"}


class NewFlows:
    """Numbers of flows that were not used before."""

    def __init__(self):
        self.next = 0

    def take(self, count):
        self.next += count
        return {"flows": count, "first": self.next - count}


def log(target, rate="0", events=ALL):
    return SHORT | {"Log": {"Target": target, "Events": events, "RateLimit": rate}}


@contextlib.contextmanager
def contenders(place, journal):
    """The four of them, on one CPU."""
    cpu = cpus()[1]
    with contextlib.ExitStack() as stack:
        found = [stack.enter_context(who) for who in (
            Nothing(place.router, 0, cpu=cpu),
            Ctmarkd(place.router, 1, cpu=cpu, config=log("none")),
            Ctmarkd(place.router, 2, cpu=cpu, config=log("console"), prefix=NOWHERE),
            Ctmarkd(place.router, 3, cpu=cpu, config=log("journal"), prefix=journal.enter()))]
        for who, name in zip(found, NAMES):
            who.name = name
        yield stack.enter_context(resting(place, *found))


def play(place, who, load, fresh):
    """Both kinds of turns, all packets being new flows."""
    def filled(one):
        with awake(one):  # what is due ends, and its log is written, before the queue is filled
            pass
        return backlog(place, one, **fresh.take(8000))

    def at_pace(one):
        cpu = one.cpu_ns("")
        turn = paced(place, one, load.seconds, **fresh.take(int(load.seconds * 200000)))
        turn["all_ns"] = (one.cpu_ns("") - cpu) / max(turn["passed"], 1)
        return turn

    return {"backlog": alternate(who, load.backlogs // 2, filled), "paced": alternate(who, load.paced, at_pace)}


def tell(report, turns):
    def of(kind, who, key):
        return column(turns, kind, who, key)

    for who in ("none", "null", "journal"):
        report.add("new", f"{who}-rate", "", ratios(of("backlog", who, "rate"), of("backlog", "nothing", "rate")),
                   f"new flows per second of a worker's CPU time: {NAMES[who]} / loop")
    for who, name in NAMES.items():
        report.add("new", f"{who}-per-second", "flows/s", of("backlog", who, "rate"), f"the same, {name}")
    for who, name in NAMES.items():
        report.add("new", f"{who}-cpu", "ns", of("paced", who, "ns"), f"CPU time of the worker per new flow: {name}")
        report.add("new", f"{who}-all", "ns", of("paced", who, "all_ns"), f"of all threads, with their end: {name}")


# --- does it add up? ------------------------------------------------------------------------------

def numbers(pattern, text):
    return [int(n.replace(",", "")) for n in re.findall(pattern, text)]


def account(text):
    """What a log says was written and was not, and what the daemon says happened."""
    seen, alive = (numbers(pattern, text)[-1] for pattern in (r"([\d,]+) flows seen", r"([\d,]+) of them alive"))
    return {"seen": seen, "alive": alive,
            "written": len(re.findall(r"event=(?:new|destroy)\b", text)),
            "suppressed": sum(numbers(r"event=log-suppressed .*\bsuppressed=(\d+)", text)),
            "dropped": sum(numbers(r"event=log-dropped .*\bdropped=(\d+)", text))}


def adds_up(place, rate, packets, fresh):
    """A flood of new flows with a log in a file. Every flow is told of twice, but for those alive at the end."""
    with tempfile.TemporaryDirectory(prefix="ctmarkd-bench-") as where:
        path = pathlib.Path(where, "log")
        prefix = ["sh", "-c", f'exec "$@" >{path} 2>&1', "sh"]
        with Ctmarkd(place.router, 4, config=log("console", rate, "new destroy"), prefix=prefix) as ctmarkd:
            place.queue("--queue-num 4")
            place.blast(packets=packets, burst=BURST, rate=packets // 2, **fresh.take(packets))
            ctmarkd.drain()  # many have ended by now, some not
            ctmarkd.daemon.stop(timeout=60)
        found = account(path.read_text(encoding="utf-8", errors="replace"))
    happened = 2 * found["seen"] - found["alive"]
    told = found["written"] + found["suppressed"] + found["dropped"]
    return found | {"packets": packets, "happened": happened, "told": told, "exact": happened == told}


def syns(place, load, fresh):
    """The same for TCP SYNs, without a log."""
    cpu = cpus()[1]
    with Nothing(place.router, 0, cpu=cpu) as nothing, \
            Ctmarkd(place.router, 1, cpu=cpu, config=log("none")) as ctmarkd, \
            resting(place, nothing, ctmarkd) as pair:
        return {"backlog": alternate(pair, load.backlogs // 4,
                                     lambda who: backlog(place, who, syn=True, **fresh.take(8000)))}


def new(report, place, quick):
    """every packet a new UDP flow of one second (MaxFlows=1000000); what the log costs; TCP SYNs"""
    load, fresh = Load(quick), NewFlows()
    with Journald() as journal, contenders(place, journal) as who:
        turns = play(place, who, load, fresh)
    tell(report, turns)
    tcp = syns(place, load, fresh)
    report.add("new", "syn-rate", "", ratios(column(tcp, "backlog", "ctmarkd", "rate"),
                                             column(tcp, "backlog", "nothing", "rate")),
               "TCP SYNs per second of CPU time: no log / loop")
    packets = 60000 if quick else 300000
    sums = {name: adds_up(place, rate, packets, fresh) for name, rate in (("unlimited", "0"), ("limited", "2000/s"))}
    report.count("new", turns=turns, syns=tcp, sums=sums)
    for name, found in sums.items():
        report.add("new", f"sum-{name}", "", [found["told"] / max(found["happened"], 1)],
                   f"{name} log: told / happened ({found['told']} / {found['happened']})")
        report.add("new", f"sum-{name}-written", "%", [100 * found["written"] / max(found["told"], 1)],
                   f"{name} log: records written; the others are counted")
