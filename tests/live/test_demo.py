# SPDX-License-Identifier: GPL-2.0-or-later
"""The demonstration shows what the README says of it, with root and without."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

from lab.ctmarkctl import NOBODY
from lab.daemon import TOP, binary


def demo(top=TOP, ctmarkd=binary(), **kwargs):
    env = os.environ | {"CTMARKD": str(ctmarkd), "PYTHONPATH": str(top / "tests"),
                        "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run([sys.executable, "-m", "lab.demo"], cwd="/", env=env, text=True, timeout=100,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **kwargs)


def test_live():
    done = demo()
    assert done.returncode == 0, done.stdout
    shown = [line for line in done.stdout.splitlines() if line.startswith("$ ")]
    assert [line.split()[1] for line in shown] == ["journalctl"] * 5 + ["ctmarkctl"] * 3
    assert done.stdout.rstrip().splitlines()[-1].startswith("All as it should be: ")


def copy_for_others(place):
    """What it takes, where others may go; the tree itself may be closed to them."""
    place.chmod(0o755)
    for part in ("tests/lab", "examples/captures"):
        shutil.copytree(TOP / part, place / part)
    (place / "build").mkdir()
    shutil.copy(pathlib.Path(binary()).with_name("ctmark-replay"), place / "build")
    return place / "build" / "ctmarkd"


def test_without_root():
    with tempfile.TemporaryDirectory() as name:
        place = pathlib.Path(name)
        done = demo(place, copy_for_others(place), user=NOBODY, group=NOBODY, extra_groups=[])
    assert done.returncode == 0, done.stdout
    assert "Only root can" in done.stdout and "All as it should be" in done.stdout
    assert "must be at most 1187569421" in done.stdout, "the account of a packet"
