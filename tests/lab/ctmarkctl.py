# SPDX-License-Identifier: GPL-2.0-or-later
"""The ctmarkctl that was built."""

import os
import pathlib
import subprocess

from lab.daemon import binary


def program():
    """ctmarkctl beside the ctmarkd under test, or $CTMARKCTL."""
    return os.environ.get("CTMARKCTL") or str(pathlib.Path(binary()).with_name("ctmarkctl"))


def run(space, *words, stdin=None, prefix=()):
    """Runs it in a namespace; returns (exit status, output, errors)."""
    done = subprocess.run(space.wrap(*prefix, program(), *words), input=stdin, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
    return done.returncode, done.stdout, done.stderr
