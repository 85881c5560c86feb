# SPDX-License-Identifier: GPL-2.0-or-later
"""
The rules that ctmarkctl prints: they load as they are, real traffic gets its classes and is filtered
by them, and loading them again costs no packet that waits in a queue.

This kernel has no queue statement for nft (CONFIG_NFT_QUEUE): nft's parser has to take it, and the
kernel has to refuse it and nothing else; all else is loaded, with iptables doing the queueing.
"""

import json
import re
import socket
import subprocess
import threading
import time

import pytest

from lab import ctmarkctl, frames, netns, rules
from lab.daemon import Daemon
from lab.queues import kernel_queues

SIX = pytest.mark.parametrize("six", [False, True], ids=["ipv4", "ipv6"])
FLAVOUR = pytest.mark.parametrize("flavour", ["nft", "legacy"])
# Options of ctmarkctl, configuration of ctmarkd.
SETTINGS = {
    "ctinfo": (("--queues", "0", "--mask", "0xf"), {}),
    "flags": (("--queues", "0-1", "--mask", "0x7f0000", "--encoding", "flags"),
              {"Queue": {"Range": "0-1"}, "Mark": {"Encoding": "flags", "Mask": "0x7f0000"}}),
}
WAITING = 200


@pytest.fixture(params=SETTINGS)
def setting(request):
    return SETTINGS[request.param]


def generate(space, *words):
    status, text, errors = ctmarkctl.run(space, "rules", *words)
    assert status == 0, errors
    return text


def restore(space, text, flavour="nft", families=rules.FAMILIES, options=("--noflush",)):
    for family in families:
        space.run(f"{family}-{flavour}-restore", *options, stdin=text)


def counters(space, six, flavour, *chains):
    """{comment of a rule: packets} of chains of filter."""
    found = {}
    for chain in chains:
        for line in space.run(f"{rules.FAMILIES[six]}-{flavour}", "-w", "-nvxL", chain).splitlines():
            comment = re.search(r"/\* (.*) \*/", line)
            if comment:
                found[comment[1]] = found.get(comment[1], 0) + int(line.split()[0])
    return found


def nft_counters(space, table="inet ctmarkd"):
    """{comment of a rule: packets} of a table of nft."""
    found = {}
    for item in json.loads(space.run("nft", "-j", "list", "table", *table.split()))["nftables"]:
        rule = item.get("rule", {})
        for statement in rule.get("expr", ()):
            if "counter" in statement and "comment" in rule:
                key = rule["comment"]
                found[key] = found.get(key, 0) + statement["counter"]["packets"]
    return found


def addresses(six):
    return (netns.CLIENT6, netns.SERVER6) if six else (netns.CLIENT4, netns.SERVER4)


def talk(lab, six, port, timeout=5):
    """A connection to the server with an echo; False if nobody answers."""
    af = socket.AF_INET6 if six else socket.AF_INET
    server = addresses(six)[1]
    with lab.server.socket(af) as listener, lab.client.socket(af, timeout=timeout) as client:
        listener.bind((server, port))
        listener.listen()
        try:
            client.connect((server, port))
        except TimeoutError:
            return False
        with listener.accept()[0] as peer:
            client.sendall(b"question")
            assert peer.recv(100) == b"question"
            peer.sendall(b"answer")
            assert client.recv(100) == b"answer"
        return True


def forge(lab, six):
    """The reset of no connection, to a port that the filter accepts."""
    client, server = addresses(six)
    with lab.client.raw("eth0") as wire:
        wire.send(frames.ethernet(frames.tcp(client, server, 999, 8080, frames.RST, 5)))


def exercise(lab, six, count):
    """Traffic of each kind; count() gives the counters by comment."""
    assert talk(lab, six, 8080), "an accepted port"
    assert not talk(lab, six, 8081, timeout=0.7), "any other port"
    said = lab.client.run("ping", "-n", "-c1", "-W5", addresses(six)[1], check=False)
    assert " 1 received" in said, (said, count())
    forge(lab, six)
    deadline = time.monotonic() + 5
    while not count().get("INVALID: the journal says why") and time.monotonic() < deadline:
        time.sleep(0.02)
    hits = count()
    assert hits["a service"] == 1
    assert hits["ping"] == 1
    assert hits["nobody asked for it"] >= 1
    assert hits["INVALID: the journal says why"] == 1
    assert hits["ESTABLISHED"] >= 3
    return hits


# --- iptables ----------------------------------------------------------------------------------

@SIX
@FLAVOUR
def test_traffic(lab, setting, flavour, six):
    """Marks arrive, rules count, NEW to a closed port is dropped, established connections pass."""
    options, config = setting
    restore(lab.router, generate(lab.router, "--iptables", *options, "--filter", "input,forward",
                                 "--accept", "tcp/8080,ping"), flavour)
    with Daemon(lab.router, config):
        hits = exercise(lab, six,
                        lambda: counters(lab.router, six, flavour, "ctmarkd-classes", "ctmarkd-new"))
        assert hits["NEW"] == hits["a service"] + hits["ping"] + hits["nobody asked for it"]
        if config:
            assert "ESTABLISHED_REPLY" not in hits, "one rule for both directions"
        else:
            assert hits["ESTABLISHED_REPLY"] >= 3


@FLAVOUR
def test_for_both_directions_of_the_machine(lab, flavour):
    """The router's own connections, and one over its loopback device."""
    restore(lab.router, generate(lab.router, "--iptables", "--queues", "0", "--mask", "0xf",
                                 "--filter", "input", "--accept", "tcp/22"), flavour)
    with Daemon(lab.router) as daemon:
        lab.router.run("ping", "-n", "-c1", "-W5", netns.SERVER4)
        lab.router.run("ping", "-n", "-c1", "-W5", "127.0.0.1")
        lab.client.run("ping", "-n", "-c1", "-W1", netns.LAN4, check=False)
        hits = counters(lab.router, False, flavour, "ctmarkd-classes", "ctmarkd-new")
        assert hits["ESTABLISHED_REPLY"] == 1
        assert hits["this machine to itself"] == 2
        assert hits["nobody asked for it"] == 1, "ping is not among what is accepted"
        new = daemon.wait_events(3, event="new")
        assert [e["hook"] for e in new] == ["OUTPUT", "OUTPUT", "PREROUTING"]


@pytest.mark.parametrize("extra", [
    (), ("--filter", "input,forward,output"), ("--no-bypass",), ("--confirm", "exit"),
    ("--hooks", "forward", "--filter", "forward", "--accept", "udp/500:510"),
    ("--only", "queue"), ("--only", "filter", "--filter", "input")], ids=" ".join)
@FLAVOUR
def test_load_update_remove(lab, setting, flavour, extra):
    """Loads as it is for both families; an update changes nothing; what was loaded goes away."""
    words = ("--iptables", *setting[0], *extra)

    def saved():
        lines = "".join(lab.router.run(f"{family}-{flavour}-save") for family in rules.FAMILIES)
        return [line for line in lines.splitlines() if "ctmarkd" in line]

    restore(lab.router, generate(lab.router, *words), flavour)
    first = saved()
    assert first
    restore(lab.router, generate(lab.router, *words, "--update"), flavour)
    assert saved() == first
    restore(lab.router, generate(lab.router, *words, "--remove"), flavour)
    assert saved() == []


@pytest.mark.parametrize("six", [False, True], ids=["ipv4", "ipv6"])
def test_one_family(lab, six):
    """With --family nothing of the other one is in it, and its own restore takes it."""
    text = generate(lab.router, "--iptables", "--queues", "0", "--mask", "0xf", "--family",
                    "ipv6" if six else "ipv4", "--filter", "input")
    rules_only = [line for line in text.splitlines() if line.startswith("-")]
    assert not any(line.startswith(("-4", "-6")) for line in rules_only)
    assert ("icmp6" in text) == six and ("ip6tables-restore" in text) == six
    restore(lab.router, text, families=rules.FAMILIES[six:six + 1])


def test_fragments(lab):
    """The later fragment of a NEW datagram has no port and is accepted like the first one."""
    restore(lab.router, generate(lab.router, "--iptables", "--queues", "0", "--mask", "0xf",
                                 "--filter", "forward", "--accept", "udp/9"))
    with Daemon(lab.router), lab.server.socket(socket.AF_INET, socket.SOCK_DGRAM) as server, \
            lab.client.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        server.bind((netns.SERVER4, 9))
        client.sendto(bytes(4000), (netns.SERVER4, 9))
        assert len(server.recv(5000)) == 4000
        hits = counters(lab.router, False, "nft", "ctmarkd-new")
        assert hits["a service"] == 1
        assert hits["later fragment, has no port"] == 2


# --- nft ---------------------------------------------------------------------------------------

def nft(space, text, *options):
    done = subprocess.run(space.wrap("nft", *options, "-f", "-"), input=text, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=30)
    return done.returncode, done.stdout


NFT_EXTRA = pytest.mark.parametrize("extra", [
    (), ("--filter", "input,forward,output"), ("--no-bypass",), ("--confirm", "exit"),
    ("--family", "ipv4", "--filter", "input"), ("--family", "ipv6", "--filter", "input"),
    ("--only", "filter", "--filter", "forward", "--accept", "udp/500:510,ping")], ids=" ".join)


@NFT_EXTRA
def test_nft_parses(lab, setting, extra):
    """Nothing but the queue statement is refused, and that by the kernel, not by the parser."""
    text = generate(lab.router, "--nft", *setting[0], *extra)
    status, said = nft(lab.router, text, "-c")
    assert "syntax error" not in said
    errors = [line for line in said.splitlines() if "Error:" in line]
    numbers = {int(re.match(r"/dev/stdin:(\d+):", line)[1]) for line in errors}
    queues = {n for n, line in enumerate(text.splitlines(), 1) if " queue num " in line}
    if status == 0:
        return  # a kernel that has it
    assert all("Could not process rule" in line for line in errors), said
    assert numbers and numbers <= queues, said


@NFT_EXTRA
def test_nft_loads_again(lab, setting, extra):
    """All but the queue statement is loaded; a second time changes nothing; flush empties it."""
    text = re.sub(r"queue num \S+( bypass)?", "accept", generate(lab.router, "--nft", *setting[0], *extra))
    assert nft(lab.router, text) == (0, "")
    first = lab.router.run("nft", "-s", "list", "ruleset")
    assert nft(lab.router, text) == (0, "")
    assert lab.router.run("nft", "-s", "list", "ruleset") == first
    assert 'comment "' in first
    assert nft(lab.router, generate(lab.router, "--nft", *setting[0], *extra, "--remove")) == (0, "")
    assert 'comment "' not in lab.router.run("nft", "-s", "list", "ruleset")


@SIX
def test_nft_filter(lab, setting, six):
    """The filter of nft on real traffic, which iptables queues."""
    options, config = setting
    restore(lab.router, generate(lab.router, "--iptables", *options, "--only", "queue"))
    assert nft(lab.router, generate(lab.router, "--nft", *options, "--only", "filter", "--filter",
                                    "input,forward", "--accept", "tcp/8080,ping")) == (0, "")
    with Daemon(lab.router, config):
        exercise(lab, six, lambda: nft_counters(lab.router))


# --- what the daemon says ------------------------------------------------------------------------

class Answering:
    """Somebody at a control socket who has a configuration."""

    def __init__(self, path, settings, status):
        self.path = str(path)
        self.replies = {"GetConfig": {"settings": settings}, "GetStatus": {"status": status}}
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen()
        threading.Thread(target=self._answer, daemon=True).start()

    def _answer(self):
        while True:
            with self.listener.accept()[0] as peer:
                buffer = b""
                while data := peer.recv(65536):
                    *messages, buffer = (buffer + data).split(b"\0")
                    for message in messages:
                        method = json.loads(message)["method"].rpartition(".")[2]
                        reply = {"parameters": self.replies[method]}
                        peer.sendall(json.dumps(reply).encode() + b"\0")


def settings_of(text):
    """[{"section": ..., "key": ..., "value": ..., "default": ...}] of lines "SECTION/KEY=VALUE"."""
    found = []
    for line in text.splitlines():
        section, _, rest = line.partition("/")
        key, _, value = rest.partition("=")
        found.append({"section": section, "key": key, "value": value, "default": ""})
    return found


def test_running_configuration(lab, tmp_path):
    """Range, mask, zones, verdicts and the place where flows are confirmed are the daemon's."""
    Answering(tmp_path / "s", settings_of(
        "Queue/Range=0-7\nQueue/FailOpen=yes\nMark/Encoding=flags\nMark/Mask=0x7f00\n"
        "Track/Confirm=auto\nTimeouts/UDP=30s\nVerdict/New=repeat\nVerdict/Invalid=queue:9\n"
        "Zone blue/Id=3\nZone blue/InputInterface=lan la-*\nZone blue/Queue=6-7"),
        {"confirms": "exit", "fragments": []})
    at = ("--socket", str(tmp_path / "s"))
    status, text, errors = ctmarkctl.run(lab.router, *at, "rules", "--iptables", "--filter", "input")
    assert (status, errors) == (0, "")
    queueing = [line for line in text.splitlines() if "NFQUEUE" in line]
    assert len(queueing) == 2 * 3 + 2
    assert queueing[0].startswith("-A ctmarkd-PREROUTING -i lan ") and "--queue-balance 6:7" in queueing[0]
    assert "-i la-+ " in queueing[1] and "--queue-balance 0:5" in queueing[2]
    assert "--mark 0x200/0x200" in text and "! --mark 0x0/0x1f00" in text
    assert "INVALID packets are handed on to queue 9" in text and "FailOpen=yes" in text
    restore(lab.router, text)


ZONED = """
[Queue]
Range=0-2
[Mark]
Mask=0xf00
[Track]
Confirm=exit
[Zone both]
Id=3
InputInterface=lan wa*
Queue=1-2
[Log]
Target=console
"""


@SIX
@FLAVOUR
def test_running_daemon(lab, flavour, six):
    """A daemon with zones that confirms at the exit: asked, fed, and nothing is wrong with it."""
    with Daemon(lab.router, ZONED) as daemon:
        at = ("--socket", daemon.control)
        status, text, errors = ctmarkctl.run(lab.router, *at, "rules", "--iptables", "--filter",
                                             "forward", "--accept", "tcp/8080")
        assert (status, errors) == (0, "")
        restore(lab.router, text, flavour)
        assert ctmarkctl.run(lab.router, *at, "check-rules") == (
            0, "0 errors, 0 warnings, 0 for information\n", "")
        assert talk(lab, six, 8080)
        assert not talk(lab, six, 8081, timeout=0.7)
        new = daemon.wait_events(1, event="new", dport=8080)
        assert [(e["zone"], e["hook"]) for e in new] == [("3", "POSTROUTING")]
        assert daemon.wait_events(1, event="assured", zone=3)
        # the reply of a machine behind a zone is of the zone, and of one of its queues
        reply = daemon.wait_events(1, event="reply")[0]
        assert reply["queue"] in ("1", "2")
        assert daemon.events(event="new", dport=8081) == [], "what is dropped leaves nothing"
        moved = ctmarkctl.run(lab.router, *at, "check-rules", "--mask", "0xf")[1]
        assert "[match-shift]" in moved and "[no-match]" in moved


# --- without a daemon --------------------------------------------------------------------------

def test_no_daemon(lab):
    status, text, errors = ctmarkctl.run(lab.router, "--socket", "/nowhere/at/all", "rules", "--nft")
    assert (status, text) == (3, "")
    assert "--queues and --mask" in errors


@pytest.mark.parametrize("words", [
    (), ("--iptables", "--nft"), ("--nft", "--update"), ("--iptables", "--mask", "0x5"),
    ("--iptables", "--encoding", "flags"), ("--iptables", "--queues", "3-1"),
    ("--iptables", "--filter", "prerouting"), ("--iptables", "--accept", "tcp"),
    ("--iptables", "--hooks", "ingress"), ("--iptables", "--only", "both"),
    ("--iptables", "--family", "inet"), ("--iptables", "--bypass", "--no-bypass")], ids=" ".join)
def test_usage(lab, words):
    given = dict(zip(words, words[1:]))
    defaults = [w for o, v in (("--queues", "0"), ("--mask", "0xf")) if o not in given for w in (o, v)]
    status, text, errors = ctmarkctl.run(lab.router, "rules", *words, *defaults)
    assert (status, text) == (2, "") and errors


# --- what waits while rules change ---------------------------------------------------------------

@pytest.fixture
def waiting(lab):
    """A router with packets that wait in a queue whose daemon stands still."""
    restore(lab.router, generate(lab.router, "--iptables", "--queues", "0", "--mask", "0xf",
                                 "--hooks", "prerouting"))
    table = "table inet other { chain c { type filter hook input priority 0; ip daddr 192.0.2.77 accept; }; }"
    assert nft(lab.router, table)[0] == 0
    assert nft(lab.router, re.sub(r"queue num \S+( bypass)?", "continue", generate(
        lab.router, "--nft", "--queues", "0", "--mask", "0xf", "--filter", "input")))[0] == 0
    with Daemon(lab.router) as daemon:
        daemon.freeze()
        with lab.client.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            for _ in range(WAITING):
                client.sendto(b"x", (netns.SERVER4, 9))
        yield Waiting(lab.router, daemon)


class Waiting:
    def __init__(self, space, daemon):
        self.space, self.daemon = space, daemon
        self.expect(WAITING)

    def count(self):
        return kernel_queues(self.space)[0][1]

    def expect(self, wanted):
        deadline = time.monotonic() + 5
        while self.count() != wanted and time.monotonic() < deadline:
            time.sleep(0.01)
        assert self.count() == wanted


def test_what_keeps_waiting_packets(lab, waiting):
    """Everything that the printed rules tell people to do."""
    router, plain = lab.router, ("--queues", "0", "--mask", "0xf")
    restore(router, generate(router, "--iptables", *plain, "--hooks", "prerouting", "--update"))
    waiting.expect(WAITING)
    restore(router, generate(router, "--iptables", *plain, "--hooks", "prerouting", "--remove"))
    waiting.expect(WAITING)
    restore(router, generate(router, "--iptables", *plain, "--filter", "input"))
    waiting.expect(WAITING)
    text = re.sub(r"queue num \S+( bypass)?", "continue",
                  generate(router, "--nft", *plain, "--filter", "input"))
    assert nft(router, text) == (0, "")
    waiting.expect(WAITING)
    router.run("nft", "flush", "table", "inet", "ctmarkd")
    waiting.expect(WAITING)
    waiting.daemon.kill(18)  # SIGCONT
    waiting.expect(0)


@pytest.mark.parametrize("action", [
    ("nft", "delete", "table", "inet", "other"), ("nft", "delete", "chain", "inet", "other", "c"),
    ("nft", "flush", "ruleset")], ids=" ".join)
def test_what_drops_waiting_packets(lab, waiting, action):
    """What they warn of: a base chain goes, anybody's, and nobody has counted the packets."""
    if action[1:3] == ("delete", "chain"):
        lab.router.run("nft", "flush", "chain", "inet", "other", "c")
        waiting.expect(WAITING)
    lab.router.run(*action)
    waiting.expect(0)
    assert kernel_queues(lab.router)[0][2:4] == (0, 0)


def test_full_restore_drops_waiting_packets(lab, waiting):
    """iptables-restore without --noflush makes the chains of its tables anew."""
    restore(lab.router, lab.router.run("iptables-save"), families=("iptables",), options=())
    waiting.expect(0)
