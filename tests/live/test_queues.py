# SPDX-License-Identifier: GPL-2.0-or-later
"""Queues: held by another process, several of them, and what happens when the daemon ends."""

import re
import os
import pathlib
import signal
import socket
import subprocess
import threading
import time

import pytest

from lab import netns, rules
from lab.daemon import Daemon
from lab.queues import kernel_queues
from lab.traffic import Traffic

CLIENTS = [f"192.0.2.{n}" for n in range(10, 42)]


def more_clients(lab):
    """Gives the client many addresses, so that --queue-balance has something to spread."""
    for address in CLIENTS:
        lab.client.ip("addr", "add", f"{address}/24", "dev", "eth0")
        lab.router.ip("neigh", "replace", address, "lladdr", netns.CLIENT_MAC, "dev", "lan", "nud",
                      "permanent")


def udp_queries(lab, sources, rounds=1, port=5353):
    """A query and an answer for each source address, rounds times; returns the answers that came."""
    answers = 0
    server = lab.server.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind((netns.SERVER4, port))
    sockets = []
    for source in sources:
        s = lab.client.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.bind((source, 0))
        s.connect((netns.SERVER4, port))
        sockets.append(s)
    with server:
        for _ in range(rounds):
            for s in sockets:
                s.send(b"query")
                server.sendto(b"answer", server.recvfrom(100)[1])
                answers += s.recv(100) == b"answer"
    for s in sockets:
        s.close()
    return answers


def test_second_daemon_says_who_holds_the_queue(lab):
    with Daemon(lab.router):
        holder = kernel_queues(lab.router)[0][0]
        with Daemon(lab.router, ready=False) as second:
            assert second.join() == 4
        text = "\n".join(second.lines)
        assert "Queue 0" in text and "another process" in text
        assert str(holder) in text, "the message names the port id of the holder"
        assert kernel_queues(lab.router)[0][0] == holder, "the first one keeps its queue"


def test_without_capability(lab):
    drop = ["setpriv", "--bounding-set=-net_admin", "--inh-caps=-net_admin"]
    with Daemon(lab.router, prefix=drop, ready=False) as daemon:
        assert daemon.join() == 4
    assert "CAP_NET_ADMIN" in "\n".join(daemon.lines)


def cpus_by_queue(pid):
    """{queue: the CPUs that its thread may run on}"""
    found = {}
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        name = (task / "comm").read_text().strip()
        if name.startswith("queue-"):
            found[int(name[6:])] = os.sched_getaffinity(int(task.name))
    return found


def test_cpus_of_the_workers(lab):
    first, *_, last = sorted(os.sched_getaffinity(0))
    config = {"Queue": {"Range": "0-1", "CPUAffinity": f"{first},{last}"}}
    with Daemon(lab.router, config) as daemon:
        end = time.monotonic() + 2
        while len(cpus_by_queue(daemon.pid)) < 2 and time.monotonic() < end:
            time.sleep(0.01)  # a thread gives itself its name
        assert cpus_by_queue(daemon.pid) == {0: {first}, 1: {last}}


@pytest.mark.parametrize("prefix,cpus,bad", [
    ([], "{first},500", 500),
    (["taskset", "-c", "{first}"], "{first},{last}", "{last}"),
])
def test_cpu_that_cannot_be_used(lab, prefix, cpus, bad):
    first, *_, last = sorted(os.sched_getaffinity(0))
    names = {"first": first, "last": last}
    config = {"Queue": {"Range": "3-4", "CPUAffinity": cpus.format(**names)}}
    with Daemon(lab.router, config, prefix=[word.format(**names) for word in prefix],
                ready=False) as daemon:
        assert daemon.join() == 6
    assert len(daemon.lines) == 1, daemon.lines
    assert f"[Queue] CPUAffinity={bad}:".format(**names) in daemon.lines[0]
    assert "queue 4" in daemon.lines[0]


@pytest.mark.parametrize("option", ["--queue-balance", "--queue-cpu-fanout"])
def test_several_queues(lab, nflog, option):
    more_clients(lab)
    words = ["--queue-balance", "0:3"]
    if option == "--queue-cpu-fanout":
        words.append(option)
    rules.queue(lab.router, *words)
    with Daemon(lab.router, {"Queue": {"Range": "0-3"}}) as daemon:
        assert sorted(kernel_queues(lab.router)) == [0, 1, 2, 3]
        assert udp_queries(lab, CLIENTS, rounds=2) == 2 * len(CLIENTS)
        Traffic(lab, nflog, False).tcp_connection()
        Traffic(lab, nflog, True).tcp_connection()
        seen = nflog.settle()
        new = daemon.wait_events(len(CLIENTS), event="new", proto="udp")
        ids = [ids for *_, ids in kernel_queues(lab.router).values()]
        assert daemon.events(event="invalid") == []
        assert sum(row[2] + row[3] for row in kernel_queues(lab.router).values()) == 0
    assert len(new) == len(CLIENTS)
    assert sum(ids) == len(seen), "each packet went through one queue"
    names = [rules.name_of(p.mark) for p in seen]
    assert None not in names and "INVALID" not in names
    assert names.count("NEW") == len(CLIENTS) + 2
    if option == "--queue-balance":
        assert len({event["queue"] for event in new}) >= 3, "flows spread over the workers"
        by_flow = {}
        for event in daemon.events(proto="udp"):
            by_flow.setdefault(event["flow"], set()).add(event.get("queue"))
        assert all(len(queues - {None}) == 1 for queues in by_flow.values())


@pytest.mark.workers
@pytest.mark.alone
def test_workers_under_load(lab):
    """Four workers on one table, with reloads, expiry and both directions in different workers."""
    more_clients(lab)
    rules.queue(lab.router, "--queue-balance", "0:3", "--queue-cpu-fanout")
    config = {"Queue": {"Range": "0-3"}, "Timeouts": {"UDP": "1s", "UDPStream": "1s"},
              "Log": {"RateLimit": "0", "Events": "new reply destroy invalid"}}
    counts = [0] * 4
    with Daemon(lab.router, config) as daemon:
        end = time.monotonic() + 5

        def load(i):
            while time.monotonic() < end:
                counts[i] += udp_queries(lab, CLIENTS[i::4], rounds=5, port=6000 + i)

        threads = [threading.Thread(target=load, args=(i,)) for i in range(4)]
        for t in threads:
            t.start()
        while any(t.is_alive() for t in threads):
            config["Mark"] = {"Mask": "0xf0" if "Mark" not in config else "0xf"}
            daemon.write_config(config)
            assert daemon.reload()
            time.sleep(0.2)
        for t in threads:
            t.join()
        assert daemon.wait_events(1, event="destroy")
        assert daemon.stop(timeout=30) == 0, "\n".join(daemon.lines[-40:])
    text = "\n".join(daemon.lines)
    assert "ThreadSanitizer" not in text, text[-4000:]
    assert min(counts) > 50
    assert len(daemon.events(event="new")) >= len(CLIENTS)
    assert daemon.events(event="invalid") == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_end_answers_what_is_queued(lab, nflog, number):
    """Packets wait in the queue while the daemon is stopped; ended, it answers them all."""
    burst = 3000
    rules.queue(lab.router, "--queue-num", "0", "--queue-bypass")
    server = lab.server.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.setsockopt(socket.SOL_SOCKET, 33, 64 << 20)  # SO_RCVBUFFORCE
    server.bind((netns.SERVER4, 5353))
    client = lab.client.socket(socket.AF_INET, socket.SOCK_DGRAM)
    client.connect((netns.SERVER4, 5353))
    with server, client, Daemon(lab.router) as daemon:
        client.send(b"-1")
        assert server.recv(100) == b"-1"
        daemon.freeze()
        for n in range(burst):
            client.send(str(n).encode())
        deadline = time.monotonic() + 5
        while kernel_queues(lab.router)[0][1] < burst and time.monotonic() < deadline:
            time.sleep(0.01)
        assert kernel_queues(lab.router)[0][1] == burst
        daemon.kill(number)
        daemon.kill(signal.SIGCONT)
        assert daemon.join() == 0
        server.settimeout(0.5)
        assert [int(server.recv(100)) for _ in range(burst)] == list(range(burst))
        client.send(b"after")
        assert server.recv(100) == b"after", "the rule lets packets pass when nobody listens"
    totals = daemon.wait_line(r"(?i)stopped")
    assert totals and str(burst + 1) in totals.replace(",", ""), "\n".join(daemon.lines[-5:])
    marks = [p.mark for p in nflog.settle()]
    assert marks == [0xa] * (burst + 1) + [0]


def test_end_gives_the_queue_back_at_once(lab):
    """A log that nobody reads makes the end take seconds; packets do not wait for it."""
    rules.queue(lab.router, "--queue-num", "0", "--queue-bypass")
    with Daemon(lab.router, deaf=True) as daemon:
        with lab.client.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            for port in range(2000, 2600):  # more records than a pipe holds
                client.sendto(b"anybody?", (netns.SERVER4, port))
        ping = lab.client.popen("ping", "-n", "-i0.1", "-c60", netns.SERVER4, text=True,
                                stdout=subprocess.PIPE)
        time.sleep(1)
        start = time.monotonic()
        assert daemon.stop() == 0
        took = time.monotonic() - start
        received = int(re.search(r"(\d+) received", ping.communicate()[0])[1])
        assert took > 2, "the log was stuck"
    assert received >= 59


def test_end_writes_the_totals_last(lab):
    rules.queue(lab.router)
    with Daemon(lab.router) as daemon:
        with lab.client.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            for port in range(2000, 2200):
                client.sendto(b"anybody?", (netns.SERVER4, port))
        while kernel_queues(lab.router)[0][4] < 200:
            time.sleep(0.001)
        assert daemon.stop() == 0
    assert len(daemon.events(event="new")) == 200
    assert re.search("Stopped: [0-9,]+ packets judged, 0 left as they were, 200 flows seen", daemon.lines[-1])


def test_order_of_records_over_queues(lab):
    """Requests come by one queue, answers by another; each is logged behind its cause."""
    rules.queue(lab.router, "--queue-num", "0")
    rules.queue(lab.router, "--queue-num", "1", chains=("OUTPUT",))
    with Daemon(lab.router, {"Queue": {"Range": "0-1"}}) as daemon:
        server = lab.router.socket(socket.AF_INET, socket.SOCK_DGRAM)
        server.bind((netns.LAN4, 5353))
        with server:
            for port in range(2000, 2200):
                with lab.client.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
                    client.bind((netns.CLIENT4, port))
                    client.sendto(b"query", (netns.LAN4, 5353))
                    server.sendto(b"answer", server.recvfrom(100)[1])
                    assert client.recv(100) == b"answer"
        daemon.wait_events(200, event="reply")
        assert daemon.stop() == 0
    assert {e["queue"] for e in daemon.events(event="new")} == {"0"}
    assert {e["queue"] for e in daemon.events(event="reply")} == {"1"}
    flows = [(e["flow"], e["event"]) for e in daemon.events(proto="udp")]
    assert len(flows) == 400
    # one after the other on the wire, and so in the log
    assert [event for _, event in flows] == ["new", "reply"] * 200
    assert [flow for flow, _ in flows[::2]] == [flow for flow, _ in flows[1::2]]
