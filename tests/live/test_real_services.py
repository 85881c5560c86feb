# SPDX-License-Identifier: GPL-2.0-or-later
"""Web, DNS and SSH of the distribution through a router that refuses everything doubtful."""

import hashlib
import signal
import subprocess

import pytest

from lab import netns
from lab.services import Dns, Ssh, Web, poll

SIX = pytest.mark.parametrize("six", [False, True], ids=["ipv4", "ipv6"])


def host(six):
    return netns.SERVER6 if six else netns.SERVER4


def digest(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


# --- web -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def web(strict_network):
    with Web(strict_network.server) as server:
        yield server


def url(six, path):
    return f"http://[{host(six)}]/{path}" if six else f"http://{host(six)}/{path}"


def curl(strict, *words):
    return strict.client.run("curl", "--silent", "--show-error", "--no-progress-meter", "--fail",
                             "--globoff", "--noproxy", "*", *words)


@SIX
def test_web_large(strict, web, six, tmp_path):
    curl(strict, "-o", str(tmp_path / "large"), url(six, "large"))
    assert digest(tmp_path / "large") == digest(web.dir / "www" / "large")
    assert strict.counts()["NEW"] == 1


@SIX
def test_web_parallel(strict, web, six):
    """Many connections at a time, none of them used twice."""
    out = curl(strict, "--parallel", "--parallel-max", "20", "--parallel-immediate",
               "-H", "Connection: close", *["-o", "/dev/null", url(six, "small")] * 40,
               "-w", "%{http_code}\n")
    assert out.split() == ["200"] * 40
    assert strict.counts()["NEW"] == 40


@SIX
def test_web_keep_alive(strict, web, six):
    out = curl(strict, *["-o", "/dev/null", url(six, "small")] * 8, "-w", "%{num_connects}\n")
    assert out.split() == ["1"] + ["0"] * 7
    assert strict.counts()["NEW"] == 1


@SIX
def test_web_client_dies_in_a_download(strict, web, six):
    """Data in flight meets the resets of a closed socket."""
    with strict.client.popen("curl", "--silent", "--limit-rate", "1M", url(six, "large"),
                             stdout=subprocess.PIPE) as client:
        assert client.stdout.read(200000)
        client.kill()
    poll(lambda: not established(web.process.pid, 80))


def established(pid, port):
    """Connections to a port in the namespace of a process that are not over."""
    found = []
    for name in ("tcp", "tcp6"):
        with open(f"/proc/{pid}/net/{name}", encoding="ascii") as file:
            found += [w for w in map(str.split, list(file)[1:])
                      if int(w[1].rpartition(":")[2], 16) == port and w[3] not in ("0A", "06")]
    return found


# --- names -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def dns(strict_network):
    with Dns(strict_network.server) as server:
        yield server


def dig(strict, six, *words):
    return strict.client.run("dig", f"@{host(six)}", "+tries=1", "+timeout=3", *words)


@SIX
def test_dns_udp(strict, dns, six):
    for _ in range(5):
        assert dig(strict, six, "+short", "www.lab", "A").split() == ["198.51.100.80"]
        assert dig(strict, six, "+short", "www.lab", "AAAA").split() == ["2001:db8:2::80"]
    assert "status: NXDOMAIN" in dig(strict, six, "none.lab")
    counts = strict.counts()
    again = counts.pop("ESTABLISHED")  # a source port, by chance, while its flow lasts
    assert again <= 2
    assert counts == {"NEW": 11 - again, "ESTABLISHED_REPLY": 11, "RELATED": 0, "RELATED_REPLY": 0}


@SIX
def test_dns_falls_back_to_tcp(strict, dns, six):
    out = dig(strict, six, "+noedns", "long.lab", "TXT")
    assert "Truncated, retrying in TCP mode" in out
    assert out.count("t" * 198) == 4
    assert strict.counts()["NEW"] == 2


@SIX
def test_dns_large_answers(strict, dns, six):
    """EDNS lets an answer be larger than 512 bytes; over TCP one is larger than a packet."""
    out = dig(strict, six, "+bufsize=1232", "+ignore", "long.lab", "TXT")
    assert out.count("t" * 198) == 4
    out = dig(strict, six, "+tcp", "huge.lab", "TXT")
    assert out.count("t" * 198) == 15
    assert strict.counts()["NEW"] == 2


@SIX
def test_dns_in_fragments(strict, dns, six):
    """An answer of 3000 bytes over UDP."""
    out = dig(strict, six, "+bufsize=4096", "+ignore", "huge.lab", "TXT")
    assert out.count("t" * 198) == 15
    assert "(UDP)" in out
    assert strict.counts()["NEW"] == 1


# --- ssh -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sshd(strict_network):
    with Ssh(strict_network.server) as server:
        yield server


def ssh(sshd, six, *words):
    return ["ssh", *sshd.options(), *words[:-1], f"root@{host(six)}", words[-1]]


@SIX
def test_ssh_commands(strict, sshd, six):
    out = strict.client.run(*ssh(sshd, six, "echo $SSH_CONNECTION; exit 3"), check=False)
    assert out.split()[2:] == [host(six), "22"]
    assert strict.counts()["NEW"] == 1


@SIX
def test_ssh_copy(strict, sshd, six, tmp_path):
    """A file there and back."""
    (tmp_path / "file").write_bytes(bytes(range(256)) * (4 << 12))
    there = f"root@{f'[{host(six)}]' if six else host(six)}:{tmp_path}/there"
    strict.client.run("scp", *sshd.options(), str(tmp_path / "file"), there)
    strict.client.run("scp", *sshd.options(), there, str(tmp_path / "back"))
    assert digest(tmp_path / "back") == digest(tmp_path / "there") == digest(tmp_path / "file")
    assert strict.counts()["NEW"] == 2


def test_ssh_idle_with_keepalives(strict, sshd):
    """Keepalives of SSH through sessions that say nothing, one over each family."""
    sessions = [strict.client.popen(*ssh(sshd, six, "-o", "ServerAliveInterval=1", "sleep 1.3"))
                for six in (False, True)]
    assert [session.wait(10) for session in sessions] == [0, 0]
    counts = strict.counts()
    assert counts["NEW"] == 2
    assert counts["ESTABLISHED"] >= 16


@SIX
def test_ssh_client_dies(strict, sshd, six):
    with strict.client.popen(*ssh(sshd, six, "-tt", "while echo line; do :; done"),
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE) as client:
        assert client.stdout.read(100000)
        client.send_signal(signal.SIGKILL)
    poll(lambda: not established(sshd.process.pid, 22))
