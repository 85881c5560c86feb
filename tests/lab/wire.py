# SPDX-License-Identifier: GPL-2.0-or-later
"""
Where packets are judged by the kernel's own conntrack and by ctmarkd at once.

The hosts are one namespace without any address: frames are injected by packet sockets, and no TCP
stack answers them. The router asks its own conntrack about every packet by one MARK rule per class,
hands the packet to ctmarkd, and logs it behind both.
"""

import os

from lab.netns import Netns, sh

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


class Wire:
    """hosts (client, server) ==== (lan, wan) router"""

    def __init__(self, name="ctflow"):
        self.name = f"{name}-{os.getpid()}"
        self.hosts = self.router = None

    def __enter__(self):
        try:
            self.hosts = Netns(f"{self.name}-hosts")
            self.router = Netns(f"{self.name}-router")
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
            space.ask_for_neighbours(interface, 0)
            space.ip("link", "set", interface, "addrgenmode", "none")
            space.ip("link", "set", interface, "up")
        for own, peer, nets in ((f"10.0.{number}.1/24", f"10.0.{number}.2", nets4),
                                (f"fd00:0:{number}::1/64", f"fd00:0:{number}::2", nets6)):
            self.router.ip("addr", "add", own, "dev", port, *(("nodad",) if ":" in own else ()))
            self.router.ip("neigh", "replace", peer, "lladdr", macs[1], "dev", port, "nud", "permanent")
            for net in nets:
                self.router.ip("route", "add", net, "via", peer, "dev", port)

    def helpers(self, rules):
        """The kernel's helpers: lines of a family (4 or 6) and a rule of the table raw, in place of those before."""
        for family, command in (("4", "iptables"), ("6", "ip6tables")):
            own = (rule[2:] for rule in rules if rule.startswith(family))
            self.router.run(f"{command}-restore", "-w", stdin="*raw\n" + "".join(
                f"-A PREROUTING {rule}\n" for rule in own) + "COMMIT\n")

    def oracle(self, queue=True, leaving=False):
        """
        The rules of mangle, in place of those before; the queue is the last of them in PREROUTING,
        and with leaving in POSTROUTING, too.
        """
        for command in ("iptables", "ip6tables"):
            rules = ["-j MARK --set-mark 0"]
            rules += [f"-m conntrack {condition} -j MARK --or-mark {bit:#x}"
                      for condition, bit in ORACLE.items()]
            rules += ["-j NFQUEUE --queue-num 0"] * queue
            self.router.run(f"{command}-restore", "-w", stdin="*mangle\n" + "".join(
                f"-A PREROUTING {rule}\n" for rule in rules) +
                "-A POSTROUTING -j NFQUEUE --queue-num 0\n" * leaving + "COMMIT\n")
