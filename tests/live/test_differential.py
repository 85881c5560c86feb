# SPDX-License-Identifier: GPL-2.0-or-later
"""
Random conversations of all protocols: the kernel, ctmarkd behind its queue and the engine in process
say the same of every packet and keep the same state, and mistakes of the engine are noticed.

The same for as long as one likes: tests/differential/run --packets N.
"""

import pathlib
import re

import pytest

from lab.daemon import binary
from lab.differential import HELPER_PACKETS, Differential
from lab.netns import sh

PACKETS = 40000
SEEDS = range(1, 11)
LEAST = 95  # percent of the cells of each state table that packets can reach
CLASSES = {"NEW", "ESTABLISHED", "ESTABLISHED_REPLY", "RELATED", "RELATED_REPLY", "INVALID",
           "UNTRACKED"}


@pytest.fixture(scope="module")
def differential(request):
    with Differential() as made:
        yield made
        with request.config.pluginmanager.get_plugin("capturemanager").global_and_fixture_disabled():
            print("\nrandom traffic: " +
                  ", ".join(f"{n} {what}" for what, n in sorted(made.totals.items())))


@pytest.mark.parametrize("seed", SEEDS)
def test_agreement(differential, seed):
    """Kernel, ctmarkd and engine agree on every packet of a run."""
    code, output = differential.play(seed, PACKETS)
    assert code == 0, output
    assert int(re.search(r"# (\d+) packets", output)[1]) >= PACKETS
    assert CLASSES <= set(re.findall(r"[A-Z_]+", output)), "not every class was reached"


@pytest.mark.parametrize("seed", [100, 105, 110, 115])
def test_helpers_of_the_kernel(differential, seed):
    """Kernel and engine agree on what helpers expect and drop, with nobody in front to drop it first."""
    code, output = differential.play(seed, HELPER_PACKETS, daemon=False, kind="helpers")
    assert code == 0, output
    assert " RELATED " in output


def test_coverage(differential):
    """The packets of all those runs have reached the state tables' cells."""
    enough, output = differential.covered(LEAST)
    assert enough, output


MUTANTS = [
    "tcp:0:3:5:6",    # an ACK of the originator in CLOSE_WAIT: LAST_ACK, does not stay there
    "tcp:0:0:3:10",   # its SYN in ESTABLISHED: invalid, not ignored
    "tcp:1:0:1:10",   # a SYN as an answer: invalid, not a simultaneous open
    "tcp:1:2:7:8",    # a FIN of the responder in TIME_WAIT: CLOSE
    "tcp:1:1:9:11",   # its SYNACK in a simultaneous open: ignored
    "sctp:1:2:1:1",   # an INIT ACK in CLOSED: stays there
    "sctp:0:7:4:6",   # a SHUTDOWN of the originator: received, not sent
    "sctp:1:5:8:8",   # a HEARTBEAT ACK on a new path: not established
    "set:tcp_timeout_fin_wait:124",
    "set:sctp_timeout_cookie_wait:7",
    "set:udp_timeout_stream:125",
    "set:icmpv6_timeout:33",
    "set:gre_timeout:33",
    "set:tcp_loose:0",
    "set:tcp_be_liberal:1",
    "set:tcp_ignore_invalid_rst:1",
    "set:tcp_max_retrans:2",
]
USUAL = 5  # a seed with the usual settings


@pytest.mark.parametrize("mutant", MUTANTS)
def test_mutant_is_noticed(differential, mutant):
    """A mistake in the engine is found."""
    code, output = differential.play(USUAL, PACKETS, daemon=False, mutant=mutant, one=True)
    assert code == 1 and "# differs: " in output, output


def test_no_mutant(differential):
    """The program with the mistakes agrees as long as it makes none."""
    code, output = differential.play(USUAL, PACKETS // 4, daemon=False, mutant="")
    assert code == 0, output


@pytest.mark.parametrize("kind,mutant,most", [("tcp", "tcp:0:2:3:5", 4), ("sctp", "sctp:1:2:1:1", 3),
                                              ("ftp", "tcp:0:3:4:6", 5)])
def test_script(differential, tmp_path, kind, mutant, most):
    """What differs is made small and told as a packet script of which an engine without the mistake
    makes what the kernel made of it."""
    _, output = differential.play(USUAL, PACKETS, daemon=False, kind=kind, mutant=mutant)
    script = output.split("# --- reduced:\n")[1].split("# --- as it was")[0]
    path = tmp_path / "found.flow"
    path.write_text(script)
    assert 2 <= len(re.findall(r"^[AB] > [AB] ", script, re.M)) <= most, script
    flowrun = str(pathlib.Path(binary()).parent / "tests" / "flows" / "flowrun")
    assert "not ok" not in sh(flowrun, str(path)), script


@pytest.mark.parametrize("key", ["TCPLoose=no", "TCPBeLiberal=yes", "Checksum=no"])
def test_daemon_is_compared(differential, key):
    """A ctmarkd with another setting than kernel and engine is noticed."""
    code, output = differential.play(USUAL, PACKETS, settings=f"[Track]\n{key}\n", one=True)
    assert code == 1 and "# differs: class of ctmarkd" in output, output
