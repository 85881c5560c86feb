# SPDX-License-Identifier: GPL-2.0-or-later
"""A queue outlives its process: kill -9 in mid-traffic, again and again, costs no packet."""

import json
import os
import pathlib
import subprocess

import pytest

from lab import netns
from lab.daemon import binary


@pytest.fixture
def space():
    alone = netns.Netns(f"ctlab-{os.getpid()}-heirs")
    try:
        alone.run("iptables", "-w", "-t", "mangle", "-A", "OUTPUT", "-p", "udp",
                  "--dport", "4000", "-j", "NFQUEUE", "--queue-num", "0")
        yield alone
    finally:
        alone.close()


@pytest.fixture(scope="session")
def heirs():
    build = pathlib.Path(binary()).resolve().parent
    subprocess.run(["make", "-s", "-C", build, "tests/live/heirs"], check=True)
    return str(build / "tests" / "live" / "heirs")


def killed(space, program, seconds, held):
    return json.loads(space.run(program, str(seconds), str(held), timeout=seconds + 30))


@pytest.mark.parametrize("held", [0, 20])
def test_no_packet_is_lost(space, heirs, held):
    found = killed(space, heirs, 3, held)
    assert found["deaths"] > 20
    assert found["adopted"] > 5  # on a slow machine most die before they come to that
    assert found["sent"] > 5000
    assert found["received"] == found["sent"]
    assert found["twice"] == 0
    assert found["gone"] == 0
    assert found["lost"] == 0
    assert found["waiting"] == 0
    assert found["off"] == 0
    assert found["inherited"] + found["resent"] > 0
    # only where a process was killed while it set its queue up
    assert found["again"] == 0 or found["damaged"] > 0
