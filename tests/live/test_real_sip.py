# SPDX-License-Identifier: GPL-2.0-or-later
"""Calls by SIP, through a router that lets in the signalling alone: the sound has to be RELATED."""

import pytest

from lab import netns
from lab.daemon import TOP
from lab.services import listens, poll
from lab.strict import ENGINES, Strict

SIP = TOP / "tests" / "live" / "sip"

CONTROL = {"tcp": "5060", "udp": "5060"}


@pytest.fixture(scope="module", params=ENGINES)
def strict_network(request):
    with Strict(request.param, "sip", CONTROL) as network:
        yield network


def host(six):
    return netns.SERVER6 if six else netns.SERVER4


def name(six):
    return f"[{host(six)}]" if six else host(six)


def addresses(six):
    return {"client": (netns.CLIENT4, netns.CLIENT6)[six], "server": host(six)}


def sipp(strict, tmp_path, side, six, scenario, *words):
    """A process that plays one scenario once; what it has to say of errors goes into tmp_path."""
    address = addresses(six)[side]
    address = f"[{address}]" if six else address
    return {"client": strict.client, "server": strict.server}[side].popen(
        "sipp", "-nostdin", "-i", address, "-mi", address, "-m", "1", "-timeout", "10",
        "-timeout_error", "-trace_err", "-error_file", str(tmp_path / f"{side}-{scenario}-{six}"),
        "-sf", str(SIP / f"{scenario}.xml"), *words, cwd=tmp_path, stdin=-3, stdout=-3, stderr=-3)


def finish(tmp_path, *processes):
    try:
        codes = [p.wait(12) for p in processes]
        assert not any(codes), [p.read_text() for p in tmp_path.iterdir()]
    finally:
        for p in processes:
            p.kill()
            p.wait()


def call(strict, tmp_path, six, *words, caller="client", callee="server", ports):
    """
    Starts a call with sound, at ports that the two sides tell each other; the callee echoes it.
    ports are those of callee and caller: the next call finds the flows of this one if it uses the
    same.
    """
    port, source = map(str, ports)
    media, heard = (str(10000 + p) for p in ports)
    answering = sipp(strict, tmp_path, callee, six, "callee", "-rtp_echo", "-mp", media, "-p", port,
                     *words)
    poll(lambda: listens(answering.pid, "tcp" if "t1" in words else "udp", ports[0], six))
    poll(lambda: listens(answering.pid, "udp", 10000 + ports[0], six))
    target = addresses(six)[callee]
    return answering, sipp(strict, tmp_path, caller, six, "caller", "-mp", heard, "-p", source, *words,
                           f"[{target}]:{port}" if six else f"{target}:{port}")


@pytest.mark.parametrize("transport,source", [("u1", 5100), ("t1", 5110)], ids=["udp", "tcp"])
def test_sip_call(strict, transport, source, tmp_path):
    """One over each family at a time."""
    calls = [call(strict, tmp_path, six, "-t", transport, ports=(5060, source))
             for six in (False, True)]
    finish(tmp_path, *calls[0], *calls[1])
    counts = strict.counts()
    assert counts["NEW"] == 2
    assert counts["RELATED"] == 2, "the sound of the callers"


def register(strict, tmp_path, six):
    """Tells the registrar of a phone at port 5070."""
    registrar = sipp(strict, tmp_path, "server", six, "registrar", "-p", "5060")
    poll(lambda: listens(registrar.pid, "udp", 5060, six))
    return registrar, sipp(strict, tmp_path, "client", six, "phone", "-p", "5120", f"{name(six)}:5060")


def test_sip_call_to_a_registered_phone(strict, tmp_path):
    """The registrar calls the contact that was registered, from a port of its own."""
    both = [register(strict, tmp_path, six) for six in (False, True)]
    finish(tmp_path, *both[0], *both[1])
    calls = [call(strict, tmp_path, six, caller="server", callee="client", ports=(5070, 5130))
             for six in (False, True)]
    finish(tmp_path, *calls[0], *calls[1])
    counts = strict.counts()
    assert counts["NEW"] == 2
    assert counts["RELATED"] == 4, "the calls, and their sound"
