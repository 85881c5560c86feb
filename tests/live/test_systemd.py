# SPDX-License-Identifier: GPL-2.0-or-later
"""The installed unit under a real systemd, in a container over a copy of this system."""

import json
import re
import subprocess
import time

import pytest

from lab.continuity import install
from lab.machine import Machine
from lab.services import poll as wait_for

pytestmark = pytest.mark.systemd

CAP_NET_ADMIN = 1 << 12
CONF = "/etc/ctmarkd/ctmarkd.conf"
MARKS = ("0x8", "0x9", "0xa", "0xb", "0xc", "0xe", "0xf")


@pytest.fixture(scope="module")
def machine():
    """ctmarkd installed by make install, booted, with a peer to talk to and rules that queue."""
    with Machine() as m:
        install(m.root)
        m.write(CONF, "[Log]\nEvents=new reply assured state related destroy invalid\n")
        m.boot()
        m.run("systemd-sysusers")
        m.run("journalctl", "--update-catalog")
        wire(m)
        yield m


def wire(m):
    m.run("ip", "netns", "add", "peer")
    m.run("ip", "link", "add", "veth0", "type", "veth", "peer", "name", "eth0", "netns", "peer")
    for words in (("addr", "add", "192.0.2.1/24", "dev", "veth0"), ("link", "set", "veth0", "up")):
        m.run("ip", *words)
    for words in (("addr", "add", "192.0.2.2/24", "dev", "eth0"), ("link", "set", "eth0", "up")):
        m.run("ip", "-n", "peer", *words)
    queue(m)


def queue(m):
    m.run("iptables", "-t", "mangle", "-F")
    for chain in ("PREROUTING", "OUTPUT"):
        m.run("iptables", "-t", "mangle", "-A", chain, "-j", "NFQUEUE", "--queue-bypass")


def ping(m):
    m.run("ip", "netns", "exec", "peer", "ping", "-n", "-c1", "-W5", "192.0.2.1")


def count_marks(m, marks, mask="0xf"):
    """A ping's packets by mark, as -m mark of the filter table counts them."""
    for chain in ("INPUT", "OUTPUT"):
        m.run("iptables", "-F", chain)
        for mark in marks:
            m.run("iptables", "-A", chain, "-m", "mark", "--mark", f"{mark}/{mask}")
    ping(m)
    found = {}
    for chain in ("INPUT", "OUTPUT"):
        for line in m.run("iptables", "-nvxL", chain).splitlines()[2:]:
            words = line.split()
            mark = words[words.index("match") + 1].split("/")[0]
            found[mark] = found.get(mark, 0) + int(words[0])
    return {mark: n for mark, n in found.items() if n}


def records(m, *match):
    """By its name: the journal does not know the unit of a process that is gone before it has read its words."""
    lines = m.journal("-t", "ctmarkd", "-o", "json", *match).splitlines()
    return [json.loads(line) for line in lines if line.startswith("{")]


@pytest.fixture
def service(machine):
    """The service, started afresh with the default configuration and without drop-ins."""
    machine.run("rm", "-rf", "/etc/systemd/system/ctmarkd.service.d")
    machine.write(CONF, "")
    machine.systemctl("daemon-reload")
    machine.systemctl("reset-failed", "ctmarkd", check=False)
    machine.systemctl("restart", "ctmarkd")
    yield machine
    machine.systemctl("stop", "ctmarkd", check=False)
    queue(machine)


def main_pid(m):
    return int(m.show("ctmarkd", "MainPID"))


def send_signal(m, name):
    m.systemctl("kill", "--kill-whom=main", f"--signal={name}", "ctmarkd")


def status_of(m, pid):
    text = m.run("cat", f"/proc/{pid}/status")
    return dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)


def test_start_is_notified(service):
    assert service.show("ctmarkd", "ActiveState") == "active"
    assert service.show("ctmarkd", "Type") in ("notify", "notify-reload")
    assert service.show("ctmarkd", "NRestarts") == "0"
    wait_for(lambda: "queue 0" in service.show("ctmarkd", "StatusText"), what="STATUS=")
    # the user of the unit may not read what full queues drop
    wait_for(lambda: service.show("ctmarkd", "StatusText").endswith(" at least 0 drops"),
             what="drops")


def test_runs_with_one_capability(service):
    pid = main_pid(service)
    status = status_of(service, pid)
    uid = int(service.run("id", "-u", "ctmarkd"))
    assert uid != 0 and status["Uid"].split() == [str(uid)] * 4
    for kind in ("CapEff", "CapPrm", "CapBnd", "CapAmb"):
        assert int(status[kind], 16) == CAP_NET_ADMIN, kind
    assert status["NoNewPrivs"] == "1"
    assert status["Seccomp"] == "2"


def test_system_calls(service):
    """What an intruder would like to have, and a daemon that runs does not need."""
    allowed = set(service.show("ctmarkd", "SystemCallFilter").split())
    assert {"sendmsg", "recvmmsg", "memfd_create", "sched_setaffinity"} < allowed
    assert not {"add_key", "bpf", "chown", "fchown", "init_module", "io_setup", "io_uring_setup",
                "kexec_load", "keyctl", "mlock", "mount", "perf_event_open", "pivot_root", "ptrace",
                "reboot", "setrlimit", "setuid"} & allowed
    assert service.show("ctmarkd", "RestrictNamespaces") == "yes", "against setns() and unshare()"


def test_traffic_is_marked_from_the_sandbox(service):
    assert count_marks(service, MARKS) == {"0xa": 1, "0xb": 1}


def test_records_in_the_journal(service):
    ping(service)
    new = wait_for(lambda: [r for r in records(service, "CTMARK_EVENT=new")
                            if r["_PID"] == str(main_pid(service))], what="record")[0]
    assert new["CTMARK_PROTO"] == "icmp"
    assert (new["CTMARK_SRC"], new["CTMARK_DST"]) == ("192.0.2.2", "192.0.2.1")
    assert (new["CTMARK_CTINFO"], new["CTMARK_MARK"], new["CTMARK_QUEUE"]) == ("NEW", "0xa", "0")
    assert (new["CTMARK_HOOK"], new["CTMARK_IIF"]) == ("PREROUTING", "veth0")
    assert new["_SYSTEMD_UNIT"] == "ctmarkd.service"
    assert new["SYSLOG_IDENTIFIER"] == "ctmarkd"
    assert new["_UID"] == service.run("id", "-u", "ctmarkd").strip()
    flow = records(service, f"CTMARK_FLOW={new['CTMARK_FLOW']}")
    assert [r["CTMARK_EVENT"] for r in flow] == ["new", "reply"]


FLOOD = """
import socket
for port in range(20000, 20600):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.sendto(b"x", ("192.0.2.1", port))
"""


def test_journald_limits_nothing(service):
    """Its own limit knows no class: one flood would hide how the service ends."""
    service.write("/etc/systemd/journald.conf.d/limit.conf",
                  "[Journal]\nRateLimitIntervalSec=1h\nRateLimitBurst=20\n")
    service.systemctl("restart", "systemd-journald")
    try:
        service.systemctl("restart", "ctmarkd")
        pid = main_pid(service)
        service.run("ip", "netns", "exec", "peer", "/usr/bin/python3", "-c", FLOOD)
        service.systemctl("stop", "ctmarkd")
        found = records(service, f"_PID={pid}")
    finally:
        service.run("rm", "/etc/systemd/journald.conf.d/limit.conf")
        service.systemctl("restart", "systemd-journald")
    assert sum(r.get("CTMARK_EVENT") == "new" for r in found) >= 600
    assert any("Stopped: " in r["MESSAGE"] for r in found)


def test_catalog_explains(service):
    ping(service)
    wait_for(lambda: records(service, "CTMARK_EVENT=new"), what="record")
    plain = service.journal("-u", "ctmarkd", "-n1", "CTMARK_EVENT=new")
    explained = service.journal("-x", "-u", "ctmarkd", "-n1", "CTMARK_EVENT=new")
    text = [line for line in explained.splitlines() if line.startswith("░░")]
    assert plain.strip() and plain.strip() in explained
    assert any(line.startswith("░░ Subject:") for line in text), explained
    assert len(text) >= 5, "the entry says what it means and what to do"


def test_good_reload(service):
    pid = main_pid(service)
    service.write(CONF, "[Mark]\nMask=0xf00\n")
    service.systemctl("reload", "ctmarkd")
    wait_for(lambda: service.journal("-u", "ctmarkd", f"_PID={pid}", "-g", "reloaded").strip(),
             what="message")
    assert count_marks(service, ("0xa00", "0xb00"), "0xf00") == {"0xa00": 1, "0xb00": 1}
    assert main_pid(service) == pid
    assert service.show("ctmarkd", "ActiveState") == "active"


def test_bad_reload_keeps_what_runs(service):
    pid = main_pid(service)
    service.write(CONF, "[Mark]\nMask=nonsense\n")
    service.systemctl("reload", "ctmarkd", check=False)
    bad = wait_for(lambda: [r for r in records(service, f"_PID={pid}", "PRIORITY=3")
                            if f"{CONF}:2" in r["MESSAGE"]], what="message")
    assert "Mask" in bad[0]["MESSAGE"]
    wait_for(lambda: service.show("ctmarkd", "ActiveState") == "active", what="active state")
    assert main_pid(service) == pid
    assert count_marks(service, MARKS) == {"0xa": 1, "0xb": 1}


def test_stop_logs_totals(service):
    ping(service)
    pid = main_pid(service)
    service.systemctl("stop", "ctmarkd")
    assert service.show("ctmarkd", "ActiveState") == "inactive"
    assert service.show("ctmarkd", "Result") == "success"
    assert service.show("ctmarkd", "ExecMainStatus") == "0"
    last = records(service, f"_PID={pid}")[-1]
    assert re.search(r"(?i)stopped.* 2 packets", last["MESSAGE"])
    assert last["MESSAGE_ID"]
    ping(service)  # --queue-bypass


def test_bad_configuration_does_not_start(machine):
    machine.write(CONF, "[Queue]\nRange=9-1\n")
    machine.systemctl("restart", "ctmarkd", check=False)
    assert machine.show("ctmarkd", "ActiveState") == "failed"
    assert machine.show("ctmarkd", "ExecMainStatus") == "6"
    time.sleep(0.5)
    assert machine.show("ctmarkd", "NRestarts") == "0", "a restart would not help"


def test_crash_is_followed_by_a_restart(service):
    pid = main_pid(service)
    send_signal(service, "KILL")
    wait_for(lambda: main_pid(service) not in (0, pid), what="restart")
    wait_for(lambda: service.show("ctmarkd", "ActiveState") == "active", what="active state")
    assert count_marks(service, MARKS) == {"0xa": 1, "0xb": 1}


def kept(m):
    return int(m.show("ctmarkd", "NFileDescriptorStore"))


def ping_flow(m, ident, *options):
    """Pings that are one flow, by their id. Returns what ping says."""
    return m.run("ip", "netns", "exec", "peer", "ping", "-n", "-q", "-e", ident, "-W2", *options,
                 "192.0.2.1")


def new_flows(m, pid):
    return records(m, "CTMARK_EVENT=new", f"_PID={pid}")


@pytest.mark.parametrize("how,ident", [("restart", "4710"), ("kill", "4711")])
def test_nothing_is_lost(service, how, ident):
    """Neither a packet of the flow nor the flow; the store holds what it should."""
    wait_for(lambda: kept(service) == 3, what="descriptors in the store")
    service.run("iptables", "-t", "mangle", "-F")  # without --queue-bypass, so that losses show
    for chain in ("PREROUTING", "OUTPUT"):
        service.run("iptables", "-t", "mangle", "-A", chain, "-j", "NFQUEUE")
    first = main_pid(service)
    pings = subprocess.Popen(service.wrap("ip", "netns", "exec", "peer", "ping", "-n", "-q", "-e",
                                          ident, "-i0.01", "-c200", "-W5", "192.0.2.1"),
                             stdout=subprocess.PIPE, text=True)
    for _ in range(2):
        pid = main_pid(service)
        time.sleep(0.2)
        if how == "restart":
            service.systemctl("restart", "ctmarkd")
        else:
            send_signal(service, "KILL")
        wait_for(lambda pid=pid: main_pid(service) not in (0, pid), what="restart")
        wait_for(lambda: service.show("ctmarkd", "ActiveState") == "active", what="active state")
    assert " 0% packet loss" in pings.communicate(timeout=30)[0]
    assert kept(service) == 3
    assert len(new_flows(service, first)) == 1
    adopted = wait_for(lambda: records(service, "CTMARK_EVENT=adopted",
                                       f"_PID={main_pid(service)}"), what="record")[0]
    assert adopted["CTMARK_FROM"] == "store" and int(adopted["CTMARK_FLOWS"]) >= 1
    assert not new_flows(service, main_pid(service))


def test_flows_survive_a_stop(service):
    """In the state directory, which nobody else can read."""
    ping_flow(service, "4712", "-c1")
    service.systemctl("stop", "ctmarkd")
    assert service.run("stat", "-c", "%U %a", "/var/lib/ctmarkd/flows").split() == ["ctmarkd", "600"]
    assert service.run("stat", "-c", "%U %a", "/var/lib/ctmarkd").split() == ["ctmarkd", "700"]
    ping(service)  # the queue is unbound, --queue-bypass applies
    service.systemctl("start", "ctmarkd")
    ping_flow(service, "4712", "-c1")
    adopted = wait_for(lambda: records(service, "CTMARK_EVENT=adopted",
                                       f"_PID={main_pid(service)}"), what="record")[0]
    assert adopted["CTMARK_FROM"] == "file"
    assert not new_flows(service, main_pid(service))
    assert service.run("ls", "/var/lib/ctmarkd").split() == []


def test_a_service_that_is_given_up_holds_no_queue(service):
    """Failed for good: the store is emptied, and packets pass by --queue-bypass."""
    service.write(CONF, "[Queue]\nRange=9-1\n")
    service.systemctl("restart", "ctmarkd", check=False)
    assert service.show("ctmarkd", "ActiveState") == "failed"
    wait_for(lambda: kept(service) == 0, what="an empty store")
    ping(service)


@pytest.mark.parametrize("how,ident", [("restart", "4713"), ("kill", "4714")])
def test_flows_survive_a_bad_configuration(service, how, ident):
    """They are there when it is repaired, whatever it was that ended the process before."""
    ping_flow(service, ident, "-c1")
    service.write(CONF, "[Track]\nStateFile=nowhere\n")
    if how == "restart":
        service.systemctl("restart", "ctmarkd", check=False)
    else:
        send_signal(service, "KILL")
    wait_for(lambda: service.show("ctmarkd", "ExecMainStatus") == "6", what="exit code 6")
    wait_for(lambda: service.show("ctmarkd", "ActiveState") == "failed", what="failure")
    service.write(CONF, "")
    service.systemctl("start", "ctmarkd")
    ping_flow(service, ident, "-c1")
    wait_for(lambda: records(service, "CTMARK_EVENT=adopted", f"_PID={main_pid(service)}",
                             "CTMARK_FROM=file"), what="record")
    assert not new_flows(service, main_pid(service))


def test_crashes_are_never_too_many(service):
    """Six in a row are more than systemd's own limit allows."""
    for _ in range(6):
        pid = main_pid(service)
        send_signal(service, "KILL")
        wait_for(lambda pid=pid: main_pid(service) not in (0, pid), what="restart")
    wait_for(lambda: service.show("ctmarkd", "ActiveState") == "active", what="active state")
    assert int(service.show("ctmarkd", "NRestarts")) >= 6


def with_watchdog(m):
    m.write("/etc/systemd/system/ctmarkd.service.d/watchdog.conf",
            "[Service]\nWatchdogSec=2s\nLimitCORE=0\n")
    m.systemctl("daemon-reload")
    m.systemctl("restart", "ctmarkd")
    return main_pid(m)


def test_watchdog_is_fed_while_idle(service):
    pid = with_watchdog(service)
    time.sleep(4)
    assert main_pid(service) == pid
    assert service.show("ctmarkd", "NRestarts") == "0"


def test_watchdog_restarts_a_stopped_process(service):
    pid = with_watchdog(service)
    send_signal(service, "STOP")
    wait_for(lambda: main_pid(service) not in (0, pid), 15, "restart")
    wait_for(lambda: service.show("ctmarkd", "ActiveState") == "active", what="active state")
    assert "watchdog" in service.run("journalctl", "--no-pager", "-u", "ctmarkd", "-g", "atchdog")
    assert count_marks(service, MARKS) == {"0xa": 1, "0xb": 1}


# Stops one thread of a process until it dies or we do.
HOLD_THREAD = """
import ctypes, os, sys
ptrace = ctypes.CDLL(None, use_errno=True).ptrace
ptrace.argtypes = [ctypes.c_long] * 4
SEIZE, INTERRUPT, WALL = 0x4206, 0x4207, 0x40000000
tid = int(sys.argv[1])
if ptrace(SEIZE, tid, 0, 0) or ptrace(INTERRUPT, tid, 0, 0):
    sys.exit(ctypes.get_errno())
os.waitpid(tid, WALL)
print("held", flush=True)
os.waitpid(tid, WALL)
"""


def thread_called(m, pid, name):
    for tid in m.run("ls", f"/proc/{pid}/task").split():
        if m.run("cat", f"/proc/{pid}/task/{tid}/comm").strip() == name:
            return tid
    raise AssertionError(f"no thread is called {name}")


def test_log_steps_behind_packets(service):
    pid = main_pid(service)

    def niceness(name):
        tid = thread_called(service, pid, name)
        return int(service.run("cat", f"/proc/{pid}/task/{tid}/stat").rpartition(")")[2].split()[16])

    assert niceness("log") > niceness("queue-0") == 0


def test_watchdog_restarts_a_stuck_worker(service):
    """The main loop lives and one worker does not come back: it is not the main loop that counts."""
    pid = with_watchdog(service)
    held = hold(service, thread_called(service, pid, "queue-0"))
    try:
        wait_for(lambda: main_pid(service) not in (0, pid), 20, "restart")
    finally:
        held.kill()
        held.wait()
    stalled = [r["MESSAGE"] for r in records(service, f"_PID={pid}", "PRIORITY=3")]
    assert any("worker of queue 0" in text for text in stalled), stalled
    wait_for(lambda: service.show("ctmarkd", "ActiveState") == "active", what="active state")
    assert count_marks(service, MARKS) == {"0xa": 1, "0xb": 1}


def hold(m, tid):
    process = subprocess.Popen(m.wrap("/usr/bin/python3", "-c", HOLD_THREAD, tid), text=True,
                               stdout=subprocess.PIPE)
    assert process.stdout.readline() == "held\n"
    return process


def test_queue_held_by_another_is_not_retried(service):
    program = service.run("systemd-run", "--wait", "--pipe", "--quiet", "-p", "User=ctmarkd", "-p",
                          "AmbientCapabilities=CAP_NET_ADMIN", "/usr/sbin/ctmarkd", check=False)
    assert "Queue 0" in program and "another process" in program


def test_security_score(service, capsys):
    text = service.run("systemd-analyze", "security", "--no-pager", "ctmarkd.service")
    score = float(re.search(r"Overall exposure level for ctmarkd.service: ([0-9.]+)", text)[1])
    with capsys.disabled():
        print(f"\nsystemd-analyze security: exposure level {score}")
    assert score <= 1.3
