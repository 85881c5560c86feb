# SPDX-License-Identifier: GPL-2.0-or-later
"""
Packet scripts through a real NFQUEUE rule, with the kernel's own conntrack as the judge.

The hosts of the scripts are one namespace without any address: frames are injected by packet
sockets, and no TCP stack answers them. The router asks its own conntrack about every packet by one
MARK rule per class, hands the packet to ctmarkd, and logs it behind both. flowlive compares.
"""

import collections
import os
import pathlib
import re
import subprocess

import pytest

from lab.daemon import TOP, Daemon, binary
from lab.netns import Netns, sh

FLOWS = TOP / "tests" / "flows"
GROUP = 7

# One bit for each class of the kernel, away from ctmarkd's: flow_wire.h has the same numbers.
ORACLE = {
    "--ctstate ESTABLISHED --ctdir ORIGINAL": 0x00010000,
    "--ctstate RELATED --ctdir ORIGINAL": 0x00020000,
    "--ctstate NEW --ctdir ORIGINAL": 0x00040000,
    "--ctstate ESTABLISHED --ctdir REPLY": 0x00080000,
    "--ctstate RELATED --ctdir REPLY": 0x00100000,
    "--ctstate UNTRACKED": 0x00200000,
    "--ctstate INVALID": 0x00400000,
    "--ctstatus EXPECTED": 0x01000000,
    "--ctstatus SEEN_REPLY": 0x02000000,
    "--ctstatus ASSURED": 0x04000000,
    "--ctstatus CONFIRMED": 0x08000000,
}

# Behind the queue (mangle, -150); packets of scripts with the word "dropped" carry 4 as DSCP.
LOG = f"""
table inet flows {{
    chain seen {{ type filter hook prerouting priority -50; log group {GROUP} snaplen 128; }}
    chain fate {{ type filter hook forward priority 0; ip dscp 4 drop; ip6 dscp 4 drop; }}
}}
"""


def scripts():
    """Scripts by their settings: one run and one daemon for each group."""
    groups = {}
    for path in sorted(FLOWS.glob("*.flow")):
        settings = re.findall(r"^set +(\S+) +(\S+)", path.read_text(encoding="utf-8"), re.M)
        name = " ".join(f"{key}={value}" for key, value in settings) or "defaults"
        groups.setdefault(name, []).append(path)
    return groups


class Wire:
    """hosts (client, server) ==== (lan, wan) router"""

    def __init__(self):
        self.hosts = self.router = None

    def __enter__(self):
        try:
            name = f"ctflow-{os.getpid()}"
            self.hosts = Netns(f"{name}-hosts")
            self.router = Netns(f"{name}-router")
            self._settings()
            self._link("client", "lan", 1, ("10.1.0.0/16", "10.3.0.0/16"), ("fd00:1::/32", "fd00:3::/32"))
            self._link("server", "wan", 2, ("10.2.0.0/16", "10.4.0.0/16"), ("fd00:2::/32", "fd00:4::/32"))
            self.router.run("nft", "-f", "-", stdin=LOG)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exc):
        for space in (self.hosts, self.router):
            if space:
                space.close()

    def _settings(self):
        self.hosts.sysctl(ipv6__conf__default__disable_ipv6=1)
        self.router.sysctl(ipv4__ip_forward=1, ipv6__conf__all__forwarding=1,
                           ipv4__conf__all__rp_filter=0, ipv4__conf__default__rp_filter=0,
                           ipv4__conf__all__send_redirects=0, ipv4__conf__default__send_redirects=0,
                           ipv6__conf__default__accept_ra=0, ipv6__conf__default__accept_dad=0,
                           ipv6__conf__default__accept_source_route=1)

    def _link(self, host, port, number, nets4, nets6):
        macs = [f"02:00:00:00:{number:02}:{end:02}" for end in (1, 2)]
        sh("ip", "link", "add", "name", host, "address", macs[1], "netns", self.hosts.name,
           "type", "veth", "peer", "name", port, "address", macs[0], "netns", self.router.name)
        for space, interface in ((self.hosts, host), (self.router, port)):
            space.ip("link", "set", interface, "addrgenmode", "none")
            space.ip("link", "set", interface, "up")
        for own, peer, nets in ((f"10.0.{number}.1/24", f"10.0.{number}.2", nets4),
                                (f"fd00:0:{number}::1/64", f"fd00:0:{number}::2", nets6)):
            self.router.ip("addr", "add", own, "dev", port, *(("nodad",) if ":" in own else ()))
            self.router.ip("neigh", "replace", peer, "lladdr", macs[1], "dev", port, "nud", "permanent")
            for net in nets:
                self.router.ip("route", "add", net, "via", peer, "dev", port)

    def oracle(self, queue=True):
        """The rules of mangle PREROUTING, in place of those before; the queue is the last of them."""
        for command in ("iptables", "ip6tables"):
            rules = ["-j MARK --set-mark 0"]
            rules += [f"-m conntrack {condition} -j MARK --or-mark {bit:#x}"
                      for condition, bit in ORACLE.items()]
            rules += ["-j NFQUEUE --queue-num 0"] * queue
            self.router.run(f"{command}-restore", "-w", stdin="*mangle\n" + "".join(
                f"-A PREROUTING {rule}\n" for rule in rules) + "COMMIT\n")

    def play(self, files, *options):
        """Runs flowlive; returns (exit code, output)."""
        words = [flowlive(), *options, "--hosts", f"/run/netns/{self.hosts.name}",
                 "--router", f"/run/netns/{self.router.name}", *map(str, files)]
        done = subprocess.run(words, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=170)
        return done.returncode, done.stdout


def flowlive():
    """Built beside the ctmarkd under test."""
    return str(pathlib.Path(binary()).parent / "tests" / "flows" / "flowlive")


def config(path):
    return sh(flowlive(), "--config", str(path))


@pytest.fixture(scope="module")
def network():
    with Wire() as made:
        yield made


@pytest.fixture
def wire(network):
    network.oracle()
    return network


@pytest.fixture(scope="module")
def total(request):
    """Sums of all runs, said at the end."""
    sums = collections.Counter()
    yield sums
    with request.config.pluginmanager.get_plugin("capturemanager").global_and_fixture_disabled():
        print("\npacket scripts: " + ", ".join(f"{n} {what}" for what, n in sums.items()))


def counts(output):
    """{"scripts": 154, "live comparisons": 3650, ...} of the last line of flowlive."""
    return {what: int(n) for n, what in re.findall(r"(\d+) ([a-z ]+)", output.splitlines()[-1])}


@pytest.mark.parametrize("settings", scripts())
def test_scripts(wire, total, settings):
    """Kernel, ctmarkd and script say the same of every packet."""
    files = scripts()[settings]
    with Daemon(wire.router, config(files[0]) + "[Log]\nTarget=none\n"):
        code, output = wire.play(files)
    print(output)
    total.update(counts(output))
    assert code == 0, "\n".join(line for line in output.splitlines() if line.startswith("#"))


WRONG = """title Nothing of this is so
A > B tcp S seq 1000         : ESTABLISHED SYN_SENT 0x8 120
B > A tcp SA seq 1 ack 1001  : ESTABLISHED_REPLY ESTABLISHED 0xa 60
A > B tcp A seq 1001 ack 2   : ESTABLISHED ESTABLISHED 0xa 432000
A > B udp                    : NEW - 0x8 33
A > B icmp echo              : NEW gone
"""


def test_wrong_script_is_noticed(wire, tmp_path):
    """Class (kernel and ctmarkd), state, status (rules and table), timeout, existence: twice each."""
    path = tmp_path / "wrong.flow"
    path.write_text(WRONG)
    with Daemon(wire.router, "[Log]\nTarget=none\n"):
        code, output = wire.play([path])
    assert code == 1
    assert counts(output)["differences"] == 14, output


STATES = {"SYN_SENT", "SYN_RECV", "ESTABLISHED", "FIN_WAIT", "CLOSE_WAIT", "LAST_ACK", "TIME_WAIT",
          "CLOSE", "SYN_SENT2"}
CLASSES = {"NEW", "ESTABLISHED", "ESTABLISHED_REPLY", "INVALID"}


@pytest.mark.parametrize("seed", [1, 2])
def test_random(network, seed):
    """Random TCP conversations: the engine says what the kernel says, packet by packet."""
    network.oracle(queue=False)
    code, output = network.play([], "--random", f"{seed}:20000")
    print(output)
    assert code == 0, output
    assert counts(output)["random packets"] == 20000
    assert CLASSES | STATES <= set(re.findall(r"[A-Z_0-9]+", output)), "not every corner was reached"


@pytest.mark.parametrize("seed", [1, 2])
def test_damaged(network, seed):
    """Damaged packets of all kinds: whatever the kernel classifies, the engine classifies the same."""
    network.oracle(queue=False)
    code, output = network.play([], "--damaged", f"{seed}:10000")
    print(output)
    assert code == 0, output
    assert counts(output)["damaged packets"] >= 10000
    classes = CLASSES | {"RELATED", "RELATED_REPLY", "UNTRACKED"}
    assert classes <= set(re.findall(r"[A-Z_]+", output)), "not every class was reached"
