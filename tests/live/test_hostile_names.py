# SPDX-License-Identifier: GPL-2.0-or-later
"""Interfaces may be called nearly anything: no name acts, breaks a line or passes for a field."""

import os
import re
import socket
import time

import pytest

from lab import frames, netns, rules
from lab.daemon import Daemon, binary
from lab.journald import Journald
from lab.netns import sh

# At most 15 bytes, anything but '/', ':' and white space.
NAMES = [b"plain0", b"a=b", b'"', b'a"b', b"'a", b"\x1b[31mred", b"\x1b]0;x\x07", b"\x9b31m",
         b"\x01\x02\x7f", b"\xff\xfe\xc3", "\u2028x".encode(), "\u202e0nal".encode(), "wän".encode(),
         b"a\\x22", b"event=invalid", b"<0>MESSAGE=x", b"$(x)`;", b"mark=0xa,,,,,,,"]


def escaped(name):
    """As the manual says."""
    return "".join(chr(c) if 0x20 < c < 0x7f and c not in b'"\\' else f"\\x{c:02x}" for c in name)


def unescaped(text):
    return re.sub(rb"\\x(..)", lambda m: bytes([int(m[1], 16)]), text.encode())


def fields(line):
    """A console line taken apart, no byte of it left over."""
    assert re.fullmatch(r"[ -~]+", line), repr(line)
    parts = re.findall(r'([a-z_]+)=("[^"]*"|[^ "]+)(?: |$)', line)
    assert " ".join("=".join(part) for part in parts) == line
    assert len(dict(parts)) == len(parts)
    return dict(parts)


class Renamed:
    """The router's two interfaces under one name after the other."""

    def __init__(self, lab):
        self.lab = lab
        self.now = {"lan": "lan", "wan": "wan"}
        self.port = 1000

    def rename(self, role, name):
        new = os.fsdecode(name)
        self.lab.router.ip("link", "set", "dev", self.now[role], "name", new)
        self.now[role] = new

    def send_past(self, name, find):
        """
        New flows that come in by an interface of this name and leave by another, until one was told
        of with these names: the news of them may be a little later. Returns what find(port) finds.
        """
        self.rename("lan", name)
        self.rename("wan", out_of(name))
        for _ in range(50):
            self.port += 1
            with self.lab.client.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
                s.sendto(b"x", (netns.SERVER4, self.port))
            found, *names = find(self.port)
            if names == [escaped(name), escaped(out_of(name))]:
                return found
            time.sleep(0.02)
        raise AssertionError(f"{name}: {names}")


def out_of(name):
    return name[::-1][:13] + b"-o"


@pytest.fixture(name="renamed")
def _renamed(lab):
    lab.server.run("iptables", "-w", "-A", "INPUT", "-p", "udp", "-j", "DROP")
    rules.queue(lab.router, chains=("FORWARD",), families=("iptables",))
    return Renamed(lab)


def test_console(lab, renamed):
    with Daemon(lab.router, {"Log": {"Events": "new"}}) as daemon:
        def find(port):
            line = daemon.wait_line(f" dport={port} ")
            event = fields(line)
            return event, event["iif"], event["oif"]

        for name in NAMES:
            event = renamed.send_past(name, find)
            assert event["event"] == "new" and event["mark"] == "0xa" and event["proto"] == "udp"
            assert unescaped(event["iif"]) == name, "nothing of it is lost"
        assert daemon.stop() == 0
    told = [fields(line) for line in daemon.lines if not line.startswith("ctmarkd: ")]
    assert len(told) == renamed.port - 1000, "one line for each flow"
    assert all(set(event) == set(told[0]) for event in told), "no field more, none less"


def wait_records(journal, count, **match):
    end = time.monotonic() + 10
    while len(found := journal.records(**match)) < count and time.monotonic() < end:
        time.sleep(0.01)
    return found


def test_journal(lab, renamed):
    """A record has the fields that it always has, and each of them is text."""
    config = {"Log": {"Target": "journal", "Events": "new invalid"}}
    bad = frames.ethernet(frames.ip(netns.CLIENT4, netns.SERVER4, 17, bytes(3)))
    names = NAMES[2:12:2]
    with Journald() as journal:
        with Daemon(lab.router, config, prefix=journal.enter()) as daemon, \
                lab.client.raw("eth0") as wire:
            def find(port):
                record = wait_records(journal, 1, CTMARK_DPORT=port)[0]
                return record, record["CTMARK_IIF"], record["CTMARK_OIF"]

            for count, name in enumerate(names, 1):
                renamed.send_past(name, find)
                wire.send(bad)
                assert len(wait_records(journal, count, CTMARK_EVENT="invalid")) == count
            assert daemon.stop() == 0
        every = journal.records(SYSLOG_IDENTIFIER="ctmarkd")
    new, invalid = ([r for r in every if r["CTMARK_EVENT"] == event] for event in ("new", "invalid"))
    assert [record["CTMARK_IIF"] for record in invalid] == [escaped(name) for name in names]
    assert all(set(record) == set(new[0]) for record in new), "no field more, none less"
    # a value that is no text would be a list of numbers
    assert all(isinstance(value, str) for record in every for value in record.values())
    assert all(re.fullmatch("[ -~]+", record["MESSAGE"]) for record in every)


BAD = [b"[Zone \x1b[31m\xff]\nId=1\n", b"[Queue]\n\x1b]0;x\x07\xfe=1\n", b"[Mark]\nMask=\x9b\xff\x01\n",
       b"[Zone a\xe2\x80\xae]\nInterfaces=x\n"]


@pytest.mark.parametrize("text", BAD)
def test_configuration(tmp_path, text):
    """What is wrong with a file is said in whole lines of plain text."""
    (tmp_path / "a.conf").write_bytes(text)
    said = sh(binary(), "--config", str(tmp_path / "a.conf"), "--check-config", check=False)
    assert all(re.fullmatch("[ -~]+", line) for line in said.splitlines()), repr(said)
    assert f"{tmp_path}/a.conf:" in said
