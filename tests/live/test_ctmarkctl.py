# SPDX-License-Identifier: GPL-2.0-or-later
"""Every verb of ctmarkctl on a real daemon, its conntrack layout against the kernel's own."""

import grp
import json
import re
import signal
import time

import pytest

from lab import netns, rules
from lab.ctmarkctl import NOBODY, Ctl
from lab.daemon import Daemon
from lab.services import poll as wait_for
from lab.traffic import Traffic

SIX = pytest.mark.parametrize("six", [False, True], ids=["ipv4", "ipv6"])
CHAINS = ("PREROUTING", "OUTPUT")


@pytest.fixture
def daemon(lab):
    rules.queue(lab.router, chains=CHAINS)
    with Daemon(lab.router) as process:
        yield process


@pytest.fixture
def ctl(daemon):
    return Ctl(daemon.control)


class Held:
    """A TCP connection that stays open, and a UDP query that was answered."""

    def __init__(self, lab, nflog, six=False):
        self.traffic = Traffic(lab, nflog, six)
        self.listener = self.traffic.tcp_server(8080)
        self.client = lab.client.socket(self.traffic.af)
        self.client.connect((self.traffic.server, 8080))
        self.server = self.listener.accept()[0]
        self.client.sendall(b"hello")
        self.server.recv(10)
        self.server.sendall(b"hello yourself")
        self.client.recv(20)
        nflog.settle()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        for s in (self.client, self.server, self.listener):
            s.close()


@pytest.fixture
def held(lab, nflog, daemon):
    with Held(lab, nflog) as connection:
        yield connection


# ---- flows ----

@SIX
def test_list_and_get(lab, nflog, daemon, ctl, six):
    with Held(lab, nflog, six):
        flows = ctl.lines("list", "-p", "tcp", "--dport", "8080")
        assert len(flows) == 1
        flow = flows[0]
        assert flow["state"] == "ESTABLISHED"
        assert flow["family"] == ("ipv6" if six else "ipv4")
        assert {"SEEN_REPLY", "ASSURED", "CONFIRMED"} <= set(flow["status"])
        assert flow["packets_orig"] >= 3 and flow["packets_reply"] >= 2

        got = ctl.json("get", flow["flow"])
        assert {k: got[k] for k in got if k != "timeout"} == \
            {k: flow[k] for k in flow if k != "timeout"}
        text = ctl.text("get", flow["flow"].lstrip("0"))
        assert re.search(r"^state: +ESTABLISHED$", text, re.M)
        assert "(4d23h59m)" in text or "(5d00h00m)" in text

        head, row, total = ctl.text("list", "-p", "tcp").splitlines()
        assert head.split()[:3] == ["FLOW", "PROTO", "STATE"]
        assert row.split()[:3] == [flow["flow"], "tcp", "ESTABLISHED"]
        target = f"[{netns.SERVER6}]:8080" if six else f"{netns.SERVER4}:8080"
        assert target in row and "ASSURED" in row
        assert total == "1 flow"
        bare = ctl.text("list", "-p", "tcp", "--no-legend")
        assert bare.count("\n") == 1 and bare.split()[:6] == row.split()[:6]


def test_filters(lab, nflog, daemon, ctl, held):
    held.traffic.udp_query()
    held.traffic.ping()
    with Held(lab, nflog, True):
        for words, count in [
                ("-p tcp", 2), ("-p 6", 2), ("-f ipv4 -p tcp", 1), ("-f inet6 -p tcp", 1),
                (f"-s {netns.CLIENT4} -p tcp", 1), ("-s 192.0.0.0/16 -p tcp", 1),
                (f"-d {netns.SERVER6} -p tcp", 1), (f"-r {netns.SERVER4} -p tcp", 1),
                (f"-q {netns.CLIENT4} -p tcp", 1), ("--dport 8000-8100", 2),
                ("--dport 8081-65535 -p tcp", 0), ("--state established", 2),
                ("--state syn_sent,time_wait", 0), ("--status assured -p tcp", 2),
                ("-u unset -p tcp", 0), ("-p icmp --icmp-type 8", 1), ("-p icmp --icmp-type 0", 0),
                ("-p udp -u SEEN_REPLY -f ipv4", 1), ("--zone 0 -p tcp", 2), ("--zone 7", 0),
                ("--helper ftp", 0)]:
            assert len(ctl.lines("list", *words.split())) == count, words
            assert ctl.json("count", *words.split())["count"] == count, words
        number, of, most = ctl.text("count").split()
        assert int(number) == len(ctl.lines("list")) and (of, most) == ("of", "262144")
        assert ctl.text("count", "--no-legend") == f"{number}\n"


@pytest.mark.parametrize("words", [
    "-s 10.0.0.0/99", "-s nonsense", "-p nonsense", "--dport 1-0", "--dport 70000",
    "--state NONSENSE", "--status NONSENSE", "--helper nonsense", "--icmp-type 256"])
def test_filters_that_the_daemon_refuses(ctl, words):
    done = ctl("list", *words.split())
    option, value = words.split()
    option = {"-s": "--src", "-p": "--proto"}.get(option, option)
    assert done.returncode == 2
    assert done.stderr.startswith(f"ctmarkctl: {option} '{value.lower()}'") or \
        done.stderr.startswith(f"ctmarkctl: {option} '{value}'"), done.stderr
    assert done.stderr.count("\n") == 1


def test_delete_and_flush(lab, nflog, daemon, ctl, held):
    held.traffic.udp_query()
    assert ctl.text("delete", "-p", "icmp") == "0 flows ended\n"
    assert ctl.text("delete", "-p", "tcp") == "1 flow ended\n"
    assert ctl.lines("list", "-p", "tcp") == []
    assert daemon.wait_events(1, event="destroy", proto="tcp")[0]["reason"] == "deleted"
    left = ctl.json("count")["count"]
    assert left >= 1
    assert ctl.json("flush") == {"deleted": left}
    assert ctl.json("count")["count"] == 0


def test_no_such_flow(ctl):
    for verb in ("get", "explain"):
        done = ctl(verb, "1234")
        assert done.returncode == 1 and "no flow" in done.stderr


# ---- the layout of conntrack(8) ----

def normal(lines):
    """Without what differs by its nature: seconds, and how many use an entry."""
    timeout = re.compile(r"^((?:ipv[46] +\d+ )?\S+ +\d+) \d+ ")
    return sorted(timeout.sub(r"\1 TIMEOUT ", re.sub(r" use=\d+", "", line.strip()))
                  for line in lines)


def kernel_lines(router, *words):
    lines = router.run("conntrack", "-L", *words).splitlines()
    return [line for line in lines if not line.startswith("conntrack v")]


@SIX
@pytest.mark.parametrize("accounting", [True, False], ids=["acct", "no-acct"])
def test_conntrack_layout_is_the_kernels(lab, nflog, six, accounting):
    for command in ("iptables", "ip6tables"):
        lab.router.run(command, "-w", "-t", "mangle", "-A", "PREROUTING", "-m", "conntrack",
                       "--ctstate", "NEW")
    lab.router.sysctl(netfilter__nf_conntrack_acct=int(accounting))
    rules.queue(lab.router, chains=CHAINS)
    with Daemon(lab.router, {"Track": {"Accounting": "yes" if accounting else "no"}}) as daemon, \
            Held(lab, nflog, six) as held:
        held.traffic.udp_query()
        held.traffic.udp_closed()
        held.traffic.tcp_refused()
        held.traffic.ping()
        with lab.client.raw("eth0") as wire:
            for frame in other_protocols(six):
                wire.send(frame)
        nflog.settle()
        family = "ipv6" if six else "ipv4"
        kernel = kernel_lines(lab.router, "-f", family)
        done = Ctl(daemon.control)("list", "-o", "conntrack", "-f", family)
        extended = Ctl(daemon.control).text("list", "-o", "extended", "--no-legend", "-f", family)
        kernel_extended = kernel_lines(lab.router, "-o", "extended", "-f", family)
    assert len(kernel) >= 7
    assert normal(done.stdout.splitlines()) == normal(kernel)
    assert normal(extended.splitlines()) == normal(kernel_extended)
    assert re.fullmatch(r"ctmarkctl: \d+ flow entries have been shown\.\n", done.stderr)


def other_protocols(six):
    """Frames of GRE, SCTP and of a protocol without a name."""
    from scapy.all import GRE, IP, SCTP, Ether, IPv6, Raw, SCTPChunkInit
    ether = Ether(src=netns.CLIENT_MAC, dst=netns.LAN_MAC)
    def ip(proto):
        if six:
            return ether / IPv6(src=netns.CLIENT6, dst=netns.SERVER6, nh=proto)
        return ether / IP(src=netns.CLIENT4, dst=netns.SERVER4, proto=proto)
    init = SCTPChunkInit(init_tag=1, a_rwnd=4096, n_out_streams=1, n_in_streams=1)
    return [bytes(p) for p in (
        ip(253) / Raw(b"whatever"),
        ip(132) / SCTP(sport=1000, dport=2000, tag=0) / init,
        ip(47) / GRE(proto=0x0800) / Raw(b"payload"))]


# ---- transitions ----

def end_after(process, word, file, number):
    """Ends one by a signal when it has written a word to its file; returns all that it wrote."""
    wait_for(lambda: word in file.read_text())
    process.send_signal(number)
    _, err = process.communicate(timeout=10)
    assert (process.returncode, err) == (0, "")
    return file.read_text()


def test_events(lab, nflog, daemon, ctl, tmp_path):
    with open(tmp_path / "text", "w") as out:
        text = ctl.popen("events", "--sequence", "-p", "tcp", stdout=out)
    some = ctl.popen("events", "-e", "NEW,destroy", "-j", "-p", "tcp", "--limit", "2")
    with open(tmp_path / "lines", "w") as out:
        lines = ctl.popen("events", "-o", "conntrack", "-p", "tcp", stdout=out)
    wait_for(lambda: ctl.json("status")["clients"] >= 4)
    with Held(lab, nflog):
        ctl.text("delete", "-p", "tcp")
        out, err = some.communicate(timeout=10)
    rows = [json.loads(line) for line in out.splitlines()]
    assert (some.returncode, err) == (0, "")
    assert [r["event"] for r in rows] == ["new", "destroy"]
    assert rows[1]["sequence"] == rows[0]["sequence"] + 1
    assert rows[0]["flow"] == rows[1]["flow"] and rows[1]["reason"] == "deleted"

    out = end_after(text, " destroy ", tmp_path / "text", signal.SIGINT)
    rows = [line.split() for line in out.splitlines()]
    numbers = [int(r[0]) for r in rows]
    assert numbers == list(range(numbers[0], numbers[0] + len(rows)))
    classes = [r[2] for r in rows]
    assert classes[0] == "new" and "assured" in classes and "destroy" in classes
    assert all(re.fullmatch(r"\d\d:\d\d:\d\d\.\d{3}", r[1]) for r in rows)

    out = end_after(lines, "[DESTROY]", tmp_path / "lines", signal.SIGTERM)
    assert out.startswith("    [NEW] tcp      6 120 SYN_SENT src=")
    assert " [UPDATE] tcp      6 " in out and "[DESTROY] tcp      6 " in out


def test_events_end_with_the_daemon(lab, daemon, ctl):
    first = ctl.popen("events")
    second = ctl.popen("events", "--reconnect")
    wait_for(lambda: ctl.json("status")["clients"] >= 3)
    daemon.stop()
    _, err = first.communicate(timeout=10)
    assert first.returncode == 1 and err.startswith("ctmarkctl: the daemon has ")
    second.send_signal(signal.SIGTERM)
    _, err = second.communicate(timeout=10)
    assert second.returncode == 0 and "waiting for it" in err


def test_events_of_the_next_daemon(lab, nflog, daemon, ctl):
    reader = ctl.popen("events", "--reconnect", "-p", "tcp", "-e", "new", "-j", "--limit", "1")
    wait_for(lambda: ctl.json("status")["clients"] >= 2)
    daemon.crash()
    with Daemon(lab.router, f"[Log]\nTarget=console\n[Control]\nSocket={daemon.control}\n"):
        wait_for(lambda: ctl.json("status")["clients"] >= 2)
        with Held(lab, nflog):
            out, err = reader.communicate(timeout=10)
    assert json.loads(out)["event"] == "new"
    assert reader.returncode == 0 and "waiting for it" in err


# ---- the daemon ----

def test_status_and_stats(lab, nflog, daemon, ctl, held):
    status = ctl.json("status")
    assert status["pid"] == daemon.pid
    text = ctl.text("status")
    assert f"pid {daemon.pid}" in text and "alive" in text and "ctinfo into 0xf" in text
    assert "STUCK" not in text
    stats = ctl.json("stats")
    counters = {c["name"]: c["value"] for c in stats["totals"]["counters"]}
    assert counters["packets"] >= 5
    text = ctl.text("stats")
    assert re.search(r"^  packets +\d+$", text, re.M) and "ESTABLISHED_REPLY" in text
    assert "early_drops" not in text and "early_drops" in ctl.text("stats", "--all")
    assert re.search(r"^ +0 +\d+ +\d+ +0 +8192 ", text, re.M)


def test_explain(lab, nflog, daemon, ctl, held):
    flow = ctl.lines("list", "-p", "tcp")[0]["flow"]
    held.traffic.tcp_forged()
    text = ctl.text("explain", flow)
    assert f"Flow {flow} tcp {netns.CLIENT4}:" in text
    assert "ESTABLISHED" in text and "next: seq " in text and "new flow" in text
    assert f"journalctl CTMARK_FLOW={flow}" in text
    text = ctl.text("explain", "-p", "tcp", "--dport", "8082")
    assert "INVALID" in text and re.search(r"tcp-seq-over: begins \d+ beyond ", text)
    held.traffic.udp_closed()
    text = ctl.text("explain", "-p", "udp", "--dport", "9")
    assert "ICMP error about this flow, on its way to the initiator" in text
    assert text.count("new flow") == 1
    parts = ctl.lines("explain", "-p", "tcp")
    assert flow in [p.get("flow", {}).get("flow") for p in parts]


def test_top(lab, nflog, daemon, ctl, held):
    text = ctl.text("top", "-n", "2", "-d", "0.1")
    assert text.count("packets/s") == 2 and "ESTABLISHED" in text and "0 of 8192" in text


def test_expectations(ctl):
    assert ctl.text("expect") == "0 expectations\n"
    assert ctl.text("expect", "-j") == ""
    assert json.loads(ctl.text("expect", "--json=pretty")) == []


def test_configuration(daemon, ctl):
    text = ctl.text("config")
    assert "[Queue]" in text and re.search(r"^MaxFlows=262144 +default$", text, re.M)
    assert "Target=console" in ctl.text("config", "--changed")
    assert "MaxFlows" not in ctl.text("config", "--changed")
    before = daemon.config.read_text()
    assert ctl.text("reload") == "reloaded\n"
    daemon.config.write_text(before + "[Queue]\nRange=0-1\n[Track]\nMaxFlows=1000000\nFoo=1\n")
    text = ctl.text("reload")
    assert "Foo" in text and re.search("^waits for a restart: .*MaxFlows", text, re.M)
    assert "a restart makes it 1000000" in ctl.text("config", "--changed")
    assert "MaxFlows" in ctl.text("status")
    daemon.config.write_text(before + "[Mark]\nMask=nonsense\n[Track]\nMaxFlows=x\n")
    done = ctl("reload")
    assert done.returncode == 6
    assert [re.sub(r"^.*conf:(\d+): .*", r"\1", line) for line in done.stderr.splitlines()[1:]]


def test_log_level(daemon, ctl):
    assert ctl.text("log-level") == "info\n"
    ctl.text("log-level", "debug")
    assert ctl.text("log-level") == "debug\n"
    done = ctl("log-level", "loud")
    assert done.returncode == 2 and "no level 'loud'" in done.stderr


def test_metrics(ctl):
    assert re.search(r"^ctmarkd_flows\S* \d+$", ctl.text("metrics"), re.M)
    assert "text" in ctl.json("metrics")


# ---- who may ----

def test_nobody_may_connect_or_change(daemon, ctl):
    done = ctl.as_other("status", user=NOBODY, group=NOBODY, extra_groups=[])
    assert done.returncode == 4 and done.stderr.count("\n") == 1
    group = daemon.control.stat().st_gid
    daemon.control.parent.chmod(0o755)
    done = ctl.as_other("status", user=NOBODY, group=NOBODY, extra_groups=[])
    assert done.returncode == 4 and f"members of the group {grp.getgrgid(group).gr_name} " in done.stderr
    reader = {"user": NOBODY, "group": group, "extra_groups": []}
    assert ctl.as_other("status", **reader).returncode == 0
    for words in (("flush",), ("delete", "-p", "tcp"), ("reload",), ("log-level", "debug")):
        done = ctl.as_other(*words, **reader)
        assert done.returncode == 4 and "only root" in done.stderr, words
    assert ctl.as_other("log-level", **reader).stdout == "info\n"


def test_a_daemon_that_hangs_is_given_up(daemon, ctl):
    daemon.freeze()
    began = time.monotonic()
    done = ctl("status", timeout=60)
    assert done.returncode == 1 and "does not answer" in done.stderr
    assert time.monotonic() - began < 40
    daemon.kill(signal.SIGCONT)


def test_after_the_daemon(daemon, ctl):
    daemon.stop()
    assert ctl("status").returncode == 3
