# SPDX-License-Identifier: GPL-2.0-or-later
"""
Shows ctmarkd at work: real traffic through a router whose only tracker is ctmarkd.

What is shown is checked, packet by packet and sum by sum; the demonstration fails if one of its
claims is not so.
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import textwrap
import time

from lab import netns, rules
from lab.ctmarkctl import Ctl
from lab.daemon import TOP, Daemon, binary
from lab.journald import Journald
from lab.nflog import Nflog
from lab.traffic import Traffic

WIDTH = 100
COLOURS = {"NEW": "33", "ESTABLISHED": "32", "ESTABLISHED_REPLY": "32", "RELATED": "36",
           "RELATED_REPLY": "36", "INVALID": "1;31", "UNTRACKED": "2", "head": "1", "dim": "2",
           "good": "1;32", "bad": "1;31"}
HOSTS = {netns.CLIENT4: "client", netns.CLIENT6: "client", netns.SERVER4: "server",
         netns.SERVER6: "server", netns.LAN4: "router", netns.LAN6: "router",
         netns.WAN4: "router", netns.WAN6: "router"}
CATALOG = TOP / "systemd" / "ctmarkd.catalog"
CONFIG = {"Log": {"Target": "journal"}, "Timeouts": {"ICMP": "1s", "ICMPv6": "1s"}}
STATES = ["SYN_RECV", "ESTABLISHED", "FIN_WAIT", "CLOSE_WAIT", "LAST_ACK", "TIME_WAIT"]


class Failed(Exception):
    """Something that the demonstration claims is not so."""


def paint(kind, text):
    if not sys.stdout.isatty() or "NO_COLOR" in os.environ:
        return text
    return f"\033[{COLOURS[kind]}m{text}\033[0m"


def head(text):
    print(f"\n{paint('head', text)}")


def claim(true, text):
    if not true:
        raise Failed(text)


# --- what a packet must be -------------------------------------------------------


def flowless(packet):
    """The class of a packet that belongs to no flow, None if it belongs to one."""
    if packet.proto == 58 and 133 <= packet.icmp_type <= 136:
        return "UNTRACKED"
    return "INVALID" if packet.data == b"forged" else None


def expected(first, packet):
    """The class of a packet in the conversation that first opened, told by eye."""
    if flowless(packet):
        return flowless(packet)
    if packet is first:
        return "NEW"
    name = "RELATED" if packet.is_error else "ESTABLISHED"
    return name if packet.src == first.src else f"{name}_REPLY"


class Show:
    """The packets so far, printed and checked as they come."""

    def __init__(self, log):
        self.log = log
        self.start = time.monotonic()
        self.shown = 0
        self.wrong = []

    def conversation(self, family, talk, least):
        print(f"\n  {paint('head', talk.__doc__)}  {paint('dim', family)}")
        talk()
        self.log.settle(0.15)
        packets = self.log.seen[self.shown:]
        first = next((p.packet for p in packets if not flowless(p.packet)), None)
        for logged in packets:
            self.packet(first, logged)
        claim(len(packets) >= least,
              f"{talk.__doc__}: {least} packets or more should pass, {len(packets)} did")

    def packet(self, first, logged):
        self.shown += 1
        p = logged.packet
        name = rules.name_of(logged.mark)
        want = expected(first, p)
        way = f"{HOSTS.get(p.src, p.src)} > {HOSTS.get(p.dst, p.dst[:7])}"
        note = "" if name == want else paint("bad", f"  must be {want}")
        ctinfo = paint(name or "bad", f"{name or 'no mark':18}")
        print(f"  {self.shown:3}  {logged.time - self.start:6.3f} s  {way:16}  {p.summary():30}  "
              f"{ctinfo} {logged.mark:#5x}{note}")
        if note:
            self.wrong.append(self.shown)


def conversations(traffic):
    """What to show over one family, each with the fewest packets that it can be."""
    yield traffic.tcp_connection, 9
    yield traffic.tcp_refused, 2
    yield traffic.tcp_forged, 7
    yield traffic.udp_query, 2
    yield traffic.udp_closed, 2
    yield traffic.udp_late, 3
    yield traffic.ping, 2
    if traffic.family == "IPv6":
        yield traffic.neighbour, 4


# --- the four parts -------------------------------------------------------------


def show_packets(lab, log):
    head("Every packet of the router, with the mark that ctmarkd gave it")
    print(paint("dim", f"  {'no.':>3}  {'time':>8}  {'direction':16}  {'packet':30}  "
                       f"{'ctinfo':18} {'mark':>5}"))
    show = Show(log)
    for six in (False, True):
        traffic = Traffic(lab, log, six)
        for talk, least in conversations(traffic):
            show.conversation(traffic.family, talk, least)
    claim(not show.wrong, f"packets {show.wrong} do not carry the mark of their class")
    return show.shown


def show_rules(lab, log):
    head("What iptables -m mark counted behind it, in FORWARD, INPUT and OUTPUT of the filter table")
    print(paint("dim", f"  {'rule':28}  {'class':18}  {'iptables':>8}  {'ip6tables':>9}"))
    total = 0
    hits = [rules.hits(lab.router, command) for command in rules.FAMILIES]
    for name, value in rules.CTINFO.items():
        four, six = (h[value] for h in hits)
        print(f"  {f'-m mark --mark {value:#x}/0xf':28}  {paint(name, f'{name:18}')}  "
              f"{four:8}  {six:9}")
        seen = sum(p.mark == value for p in log.seen)
        claim(four + six == seen, f"{name}: the rules count {four + six} packets, {seen} passed")
        claim(seen, f"no packet of class {name} passed")
        total += seen
    print(f"  {'':28}  {'sum':18}  {sum(hits[0].values()):8}  {sum(hits[1].values()):9}")
    claim(total == len(log.seen), f"{len(log.seen)} packets passed, the rules count {total}")
    tracked = lab.router.inside(kernel_entries)
    print(f"  connections in the router's own table (kernel conntrack): {tracked}")
    claim(tracked == 0, "the kernel's conntrack is at work in the router")


def kernel_entries():
    file = pathlib.Path("/proc/sys/net/netfilter/nf_conntrack_count")
    return int(file.read_text()) if file.exists() else 0


def wrapped(text):
    for line in text.splitlines():
        print("\n".join(textwrap.wrap(line, WIDTH, initial_indent="  ", subsequent_indent="      ",
                                      break_on_hyphens=False)) or "")


def show_journal(journal):
    flow = journal.records(CTMARK_EVENT="new", CTMARK_DPORT="8080")[0]["CTMARK_FLOW"]
    for least, match in ((9, f"CTMARK_FLOW={flow}"), (2, "CTMARK_EVENT=invalid"),
                         (4, "CTMARK_EVENT=related"), (2, "CTMARK_EVENT=destroy")):
        head(f"$ journalctl -o cat {match}")
        text = journal.journalctl("-o", "cat", match)
        wrapped(text)
        claim(len(text.splitlines()) >= least, f"journalctl {match}: {least} records expected")
    states = [r["CTMARK_STATE_NEW"] for r in journal.records(CTMARK_EVENT="state",
                                                              CTMARK_FLOW=flow)]
    claim(states == STATES, f"the connection went through {', '.join(states)}")
    head("$ journalctl -x -n 1 CTMARK_EVENT=invalid")
    explained = journal.journalctl("-x", "--no-hostname", "-n", "1", "CTMARK_EVENT=invalid")
    wrapped(explained)
    claim("Subject:" in explained, "the catalog explains the record")


def ask(daemon, *words):
    """What ctmarkctl shows on a terminal, in colour if this is one."""
    head(f"$ ctmarkctl {' '.join(words)}")
    env = {"TZ": os.environ.get("TZ", ":/etc/localtime")}
    if not sys.stdout.isatty():
        env["NO_COLOR"] = "1"
    code, text = Ctl(daemon.control).terminal(*words, "--no-pager", columns=WIDTH - 2, env=env)
    lines = text.splitlines()
    print("\n".join(f"  {line}".rstrip() for line in lines))
    claim(code == 0, f"ctmarkctl {words[0]} succeeds")
    return re.sub(r"\033\[[0-9;]*m", "", text)


def show_answers(daemon, count):
    status = ask(daemon, "status")
    claim(re.search(rf"^0 .* {count} +0 +0 +alive", status, re.M),
          f"queue 0 received {count} packets, and none was lost")
    forged = ("-p", "tcp", "-s", netns.CLIENT4, "--dport", "8082")
    claim("TIME_WAIT" in ask(daemon, "list", *forged), "the connection is in the table")
    told = ask(daemon, "explain", *forged)
    claim("tcp-seq-over" in told, "the forged segment is explained")


def live():
    with netns.Lab() as lab, Nflog(lab.router) as log, Journald([CATALOG]) as journal:
        rules.queue(lab.router, chains=("PREROUTING", "OUTPUT"))
        rules.count_marks(lab.router, rules.CTINFO.values(), 0xf,
                          ("FORWARD", "INPUT", "OUTPUT"))
        with Daemon(lab.router, CONFIG, prefix=journal.enter()) as daemon:
            head("client ── router ── server: three network namespaces, ctmarkd on the router")
            for command in rules.FAMILIES:
                for chain in ("PREROUTING", "OUTPUT"):
                    print(f"  {command:9} -t mangle -A {chain:10} -j NFQUEUE --queue-num 0")
            count = show_packets(lab, log)
            show_rules(lab, log)
            time.sleep(1.5)
            show_journal(journal)
            show_answers(daemon, count)
    print(f"\n{paint('good', 'All as it should be')}: {count} packets, each with the mark of its "
          "class; rules, journal and ctmarkctl agree.")


# --- without root ----------------------------------------------------------------

WITHOUT_ROOT = """\
Only root can make network namespaces, queue packets and load rules. So this cannot show: real packets,
what iptables -m mark counts, and the journal. For that: sudo ./bootstrap demo

What it can show is the engine of ctmarkd on packets that were captured: ctmark-replay."""
# what a capture is about, how it is shown, and what has to be said of it: ctinfo, reasons, ends of flows
CAPTURES = (
    ("A connection, into which somebody sends two segments that do not belong to it", ["out-of-window.pcap"],
     {"NEW", "ESTABLISHED", "ESTABLISHED_REPLY", "INVALID", "tcp-seq-over", "tcp-ack-over"}),
    ("A port where nobody listens, tried twice from the same port", ["refused.pcap"], {"tcp-rst"}),
    ("Errors about datagrams, and one about something that nobody has sent", ["icmp-error.pcap"],
     {"RELATED_REPLY", "icmp-no-flow"}),
    ("FTP: a helper reads where data will be sent", ["--helpers", "ftp", "--flow", "2,4", "ftp.pcap"],
     {"RELATED"}),
    ("An association of SCTP, and a packet with the tag of none", ["sctp.pcap"], {"sctp-vtag"}),
    ("Flows instead of packets", ["--summary", "refused.pcap", "out-of-window.pcap", "icmp-error.pcap"], set()),
    ("Why is packet 8 of the first one INVALID?", ["--explain", "8", "out-of-window.pcap"], {"tcp-seq-over"}),
)


def said_of(replay, arguments):
    """Every class, reason and helper in what is said of a capture."""
    done = subprocess.run([replay, "-j", *arguments], cwd=TOP / "examples" / "captures", text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    claim(done.returncode == 0, f"ctmark-replay cannot read {arguments[-1]}")
    objects = [json.loads(line) for line in done.stdout.splitlines()]
    return {o[key] for o in objects for key in ("ctinfo", "reason", "helper")
            if isinstance(o.get(key), str)}


def offline():
    print(WITHOUT_ROOT)
    replay = pathlib.Path(binary()).parent / "ctmark-replay"
    for title, arguments, expected in CAPTURES:
        head(textwrap.fill(title, WIDTH))
        print(paint("dim", f"$ ctmark-replay {' '.join(arguments)}"), flush=True)
        subprocess.run([replay, *arguments], cwd=TOP / "examples" / "captures", stderr=subprocess.DEVNULL)
        missing = expected - said_of(replay, arguments)
        claim(not missing, f"nothing is said of {', '.join(sorted(missing))}")
    print(f"\n{paint('good', 'All as it should be')}: each class and reason is where it belongs.")


def main():
    try:
        if os.geteuid() == 0:
            live()
        else:
            offline()
    except Failed as e:
        print(f"\n{paint('bad', 'NOT as it should be')}: {e}")
        return 1
    except (RuntimeError, OSError) as e:
        print(f"\n{paint('bad', 'This machine does not let it happen')}: {e}")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
