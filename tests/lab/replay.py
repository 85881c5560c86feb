# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs the ctmark-replay that was built: on files, or on what it hears in a namespace."""

import pathlib
import signal
import subprocess
import tempfile
import time

from lab.daemon import binary


def program():
    return str(pathlib.Path(binary()).with_name("ctmark-replay"))


def run(*words, space=None, stdin=None):
    """Runs it; returns (exit status, output, errors)."""
    words = [program(), *map(str, words)]
    done = subprocess.run(space.wrap(*words) if space else words, stdin=stdin, text=True,
                          capture_output=True, timeout=60)
    return done.returncode, done.stdout, done.stderr


class Hearing:
    """
    with Hearing(space, 5, "prog", ...) as h: ... h.stop(): a program that listens to a group of
    NFLOG in a namespace, which is there when the block begins. It can be any program; what it says
    is read at its end.
    """

    def __init__(self, space, group, *words):
        self.space, self.group, self.words = space, group, words
        self.status = self.output = self.errors = None

    def __enter__(self):
        self._out, self._err = tempfile.TemporaryFile("w+"), tempfile.TemporaryFile("w+")
        self.process = self.space.popen(*map(str, self.words), stdin=subprocess.DEVNULL,
                                        stdout=self._out, stderr=self._err)
        self._wait(lambda: str(self.group) in self._groups())
        return self

    def __exit__(self, *exc):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._out.close()
        self._err.close()

    def _groups(self):
        """Groups that somebody is bound to, by number."""
        return [line.split()[0] for line in self._table()]

    def _table(self):
        return self.space.run("cat", "/proc/net/netfilter/nfnetlink_log").splitlines()

    def _wait(self, true, timeout=15):
        end = time.monotonic() + timeout
        while not true():
            if self.process.poll() is not None or time.monotonic() > end:
                self._err.seek(0)
                raise RuntimeError(f"{self.words[0]} does not listen: {self._err.read()}")
            time.sleep(0.02)

    def drain(self):
        """Waits until the kernel holds nothing back for it: it gathers packets for up to a second."""
        self._wait(lambda: all(line.split()[2] == "0" for line in self._table()
                               if line.split()[0] == str(self.group)))

    def stop(self, number=signal.SIGINT):
        """Ends it in order; returns its exit status."""
        self.process.send_signal(number)
        self.status = self.process.wait(20)
        for name, file in (("output", self._out), ("errors", self._err)):
            file.seek(0)
            setattr(self, name, file.read())
        return self.status
