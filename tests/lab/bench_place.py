# SPDX-License-Identifier: GPL-2.0-or-later
"""
Where the benchmark takes place, and the programs that take part: senders, the loop that does nothing,
ctmarkd. All in namespaces of its own; the sender has the first CPU, who answers the queue the last.
"""

import contextlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import time

from lab import netns
from lab.daemon import Daemon, binary
from lab.netns import Lab

SOURCES = "198.18.0.0/15"  # of blast.c
QUIET = {"Log": {"Target": "none"}}


def program(name):
    """Built beside the ctmarkd under test."""
    return str(pathlib.Path(binary()).parent / "tests" / "bench" / name)


def cpus():
    """(of the sender, of who answers the queue); the same twice if there is only one."""
    usable = sorted(os.sched_getaffinity(0))
    return usable[0], usable[-1]


def cpu_list(cpu):
    return ",".join(map(str, cpu)) if isinstance(cpu, tuple) else str(cpu)


def pinned(cpu, *words):
    return ["taskset", "-c", cpu_list(cpu), *words]


NICENESS = "-15"
PREFERRED = ("setsid", "nice", "-n", NICENESS)


def prefer(pid):
    """
    A process that was started with the words of PREFERRED goes before others, of other sessions as well: other
    programs of the machine shall count as little as can be.
    """
    group = pathlib.Path(f"/proc/{pid}/autogroup")
    if group.exists():
        group.write_text(NICENESS, encoding="ascii")


@contextlib.contextmanager
def on_cpu(cpu):
    """This thread stays there for as long as the block lasts, out of the way of what is measured."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {cpu})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


class Place(Lab):
    """The lab's namespaces. What the sender sends ends in the router, behind the queue, in a rule that drops it."""

    def _build(self):
        super()._build()
        self.router.sysctl(ipv4__conf__all__rp_filter=0, ipv4__conf__default__rp_filter=0,
                           ipv4__conf__lan__rp_filter=0)
        self.router.run("iptables", "-w", "-A", "INPUT", "-s", SOURCES, "-j", "DROP")

    def queue(self, *rules, chains=("PREROUTING",)):
        """The rules that queue, in place of those before: words of a match, then options of NFQUEUE for each."""
        lines = [f"-A {chain} {words.replace('--queue', '-j NFQUEUE --queue', 1)}\n"
                 for chain in chains for words in rules]
        self.router.run("iptables-restore", "-w", stdin="*mangle\n" + "".join(lines) + "COMMIT\n")

    @contextlib.contextmanager
    def conntrack(self, chain):
        """The kernel's own conntrack is at work for as long as the block lasts."""
        rule = (chain, "-m", "conntrack", "--ctstate", "INVALID", "-j", "DROP")
        self.router.run("iptables", "-w", "-I", *rule)
        try:
            yield
        finally:
            self.router.run("iptables", "-w", "-D", *rule)

    @contextlib.contextmanager
    def sink(self, port):
        """A socket that takes what comes to a port until it is full, and lets the rest go."""
        rule = ("INPUT", "-p", "udp", "--dport", str(port), "-j", "ACCEPT")
        with self.router.socket(socket.AF_INET, socket.SOCK_DGRAM) as taker:
            taker.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
            taker.bind((netns.LAN4, port))
            self.router.run("iptables", "-w", "-I", *rule)
            try:
                yield
            finally:
                self.router.run("iptables", "-w", "-D", *rule)

    def dropped(self):
        """Packets of the sender that came through."""
        rule = next(line for line in self.router.run("iptables", "-w", "-nvxL", "INPUT").splitlines()
                    if SOURCES in line)
        return int(rule.split()[0])

    def blast_words(self, cpu, **options):
        words = [program("blast"), "--interface", "eth0", "--mac", netns.LAN_MAC, "--to", netns.LAN4]
        for key, value in options.items():
            words += [f"--{key}"] if value is True else [f"--{key}", str(value)]
        return self.client.wrap(*pinned(cpu, *words))

    def blast(self, **options):
        """Sends and waits for the end. Returns what the senders say, added up."""
        with self.blasting(**options) as sender:
            return sender.report()

    @contextlib.contextmanager
    def blasting(self, senders=None, **options):
        """Sends for as long as the block lasts, or as the options say; a sender on each of the CPUs, in equal parts."""
        senders = senders or (cpus()[0],)
        for key in ("packets", "rate"):
            if key in options:
                options[key] //= len(senders)
        running = Senders(self.blast_words(cpu, **options) for cpu in senders)
        try:
            yield running
        finally:
            running.close()

    @contextlib.contextmanager
    def probing(self, rate, seconds):
        """Packets to the router's port 7, and how long each took; see probe.c."""
        words = [program("probe"), "--from", f"/run/netns/{self.client.name}",
                 "--to", f"/run/netns/{self.router.name}", "--address", netns.LAN4,
                 "--rate", str(rate), "--seconds", str(seconds)]
        running = Probe(words)
        try:
            yield running
        finally:
            running.close()


class Senders:
    def __init__(self, commands):
        self.processes = [subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                           stderr=subprocess.PIPE, text=True) for words in commands]

    def report(self, timeout=620):
        said = []
        for process in self.processes:
            out, errors = process.communicate(timeout=timeout)
            if process.returncode != 0:
                raise RuntimeError(f"the sender failed: {errors.strip()}")
            said.append(json.loads(out))
        total = {key: sum(one[key] for one in said) for key in ("sent", "busy", "cpu_ns")}
        return total | {"begin_ns": min(one["begin_ns"] for one in said),
                        "end_ns": max(one["end_ns"] for one in said)}

    def close(self):
        for process in self.processes:
            end(process)


def end(process):
    if process.poll() is None:
        process.kill()
    process.wait()
    process.stdout.close()
    process.stderr.close()


class Probe:
    def __init__(self, words):
        self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True)

    def samples(self):
        """[(when it was sent, by CLOCK_MONOTONIC, how long it took or -1), ...] in nanoseconds, after the last."""
        out, errors = self.process.communicate(timeout=620)
        if self.process.returncode != 0:
            raise RuntimeError(f"the probe failed: {errors.strip()}")
        return [tuple(map(int, line.split())) for line in out.splitlines()]

    def close(self):
        end(self.process)


# --- who answers the queue ------------------------------------------------------------------------

class Queues:
    """Counters of the kernel for some queues, read without any program."""

    def __init__(self, pid, first, last):
        self._path = pathlib.Path(f"/proc/{pid}/net/netfilter/nfnetlink_queue")
        self._wanted = range(first, last + 1)

    def read(self):
        """Sums: given (ids), waiting, full and lost (dropped at queue and socket), passed."""
        sums = {"waiting": 0, "full": 0, "lost": 0, "given": 0}
        for line in self._path.read_text(encoding="ascii").splitlines():
            number, _, waiting, _, _, full, lost, given, _ = map(int, line.split())
            if number in self._wanted:
                for key, value in zip(sums, (waiting, full, lost, given)):
                    sums[key] += value
        sums["passed"] = sums["given"] - sums["waiting"] - sums["lost"]
        return sums


class Answerer:
    """
    A process that answers queues; ctmarkd or the loop that does nothing. The CPU time is that of its
    threads: of all, or of those that have a queue.
    """

    name = None

    def __init__(self, pid, first, last):
        self.pid = pid
        self.queues = Queues(pid, first, last)
        self._range = first, last
        self.fanout = False

    def option(self):
        """Of NFQUEUE."""
        first, last = self._range
        if first == last:
            return f"--queue-num {first}"
        return f"--queue-balance {first}:{last}" + " --queue-cpu-fanout" * self.fanout

    def threads(self):
        for task in pathlib.Path(f"/proc/{self.pid}/task").iterdir():
            yield (task / "comm").read_text().strip(), task

    def cpu_ns(self, prefix="queue-"):
        return sum(int((task / "schedstat").read_text().split()[0])
                   for name, task in self.threads() if name.startswith(prefix))

    def rest(self):
        """It does nothing at all until wake()."""
        os.kill(self.pid, signal.SIGSTOP)

    def wake(self):
        os.kill(self.pid, signal.SIGCONT)
        time.sleep(0.05)

    def drain(self, timeout=5, pause=0.005):
        """Waits until nothing is in the queue; returns the counters."""
        end = time.monotonic() + timeout
        while (now := self.queues.read())["waiting"] and time.monotonic() < end:
            time.sleep(pause)
        return now


class Nothing(Answerer):
    """with Nothing(place.router, first, last, cpus): ..."""

    name = "nothing"

    def __init__(self, space, first=0, last=None, cpu=None):
        last = first if last is None else last
        words = [program("nothing"), "--queues", f"{first}-{last}"]
        if cpu is not None:
            words = pinned(cpu, *words, "--cpus", cpu_list(cpu))
        self.process = subprocess.Popen(space.wrap(*PREFERRED, *words), stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, text=True)
        if self.process.stdout.readline() != "ready\n":
            self.close()
            raise RuntimeError("the loop that does nothing did not start")
        prefer(self.process.pid)
        super().__init__(self.process.pid, first, last)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def close(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
        self.process.communicate(timeout=10)


class Ctmarkd(Answerer):
    """The real one; with Ctmarkd(...) as c: c.daemon is the lab's."""

    name = "ctmarkd"

    def __init__(self, space, first=0, last=None, cpu=None, config=None, **options):
        self._range = first, first if last is None else last
        merged = {key: dict(value) for key, value in QUIET.items()}
        for section, keys in (config or {}).items():
            merged.setdefault(section, {}).update(keys)
        merged.setdefault("Queue", {})["Range"] = f"{self._range[0]}-{self._range[1]}"
        if isinstance(cpu, tuple):
            merged["Queue"]["CPUAffinity"] = cpu_list(cpu)
        prefix = [*PREFERRED, *options.pop("prefix", ())] + (pinned(cpu) if cpu is not None else [])
        self.daemon = Daemon(space, merged, prefix=prefix, **options)

    def __enter__(self):
        self.daemon.__enter__()
        prefer(self.daemon.pid)
        super().__init__(self.daemon.pid, *self._range)
        return self

    def __exit__(self, *exc):
        self.daemon.__exit__(*exc)

    def flows(self):
        """Flows in the table, as its next status line says."""
        notify = self.daemon.notify
        while notify.wait("STATUS=", 0.001):  # those of before
            pass
        line = notify.wait("STATUS=.* flows", 5)
        if not line:
            raise RuntimeError("ctmarkd does not say how many flows it has")
        return int(line.split(" flows")[0].split()[-1].replace(",", ""))
