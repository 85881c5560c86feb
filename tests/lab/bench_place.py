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

    def queue(self, *options):
        """The rules that queue, in place of those before: words of a match, then options of NFQUEUE for each."""
        self.router.run("iptables-restore", "-w", stdin="*mangle\n" + "".join(
            f"-A PREROUTING {words.replace('--queue', '-j NFQUEUE --queue', 1)}\n" for words in options) + "COMMIT\n")

    def dropped(self):
        """Packets of the sender that came through."""
        return int(self.router.run("iptables", "-w", "-nvxL", "INPUT").splitlines()[2].split()[0])

    def blast_words(self, cpu=None, **options):
        words = [program("blast"), "--interface", "eth0", "--mac", netns.LAN_MAC, "--to", netns.LAN4]
        for key, value in options.items():
            words += [f"--{key}"] if value is True else [f"--{key}", str(value)]
        return self.client.wrap(*pinned(cpus()[0] if cpu is None else cpu, *words))

    def blast(self, **options):
        """Sends and waits for the end. Returns what the sender says."""
        with self.blasting(**options) as sender:
            return sender.report()

    @contextlib.contextmanager
    def blasting(self, **options):
        """Sends for as long as the block lasts, or as the options say."""
        sender = Sender(self.blast_words(**options))
        try:
            yield sender
        finally:
            sender.close()


class Sender:
    def __init__(self, words):
        self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True)

    def report(self, timeout=620):
        out, errors = self.process.communicate(timeout=timeout)
        if self.process.returncode != 0:
            raise RuntimeError(f"the sender failed: {errors.strip()}")
        return json.loads(out)

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.process.stderr.close()


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
        self.counts = []
        words = [program("nothing"), "--queues", f"{first}-{last}"]
        if cpu is not None:
            words = pinned(cpu, *words, "--cpus", cpu_list(cpu))
        self.process = subprocess.Popen(space.wrap(*words), stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, text=True)
        if self.process.stdout.readline() != "ready\n":
            self.close()
            raise RuntimeError("the loop that does nothing did not start")
        super().__init__(self.process.pid, first, last)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def close(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
        out, _ = self.process.communicate(timeout=10)
        self.counts = [json.loads(line) for line in out.splitlines()]


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
        prefix = options.pop("prefix", []) + (pinned(cpu) if cpu is not None else [])
        self.daemon = Daemon(space, merged, prefix=prefix, **options)

    def __enter__(self):
        self.daemon.__enter__()
        super().__init__(self.daemon.pid, *self._range)
        return self

    def __exit__(self, *exc):
        self.daemon.__exit__(*exc)

    def flows(self):
        """Flows in the table, as its next status line says."""
        line = self.daemon.notify.wait("STATUS=.* flows", 5)
        line = self.daemon.notify.wait("STATUS=.* flows", 5) or line
        return int(line.split(" flows")[0].split()[-1].replace(",", "")) if line else None

    def totals(self):
        """Stops it; the numbers of its last message."""
        self.daemon.stop(timeout=60)
        line = self.daemon.wait_line("Stopped: ")
        return line
