# SPDX-License-Identifier: GPL-2.0-or-later
"""
A real systemd, booted in a container over a throwaway copy of the running system.

An overlay over / gets a machine id of its own and is booted by systemd-nspawn with a private
network. What is installed into it, and what it writes, is gone afterwards. Commands enter it
through its first process.

Each machine has control groups of its own, too. systemd-nspawn makes them where it finds itself; two
machines that are started from the same place would share them, and the systemd of one would remove
the group of a service that the other one is about to start (status=219/CGROUP).
"""

import contextlib
import os
import pathlib
import shutil
import subprocess
import tempfile
import time
import uuid

from lab import cgroup
from lab.netns import sh

# Enters control groups, up to "--", and becomes the command behind it.
ENTER = 'while [ "$1" != -- ]; do echo $$ >"$1/cgroup.procs" || exit; shift; done; shift; exec "$@"'


class Machine:
    """with Machine() as m: m.boot(); m.run("systemctl", "start", ...)"""

    def __init__(self):
        self.base = pathlib.Path(tempfile.mkdtemp(prefix="ctmarkd-machine-", dir="/run"))
        self.root = self.base / "root"
        self.leader = 0
        self.nspawn = None
        self.groups = cgroup.below_own(self.base.name)

    def __enter__(self):
        try:
            for group in self.groups:
                group.mkdir()
            sh("mount", "-t", "tmpfs", "-o", "mode=755", "machine", str(self.base))
            for name in ("upper", "work", "root"):
                (self.base / name).mkdir()
            sh("mount", "-t", "overlay", "overlay", "-o",
               f"lowerdir=/,upperdir={self.base}/upper,workdir={self.base}/work", str(self.root))
            self._personalise()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *exc):
        self.close()

    def _personalise(self):
        self.write("/etc/machine-id", uuid.uuid4().hex + "\n")
        self.write("/etc/hostname", "ctmarkd-test\n")
        self.write("/etc/fstab", "")
        # The basics, and nothing that the host happens to have enabled.
        self.link("/etc/systemd/system/default.target", "/lib/systemd/system/basic.target")
        self.link("/etc/systemd/system/timers.target", "/dev/null")
        shutil.rmtree(self.root / "var/log/journal", ignore_errors=True)

    def write(self, path, text):
        """Creates a file of the machine, with its directories."""
        self._fresh(path).write_text(text)

    def link(self, path, target):
        self._fresh(path).symlink_to(target)

    def _fresh(self, path):
        file = self.root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            file.unlink()
        return file

    def boot(self, timeout=60, uptime=0):
        """
        Boots it and waits until the boot is complete. Its clocks may be ahead by an uptime in seconds,
        so that another boot is seen to set them back.
        """
        console = open(self.base / "console", "wb")
        ahead = [f"--{clock}={uptime}" for clock in ("monotonic", "boottime")]
        self.leader = 0
        self.nspawn = subprocess.Popen(
            ["sh", "-c", ENTER, "sh", *map(str, self.groups), "--",
             *(("unshare", "--time", *ahead) if uptime else ()), "systemd-nspawn", "--quiet",
             "--register=no", "--keep-unit", "--private-network", "--link-journal=no",
             "--capability=all", "--console=pipe", "-D", str(self.root), "-b"],
            env=dict(os.environ, SYSTEMD_NSPAWN_UNIFIED_HIERARCHY="1"),
            stdin=subprocess.DEVNULL, stdout=console, stderr=console, start_new_session=True)
        console.close()
        end = time.monotonic() + timeout
        while time.monotonic() < end and self.nspawn.poll() is None:
            if self._find_leader():
                state = self.run("systemctl", "is-system-running", check=False).strip()
                if state in ("running", "degraded"):
                    return
            time.sleep(0.05)
        raise RuntimeError("the container did not boot:\n" + self.console())

    def _find_leader(self):
        children = pathlib.Path(f"/proc/{self.nspawn.pid}/task/{self.nspawn.pid}/children")
        with contextlib.suppress(OSError):
            for pid in children.read_text().split():
                if pathlib.Path(f"/proc/{pid}/comm").read_text() == "systemd\n":
                    self.leader = int(pid)
        return self.leader

    def console(self):
        return (self.base / "console").read_text(errors="replace")

    def wrap(self, *words):
        return ["nsenter", "-t", str(self.leader), "-m", "-u", "-i", "-n", "-p", "-C", "--", *words]

    def run(self, *words, **kwargs):
        """Runs a command in the machine; see lab.netns.sh()."""
        return sh(*self.wrap(*words), **kwargs)

    def systemctl(self, *words, **kwargs):
        return self.run("systemctl", "--no-pager", *words, **kwargs)

    def journal(self, *words):
        """journalctl of the machine, everything written so far being in."""
        self.run("journalctl", "--sync")
        return self.run("journalctl", "--no-pager", *words, check=False)

    def show(self, unit, key):
        return self.systemctl("show", "-P", key, unit).strip()

    def halt(self, timeout=10):
        """An orderly poweroff; what it wrote stays, and it can be booted again."""
        if self.nspawn and self.nspawn.poll() is None:
            self.nspawn.terminate()
            try:
                self.nspawn.wait(timeout)
            except subprocess.TimeoutExpired:
                self.nspawn.kill()
                self.nspawn.wait()

    def close(self):
        self.halt()
        for path in (self.root, self.base):
            sh("umount", "-l", str(path), check=False)
        with contextlib.suppress(OSError):
            self.base.rmdir()
        for group in self.groups:
            cgroup.remove(group)
