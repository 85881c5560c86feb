# SPDX-License-Identifier: GPL-2.0-or-later
"""
The control service, by a client that knows nothing but its description (lab/varlink.py): what it
tells of real traffic, and what it takes.
"""

import contextlib
import json
import os
import pathlib
import subprocess
import threading
import time

import pytest

from lab import frames, netns, rules
from lab.daemon import Daemon, binary
from lab.netns import CLIENT4, SERVER4, sh
from lab.services import poll as wait_for
from lab.traffic import Traffic
from lab.varlink import Client, Connection, Disconnected, Failure

QUIET = {"Log": {"Target": "none"}, "Timeouts": {"UDP": "600s"}}  # filling may take its time
FILL_PORT = 7000


@pytest.fixture
def router(lab):
    rules.queue(lab.router)
    return lab.router


@pytest.fixture
def daemon(router):
    with Daemon(router, {}) as running:
        yield running


@pytest.fixture
def lasting(router):
    """A daemon whose flows do not end by the clock."""
    with Daemon(router, QUIET) as running:
        yield running


@pytest.fixture
def client(daemon):
    with Client(daemon.control) as c:
        yield c


@pytest.fixture
def traffic(lab, nflog):
    return Traffic(lab, nflog, six=False)


def blast(lab, flows, rate=60000, **options):
    """One datagram of each of so many flows; returns how many left."""
    build = os.path.dirname(os.path.realpath(binary()))
    sh("make", "-s", "-C", build, "tests/bench/blast", timeout=300)
    words = [f"{build}/tests/bench/blast", "--interface", "eth0", "--mac", netns.LAN_MAC, "--to", SERVER4,
             "--port", str(FILL_PORT), "--flows", str(flows), "--packets", str(flows), "--rate", str(rate)]
    for name, value in options.items():
        words += [f"--{name}", str(value)]
    return json.loads(lab.client.run(*words, timeout=300))


def fill(lab, client, flows):
    """So many flows in the table, whatever was lost on the way."""
    blast(lab, flows)
    wait_for(lambda: client.call("GetStatus")["status"]["queues"][0]["waiting"] == 0, what="empty queue")
    return client.call("Count")["count"]


class Events:
    """What Events() of a connection of its own tells, gathered by a thread."""

    def __init__(self, path, **parameters):
        self.client = Client(path, timeout=60)
        self.parameters = parameters
        self.events, self.lost, self.sequences = [], 0, []
        self.replies = 0
        self.begun = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def _run(self):
        with contextlib.suppress(Disconnected, OSError):
            for reply in self.client.stream("Events", **self.parameters):
                self.sequences.append((reply["sequence"], len(reply["events"])))
                self.events += reply["events"]
                self.lost += reply.get("lost") or 0
                self.replies += 1
                self.begun.set()

    def __enter__(self):
        self.thread.start()
        assert self.begun.wait(10)
        return self

    def __exit__(self, *exc):
        with contextlib.suppress(OSError):
            self.client.sock.shutdown(2)
        self.thread.join(10)
        self.client.close()

    def wait(self, count, timeout=20, **members):
        def found():
            return [e for e in self.events if members.items() <= e.items()]

        wait_for(lambda: len(found()) >= count, timeout, f"{count} events {members}")
        return found()

    def total(self):
        return len(self.events) + self.lost


# ---- what it tells ----

def test_introspection(client):
    assert set(client.interfaces) == {"org.varlink.service", "io.ctmark.Manager"}
    assert client.info["interfaces"][-1] == "io.ctmark.Manager"
    text = (pathlib.Path(__file__).parents[2] / "src/ctl/io.ctmark.Manager.varlink").read_text()
    assert client.call("org.varlink.service.GetInterfaceDescription",
                       interface="io.ctmark.Manager")["description"] == text
    with pytest.raises(Failure, match="InterfaceNotFound"):
        client.call("org.varlink.service.GetInterfaceDescription", interface="io.ctmark.Nothing")


def test_list_shows_what_flows(client, traffic):
    traffic.udp_query()
    traffic.ping()
    udp, icmp = sorted(client.gather("List", "flows"), key=lambda f: f["proto"], reverse=True)
    assert (udp["proto"], udp["protonum"], udp["src"], udp["dst"], udp["dport"]) == \
        ("udp", 17, CLIENT4, SERVER4, 5353)
    assert udp["status"] == ["SEEN_REPLY", "CONFIRMED"] and 0 < udp["timeout"] <= 30
    assert (udp["packets_orig"], udp["packets_reply"]) == (1, 1)
    assert (icmp["icmp_type"], icmp["icmp_code"]) == (8, 0) and "sport" not in icmp
    assert client.call("Get", flow=udp["flow"])["flow"]["sport"] == udp["sport"]
    with pytest.raises(Failure, match="NoSuchFlow"):
        client.call("Get", flow="0123456789abcdef")
    with pytest.raises(Failure, match="InvalidParameter"):
        client.call("Get", flow="7")


FILTERS = [
    ({"proto": "udp"}, 1), ({"proto": "17"}, 1), ({"proto": "tcp"}, 1), ({"proto": "gre"}, 0),
    ({"family": "ipv4"}, 3), ({"family": "ipv6"}, 0), ({"src": CLIENT4}, 3), ({"src": "192.0.2.0/24"}, 3),
    ({"dst": "198.51.100.3"}, 0), ({"reply_src": SERVER4}, 3), ({"dport": "5353"}, 1),
    ({"dport": "5000-9000"}, 2), ({"dport": "1-1024"}, 0), ({"state": ["TIME_WAIT"]}, 1),
    ({"state": ["ESTABLISHED", "TIME_WAIT"]}, 1), ({"state": ["SYN_SENT"]}, 0),
    ({"status": ["ASSURED"]}, 1), ({"status": ["UNREPLIED"]}, 0), ({"status": ["SEEN_REPLY", "CONFIRMED"]}, 3),
    ({"icmp_type": 8}, 1), ({"icmp_type": 0}, 0), ({"helper": "ftp"}, 0), ({"zone": 0}, 3), ({"zone": 1}, 0),
    ({"proto": "udp", "dport": "5353", "src": CLIENT4}, 1), ({"master": "0" * 15 + "1"}, 0),
    ({"flow": None, "proto": None}, 3), ({}, 3),
]


def test_filters(client, traffic):
    """List and Count agree on each."""
    traffic.udp_query()
    traffic.ping()
    traffic.tcp_connection()
    wait_for(lambda: client.gather("List", "flows", filter={"state": ["TIME_WAIT"]}), what="TIME_WAIT")
    for condition, wanted in FILTERS:
        assert len(client.gather("List", "flows", filter=condition)) == wanted, condition
        assert client.call("Count", filter=condition)["count"] == wanted, condition


@pytest.mark.parametrize("condition,value", [
    ("src", "192.0.2"), ("src", "192.0.2.0/33"), ("dst", "2001:db8::/129"), ("dst", "example.org"),
    ("sport", "65536"), ("sport", "9-1"), ("dport", "-1"), ("dport", ""), ("proto", "tcpp"), ("proto", "256"),
    ("family", "inet"), ("flow", "xyz"), ("state", ["OPEN"]), ("state", []), ("status", ["SEEN"]),
    ("helper", "http"), ("icmp_type", 256), ("zone", 65536)])
def test_bad_filter_names_the_condition(client, condition, value):
    with pytest.raises(Failure) as info:
        client.call("Count", filter={condition: value})
    assert info.value.short == "BadFilter"
    assert info.value.parameters["condition"] == condition and info.value.parameters["why"]
    wanted = value[0] if isinstance(value, list) and value else value
    assert info.value.parameters["value"] == (wanted if isinstance(wanted, str) else json.dumps(wanted))


def test_totals_come_out_even(client, traffic):
    traffic.udp_query()
    traffic.ping()
    reply = client.call("GetTotals")
    numbers = {kind: {c["name"]: c["value"] for c in reply["totals"][kind]}
               for kind in ("counters", "ctinfo", "reasons", "deaths")}
    assert sum(numbers["ctinfo"].values()) == numbers["counters"]["packets"] == 4
    assert numbers["ctinfo"]["NEW"] == 2 and numbers["counters"]["flows_created"] == 2
    assert client.call("Flush")["deleted"] == 2
    after = {c["name"]: c["value"] for c in client.call("GetTotals")["totals"]["deaths"]}
    assert after["deleted"] == 2
    queue = reply["queues"][0]
    assert queue["received"] == queue["answered"] == 4 and queue["waiting"] == 0
    status = client.call("GetStatus")["status"]
    assert status["flows"] == 0 and status["clients"] == 1 and status["memory"] > 1 << 20
    assert "ctmarkd_" in client.call("Metrics")["text"]


def test_config_and_reload(daemon, client):
    def setting(key):
        return next(s for s in client.call("GetConfig")["settings"] if s["key"] == key)

    assert setting("Socket")["value"] == str(daemon.control)
    assert setting("Socket")["origin"].startswith(str(daemon.config))
    assert "origin" not in setting("History") and setting("History")["value"] == "8"
    daemon.write_config({"Track": {"MaxFlows": "1000"}, "Timeouts": {"UDP": "7s"}, "Log": {"Sorry": "yes"}})
    reply = client.call("Reload")
    assert reply["restart_needed"] == ["MaxFlows"] and "Sorry" in reply["messages"][0]
    assert setting("UDP")["value"] == "7s" and setting("MaxFlows")["wanted"] == "1000"
    assert client.call("GetStatus")["status"]["restart_needed"] == ["MaxFlows"]
    daemon.write_config({"Timeouts": {"UDP": "never"}})
    with pytest.raises(Failure) as info:
        client.call("Reload")
    assert info.value.short == "BadConfig" and "UDP=never" in info.value.parameters["messages"][0]
    assert f"{daemon.config}:" in info.value.parameters["messages"][0]
    assert setting("UDP")["value"] == "7s"
    assert daemon.notify.wait("RELOADING=1") and daemon.notify.wait("READY=1")


def test_reload_warns_once(daemon, client):
    """Who asked is told what the log says, and both once."""
    daemon.write_config({"Queue": {"MaxPackets": "60000", "ReceiveBuffer": "64K"}})
    message, = client.call("Reload")["messages"]
    assert message.startswith("ReceiveBuffer=65536: ")
    assert daemon.wait_line("Configuration reloaded")
    assert len([line for line in daemon.lines if message in line]) == 1


def test_log_level(daemon, client):
    client.call("SetLogLevel", level="warning")
    assert client.call("GetStatus")["status"]["log_level"] == "warning"
    with pytest.raises(Failure, match="BadValue"):
        client.call("SetLogLevel", level="loud")
    client.call("Reload")
    assert client.call("GetStatus")["status"]["log_level"] == "info"


def test_census(lab, client):
    blast(lab, 300)
    census = wait_for(lambda: (c := client.call("GetCensus")["census"])["sample"] == 300 and c, what="flows")
    assert census["states"] == [{"name": "udp", "value": 300}]
    target = next(t for t in census["talkers"] if t["role"] == "target")
    assert (target["address"], target["proto"], target["dport"]) == (SERVER4, "udp", FILL_PORT)
    assert target["permille"] == 1000


def test_expectations_and_children(lab, router):
    config = {"Track": {"Helpers": "ftp"}}
    with Daemon(router, config) as daemon, Client(daemon.control) as client:
        assert client.gather("Expectations", "expectations") == []
        with lab.server.socket() as listener, lab.client.socket() as control:
            listener.bind((SERVER4, 21))
            listener.listen()
            control.connect((SERVER4, 21))
            server = listener.accept()[0]
            server.sendall(b"220 hello\r\n")
            control.recv(100)
            for line in (b"USER somebody\r\n", b"PORT 192,0,2,2,31,64\r\n"):
                control.sendall(line)
                server.recv(100)
            expected = wait_for(lambda: client.gather("Expectations", "expectations"), what="expectation")[0]
            assert (expected["dst"], expected["dport"], expected["proto"]) == (CLIENT4, 8000, "tcp")
            with lab.client.socket() as waiting, lab.server.socket() as data:
                waiting.bind((CLIENT4, 8000))
                waiting.listen()
                data.bind((SERVER4, 20))
                data.connect((CLIENT4, 8000))
                explanation = explain(client, filter={"flow": expected["master"]})
                child, = client.gather("List", "flows", filter={"master": expected["master"]})
                assert explanation[0]["children"] == [child["flow"]]
                assert "EXPECTED" in child["status"]
            server.close()


def explain(client, **parameters):
    return [r["explanation"] for r in client.stream("Explain", **parameters) if r.get("explanation")]


def test_explain_tcp(client, traffic):
    traffic.tcp_forged()
    found, = explain(client, filter={"proto": "tcp", "dport": "8082"})
    assert {s["event"] for s in found["history"]} == {"new", "state", "reply", "assured", "invalid"}
    assert found["history"][0]["event"] == "new"
    invalid, = [s for s in found["history"] if s["event"] == "invalid"]
    assert invalid["reason"] == "tcp-seq-over" and "end=" in invalid["detail"]
    assert found["forgotten"] >= 0 and found["tcp"]["original"]["maxwin"] > 0
    assert any(word.startswith("SEEN_REPLY: ") for word in found["words"])
    assert any(word.startswith(f"{found['flow']['state']}: ") for word in found["words"])
    times = [s["time"] + s["time_usec"] / 1e6 for s in found["history"]]
    assert times == sorted(times) and abs(times[0] - time.time()) < 60


def test_explain_strays_and_limit(lab, client):
    """Packets that belong to no flow, and more flows than asked for."""
    with lab.client.raw("eth0") as wire:
        wire.send(frames.ethernet(frames.tcp(CLIENT4, SERVER4, 5, 6, frames.RST, 1)))
    found = wait_for(lambda: explain(client, filter={"proto": "tcp", "sport": "5"}), what="stray")
    assert "flow" not in found[0]
    assert found[0]["history"][0]["reason"] == "tcp-not-first"
    blast(lab, 20)
    wait_for(lambda: client.call("Count")["count"] == 20, what="flows")
    replies = list(client.stream("Explain", filter={"proto": "udp"}, limit=3))
    assert len([r for r in replies if r.get("explanation")]) == 3 and replies[-1]["omitted"] == 17
    with pytest.raises(Failure, match="NoSuchFlow"):
        explain(client, filter={"flow": "0123456789abcdef"})


def test_no_history(router, lab):
    with Daemon(router, {"Track": {"History": "0"}}) as daemon, Client(daemon.control) as client:
        blast(lab, 1)
        wait_for(lambda: client.call("Count")["count"] == 1, what="flow")
        assert explain(client, filter={"proto": "udp"})[0]["history"] == []


# ---- transitions ----

def test_events_are_those_of_the_log(daemon, client, traffic):
    with Events(daemon.control) as all_of_them, Events(daemon.control, events=["new"],
                                                       filter={"proto": "udp"}) as some:
        traffic.udp_query()
        traffic.ping()
        client.call("Flush")
        all_of_them.wait(2, event="destroy")
        some.wait(1)
        logged = daemon.wait_events(6)
        assert [(e["event"], e["flow"]) for e in all_of_them.events] == [(e["event"], e["flow"]) for e in logged]
        assert [e["event"] for e in some.events] == ["new"] and some.events[0]["dport"] == 5353
        assert all_of_them.events[0]["iif"] == "lan" and all_of_them.events[0]["queue"] == 0
        assert all_of_them.lost == some.lost == 0


def test_events_do_not_depend_on_the_log(lab, router):
    with Daemon(router, {"Log": {"Target": "none", "Events": "destroy", "RateLimit": "1/s", "Burst": "1"}}) \
            as daemon, Events(daemon.control, events=["new"]) as events:
        blast(lab, 500)
        events.wait(500)


def test_bad_classes(client):
    with pytest.raises(Failure) as info:
        list(client.stream("Events", events=["new", "old"]))
    assert info.value.parameters == {"parameter": "events", "value": "old"}


def assert_numbers_go_on(events):
    """Each reply begins where the last one ended, or behind what was lost for want of room."""
    at, gaps = 0, 0
    for sequence, n in events.sequences:
        assert sequence >= at
        gaps += sequence - at
        at = sequence + n
    assert gaps <= events.lost


def test_delete_equals_destroy_events(lab, lasting):
    """Every flow that is said to be gone has its event, or is counted as lost."""
    with Client(lasting.control, timeout=60) as client:
        with Events(lasting.control, events=["destroy"]) as events:
            n = fill(lab, client, 20000)
            deleted = list(client.stream("Delete", filter={"proto": "udp"}))[-1]["deleted"]
            assert deleted == n and client.call("Count")["count"] == 0
            wait_for(lambda: events.total() >= n, 30, "events")
            time.sleep(0.2)
            assert events.total() == n
            assert_numbers_go_on(events)
            assert len({e["flow"] for e in events.events}) == len(events.events)
            assert {e["reason"] for e in events.events} == {"deleted"}


def test_slow_reader_loses_exactly(lab, lasting):
    """A client that reads nothing while 40000 flows begin, then everything."""
    with Client(lasting.control, timeout=60) as client:
        slow = Client(lasting.control)
        stream = slow.stream("Events", events=["new"])
        assert next(stream)["events"] == []
        n = fill(lab, client, 40000)
        time.sleep(0.3)
        got = lost = at = 0
        while got + lost < n:
            reply = next(stream)
            got += len(reply["events"])
            lost += reply.get("lost") or 0
            assert reply["sequence"] >= at
            at = reply["sequence"] + len(reply["events"])
        assert got + lost == n and lost > 0
        assert client.call("GetStatus")["status"]["events_lost"] == lost
        slow.close()


# ---- who may what ----

AS_NOBODY = """
import json, socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
for method, parameters in json.loads(sys.argv[2]):
    s.sendall(json.dumps({"method": "io.ctmark.Manager." + method, "parameters": parameters}).encode() + bytes(1))
    answer = b""
    while not answer.endswith(bytes(1)):
        answer += s.recv(65536)
    print(json.loads(answer[:-1]).get("error", "fine"))
"""


def as_nobody(path, *calls):
    done = subprocess.run(["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "/usr/bin/python3", "-c",
                           AS_NOBODY, str(path), json.dumps(calls)], text=True, timeout=30,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.stdout.split()


def test_others_may_read_only(daemon, client):
    assert oct(daemon.control.stat().st_mode & 0o777) == "0o660"
    daemon.control.parent.chmod(0o755)
    assert "PermissionError" in " ".join(as_nobody(daemon.control, ("Count", {})))
    daemon.control.chmod(0o666)
    assert as_nobody(daemon.control, ("Count", {}), ("GetStatus", {}), ("Get", {"flow": "0" * 16})) == \
        ["fine", "fine", "io.ctmark.Manager.NoSuchFlow"]
    changing = [("Flush", {}), ("Delete", {"filter": {"proto": "udp"}}), ("Reload", {}),
                ("SetLogLevel", {"level": "err"})]
    assert as_nobody(daemon.control, *changing) == ["org.varlink.service.PermissionDenied"] * 4
    assert client.call("GetStatus")["status"]["log_level"] == "info"
    assert not [line for line in daemon.lines if "for user" in line]
    client.call("Delete", filter={"proto": "udp"})
    assert daemon.wait_line(r"Delete for user 0 \(process \d+\): 0 flows ended")


def test_delete_wants_a_condition(client):
    with pytest.raises(Failure, match="BadFilter"):
        client.call("Delete", filter={})


def test_places_for_root(daemon, client):
    """A user takes 16 places at most, and root still has one."""
    daemon.control.parent.chmod(0o755)
    daemon.control.chmod(0o666)
    script = """
import socket, sys, time
all = []
for i in range(1000):
    s = socket.socket(socket.AF_UNIX)
    s.connect(sys.argv[1])
    all.append(s)
print("connected", flush=True)
sys.stdin.readline()
"""
    with subprocess.Popen(["setpriv", "--reuid=nobody", "--clear-groups", "/usr/bin/python3", "-c", script,
                           str(daemon.control)], text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout.readline() == "connected\n"
        with Client(daemon.control) as second:
            wait_for(lambda: second.call("GetStatus")["status"]["clients"] == 18, what="16 places")
        other.communicate("\n", timeout=10)
    wait_for(lambda: client.call("GetStatus")["status"]["clients"] == 1, what="places free again")


# ---- what it takes ----

def test_errors_of_the_protocol(daemon):
    with Connection(daemon.control) as c:
        for method, error in (("io.ctmark.Manager.Nothing", "MethodNotFound"), ("io.nobody.Here", "InterfaceNotFound"),
                              ("nothing", "InterfaceNotFound"), ("io.ctmark.Manager.List", "ExpectedMore")):
            c.send(method)
            assert c.receive()["error"] == f"org.varlink.service.{error}"
        for parameters, flags in (({"nonsense": 1}, {}), ({"filter": {}, "x": None}, {}), ({}, {"upgrade": True})):
            c.send("io.ctmark.Manager.Count", parameters, **flags)
            assert c.receive()["error"] == "org.varlink.service.InvalidParameter"
        c.send("io.ctmark.Manager.Count", None, oneway=True)
        c.send("io.ctmark.Manager.Nothing", None, oneway=True)
        c.send("io.ctmark.Manager.Count", None, more=True)
        assert c.receive() == {"parameters": {"count": 0, "max": 262144}}


def test_requests_in_order(daemon):
    """Many at once, answered in their order, also those that the main thread has to be asked for."""
    with Connection(daemon.control) as c:
        names = ["Count", "GetStatus", "GetTotals", "GetCensus"] * 50
        c.send_bytes(b"".join(json.dumps({"method": f"io.ctmark.Manager.{n}"}).encode() + b"\0" for n in names))
        member = {"Count": "count", "GetStatus": "status", "GetTotals": "totals", "GetCensus": "census"}
        for name in names:
            assert member[name] in c.receive()["parameters"]


def test_oneway_then_gone(lab, daemon, client):
    """Who asks for no answer need not stay for it."""
    blast(lab, 100)
    wait_for(lambda: client.call("Count")["count"] == 100, what="flows")
    with Connection(daemon.control) as c:
        c.send("io.ctmark.Manager.Flush", None, oneway=True)
    wait_for(lambda: client.call("Count")["count"] == 0, what="end of all flows")


GARBAGE = [
    b"\0", b"{}\0", b"[]\0", b"null\0", b'{"method":7}\0', b'{"method":"io.ctmark.Manager.Count"\0',
    b"[" * 60000 + b"\0", b"{\"method\":" * 6000 + b"\0", b'{"method":"\xff\xfe"}\0', b'{"method":"a\\u0000b"}\0',
    b'{"method":"a.b","parameters":{"x":' + b"9" * 400 + b"}}\0", b'{"method":"a.b","method":"c.d"}\0',
    b"x" * 65536, os.urandom(65000) + b"\0"]


@pytest.mark.parametrize("data", GARBAGE, ids=range(len(GARBAGE)))
def test_garbage_ends_the_connection(daemon, client, data):
    with Connection(daemon.control) as c:
        with contextlib.suppress(Disconnected):
            c.send_bytes(data)
        with pytest.raises(Disconnected):
            c.receive()
    assert client.call("Count")["count"] == 0


def rss(pid):
    return int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")


def test_bad_manners_cost_little(daemon, client):
    """Half messages, nothing read, a thousand connections: others are answered, memory stays small."""
    before = rss(daemon.pid)
    halves = [Connection(daemon.control) for _ in range(20)]
    for c in halves:
        c.send_bytes(b'{"method":"' + b"x" * 60000)
    deaf = [Connection(daemon.control) for _ in range(20)]
    for c in deaf:
        c.sock.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            for _ in range(2000):
                c.send("io.ctmark.Manager.GetConfig", {})
    for _ in range(1000):
        with contextlib.suppress(OSError):
            Connection(daemon.control).close()
    begin = time.monotonic()
    assert client.call("Count")["max"] == 262144
    assert time.monotonic() - begin < 5
    assert rss(daemon.pid) - before < 40 << 20
    for c in halves + deaf:
        c.close()
    wait_for(lambda: client.call("GetStatus")["status"]["clients"] == 1, what="all gone")


def test_stop_does_not_wait_for_clients(lab, daemon, client):
    fill(lab, client, 5000)
    stuck = [Connection(daemon.control) for _ in range(10)]
    for c in stuck:
        c.send("io.ctmark.Manager.List", {}, more=True)
        c.send_bytes(b'{"half')
    begin = time.monotonic()
    assert daemon.stop() == 0
    assert time.monotonic() - begin < 5
    assert not daemon.control.exists()
    for c in stuck:
        c.close()


def test_many_flows_to_a_slow_reader(lab, router):
    """200000 flows, taken slowly, beside events: bounded memory, and nobody waits for it."""
    with Daemon(router, QUIET) as daemon, Client(daemon.control, timeout=60) as client:
        n = fill(lab, client, 200000)
        assert n > 100000
        before = rss(daemon.pid)
        with Client(daemon.control, timeout=60) as slow, Events(daemon.control, events=["new"]) as events:
            listing = slow.stream("List")
            seen = [f["flow"] for f in next(listing)["flows"]]
            pinging = lab.client.run("ping", "-n", "-i", "0.01", "-c", "50", "-W", "2", SERVER4)
            assert " 0% packet loss" in pinging
            for _ in range(20):
                assert client.call("Count", filter={"proto": "icmp"})["count"] >= 1
            assert rss(daemon.pid) - before < 16 << 20
            events.wait(1, proto="icmp")
            for reply in listing:
                seen += [f["flow"] for f in reply["flows"]]
        assert len(seen) == len(set(seen))
        assert abs(len(seen) - n) <= 1  # the ping's may be among them


def test_kill_and_successor(router):
    """The socket of a dead daemon is replaced, one that answers is not; what was there is there."""
    with Daemon(router, {}) as first:
        with Client(first.control) as client:
            first.crash()
            with pytest.raises(Disconnected):
                client.call("Count")
        assert first.control.exists()
        config = first.config.read_text()
        with Daemon(router, config) as second, Client(first.control) as client:
            assert client.call("GetStatus")["status"]["pid"] == second.pid
            other = config + "[Queue]\nRange=1\n"
            with Daemon(router, other) as third:
                assert third.wait_line("Another process answers")
                assert third.stop() == 0
            assert client.call("Count")["count"] == 0


def test_no_service(router, tmp_path):
    (tmp_path / "file").write_text("precious")
    with Daemon(router, "[Control]\nSocket=none\n") as daemon:
        assert daemon.stop() == 0
    with Daemon(router, f"[Control]\nSocket={tmp_path}/file\n") as daemon:
        assert daemon.wait_line("no control service: cannot make .*/file: Socket operation on non-socket")
    assert (tmp_path / "file").read_text() == "precious"
    with Daemon(router, "[Control]\nSocket=/nowhere/at/all\n") as daemon:
        assert daemon.wait_line("no control service: cannot make /nowhere/at/all")
        assert daemon.stop() == 0


@pytest.mark.workers
def test_everything_at_once(lab):
    """Four workers under load while flows are listed, counted, explained, ended, and told of."""
    rules.queue(lab.router, "--queue-balance", "0:3")
    with Daemon(lab.router, QUIET | {"Queue": {"Range": "0-3"}}) as daemon, \
            Events(daemon.control) as events, Client(daemon.control, timeout=120) as client:
        sender = threading.Thread(target=blast, args=(lab, 15000), kwargs={"rate": 3000})
        sender.start()
        rounds = 0
        while sender.is_alive() or rounds < 3:
            flows = client.gather("List", "flows")
            client.call("Count", filter={"sport": "1-30000"})
            client.call("GetCensus")
            client.call("GetTotals")
            if flows:
                explain(client, filter={"src": flows[0]["src"]})
                client.call("Delete", filter={"src": flows[-1]["src"] + "/28"})
            client.call("Reload")
            with Events(daemon.control, filter={"proto": "udp"}):
                pass
            rounds += 1
        sender.join()
        client.call("Flush")
        counters = {c["name"]: c["value"] for c in client.call("GetTotals")["totals"]["counters"]}
        assert counters["flows_created"] == counters["flows_destroyed"] > 0
        wait_for(lambda: events.total() >= 2 * counters["flows_created"], 60, "events")
        assert daemon.process.poll() is None
