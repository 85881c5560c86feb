# SPDX-License-Identifier: GPL-2.0-or-later
"""
Random traffic in front of the kernel, ctmarkd and the engine at once.

A budget of packets is played in runs. Each has settings of its own, drawn from its seed, a ctmarkd
that was started with them, and empty tables. tests/differential/differential.c does the rest.
"""

import collections
import os
import pathlib
import re
import subprocess
import tempfile

from lab.daemon import Daemon, binary
from lab.netns import sh
from lab.wire import GROUP, Wire

RUN_PACKETS = 40000
HELPER_PACKETS = 12000  # so that what helpers expect stays below the limits of the tables

# The prefix says where a record was made (volley.c). Watched packets carry 2 as DSCP, those that get lost
# behind the classification 4, or 6 if both.
LOG = f"""
table inet differential {{
    chain arrived {{
        type filter hook prerouting priority -160;
        ip dscp {{ 2, 6 }} log prefix "a" group {GROUP} snaplen 256
        ip6 dscp {{ 2, 6 }} log prefix "a" group {GROUP} snaplen 256
    }}
    chain seen {{ type filter hook prerouting priority -50; log prefix "s" group {GROUP} snaplen 256; }}
    chain fate {{
        type filter hook forward priority 0
        ip dscp {{ 4, 6 }} drop
        ip6 dscp {{ 4, 6 }} drop
    }}
    chain came {{
        type filter hook postrouting priority -160; %s log prefix "c" group {GROUP} snaplen 256;
    }}
}}
table netdev differential {{
    chain out {{
        type filter hook egress devices = {{ "lan", "wan" }} priority 0
        ip dscp 2 log prefix "o" group {GROUP} snaplen 256
        ip6 dscp 2 log prefix "o" group {GROUP} snaplen 256
    }}
}}
"""
MTU = 10300


def program(name="differential"):
    """Built beside the ctmarkd under test."""
    return str(pathlib.Path(binary()).parent / "tests" / "differential" / name)


class Differential:
    """with Differential() as d: d.run(...)"""

    def __init__(self):
        self.wire = Wire("ctdiff")
        self.totals = collections.Counter()
        self.classes = collections.Counter()
        self._dir = tempfile.TemporaryDirectory(prefix="ctmarkd-differential-")
        self.coverage = pathlib.Path(self._dir.name, "coverage")

    def __enter__(self):
        self.wire.__enter__()
        for space, interfaces in ((self.wire.hosts, ("client", "server")),
                                  (self.wire.router, ("lan", "wan"))):
            for interface in interfaces:
                space.ip("link", "set", interface, "mtu", str(MTU))
        return self

    def __exit__(self, *exc):
        self.wire.__exit__(*exc)
        self._dir.cleanup()

    def _rules(self, daemon, at_exit):
        self.wire.oracle(queue=daemon, leaving=daemon and at_exit)
        for table in ("inet flows", "inet differential", "netdev differential"):
            self.wire.router.run("nft", "delete", "table", *table.split(), check=False)
        every = "" if at_exit else "ct status & confirmed == 0"
        self.wire.router.run("nft", "-f", "-", stdin=LOG % every)

    def play(self, seed, packets, daemon=True, kind=None, settings="", mutant=None, one=False):
        """One run. Returns (exit code, output)."""
        words = ["--seed", str(seed)] + (["--kind", kind] if kind else [])
        config = sh(program(), "--config", *words)
        self._rules(daemon, "Confirm=exit" in config)
        self.wire.helpers(sh(program(), "--rules", *words).splitlines())
        words += ["--packets", str(packets), "--coverage", str(self.coverage),
                  "--hosts", f"/run/netns/{self.wire.hosts.name}",
                  "--router", f"/run/netns/{self.wire.router.name}"]
        words = [program() if mutant is None else program("mutant"), *words, *["--one"] * one]
        if daemon:
            with Daemon(self.wire.router, config + settings):
                code, output = self._play([*words, "--daemon"])
        else:
            code, output = self._play(words, mutant)
        if mutant is None and not settings:
            self._add(output)
        return code, output

    @staticmethod
    def _play(words, mutant=None):
        done = subprocess.run(words, env=os.environ | {"CTMARK_MUTANT": mutant or ""}, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=900)
        return done.returncode, done.stdout

    def _add(self, output):
        """Sums of the runs that nothing was made wrong for."""
        for line in output.splitlines():
            if re.match(r"# \d+ packets, ", line):
                self.totals.update({what: int(n) for n, what in
                                    re.findall(r"(\d+) (packets|conversations|unseen|differences)",
                                               line)})
            elif re.match(r"#( [A-Za-z_-]+ \d+)+$", line):
                self.classes.update({what: int(n) for what, n in
                                     re.findall(r"([A-Za-z_-]+) (\d+)", line)})

    def run(self, packets, seed, **options):
        """
        Runs until the budget is used up; yields (seed, exit code, output) of each. Every fifth is one of
        the kernel's helpers alone with the engine: in front of them, ctmarkd drops what they would.
        """
        while packets > 0:
            alone = {"daemon": False, "kind": "helpers"} if seed % 5 == 0 else {}
            own = alone | options
            n = min(packets, HELPER_PACKETS if own.get("kind") else RUN_PACKETS)
            yield (seed, *self.play(seed, n, **own))
            packets -= n
            seed += 1

    def covered(self, least):
        """Which cells of the state tables were reached: (enough, output)."""
        done = subprocess.run([program(), "--coverage", str(self.coverage), "--least", str(least)],
                              text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=30)
        return done.returncode == 0, done.stdout
