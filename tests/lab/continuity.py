# SPDX-License-Identifier: GPL-2.0-or-later
"""
A router that must not be noticed when its ctmarkd ends and comes back.

    client eth0 ---- lan machine wan ---- eth0 server

The machine has a systemd of its own and ctmarkd as its installed unit; client and server are
namespaces outside of it and live on when it is booted again. Packets without a verdict are lost
(there is no --queue-bypass), connections that the table does not know are refused, and nothing asks
the kernel's conntrack.
"""

import contextlib
import json
import os
import pathlib
import re
import subprocess
import time

from lab import netns, rules, steady
from lab.daemon import binary, config_text
from lab.machine import Machine
from lab.netns import Lab, Netns, sh
from lab.services import PYTHON, poll

DROP_IN = "/etc/ctmarkd/ctmarkd.conf.d/50-test.conf"
STATE_FILE = "/var/lib/ctmarkd/flows"
UPTIME = 1000000  # of the first boot, so that the next one sets the clocks back

# What may open a connection, and the port that takes what is only to fill the table.
OPEN = {"tcp": "21,5201,7022", "udp": "69,7000:7999"}
FILL_PORT = 9
QUEUES = "QUEUES"  # a chain
ONE_QUEUE = ("--queue-num 0",)
PASSING = ("ESTABLISHED", "ESTABLISHED_REPLY", "RELATED", "RELATED_REPLY")
PING = {"iptables": "-p icmp --icmp-type echo-request",
        "ip6tables": "-p ipv6-icmp --icmpv6-type echo-request"}

# A busy machine can take five seconds to start the next process, and there is room for all that comes meanwhile.
STRICT = {"Queue": {"MaxPackets": "65536"}, "Track": {"TCPLoose": "no"}, "Verdict": {"Invalid": "drop"},
          "Log": {"Events": "new related assured state destroy invalid", "RateLimit": "0"}}
# With these flows end soon after their packets, so that their last record can be read.
SHORT = {"Timeouts": dict.fromkeys(("UDP", "UDPStream", "ICMP", "ICMPv6"), "2s")}


def build_dir():
    return os.path.dirname(os.path.realpath(binary()))


def install(root):
    sh("make", "-C", build_dir(), "--no-print-directory", "install", f"DESTDIR={root}", timeout=120)


def installed(machine):
    """Boots a machine with what make install installs."""
    install(machine.root)
    machine.boot(uptime=UPTIME)
    machine.run("systemd-sysusers")


def queue_rules(words):
    """To which queue packets go. Nothing but this chain changes: a hook that goes takes with it what waits."""
    rule = words if words.startswith("-p") else f"-j NFQUEUE {words}"
    return f"-A {QUEUES} {rule}"


def ruleset(command, queues, doors=True, masks=(0xf,)):
    """All rules of one family, as a file of iptables-restore; nothing new passes without doors."""
    lines = ["*mangle", f":{QUEUES} -", f"-A PREROUTING -j {QUEUES}", f"-A OUTPUT -j {QUEUES}"]
    lines += [queue_rules(words) for words in queues]
    lines += ["COMMIT", "*filter", ":FORWARD DROP", f"-A FORWARD -p udp --dport {FILL_PORT} -j DROP"]
    for mask in masks:
        mark = {name: f"-m mark --mark {value * (mask & -mask):#x}/{mask:#x}" for name, value in rules.CTINFO.items()}
        lines += [f"-A FORWARD {mark[name]} -m comment --comment {name}/{mask:#x} -j ACCEPT" for name in PASSING]
        openings = [f"-p {proto} -m multiport --dports {ports}" for proto, ports in OPEN.items()]
        lines += [f"-A FORWARD {what} {mark['NEW']} -m comment --comment NEW/{mask:#x} -j ACCEPT"
                  for what in (*openings, PING[command], "-f" if command == "iptables" else "-m frag") if doors]
    return "\n".join(lines + ["-A FORWARD -m comment --comment refused -j DROP", "COMMIT", ""])


class Router(Netns):
    """The machine as the router of a lab: its namespace, entered through its first process."""

    def __init__(self, machine):
        self.machine = machine
        self.name = str(machine.leader)
        self.path = f"/proc/{machine.leader}/ns/net"

    def wrap(self, *words):
        return self.machine.wrap(*words)

    def ip(self, *words, **kwargs):
        return self.machine.run("ip", *words, **kwargs)

    def close(self):
        pass


class Bed(Lab):
    """
    with Bed() as bed: the lab, its machine, and the unit in it, which is not running yet.

    Another function may boot the machine and put the unit there in its own way.
    """

    def __init__(self, prepare=installed):
        super().__init__()
        self._prepare = prepare
        self.machine = self._blaster = None
        self._closers = contextlib.ExitStack()

    def __enter__(self):
        try:
            self.machine = self._closers.enter_context(Machine())
            self._prepare(self.machine)
            self.unit = Unit(self.machine)
            return super().__enter__()
        except BaseException:
            self._closers.close()
            raise

    def close(self):
        super().close()
        self._closers.close()

    def _build(self):
        super()._build()
        for end in (self.client, self.server):
            end.sysctl(ipv4__ping_group_range="0 0")

    def _space(self, role):
        return super()._space(role) if role != "router" else Router(self.machine)

    def reboot(self, **kwargs):
        """The router goes down and comes up again, with rules before it forwards; the hosts wait."""
        self.machine.halt(20)
        for host in (self.client, self.server):
            poll(lambda h=host: "eth0" not in h.ip("-o", "link"))
        self.machine.boot()
        self.router = Router(self.machine)
        self.rules(**kwargs)
        self.router.sysctl(ipv4__ip_forward=1, ipv6__conf__all__forwarding=1)
        self._join(self.client, netns.CLIENT_MAC, (netns.CLIENT4, netns.CLIENT6),
                   "lan", netns.LAN_MAC, (netns.LAN4, netns.LAN6))
        self._join_server()

    # --- rules ----------------------------------------------------------------

    def rules(self, **kwargs):
        """Makes all rules anew, for one queue; see ruleset()."""
        for command in rules.FAMILIES:
            self.router.run(f"{command}-restore", "-w", stdin=ruleset(command, ONE_QUEUE, **kwargs))

    def queues(self, *words):
        """Sends packets to other queues from now on; those that wait go on waiting."""
        lines = ["*mangle", f":{QUEUES} -", *map(queue_rules, words), "COMMIT", ""]
        for command in rules.FAMILIES:
            self.router.run(f"{command}-restore", "-w", "--noflush", stdin="\n".join(lines))

    def hits(self, name):
        """Packets that the rules of one name have met, in both families."""
        pattern = rf"^\[(\d+):.*--comment \"?{name}\"? "
        return sum(int(n) for command in rules.FAMILIES for n in
                   re.findall(pattern, self.router.run(f"{command}-save", "-c", "-t", "filter"), re.M))

    def waiting(self, queue):
        """Packets in a queue, None if nobody holds it."""
        for line in self.router.run("cat", "/proc/net/netfilter/nfnetlink_queue").splitlines():
            words = line.split()
            if int(words[0]) == queue:
                return int(words[2])
        return None

    def kernel_entries(self):
        """What the kernel's conntrack knows of this network: nothing, as nobody asks it."""
        def read():
            file = pathlib.Path("/proc/sys/net/netfilter/nf_conntrack_count")
            return int(file.read_text()) if file.exists() else 0

        return self.router.inside(read)

    # --- flows that only fill the table ----------------------------------------

    def blast(self, flows, rate=200000, first=0):
        """One datagram of each of so many flows, none of which is ever answered."""
        if not self._blaster:
            sh("make", "-s", "-C", build_dir(), "tests/bench/blast", timeout=120)
            self._blaster = str(pathlib.Path(build_dir(), "tests", "bench", "blast"))
        return json.loads(self.client.run(
            self._blaster, "--interface", "eth0", "--mac", netns.LAN_MAC, "--to", netns.SERVER4, "--port",
            str(FILL_PORT), "--flows", str(flows), "--first", str(first), "--packets", str(flows),
            "--rate", str(rate), timeout=120))


class Unit:
    """ctmarkd.service of a machine, and what it says."""

    NAME = "ctmarkd"

    def __init__(self, machine):
        self.machine = machine

    def show(self, *keys):
        text = self.machine.systemctl("show", "-p", ",".join(keys), self.NAME)
        return dict(line.split("=", 1) for line in text.splitlines())

    @property
    def pid(self):
        return int(self.show("MainPID")["MainPID"])

    def configure(self, **sections):
        """STRICT, with these keys of sections put over it."""
        merged = {name: STRICT.get(name, {}) | sections.get(name, {}) for name in STRICT | sections}
        self.machine.write(DROP_IN, config_text(merged))

    def fresh(self, **sections):
        """Runs with this configuration and without anything of the past."""
        self.stop()
        self.machine.run("rm", "-f", STATE_FILE)
        self.configure(**sections)
        self.start()

    def is_back(self, old):
        """The id of the process that has taken the place of another, once it is ready."""
        now = self.show("MainPID", "ActiveState")
        return int(now["MainPID"]) not in (0, old) and now["ActiveState"] == "active" and int(now["MainPID"])

    def kill(self, timeout=20):
        """SIGKILL; returns when another process has taken its place."""
        old = self.pid
        self.machine.systemctl("kill", "--kill-whom=main", "-s", "KILL", self.NAME)
        return poll(lambda: self.is_back(old), timeout)

    def restart(self, timeout=20):
        old = self.pid
        self.machine.systemctl("restart", self.NAME)
        return poll(lambda: self.is_back(old), timeout)

    def reload(self, **sections):
        """Takes up another configuration; it is in force when this returns."""
        since = self.now()
        self.configure(**sections)
        self.machine.systemctl("reload", self.NAME)
        poll(lambda: [r for r in self.records(since) if "reloaded" in r["MESSAGE"].lower()])

    def start_ms(self):
        """From exec to READY=1."""
        times = self.show("ExecMainStartTimestampMonotonic", "ActiveEnterTimestampMonotonic")
        return (int(times["ActiveEnterTimestampMonotonic"]) - int(times["ExecMainStartTimestampMonotonic"])) / 1000

    def flows(self, timeout=10):
        """How many are in the table, by the status line, which is a second old at most."""
        def read():
            return re.search(r"([0-9,]+) flows", self.show("StatusText")["StatusText"])

        return int(poll(read, timeout)[1].replace(",", ""))

    def settled_flows(self, least=0, timeout=15):
        """The same, as soon as two looks agree. A busy daemon tells later than that: least are known to come."""
        seen = []

        def same():
            seen.append(self.flows())
            return len(seen) > 1 and seen[-1] == seen[-2] >= least

        poll(same, timeout, 1.1)
        return seen[-1]

    def flows_become(self, number, timeout=5):
        """How many there are as soon as they are as many as that, or when time is over."""
        with contextlib.suppress(AssertionError):
            poll(lambda: self.flows() == number, timeout, 0.2)
        return self.flows()

    def stop(self):
        self.machine.systemctl("stop", self.NAME)

    def start(self):
        self.machine.systemctl("start", self.NAME)

    def freeze(self):
        self.machine.systemctl("kill", "--kill-whom=main", "-s", "STOP", self.NAME)
        stat = f"/proc/{self.pid}/stat"
        poll(lambda: self.machine.run("cat", stat).rpartition(")")[2].split()[0] == "T")

    # --- records --------------------------------------------------------------

    def now(self):
        """A time to read records from; what was written before it lies before it."""
        self.machine.run("journalctl", "--sync")
        return int(time.time() * 1e6)

    def records(self, since, *match):
        """What ctmarkd wrote since now() was called."""
        text = self.machine.journal(f"--since=@{since // 1000000}", "-o", "json", "SYSLOG_IDENTIFIER=ctmarkd", *match)
        found = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
        return [r for r in found if int(r["__REALTIME_TIMESTAMP"]) >= since]

    def events(self, since, *names):
        return self.records(since, *(f"CTMARK_EVENT={name}" for name in names))

    def errors(self, since):
        """Messages of ctmarkd that call for somebody."""
        return [r["MESSAGE"] for r in self.records(since, *(f"PRIORITY={n}" for n in range(4)))]

    def messages(self, since):
        """What it says of itself, without transitions: (priority, text)."""
        return [(int(r["PRIORITY"]), r["MESSAGE"]) for r in self.records(since) if "CTMARK_FLOW" not in r]


# --- packages -------------------------------------------------------------------------------------

POSTINST = """#!/bin/sh
set -e
systemctl daemon-reload
systemctl restart ctmarkd
"""


def build_packages(directory, *versions):
    """Packages of what make install installs, which restart the unit. Returns their paths."""
    tree = pathlib.Path(directory, "tree")
    install(tree)
    sh("rm", "-rf", str(tree / "usr/share/man"))  # not worth the time of its trigger
    (tree / "DEBIAN").mkdir()
    (tree / "DEBIAN/postinst").write_text(POSTINST)
    (tree / "DEBIAN/postinst").chmod(0o755)
    (tree / "DEBIAN/conffiles").write_text("/etc/ctmarkd/ctmarkd.conf\n")
    architecture = sh("dpkg", "--print-architecture").strip()
    files = []
    for version in versions:
        (tree / "DEBIAN/control").write_text(
            f"Package: ctmarkd\nVersion: {version}\nArchitecture: {architecture}\n"
            "Maintainer: Nobody <nobody@example.org>\nDescription: connection tracker\n")
        files.append(str(pathlib.Path(directory, f"ctmarkd-{version}.deb")))
        sh("dpkg-deb", "--root-owner-group", "-Znone", "--build", str(tree), files[-1], timeout=60)
    return files


# --- traffic --------------------------------------------------------------------------------------

ADDRESS = {"4": netns.SERVER4, "6": netns.SERVER6}
PROTO = {"ping4": "icmp", "ping6": "icmpv6", "udp4": "udp", "udp6": "udp"}


def identity(record):
    """Which connection a record is about."""
    return (record["CTMARK_PROTO"], record["CTMARK_DST"],
            int(record.get("CTMARK_ICMP_ID") or record.get("CTMARK_SPORT") or 0))


class Talk:
    """with Talk(bed) as talk: the traffic of lab.steady, each of its connections being open."""

    def __init__(self, bed, only=()):
        self.bed, self.only = bed, [word for name in only for word in ("--only", name)]
        self.ends = {}

    def __enter__(self):
        try:
            self._start("server", self.bed.server)
            self._start("client", self.bed.client, *self.only)
        except BaseException:
            self.__exit__()
            raise
        return self

    def _start(self, side, space, *words):
        process = space.popen(PYTHON, steady.__file__, side, *ADDRESS.values(), *words, text=True,
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.ends[side] = process
        self._answer(process, side)

    @staticmethod
    def _answer(process, what):
        line = process.stdout.readline()
        if not line:
            raise RuntimeError(f"the end of the traffic is gone ({what})")
        return json.loads(line)

    def ask(self, side, word):
        process = self.ends[side]
        print(word, file=process.stdin, flush=True)
        return self._answer(process, word)

    def look(self, word="look"):
        """How it stands, as an Outcome."""
        return Outcome(self.ask("client", word), self.ask("server", "look"))

    def finish(self, timeout=4):
        """Ends it when what is under way has arrived, or will not any more. Returns its Outcome."""
        for side in self.ends:
            self.ask(side, "stop")
        with contextlib.suppress(AssertionError):
            poll(lambda: not self.look().lost(), timeout, 0.1)
        return self.look("end")

    def __exit__(self, *exc):
        for process in self.ends.values():
            process.kill()
            process.wait()
            process.stdin.close()
            process.stdout.close()
        for space in (self.bed.client, self.bed.server):
            space.run("ss", "--tcp", "--kill", "state", "all")  # a lost connection tries for minutes


class Outcome:
    """
    What became of the traffic of a Talk.

    streams are {(name, direction): counts}; an echo request and its reply are one direction.
    """

    def __init__(self, client, server):
        self.connections = client["connections"]
        self.streams = {}
        for name, own in client["streams"].items():
            other = server["streams"].get(name, own)
            sent = {key: own[key] for key in ("sent", "bytes", "id")}
            self.streams[name, "out"] = other | sent
            if other is not own:
                self.streams[name, "back"] = own | {"sent": other["sent"], "bytes": other["bytes"]}

    def lost(self):
        """{stream: packets that were sent and did not come}, without those that lost none"""
        found = {key: s["sent"] - s["received"] for key, s in self.streams.items()}
        return {key: n for key, n in found.items() if n}

    def duplicated(self):
        return {key: s["duplicated"] for key, s in self.streams.items() if s["duplicated"]}

    def broken(self):
        return {name: c["error"] for name, c in self.connections.items() if c["error"]}

    def sent(self):
        return sum(s["sent"] for s in self.streams.values())

    def gap_ms(self):
        return 1000 * max(s["gap"] for s in self.streams.values())

    def reordered(self):
        return sum(s["reordered"] for s in self.streams.values())

    def long_lived(self):
        """{name: identity()} of everything that lives from the beginning to the end"""
        found = {name: ("tcp", ADDRESS[name[-1]], c["id"]) for name, c in self.connections.items() if "id" in c}
        for (name, _), s in self.streams.items():
            found[name] = (PROTO[name], ADDRESS[name[-1]], s["id"])
        return found

    def line(self):
        exchanges = sum(c["exchanges"] for c in self.connections.values())
        return (f"{self.sent()} packets, {sum(self.lost().values())} lost, {sum(self.duplicated().values())} "
                f"duplicated, {self.reordered()} reordered, longest gap {self.gap_ms():.0f} ms; "
                f"{exchanges} exchanges, {len(self.broken())} connections lost")
