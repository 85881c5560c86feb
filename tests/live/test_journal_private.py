# SPDX-License-Identifier: GPL-2.0-or-later
"""The log of ctmarkd and a real journald: all fields come back, trouble costs records only."""

import pathlib
import re
import subprocess

import pytest

from lab import rules
from lab.daemon import TOP, Daemon, binary
from lab.journald import Journald
from lab.traffic import Traffic

MSGIDS = dict(re.findall(r'"([\w-]+)", "([0-9a-f]{32})"',
                         (TOP / "src" / "log" / "msgid.h").read_text()))

FLOW = {
    "CTMARK_FLOW": "00000000c0ffee00", "CTMARK_FAMILY": "ipv4", "CTMARK_PROTO": "tcp",
    "CTMARK_SRC": "192.0.2.2", "CTMARK_SPORT": "40000",
    "CTMARK_DST": "198.51.100.2", "CTMARK_DPORT": "443",
    "CTMARK_REPLY_SRC": "10.9.8.7", "CTMARK_REPLY_SPORT": "8443",
    "CTMARK_REPLY_DST": "192.0.2.2", "CTMARK_REPLY_DPORT": "40000",
    "CTMARK_STATE_OLD": "SYN_RECV", "CTMARK_STATE_NEW": "ESTABLISHED",
    "CTMARK_STATUS": "SEEN_REPLY,ASSURED,CONFIRMED", "CTMARK_CTINFO": "ESTABLISHED_REPLY",
    "CTMARK_MARK": "0x12b", "CTMARK_DIR": "reply", "CTMARK_TIMEOUT": "432000",
    "CTMARK_QUEUE": "2", "CTMARK_HOOK": "FORWARD", "CTMARK_IIF": "1", "CTMARK_OIF": "65000",
    "CTMARK_PACKETS_ORIG": "3", "CTMARK_PACKETS_REPLY": "2",
    "CTMARK_BYTES_ORIG": "180", "CTMARK_BYTES_REPLY": "120", "CTMARK_MASTER": "0000000000000abc",
}


@pytest.fixture(name="journal")
def _journal():
    with Journald() as journal:
        yield journal


@pytest.fixture(name="writer", scope="session")
def _writer():
    build = pathlib.Path(binary()).parent
    subprocess.run(["make", "-s", "-C", build, "tests/live/journal_writer"], check=True,
                   stdout=subprocess.DEVNULL, timeout=300)
    return str(build / "tests" / "live" / "journal_writer")


def numbers(text):
    return {key: int(value) for key, value in re.findall(r"(\w+)=(\d+)", text)}


def ours(record):
    return {key: value for key, value in record.items() if key.startswith("CTMARK_")}


def total(journal, field):
    return sum(int(record[field]) for record in journal.records() if field in record)


# ---- what is written ----

def test_every_class_field_by_field(journal, writer):
    assert numbers(journal.run(writer, "events")) == {"all": 1}
    records = journal.records(SYSLOG_IDENTIFIER="ctmarkd")
    by_event = {record["CTMARK_EVENT"]: record for record in records[:-1]}
    assert len(records) == 8 and len(by_event) == 7

    for event, record in by_event.items():
        expected = FLOW | {"CTMARK_EVENT": event}
        if event == "destroy":
            expected["CTMARK_REASON"] = "timeout"
            del expected["CTMARK_TIMEOUT"]
        if event == "invalid":
            expected |= {"CTMARK_REASON": "tcp-ack-over", "CTMARK_DETAIL": "ack=10 sack=20 end=30"}
        assert ours(record) == expected
        name = "packet-invalid" if event == "invalid" else f"flow-{event}"
        assert record["MESSAGE_ID"] == MSGIDS[name]
        assert record["PRIORITY"] == ("5" if event == "invalid" else "6")
        assert "CODE_FILE" not in record
    assert by_event["state"]["MESSAGE"] == \
        "TCP 192.0.2.2:40000 > 198.51.100.2:443: SYN_RECV > ESTABLISHED (reply)"


def test_packet_without_a_flow(journal, writer):
    journal.run(writer, "events")
    record = journal.records(CTMARK_REASON="icmp-unasked")[0]
    assert ours(record) == {
        "CTMARK_EVENT": "invalid", "CTMARK_FAMILY": "ipv6", "CTMARK_PROTO": "icmpv6",
        "CTMARK_SRC": "2001:db8::1", "CTMARK_DST": "2001:db8::2", "CTMARK_ICMP_TYPE": "129",
        "CTMARK_ICMP_CODE": "0", "CTMARK_ICMP_ID": "77", "CTMARK_CTINFO": "INVALID",
        "CTMARK_MARK": "0xe", "CTMARK_REASON": "icmp-unasked",
        "CTMARK_DETAIL": "type=129 code=0 id=77", "CTMARK_QUEUE": "0",
        "CTMARK_HOOK": "PREROUTING"}


def test_catalog_explains_each_class(journal, writer):
    journal.run(writer, "events")
    journal.run(writer, "oplog", "1")
    text = journal.journalctl("-x", "SYSLOG_IDENTIFIER=ctmarkd")
    for line in ("Subject: New flow 192.0.2.2 > 198.51.100.2 (tcp)",
                 "Subject: Flow 00000000c0ffee00 is now in state ESTABLISHED",
                 "Subject: Flow 00000000c0ffee00 has ended (timeout)",
                 "Subject: Packet is INVALID: tcp-ack-over",
                 "journalctl CTMARK_EVENT=invalid CTMARK_REASON=icmp-unasked",
                 "Subject: Trouble with a queue"):
        assert line in text
    # nothing is left to fill in
    assert not re.search(r"@[A-Z_]+@|unset", text)


def test_operational_message(journal, writer):
    journal.run(writer, "oplog", "1")
    record = journal.records(MESSAGE_ID=MSGIDS["queue-error"])[0]
    assert record["MESSAGE"] == "Cannot bind queue 0: Operation not permitted"
    assert record["PRIORITY"] == "3"
    assert record["ERRNO"] == "1"
    assert record["SYSLOG_IDENTIFIER"] == "ctmarkd"
    assert ours(record) == {"CTMARK_EVENT": "queue-error"}


def test_rate_limit_is_told_exactly(journal, writer):
    said = numbers(journal.run(writer, "limited", "100000"))
    passed = len(journal.records(CTMARK_EVENT="state"))
    assert passed == 5
    assert said["suppressed"] == 100000 - passed
    summary = journal.records(MESSAGE_ID=MSGIDS["log-suppressed"])[0]
    assert ours(summary) == {"CTMARK_EVENT": "log-suppressed", "CTMARK_CLASS": "state",
                             "CTMARK_SUPPRESSED": "99995"}


# ---- a journal in trouble ----

FLOOD = 100000


def test_stopped_journal_never_blocks_the_pusher(journal, writer):
    journal.pause()
    with journal.popen(writer, "flood", str(FLOOD), text=True, stdin=subprocess.PIPE,
                       stdout=subprocess.PIPE) as process:
        # the flood is over while the journal is still stopped
        longest = numbers(process.stdout.readline())["longest_us"]
        said = numbers(process.stdout.readline())
        journal.resume()
        rest = numbers(process.communicate("\n", timeout=60)[0])

    assert longest < 1000000
    assert rest == {"all": 1}
    assert said["dropped"] > 0 and said["suppressed"] == 0
    # what is missing is said, to the last record
    assert total(journal, "CTMARK_DROPPED") == said["dropped"]
    assert len(journal.records(CTMARK_EVENT="state")) == FLOOD - said["dropped"]
    assert journal.records(CTMARK_EVENT="log-dropped")[0]["MESSAGE_ID"] == MSGIDS["log-dropped"]


def test_stopped_journal_does_not_hold_up_the_end(journal, writer):
    journal.pause()
    said = numbers(journal.run(writer, "abandon", "1000", timeout=20))
    journal.resume()
    assert said["all"] == 0
    assert len(journal.records(CTMARK_EVENT="state")) < 1000


def test_stopped_journal_does_not_hold_up_operational_messages(journal, writer):
    journal.pause()
    backlog = int(pathlib.Path("/proc/sys/net/unix/max_dgram_qlen").read_text())
    count = backlog + 20
    out = journal.run(writer, "oplog", str(count), timeout=60)
    journal.resume()
    assert f"written={count}" in out
    # those that the journal did not take went to stderr
    kept = len(journal.records(MESSAGE_ID=MSGIDS["queue-error"]))
    assert 0 < kept < count
    assert kept + out.count("Cannot bind queue") == count


def test_busy_journal_gets_operational_messages_all_the_same(journal, writer):
    with journal.popen(writer, "flood", "16000", text=True, stdin=subprocess.PIPE,
                       stdout=subprocess.PIPE) as flood:
        out = journal.run(writer, "oplog", "200", timeout=60)
        flood.communicate("\n", timeout=60)
    kept = len(journal.records(MESSAGE_ID=MSGIDS["queue-error"]))
    assert kept + out.count("Cannot bind queue") == 200
    # all of them, unless this machine is busy beyond the patience for one message
    assert kept > 150


@pytest.mark.parametrize("socket_left", [True, False])
def test_journal_that_is_gone_for_a_while(journal, writer, socket_left):
    journal.kill()
    if not socket_left:
        journal.run("rm", "/run/systemd/journal/socket")
    with journal.popen(writer, "refused", "1000", text=True, stdin=subprocess.PIPE,
                       stdout=subprocess.PIPE) as process:
        said = "".join(process.stdout.readline() for _ in range(3))
        journal.start()
        process.communicate("\n", timeout=60)
    assert numbers(said)["failed"] == 1000
    assert not journal.records(CTMARK_EVENT="state")
    assert total(journal, "CTMARK_DROPPED") == 1000


# ---- the daemon ----

def test_daemon_writes_real_traffic(lab, nflog, journal):
    rules.queue(lab.router)
    config = {"Log": {"Target": "journal"}}
    with Daemon(lab.router, config, prefix=journal.enter()) as daemon:
        Traffic(lab, nflog, False).tcp_refused()
        Traffic(lab, nflog, True).tcp_connection()
        Traffic(lab, nflog, False).tcp_forged()
        assert daemon.stop() == 0

    new = journal.records(CTMARK_EVENT="new", CTMARK_FAMILY="ipv6")[0]
    assert (new["CTMARK_SRC"], new["CTMARK_DST"]) == ("2001:db8:1::2", "2001:db8:2::2")
    flow = new["CTMARK_FLOW"]
    assert new["CTMARK_IIF"] == "lan" and new["CTMARK_CTINFO"] == "NEW"
    states = [record["CTMARK_STATE_NEW"]
              for record in journal.records(CTMARK_EVENT="state", CTMARK_FLOW=flow)]
    assert states[:2] == ["SYN_RECV", "ESTABLISHED"] and states[-1] == "TIME_WAIT"
    answer = journal.records(CTMARK_EVENT="reply", CTMARK_FLOW=flow)[0]
    assert answer["CTMARK_IIF"] == "wan" and answer["CTMARK_DIR"] == "reply"

    ended = journal.records(CTMARK_EVENT="destroy")[0]
    assert ended["CTMARK_REASON"] == "tcp-rst" and ended["CTMARK_FAMILY"] == "ipv4"
    forged = journal.records(CTMARK_EVENT="invalid")[0]
    assert forged["CTMARK_REASON"] == "tcp-seq-over"
    assert re.fullmatch(r"seq=\d+ end=\d+ maxend=\d+ ack=\d+", forged["CTMARK_DETAIL"])
    assert journal.records(MESSAGE_ID=MSGIDS["started"])
    assert journal.records(MESSAGE_ID=MSGIDS["stopped"])
    # nothing of it on the console
    assert not daemon.events()


def test_daemon_with_a_stopped_journal(lab, nflog, journal):
    """Packets flow, and the daemon ends in time, as if the journal were well."""
    rules.queue(lab.router)
    with Daemon(lab.router, {"Log": {"Target": "journal"}}, prefix=journal.enter()) as daemon:
        journal.pause()
        traffic = Traffic(lab, nflog, False)
        for _ in range(20):
            traffic.udp_query()
            traffic.tcp_refused()
        assert daemon.stop(timeout=30) == 0
        journal.resume()
    assert None not in [rules.name_of(p.mark) for p in nflog.settle()]
