# SPDX-License-Identifier: GPL-2.0-or-later
"""
What survives the process: packets, flows and statistics. The test is the service manager, which
keeps descriptors from one daemon to the next.
"""

import os
import re
import signal
import socket
import sys
import threading
import time

import pytest

from lab import rules
from lab.daemon import Daemon, Store
from lab.frames import crc32c
from lab.traffic import Traffic

SO_RCVBUFFORCE = 33
ONE_QUEUE = ["flows", "queue-0", "seat-0"]


@pytest.fixture
def pair(lab):
    """A conversation from the client to the server."""
    client, server = Traffic(lab, None, False).udp_pair(5353)
    with client, server:
        client.settimeout(5)
        server.settimeout(5)
        server.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 16 << 20)  # packets come in heaps
        yield client, server


def converse(pair):
    client, server = pair
    client.send(b"query")
    server.sendto(b"answer", server.recvfrom(100)[1])
    assert client.recv(100) == b"answer"


def said(daemon, pattern, timeout=5):
    line = daemon.wait_line(pattern, timeout)
    assert line, "\n".join(daemon.lines)
    return line


def end(daemon, how):
    """Kills it, or stops it in order."""
    if how == "crash":
        daemon.crash()
    else:
        assert daemon.stop() == 0


# --- flows -------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["crash", "restart"])
def test_a_flow_goes_on(lab, pair, store, how):
    rules.queue(lab.router)
    with Daemon(lab.router, store=store) as daemon:
        converse(pair)
        new = daemon.wait_events(1, event="new")[0]
        assert store.wait_names(ONE_QUEUE) == ONE_QUEUE
        end(daemon, how)
    with Daemon(lab.router, store=store) as daemon:
        said(daemon, r"Took over 1 flows from the service manager's store")
        said(daemon, r"Started .* 1 taken over")
        converse(pair)
        time.sleep(2.1)
        converse(pair)  # from now on it is a stream
        assured = daemon.wait_events(1, event="assured")[0]
        assert assured["flow"] == new["flow"]
        assert not daemon.events(event="new")
        assert store.names() == ONE_QUEUE


def test_a_connection_goes_on(lab, store):
    """Established: its windows are what they were, and no segment is INVALID."""
    rules.queue(lab.router)
    traffic = Traffic(lab, None, False)
    with traffic.tcp_server(8080) as listener, lab.client.socket(traffic.af) as client:
        with Daemon(lab.router, store=store) as daemon:
            client.connect((traffic.server, 8080))
            server = listener.accept()[0]
            client.sendall(b"one")
            assert server.recv(100) == b"one"
            store.wait_names(ONE_QUEUE)
            daemon.crash()
        with Daemon(lab.router, store=store) as daemon:
            said(daemon, r"Took over 1 flows [^(]*$")
            for text in (b"two", b"three"):
                client.sendall(text)
                assert server.recv(100) == text
                server.sendall(text)
                assert client.recv(100) == text
            server.close()
            assert daemon.wait_events(1, event="state", state="ESTABLISHED>FIN_WAIT")
            assert not daemon.events(event="invalid")


def test_statistics_go_on(lab, pair, store):
    rules.queue(lab.router)
    for _ in range(2):
        with Daemon(lab.router, store=store) as daemon:
            converse(pair)
            store.wait_names(ONE_QUEUE)
            daemon.stop()
    said(daemon, r"Stopped: 4 packets judged, .* 1 flows seen, 1 of them alive")


def many_flows(lab, n):
    traffic = Traffic(lab, None, False)
    for port in range(20000, 20000 + n):
        client = lab.client.socket(traffic.af, socket.SOCK_DGRAM)
        with client:
            client.connect((traffic.server, port))
            client.send(b"x")


def test_another_size(lab, store):
    rules.queue(lab.router, families=("iptables",))
    with Daemon(lab.router, {"Track": {"MaxFlows": 1000}}, store=store) as daemon:
        many_flows(lab, 100)
        daemon.wait_events(100, event="new")
        daemon.crash()
    with Daemon(lab.router, {"Track": {"MaxFlows": 64}}, store=store) as daemon:
        said(daemon, r"Took over 64 flows")
        said(daemon, r"Not taken over: 36 flows for which MaxFlows= is too small now")
        assert store.wait_names(ONE_QUEUE) == ONE_QUEUE
        daemon.crash()
    with Daemon(lab.router, {"Track": {"MaxFlows": 2000}}, store=store) as daemon:
        said(daemon, r"Took over 64 flows")
        assert not any("Not taken over" in line for line in daemon.lines)


# --- packets -----------------------------------------------------------------------


def test_packets_wait_while_nobody_is_there(lab, pair, store):
    client, server = pair
    rules.queue(lab.router)
    with Daemon(lab.router, store=store) as daemon:
        converse(pair)
        store.wait_names(ONE_QUEUE)
        daemon.crash()
    for i in range(200):
        client.send(b"%d" % i)
    with Daemon(lab.router, store=store):
        assert [server.recv(100) for _ in range(200)] == [b"%d" % i for i in range(200)]


class Stream:
    """Numbered packets, one after the other, while things happen."""

    def __init__(self, pair, count, pause):
        self.client, self.server = pair
        self.count, self.pause, self.got = count, pause, []
        self.threads = [threading.Thread(target=self._send), threading.Thread(target=self._receive)]

    def _send(self):
        for i in range(self.count):
            self.client.send(b"%d" % i)
            time.sleep(self.pause)

    def _receive(self):
        while len(self.got) < self.count:
            try:
                self.got.append(int(self.server.recv(100)))
            except TimeoutError:
                return

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *exc):
        for thread in self.threads:
            thread.join()


@pytest.mark.parametrize("how", ["crash", "restart"])
def test_again_and_again_in_mid_traffic(lab, pair, store, how):
    """Each packet arrives, once, and in its order."""
    rules.queue(lab.router)
    with Daemon(lab.router, store=store) as daemon:
        store.wait_names(ONE_QUEUE)
        end(daemon, how)
    with Stream(pair, 6000, 0.0005) as stream:
        for _ in range(8):
            with Daemon(lab.router, store=store) as daemon:
                time.sleep(0.15)
                end(daemon, how)
        with Daemon(lab.router, store=store):
            for thread in stream.threads:
                thread.join()
    assert stream.got == list(range(6000))


def test_a_queue_that_is_ours_no_longer(lab, pair, store):
    client, server = pair
    rules.queue(lab.router, "--queue-num", "5")
    with Daemon(lab.router, {"Queue": {"Range": "4-5"}}, store=store) as daemon:
        converse(pair)
        names = ["flows", "queue-4", "queue-5", "seat-4", "seat-5"]
        assert store.wait_names(names) == names
        daemon.crash()
    for i in range(50):
        client.send(b"%d" % i)
    with Daemon(lab.router, {"Queue": {"Range": "4"}}, store=store) as daemon:
        said(daemon, r"Not in Range= any more, emptied and given up: queue 5$")
        assert [server.recv(100) for _ in range(50)] == [b"%d" % i for i in range(50)]
        left = ["flows", "queue-4", "seat-4"]
        assert store.wait_names(left) == left
        assert not daemon.events(event="new")


def test_a_range_that_has_moved(lab, store):
    with Daemon(lab.router, {"Queue": {"Range": "4-6"}}, store=store) as daemon:
        names = ["flows", *(f"{kind}-{n}" for kind in ("queue", "seat") for n in (4, 5, 6))]
        assert store.wait_names(names) == names
        daemon.stop()
    store.items.reverse()  # as systemd has them
    with Daemon(lab.router, {"Queue": {"Range": "9"}}, store=store) as daemon:
        said(daemon, r"emptied and given up: queues 4, 5, 6$")


def test_more_queues(lab, pair, store):
    with Daemon(lab.router, {"Queue": {"Range": "4"}}, store=store) as daemon:
        store.wait_names(["flows", "queue-4", "seat-4"])
        daemon.crash()
    rules.queue(lab.router, "--queue-num", "5")
    with Daemon(lab.router, {"Queue": {"Range": "4-5"}}, store=store):
        converse(pair)
        names = ["flows", "queue-4", "queue-5", "seat-4", "seat-5"]
        assert store.wait_names(names) == names


# --- a store that is not what it should be -----------------------------------------


def test_rubbish_in_the_store(lab, pair, store):
    rules.queue(lab.router)
    memory = os.memfd_create("rubbish")
    os.write(memory, b"rubbish" * 10000)
    store.add("flows", [memory])
    store.add("seat-0", [os.dup(memory)])
    store.add("queue-0", [os.open("/dev/null", os.O_RDWR)])
    store.add("varlink", [os.open("/dev/null", os.O_RDWR)])
    with Daemon(lab.router, store=store) as daemon:
        said(daemon, r"names that are not ours: varlink")
        said(daemon, r"The flows in the service manager's store are not those of ctmarkd")
        said(daemon, r"The socket that was left for queue 0 cannot be used")
        converse(pair)
        assert store.wait_names(ONE_QUEUE) == ONE_QUEUE
        daemon.crash()
    with Daemon(lab.router, store=store) as daemon:
        said(daemon, r"Took over 1 flows")


LAYOUT = 8  # where its number is, in the header of the flows and of a seat


def test_another_version(lab, pair, store, tmp_path):
    """Of flows and seats it is said once, whatever else of the same process is found."""
    rules.queue(lab.router)
    env = {"STATE_DIRECTORY": str(tmp_path)}
    with Daemon(lab.router, env=env, store=store) as daemon:
        converse(pair)
        store.wait_names(ONE_QUEUE)
        daemon.stop()
    os.pwrite(store.get("flows"), b"\xff", LAYOUT)
    os.pwrite(store.get("seat-0"), b"\xff", LAYOUT)
    spoil(tmp_path / "flows", "another layout")
    with Daemon(lab.router, env=env, store=store) as daemon:
        said(daemon, r"The flows in the service manager's store are of another version of ctmarkd")
        said(daemon, r"Took over no flows, 1 queue, 1 seat unread$")
        assert sum("another version" in line for line in daemon.lines) == 1
        assert [file.name for file in tmp_path.iterdir()] == ["flows.old"]
        converse(pair)
        assert daemon.wait_events(1, event="new")


def test_another_network(lab, store):
    with Daemon(lab.router, store=store) as daemon:
        store.wait_names(ONE_QUEUE)
        daemon.stop()
    with Daemon(lab.client, store=store) as daemon:
        said(daemon, r"The socket that was left for queue 0 is of another network namespace; ")
        assert store.wait_names(ONE_QUEUE) == ONE_QUEUE


@pytest.mark.parametrize("missing", ONE_QUEUE)
def test_a_part_of_it(lab, pair, store, missing):
    """Whatever was lost, packets are judged, and all is kept again."""
    rules.queue(lab.router, "--queue-num", "0", "--queue-bypass")
    with Daemon(lab.router, store=store) as daemon:
        converse(pair)
        store.wait_names(ONE_QUEUE)
        daemon.crash()
    store.remove(missing)
    with Daemon(lab.router, store=store) as daemon:
        converse(pair)
        assert store.wait_names(ONE_QUEUE) == ONE_QUEUE
        assert len(daemon.wait_events(1, 1, event="new")) == (missing == "flows")


def test_too_small_a_store(lab):
    with Store(room=2) as store, Daemon(lab.router, store=store) as daemon:
        said(daemon, r"FileDescriptorStoreMax=2 is too few for 1 queues, which need 3")
        assert store.names() == []


def test_no_store(lab, pair):
    """Nothing is said of it, and the queue is given back."""
    rules.queue(lab.router, "--queue-num", "0", "--queue-bypass")
    with Daemon(lab.router) as daemon:
        converse(pair)
        daemon.stop()
        assert daemon.notify.wait("STATUS=stopped with 1 flows$")
        converse(pair)
    assert not any("service manager" in line for line in daemon.lines)


# --- the state file ----------------------------------------------------------------


def test_stop_and_start(lab, pair, tmp_path):
    rules.queue(lab.router, "--queue-num", "0", "--queue-bypass")
    env = {"STATE_DIRECTORY": str(tmp_path)}
    file = tmp_path / "flows"
    with Daemon(lab.router, env=env) as daemon:
        converse(pair)
        new = daemon.wait_events(1, event="new")[0]
        daemon.stop()
        said(daemon, rf"Wrote 1 flows to state file {file}, \d+ bytes in \d+ ms")
    assert file.read_bytes().startswith(b"ctmarkd flow table, version 1\n")
    assert file.stat().st_mode & 0o777 == 0o600
    with Daemon(lab.router, env=env) as daemon:
        said(daemon, r"Took over 1 flows from the state file")
        assert list(tmp_path.iterdir()) == []
        converse(pair)
        time.sleep(2.1)
        converse(pair)
        assert daemon.wait_events(1, event="assured")[0]["flow"]
        assert not daemon.events(event="new")
        daemon.stop()
    said(daemon, r"Stopped: 4 packets judged, .* 1 flows seen, 1 of them alive")
    assert new


def test_time_goes_on_while_it_is_stopped(lab, pair, tmp_path):
    rules.queue(lab.router, "--queue-num", "0", "--queue-bypass")
    config = {"Track": {"StateFile": tmp_path / "x"}, "Timeouts": {"UDP": "2s"}}
    with Daemon(lab.router, config) as daemon:
        converse(pair)
        daemon.stop()
    time.sleep(2.5)
    with Daemon(lab.router, config) as daemon:
        converse(pair)
        assert daemon.wait_events(1, event="new")


def test_restart_needs_no_file(lab, pair, store, tmp_path):
    """It is written all the same, for nobody knows; then it is out of date, and goes."""
    rules.queue(lab.router)
    env = {"STATE_DIRECTORY": str(tmp_path)}
    with Daemon(lab.router, env=env, store=store) as daemon:
        converse(pair)
        store.wait_names(ONE_QUEUE)
        daemon.stop()
    assert (tmp_path / "flows").exists()
    with Daemon(lab.router, env=env, store=store) as daemon:
        said(daemon, r"Took over 1 flows from the service manager's store")
        assert list(tmp_path.iterdir()) == []


def test_a_start_that_fails_leaves_the_file(lab, pair, tmp_path):
    rules.queue(lab.router, "--queue-num", "0", "--queue-bypass")
    env = {"STATE_DIRECTORY": str(tmp_path)}
    with Daemon(lab.router, env=env) as daemon:
        converse(pair)
        daemon.stop()
    with Daemon(lab.router):
        with Daemon(lab.router, env=env, ready=False) as second:
            assert second.join() == 4
    with Daemon(lab.router, env=env) as daemon:
        said(daemon, r"Took over 1 flows from the state file")


BAD = {"configuration": ({"Queue": {"Range": "9-1"}}, 6),
       "CPU": ({"Queue": {"CPUAffinity": "1023"}}, 6),
       "queue of another": ({"Queue": {"Range": "0-1"}}, 4)}


@pytest.mark.parametrize("why", BAD)
@pytest.mark.parametrize("how", ["crash", "restart"])
def test_a_start_that_fails_for_good(lab, pair, store, tmp_path, why, how):
    """The service manager gives up its store then: the flows are in the file, also after a crash."""
    rules.queue(lab.router)
    config, status = BAD[why]
    env = {"STATE_DIRECTORY": str(tmp_path)}
    with Daemon(lab.router, env=env, store=store) as daemon:
        converse(pair)
        store.wait_names(ONE_QUEUE)
        end(daemon, how)
    with Daemon(lab.router, {"Queue": {"Range": "1"}}):
        with Daemon(lab.router, config, env=env, store=store, ready=False) as daemon:
            assert daemon.join() == status
    wrote = [line for line in daemon.lines if f"store to state file {tmp_path / 'flows'}" in line]
    assert len(wrote) == (how == "crash")
    store.close()
    with Daemon(lab.router, env=env, store=store) as daemon:
        said(daemon, r"Took over 1 flows from the state file")


def test_a_start_that_fails_without_a_file(lab, pair, store, tmp_path):
    """Whoever wants none gets none, whatever the bad configuration may say."""
    rules.queue(lab.router)
    env = {"STATE_DIRECTORY": str(tmp_path)}
    with Daemon(lab.router, env=env, store=store) as daemon:
        converse(pair)
        store.wait_names(ONE_QUEUE)
        daemon.write_config({"Track": {"StateFile": "none"}})
        daemon.reload()
        daemon.crash()
    with Daemon(lab.router, {"Queue": {"Range": "x"}}, env=env, store=store, ready=False) as daemon:
        assert daemon.join() == 6
    assert list(tmp_path.iterdir()) == []


def spoil(file, kind):
    content = bytearray(file.read_bytes())
    if kind == "cut short":
        content = content[:len(content) // 2]
    elif kind == "damaged":
        content[-1000] ^= 1
    elif kind == "another layout":
        content[4096 + LAYOUT] = 0xff
        content[68:72] = bytes(4)
        content[68:72] = crc32c(content).to_bytes(4, sys.byteorder)
    elif kind == "another version":
        content = content.replace(b"version 1", b"version 9", 1)
    elif kind == "not written by ctmarkd":
        content = bytes(len(content))
    file.write_bytes(content)
    if kind == "another user":
        os.chown(file, 12345, 12345)


@pytest.mark.parametrize("kind", ["cut short", "damaged", "another version",
                                  "not written by ctmarkd", "another user"])
def test_a_file_that_is_not_good(lab, pair, tmp_path, kind):
    rules.queue(lab.router, "--queue-num", "0", "--queue-bypass")
    env = {"STATE_DIRECTORY": str(tmp_path)}
    file = tmp_path / "flows"
    with Daemon(lab.router, env=env) as daemon:
        converse(pair)
        daemon.stop()
    spoil(file, kind)
    with Daemon(lab.router, env=env) as daemon:
        said(daemon, rf"State file {file} .*{kind}.*no flows are taken over")
        converse(pair)
        assert daemon.wait_events(1, event="new")
        assert daemon.stop() == 0


@pytest.mark.parametrize("where", ["missing/flows", "directory"])
def test_a_file_that_cannot_be_written(lab, tmp_path, where):
    (tmp_path / "directory").mkdir()
    file = tmp_path / where
    with Daemon(lab.router, {"Track": {"StateFile": file}}) as daemon:
        if where.startswith("missing"):
            said(daemon, rf"State file {file} could not be written now, .*: No such file")
        assert daemon.stop() == 0
    said(daemon, rf"State file {file} cannot be written: \w+")


def test_a_place_that_cannot_be_written(lab, store, tmp_path):
    """Told when it begins, and not as if there were a file to be removed."""
    disk = ["sh", "-ec", f'mount -t tmpfs -o ro no {tmp_path}; exec "$0" "$@"']
    config = {"Track": {"StateFile": tmp_path / "x"}}
    with Daemon(lab.router, store=store) as daemon:
        store.wait_names(ONE_QUEUE)
        daemon.write_config(config)
        daemon.reload()
        assert not any("State file" in line for line in daemon.lines)
        daemon.write_config({"Track": {"StateFile": tmp_path / "missing" / "x"}})
        daemon.reload()
        said(daemon, r"State file .*/missing/x could not be written now, .*: No such file")
        daemon.crash()
    with Daemon(lab.router, config, prefix=disk, store=store) as daemon:
        said(daemon, r"State file .*/x could not be written now, .*: Read-only file system")
        said(daemon, r"Started")
        assert sum("State file" in line for line in daemon.lines) == 1


def test_a_full_disk(lab, pair, tmp_path):
    disk = ["sh", "-ec", f'mount -t tmpfs -o size=8k full {tmp_path}; exec "$0" "$@"']
    rules.queue(lab.router, "--queue-num", "0", "--queue-bypass")
    with Daemon(lab.router, {"Track": {"StateFile": tmp_path / "x"}}, prefix=disk) as daemon:
        converse(pair)
        assert daemon.stop() == 0
    said(daemon, r"State file .* cannot be written: No space left on device")


def test_none(lab, pair, tmp_path):
    rules.queue(lab.router, "--queue-num", "0", "--queue-bypass")
    env = {"STATE_DIRECTORY": str(tmp_path)}
    with Daemon(lab.router, {"Track": {"StateFile": "none"}}, env=env) as daemon:
        converse(pair)
        daemon.kill(signal.SIGINT)
        daemon.join()
    assert list(tmp_path.iterdir()) == []
    assert not any(re.search("state file", line, re.IGNORECASE) for line in daemon.lines)
