# SPDX-License-Identifier: GPL-2.0-or-later
"""
Mixed traffic for as long as one likes: what must not grow is measured.

    python3 -m lab.soak --seconds N     ends with 1 if anything was not as it should be

First the unit is killed, restarted and reloaded all the time. Then one process has to bear the traffic,
with reloads only: its memory, the memory of the table and its descriptors have to stay flat. At last
one process is followed from its first to its last record: flows found, made, ended and left add up.
"""

import argparse
import contextlib
import json
import random
import re
import socket
import statistics
import struct
import sys
import threading
import time

from lab.continuity import Bed, Talk
from lab.netns import SERVER4
from lab.services import Ftp

CONFIG = {"Track": {"TCPLoose": "no", "Helpers": "ftp", "MaxFlows": "20000"},
          "Timeouts": {"UDP": "3s", "UDPStream": "10s", "ICMP": "10s", "ICMPv6": "10s",
                       "TCPTimeWait": "5s", "TCPClose": "5s"}}
PARTS = (0.4, 0.35, 0.25)  # of the time
LAST = 10  # seconds at most of the last part, so that all of its records are kept
FLOOD, FLOOD_PAUSE = 100, 0.5
FRAGMENTED_PORT, FRAGMENTED_SIZE = 7001, 4000
ROOM = 1024  # KiB by which memory may differ, beside 5 %

# Flows that a process begins with, and those it leaves, by what it says.
FOUND = r"(?i)flows, ([\d,]+) taken over|took over ([\d,]+) flows"
LEFT = r"([\d,]+) of them alive()"

# Memory in KiB, and descriptors, of a process.
SNAPSHOT = r"""
import json, os, re, sys
base = f"/proc/{sys.argv[1]}"
status = open(f"{base}/status").read()
found = {name: int(re.search(rf"{name}:\s*(\d+)", status)[1]) for name in ("RssAnon", "RssShmem")}
fds = os.listdir(f"{base}/fd")
tables = [fd for fd in fds if "flows" in os.readlink(f"{base}/fd/{fd}")]
print(json.dumps(found | {"memfd": sum(os.stat(f"{base}/fd/{fd}").st_blocks // 2 for fd in tables),
                          "descriptors": len(fds)}))
"""


class Repeated(threading.Thread):
    """Does something again and again until it is told to stop; what goes wrong is kept."""

    def __init__(self, function, pause):
        super().__init__(daemon=True)
        self.function, self.pause = function, pause
        self.ended = threading.Event()
        self.times, self.failures = 0, []
        self.start()

    def run(self):
        while not self.ended.wait(self.pause):
            try:
                self.function(self.times)
                self.times += 1
            except (OSError, RuntimeError) as e:
                self.failures.append(str(e))

    def stop(self):
        self.ended.set()
        self.join()


class Fragmented:
    """Datagrams that are too large for one packet, each of them numbered."""

    def __init__(self, bed):
        self.server = bed.server.socket(kind=socket.SOCK_DGRAM)
        self.server.bind((SERVER4, FRAGMENTED_PORT))
        self.client = bed.client.socket(kind=socket.SOCK_DGRAM)
        self.client.connect((SERVER4, FRAGMENTED_PORT))
        self.server.setblocking(False)
        self.sent, self.got = 0, set()

    def send(self, number):
        self.client.send(struct.pack("!Q", number).ljust(FRAGMENTED_SIZE))
        self.sent = number + 1
        self._take()

    def _take(self):
        with contextlib.suppress(BlockingIOError):
            while True:
                self.got.add(struct.unpack_from("!Q", self.server.recv(FRAGMENTED_SIZE))[0])

    def lost(self, timeout=2):
        """Of all that was sent, when it had time to come."""
        end = time.monotonic() + timeout
        while len(self.got) < self.sent and time.monotonic() < end:
            time.sleep(0.05)
            self._take()
        self.client.close()
        self.server.close()
        return self.sent - len(self.got)


class Soak:
    """with Bed() as bed: s = Soak(bed, 600); s.run(); s.trouble()"""

    def __init__(self, bed, seconds):
        self.bed, self.unit = bed, bed.unit
        self.parts = [seconds * part for part in PARTS]
        self.parts[2] = min(self.parts[2], LAST)
        self.parts[1] = seconds - self.parts[0] - self.parts[2]
        self.done = {"kill": 0, "restart": 0, "reload": 0}
        self.samples, self.said = [], []
        self.looked = 0

    # --- traffic --------------------------------------------------------------

    def _flood(self, times):
        self.bed.blast(FLOOD, rate=20000, first=times * FLOOD)

    def _fetch(self, _times):
        self.bed.client.run("curl", "--silent", "--show-error", "--max-time", "10", "--output", "/dev/null",
                            f"ftp://{SERVER4}/file")

    def run(self):
        self.bed.rules()
        self.unit.fresh(**CONFIG)
        self.looked = self.unit.now()
        fragmented = Fragmented(self.bed)
        with Ftp(self.bed.server, SERVER4), Talk(self.bed) as talk:
            sides = {"flood": Repeated(self._flood, FLOOD_PAUSE), "ftp": Repeated(self._fetch, 1),
                     "fragments": Repeated(fragmented.send, 0.02)}
            self._disturb(self.parts[0])
            self._watch(self.parts[1])
            self._follow(self.parts[2])
            for side in sides.values():
                side.stop()
            self.outcome = talk.finish()
            self.lost_fragmented = fragmented.lost()
        self._count()
        self._listen()
        self.fragmented = fragmented.sent
        self.failures = {name: side.failures for name, side in sides.items() if side.failures}
        self.times = {name: side.times for name, side in sides.items()}

    # --- the three parts ------------------------------------------------------

    def _do(self, what):
        if what == "reload":
            self.unit.machine.systemctl("reload", self.unit.NAME)
        else:
            getattr(self.unit, what)()
        self.done[what] += 1

    def _disturb(self, seconds):
        end = time.monotonic() + seconds
        choices = list(self.done)
        while time.monotonic() < end:
            time.sleep(random.uniform(0.2, 1.5))
            self._do(choices[0])  # each in its turn
            choices.append(choices.pop(0))
            self._listen()

    def _watch(self, seconds):
        """One process from now on. Its first seconds only warm it up."""
        end, pid = time.monotonic() + seconds, str(self.unit.pid)
        time.sleep(seconds / 4)
        while time.monotonic() < end:
            text = self.unit.machine.run("/usr/bin/python3", "-c", SNAPSHOT, pid)
            self.samples.append(json.loads(text))
            if len(self.samples) % 3 == 0:
                self._do("reload")
            self._listen()
            time.sleep(min(5, seconds / 20))

    def _follow(self, seconds):
        self.last_from = self.unit.now()
        self._do("restart")
        self.last = str(self.unit.pid)
        time.sleep(seconds)

    # --- what came of it ------------------------------------------------------

    def _listen(self):
        """Errors, and what was INVALID but for fragments, whose memory ends with a process."""
        now = self.unit.now()
        self.said += self.unit.errors(self.looked)
        self.said += [r["MESSAGE"] for r in self.unit.events(self.looked, "invalid")
                      if "fragment" not in r.get("CTMARK_REASON", "")]
        self.looked = now

    def _count(self):
        """The life of the last process, which ends here."""
        self.unit.stop()
        events = [r for r in self.unit.events(self.last_from, "new", "related", "destroy") if r["_PID"] == self.last]
        ended = sum(r["CTMARK_EVENT"] == "destroy" for r in events)
        messages = [r["MESSAGE"] for r in self.unit.records(self.last_from, f"_PID={self.last}")
                    if "CTMARK_FLOW" not in r]
        self.life = {"found": self._number(messages, FOUND) or 0,
                     "made": len(events) - ended, "ended": ended,
                     "left": self._number(messages, LEFT)}

    @staticmethod
    def _number(messages, pattern):
        found = [re.search(pattern, text) for text in messages]
        return next((int((m[1] or m[2]).replace(",", "")) for m in found if m), None)

    def growth(self):
        """{what: (median of the first third, median of the last)}"""
        third = max(1, len(self.samples) // 3)
        return {name: (statistics.median(s[name] for s in self.samples[:third]),
                       statistics.median(s[name] for s in self.samples[-third:])) for name in self.samples[0]}

    def trouble(self):
        """All that was not as it should be, as lines."""
        found = [f"record: {text}" for text in self.said]
        found += [f"{name} failed: {why}" for name, whys in self.failures.items() for why in whys]
        found += [f"{what} lost: {n}" for what, n in (self.outcome.lost() | self.outcome.broken()).items()]
        if self.lost_fragmented > self.done["kill"]:
            found.append(f"{self.lost_fragmented} fragmented datagrams lost")
        for name, (first, last) in self.growth().items():
            if last - first > (0 if name == "descriptors" else ROOM + first * 0.05):
                found.append(f"{name} went from {first} to {last}")
        life = self.life
        if life["left"] is None or life["found"] + life["made"] - life["ended"] != life["left"]:
            found.append(f"flows of the last process do not add up: {life}")
        return found

    def lines(self):
        """What it was, for people."""
        yield f"{self.outcome.line()}; {self.done}"
        yield f"{self.times}, {self.lost_fragmented} of {self.fragmented} fragmented datagrams lost"
        yield ", ".join(f"{name} {first} > {last}" for name, (first, last) in self.growth().items())
        yield f"last process: {self.life}"


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--seconds", type=float, default=600)
    with Bed() as bed:
        soak = Soak(bed, arguments.parse_args().seconds)
        soak.run()
        trouble = soak.trouble()
    print("\n".join((*soak.lines(), *trouble[:50])))
    return 1 if trouble else 0


if __name__ == "__main__":
    sys.exit(main())
