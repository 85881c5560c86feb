# SPDX-License-Identifier: GPL-2.0-or-later
"""
Servers of the distribution, each in a namespace and a directory of its own.

They run in the foreground as children of the test, listen to both families and are gone when the
with block is left. No configuration, account or socket of the machine is used or changed.
"""

import os
import pathlib
import shutil
import subprocess
import tempfile
import time

PYTHON = "/usr/bin/python3"
# TCP_LISTEN and the state of a UDP socket without a peer, as /proc/net writes them
LISTENING = {"tcp": "0A", "udp": "07"}


def poll(ready, timeout=10, what=None, pause=0.02):
    """The first true value of ready(); AssertionError with its last value if there is none in time."""
    end = time.monotonic() + timeout
    while not (value := ready()):
        assert time.monotonic() < end, f"waited {timeout} s for {what or ready.__qualname__}: {value!r}"
        time.sleep(pause)
    return value


def listens(pid, kind, port, six=None):
    """Whether somebody in the namespace of a process listens to a port, in one or any family."""
    for name in {None: (kind, f"{kind}6"), False: (kind,), True: (f"{kind}6",)}[six]:
        for line in pathlib.Path(f"/proc/{pid}/net/{name}").read_text().splitlines()[1:]:
            words = line.split()
            if int(words[1].rpartition(":")[2], 16) == port and words[3] == LISTENING[kind]:
                return True
    return False


class Service:
    """One server process; subclasses say in command() how it is started in self.dir."""

    ports = ()

    def __init__(self, space):
        self.space = space
        self.dir = None

    def command(self):
        raise NotImplementedError

    def __enter__(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="ctmarkd-lab-"))
        self.dir.chmod(0o755)
        with open(self.dir / "output", "w", encoding="utf-8") as output:
            self.process = self.space.popen(*self.command(), stdin=subprocess.DEVNULL,
                                            stdout=output, stderr=subprocess.STDOUT, cwd=self.dir)
        try:
            for kind, port in self.ports:
                poll(lambda k=kind, p=port: self.ready(k, p))
        except BaseException:
            self.__exit__()
            raise
        return self

    def ready(self, kind, port):
        if self.process.poll() is not None:
            raise RuntimeError(f"{type(self).__name__} ended:\n{self.output()}")
        return listens(self.process.pid, kind, port)

    def output(self):
        return (self.dir / "output").read_text(encoding="utf-8", errors="replace")

    def __exit__(self, *exc):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(2)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        shutil.rmtree(self.dir)


class Web(Service):
    """HTTP/1.1 with keep-alive: /small, and /large of LARGE random bytes."""

    ports = (("tcp", 80),)
    LARGE = 8 << 20

    def command(self):
        root = self.dir / "www"
        root.mkdir()
        (root / "small").write_bytes(b"small\n")
        (root / "large").write_bytes(os.urandom(1 << 20) * (self.LARGE >> 20))
        # its backlog of 5 connections makes clients repeat their SYNs
        patch = ("import runpy, socketserver; socketserver.TCPServer.request_queue_size = 128; "
                 "runpy.run_module('http.server', run_name='__main__')")
        return [PYTHON, "-c", patch, "--protocol", "HTTP/1.1", "--bind", "::",
                "--directory", str(root), "80"]


class Dns(Service):
    """dnsmasq for the zone "lab"; answers of several sizes as TXT records."""

    ports = (("udp", 53), ("tcp", 53))
    SIZES = {"short": 1, "long": 4, "huge": 15}   # strings of 200 bytes

    def command(self):
        records = [f"--txt-record={name}.lab," + ",".join(f"{i:02}" + "t" * 198 for i in range(count))
                   for name, count in self.SIZES.items()]
        return ["dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv",
                "--no-hosts", "--user=root", "--pid-file=", "--local=/lab/", "--edns-packet-max=4096",
                "--host-record=www.lab,198.51.100.80,2001:db8:2::80", "--no-daemon", *records]


class Ssh(Service):
    """sshd that lets root in by a key made for it, whatever the machine's own accounts are like."""

    ports = (("tcp", 22),)
    PASSWD = "root:x:0:0:root:/root:/bin/sh\nsshd:x:100:65534::/run/sshd:/usr/sbin/nologin\n"

    def command(self):
        for name in ("host", "user"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.dir / name],
                           check=True)
        (self.dir / "passwd").write_text(self.PASSWD)
        (self.dir / "shadow").write_text("root:*:19000::::::\nsshd:!:19000::::::\n")
        (self.dir / "sshd_config").write_text(
            f"HostKey {self.dir}/host\nAuthorizedKeysFile {self.dir}/user.pub\nStrictModes no\n"
            "PidFile none\nUsePAM no\nPasswordAuthentication no\nPermitRootLogin yes\n"
            "LogLevel VERBOSE\nUseDNS no\nMaxStartups 100\nSubsystem sftp internal-sftp\n")
        # a mount namespace of its own comes with ip netns exec
        return ["sh", "-ec", "mount -t tmpfs none /run; mkdir -m 755 /run/sshd; "
                f"mount --bind {self.dir}/passwd /etc/passwd; "
                f"mount --bind {self.dir}/shadow /etc/shadow; "
                f"exec /usr/sbin/sshd -D -e -f {self.dir}/sshd_config"]

    def options(self):
        """Words for ssh and scp."""
        return ["-F", "none", "-i", str(self.dir / "user"), "-o", "StrictHostKeyChecking=no",
                "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR", "-o", "BatchMode=yes"]


class Iperf(Service):
    """iperf3, one test at a time."""

    ports = (("tcp", 5201),)

    def command(self):
        return ["iperf3", "--server"]


# --- servers whose protocols open further connections ------------------------------------


class Ftp(Service):
    """FTP for anybody, reading and writing in www/; one address, so one family."""

    ports = (("tcp", 21),)

    def __init__(self, space, address):
        super().__init__(space)
        self.address = address

    def command(self):
        (self.dir / "www").mkdir()
        (self.dir / "www" / "file").write_bytes(os.urandom(300000))
        return [PYTHON, "-m", "pyftpdlib", "-i", self.address, "-p", "21", "-w",
                "-d", str(self.dir / "www")]

    def ready(self, kind, port):
        return super().ready(kind, port) and "starting FTP server" in self.output()


class Tftp(Service):
    """tftpd-hpa, reading and writing."""

    ports = (("udp", 69),)

    def command(self):
        (self.dir / "www").mkdir(mode=0o777)
        (self.dir / "www" / "file").write_bytes(os.urandom(100000))
        (self.dir / "www" / "file").chmod(0o644)
        return ["/usr/sbin/in.tftpd", "--foreground", "--listen", "--user", "root", "--create",
                "--permissive", "--secure", str(self.dir / "www")]


class Irc(Service):
    """ngircd without ident and names."""

    ports = (("tcp", 6667),)

    def command(self):
        (self.dir / "ngircd.conf").write_text(
            "[Global]\nName = irc.lab\nInfo = lab\nListen = 0.0.0.0\nPorts = 6667\n"
            "ServerUID = nobody\nServerGID = nogroup\nMotdPhrase = hello\n"
            "[Options]\nIdent = no\nDNS = no\nPAM = no\n[Limits]\nMaxConnectionsIP = 0\n")
        return ["ngircd", "--nodaemon", "--config", str(self.dir / "ngircd.conf")]


class Scanner(Service):
    """saned with the scanner that exists only for tests."""

    ports = (("tcp", 6566),)

    def command(self):
        for name, text in (("saned.conf", "localhost\n192.0.2.0/24\n[2001:db8:1::]/64\n"),
                           ("dll.conf", "test\n"), ("test.conf", "")):
            (self.dir / name).write_text(text)
        return ["env", f"SANE_CONFIG_DIR={self.dir}", "saned", "-l", "-e"]
