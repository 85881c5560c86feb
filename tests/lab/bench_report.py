# SPDX-License-Identifier: GPL-2.0-or-later
"""What was measured: figures with their budgets, as a table and as JSON."""

import json
import os
import platform
import statistics

from lab import bench_budget


def figure(measurement, name, unit, runs, what):
    """One figure; runs are the values of the single runs, what says what was compared."""
    runs = [round(float(run), 4) for run in runs]
    found = {"measurement": measurement, "name": name, "unit": unit, "what": what, "runs": runs,
             "min": min(runs), "median": round(statistics.median(runs), 4), "max": max(runs)}
    budget = bench_budget.of(measurement, name, found["median"])
    return found | ({"budget": budget} if budget else {})


def ratios(over, under):
    """One against the other, run by run."""
    return [a / b for a, b in zip(over, under) if b]


class Report:
    def __init__(self, quick):
        self.quick = quick
        self.figures, self.engine, self.counts, self.failed = [], [], {}, {}

    def add(self, *args):
        self.figures.append(figure(*args))

    def count(self, measurement, **counts):
        """Numbers that have to add up, or are worth keeping; for the JSON."""
        self.counts.setdefault(measurement, {}).update(counts)

    def as_json(self):
        return json.dumps({"machine": {"kernel": platform.release(), "processor": processor(),
                                       "cpus": len(os.sched_getaffinity(0))},
                           "quick": self.quick, "figures": self.figures, "engine": self.engine,
                           "counts": self.counts, "not_measured": self.failed}, indent=1)

    def table(self, title, measurement):
        """The lines of one measurement."""
        rows = [f for f in self.figures if f["measurement"] == measurement]
        lines = [f"{measurement}: {title}"]
        lines += [row(f) for f in rows]
        if measurement in self.failed:
            lines.append(f"  NOT MEASURED: {self.failed[measurement]}")
        return "\n".join(lines)

    def budgets(self):
        """All that was expected of the figures, and what came of it."""
        met = [f for f in self.figures if "budget" in f]
        lines = ["Budgets, by the median:" if met else "None of these figures has a budget."]
        for f in met:
            budget = f["budget"]
            lines.append(f"  {f['measurement'] + ' ' + f['name']:<24} {number(f['median']):>8} {f['unit']:<3} "
                         f"{budget['text']:<10} {'reached' if budget['reached'] else 'not reached'}")
        lines += [f"  {name}: NOT MEASURED: {why}" for name, why in self.failed.items()]
        return "\n".join(lines)


def processor():
    with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as info:
        return next((line.partition(":")[2].strip() for line in info if line.startswith("model name")), "")


def number(value):
    """Three or four digits that matter, thousands apart."""
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    if abs(value) >= 100 or value == int(value):
        return f"{value:.0f}"
    return f"{value:.2f}" if abs(value) >= 10 else f"{value:.3f}"


def row(f):
    values = [number(f["median"])]
    if len(f["runs"]) > 1:
        values.append(f"({number(f['min'])} .. {number(f['max'])}, {len(f['runs'])} runs)")
    budget = f.get("budget")
    verdict = f"  [{budget['text']}: {'reached' if budget['reached'] else 'not reached'}]" if budget else ""
    return f"  {f['what']:<70} {' '.join(values)} {f['unit']}{verdict}".rstrip()
