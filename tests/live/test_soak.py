# SPDX-License-Identifier: GPL-2.0-or-later
"""A short soak; ./bootstrap check-long runs the long one."""

import os

import pytest

from lab.continuity import Bed
from lab.soak import Soak

pytestmark = pytest.mark.systemd

SECONDS = float(os.environ.get("CTMARK_SOAK", "15"))


def test_nothing_grows_and_all_adds_up(capsys):
    with Bed() as bed:
        soak = Soak(bed, SECONDS)
        soak.run()
    with capsys.disabled():
        print("", *soak.lines(), sep="\n")
    assert soak.trouble() == []
    assert min(soak.done.values()) > 0 and min(soak.times.values()) > 3
    assert len(soak.samples) > 5 and soak.life["made"] > 100 and soak.life["ended"] > 100
