# SPDX-License-Identifier: GPL-2.0-or-later
"""Starts the ctmarkd that was built, waits until it is ready, reads what it says, ends it."""

import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

TOP = pathlib.Path(__file__).resolve().parents[2]


def binary():
    """The ctmarkd under test: $CTMARKD, else that of ./bootstrap build."""
    return os.environ.get("CTMARKD") or str(TOP / "build" / "ctmarkd")


def config_text(sections):
    """{"Log": {"Target": "console"}} as an INI file; a string stays as it is."""
    if isinstance(sections, str):
        return sections
    return "".join(f"[{name}]\n" + "".join(f"{k}={v}\n" for k, v in keys.items())
                   for name, keys in sections.items())


class Store:
    """What a service manager keeps for a service: descriptors by name, from one process to the next."""

    # Puts descriptors where sd_listen_fds() looks for them, then becomes the daemon.
    SHIM = """
import fcntl, os, sys
fds = [fcntl.fcntl(int(fd), fcntl.F_DUPFD, 500) for fd in sys.argv[1].split(",") if fd]
for i, fd in enumerate(fds):
    os.dup2(fd, 3 + i)
    os.close(fd)
os.environ["LISTEN_PID"] = str(os.getpid())
os.execvp(sys.argv[2], sys.argv[2:])
"""

    def __init__(self, room=64):
        self.room = room
        self.items = []  # (name, fd)
        self._changed = threading.Condition()

    def hear(self, lines, fds):
        """One message of the service; whatever is not to be kept is closed."""
        fields = dict(line.split("=", 1) for line in lines if "=" in line)
        name = fields.get("FDNAME", "stored")
        with self._changed:
            if fields.get("FDSTORE") == "1":
                free = max(self.room - len(self.items), 0)
                self.add(name, fds[:free])
                fds = fds[free:]
            elif fields.get("FDSTOREREMOVE") == "1":
                self.remove(name)
            self._changed.notify_all()
        for fd in fds:
            os.close(fd)

    def add(self, name, fds):
        self.items += [(name, fd) for fd in fds]

    def remove(self, name):
        """All of that name, as when the service asks for it, or somebody is clumsy."""
        for item in [item for item in self.items if item[0] == name]:
            os.close(item[1])
            self.items.remove(item)

    def names(self):
        with self._changed:
            return sorted(name for name, _ in self.items)

    def wait_names(self, wanted, timeout=5):
        """Waits until it holds exactly these, and returns what it holds."""
        with self._changed:
            self._changed.wait_for(lambda: sorted(n for n, _ in self.items) == sorted(wanted),
                                   timeout)
        return self.names()

    def get(self, name):
        return next(fd for n, fd in self.items if n == name)

    def environment(self):
        env = {"FDSTORE": str(self.room)}
        if self.items:
            env |= {"LISTEN_FDS": str(len(self.items)),
                    "LISTEN_FDNAMES": ":".join(name for name, _ in self.items)}
        return env

    def wrap(self, words):
        return [sys.executable, "-c", self.SHIM, ",".join(str(fd) for _, fd in self.items), *words]

    def close(self):
        """As if the service had been stopped: nobody has the descriptors any more."""
        for _, fd in self.items:
            os.close(fd)
        self.items.clear()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()


class NotifySocket:
    """
    What a service manager hears: the sd_notify() messages of the daemon.

    Like a service manager it reads all the time: a full socket would make the daemon wait.
    """

    def __init__(self, path, store=None):
        self.path, self.store = str(path), store
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sock.bind(self.path)
        os.chmod(self.path, 0o777)
        self.lines = []
        self._read = 0
        self._new = threading.Condition()
        self._closing = False
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def _listen(self):
        self.sock.settimeout(0.1)
        while not self._closing:
            try:
                message, fds, _, _ = socket.recv_fds(self.sock, 65536, 8)
            except TimeoutError:
                continue
            lines = message.decode().splitlines()
            if self.store:
                self.store.hear(lines, fds)
            else:
                for fd in fds:
                    os.close(fd)
            with self._new:
                self.lines += lines
                self._new.notify_all()

    def _next_match(self, pattern):
        while self._read < len(self.lines):
            self._read += 1
            if re.search(pattern, self.lines[self._read - 1]):
                return self.lines[self._read - 1]
        return None

    def wait(self, pattern, timeout=10, alive=lambda: True):
        """The next line that matches a regular expression, None if there is none in time."""
        end = time.monotonic() + timeout
        with self._new:
            while time.monotonic() < end:
                found = self._next_match(pattern)
                if found is not None or not (self._new.wait(0.05) or alive()):
                    return found
        return None

    def close(self):
        self._closing = True
        self._listener.join()
        self.sock.close()


class Daemon:
    """
    with Daemon(netns, {"Queue": {"Range": "0-1"}}) as d: ...

    Transitions go to the console unless the configuration says otherwise. prefix are words put
    before the command, e.g. to enter the mount namespace of a private journal. Its control socket
    is control, unless the configuration says otherwise. What it says is not read before listen() if
    deaf. With a store it finds there what another one has left in it.
    """

    def __init__(self, netns, config=None, args=(), prefix=(), env=None, ready=True,
                 deaf=False, store=None):
        self.netns, self.args, self.prefix = netns, list(args), list(prefix)
        self.env, self.ready, self.store = env or {}, ready, store
        self.lines = []
        self._listening = threading.Event()
        if not deaf:
            self._listening.set()
        self.status = None
        self._dir = tempfile.TemporaryDirectory(prefix="ctmarkd-lab-")
        self.config = pathlib.Path(self._dir.name, "ctmarkd.conf")
        self.control = pathlib.Path(self._dir.name, "control")
        self.write_config(config if config is not None else {})
        self._new_line = threading.Condition()

    def write_config(self, config):
        if not isinstance(config, str):
            config = {"Log": {"Target": "console"}} | config
            config["Log"] = {"Target": "console"} | config["Log"]
        text = config_text(config)
        if "[Control]" not in text:  # there may be others
            text = f"{text.rstrip()}\n[Control]\nSocket={self.control}\n".lstrip()
        self.config.write_text(text)

    def __enter__(self):
        self.notify = NotifySocket(pathlib.Path(self._dir.name, "notify"), self.store)
        env = dict(os.environ, NOTIFY_SOCKET=self.notify.path)
        for name in ("JOURNAL_STREAM", "WATCHDOG_USEC", "WATCHDOG_PID", "FDSTORE", "LISTEN_FDS",
                     "LISTEN_PID", "LISTEN_FDNAMES", "STATE_DIRECTORY"):
            env.pop(name, None)
        words = [*self.prefix, binary(), "--config", str(self.config), *self.args]
        fds = ()
        if self.store:
            env |= self.store.environment()
            words = self.store.wrap(words)
            fds = tuple(fd for _, fd in self.store.items)
        env |= self.env
        self.process = subprocess.Popen(self.netns.wrap(*words), env=env, text=True, pass_fds=fds,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        if self.ready and not self.notify.wait("READY=1", 15, lambda: self.process.poll() is None):
            self.__exit__()
            raise RuntimeError("ctmarkd did not become ready:\n" + "\n".join(self.lines))
        return self

    def __exit__(self, *exc):
        self.listen()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self._reader.join(5)
        self.status = self.process.returncode
        self.process.stdout.close()
        self.notify.close()
        self._dir.cleanup()

    @property
    def pid(self):
        return self.process.pid

    def listen(self):
        """Reads what was said so far and from now on."""
        self._listening.set()

    def _read(self):
        self._listening.wait()
        for line in self.process.stdout:
            with self._new_line:
                self.lines.append(line.rstrip("\n"))
                self._new_line.notify_all()

    def kill(self, number):
        self.process.send_signal(number)

    def freeze(self):
        """SIGSTOP, in effect when this returns. SIGCONT thaws it."""
        self.kill(signal.SIGSTOP)
        stat = pathlib.Path(f"/proc/{self.pid}/stat")
        while stat.read_text().rpartition(")")[2].split()[0] != "T":
            time.sleep(0.001)

    def stop(self, number=signal.SIGTERM, timeout=10):
        """Ends it by a signal and returns its exit code, all lines being read."""
        self.process.send_signal(number)
        return self.join(timeout)

    def crash(self, timeout=10):
        """kill -9, and waits until nothing of it is left."""
        return self.stop(signal.SIGKILL, timeout)

    def join(self, timeout=10):
        self.status = self.process.wait(timeout)
        self._reader.join(5)
        return self.status

    def reload(self, timeout=10):
        """SIGHUP, then wait for RELOADING=1 and READY=1."""
        self.kill(signal.SIGHUP)
        return self.notify.wait("RELOADING=1", timeout) and self.notify.wait("READY=1", timeout)

    def wait_line(self, pattern, timeout=5):
        """The first line that matches a regular expression, None if none comes in time."""
        def found():
            return next((line for line in self.lines if re.search(pattern, line)), None)

        with self._new_line:
            self._new_line.wait_for(found, timeout)
            return found()

    def events(self, since=0, **fields):
        """The transitions on the console from a line on, as dictionaries, that have all the fields."""
        found = []
        for line in self.lines[since:]:
            event = dict(re.findall(r'(\w+)=("[^"]*"|\S*)', line))
            if "event" in event and all(event.get(k) == str(v) for k, v in fields.items()):
                found.append(event)
        return found

    def wait_events(self, count, timeout=5, **fields):
        """The same, as soon as there are count of them; what there is at timeout."""
        with self._new_line:
            self._new_line.wait_for(lambda: len(self.events(**fields)) >= count, timeout)
        return self.events(**fields)


def check_config(text):
    """ctmarkd --check-config on a text; returns (exit code, output)."""
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
        file.write(config_text(text))
        file.flush()
        done = subprocess.run([binary(), "--config", file.name, "--check-config"], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=30)
    return done.returncode, done.stdout
