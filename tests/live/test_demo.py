# SPDX-License-Identifier: GPL-2.0-or-later
"""The demonstration shows what the README says of it, with root and without."""

import os
import subprocess
import sys

from lab.ctmarkctl import NOBODY
from lab.daemon import TOP, binary


def demo(**kwargs):
    env = os.environ | {"CTMARKD": binary(), "PYTHONPATH": str(TOP / "tests"), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run([sys.executable, "-m", "lab.demo"], cwd="/", env=env, text=True, timeout=100,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **kwargs)


def test_live():
    done = demo()
    assert done.returncode == 0, done.stdout
    shown = [line for line in done.stdout.splitlines() if line.startswith("$ ")]
    assert [line.split()[1] for line in shown] == ["journalctl"] * 5 + ["ctmarkctl"] * 3
    assert done.stdout.rstrip().splitlines()[-1].startswith("All as it should be: ")


def test_without_root():
    done = demo(user=NOBODY, group=NOBODY, extra_groups=[])
    assert done.returncode == 0, done.stdout
    assert "Only root can" in done.stdout and "All as it should be" in done.stdout
