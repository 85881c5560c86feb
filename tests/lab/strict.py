# SPDX-License-Identifier: GPL-2.0-or-later
"""
A router that lets pass only what its tracker vouches for, between hosts with real programs.

    client eth0 ---- lan router wan ---- eth0 hop far ---- eth0 server
                                aside -- slow

The tracker is ctmarkd, in a namespace without any conntrack rule, or the kernel's own conntrack: what
works with the one has to work with the other. What opens connections is chosen by port; of the rest
only ESTABLISHED and RELATED pass. Everything else is logged and dropped, so that a legitimate packet
that was taken for INVALID or for NEW shows twice: in the traffic, and in the log.
"""

import re
import time

from lab import netns, rules
from lab.daemon import Daemon
from lab.netns import Lab, join
from lab.nflog import Nflog

# client, router, hop and server; SERVER4 and WAN4 of netns are the far side of the hop here
HOP4, HOP6 = "203.0.113.2", "2001:db8:3::2"
NEAR4, NEAR6 = "203.0.113.1", "2001:db8:3::1"
SLOW4, SLOW6 = "192.88.99.2", "2001:db8:4::2"
ASIDE4, ASIDE6 = "192.88.99.1", "2001:db8:4::1"
NOWHERE4, NOWHERE6 = "198.51.100.77", "2001:db8:2::77"

# ctmarkd at one hook, ctmarkd with two workers at all hooks, and the kernel's own conntrack
ENGINES = ("ctmarkd", "exit", "kernel")

QUEUES = {"ctmarkd": "--queue-num 0", "exit": "--queue-balance 0:1"}

CHAINS = {"ctmarkd": ("PREROUTING",), "exit": ("PREROUTING", "OUTPUT", "POSTROUTING", "INPUT")}
# Packets of the router itself are known to who looks at OUTPUT.
FILTERED = {"ctmarkd": ("FORWARD", "INPUT"), "exit": ("FORWARD", "INPUT", "OUTPUT"),
            "kernel": ("FORWARD", "INPUT", "OUTPUT")}

CLASSES = ("ESTABLISHED", "ESTABLISHED_REPLY", "RELATED", "RELATED_REPLY")

# What may open a connection. 33434 and up is traceroute.
OPEN = {"tcp": "22,53,80,443,5000:5999", "udp": "53,5000:5999,33434:33534"}
PING = {"iptables": "-p icmp --icmp-type echo-request",
        "ip6tables": "-p ipv6-icmp --icmpv6-type echo-request"}

# Protocol and port of each helper's control connection, and where the kernel has it.
HELPERS = {"ftp": [("tcp", 21, rules.FAMILIES)], "tftp": [("udp", 69, rules.FAMILIES)],
           "irc": [("tcp", 6667, ("iptables",))], "sane": [("tcp", 6566, rules.FAMILIES)],
           "sip": [("udp", 5060, rules.FAMILIES), ("tcp", 5060, rules.FAMILIES)],
           "pptp": [("tcp", 1723, ("iptables",))]}

LOG_GROUP = 9


def match(engine, name):
    """The words of a rule that ask for a class."""
    if engine != "kernel":
        return f"-m mark --mark {rules.CTINFO[name]:#x}/0xf"
    state, _, reply = name.partition("_")
    return f"-m conntrack --ctstate {state} --ctdir {'REPLY' if reply else 'ORIGINAL'}"


class Network(Lab):
    """The four namespaces; errors are not rationed, and nothing is left to chance on the wire."""

    def _build(self):
        super()._build()
        for space in self.spaces:
            space.sysctl(ipv4__icmp_ratelimit=0, ipv6__icmp__ratelimit=0,
                         ipv4__conf__all__rp_filter=0, ipv4__conf__default__rp_filter=0,
                         ipv4__tcp_fastopen=3)

    def _join_server(self):
        self.hop = self._space("hop")
        self.hop.sysctl(ipv4__ip_forward=1, ipv6__conf__all__forwarding=1)
        self._join(self.hop, netns.SERVER_MAC, (HOP4, HOP6), "wan", netns.WAN_MAC, (NEAR4, NEAR6))
        self._join(self.server, "02:00:00:00:03:02", (netns.SERVER4, netns.SERVER6),
                   "far", "02:00:00:00:03:01", (netns.WAN4, netns.WAN6), router=self.hop)
        join((self.hop, "slow", "02:00:00:00:04:02", (SLOW4, SLOW6)),
             (self.router, "aside", "02:00:00:00:04:01", (ASIDE4, ASIDE6)))
        self.hop.sysctl(**{f"ipv{v}__neigh__far__{key}": value for v in (4, 6) for key, value in (
            ("mcast_solicit", 1), ("retrans_time_ms", 50))})
        self._routes()

    def _routes(self):
        for net, gateway, aside in (("198.51.100.0/24", HOP4, ASIDE4),
                                    ("2001:db8:2::/64", HOP6, ASIDE6)):
            family = "-6" if ":" in net else "-4"
            self.router.ip("route", "add", net, "via", gateway)
            self.hop.ip(family, "route", "add", "default", "via", aside, "dev", "slow", "table", "2")
            self.hop.ip(family, "rule", "add", "fwmark", "2", "lookup", "2")


class Strict:
    """with Strict("ctmarkd") as router: the network and its tracker; see begin() and end()."""

    def __init__(self, engine, helpers="", open_ports=None, config=None):
        self.engine, self.helpers, self.open = engine, helpers.split(), open_ports or OPEN
        self.net = Network()
        self.daemon = None
        queues = {"Queue": {"Range": "0-1"}} if engine == "exit" else {}
        track = {"TCPLoose": "no"} | ({"Confirm": "exit"} if engine == "exit" else {})
        if helpers:
            track["Helpers"] = helpers  # each at its usual port
        self.config = {"Track": track, "Verdict": {"Invalid": "drop"},
                       "Log": {"Events": "new related invalid", "RateLimit": "0"}} | queues | (config or {})
        self._closers = []

    # --- set-up ---------------------------------------------------------------

    def __enter__(self):
        try:
            self._enter(self.net)
            self.client, self.router = self.net.client, self.net.router
            self.hop, self.server = self.net.hop, self.net.server
            self.refused = self._enter(Nflog(self.router, group=LOG_GROUP, rules=""))
            if self.engine == "kernel":
                self.router.sysctl(netfilter__nf_conntrack_tcp_loose=0)
            else:
                self.daemon = self._enter(Daemon(self.router, self.config))
            for command in rules.FAMILIES:
                self.router.run(f"{command}-restore", "-w", stdin=self._rules(command))
            self.begin()
        except BaseException as failure:
            self.__exit__(type(failure), failure, None)
            raise
        return self

    def _enter(self, thing):
        entered = thing.__enter__()
        self._closers.append(thing)
        return entered

    def __exit__(self, *exc):
        while self._closers:
            self._closers.pop().__exit__(*exc)
        if self.daemon and not any(exc):
            assert self.daemon.status == 0, "\n".join(self.daemon.lines[-20:])

    def _rules(self, command):
        """Everything of one family, as a file of iptables-restore."""
        lines = ["*raw"] + self._helper_rules(command) + ["COMMIT", "*mangle"]
        lines += [f"-A {chain} -j NFQUEUE {QUEUES[self.engine]}" for chain in CHAINS.get(self.engine, ())]
        lines += ["COMMIT", "*filter", ":FORWARD DROP", ":STRICT -", ":LATER -"]
        if command == "ip6tables":
            lines += ["-A LATER -m frag --fragfirst -j RETURN", "-A LATER -j ACCEPT"]
        lines += [f"-A {chain} -j STRICT" for chain in FILTERED[self.engine]]
        lines += [f"-A STRICT {rule}" for rule in self._strict(command)]
        return "\n".join(lines + ["COMMIT", ""])

    def _strict(self, command):
        for name in CLASSES:
            yield f"{match(self.engine, name)} -m comment --comment {name} -j ACCEPT"
        doors = [f"-p {proto} -m multiport --dports {ports}" for proto, ports in self.open.items()]
        for what in (*doors, PING[command]):
            yield f"{what} {match(self.engine, 'NEW')} -m comment --comment NEW -j ACCEPT"
        if self.engine != "kernel":
            yield from self._later_fragments(command)
        if command == "ip6tables":  # neighbours and multicast groups
            yield f"-p ipv6-icmp {match(self.engine, 'UNTRACKED')} -j ACCEPT"
        yield f"-j NFLOG --nflog-group {LOG_GROUP}"
        yield "-j DROP"

    def _later_fragments(self, command):
        """
        Of a first packet only the first fragment has ports; the others have its class, and are of
        no use without it. The kernel's conntrack shows the rules nothing but whole packets.
        """
        new = match(self.engine, "NEW")
        if command == "iptables":
            yield f"-f {new} -j ACCEPT"
        else:
            yield f"-m frag {new} -j LATER"

    def _helper_rules(self, command):
        """What Helpers= is to the kernel."""
        if self.engine != "kernel":
            return []
        return [f"-A PREROUTING -p {proto} --dport {port} -j CT --helper {name}"
                for name in self.helpers for proto, port, families in HELPERS[name]
                if command in families]

    # --- what happened --------------------------------------------------------

    def begin(self):
        """From here on counts()."""
        self.refused.seen.clear()
        self._line = len(self.daemon.lines) if self.daemon else 0
        self._before = self._counters()

    def _counters(self):
        found = {}
        for command in rules.FAMILIES:
            text = self.router.run(f"{command}-save", "-c", "-t", "filter")
            for packets, name in re.findall(r"^\[(\d+):.*-A STRICT.*--comment (\w+)", text, re.M):
                found[name] = found.get(name, 0) + int(packets)
        return found

    def counts(self):
        """{class: packets accepted since begin()}, both families together."""
        return {name: n - self._before[name] for name, n in self._counters().items()}

    def invalid(self):
        """What ctmarkd took for INVALID since begin()."""
        return self.daemon.events(since=self._line, event="invalid") if self.daemon else []

    def trouble(self):
        """Lines that say what was refused since begin(), and why."""
        said = [f"INVALID: {event}" for event in self.invalid()]
        said += [f"dropped by rules, mark {p.mark:#x}: {p.packet}" for p in list(self.refused.seen)]
        return said

    def end(self):
        """Nothing legitimate was refused since begin(), nor will be by what is still on its way."""
        time.sleep(0.02)
        said = self.trouble()
        assert not said, f"{len(said)} packets were refused:\n" + "\n".join(said[:20])
        if self.daemon:
            assert self.router.inside(_kernel_entries) == 0, "the kernel's conntrack is at work"


def _kernel_entries():
    with open("/proc/sys/net/netfilter/nf_conntrack_count", encoding="ascii") as file:
        return int(file.read())
