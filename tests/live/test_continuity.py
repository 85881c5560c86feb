# SPDX-License-Identifier: GPL-2.0-or-later
"""
Nobody notices that ctmarkd ends and comes back: not by a signal, a restart, an upgrade or a boot.

Everything is judged from outside: by the packets that arrive, the connections that live on, and the
records of the journal. The quiet journey is the same without any interruption: it shows that the
traffic itself loses nothing.
"""

import contextlib
import os
import random
import re
import subprocess
import time

import pytest

from lab.continuity import ONE_QUEUE, SHORT, STATE_FILE, Bed, Talk, build_packages, identity
from lab.netns import SERVER4
from lab.services import Iperf, poll

pytestmark = pytest.mark.systemd

KILLS = int(os.environ.get("CTMARK_KILLS", "20"))
RESTARTS = int(os.environ.get("CTMARK_RESTARTS", "20"))
LONG = {"Timeouts": {"UDP": "600s", "UDPStream": "600s"}}
MILLION = int(os.environ.get("CTMARK_FLOWS", "1000000"))


@pytest.fixture(scope="module")
def bed():
    with Bed() as b:
        b.rules()
        yield b


def numbers(text):
    return [int(word.replace(",", "")) for word in re.findall(r"(?<![\w.:])\d[\d,]*", text)]


# --- journeys -------------------------------------------------------------------------------------

# Each interruption tells the processes that came after the first.

def nothing(_bed):
    time.sleep(1.5)
    return []


def kills(bed):
    pids = []
    for _ in range(KILLS):
        time.sleep(random.uniform(0.02, 0.15))
        pids.append(bed.unit.kill())
    return pids


def restarts(bed):
    pids = []
    for _ in range(RESTARTS):
        time.sleep(random.uniform(0.02, 0.1))
        pids.append(bed.unit.restart())
    return pids


def upgrade(bed):
    """From one package to the next; the first takes over what make install left."""
    pids = []
    directory = bed.machine.root / "var/tmp/packages"
    directory.mkdir()
    for version, file in zip("12", build_packages(directory, "1", "2")):
        bed.machine.run("dpkg", "-i", "--force-unsafe-io", "--force-confold",
                        f"/var/tmp/packages/{os.path.basename(file)}", timeout=60)
        assert bed.machine.run("dpkg-query", "-W", "-f", "${Version}", "ctmarkd") == version
        pids.append(bed.unit.pid)
        time.sleep(0.3)
    return pids


# What interrupts, how many processes come after the first, and the seconds of a bulk stream meanwhile.
JOURNEYS = {"quiet": (nothing, 0, 1), "kill": (kills, KILLS, int(KILLS * 0.65)),
            "restart": (restarts, RESTARTS, int(RESTARTS * 0.2)), "upgrade": (upgrade, 2, 3)}


class Journey:
    """One kind of interruption under all of the traffic."""

    def __init__(self, bed, name):
        self.bed, self.name = bed, name
        self.interrupt, self.processes, self.seconds = JOURNEYS[name]
        self.failure = None

    def run(self):
        unit = self.bed.unit
        unit.reload()
        self.since, refused = unit.now(), self.bed.hits("refused")
        with Iperf(self.bed.server), Talk(self.bed) as talk:
            wait_new(unit, self.since, talk)
            first = unit.pid
            bulk = start_bulk(self.bed, self.seconds)
            self.pids = {first, *self.interrupt(self.bed)}
            self.bulk = end_bulk(bulk, self.seconds)
            unit.reload(**SHORT)
            self.outcome = talk.finish()
        self.refused = self.bed.hits("refused") - refused
        self.invalid, self.errors = unit.events(self.since, "invalid"), unit.errors(self.since)

    def wait_ended(self):
        """Until the flows of its streams have ended; if they do not, test_each_packet_is_judged_once tells."""
        streams = {self.outcome.long_lived()[name] for name, _ in self.outcome.streams}
        with contextlib.suppress(AssertionError):
            poll(lambda: streams <= {identity(r) for r in self.bed.unit.events(self.since, "destroy")}, 12, pause=0.5)

    def read(self):
        """What the journal has on those that lived all the time."""
        lived = self.outcome.long_lived()
        new = self.bed.unit.events(self.since, "new", "related")
        later = self.bed.unit.events(self.since, "state", "assured", "destroy")
        self.new_of = {name: [r for r in new if identity(r) == key] for name, key in lived.items()}
        self.of = {name: [r for r in later if identity(r) == key] for name, key in lived.items()}


def wait_new(unit, since, talk):
    """Until the beginning of everything that lives long is on record. Returns {name: flow id}."""
    lived = talk.look().long_lived()

    def complete():
        ids = {identity(r): r["CTMARK_FLOW"] for r in unit.events(since, "new")}
        return all(key in ids for key in lived.values()) and ids

    ids = poll(complete, pause=0.2)
    return {name: ids[key] for name, key in lived.items()}


def start_bulk(bed, seconds):
    return bed.client.popen("iperf3", "--client", SERVER4, "--time", str(max(1, seconds)), "--bitrate", "40M",
                            "--interval", "0", text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def end_bulk(process, seconds):
    """(exit code, what it said)"""
    try:
        text = process.communicate(timeout=seconds + 5)[0]
    except subprocess.TimeoutExpired:
        process.kill()
        text = process.communicate()[0] + "\nit did not end"
    return process.returncode, text


@contextlib.contextmanager
def told_by(journey):
    """What goes wrong in here is told by the tests of a journey."""
    try:
        yield
    except (AssertionError, RuntimeError, subprocess.TimeoutExpired) as failure:
        journey.failure = journey.failure or failure


@pytest.fixture(scope="module")
def journeys(bed):
    """
    All of them, one after the other, over one table. The last records of the first must not get lost by a
    SIGKILL; those of the others are safe.
    """
    done = {name: Journey(bed, name) for name in JOURNEYS}
    bed.unit.fresh()
    for name, journey in done.items():
        with told_by(journey):
            journey.run()
            if name == "quiet":
                journey.wait_ended()
    for journey in done.values():
        with told_by(journey):
            if not journey.failure:
                journey.wait_ended()
                journey.read()
    return done


@pytest.fixture(params=JOURNEYS)
def journey(journeys, request):
    found = journeys[request.param]
    assert found.failure is None, found.failure
    return found


def test_no_packet_is_lost(journey, capsys):
    outcome = journey.outcome
    with capsys.disabled():
        print(f"\n{journey.name}: {outcome.line()}")
    assert outcome.sent() > 1000 and outcome.streams["udp4", "back"]["sent"] > 300
    assert outcome.lost() == {}
    assert outcome.duplicated() == {}
    assert [s["error"] for s in outcome.streams.values() if s["error"]] == []


def test_no_connection_is_lost(journey):
    outcome = journey.outcome
    assert outcome.broken() == {}
    assert outcome.connections["churn"]["exchanges"] > 5
    assert outcome.connections["held4"]["exchanges"] > 5
    assert outcome.connections["silent4"]["exchanges"] == 2
    assert journey.bulk[0] == 0, journey.bulk[1]


def test_flows_keep_their_ids(journey):
    """One beginning for each, and all that follows is about the same flow."""
    for name, new in journey.new_of.items():
        assert len(new) == 1, f"{name} was new {len(new)} times"
        last = {r["CTMARK_FLOW"] for r in journey.of[name]}
        assert last == {new[0]["CTMARK_FLOW"]}, name


def test_nothing_is_refused(journey):
    assert [r["MESSAGE"] for r in journey.invalid[:5]] == []
    assert journey.refused == 0
    assert journey.errors == []
    assert journey.bed.kernel_entries() == 0


def test_each_packet_is_judged_once(journey):
    """What the flows of the streams count is what was sent, whatever a process was at when it died."""
    seen = 0
    for (name, direction), packets, size in counted(journey):
        stream = journey.outcome.streams[name, direction]
        assert (packets, size) == (stream["sent"], stream["bytes"]), (name, direction)
        seen += 1
    assert seen == 6


def counted(journey):
    """((stream, direction), packets, bytes) of the DESTROY record of each stream."""
    for name in ("ping4", "udp4", "ping6", "udp6"):
        end = [r for r in journey.of[name] if r["CTMARK_EVENT"] == "destroy"]
        assert len(end) == 1, f"{name} ended {len(end)} times"
        for direction, suffix in (("out", "ORIG"), ("back", "REPLY")):
            values = (int(end[0][f"CTMARK_{what}_{suffix}"]) for what in ("PACKETS", "BYTES"))
            if (name, direction) in journey.outcome.streams:
                yield (name, direction), *values


def test_was_interrupted(journey):
    assert len(journey.pids) == 1 + journey.processes


# --- what was judged, but not answered ------------------------------------------------------------

# Lets a stopped process run for a moment and kills it. Prints what is left in queue 0.
CUT_OFF = """
import os, select, signal, sys, time
pid, delay = int(sys.argv[1]), float(sys.argv[2])
process = os.pidfd_open(pid)
os.kill(pid, signal.SIGCONT)
time.sleep(delay)
os.kill(pid, signal.SIGKILL)
select.select([process], [], [], 5)
rows = [line.split() for line in open("/proc/net/netfilter/nfnetlink_queue")]
print(sum(int(row[2]) for row in rows if row[0] == "0"))
"""


def cut_off(unit, delay):
    """How many packets a SIGKILL leaves in the queue."""
    old = unit.pid
    text = unit.machine.run("/usr/bin/python3", "-c", CUT_OFF, str(old), str(delay))
    poll(lambda: unit.is_back(old), 20)
    return int(text)


def test_backlog_that_is_cut_off(bed, capsys):
    """Killed in the middle of thousands of packets: a part is answered, a part was only read."""
    bed.rules()
    bed.unit.fresh()
    since, left = bed.unit.now(), []
    with Talk(bed, ("udp4",)) as talk:
        wait_new(bed.unit, since, talk)
        for delay in (0.001, 0.002, 0.004):
            bed.unit.freeze()
            talk.ask("client", "burst 3000")
            left.append(cut_off(bed.unit, delay))
        bed.unit.reload(**SHORT)
        outcome = talk.finish()
    ended = poll(lambda: bed.unit.events(since, "destroy"), 20, pause=0.5)
    stream = outcome.streams["udp4", "out"]
    again = int(ended[0]["CTMARK_PACKETS_ORIG"]) - stream["sent"]
    with capsys.disabled():
        print(f"\nbacklog: {outcome.line()}; left by each kill {left}, judged twice {again}")
    assert any(left), "no kill fell into the backlog"
    assert outcome.lost() == {} and outcome.duplicated() == {}
    assert len(bed.unit.events(since, "new")) == 1 and bed.unit.events(since, "invalid") == []
    assert again == 0


# --- another configuration after a restart --------------------------------------------------------

TWO_QUEUES = ("-p udp -j NFQUEUE --queue-num 1", "--queue-balance 0:1")


def same_flows(unit, since, ids, outcome):
    """Everything that lived all the time was new once, and ended as what it was."""
    keys = outcome.long_lived()
    new = [identity(r) for r in unit.events(since, "new", "related")]
    assert {name: new.count(key) for name, key in keys.items()} == dict.fromkeys(keys, 1)
    later = {(identity(r), r["CTMARK_FLOW"]) for r in unit.events(since, "state", "assured")}
    held = {name: key for name, key in keys.items() if name in outcome.connections}
    assert {name for name, key in held.items() if (key, ids[name]) not in later} == set()
    assert {key for key, flow in later if key in held.values()} == set(held.values())
    assert len({pair for pair in later if pair[0] in held.values()}) == len(held)


def check_unnoticed(outcome):
    assert outcome.lost() == {} and outcome.duplicated() == {}
    assert outcome.broken() == {}


@pytest.mark.parametrize("how", ("kill", "restart"))
def test_fewer_queues_leave_nobody_waiting(bed, how, capsys):
    """What waits in a queue that is not wanted any more is answered by who comes next."""
    unit = bed.unit
    bed.rules()
    unit.fresh()
    since = unit.now()
    with Talk(bed) as talk:
        ids = wait_new(unit, since, talk)
        unit.configure(Queue={"Range": "0-1"})
        unit.restart()
        bed.queues(*TWO_QUEUES)
        time.sleep(0.3)
        unit.configure(Queue={"Range": "0"})
        unit.freeze()
        waited = poll(lambda: (bed.waiting(1) or 0) > 20 and bed.waiting(1))
        bed.queues(*ONE_QUEUE)
        assert bed.waiting(1) >= waited
        getattr(unit, how)()
        outcome = talk.finish()
    with capsys.disabled():
        print(f"\nqueues 0-1 to 0, {how}: {waited} waited in queue 1; {outcome.line()}")
    check_unnoticed(outcome)
    same_flows(unit, since, ids, outcome)
    assert bed.waiting(1) is None, "queue 1 is still held"
    assert unit.events(since, "invalid") == [] and unit.errors(since) == []


def test_table_of_another_size(bed, capsys):
    """A larger one keeps all flows; of a smaller one the record says how many found no room."""
    unit = bed.unit
    bed.rules()
    unit.fresh(Track={"MaxFlows": "2000"}, **LONG)
    since = unit.now()
    with Talk(bed, ("held4", "held6", "silent4", "udp4")) as talk:
        ids = wait_new(unit, since, talk)
        bed.blast(700, rate=20000)
        before = unit.settled_flows(701)
        unit.configure(Track={"MaxFlows": "4000"}, **LONG)
        unit.restart()
        grown, shrinking = unit.flows_become(before), unit.now()
        unit.configure(Track={"MaxFlows": "64"}, **LONG)
        unit.restart()
        poll(lambda: unit.flows() <= 64, what="the smaller table")
        after = unit.settled_flows()
        outcome = talk.finish()
    said = [text for _, text in unit.messages(shrinking) if before - after in numbers(text)]
    with capsys.disabled():
        print(f"\n{before} flows, {grown} in a larger table, {after} in one of 64; {outcome.line()}; {said}")
    assert before > 700 and grown == before and after <= 64
    check_unnoticed(outcome)
    same_flows(unit, since, ids, outcome)
    assert said, unit.messages(shrinking)


def test_mask_changes(bed):
    unit = bed.unit
    bed.rules(masks=(0xf, 0xf00))
    unit.fresh()
    since = unit.now()
    with Talk(bed) as talk:
        ids = wait_new(unit, since, talk)
        assert bed.hits("ESTABLISHED/0xf00") == 0
        unit.configure(Mark={"Mask": "0xf00"})
        unit.restart()
        time.sleep(0.3)
        outcome = talk.finish()
    check_unnoticed(outcome)
    same_flows(unit, since, ids, outcome)
    assert bed.hits("ESTABLISHED/0xf00") > 100 and bed.hits("refused") == 0


# --- a million flows ------------------------------------------------------------------------------

def fill(bed, flows):
    """What does not fit into the queue at once is sent again."""
    have = 0
    for _ in range(3):
        bed.blast(flows, rate=250000)
        have = bed.unit.settled_flows()
        if have >= flows * 0.99:
            return have
    raise AssertionError(f"only {have} flows came to the table")


def test_a_million_flows(bed, capsys):
    """They cost the next process less than a second; the bound is generous, the figure is printed."""
    unit = bed.unit
    bed.rules()
    quiet = {"Log": {"Events": "invalid"}}
    unit.fresh(Track={"MaxFlows": str(MILLION * 6 // 5)}, Queue={"MaxPackets": "65536"}, **LONG, **quiet)
    since, starts, kept = unit.now(), {}, {}
    fill(bed, MILLION)
    before = unit.settled_flows()
    with Talk(bed, ("ping4", "udp4", "held4")) as talk:
        have = unit.flows_become(before + 3)  # as many as those that talk
        for how in ("kill", "restart"):
            getattr(unit, how)()
            starts[how], kept[how] = unit.start_ms(), unit.flows_become(have)
        outcome = talk.finish(10)
    with capsys.disabled():
        print(f"\n{have} flows: ready after {starts} ms with {kept}; {outcome.line()}")
    assert kept == dict.fromkeys(kept, have)
    check_unnoticed(outcome)
    assert unit.events(since, "invalid") == [] and unit.errors(since) == []
    assert max(starts.values()) <= 3000


# --- through a file -------------------------------------------------------------------------------

def stop_and_start(bed):
    bed.unit.stop()
    saved = bed.machine.run("stat", "-c", "%s", STATE_FILE, check=False).strip()
    bed.rules(doors=False)
    bed.unit.start()
    return saved


def boot(bed):
    """The clocks of the machine go back; its hosts do not notice more than that it is gone."""
    bed.reboot(doors=False)
    saved = bed.machine.run("stat", "-c", "%s", STATE_FILE, check=False).strip()
    bed.unit.start()
    return saved


@pytest.mark.parametrize("how", (stop_and_start, boot))
def test_flows_outlive_the_unit(bed, how, capsys):
    """
    What is open goes on, though nothing new would be let in any more. Journal and clocks of a boot are
    other ones: the flows are told by the ids in what it writes.
    """
    unit = bed.unit
    bed.rules()
    unit.fresh(**LONG)
    since = unit.now()
    with Talk(bed, ("held4", "held6", "silent4", "udp4")) as talk:
        ids = wait_new(unit, since, talk)
        bed.blast(100, rate=20000)
        flows = unit.settled_flows(100)
        saved, again = how(bed), unit.now()
        there = talk.look().streams
        time.sleep(1)
        here = talk.look().streams
        outcome = talk.finish()
    said = [text for _, text in unit.messages(since) if re.search("(?i)(took|taken) over|restored", text)]
    with capsys.disabled():
        print(f"\n{how.__name__}: {flows} flows in {saved} bytes; {outcome.line()}; {said}")
    assert outcome.broken() == {}
    assert all(here[key]["received"] - there[key]["received"] > 100 for key in here), "the stream does not go on"
    assert bed.hits("refused") == 0 and unit.events(again, "new", "invalid") == []
    later = {(identity(r), r["CTMARK_FLOW"]) for r in unit.events(again, "state")}
    keys = outcome.long_lived()
    assert later == {(keys[name], ids[name]) for name in outcome.connections}
    assert any(flows in numbers(text) for text in said), unit.messages(since)


def flip(data):
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 0x10]) + data[middle + 1:]


def truncate(data):
    return data[:len(data) // 2]


@pytest.mark.parametrize("damage", (flip, truncate))
def test_damaged_file_is_refused(bed, damage):
    """The whole of it, with one record; what was there before the damage is what a good one restores."""
    unit = bed.unit
    bed.rules()
    unit.fresh(**LONG)
    bed.blast(100, rate=20000)
    flows = unit.settled_flows(100)
    unit.stop()
    unit.start()
    assert unit.flows_become(flows) == flows >= 100
    unit.stop()
    file = bed.machine.root / STATE_FILE.lstrip("/")
    file.write_bytes(damage(file.read_bytes()))
    since = unit.now()
    unit.start()
    assert unit.settled_flows() == 0
    refused = [text for priority, text in unit.messages(since) if priority <= 4]
    assert len(refused) == 1 and STATE_FILE in refused[0], refused
    assert unit.show("ActiveState")["ActiveState"] == "active"
