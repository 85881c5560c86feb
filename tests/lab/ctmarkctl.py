# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs the ctmarkctl that was built: as anybody, with pipes or on a terminal."""

import fcntl
import json
import os
import pathlib
import pty
import select
import shutil
import struct
import subprocess
import tempfile
import termios
import time

from lab.daemon import binary

NOBODY = 65534


def program():
    return str(pathlib.Path(binary()).with_name("ctmarkctl"))


def run(space, *words, stdin=None, prefix=()):
    """Runs it in a namespace; returns (exit status, output, errors)."""
    done = subprocess.run(space.wrap(*prefix, program(), *map(str, words)), input=stdin, text=True,
                          capture_output=True, timeout=60)
    return done.returncode, done.stdout, done.stderr


class Ctl:
    """ctl = Ctl(path of the socket); ctl("list", "-p", "tcp") is a finished process."""

    def __init__(self, socket):
        self.socket = str(socket)

    def words(self, *args):
        return [program(), "--socket", self.socket, *args]

    @staticmethod
    def environment(**env):
        """Nothing of the caller's that changes the output."""
        clean = {k: v for k, v in os.environ.items()
                 if k not in ("NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "PAGER", "SYSTEMD_PAGER",
                              "LESS")}
        return clean | {"TZ": "UTC", "TERM": "xterm"} | env

    def __call__(self, *args, env=None, timeout=60, **kwargs):
        return subprocess.run(self.words(*args), capture_output=True, text=True, timeout=timeout,
                              env=self.environment(**(env or {})), **kwargs)

    def as_other(self, *args, **kwargs):
        """The same as another user, for whom the place where it was built may be closed."""
        with tempfile.TemporaryDirectory() as place:
            os.chmod(place, 0o755)
            copy = shutil.copy(program(), place)
            return self(*args, executable=copy, cwd="/", **kwargs)

    def popen(self, *args, env=None, **kwargs):
        return subprocess.Popen(self.words(*args), text=True, stdin=subprocess.DEVNULL,
                                stdout=kwargs.pop("stdout", subprocess.PIPE),
                                stderr=subprocess.PIPE, env=self.environment(**(env or {})),
                                **kwargs)

    def text(self, *args):
        """What it writes; anything but success is an error."""
        done = self(*args)
        assert (done.returncode, done.stderr) == (0, ""), done
        return done.stdout

    def json(self, *args):
        return json.loads(self.text(*args, "--json=short"))

    def lines(self, *args):
        """JSON, an object on each line."""
        return [json.loads(line) for line in self.text(*args, "--json=short").splitlines()]

    def terminal(self, *args, columns=80, rows=24, env=None, keys=b"", timeout=20):
        """The same on a terminal: (status, all that is written to it)."""
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        with subprocess.Popen(self.words(*args), stdin=slave, stdout=slave, stderr=slave,
                              start_new_session=True,
                              env=self.environment(**(env or {}))) as process:
            os.close(slave)
            os.write(master, keys)
            output = self._drain(master, process, time.monotonic() + timeout)
            status = process.wait(timeout)
        os.close(master)
        return status, output.decode()

    @staticmethod
    def _drain(master, process, end):
        output = b""
        while time.monotonic() < end:
            if select.select([master], [], [], 0.1)[0]:
                try:
                    output += os.read(master, 65536)
                except OSError:  # the last one has closed it
                    return output
        process.kill()
        return output
