# SPDX-License-Identifier: GPL-2.0-or-later
"""
The commands of the documents, on a router with a systemd of its own between a client and a server.

Each document has a machine to itself, with ctmarkd installed and not yet running, as its reader has
at the beginning. What is shown is compared with what comes out.
"""

import pytest

from lab import document
from lab.continuity import Bed, build_dir

LIVE = [path for path in document.documents() if document.places(path) - {"build"}]


def enter(bed):
    """The words that run a command at a place of a document."""
    return lambda place: getattr(bed, place).wrap()


@pytest.mark.systemd
@pytest.mark.parametrize("path", LIVE)
def test_commands(path):
    with Bed() as bed:
        bed.machine.run("journalctl", "--update-catalog")
        with document.tree(build_dir()) as directory, document.Runner(path, enter(bed), directory) as runner:
            try:
                runner.all({"router", "client", "server"})
            except document.Wrong as e:
                pytest.fail(f"{e}\n--- the router's journal\n{bed.machine.journal('-n', '40')}")


def test_what_is_shown_is_compared():
    assert document.same("a  b\n  c", "a b c\n")
    assert not document.same("a b", "a b c")
    assert document.same("a ... c", "a b b c") and document.same("a ... c", "a c")
    assert not document.same("a ... c", "a b")
    assert document.same("flow 00c0ffee00000001 port 40000", "flow 0123456789abcdef port 53210")
    assert not document.same("port 80", "port 81")
    assert not document.same("mark 0xa", "mark 0xb")
    assert document.same("3 of 4", "5 of 60", ["numbers"]) and not document.same("3", "4")
