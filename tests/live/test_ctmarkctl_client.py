# SPDX-License-Identifier: GPL-2.0-or-later
"""ctmarkctl before a service that answers badly, late or not at all; pipes, terminals and pagers."""

import itertools
import json
import os
import re
import signal
import socket
import subprocess
import time

import pytest

from lab.ctmarkctl import NOBODY, Ctl, program
from lab.fake_service import FakeService, message
from lab.sample_answers import ANSWERS, FLOWS, flow, totals

VERBS = [("status",), ("list",), ("get", "1"), ("delete", "-p", "tcp"), ("flush",), ("events",),
         ("count",), ("stats",), ("expect",), ("top", "--batch"), ("explain", "1"), ("metrics",),
         ("config",), ("reload",), ("log-level", "info")]
NAMES = [" ".join(words) for words in VERBS]


@pytest.fixture
def service():
    seconds = itertools.count()
    with FakeService(ANSWERS | {"GetTotals": lambda call: totals(next(seconds))}) as fake:
        yield fake


@pytest.fixture
def ctl(service):
    return Ctl(service.path)


def one_line(done, status, *words):
    """It failed as it should, and said so once."""
    assert done.returncode == status, done
    assert done.stderr.startswith("ctmarkctl: ") and done.stderr.count("\n") == 1, done.stderr
    for word in words:
        assert word in done.stderr


# ---- no service, or a bad one ----

@pytest.mark.parametrize("words", VERBS, ids=NAMES)
def test_not_running(words, tmp_path):
    one_line(Ctl(tmp_path / "none")(*words), 3, "not running", "systemctl start ctmarkd")


@pytest.mark.parametrize("words", VERBS, ids=NAMES)
def test_nobody_listens(words, tmp_path):
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(str(tmp_path / "left"))
    one_line(Ctl(tmp_path / "left")(*words), 3, "not running")


def test_permission_to_connect(service, ctl):
    os.chmod(service.path, 0o600)
    one_line(ctl.as_other("status", user=NOBODY, group=NOBODY), 4, "permission denied", service.path)


GARBAGE = {
    "cut": b'{"parameters": {"flows": [{"flow": "00',
    "no-json": b"200 OK\r\n\r\n\0",
    "not-utf8": b'{"parameters":{"x":"\xff\xfe"}}\0',
    "array": b"[1,2,3]\0",
    "parameters": message(parameters=[1]),
    "nul": b"\0",
    "deep": b"[" * 100000 + b"\0",
    "integer": b'{"parameters":{"count":99999999999999999999999}}\0',
    "nothing": b"",
}


@pytest.mark.parametrize("kind", GARBAGE)
@pytest.mark.parametrize("words", VERBS, ids=NAMES)
def test_garbage(kind, words):
    methods = list(ANSWERS)
    with FakeService(dict.fromkeys(methods, GARBAGE[kind]), hang_up=True) as fake:
        one_line(Ctl(fake.path)(*words), 1)


WRONG = {
    "empty": {},
    "null": dict.fromkeys(["status", "totals", "queues", "flows", "flow", "count", "events",
                           "expectations", "explanation", "census", "text", "settings"]),
    "numbers": dict.fromkeys(["status", "totals", "queues", "flows", "flow", "count", "events",
                              "expectations", "explanation", "census", "text", "settings"], 7),
    "lists": dict.fromkeys(["flows", "events", "expectations", "settings", "queues"],
                           [1, "x", None, [], {}]),
    "objects": dict.fromkeys(["status", "totals", "flow", "explanation", "census"],
                             {"queues": 1, "counters": [1], "talkers": [[]], "log": {"a": 1},
                              "flow": {"src": 1, "status": 3, "timeout": "x"}, "tcp": {},
                              "history": [None, {"message": 1}], "words": [None]}),
}


@pytest.mark.parametrize("kind", WRONG)
@pytest.mark.parametrize("words", VERBS, ids=NAMES)
@pytest.mark.parametrize("json_", [(), ("--json=pretty",)], ids=["text", "json"])
def test_replies_of_the_wrong_type(kind, words, json_):
    """Nothing to be shown, but no crash and no loop."""
    if words[0] == "top":
        words += ("-n", "2", "-d", "0.1")
        json_ = ()
    with FakeService(dict.fromkeys(ANSWERS, WRONG[kind])) as fake:
        done = Ctl(fake.path)(*words, *json_)
    assert done.returncode in (0, 1), done


def test_a_reply_without_an_end():
    def endless(call):
        return b"x" * (65 << 20)

    with FakeService({"Count": endless}) as fake:
        one_line(Ctl(fake.path)("count"), 1, "too long")


def test_a_reply_byte_by_byte():
    """Each byte comes alone, and two replies at once."""
    reply = message(parameters={"count": 5, "max": 7})
    listener = socket.socket(socket.AF_UNIX)
    with FakeService({}) as fake:
        path = fake.path + "2"
        listener.bind(path)
        listener.listen()
        process = Ctl(path).popen("count")
        client, _ = listener.accept()
        for byte in reply:
            client.sendall(bytes([byte]))
        assert process.communicate(timeout=10)[0] == "5 of 7\n"
        client.close()
    listener.close()


def test_silence_is_given_up():
    with FakeService({"Count": None}) as fake:
        began = time.monotonic()
        one_line(Ctl(fake.path)("count"), 1, "does not answer", "10 s")
        assert 9 < time.monotonic() - began < 30


def test_a_stream_that_breaks_off():
    first = message(parameters={"flows": FLOWS[:2]}, continues=True)
    with FakeService({"List": first}, hang_up=True) as fake:
        done = Ctl(fake.path)("list")
    one_line(done, 1, "closed the connection")
    assert len(done.stdout.splitlines()) == 3, "what has come is shown, without a total"
    with FakeService({"Delete": message(parameters={"deleted": 4}, continues=True)},
                     hang_up=True) as fake:
        done = Ctl(fake.path)("delete", "-p", "tcp")
    assert done.returncode == 1 and "4 flows were ended before that" in done.stderr


ERRORS = [
    ("org.varlink.service.PermissionDenied", {}, 4, "only root"),
    ("io.ctmark.Manager.Busy", {}, 1, "busy"),
    ("io.ctmark.Manager.BadFilter", {"condition": "icmp_type", "value": "7", "why": "is none"},
     2, "--icmp-type '7': is none"),
    ("io.ctmark.Manager.BadValue", {"parameter": "level", "value": "x"}, 2, "no level 'x'"),
    ("io.ctmark.Manager.NoSuchFlow", {"flow": "12"}, 1, "no flow '12'"),
    ("org.varlink.service.MethodNotFound", {}, 1, "another version"),
    ("org.example.\x1b[2JNew", {}, 1, "org.example.?[2JNew"),
]


@pytest.mark.parametrize("error,parameters,status,words", ERRORS, ids=[e[0] for e in ERRORS])
def test_errors(error, parameters, status, words):
    with FakeService({"Count": message(error=error, parameters=parameters)}) as fake:
        one_line(Ctl(fake.path)("count"), status, words)


def test_bad_config_is_told_line_by_line():
    bad = message(error="io.ctmark.Manager.BadConfig",
                  parameters={"messages": ["/a:1: bad", "/b:2: worse\nand more"]})
    with FakeService({"Reload": bad}) as fake:
        done = Ctl(fake.path)("reload")
    assert done.returncode == 6
    assert done.stderr.splitlines()[1:] == ["/a:1: bad", "/b:2: worse", "and more"]


# ---- what is asked ----

def test_what_goes_over_the_wire(service, ctl):
    ctl.text("list", "-p", "TCP", "--orig-src", "10.0.0.0/8", "-u", "assured,unset", "-w", "3")
    ctl.text("explain", "1f", "--limit", "3")
    ctl.text("count")
    calls = {call["method"].rpartition(".")[2]: call for call in service.calls}
    assert calls["List"] == {
        "method": "io.ctmark.Manager.List", "more": True,
        "parameters": {"filter": {"proto": "tcp", "src": "10.0.0.0/8", "zone": 3,
                                  "status": ["ASSURED", "UNREPLIED"]}}}
    assert calls["Explain"]["parameters"] == {"filter": {"flow": f"{0x1f:016x}"}, "limit": 3}
    assert calls["Count"] == {"method": "io.ctmark.Manager.Count"}


BAD = [("list", "-f", "ipx"), ("list", "--flow", "x"), ("list", "--limit", "0"),
       ("list", "--sort", "colour"), ("list", "-o", "xml"), ("list", "--mark", "1"),
       ("list", "-w", "70000"), ("delete",), ("explain",), ("get", "zz"), ("top", "-d", "0"),
       ("top", "-j"), ("events", "-e", ","), ("--color=blue", "list"), ("--json=xml", "list"),
       ("top", "-d", "nan"), ("top", "-n", "-1"), ("list", "-s", b"\xff"), ("status", "-p", "tcp")]


@pytest.mark.parametrize("words", BAD, ids=str)
def test_usage(service, ctl, words):
    one_line(ctl(*words), 2)
    assert not service.calls, "nothing was asked"


# ---- JSON ----

def test_json_for_jq(ctl):
    for form in ("pretty", "short"):
        words = " ".join(ctl.words("list", f"--json={form}"))
        query = ".[].flow" if form == "pretty" else ".flow"
        got = subprocess.run(f"{words} | jq -r {query}", shell=True, capture_output=True,
                             text=True, check=True).stdout.split()
        assert got == [f["flow"] for f in FLOWS]
    assert ctl.lines("list") == FLOWS
    assert json.loads(ctl.text("list", "--json=pretty")) == FLOWS
    assert ctl.json("status") == ANSWERS["GetStatus"]["status"]
    assert ctl.json("config") == ANSWERS["GetConfig"]["settings"]
    assert ctl.json("count") == {"count": 6, "max": 262144}
    assert ctl.json("delete", "-p", "tcp") == {"deleted": 3}
    assert ctl.json("log-level") == {"log_level": "info"}
    assert ctl.lines("explain", "1") == [p["explanation"] for p in ANSWERS["Explain"]]


def test_json_is_pretty_on_a_terminal(ctl):
    status, text = ctl.terminal("count", "-j")
    assert (status, text.count("\n")) == (0, 4)
    assert ctl.text("count", "-j").count("\n") == 1


# ---- lists ----

def test_sorting(ctl):
    many = [flow(n, bytes_orig=n * 7919 % 5000, bytes_reply=0) for n in range(5000)]
    parts = [{"flows": many[i:i + 100]} for i in range(0, 5000, 100)]
    with FakeService({"List": parts}) as fake:
        some = Ctl(fake.path).lines("list", "--sort", "bytes", "--limit", "3")
        every = Ctl(fake.path).lines("list", "--sort", "bytes")
        first = Ctl(fake.path).lines("list", "--limit", "7")
    assert [f["bytes_orig"] for f in some] == [4999, 4998, 4997]
    assert [f["bytes_orig"] for f in every] == list(range(4999, -1, -1))
    assert [f["flow"] for f in first] == [f["flow"] for f in many[:7]]


def test_a_long_list_takes_little_memory():
    """A million flows pass through; the peak is what a few parts need."""
    part = message(parameters={"flows": [flow(n) for n in range(500)]}, continues=True)

    def answer(call):
        return part * 400 + message(parameters={"flows": []})

    with FakeService({"List": answer}) as fake:
        script = ("import resource, subprocess, sys\n"
                  "subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)\n"
                  "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)")
        peak = subprocess.run(["python3", "-c", script, *Ctl(fake.path).words("list")],
                              capture_output=True, text=True, check=True, timeout=120).stdout
    assert int(peak) < 32 * 1024, f"{peak} KiB for 200000 flows"


# ---- events ----

def test_losses_and_numbers(ctl):
    done = ctl("events", "--sequence")
    assert done.returncode == 1 and "ended the stream" in done.stderr
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["1", "2", "lost", "8"]
    assert "lost 5 transitions" in done.stdout
    rows = [json.loads(line) for line in ctl("events", "-j").stdout.splitlines()]
    assert [row.get("sequence", row.get("lost")) for row in rows] == [1, 2, 5, 8]


def test_lines_leave_at_once_and_an_interrupt_is_the_end():
    first = message(parameters=ANSWERS["Events"][0], continues=True)
    with FakeService({"Events": first}) as fake:
        for number in (signal.SIGINT, signal.SIGTERM):
            process = Ctl(fake.path).popen("events")
            assert "new flow" in process.stdout.readline()
            process.send_signal(number)
            assert process.wait(10) == 0
            process.communicate()


def test_reconnect():
    with FakeService({"Events": message(parameters=ANSWERS["Events"][0], continues=True)},
                     hang_up=True) as fake:
        process = Ctl(fake.path).popen("events", "--reconnect")
        for _ in range(4):
            assert process.stdout.readline()
        process.terminate()
        _, err = process.communicate(timeout=10)
    assert process.returncode == 0
    assert "waiting for it" in err


def test_a_limit_ends_it():
    first = message(parameters=ANSWERS["Events"][0], continues=True)
    with FakeService({"Events": first}) as fake:
        assert len(Ctl(fake.path).lines("events", "--limit", "1")) == 1


# ---- where output goes ----

def test_a_closed_pipe_is_quiet(service, ctl):
    part = message(parameters={"flows": [flow(n) for n in range(500)]}, continues=True)
    service.answers["List"] = lambda call: part * 50
    words = " ".join(ctl.words("list", "--no-legend"))
    done = subprocess.run(f"{words} | head -n 1", shell=True, capture_output=True, text=True,
                          timeout=20)
    assert done.stderr == "" and done.stdout.count("\n") == 1


def test_a_full_disk_is_told(ctl):
    with open("/dev/full", "w") as full:
        done = subprocess.run(ctl.words("list"), stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1
    assert "No space left" in done.stderr


COLOUR = "\x1b["


def test_colours(ctl):
    def coloured(*words, **env):
        status, text = ctl.terminal("list", "--no-pager", *words, env=env)
        assert status == 0
        return COLOUR in text

    assert coloured()
    assert not coloured(NO_COLOR="1")
    assert coloured(NO_COLOR="")
    assert not coloured(CLICOLOR="0")
    assert not coloured(TERM="dumb")
    assert not coloured("--color=never")
    assert coloured("--color=always", NO_COLOR="1")
    assert COLOUR not in ctl.text("list")
    assert COLOUR in ctl.text("--color=always", "list")
    assert COLOUR in ctl("list", env={"CLICOLOR_FORCE": "1"}).stdout


def test_pager(ctl):
    def output(*words, **env):
        status, text = ctl.terminal("list", *words, columns=250, env=env)
        assert status == 0
        return text

    shout = "sed s/^/PAGED:/"
    assert "PAGED:" in output(PAGER=shout)
    assert "PAGED:" in output(SYSTEMD_PAGER=shout, PAGER="cat")
    assert "PAGED:" not in output(SYSTEMD_PAGER="", PAGER=shout)
    assert "PAGED:" not in output("--no-pager", PAGER=shout)
    assert "6 flows" in output(PAGER="/does/not/exist 2>&1 || cat")
    assert "6 flows" in output(), "less leaves what fits a screen on it"
    assert "PAGED:" not in ctl("list", env={"PAGER": shout}).stdout
    assert "PAGED:" not in ctl.terminal("events", env={"PAGER": shout})[1]


HOSTILE = "\x1b]0;owned\x07\x9b2J\u202e\n\r\t"


@pytest.mark.parametrize("words", VERBS, ids=NAMES)
def test_nothing_of_a_reply_controls_the_terminal(words):
    def spoil(value):
        if isinstance(value, dict):
            return {k: spoil(v) for k, v in value.items()} | {"x" + HOSTILE: HOSTILE}
        if isinstance(value, list):
            return [spoil(v) for v in value]
        return value + HOSTILE if isinstance(value, str) else value

    if words[0] == "top":
        words += ("-n", "1")
    with FakeService({k: spoil(v) for k, v in ANSWERS.items()}) as fake:
        for extra in ((), ("--json=short",)):
            done = Ctl(fake.path)(*words, *(() if words[0] == "top" else extra))
            assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", done.stdout + done.stderr)


# ---- screens ----

class Tmux:
    """A terminal of some size in which a command runs."""

    serial = itertools.count(1)  # a server that was told to end may not have done so yet

    def __init__(self, words, columns, rows):
        self.name = f"ctmarkctl-{os.getpid()}-{next(self.serial)}"
        self.run("new-session", "-d", "-x", str(columns), "-y", str(rows), "env", "-u", "TMUX",
                 "sh", "-c", 'trap : INT; echo before; "$@"; echo "status $?"; exec sleep 1000', "sh", *words)

    def run(self, *words):
        return subprocess.run(["tmux", "-L", self.name, "-f", "/dev/null", *words],
                              capture_output=True, text=True, check=True).stdout

    def screen(self):
        return self.run("capture-pane", "-p").rstrip("\n").split("\n")

    def wait(self, pattern, timeout=15):
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            lines = self.screen()
            if any(re.search(pattern, line) for line in lines):
                return lines
            time.sleep(0.05)
        raise AssertionError(f"no {pattern!r} on the screen:\n" + "\n".join(lines))

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        subprocess.run(["tmux", "-L", self.name, "kill-server"], capture_output=True, check=False)


@pytest.mark.parametrize("columns,rows", [(80, 24), (120, 40), (40, 10)], ids=str)
def test_top_fills_its_terminal(service, ctl, columns, rows):
    with Tmux(ctl.words("top", "-d", "0.2"), columns, rows) as tmux:
        lines = tmux.wait("packets/s [0-9]")
        assert len(lines) <= rows and all(len(line) <= columns for line in lines)
        assert "q end" in lines[-1] and len(lines) == rows
        if columns >= 80:
            text = "\n".join(lines)
            for word in ("ESTABLISHED_REPLY", "tcp-seq-over", "tcp SYN_SENT", "203.0.113.77",
                         "3 of 8192", "131072 of 262144"):
                assert word in text
        tmux.run("send-keys", "h")
        tmux.wait("pause, or go on")
        tmux.run("send-keys", "h", "p")
        tmux.wait("PAUSED")
        tmux.run("send-keys", "q")
        lines = tmux.wait("status 0")
        assert "before" in lines[0], "the screen is back"
        assert len(lines) == 2


def test_top_follows_the_size(service, ctl):
    with Tmux(ctl.words("top", "-d", "3600"), 80, 24) as tmux:
        tmux.wait("q end")
        tmux.run("resize-window", "-x", "120", "-y", "40")
        end = time.monotonic() + 10
        while len(tmux.screen()) != 40 and time.monotonic() < end:
            time.sleep(0.05)
        assert len(tmux.screen()) == 40


@pytest.mark.parametrize("how", ["SIGTERM", "SIGHUP", "death", "C-c", "C-z"])
def test_top_gives_the_terminal_back(service, ctl, how):
    with Tmux(ctl.words("top", "-d", "0.2"), 80, 24) as tmux:
        tmux.wait("q end")
        pids = subprocess.run(["pgrep", "-f", f"^{program()} --socket {service.path}"],
                              capture_output=True, text=True, check=True).stdout.split()
        if how == "death":
            service.close()
            lines = tmux.wait("status 1")
            assert any("ctmarkctl: " in line for line in lines)
        elif how.startswith("C-"):
            tmux.run("send-keys", how)
            if how == "C-z":
                lines = tmux.wait("^before")
                os.kill(int(pids[0]), signal.SIGCONT)
                tmux.wait("q end")
                tmux.run("send-keys", "q")
            lines = tmux.wait("status 0")
        else:
            os.kill(int(pids[0]), getattr(signal, how))
            lines = tmux.wait("status 0")
        assert lines[0] == "before"
        assert tmux.run("display-message", "-p", "#{cursor_flag}").strip() == "1"


def test_status_fits_a_screen(ctl):
    for columns in (80, 120):
        status, text = ctl.terminal("status", columns=columns, env={"NO_COLOR": "1"})
        lines = text.replace("\r", "").rstrip("\n").split("\n")
        assert status == 0
        assert len(lines) <= 23 and max(map(len, lines)) <= columns
        assert "packets 1000/s" in text


def test_explain_wraps(ctl):
    status, text = ctl.terminal("explain", "1", "--utc", env={"NO_COLOR": "1", "PAGER": "cat"})
    lines = text.replace("\r", "").split("\n")
    assert status == 0
    assert max(map(len, lines)) <= 80
    for words in ("seq=9 end=8 maxend=7 ack=6", "2026-11-18 11:06:40.123",
                  "next: seq 934464 .. 1065535, ack 1934764 .. 2000300",
                  "journalctl CTMARK_FLOW=0000000000000001", "5 older steps",
                  "Packets that belong to no flow", "4 more flows"):
        assert words in text
