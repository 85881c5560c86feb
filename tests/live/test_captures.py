# SPDX-License-Identifier: GPL-2.0-or-later
"""The captures of examples/captures, made anew: they still tell what is told of them."""

import collections
import json
import pathlib
import subprocess

import pytest

from lab import captures
from lab.daemon import binary
from lab.netns import CLIENT4, SERVER4, Lab

REPLAY = pathlib.Path(binary()).with_name("ctmark-replay")


class Story:
    """What ctmark-replay makes of a capture that was made just now."""

    def __init__(self, name, directory):
        self.path = directory / f"{name}.pcap"
        with Lab() as lab:
            captures.CAPTURES[name](lab, self.path)
        self.packets, self.ends = [], []
        for line in self.replay("-j"):
            entry = json.loads(line)
            (self.packets if "packet" in entry else self.ends).append(entry)

    def replay(self, *words):
        done = subprocess.run([REPLAY, "--helpers", "ftp", *words, self.path], capture_output=True, text=True,
                              timeout=60, check=True)
        assert done.stderr == "", "checksums are filled in, and nothing is cut off"
        return done.stdout.splitlines()

    def of(self, key, **wanted):
        """Values of a key, of the packets that have what is wanted."""
        return [p[key] for p in self.packets if key in p and all(p.get(k) == v for k, v in wanted.items())]

    def states(self, flow=1):
        """States in their order, without repetitions."""
        return list(dict.fromkeys(self.of("state", flow=flow)))

    def counts(self):
        return collections.Counter(p["ctinfo"] for p in self.packets)


@pytest.fixture
def story(request, tmp_path):
    return Story(request.param, tmp_path)


def told(name):
    return pytest.mark.parametrize("story", [name], indirect=True)


def test_each_has_a_test():
    here = pathlib.Path(__file__).read_text()
    assert [name for name in captures.CAPTURES if f'@told("{name}")' not in here] == []


@told("tcp-life")
def test_a_clean_life(story):
    assert story.of("ctinfo")[:3] == ["NEW", "ESTABLISHED_REPLY", "ESTABLISHED"]
    assert story.counts()["NEW"] == 1 and not story.of("reason")
    states = story.states()
    assert states[:3] == ["SYN_SENT", "SYN_RECV", "ESTABLISHED"] and states[-1] == "TIME_WAIT"
    assert "ASSURED" in story.packets[2]["status"] and "ASSURED" not in story.packets[1]["status"]


@told("refused")
def test_refused(story):
    assert story.of("ctinfo") == ["NEW", "ESTABLISHED_REPLY"] * 2
    assert story.of("flow") == [1, 1, 2, 2]
    assert [end["reason"] for end in story.ends] == ["tcp-rst"] * 2
    assert {end["sport"] for end in story.ends} == {40022}


@told("out-of-window")
def test_out_of_the_window(story):
    invalid = [p for p in story.packets if p["ctinfo"] == "INVALID"]
    assert [p["reason"] for p in invalid] == ["tcp-seq-over", "tcp-ack-over"]
    assert story.counts()["NEW"] == 1 and set(story.of("flow")) == {1}, "the connection is as it was"
    behind = [p for p in story.packets if p["packet"] > invalid[1]["packet"] and " len=11" in p["summary"]]
    assert behind and behind[0]["ctinfo"] == "ESTABLISHED", "the true next segment is taken"
    account = json.loads(story.replay("--explain", str(invalid[0]["packet"]), "-j")[0])
    assert account["missed_by"] == account["numbers"]["seq"] - account["numbers"]["maxend"] > 0
    assert [(s["key"], s["changes"]) for s in account["settings"]] == [("TCPBeLiberal", True)]


@told("ftp")
def test_ftp(story):
    first = [p for p in story.packets if p["ctinfo"] == "RELATED" and "related" in p["events"]]
    assert [(p["src"], p["dst"]) for p in first] == [(CLIENT4, SERVER4), (SERVER4, CLIENT4)]
    assert [p["master"] for p in first] == story.of("flow", ctinfo="NEW"), "one control connection each"
    assert not story.of("reason")


@told("icmp-error")
def test_icmp_errors(story):
    assert story.of("ctinfo", proto="icmp") == ["RELATED_REPLY", "RELATED_REPLY", "INVALID"]
    assert story.of("reason") == ["icmp-no-flow"]
    assert story.of("icmp_type", proto="icmp") == [3, 11, 3]
    assert not any("SEEN_REPLY" in status for status in story.of("status")), "an error is no answer"


@told("midstream")
def test_picked_up_in_mid_stream(story):
    assert story.packets[0]["ctinfo"] == "NEW" and story.packets[0]["state"] == "ESTABLISHED"
    assert story.packets[0]["src"] == SERVER4, "the server is taken for the initiator"
    assert story.counts()["NEW"] == 1 and not story.of("reason")
    strict = story.path.with_name("strict.conf")
    strict.write_text("[Track]\nTCPLoose=no\n")
    invalid = [json.loads(line) for line in story.replay("-j", "--config", str(strict))]
    assert {p["ctinfo"] for p in invalid} == {"INVALID"} and len(invalid) == len(story.packets)


@told("sctp")
def test_sctp(story):
    assert [p["packet"] for p in story.packets if p["ctinfo"] == "INVALID"] == [7]
    assert story.of("reason") == ["sctp-vtag"]
    assert story.states()[:4] == ["CLOSED", "COOKIE_WAIT", "COOKIE_ECHOED", "ESTABLISHED"]
    assert story.states()[4:6] == ["SHUTDOWN_SENT", "SHUTDOWN_ACK_SENT"]
