# SPDX-License-Identifier: GPL-2.0-or-later
"""The control socket under a real systemd: who makes it, who may use it, how long it is there."""

import contextlib
import threading
import time

import pytest

from lab.varlink import Client, Connection, Disconnected
from test_systemd import (machine, main_pid, ping, records, send_signal,  # noqa: F401
                          service, wait_for)

pytestmark = pytest.mark.systemd

PATH = "/run/ctmarkd/io.ctmark.Manager"


def path_in(m):
    """The same socket, seen from here."""
    return f"/proc/{m.leader}/root{PATH}"


def is_there(m):
    return m.run("sh", "-c", f"test -S {PATH} && echo yes", check=False).strip() == "yes"


def client_when_ready(m, timeout=15):
    """Connects as soon as somebody listens."""
    def try_it():
        with contextlib.suppress(OSError):
            return Client(path_in(m))

    return wait_for(try_it, timeout, "connection")


def test_socket_is_the_managers(service):
    assert service.show("ctmarkd.socket", "ActiveState") == "active"
    assert service.run("stat", "-c", "%a %U %G", PATH).split() == ["660", "root", "ctmarkd"]
    assert service.run("stat", "-c", "%a", "/run/ctmarkd").strip() == "755"
    with Client(path_in(service)) as c:
        ping(service)
        assert c.call("GetStatus")["status"]["pid"] == main_pid(service)
        assert [f["proto"] for f in c.gather("List", "flows")] == ["icmp"]
    assert not records(service, "CTMARK_EVENT=store-error")
    assert not records(service, "CTMARK_EVENT=control-error")


def test_stop_removes_it_and_a_question_starts_nothing(service):
    service.systemctl("stop", "ctmarkd")
    assert service.show("ctmarkd.socket", "ActiveState") == "inactive"
    assert not is_there(service)
    with pytest.raises(OSError):
        Connection(path_in(service))
    assert service.show("ctmarkd", "ActiveState") == "inactive"
    service.systemctl("start", "ctmarkd")
    with client_when_ready(service) as c:
        assert c.call("GetStatus")["status"]["uptime"] < 10


def test_a_question_starts_it(service):
    """As at a boot: the socket is there first."""
    service.systemctl("stop", "ctmarkd")
    service.systemctl("start", "ctmarkd.socket")
    assert service.show("ctmarkd", "ActiveState") == "inactive"
    with Client(path_in(service)) as c:
        assert c.call("Count")["max"] > 0
    assert service.show("ctmarkd", "ActiveState") == "active"


class Asking:
    """Somebody who connects and asks again and again, and counts how that ends."""

    def __init__(self, m):
        self.m, self.answers, self.refused, self.broken = m, 0, 0, 0
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def _ask(self):
        try:
            with Connection(path_in(self.m), timeout=20) as c:
                c.send("io.ctmark.Manager.Count", {})
                assert "parameters" in c.receive()
                self.answers += 1
        except Disconnected:
            self.broken += 1
        except OSError:
            self.refused += 1

    def _run(self):
        while not self.stop.is_set():
            self._ask()
            time.sleep(0.005)

    def __enter__(self):
        self.thread.start()
        wait_for(lambda: self.answers, what="first answer")
        return self

    def __exit__(self, *exc):
        before = self.answers
        wait_for(lambda: self.answers > before + 3, 20, "answers afterwards")
        self.stop.set()
        self.thread.join(25)


def inode(m):
    return m.run("stat", "-c", "%i", PATH).strip()


def is_back(m, pid):
    wait_for(lambda: main_pid(m) not in (0, pid), what="successor")
    wait_for(lambda: m.show("ctmarkd", "ActiveState") == "active", what="active state")


def test_clients_wait_during_a_restart(service):
    """The socket is the same before and after, and nobody who connects meanwhile is refused."""
    pid, before = main_pid(service), inode(service)
    with Asking(service) as asking:
        service.systemctl("restart", "ctmarkd")
        is_back(service, pid)
    assert inode(service) == before
    assert asking.refused == 0
    assert asking.broken <= 1  # who was connected when the old one ended


def test_killed(service):
    """Up to systemd 252 at least, the manager takes this for a stop and makes the socket anew."""
    pid = main_pid(service)
    with Asking(service):
        send_signal(service, "KILL")
        is_back(service, pid)
    assert service.show("ctmarkd.socket", "ActiveState") == "active"
    assert service.run("stat", "-c", "%a %U %G", PATH).split() == ["660", "root", "ctmarkd"]
    assert not records(service, "CTMARK_EVENT=control-error")


def test_connected_client_learns_of_the_end(service):
    with Client(path_in(service)) as c:
        events = c.stream("Events")
        next(events)
        service.systemctl("restart", "ctmarkd")
        with pytest.raises(Disconnected):
            for _ in events:
                pass
    with client_when_ready(service) as c:
        assert c.call("Count")["max"] > 0


def test_members_of_the_group_may_read(service):
    """Others may not even connect; members may not change anything."""
    script = f"""
import json, socket
s = socket.socket(socket.AF_UNIX)
s.connect("{PATH}")
for method in ("Count", "Flush"):
    s.sendall(json.dumps({{"method": "io.ctmark.Manager." + method}}).encode() + bytes(1))
    print(s.recv(65536).decode())
"""
    for groups, wanted in (("ctmarkd", ['"count":0', "PermissionDenied"]), ("nogroup", [])):
        said = service.run("setpriv", "--reuid=nobody", "--regid=nogroup", f"--groups={groups}",
                           "/usr/bin/python3", "-c", script, check=False)
        for word in wanted:
            assert word in said
        assert wanted or "count" not in said
    service.run("/usr/bin/python3", "-c", script)  # root may
    record = wait_for(lambda: records(service, "CTMARK_EVENT=control"), what="record")[-1]
    assert (record["CTMARK_METHOD"], record["CTMARK_UID"]) == ("Flush", "0")
    assert len(records(service, "CTMARK_EVENT=control", f"_PID={main_pid(service)}")) == 1
