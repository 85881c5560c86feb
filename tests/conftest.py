# SPDX-License-Identifier: GPL-2.0-or-later
"""Fixtures of all tests that need root, and the tally that ./bootstrap check adds up."""

import os

import pytest

from lab import rules
from lab.daemon import Store
from lab.netns import Lab
from lab.nflog import Nflog
from lab.strict import ENGINES, Strict


def pytest_configure(config):
    config.addinivalue_line("markers", "systemd: boots a real systemd in a container")
    config.addinivalue_line("markers", "package: installs the Debian package")
    config.addinivalue_line("markers", "workers: several worker threads under load")
    config.addinivalue_line("markers", "alone: measures, or fills the machine; ./bootstrap check "
                                       "runs nothing beside it")


def pytest_collection_modifyitems(items):
    if os.geteuid() != 0:
        for item in items:
            item.add_marker(pytest.mark.skip(reason="needs root"))


def pytest_terminal_summary(terminalreporter):
    """Passed and failed on the first line, then each test that did not pass: a skip is a failure."""
    path = os.environ.get("CTMARK_TALLY")
    if not path:
        return
    stats = terminalreporter.stats
    bad = [(kind, report.nodeid) for kind in ("failed", "error", "skipped", "xfailed", "xpassed")
           for report in stats.get(kind, ())]
    with open(path, "w", encoding="utf-8") as tally:
        print(len(stats.get("passed", ())), len(bad), file=tally)
        for kind, name in bad:
            print(f"{kind} {name}", file=tally)


@pytest.fixture
def lab():
    with Lab() as network:
        yield network


@pytest.fixture
def quiet(lab):
    """Rules that queue what comes from the client, to a host that drops it without a word."""
    lab.server.run("iptables", "-w", "-A", "INPUT", "-p", "udp", "-j", "DROP")
    rules.queue(lab.router, "--queue-num", "0", families=("iptables",))
    return lab


@pytest.fixture
def store():
    """What a service manager keeps from one daemon to the next."""
    with Store() as kept:
        yield kept


@pytest.fixture
def nflog(lab):
    """The packets of the router with their marks."""
    with Nflog(lab.router) as log:
        yield log


@pytest.fixture(scope="module", params=ENGINES)
def strict_network(request):
    with Strict(request.param) as network:
        yield network


@pytest.fixture
def strict(strict_network):
    """A router that lets only legitimate packets pass, by ctmarkd or by the kernel's conntrack."""
    strict_network.begin()
    yield strict_network
    strict_network.end()
