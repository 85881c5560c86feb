# SPDX-License-Identifier: GPL-2.0-or-later
"""
Protocols that open further connections, through a router that lets only their control ports in.

What the helper does not see coming is NEW at a port that nobody opened, and fails.
"""

import re
import socket

import pytest

from lab import netns, rules
from lab.pptp import Pptp
from lab.rules import rule
from lab.services import Ftp, Irc, Scanner, Tftp, poll
from lab.strict import ENGINES, Strict

SIX = pytest.mark.parametrize("six", [False, True], ids=["ipv4", "ipv6"])

CONTROL = {"tcp": "21,1723,6566,6667", "udp": "69"}


@pytest.fixture(scope="module", params=ENGINES)
def strict_network(request):
    with Strict(request.param, "ftp tftp irc pptp sane", CONTROL) as network:
        yield network


def host(six):
    return netns.SERVER6 if six else netns.SERVER4


def family(six):
    return socket.AF_INET6 if six else socket.AF_INET


def name(six):
    return f"[{host(six)}]" if six else host(six)


@SIX
def test_unexpected_connections_fail(strict, six):
    """To a port like those of data connections, in both directions."""
    for here, address in ((strict.client, host(six)),
                          (strict.server, netns.CLIENT6 if six else netns.CLIENT4)):
        with here.socket(family(six), timeout=0.05) as s, pytest.raises(TimeoutError):
            s.connect((address, 40000))
    poll(lambda: len(strict.refused.seen) >= 2)
    assert strict.invalid() == []
    strict.begin()


# --- ftp ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def ftps(strict_network):
    """One server for each family."""
    with Ftp(strict_network.server, netns.SERVER4) as four:
        with Ftp(strict_network.server, netns.SERVER6) as six:
            yield four, six


# How to ask for the address of a data connection: (words of curl, IPv4 only)
FTP_WAYS = {"EPSV": ([], False), "PASV": (["--disable-epsv"], True), "EPRT": (["-P", "-"], False),
            "PORT": (["-P", "-", "--disable-eprt"], True)}


def ftp_ways():
    return [pytest.param(way, six, id=f"{way}-{'ipv6' if six else 'ipv4'}")
            for way, (_, only4) in FTP_WAYS.items() for six in (False, True) if not six & only4]


@pytest.mark.parametrize("way,six", ftp_ways())
def test_ftp_curl(strict, ftps, way, six, tmp_path):
    """A list, a file there and a file back, each over a data connection of its own."""
    url, words = f"ftp://{name(six)}", FTP_WAYS[way][0]
    curl = ["curl", "--verbose", "--no-progress-meter", "--globoff", "--noproxy", "*", *words]
    up = tmp_path / "up"
    up.write_bytes(b"there" * 40000)
    said = strict.client.run(*curl, f"{url}/", "-o", str(tmp_path / "list"), f"{url}/file", "-o",
                             str(tmp_path / "file"))
    assert re.search(rf"^> {way}\b", said, re.M), said
    said = strict.client.run(*curl, "-T", str(up), f"{url}/up-{way}")
    root = ftps[six].dir / "www"
    assert " file" in (tmp_path / "list").read_text()
    assert (tmp_path / "file").read_bytes() == (root / "file").read_bytes()
    poll(lambda: (root / f"up-{way}").read_bytes() == up.read_bytes())
    counts = strict.counts()
    assert counts["NEW"] == 2
    assert counts["RELATED"] == 3


@SIX
@pytest.mark.parametrize("mode", ["passive", "active"])
def test_ftp_lftp(strict, ftps, mode, six, tmp_path):
    strict.client.run("lftp", "-c", f"set net:max-retries 1; set ftp:passive-mode {mode == 'passive'}; "
                      f"set cmd:fail-exit yes; open ftp://{name(six)}; ls; get file -o {tmp_path}/file; "
                      f"put {tmp_path}/file -o lftp-{mode}")
    assert (tmp_path / "file").read_bytes() == (ftps[six].dir / "www" / "file").read_bytes()
    counts = strict.counts()
    assert counts["NEW"] == 1
    assert counts["RELATED"] >= 3


@SIX
@pytest.mark.parametrize("mode", ["passive", "active"])
def test_ftp_tnftp(strict, ftps, mode, six, tmp_path):
    """One control connection with many data connections."""
    words = ["tnftp", "-a", "-n", "-v", *(["-A"] if mode == "active" else ["-p"]), host(six)]
    said = strict.client.run(*words, stdin="user anonymous a@b\nbinary\nls\n" + "".join(
        f"get file {tmp_path}/file{i}\n" for i in range(5)) + "quit\n")
    for i in range(5):
        assert (tmp_path / f"file{i}").read_bytes() == \
            (ftps[six].dir / "www" / "file").read_bytes(), said
    counts = strict.counts()
    assert counts["NEW"] == 1
    assert counts["RELATED"] == 6


def test_ftp_with_losses(strict, ftps, tmp_path):
    """Commands and answers that have to be repeated, and packets that the tracker never saw."""
    words = ["tnftp", "-a", "-n", "-v", "-A", host(False)]
    lost = ["-m", "statistic", "--mode", "nth", "--every", "40", "--packet", "7", "-j", "DROP"]
    with rule(strict.router, False, "raw", "PREROUTING", *lost), \
            rule(strict.router, False, "mangle", "FORWARD", *lost):
        strict.client.run(*words, stdin="user anonymous a@b\nbinary\n" + "".join(
            f"get file {tmp_path}/file{i}\n" for i in range(3)) + "quit\n")
    for i in range(3):
        assert (tmp_path / f"file{i}").read_bytes() == (ftps[0].dir / "www" / "file").read_bytes()
    assert strict.counts()["RELATED"] >= 3


# --- tftp --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tftpd(strict_network):
    with Tftp(strict_network.server) as server:
        yield server


@SIX
def test_tftp(strict, tftpd, six, tmp_path):
    """The server answers from a port of its own."""
    (tmp_path / "up").write_bytes(b"there" * 10000)
    strict.client.run("tftp", "-6" if six else "-4", host(six), "-m", "binary", "-c", "get", "file",
                      str(tmp_path / "file"))
    strict.client.run("tftp", "-6" if six else "-4", host(six), "-m", "binary", "-c", "put",
                      str(tmp_path / "up"), f"up{six}")
    assert (tmp_path / "file").read_bytes() == (tftpd.dir / "www" / "file").read_bytes()
    poll(lambda: (tftpd.dir / "www" / f"up{six}").read_bytes() == (tmp_path / "up").read_bytes())
    counts = strict.counts()
    assert counts["NEW"] == counts["RELATED"] == 2


@SIX
def test_tftp_curl(strict, tftpd, six, tmp_path):
    """With options: a block size that is negotiated."""
    strict.client.run("curl", "--silent", "--show-error", "--globoff", "--noproxy", "*", "--tftp-blksize",
                      "1400", f"tftp://{name(six)}/file", "-o", str(tmp_path / "file"))
    assert (tmp_path / "file").read_bytes() == (tftpd.dir / "www" / "file").read_bytes()
    assert strict.counts()["RELATED"] == 1


# --- irc ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def ircd(strict_network):
    with Irc(strict_network.server) as server:
        yield server


class Talker:
    """Somebody on IRC."""

    def __init__(self, space, nick):
        self.space, self.nick = space, nick
        self.sock = space.socket()
        self.sock.connect((netns.SERVER4, 6667))
        self.lines = self.sock.makefile("r", encoding="latin-1", newline="\r\n")
        self.say(f"NICK {nick}", f"USER {nick} 0 * :{nick}")
        self.hear(" 001 ")

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.say("QUIT :bye")
        self.lines.close()
        self.sock.close()

    def say(self, *lines):
        self.sock.sendall("".join(f"{line}\r\n" for line in lines).encode())

    def hear(self, words):
        """The next line with these words."""
        for line in self.lines:
            if line.startswith("PING"):
                self.say("PONG" + line[4:].strip())
            if words in line:
                return line
        raise EOFError(words)


DCC = {"SEND": "DCC SEND file.bin {number} {port} 60000", "CHAT": "DCC CHAT chat {number} {port}"}


def offer(offerer, taker, listener, kind):
    """Offers a direct connection; returns where the taker was told to connect to."""
    address, port = listener.getsockname()
    number = int.from_bytes(socket.inet_aton(address), "big")
    offerer.say(f"PRIVMSG {taker.nick} :\x01{DCC[kind].format(number=number, port=port)}\x01")
    words = taker.hear("DCC").split("\x01")[1].split()
    return socket.inet_ntoa(int(words[3]).to_bytes(4, "big")), int(words[4])


def test_irc_dcc(strict, ircd):
    """An offer that leaves through the router lets the other one in."""
    with Talker(strict.client, "inner") as inner, Talker(strict.server, "outer") as outer:
        for kind in DCC:
            with strict.client.socket() as listener, strict.server.socket() as direct:
                listener.bind((netns.CLIENT4, 0))
                listener.listen()
                direct.connect(offer(inner, outer, listener, kind))
                with listener.accept()[0] as served:
                    served.sendall(b"d" * 60000)
                    got = 0
                    while got < 60000:
                        got += len(direct.recv(65536))
    counts = strict.counts()
    assert counts["NEW"] == 1
    assert counts["RELATED"] == len(DCC)


def test_irc_dcc_from_outside(strict, ircd):
    """An offer that comes in opens nothing: connections to the outside are for the rules to allow."""
    with Talker(strict.client, "inner") as inner, Talker(strict.server, "outer") as outer:
        with strict.server.socket() as listener, strict.client.socket(timeout=0.1) as direct:
            listener.bind((netns.SERVER4, 0))
            listener.listen()
            with pytest.raises(TimeoutError):
                direct.connect(offer(outer, inner, listener, "SEND"))
    poll(strict.trouble)
    assert strict.invalid() == []
    assert strict.counts()["RELATED"] == 0
    strict.begin()


# --- sane --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def saned(strict_network):
    with Scanner(strict_network.server) as server:
        yield server


@SIX
def test_sane(strict, saned, six, tmp_path):
    (tmp_path / "dll.conf").write_text("net\n")
    (tmp_path / "net.conf").write_text("")
    strict.client.run("env", f"SANE_CONFIG_DIR={tmp_path}", "scanimage", "-d", f"net:{name(six)}:test:0",
                      "--format=pnm", "-o", str(tmp_path / "picture"))
    assert (tmp_path / "picture").read_bytes().startswith(b"P5")
    counts = strict.counts()
    assert counts["NEW"] == counts["RELATED"] == 1


# --- pptp --------------------------------------------------------------------------------


def test_pptp(strict):
    """Both directions of a tunnel, and what is left of it when the call ends."""
    with Pptp(strict.client, strict.server, netns.SERVER4, 4711, 815) as tunnel:
        for server in (False, True) * 3:
            packet = tunnel.send(server)
            assert tunnel.receive(not server) == packet
        counts = strict.counts()
        assert counts["NEW"] == counts["RELATED"] == 1
        tunnel.disconnect()
        tunnel.send(False)
        poll(strict.trouble)
        assert strict.invalid() == []
        assert [(p.packet.proto, rules.name_of(p.mark)) for p in strict.refused.seen] == \
            [(47, None if strict.engine == "kernel" else "NEW")]
    strict.begin()
