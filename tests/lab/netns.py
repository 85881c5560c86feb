# SPDX-License-Identifier: GPL-2.0-or-later
"""
Client - router - server, each in a network namespace of its own, joined by veth pairs.

    client eth0 ---- lan router wan ---- eth0 server

Nothing is created in the namespace of the caller, and everything is gone when the with block is
left, also by Ctrl-C and SIGTERM. Neighbours are static and there is no IPv6 autoconfiguration, so
that only the packets a test sends are on the wire.

Nobody asks for neighbours either, for the sake of all other labs. The kernel sends ICMP by one socket
for each processor, which all namespaces share and which has room for some 170 packets. An error to an
address that nobody has would wait there for three seconds. A flood from made-up addresses makes enough
of them, and then no host of any lab answers a ping. See ask_for_neighbours().
"""

import ctypes
import itertools
import os
import pathlib
import signal
import socket
import subprocess
import threading
import time

CLIENT4, CLIENT6 = "192.0.2.2", "2001:db8:1::2"
SERVER4, SERVER6 = "198.51.100.2", "2001:db8:2::2"
LAN4, LAN6 = "192.0.2.1", "2001:db8:1::1"
WAN4, WAN6 = "198.51.100.1", "2001:db8:2::1"

CLIENT_MAC, LAN_MAC = "02:00:00:00:01:02", "02:00:00:00:01:01"
SERVER_MAC, WAN_MAC = "02:00:00:00:02:02", "02:00:00:00:02:01"

CLONE_NEWNET = 0x40000000

_serial = itertools.count(1)
_libc = ctypes.CDLL(None, use_errno=True)


def sh(*words, check=True, stdin=None, timeout=30):
    """Runs a command and returns its output; raises with the command's own words if it fails."""
    done = subprocess.run(words, input=stdin, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=timeout)
    if check and done.returncode != 0:
        raise RuntimeError(f"{' '.join(words)}: exit {done.returncode}\n{done.stdout.strip()}")
    return done.stdout


class Netns:
    """One network namespace."""

    def __init__(self, name):
        self.name = name
        self.path = f"/run/netns/{name}"
        sh("ip", "netns", "add", name)
        self.ip("link", "set", "lo", "up")

    def wrap(self, *words):
        """The words of a command that runs in here."""
        return ["ip", "netns", "exec", self.name, *words]

    def run(self, *words, **kwargs):
        return sh(*self.wrap(*words), **kwargs)

    def popen(self, *words, **kwargs):
        return subprocess.Popen(self.wrap(*words), **kwargs)

    def ip(self, *words, **kwargs):
        return sh("ip", "-n", self.name, *words, **kwargs)

    def ip_all(self, commands):
        """Many lines of words for ip, by one process: nearly every test builds a network."""
        return self.ip("-batch", "-", stdin="".join(f"{c}\n" for c in commands))

    def wait_carrier(self, timeout=5):
        """Until the kernel has noticed that its cables are plugged in, which can take it a second."""
        end = time.monotonic() + timeout
        while True:
            states = [line.split()[1] for line in self.ip("-br", "link", "show", "type", "veth").splitlines()]
            if set(states) <= {"UP"}:
                return
            if time.monotonic() > end:
                raise RuntimeError(f"no carrier in {self.name}: {states}")
            time.sleep(0.02)

    def ask_for_neighbours(self, interface, times=3):
        """How often, a second apart, before an address is given up. With 0 its packets are dropped at once."""
        self.sysctl(**{f"ipv{v}__neigh__{interface}__mcast_solicit": times for v in (4, 6)})

    def sysctl(self, **settings):
        """Sets net.* keys; '__' stands for a dot."""
        for key, value in settings.items():
            path = f"/proc/sys/net/{key.replace('__', '/')}"
            self.inside(lambda: pathlib.Path(path).write_text(f"{value}\n"))

    def inside(self, function, *args):
        """Calls a function in a thread that lives in here. Sockets made there stay in here."""
        result, error = [], []

        def enter():
            fd = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
            try:
                if _libc.setns(fd, CLONE_NEWNET) < 0:
                    raise OSError(ctypes.get_errno(), f"setns {self.name}")
                result.append(function(*args))
            except BaseException as e:  # handed to the caller below
                error.append(e)
            finally:
                os.close(fd)

        thread = threading.Thread(target=enter)
        thread.start()
        thread.join()
        if error:
            raise error[0]
        return result[0]

    def socket(self, family=socket.AF_INET, kind=socket.SOCK_STREAM, proto=0, timeout=5):
        s = self.inside(socket.socket, family, kind, proto)
        s.settimeout(timeout)
        return s

    def raw(self, interface):
        """A packet socket that sends and receives whole frames."""
        s = self.inside(socket.socket, socket.AF_PACKET, socket.SOCK_RAW)
        s.bind((interface, 0))
        return s

    def close(self):
        """Removes the namespace and ends what still runs in it."""
        for pid in sh("ip", "netns", "pids", self.name, check=False).split():
            try:
                os.kill(int(pid), signal.SIGKILL)
            except (ValueError, ProcessLookupError):
                pass
        sh("ip", "netns", "del", self.name, check=False)


def join(*ends):
    """A cable between two (namespace, interface, MAC address, (IPv4 address, IPv6 address))."""
    (one, name, mac, _), (other, peer_name, peer_mac, _) = ends
    sh("ip", "link", "add", "name", name, "address", mac, "netns", one.name, "type", "veth",
       "peer", "name", peer_name, "address", peer_mac, "netns", other.name)
    for (space, interface, _, own), (_, _, mac, peer) in (ends, ends[::-1]):
        space.ask_for_neighbours(interface, 0)
        commands = [f"link set {interface} addrgenmode none", f"link set {interface} up"]
        for address, peer_address, length in zip(own, peer, (24, 64)):
            commands += [
                f"addr add {address}/{length} dev {interface}{' nodad' * (':' in address)}",
                f"neigh replace {peer_address} lladdr {mac} dev {interface} nud permanent"]
        space.ip_all(commands)


class Lab:
    """The three namespaces: with Lab() as lab: lab.client, lab.router, lab.server."""

    def __init__(self):
        self.name = f"ctlab-{os.getpid()}-{next(_serial)}"
        self.spaces = []
        self.client = self.router = self.server = None
        self._handlers = {}

    def __enter__(self):
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGHUP):
                self._handlers[number] = signal.signal(number, self._on_end)
        try:
            self._build()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *exc):
        self.close()

    @staticmethod
    def _on_end(signum, frame):
        raise SystemExit(128 + signum)

    def _build(self):
        self.client = self._space("client")
        self.router = self._space("router")
        self.server = self._space("server")
        self.router.sysctl(ipv4__ip_forward=1, ipv6__conf__all__forwarding=1)
        self._join(self.client, CLIENT_MAC, (CLIENT4, CLIENT6), "lan", LAN_MAC, (LAN4, LAN6))
        self._join_server()
        for space in self.spaces:
            space.wait_carrier()
        time.sleep(0.1)  # multicast reports of the new interfaces

    def _join_server(self):
        self._join(self.server, SERVER_MAC, (SERVER4, SERVER6), "wan", WAN_MAC, (WAN4, WAN6))

    def _space(self, role):
        space = Netns(f"{self.name}-{role}")
        self.spaces.append(space)
        space.sysctl(ipv6__conf__default__accept_ra=0, ipv6__conf__default__router_solicitations=0,
                     ipv6__conf__default__accept_dad=0,
                     ipv6__conf__default__mldv2_unsolicited_report_interval=1)
        return space

    def _join(self, host, host_mac, host_addrs, port, port_mac, port_addrs, router=None):
        join((host, "eth0", host_mac, host_addrs),
             (router or self.router, port, port_mac, port_addrs))
        host.ip_all(f"route add default via {gateway}" for gateway in port_addrs)

    def close(self):
        if self._handlers:
            self._handlers[signal.SIGINT] = signal.signal(signal.SIGINT, signal.SIG_IGN)
        while self.spaces:
            self.spaces.pop().close()
        while self._handlers:
            signal.signal(*self._handlers.popitem())
