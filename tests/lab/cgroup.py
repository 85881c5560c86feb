# SPDX-License-Identifier: GPL-2.0-or-later
"""
A control group with little memory or little CPU, for processes that run already.

    with Cgroup(memory=16 << 20) as group:
        group.add(pid)

Whether this system has the controllers in a hierarchy each or all in one is no matter.
"""

import contextlib
import itertools
import os
import pathlib
import time

TOP = pathlib.Path("/sys/fs/cgroup")
PERIOD_US = 100000

_serial = itertools.count(1)


def below_own(name):
    """Where groups of this name would be below our own, in each hierarchy that a service manager uses."""
    tops = {"": TOP if (TOP / "cgroup.controllers").exists() else TOP / "unified",
            "name=systemd": TOP / "systemd"}
    found = []
    for line in pathlib.Path("/proc/self/cgroup").read_text().splitlines():
        _, kind, own = line.split(":", 2)
        if kind in tops and tops[kind].is_dir():
            found.append(tops[kind] / own.lstrip("/") / name)
    return found


def remove(path):
    """Removes a group and all below it, as soon as their processes have ended."""
    for _ in range(100):
        for inner in sorted(path.glob("**/"), reverse=True):
            with contextlib.suppress(OSError):
                inner.rmdir()
        if not path.exists():
            return
        time.sleep(0.05)


class Cgroup:
    """memory in bytes, cpu as a part of one CPU; one of them."""

    def __init__(self, memory=None, cpu=None):
        self.memory, self.cpu = memory, cpu
        self.one = (TOP / "cgroup.controllers").exists()
        self.controller = "memory" if memory else "cpu"
        top = TOP if self.one else TOP / self.controller
        self.path = top / f"ctmarkd-lab-{os.getpid()}-{next(_serial)}"

    def __enter__(self):
        if self.one:
            (TOP / "cgroup.subtree_control").write_text(f"+{self.controller}")
        self.path.mkdir()
        try:
            self._limit()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _limit(self):
        if self.memory:
            self._write("memory.max" if self.one else "memory.limit_in_bytes", self.memory)
            return
        quota = int(self.cpu * PERIOD_US)
        if self.one:
            self._write("cpu.max", f"{quota} {PERIOD_US}")
        else:
            self._write("cpu.cfs_period_us", PERIOD_US)
            self._write("cpu.cfs_quota_us", quota)

    def _write(self, name, value):
        (self.path / name).write_text(f"{value}\n")

    def add(self, pid):
        """Takes a process in, with all its threads."""
        self._write("cgroup.procs", pid)

    def free(self):
        """Sets those that are in it free again."""
        for pid in (self.path / "cgroup.procs").read_text().split():
            with contextlib.suppress(ProcessLookupError):
                (self.path.parent / "cgroup.procs").write_text(pid)

    def stat(self, name):
        """A number of cpu.stat or memory.stat."""
        text = (self.path / f"{self.controller}.stat").read_text()
        return int(dict(line.split() for line in text.splitlines())[name])

    def __exit__(self, *exc):
        self.free()
        remove(self.path)
