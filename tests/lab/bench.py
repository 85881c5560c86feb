# SPDX-License-Identifier: GPL-2.0-or-later
"""
The benchmark: what is measured, in which order. tests/bench/run is the command.

Figures are ratios from one run, of things that took turns, with the least, the median and the largest of the runs.
Nothing here fails because a machine is slow or busy; what could not be measured at all is a failure.
"""

import sys
import traceback

from lab import (bench_engine, bench_expiry, bench_flood, bench_full, bench_list, bench_load, bench_more, bench_new,
                 bench_stream)
from lab.bench_place import Place, cpus
from lab.bench_report import Report

ENGINE = "engine"

# name: function(report, place, quick); its docstring says what it measures
LIVE = {
    "udp-256": bench_load.udp_256,
    "udp-1m": bench_load.udp_1m,
    "new": bench_new.new,
    "conntrack": bench_more.conntrack,
    "queues": bench_more.queues,
    "bulk": bench_stream.bulk,
    "ping": bench_stream.ping,
    "expiry": bench_expiry.expiry,
    "flood": bench_flood.flood,
    "full": bench_full.full,
    "list": bench_list.listing,
}
NAMES = (ENGINE, *LIVE)


def head(names, quick):
    """What has to be known to read the table."""
    first, last = cpus()
    lines = ["Live measurements have namespaces of their own. \"loop\" is tests/bench/nothing: the same input and",
             "output as ctmarkd, every packet accepted with a constant mark. Values are medians, (least .. most)",
             "of several runs."]
    if names == [ENGINE]:
        lines = ["The engine in process; medians, (least .. most) of several runs."]
    elif first == last:
        lines.append("There is only one CPU: sender and receiver share it, and the figures say little.")
    else:
        lines.append(f"The sender has CPU {first}, who answers the queue CPU {last}; other load on them disturbs.")
    if quick:
        lines.append("--quick: few and short runs, smaller tables. The figures show that it works, and little else.")
    return "\n".join(lines)


def live(report, name, quick):
    """One measurement, in a place of its own."""
    with Place() as place:
        LIVE[name](report, place, quick)


def measure(report, name, quick):
    title = (bench_engine.engine if name == ENGINE else LIVE[name]).__doc__.strip()
    try:
        if name == ENGINE:
            bench_engine.engine(report, quick)
        else:
            live(report, name, quick)
    except Exception as e:  # the others can still be measured
        traceback.print_exc(file=sys.stderr)
        report.failed[name] = str(e) or type(e).__name__
    print(report.table(title, name), flush=True)


def run(names, quick):
    """Measures and prints; returns the report."""
    report = Report(quick)
    print(head(names, quick), flush=True)
    for name in names:
        print(flush=True)
        measure(report, name, quick)
    print("\n" + report.budgets(), flush=True)
    return report
