# SPDX-License-Identifier: GPL-2.0-or-later
"""
The engine alone, without any queue: tests/bench/engine measures, and prints one JSON object per line; tests/bench/replay does
so for captures. Whatever names and fields they have are shown; the lines of growth-* also become a picture.
"""

import json
import subprocess

from lab.bench_place import program

# Fields that say what was measured; the others are results.
PARAMETERS = ("name", "threads", "flows", "protocol", "order")
# The result that counts, and its unit.
RESULTS = (("ratio", "x"), ("ns", "ns"), ("bytes_per_flow", "bytes"))
GROWTH = "growth-"
PROGRAMS = ("engine", "replay")
SECONDS = 1800


def parsed(text):
    try:
        return json.loads(text)
    except ValueError as e:
        raise RuntimeError(f"a benchmark printed no JSON: {text}") from e


def collect_from(name, quick):
    """The lines of a program, as they come."""
    words = [program(name)] + ["--quick"] * quick
    done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, timeout=SECONDS)
    lines = [parsed(line) for line in done.stdout.splitlines() if line.strip()]
    if done.returncode != 0 or not lines:
        raise RuntimeError(f"{words[0]}: exit {done.returncode}, {len(lines)} lines")
    return lines


def collect(quick):
    """The lines of all programs."""
    return [line for name in PROGRAMS for line in collect_from(name, quick)]


def main_result(line):
    """(field, unit) of the result that counts, (None, "") if there is none."""
    known = next((r for r in RESULTS if r[0] in line), None)
    other = next((key for key, value in line.items()
                  if key not in PARAMETERS and isinstance(value, (int, float))), None)
    return known or (other, "")


def groups(lines):
    """Lines that measured the same thing, each time."""
    found = {}
    for line in lines:
        found.setdefault(tuple((key, line.get(key)) for key in PARAMETERS), []).append(line)
    return found.values()


def rest(line, field):
    """What else a line says, in words."""
    words = [f"{key}={line[key]}" for key in PARAMETERS[1:] if key in line]
    words += [f"{key}={value:g}" if isinstance(value, float) else f"{key}={value}"
              for key, value in line.items() if key not in PARAMETERS and key != field]
    return ", ".join(words)


def engine(report, quick):
    """the engine in process, without any queue"""
    report.engine += collect(quick)
    for group in groups(report.engine):
        name = group[0].get("name", "?")
        field, unit = main_result(group[0])
        if field is None:
            continue
        words = rest(group[0], field)
        own = f"{name}-{group[0]['flows']}" if name.startswith(GROWTH) and "flows" in group[0] else name
        report.add("engine", own, unit, [line[field] for line in group if field in line],
                   f"{name} ({words})" if words else name)


def growth(lines):
    """{series: [(flows, ns), ...]} of the lines of growth-*."""
    found = {}
    for line in lines:
        name = line.get("name", "")
        if name.startswith(GROWTH) and "flows" in line and "ns" in line:
            found.setdefault(name[len(GROWTH):], {}).setdefault(line["flows"], []).append(line["ns"])
    return {name: [(flows, sorted(ns)[len(ns) // 2]) for flows, ns in sorted(points.items())]
            for name, points in found.items()}
