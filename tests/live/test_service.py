# SPDX-License-Identifier: GPL-2.0-or-later
"""The program as an administrator meets it: options, configuration, reload, status, expiry."""

import os
import re
import signal
import subprocess
import time

import pytest

from lab import frames, netns, rules
from lab.daemon import Daemon, binary, check_config
from lab.services import poll
from lab.traffic import Traffic


def run(*args):
    return subprocess.run([binary(), *args], text=True, capture_output=True, timeout=30)


# --- command line ------------------------------------------------------------------


def test_version_and_help():
    version = run("--version")
    assert version.returncode == 0 and version.stdout.startswith("ctmarkd ")
    text = run("--help")
    assert text.returncode == 0
    for option in ("--config", "--check-config", "--shadow", "--version", "--help"):
        assert option in text.stdout


@pytest.mark.parametrize("args", [["--version"], ["--help"], ["--check-config"]])
@pytest.mark.parametrize("where", ["/dev/full", "&-"])
def test_output_that_cannot_be_written(args, where):
    command = f'"$0" "$@" >{where}'
    if args == ["--check-config"]:
        args = ["--config", "/dev/null", *args]
    done = subprocess.run(["sh", "-c", command, binary(), *args], text=True, capture_output=True,
                          timeout=30)
    assert done.returncode == 1
    assert done.stderr.startswith("ctmarkd: cannot write to standard output")


def test_closed_standard_files(lab):
    """Nothing of the daemon's own may become its stdin, stdout or stderr."""
    closed = ["sh", "-c", 'exec "$0" "$@" 0<&- 1>&- 2>&-']
    with Daemon(lab.router, prefix=closed) as daemon:
        fds = [os.readlink(f"/proc/{daemon.pid}/fd/{n}") for n in range(3)]
    assert fds == ["/dev/null"] * 3


@pytest.mark.parametrize("args", [["--no-such-option"], ["--config"], ["stray"]])
def test_bad_usage(args):
    done = run(*args)
    assert done.returncode == 2
    assert re.fullmatch(rf"ctmarkd: .*'{args[0]}'; see ctmarkd --help\n", done.stderr)


# --- configuration -----------------------------------------------------------------


def test_good_configuration():
    code, output = check_config("[Mark]\nEncoding=flags\nMask=0x7f00\n[Timeouts]\nUDP=45s\n")
    assert (code, output) == (0, "The configuration is good.\n")


@pytest.mark.parametrize("text,line", [
    ("[Queue]\nRange=5-2\n", 2),
    ("[Mark]\nMask=0x5\n", 2),
    ("[Mark]\nEncoding=flags\nMask=0xf\n", 3),
    ("# a comment\n\n[Timeouts]\nUDP=soon\n", 4),
    ("[Verdict]\nNew=reject\n", 2),
    ("[Verdict]\nNew=queue:70000\n", 2),
    ("[Log]\nEvents=new everything\n", 2),
    ("[Track]\nMaxFlows=-1\n", 2),
    ("[Track]\nHelpers=ftp sip:21\n", 2),
    ("[Queue]\nRange=0\n[Zone blue]\nQueue=0\n", 3),
    ("[Zone blue]\nId=1\nQueue=0\n[Zone red]\nId=2\nQueue=0\n", 6),
])
def test_bad_value(text, line):
    code, output = check_config(text)
    assert code == 6
    assert re.search(rf"\.conf:{line}\b", output), output


def test_unknown_key_is_a_warning():
    code, output = check_config("[Queue]\nRange=3\nColour=red\n[Paint]\nColour=red\n")
    assert code == 0
    assert re.search(r"\.conf:3\b.*Colour", output), output
    assert re.search(r"\.conf:[45]\b.*Paint", output), output


def test_missing_file():
    done = run("--config", "/nonexistent/ctmarkd.conf", "--check-config")
    assert done.returncode == 6
    assert "/nonexistent/ctmarkd.conf" in done.stderr


def test_bad_configuration_does_not_start(lab):
    with Daemon(lab.router, "[Mark]\nMask=zero\n", ready=False) as daemon:
        assert daemon.join() == 6


# --- reload ------------------------------------------------------------------------


def test_reload_takes_a_good_file(lab, nflog):
    rules.queue(lab.router)
    with Daemon(lab.router) as daemon:
        client, server = Traffic(lab, nflog, False).udp_pair(5353)
        with client, server:
            client.send(b"query")
            peer = server.recvfrom(100)[1]
            daemon.write_config({"Mark": {"Mask": "0xf0000"}, "Timeouts": {"UDPStream": "77s"}})
            assert daemon.reload()
            server.sendto(b"answer", peer)
            client.recv(100)
        assert [p.mark for p in nflog.settle()] == [0xa, 0xb0000], "the flow lives on"
        reply = daemon.wait_events(1, event="reply")[0]
        assert reply["timeout"] in ("29", "30"), "the first reply still has UDP="
        assert daemon.process.poll() is None
        assert daemon.wait_line("(?i)reloaded")


def test_reload_refuses_a_bad_file(lab, nflog):
    rules.queue(lab.router)
    with Daemon(lab.router, {"Mark": {"Mask": "0xf0"}}) as daemon:
        daemon.write_config("[Mark]\nMask=0xf00\n[Track]\nMaxFlows=many\n")
        assert daemon.reload(), "ready again, with the old configuration"
        assert daemon.wait_line(r"ctmarkd\.conf:4\b")
        Traffic(lab, nflog, False).udp_query()
        assert [p.mark for p in nflog.settle()] == [0xa0, 0xb0]


def test_reload_names_keys_that_need_a_restart(lab):
    with Daemon(lab.router) as daemon:
        daemon.write_config({"Queue": {"Range": "4"}, "Track": {"MaxFlows": "1000"}})
        assert daemon.reload()
        line = daemon.wait_line("(?i)restart")
        assert "Range" in line and "MaxFlows" in line


def copied_bytes(space):
    """The copy range of the kernel's queue."""
    return int(space.run("cat", "/proc/net/netfilter/nfnetlink_queue").split()[4])


def test_copy_range_follows_a_reload(lab, nflog):
    """Helpers want whole packets; no packet is lost meanwhile."""
    for space, port in ((lab.client, "eth0"), (lab.router, "lan"), (lab.router, "wan"),
                        (lab.server, "eth0")):
        space.ip("link", "set", port, "mtu", "65535")
    rules.queue(lab.router)
    with Daemon(lab.router) as daemon:
        for track, copied in (({"Helpers": "ftp"}, 65531), ({}, 2048)):
            daemon.write_config({"Track": track})
            assert daemon.reload()
            assert poll(lambda: copied_bytes(lab.router) == copied)
            client, server = Traffic(lab, nflog, False).udp_pair(5353)
            with client, server:
                client.send(bytes(60000))
                assert len(server.recvfrom(65535)[0]) == 60000
        assert not daemon.events(event="invalid") and not daemon.wait_line("restart", timeout=0)


def test_helpers_follow_a_reload(lab, nflog):
    """A flow has the helper of its port when it begins, and keeps it."""
    rules.queue(lab.router)
    lab.server.run("iptables", "-w", "-A", "INPUT", "-j", "DROP")
    hosts = (netns.CLIENT4, netns.SERVER4)
    with Daemon(lab.router) as daemon, lab.client.raw("eth0") as wire:
        for port, track, helper in ((1000, {"Helpers": "ftp:21,2121"}, None), (1001, {"Helpers": "tftp"}, "ftp"),
                                    (1002, {}, None)):
            wire.send(frames.ethernet(frames.tcp(*hosts, port, 2121, frames.SYN, 1)))
            assert daemon.wait_events(1, event="new", sport=port)[0].get("helper") == helper
            daemon.write_config({"Track": track})
            assert daemon.reload()
        wire.send(frames.ethernet(frames.tcp(*hosts, 1001, 2121, frames.RST, 2)))
        ended = daemon.wait_events(1, event="state", sport=1001)[0]
        assert ended["helper"] == "ftp" and "HELPER" in ended["status"].split(",")


# --- what the service manager sees -------------------------------------------------


def test_status_and_watchdog(lab, nflog):
    rules.queue(lab.router)
    with Daemon(lab.router, env={"WATCHDOG_USEC": "2000000"}) as daemon:
        Traffic(lab, nflog, False).udp_query()
        assert daemon.notify.wait("WATCHDOG=1")
        assert daemon.notify.wait("WATCHDOG=1"), "fed again although idle"
        status = daemon.notify.wait("STATUS=.* 1 flow")
        assert re.fullmatch(r"STATUS=queue 0, confirming at the entry, 1 flows?, \d+ pps, "
                            r"no fragments seen yet, 0 drops", status), daemon.notify.lines


def test_accounts_on_demand(lab, nflog):
    rules.queue(lab.router)
    with Daemon(lab.router) as daemon:
        Traffic(lab, nflog, False).ping()
        assert daemon.wait_events(1, event="reply")
        daemon.kill(signal.SIGUSR1)
        assert daemon.wait_line(r"Queue 0: 2 packets came, 2 answered, 0 wait; nothing is missing")


# --- interfaces --------------------------------------------------------------------


def test_names_after_lost_notifications(lab, nflog):
    """More changes than the socket for them holds, and the last of them is a new name."""
    rules.queue(lab.router)
    with Daemon(lab.router) as daemon:
        Traffic(lab, nflog, False).ping()
        assert daemon.wait_events(1, event="new", iif="lan")
        daemon.freeze()
        storm = [f"link set dev lo txqueuelen {1000 + n}" for n in range(2000)]
        lab.router.run("ip", "-batch", "-", stdin="\n".join([*storm, "link set lan name inside"]))
        daemon.kill(signal.SIGCONT)
        time.sleep(0.5)
        Traffic(lab, nflog, False).ping()
        assert daemon.wait_events(1, event="new", iif="inside"), daemon.events(event="new")
        lab.router.ip("link", "set", "inside", "name", "lan")
        time.sleep(0.2)
        Traffic(lab, nflog, False).ping()
        assert daemon.wait_events(2, event="new", iif="lan"), "changes are still followed"


# --- expiry ------------------------------------------------------------------------


def test_expiry_is_told_within_two_seconds(lab, nflog):
    rules.queue(lab.router)
    with Daemon(lab.router, {"Timeouts": {"UDP": "1s", "TCPClose": "1s", "ICMP": "1s"}}) as daemon:
        traffic = Traffic(lab, nflog, False)
        traffic.udp_closed()
        traffic.tcp_refused()
        traffic.ping()
        start = time.monotonic()
        gone = daemon.wait_events(3, event="destroy", timeout=4)
        took = time.monotonic() - start
    assert {event["proto"] for event in gone} == {"udp", "tcp", "icmp"}
    assert took < 3.2, "a deadline of 1 s and up to 2 s more"
    udp = next(e for e in gone if e["proto"] == "udp")
    assert udp["reason"] == "timeout"
    assert (udp["packets_orig"], udp["packets_reply"]) == ("1", "0")
    tcp = next(e for e in gone if e["proto"] == "tcp")
    assert (tcp["packets_orig"], tcp["packets_reply"]) == ("1", "1")


# --- flood -------------------------------------------------------------------------


def test_flood_of_invalid_is_counted_not_logged(lab, nflog):
    flood, burst = 3000, 40
    rules.queue(lab.router)
    with Daemon(lab.router, {"Log": {"RateLimit": "10/s", "Burst": str(burst)}}) as daemon:
        bad = frames.ethernet(frames.udp(netns.CLIENT4, netns.SERVER4, 1000, 2000, bad_sum=True))
        with lab.client.raw("eth0") as wire:
            for n in range(flood):
                wire.send(bad)
                if n % 100 == 99:
                    nflog.wait(n)
        passed = nflog.wait(flood)
        assert [p.mark for p in passed] == [0xe] * flood

        def told():
            return sum(int(e["suppressed"]) for e in daemon.events(event="log-suppressed"))

        written, deadline = [], time.monotonic() + 5
        while len(written) + told() < flood and time.monotonic() < deadline:
            time.sleep(0.1)
            written = daemon.events(event="invalid")
        Traffic(lab, nflog, False).udp_query()
        assert daemon.wait_events(1, event="new"), "other classes are not held back"
    assert len(written) + told() == flood, "the summary is exact"
    assert burst <= len(written) < 200
    assert all(e["class"] == "invalid" for e in daemon.events(event="log-suppressed"))
