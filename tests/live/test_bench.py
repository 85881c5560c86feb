# SPDX-License-Identifier: GPL-2.0-or-later
"""The benchmark runs, its counts agree with each other, and nothing is left of it. How fast it is does not matter."""

import json
import os
import signal
import subprocess
import time
import xml.etree.ElementTree as xml

import pytest

from lab import bench_chart, bench_engine, bench_report
from lab.daemon import TOP
from lab.netns import sh

pytestmark = pytest.mark.alone

RUN = str(TOP / "tests" / "bench" / "run")


def spaces(pid):
    """Namespaces of a process; others may be at work beside it."""
    return [name for name in sh("ip", "netns", "list").split() if f"-{pid}-" in name]


def start(*words):
    return subprocess.Popen([RUN, *words], text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, start_new_session=True)


def play(path, name):
    """(text, JSON) of a quick run of one measurement, which leaves nothing behind."""
    process = start("--quick", "--only", name, "--json", str(path))
    text = process.communicate(timeout=100)[0]
    assert process.returncode == 0, text
    assert spaces(process.pid) == []
    return text, json.loads(path.read_text())


def figures(found, name, *wanted):
    """The figures of a measurement by their names; all of them are well-formed."""
    assert found["not_measured"] == {} and found["quick"]
    for f in found["figures"]:
        assert f["measurement"] == name and f["what"]
        assert f["min"] <= f["median"] <= f["max"] and f["min"] in f["runs"] and f["max"] in f["runs"]
    named = {f["name"]: f for f in found["figures"]}
    assert len(named) == len(found["figures"])
    assert set(wanted) <= set(named)
    return named


def test_udp(tmp_path):
    """Everything that was sent was queued or refused, and everything that was answered came through."""
    text, found = play(tmp_path / "json", "udp-256")
    named = figures(found, "udp-256", "rate", "cpu", "own", "ctmarkd-rate", "loop-rate", "ctmarkd-cpu", "loop-cpu",
                    "ctmarkd-flood", "loop-flood")
    assert named["rate"]["budget"]["limit"] == 0.95 and ">= 0.95" in text
    assert all(run > 0 for f in ("rate", "cpu", "ctmarkd-rate", "loop-rate") for run in named[f]["runs"])
    counts = found["counts"]["udp-256"]
    turns = {kind: sum(by_name.values(), []) for kind, by_name in counts["turns"].items()}
    for turn in turns["backlog"]:
        assert turn["waited"] == turn["passed"] == turn["sent"] == 8000
    for turn in turns["paced"]:
        assert turn["sent"] >= turn["passed"] > 0
    for turn in turns["flood"]:
        assert turn["given"] == turn["passed"] + turn["lost"]
        assert turn["given"] + turn["full"] == turn["sent"]
    assert counts["came"] == sum(turn["passed"] for kind in turns.values() for turn in kind)


def test_expiry(tmp_path):
    text, found = play(tmp_path / "json", "expiry")
    named = figures(found, "expiry", "delay-max", "destroy-late", "idle", "at-once-seconds", "coming-max", "quiet-max",
                    "loop-alone-max", "loop-beside-max")
    assert {name for name, f in named.items() if "budget" in f} == {"delay-max", "destroy-late", "idle"}
    assert "Budgets" in text
    counts = found["counts"]["expiry"]
    for life in counts["ctmarkd"]:
        for part in ("as_they_come", "at_once"):
            assert life[part]["flows"] > 0 and life[part]["left"] <= 300
            assert life[part]["ended"]["records"] > 0
            during = life[part]["during"]
            assert during["probes"] > 0 and 0 < during["p50"] <= during["p99"] <= during["p999"] <= during["max"]


def test_list(tmp_path):
    """All flows of the table are listed, and all of them are ended."""
    found = play(tmp_path / "json", "list")[1]
    named = figures(found, "list", "list", "conntrack", "json", "count", "flush", "rate-ratio", "ns-ratio")
    assert named["rate-ratio"]["median"] > 0
    counts = found["counts"]["list"]
    assert counts["lines"] == counts["flows"] >= 20000
    assert counts["flush"]["ended"] >= counts["flows"]
    assert all(turn["passed"] > 0 for who in ("alone", "beside") for turn in counts[who])


def test_interrupted():
    """Ctrl-C leaves nothing."""
    process, end = start("--only", "udp-256"), time.monotonic() + 10
    while len(spaces(process.pid)) < 3 and time.monotonic() < end:
        time.sleep(0.05)
    time.sleep(1.5)  # in the midst of it
    assert spaces(process.pid)
    os.killpg(process.pid, signal.SIGINT)
    text = process.communicate(timeout=20)[0]
    assert process.returncode == 130, text
    assert spaces(process.pid) == []


def test_unknown_programs_fail(tmp_path, monkeypatch):
    """What cannot be measured is a failure that says so."""
    monkeypatch.setenv("CTMARKD", str(tmp_path / "ctmarkd"))
    process = start("--quick", "--engine")
    assert "NOT MEASURED" in process.communicate(timeout=20)[0]
    assert process.returncode == 1


LINES = [{"name": "udp-hot", "threads": 1, "flows": 1, "ns": ns, "bytes_per_flow": 168} for ns in (50.0, 70.0, 55.0)] + \
    [{"name": "threads-2", "threads": 2, "ratio": 1.5, "ns": 217.0}] + \
    [{"name": f"growth-{what}", "flows": flows, "ns": 100 * size + 10 * i}
     for size, what in enumerate(("lookup", "create"), 1) for i, flows in enumerate((1000, 100000, 4000000))]


def test_lines_of_the_engine(monkeypatch):
    """Lines of any name, several runs of the same thing, budgets."""
    monkeypatch.setattr(bench_engine, "collect", lambda quick: list(LINES))
    report = bench_report.Report(True)
    bench_engine.engine(report, True)
    named = {f["name"]: f for f in report.figures}
    assert named["udp-hot"]["runs"] == [50, 70, 55] and named["udp-hot"]["median"] == 55
    assert named["udp-hot"]["budget"]["reached"] and not named["threads-2"]["budget"]["reached"]
    assert named["growth-create-4000000"]["median"] == 220
    assert json.loads(report.as_json())["engine"] == LINES
    assert "not reached" in report.table("title", "engine") and "bytes_per_flow=168" in report.table("t", "engine")


def test_picture():
    """A line for each series, a mark for each point."""
    series = bench_engine.growth(LINES)
    assert series == {"lookup": [(1000, 100), (100000, 110), (4000000, 120)],
                      "create": [(1000, 200), (100000, 210), (4000000, 220)]}
    picture = xml.fromstring(bench_chart.svg(series))
    assert len(picture.findall(".//{*}polyline")) == 2
    assert len(picture.findall(".//{*}g/{*}title")) == 6
    texts = {text.text for text in picture.findall(".//{*}text")}
    assert {"1 k", "100 k", "4 M", "lookup 120", "create 220", "flows in the table"} <= texts
