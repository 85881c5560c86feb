# SPDX-License-Identifier: GPL-2.0-or-later
"""
A systemd-journald of our own, in a mount namespace of its own.

    with Journald() as journal:
        journal.run("logger", "hello")
        journal.records(MESSAGE="hello")

The namespace has a fresh /run, so that nothing there is the host's: programs that run in it find
this journald at the usual place. Its records lie in a directory that is gone at the end. It needs
no running systemd.
"""

import json
import os
import pathlib
import signal
import subprocess
import tempfile
import time
import uuid

from lab.netns import sh

CATALOG = pathlib.Path(__file__).resolve().parents[2] / "systemd" / "ctmarkd.catalog"
JOURNALD = ("/usr/lib/systemd/systemd-journald", "/lib/systemd/systemd-journald")

# It must not touch what belongs to the host: kernel messages and auditing. No limit of its own.
CONFIG = """[Journal]
Storage=volatile
RuntimeMaxUse=256M
RuntimeKeepFree=1M
RateLimitIntervalSec=0
ReadKMsg=no
Audit=no
ForwardToSyslog=no
ForwardToWall=no
"""

# $1: directory of the records, $2: machine-id, $3: catalog database, $4: configuration
MOUNTS = """set -e
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/systemd/journald.conf.d /run/systemd/journal /run/log/journal
mount --bind "$1" /run/log/journal
mount --bind "$2" /etc/machine-id
[ ! -d /var/lib/systemd/catalog ] || mount --bind "$3" /var/lib/systemd/catalog
cp "$4" /run/systemd/journald.conf.d/lab.conf
echo ready
exec sleep infinity
"""


class Journald:
    """catalogs: catalog files that journalctl -x is to know."""

    def __init__(self, catalogs=(CATALOG,)):
        self.catalogs = catalogs
        self.process = self._holder = None

    def __enter__(self):
        self._dir = tempfile.TemporaryDirectory(prefix="ctmarkd-journal-")
        try:
            self._make_namespace(pathlib.Path(self._dir.name))
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exc):
        self.kill()
        if self._holder:
            self._holder.kill()
            self._holder.communicate()
        self._dir.cleanup()

    def _make_namespace(self, top):
        self.storage = top / "journal"
        self.storage.mkdir()
        (top / "machine-id").write_text(uuid.uuid4().hex + "\n")
        (top / "journald.conf").write_text(CONFIG)
        for directory in ("usr/lib/systemd/catalog", "var/lib/systemd/catalog"):
            (top / directory).mkdir(parents=True)
        for catalog in self.catalogs:
            source = pathlib.Path(catalog)
            (top / "usr/lib/systemd/catalog" / source.name).write_bytes(source.read_bytes())
        sh("journalctl", "--update-catalog", f"--root={top}")
        self._holder = subprocess.Popen(
            ["unshare", "--mount", "--propagation", "private", "sh", "-c", MOUNTS, "mounts",
             str(self.storage), str(top / "machine-id"), str(top / "var/lib/systemd/catalog"),
             str(top / "journald.conf")], text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        said = self._holder.stdout.readline()
        if said != "ready\n":
            raise RuntimeError(f"no namespace for journald: {said}")

    # ---- the namespace ----

    def enter(self):
        """Words to put before a command so that it runs where this journald is."""
        return ["nsenter", f"--mount=/proc/{self._holder.pid}/ns/mnt", "--"]

    def run(self, *words, **kwargs):
        return sh(*self.enter(), *words, **kwargs)

    def popen(self, *words, **kwargs):
        return subprocess.Popen(self.enter() + list(words), **kwargs)

    # ---- journald ----

    def start(self, timeout=10):
        binary = next(path for path in JOURNALD if os.path.exists(path))
        inside = pathlib.Path(f"/proc/{self._holder.pid}/root/run/systemd/journal")
        for name in ("socket", "stdout", "io.systemd.journal"):
            (inside / name).unlink(missing_ok=True)
        self.process = self.popen(binary, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL)
        end = time.monotonic() + timeout
        while not (inside / "socket").exists() or not (inside / "io.systemd.journal").exists():
            if self.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError("systemd-journald did not start")
            time.sleep(0.01)

    def pause(self):
        """It stops reading, as an overloaded one does."""
        self.process.send_signal(signal.SIGSTOP)

    def resume(self):
        self.process.send_signal(signal.SIGCONT)

    def kill(self):
        """It is gone at once; its sockets stay, with nobody behind them."""
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None

    # ---- the records ----

    def sync(self):
        """Waits until everything that was sent so far has been stored."""
        self.run("journalctl", "--sync")

    def journalctl(self, *words):
        self.sync()
        return self.run("journalctl", "--no-pager", "-q", "-D", str(self.storage), *words)

    def records(self, **fields):
        """All records with these values, oldest first, as dictionaries."""
        matches = [f"{name}={value}" for name, value in fields.items()]
        return [json.loads(line)
                for line in self.journalctl("-o", "json", *matches).splitlines()]
