# SPDX-License-Identifier: GPL-2.0-or-later
"""ctmark-replay --compare: the marks of a running ctmarkd against the engine on the same packets."""

import json
import select
import socket
import subprocess

import pytest

from lab import netns, replay, rules
from lab.daemon import Daemon
from lab.traffic import Traffic

GROUP = 5


@pytest.fixture
def watched(lab):
    """What is forwarded goes through ctmarkd, and is recorded with its mark behind it."""
    rules.queue(lab.router)
    for command in rules.FAMILIES:
        lab.router.run(command, "-w", "-A", "FORWARD", "-j", "NFLOG", "--nflog-group", str(GROUP))
    return lab


def converse(lab, nflog):
    """Packets of all classes, over both families."""
    for six in (False, True):
        traffic = Traffic(lab, nflog, six)
        traffic.tcp_forged()
        traffic.tcp_connection()
        traffic.tcp_refused()
        traffic.udp_query()
        traffic.udp_closed()
        traffic.udp_late()
        traffic.ping()


def summary(text):
    """(lines of packets that differ, the object at the end)."""
    lines = [json.loads(line) for line in text.splitlines()]
    return lines[:-1], lines[-1]


def wait_packet_socket(space, process):
    """Waits until a capture runs; False if its program has ended."""
    while process.poll() is None:
        if len(space.run("cat", "/proc/net/packet").splitlines()) > 1:
            return True
    return False


def hear(lab, *words):
    return replay.Hearing(lab.router, GROUP, replay.program(), "-i", f"nflog:{GROUP}", *words)


def test_live_marks_agree(watched, nflog):
    with Daemon(watched.router), hear(watched, "--compare", "-j") as live:
        converse(watched, nflog)
        nflog.settle()
        live.drain()
        status = live.stop()
    differ, total = summary(live.output)
    assert (status, differ, total["differences"]) == (0, [], 0), live.output
    assert total["compared"] >= 40
    assert {line["ctinfo"] for line in total["table"]} == set(rules.CTINFO) - {"UNTRACKED"}
    assert all(line["recorded"] == line["ctinfo"] for line in total["table"])


def test_live_and_file_say_the_same(watched, nflog, tmp_path):
    """The recording of tcpdump, and what falsifies three marks of it: exactly that is found."""
    file = tmp_path / "marks.pcap"
    falsify = ("-p", "udp", "--dport", "7777", "-m", "mark", "--mark", "0xa/0xf", "-j", "MARK",
               "--set-xmark", "0x8/0xf")
    tcpdump = replay.Hearing(watched.router, GROUP, "tcpdump", "-U", "-Z", "root", "-i", f"nflog:{GROUP}", "-w", file)
    with Daemon(watched.router), rules.rule(watched.router, False, "mangle", "FORWARD", *falsify), tcpdump:
        Traffic(watched, nflog, False).tcp_connection()
        with watched.client.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            for _ in range(3):
                client.sendto(b"who?", (netns.SERVER4, 7777))
        nflog.settle()
        tcpdump.drain()
        assert tcpdump.stop() == 0
    status, output, errors = replay.run("--compare", "-j", file)
    differ, total = summary(output)
    assert (status, len(differ), total["differences"]) == (3, 3, 3), output + errors
    assert {(line["recorded"], line["ctinfo"]) for line in differ} == {("ESTABLISHED", "NEW")}
    status, output, _ = replay.run("--compare", file)
    assert status == 3
    assert f"3 of {total['compared']} packets differ" in output
    assert output.count("differ\n") == 2
    with open(file, "rb") as stdin:
        assert replay.run("--compare", "-", stdin=stdin)[1] == output


def test_packets_that_went_past_the_queue(watched, nflog):
    """Without a daemon there are no marks: each packet differs."""
    for command in rules.FAMILIES:
        watched.router.run(command, "-w", "-t", "mangle", "-F", "PREROUTING")
    with hear(watched, "--compare") as live:
        Traffic(watched, nflog, False).udp_query()
        live.drain()
        assert live.stop() == 3
    assert "2 of 2 packets differ" in live.output
    assert live.output.count("no mark") == 4


def test_other_bits_and_the_other_encoding(watched, nflog, tmp_path):
    config = {"Mark": {"Encoding": "flags", "Mask": "0x7f0000"}}
    file = tmp_path / "ctmarkd.conf"
    file.write_text("[Mark]\nEncoding=flags\nMask=0x7f0000\n")
    with Daemon(watched.router, config), hear(watched, "--compare", "-j", "--config", file) as live:
        Traffic(watched, nflog, True).tcp_forged()
        nflog.settle()
        live.drain()
        assert live.stop() == 0
    assert summary(live.output)[1]["compared"] >= 6


def test_an_interface_has_no_marks(lab):
    """It ends by a signal, with its totals; the quiet time before lets flows expire."""
    words = (replay.program(), "-i", "lan", "--compare")
    process = lab.router.popen(*words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert wait_packet_socket(lab.router, process)
    process.terminate()
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 1
    assert "no marks" in errors


def test_flows_expire_while_nothing_comes(lab, tmp_path):
    file = tmp_path / "ctmarkd.conf"
    file.write_text("[Timeouts]\nUDP=1s\n")
    words = (replay.program(), "-i", "lan", "-f", "udp port 7777", "--config", file)
    process = lab.router.popen(*map(str, words), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    with lab.client.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        while not select.select([process.stdout], [], [], 0.2)[0]:  # until it listens
            client.sendto(b"anybody?", (netns.SERVER4, 7777))
    lines = []
    while not lines or " ended " not in lines[-1]:
        lines.append(process.stdout.readline())
        assert lines[-1], process.communicate()[1]
    process.terminate()
    process.communicate(timeout=20)
    assert " NEW " in lines[1] and "timeout: " in lines[-1]
    assert process.returncode == 0


def test_rights_are_missing(lab):
    """Exit status 4, as of the daemon."""
    done = subprocess.run(lab.router.wrap("setpriv", "--bounding-set=-net_raw,-net_admin",
                                          "--inh-caps=-net_raw,-net_admin", replay.program(), "-i", "lan"),
                          capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 4, done.stderr
    assert done.stderr.startswith("ctmark-replay: lan: ")
