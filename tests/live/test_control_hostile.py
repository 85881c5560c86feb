# SPDX-License-Identifier: GPL-2.0-or-later
"""The control service before members of the group who mean it no good."""

import contextlib
import json
import os
import pathlib
import subprocess

import pytest

from lab import rules
from lab.daemon import Daemon
from lab.varlink import Client, Connection, Disconnected

DEEP = "[" * 1000 + "]" * 1000
# As JSON text: values of each type, at the bounds of each, and of no type that anybody asks for.
VALUES = ["null", "true", "0", "1", "-1", "256", "65536", str(2**63 - 1), str(-2**63), "1.5", "1e300", '""', '" "',
          '"x"', '"\\ud83d\\ude00"', '"' + "9" * 5000 + '"', "[]", "[null]", "[[]]", '[""]', '["x", 1]', "{}", '{"": 1}',
          '{"x": {}}', '{"flow": 1}', '{"src": "0.0.0.0/0"}', '{"status": [null]}', DEEP]


@pytest.fixture
def daemon(lab):
    rules.queue(lab.router)
    with Daemon(lab.router, {}) as running:
        yield running


def told(connection, text):
    """What comes of a request: its last reply, None if that ended the connection."""
    try:
        connection.send_bytes(text.encode() + b"\0")
        while (reply := connection.receive()).get("continues"):
            pass
    except Disconnected:
        return None
    return reply


def parameters_of(interface):
    """Names of all parameters that any method has, with one that none has and one without a name."""
    return sorted({name for given, _ in interface.methods.values() for name in given[1]} | {"", "no"})


def test_any_value_for_any_parameter(daemon):
    """Each is answered or ends the connection, and the service goes on as if nothing had been."""
    with Client(daemon.control) as client:
        interface = client.interfaces["io.ctmark.Manager"]
        errors = set()
        for method in interface.methods:
            for name in parameters_of(interface):
                with Connection(daemon.control) as c:
                    for value in VALUES:
                        if method == "Events" and name in ("filter", "events"):
                            continue  # has no end where it is taken
                        reply = told(c, f'{{"method": "io.ctmark.Manager.{method}", "more": true, '
                                        f'"parameters": {{{json.dumps(name)}: {value}}}}}')
                        assert reply, (method, name, value[:80])
                        errors.add(reply.get("error"))
                        known = name in interface.methods[method][0][1]
                        assert known or reply["error"].endswith(".InvalidParameter"), (method, name)
        assert {None, "org.varlink.service.InvalidParameter", "io.ctmark.Manager.BadFilter",
                "io.ctmark.Manager.BadValue"} <= errors
        assert client.call("Count")["count"] == 0
        assert client.call("GetStatus")["status"]["clients"] == 1


def test_events_of_any_kind(daemon):
    """The same for Events, which goes on where it is taken."""
    with Client(daemon.control) as client:
        for name in ("filter", "events"):
            for value in VALUES:
                with Connection(daemon.control) as c:
                    c.send_bytes(f'{{"method": "io.ctmark.Manager.Events", "more": true, "parameters": '
                                 f'{{"{name}": {value}}}}}'.encode() + b"\0")
                    reply = c.receive()
                    assert reply.get("continues") or reply["error"], value[:80]
        assert client.call("Count")["count"] == 0


# Asks again as soon as there is an answer; argv: socket, method, seconds.
FLOOD = r"""
import select, socket, sys, time
ask = b'{"method":"io.ctmark.Manager.%s"}\0' % sys.argv[2].encode()
clients = [socket.socket(socket.AF_UNIX) for _ in range(15)]
for s in clients:
    s.connect(sys.argv[1])
    s.sendall(ask)
end, answers = time.monotonic() + float(sys.argv[3]), 0
while time.monotonic() < end:
    for s in select.select(clients, [], [], 0.5)[0]:
        if s.recv(1 << 20).endswith(b"\0"):
            answers += 1
            s.sendall(ask)
print(answers)
"""


def cpu_seconds(pid):
    """Of the main thread."""
    words = pathlib.Path(f"/proc/{pid}/task/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.parametrize("method", ["GetTotals", "GetConfig", "Metrics"])
def test_questions_in_a_tight_loop(daemon, method):
    """The main thread has most of its time for itself, whoever asks and how often."""
    seconds = 2
    with contextlib.ExitStack() as stack:
        client = stack.enter_context(Client(daemon.control))
        before = cpu_seconds(daemon.pid)
        flood = stack.enter_context(subprocess.Popen(["/usr/bin/python3", "-c", FLOOD, str(daemon.control), method,
                                                      str(seconds)], text=True, stdout=subprocess.PIPE))
        assert client.call("Reload")["messages"] == []
        answers = int(flood.communicate(timeout=60)[0])
        used = cpu_seconds(daemon.pid) - before
    assert answers > 20
    assert used < seconds * 0.2, f"{used} s of CPU for {answers} answers in {seconds} s"
