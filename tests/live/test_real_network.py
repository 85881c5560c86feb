# SPDX-License-Identifier: GPL-2.0-or-later
"""What real networks do to real hosts, through a router that refuses everything doubtful."""

import concurrent.futures
import contextlib
import errno
import json
import re
import socket
import struct

import pytest

from lab import frames, netns
from lab.rules import rule
from lab.services import Iperf, poll
from lab.strict import HOP4, HOP6, NOWHERE4, NOWHERE6

SIX = pytest.mark.parametrize("six", [False, True], ids=["ipv4", "ipv6"])

MSG_FASTOPEN = 0x20000000
IP_RECVERR, IPV6_RECVERR = 11, 25


def host(six):
    return netns.SERVER6 if six else netns.SERVER4


def family(six):
    return socket.AF_INET6 if six else socket.AF_INET


@contextlib.contextmanager
def setting(space, **keys):
    """A sysctl for as long as the block lasts."""
    old = {key: space.run("cat", f"/proc/sys/net/{key.replace('__', '/')}").strip() for key in keys}
    space.sysctl(**keys)
    try:
        yield
    finally:
        space.sysctl(**old)


class Tcp:
    """One connection between client and server, or the other way round."""

    def __init__(self, strict, six, port=5000, swapped=False, source=0, prepare=None):
        ends = [(strict.client, netns.CLIENT6 if six else netns.CLIENT4), (strict.server, host(six))]
        (self.here, _), (self.there, self.peer) = ends[::-1] if swapped else ends
        self.listener = self.there.socket(family(six))
        self.client = self.here.socket(family(six))
        self.server = None
        try:
            self._connect(port, source, prepare)
        except BaseException:  # the port is wanted again
            self.__exit__()
            raise

    def _connect(self, port, source, prepare):
        for s in (self.listener, self.client):
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if prepare:
            prepare(self.listener, self.client)
        self.listener.bind((self.peer, port))
        self.listener.listen()
        if source:
            self.client.bind(("", source))
        self.client.connect((self.peer, port))
        self.server = self.listener.accept()[0]
        self.server.settimeout(5)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        for s in (self.client, self.server, self.listener):
            if s:
                s.close()

    def say(self, text=b"hello"):
        """A question and its answer."""
        self.client.sendall(text)
        assert receive(self.server, len(text)) == text
        self.server.sendall(text)
        assert receive(self.client, len(text)) == text


def receive(s, count):
    data = b""
    while len(data) < count and (part := s.recv(count - len(data))):
        data += part
    return data


def fill(s):
    """Sends as much as the socket takes now, and returns how much that is."""
    s.setblocking(False)
    sent = 0
    with contextlib.suppress(BlockingIOError):
        while True:
            sent += s.send(b"w" * 65536)
    return sent


def info(s):
    """(state, backoff of timers) of struct tcp_info."""
    data = s.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 8)
    return data[0], data[4]


# --- the router can refuse -----------------------------------------------------------------


@SIX
def test_the_router_refuses_what_nobody_vouches_for(strict, six):
    """A closed port, and a damaged segment in an open connection: both are told by trouble()."""
    with strict.client.socket(family(six), timeout=0.05) as client:
        with pytest.raises(TimeoutError):
            client.connect((host(six), 6000))
    poll(strict.trouble)
    assert [p.packet.dport for p in strict.refused.seen] == [6000]
    with Tcp(strict, six) as tcp:
        tcp.say()
        source, target = (s.getsockname()[:2] for s in (tcp.client, tcp.server))
        with strict.client.raw("eth0") as wire:
            wire.send(frames.ethernet(frames.tcp(source[0], target[0], source[1], target[1],
                                                 frames.SYN | frames.FIN)))
        poll(lambda: len(strict.trouble()) >= 2)
        tcp.say()
    assert strict.engine == "kernel" or len(strict.invalid()) == 1
    strict.begin()


# --- streams -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def iperf(strict_network):
    with Iperf(strict_network.server) as server:
        yield server


def measure(strict, six, *words):
    """The end of iperf3's report. A server that has not noticed the end of the last test is busy."""
    def report():
        said = json.loads(strict.client.run("iperf3", "--json", "-c", host(six), *words, check=False))
        return None if "busy" in said.get("error", "") else said

    said = poll(report)
    assert "error" not in said, said["error"]
    return said["end"]


@contextlib.contextmanager
def small_segments(strict):
    """Hosts send packets of one MTU, so that one rule hits one packet."""
    for space in (strict.client, strict.server):
        space.ip("link", "set", "eth0", "gso_max_segs", "1")
    try:
        yield
    finally:
        for space in (strict.client, strict.server):
            space.ip("link", "set", "eth0", "gso_max_segs", "65535")


def lose(strict, six, table, chain, share="0.01"):
    return rule(strict.router, six, table, chain, "-m", "statistic", "--mode", "random",
                "--probability", share, "-j", "DROP")


@SIX
def test_bulk(strict, iperf, six):
    end = measure(strict, six, "--bytes", "48M", "--bidir")
    assert end["sum_received"]["bytes"] + end["sum_received_bidir_reverse"]["bytes"] > 24 << 20


@SIX
@pytest.mark.parametrize("where", [("raw", "PREROUTING"), ("mangle", "FORWARD")],
                         ids=["before", "behind"])
def test_loss_in_tcp(strict, iperf, six, where):
    """Losses that the tracker knows nothing of: before it has seen the packet, and behind it."""
    with small_segments(strict), lose(strict, six, *where):
        for direction in ([], ["--reverse"]):
            end = measure(strict, six, "--bytes", "2M", *direction)
            assert end["sum_sent"]["retransmits"] > 0


def unread_datagrams(strict, six):
    """Lost at the server, whose iperf3 is slow to read on a busy machine."""
    name = "Udp6RcvbufErrors" if six else "UdpRcvbufErrors"
    return int(strict.server.run("nstat", "-asz", name).split()[-2])


@SIX
def test_loss_in_udp(strict, iperf, six):
    """Not of iperf's own greeting, which it does not repeat."""
    with rule(strict.router, six, "mangle", "FORWARD", "-p", "udp", "-m", "length", "--length",
              "1000:", "-m", "statistic", "--mode", "random", "--probability", "0.05", "-j", "DROP"):
        before = unread_datagrams(strict, six)
        end = measure(strict, six, "--udp", "--bytes", "2M", "--bitrate", "80M", "--length", "1200")
    assert 0 < end["sum"]["lost_packets"] - (unread_datagrams(strict, six) - before) < 500


def slow_packets(strict):
    link, = json.loads(strict.hop.ip("-j", "-s", "link", "show", "slow"))
    return link["stats64"]["tx"]["packets"]


@SIX
@pytest.mark.parametrize("reverse", [[], ["--reverse"]], ids=["acknowledgements", "data"])
def test_reordering(strict, iperf, six, reverse):
    """A fifth of what comes from the server takes a second, slower cable to the router."""
    before = slow_packets(strict)
    strict.hop.run("tc", "qdisc", "replace", "dev", "slow", "root", "tbf", "rate", "100mbit",
                   "burst", "1600", "limit", "30000")
    with small_segments(strict), rule(
            strict.hop, six, "mangle", "PREROUTING", "-i", "far", "-m", "statistic", "--mode", "random",
            "--probability", "0.2", "-j", "MARK", "--set-mark", "2"):
        end = measure(strict, six, "--bytes", "8M", *reverse)
    assert slow_packets(strict) - before > 50
    if reverse:
        seen = strict.client.run("nstat", "-asz", "TcpExtTCPOFOQueue")
        assert int(re.search(r"TCPOFOQueue +(\d+)", seen)[1]) > 20, "segments came in order"


# --- ping and traceroute -------------------------------------------------------------------


@SIX
def test_ping(strict, six):
    for size in ("56", "1400"):
        ping(strict, host(six), size)
    counts = strict.counts()
    new = counts.pop("NEW")  # and so are those that leave before the first answer has come
    assert 2 <= new < 10
    assert counts == {"ESTABLISHED": 10 - new, "ESTABLISHED_REPLY": 10, "RELATED": 0, "RELATED_REPLY": 0}


def ping(strict, target, size="56"):
    out = strict.client.run("ping", "-n", "-c5", "-i0.01", "-W5", "-s", size, target)
    assert " 5 received" in out


@SIX
def test_ping_the_router(strict, six):
    """Its answers are seen where OUTPUT is queued; else each request is the first one again."""
    ping(strict, netns.LAN6 if six else netns.LAN4)
    new = strict.counts()["NEW"]
    assert new == 5 if strict.engine == "ctmarkd" else 1 <= new < 5


# Words of traceroute, by what is sent: UDP to a port of its own for each probe, to one port, ...
PROBES = {"ports": [], "udp": ["--udp", "--port=53"], "icmp": ["--icmp"], "tcp": ["--tcp", "--port=80"]}


@SIX
@pytest.mark.parametrize("probes", PROBES)
def test_traceroute(strict, six, probes):
    # a burst of queries in one flow: see "Two first packets" in doc/conformance.md
    single = ["--sim-queries=1"] if probes == "icmp" and strict.engine == "exit" else []
    out = strict.client.run("traceroute", "-n", "-q2", "-w5", "-m5", *PROBES[probes], *single,
                            host(six))
    hops = re.findall(r"^ *\d+ +(\S+)", out, re.M)
    assert hops == [netns.LAN6 if six else netns.LAN4, HOP6 if six else HOP4, host(six)], out
    assert "*" not in out
    counts = strict.counts()
    assert counts["RELATED_REPLY"] >= 2
    assert counts["RELATED"] == 0


# --- fragments -----------------------------------------------------------------------------


@SIX
def test_large_datagrams(strict, six):
    """Datagrams of up to 45 fragments, and answers as large."""
    with strict.server.socket(family(six), socket.SOCK_DGRAM) as server, \
            strict.client.socket(family(six), socket.SOCK_DGRAM) as client:
        server.bind((host(six), 5300))
        client.connect((host(six), 5300))
        for size in (1473, 3000, 9000, 65507 - 20 * six):
            text = bytes(i & 255 for i in range(size))
            client.send(text)
            data, peer = server.recvfrom(65536)
            assert data == text
            server.sendto(data, peer)
            assert client.recv(65536) == text
    counts = strict.counts()
    assert counts["RELATED"] == counts["RELATED_REPLY"] == 0
    assert counts["ESTABLISHED_REPLY"] >= 4


@SIX
def test_large_pings(strict, six):
    for size in ("1473", "5000", "60000"):
        ping(strict, host(six), size)


# --- errors --------------------------------------------------------------------------------


def outcome(strict, address, port, six, kind=socket.SOCK_STREAM):
    """What a program is told that sends to a port."""
    with strict.client.socket(family(six), kind) as client:
        if kind == socket.SOCK_STREAM:
            return errno.errorcode[client.connect_ex((address, port))]
        client.setsockopt(*((socket.IPPROTO_IPV6, IPV6_RECVERR) if six else
                            (socket.IPPROTO_IP, IP_RECVERR)), 1)
        client.connect((address, port))
        client.send(b"anybody there?")
        with pytest.raises(OSError) as caught:
            client.recv(100)
        return errno.errorcode.get(caught.value.errno, caught.value)


@SIX
def test_nobody_listens(strict, six):
    """Refused by the server's own words: a reset, an ICMP error."""
    assert outcome(strict, host(six), 5999, six) == "ECONNREFUSED"
    assert outcome(strict, host(six), 5999, six, socket.SOCK_DGRAM) == "ECONNREFUSED"
    assert strict.counts() == {"NEW": 2, "ESTABLISHED": 0, "ESTABLISHED_REPLY": 1, "RELATED": 0,
                               "RELATED_REPLY": 1}


@SIX
def test_host_behind_the_router_is_not_there(strict, six):
    """The hop looks for a neighbour for 50 ms, and gives up."""
    nowhere = NOWHERE6 if six else NOWHERE4
    assert outcome(strict, nowhere, 80, six) == "EHOSTUNREACH"
    assert outcome(strict, nowhere, 53, six, socket.SOCK_DGRAM) == "EHOSTUNREACH"
    assert strict.counts()["RELATED_REPLY"] >= 2


REJECTS = {"icmp-host-unreachable": "EHOSTUNREACH", "icmp-net-prohibited": "ENETUNREACH",
           "icmp-port-unreachable": "ECONNREFUSED", "icmp-admin-prohibited": "EHOSTUNREACH",
           "icmp6-addr-unreachable": "EHOSTUNREACH", "icmp6-no-route": "ENETUNREACH",
           "icmp6-port-unreachable": "ECONNREFUSED", "icmp6-adm-prohibited": "EACCES"}


@SIX
def test_another_firewall_rejects(strict, six):
    """REJECT on the hop behind the router, in all its forms."""
    kinds = {kind: error for kind, error in REJECTS.items() if kind.startswith("icmp6") == six}
    for kind, error in kinds.items():
        with rule(strict.hop, six, "filter", "FORWARD", "-i", "eth0", "-j", "REJECT", "--reject-with", kind):
            assert outcome(strict, host(six), 5998, six, socket.SOCK_DGRAM) == error
    assert strict.counts()["RELATED_REPLY"] == len(kinds)
    with rule(strict.hop, six, "filter", "FORWARD", "-p", "tcp", "-i", "eth0", "-j", "REJECT",
              "--reject-with", "tcp-reset"):
        assert outcome(strict, host(six), 5998, six) == "ECONNREFUSED"
    assert strict.counts()["ESTABLISHED_REPLY"] == 1


@SIX
def test_the_router_rejects(strict, six):
    with rule(strict.router, six, "filter", "FORWARD", "-p", "tcp", "--dport", "5997", "-j", "REJECT",
              "--reject-with", "tcp-reset"):
        assert outcome(strict, host(six), 5997, six) == "ECONNREFUSED"
    with rule(strict.router, six, "filter", "FORWARD", "-p", "udp", "--dport", "5997", "-j", "REJECT"):
        assert outcome(strict, host(six), 5997, six, socket.SOCK_DGRAM) == "ECONNREFUSED"


# --- path MTU ------------------------------------------------------------------------------


@contextlib.contextmanager
def narrow(strict, six):
    """The last cable takes 1300 bytes, and the server hides it behind the usual segment size."""
    strict.server.ip("link", "set", "eth0", "mtu", "1300")
    strict.hop.ip("link", "set", "far", "mtu", "1300")
    gateway = netns.WAN6 if six else netns.WAN4
    version = "-6" if six else "-4"
    strict.server.ip(version, "route", "replace", "default", "via", gateway, "advmss", "1440")
    try:
        yield
    finally:
        strict.server.ip(version, "route", "replace", "default", "via", gateway)
        strict.hop.ip("link", "set", "far", "mtu", "1500")
        strict.server.ip("link", "set", "eth0", "mtu", "1500")
        strict.client.ip(version, "route", "flush", "cache")


def pour(source, sink, count=400000):
    """Sends count bytes through a connection and reads them."""
    sink.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2 * count)
    source.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2 * count)
    source.sendall(b"m" * count)
    assert receive(sink, count) == b"m" * count


@SIX
@pytest.mark.parametrize("swapped", [False, True], ids=["upload", "download"])
def test_path_mtu_discovery(strict, six, swapped):
    """What the client sends is too big for the last cable: the hop says so, and it gets through."""
    with narrow(strict, six), Tcp(strict, six, swapped=swapped) as tcp:
        pour(*((tcp.server, tcp.client) if swapped else (tcp.client, tcp.server)))
    counts = strict.counts()
    assert counts["RELATED" if swapped else "RELATED_REPLY"] >= 1
    assert counts["RELATED_REPLY" if swapped else "RELATED"] == 0


# --- corners of TCP ------------------------------------------------------------------------


@SIX
@pytest.mark.parametrize("options", [
    {"ipv4__tcp_timestamps": 0}, {"ipv4__tcp_sack": 0}, {"ipv4__tcp_window_scaling": 0},
    {"ipv4__tcp_ecn": 1}, {"ipv4__tcp_timestamps": 0, "ipv4__tcp_sack": 0,
                           "ipv4__tcp_window_scaling": 0}],
    ids=["no-timestamps", "no-sack", "no-scaling", "ecn", "bare"])
def test_tcp_options(strict, six, options):
    with setting(strict.client, **options), small_segments(strict):
        with Tcp(strict, six) as tcp, lose(strict, six, "raw", "PREROUTING", "0.005"):
            pour(tcp.client, tcp.server, 300000)
            pour(tcp.server, tcp.client, 300000)
    assert strict.counts()["NEW"] == 1


@SIX
def test_mptcp(strict, six):
    """Multipath TCP: options that no tracker knows."""
    listener = strict.server.socket(family(six), proto=socket.IPPROTO_MPTCP)
    client = strict.client.socket(family(six), proto=socket.IPPROTO_MPTCP)
    with listener, client:
        listener.bind((host(six), 5001))
        listener.listen()
        client.connect((host(six), 5001))
        with listener.accept()[0] as server:
            pour(client, server, 100000)


@SIX
def test_fast_open(strict, six):
    """The second connection brings its data in the SYN."""
    with strict.server.socket(family(six)) as listener:
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_FASTOPEN, 10)
        listener.bind((host(six), 5002))
        listener.listen()
        for _ in range(3):
            with strict.client.socket(family(six)) as client:
                client.setblocking(True)
                client.sendto(b"early", MSG_FASTOPEN, (host(six), 5002))
                with listener.accept()[0] as server:
                    assert server.recv(100) == b"early"
                    server.sendall(b"answer")
                    assert client.recv(100) == b"answer"
    opened = strict.client.run("nstat", "-asz", "TcpExtTCPFastOpenActive")
    assert int(re.search(r"FastOpenActive +(\d+)", opened)[1]) >= 2


@SIX
def test_half_closed(strict, six):
    """The client is done, the server goes on for a while."""
    with Tcp(strict, six) as tcp:
        tcp.client.shutdown(socket.SHUT_WR)
        assert tcp.server.recv(1) == b""
        for _ in range(5):
            pour(tcp.server, tcp.client, 50000)
        tcp.server.shutdown(socket.SHUT_WR)
        assert tcp.client.recv(1) == b""


@SIX
def test_closed_at_once_by_both(strict, six):
    for _ in range(10):
        with Tcp(strict, six) as tcp:
            tcp.say()
            tcp.client.shutdown(socket.SHUT_WR)
            tcp.server.shutdown(socket.SHUT_WR)
            assert tcp.client.recv(1) == tcp.server.recv(1) == b""


@SIX
@pytest.mark.parametrize("end", ["client", "server"])
def test_reset_with_data_on_its_way(strict, six, end):
    """One side throws the connection away while the other one is still sending."""
    with Tcp(strict, six) as tcp:
        leaver, sender = (tcp.client, tcp.server) if end == "client" else (tcp.server, tcp.client)
        fill(sender)
        leaver.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        leaver.close()
        poll(lambda: info(sender)[0] == 7)  # TCP_CLOSE


@SIX
def test_window_closes_and_opens(strict, six):
    """A reader that sleeps: the window closes, is probed, and opens again."""
    with Tcp(strict, six) as tcp:
        sent = [fill(tcp.client)]
        poll(lambda: sent.append(fill(tcp.client)) or info(tcp.client)[1] >= 2)  # of window probes
        assert receive(tcp.server, sum(sent)) == b"w" * sum(sent)
        tcp.client.settimeout(5)
        tcp.say()


def test_tcp_keepalive(strict):
    """Probes of an idle connection repeat the last byte that was acknowledged."""
    def prepare(*sockets):
        for s in sockets:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            for option in (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL):
                s.setsockopt(socket.IPPROTO_TCP, option, 1)

    with Tcp(strict, False, prepare=prepare) as four, Tcp(strict, True, prepare=prepare) as six:
        before = strict.counts()
        poll(lambda: strict.counts()["ESTABLISHED_REPLY"] >= before["ESTABLISHED_REPLY"] + 4,
             pause=0.2)
        four.say()
        six.say()


def open_sockets(space, port):
    """Those of a port at either end that are not just waiting for stragglers."""
    return space.run("ss", "-Htan", "state", "all", "exclude", "listening", "exclude", "time-wait",
                     f"( sport = :{port} or dport = :{port} )")


@SIX
def test_same_port_again(strict, six):
    """A client that uses one port for one connection after the other."""
    for number in range(5):
        with Tcp(strict, six, source=40000) as tcp:
            tcp.say()
            if number % 2:
                tcp.server.shutdown(socket.SHUT_WR)
                assert tcp.client.recv(1) == b""
            else:  # no TIME_WAIT at the client
                tcp.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            tcp.client.close()
        poll(lambda: not open_sockets(strict.client, 40000) and
             not open_sockets(strict.server, 40000))  # what is under way has arrived
    assert strict.counts()["NEW"] == 5


def test_lost_handshakes(strict):
    """The first SYN, or the first answer, does not arrive, before or behind; the client tries again."""
    first = ["-m", "statistic", "--mode", "nth", "--every", "1000", "--packet", "0"]
    places = [(six, table, chain, side) for six in (False, True) for side in ("--dport", "--sport")
              for table, chain in (("raw", "PREROUTING"), ("mangle", "FORWARD"))]

    def connect(number, six):
        with Tcp(strict, six, port=5100 + number) as tcp:
            tcp.say()

    with contextlib.ExitStack() as stack, concurrent.futures.ThreadPoolExecutor(len(places)) as pool:
        for number, (six, table, chain, side) in enumerate(places):
            stack.enter_context(rule(strict.router, six, table, chain, "-p", "tcp", side,
                                     str(5100 + number), *first, "-j", "DROP"))
        attempts = [pool.submit(connect, number, place[0]) for number, place in enumerate(places)]
        for attempt in attempts:
            attempt.result()


def test_client_reboots(strict):
    """It forgot its connection and opens it again; the server's challenge makes it send a reset."""
    def reboot(six):
        port = 40100 + six
        silence = ["-p", "tcp", "--sport", str(port), "--tcp-flags", "RST", "RST", "-j", "DROP"]
        with Tcp(strict, six, source=port) as tcp:
            tcp.say()
            with rule(strict.client, six, "filter", "OUTPUT", *silence):
                tcp.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                tcp.client.close()
            with strict.client.socket(family(six)) as again:
                again.bind(("", port))
                again.connect((host(six), 5000))
                with tcp.listener.accept()[0] as server:
                    again.sendall(b"back")
                    assert receive(server, 4) == b"back"

    with concurrent.futures.ThreadPoolExecutor() as pool:
        list(pool.map(reboot, (False, True)))


@SIX
def test_segment_size_is_clamped(strict, six):
    """The router changes the SYN between the hooks."""
    with rule(strict.router, six, "mangle", "FORWARD", "-p", "tcp", "--syn", "-j", "TCPMSS",
              "--set-mss", "1220"), Tcp(strict, six, port=5010) as tcp:
        pour(tcp.client, tcp.server, 100000)
        pour(tcp.server, tcp.client, 100000)
        assert tcp.server.getsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG) <= 1220
    assert strict.counts()["NEW"] == 1


@SIX
def test_urgent_data(strict, six):
    with Tcp(strict, six) as tcp:
        for _ in range(3):
            tcp.client.sendall(b"first")
            tcp.client.send(b"!", socket.MSG_OOB)
            assert receive(tcp.server, 5) == b"first"
            tcp.server.setblocking(True)  # else it is waited for what is not urgent
            assert poll(lambda: urgent(tcp.server)) == b"!"
            tcp.server.settimeout(5)
            tcp.say()


def urgent(s):
    try:
        return s.recv(1, socket.MSG_OOB)
    except OSError:
        return b""


# --- options of IP -------------------------------------------------------------------------


def test_ipv6_extension_headers(strict):
    """Hop-by-hop and destination options before UDP."""
    pad = bytes([0, 0, 1, 4, 0, 0, 0, 0])
    with strict.server.socket(socket.AF_INET6, socket.SOCK_DGRAM) as server, \
            strict.client.socket(socket.AF_INET6, socket.SOCK_DGRAM) as client:
        for s in (server, client):
            s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_HOPOPTS, pad)
            s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_DSTOPTS, pad)
        server.bind((host(True), 5301))
        client.connect((host(True), 5301))
        for _ in range(3):
            client.send(b"question")
            data, peer = server.recvfrom(1000)
            server.sendto(data, peer)
            assert client.recv(1000) == b"question"
    counts = strict.counts()
    assert counts["ESTABLISHED"] == 2
    assert counts["ESTABLISHED_REPLY"] == 3


def test_ipv4_recorded_route(strict):
    """Routers write into the header on the way."""
    out = strict.client.run("ping", "-n", "-c3", "-i0.01", "-W5", "-R", host(False))
    assert " 3 received" in out
    assert netns.WAN4 in out
    assert strict.counts()["ESTABLISHED_REPLY"] == 3
