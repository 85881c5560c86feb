# SPDX-License-Identifier: GPL-2.0-or-later
"""
ctmarkctl check-rules as root, on rules that the real programs have loaded: what it says of mistakes,
and that it says nothing of what ctmarkctl rules prints. tests/rules/sets has each mistake by itself.
"""

import json
import os

import pytest

from lab import ctmarkctl, netns, rules

FLAVOUR = pytest.mark.parametrize("flavour", ["nft", "legacy"])
PLAIN = ("--queues", "0", "--mask", "0xf")
QUEUE = ("NFQUEUE", "--queue-num", "0", "--queue-bypass")


@pytest.fixture
def space():
    """A network namespace without any rules."""
    made = netns.Netns(f"ctcheck-{os.getpid()}")
    yield made
    made.close()


def load(space, flavour, *rule_lines, families=rules.FAMILIES):
    """Appends rules: "TABLE CHAIN WORD..."."""
    for family in families:
        for line in rule_lines:
            table, chain, *words = line.split()
            space.run(f"{family}-{flavour}", "-w", "-t", table, "-A", chain, *words)


def check(space, *options):
    """(exit status, the findings) of ctmarkctl check-rules."""
    status, text, errors = ctmarkctl.run(space, "--json=short", "check-rules", *(options or PLAIN))
    assert errors == ""
    return status, json.loads(text)["findings"]


def codes(space, *options):
    status, findings = check(space, *options)
    assert status == any(f["severity"] == "error" for f in findings)
    return {f["code"] for f in findings}


GOOD = ("mangle PREROUTING -j " + " ".join(QUEUE), "mangle OUTPUT -j " + " ".join(QUEUE),
        "filter INPUT -m mark --mark 0x8/0xf -j ACCEPT")


@FLAVOUR
def test_good(space, flavour):
    load(space, flavour, *GOOD)
    assert codes(space) == set()


@FLAVOUR
@pytest.mark.parametrize("options, extra", [
    (PLAIN, ()),
    (("--queues", "0-3", "--mask", "0x7f0000", "--encoding", "flags"), ()),
    (("--queues", "2-5", "--mask", "0xf00", "--confirm", "exit"), ()),
    (PLAIN, ("--hooks", "prerouting,output,input,postrouting"))], ids=["plain", "flags", "exit", "hooks"])
def test_what_is_printed(space, flavour, options, extra):
    """No finding at all, whichever iptables has loaded it; and one of iptables' kinds is enough."""
    text = ctmarkctl.run(space, "rules", "--iptables", *options, *extra, "--filter", "input,forward")[1]
    for family in rules.FAMILIES:
        space.run(f"{family}-{flavour}-restore", "--noflush", stdin=text)
    assert check(space, *options) == (0, [])


@FLAVOUR
@pytest.mark.parametrize("wrong, expected", [
    (("mangle PREROUTING -m mark --mark 0xa/0xf -j ACCEPT",), {"match-in-chain"}),
    (("raw PREROUTING -m mark --mark 0xe/0xf -j DROP",), {"match-before-queue"}),
    (("nat PREROUTING -m mark --mark 0xa/0xf -j ACCEPT",), {"match-in-nat"}),
    (("filter INPUT -m mark --mark 0xa -j ACCEPT",), {"match-unmasked"}),
    (("filter INPUT -m mark --mark 3/0xf -j ACCEPT",), {"match-no-class"}),
    (("filter INPUT -m mark --mark 0x4000 -j ACCEPT",), {"foreign-unmasked"}),
    (("filter FORWARD -j MARK --set-mark 1",), {"mark-overwritten"}),
    (("mangle FORWARD -j CONNMARK --restore-mark",), {"mark-overwritten"}),
    (("mangle FORWARD -j MARK --or-mark 0x4000", "mangle FORWARD -j CONNMARK --save-mark"), set()),
    (("filter INPUT -m conntrack --ctstate INVALID -j REJECT",), {"reject-invalid"}),
    (("filter INPUT -p tcp -m mark --mark 0xa/0xf --dport 22 -j ACCEPT",), {"port-fragment"}),
    (("raw PREROUTING -j CT --notrack", "filter INPUT -m state --state NEW -j ACCEPT"),
     {"notrack-state"}),
    (("raw PREROUTING -j NFQUEUE --queue-num 0 --queue-bypass",), {"queued-twice", "queue-in-raw"}),
    (("mangle POSTROUTING -j NFQUEUE --queue-num 0 --queue-bypass",), {"exit-half"}),
    (("mangle FORWARD -j NFQUEUE --queue-balance 0:3 --queue-bypass --queue-cpu-fanout",),
     {"queued-twice", "range-exceeds", "cpu-fanout"}),
], ids=lambda value: value[0].replace(" ", "_") if isinstance(value, tuple) else "")
def test_mistakes(space, flavour, wrong, expected):
    load(space, flavour, *GOOD, *wrong)
    assert codes(space) == expected


def test_the_rule_is_named(space):
    load(space, "nft", *GOOD, 'mangle PREROUTING -m mark --mark 10/15 -m comment --comment "here!" -j ACCEPT',
         families=("iptables",))
    load(space, "nft", *GOOD, families=("ip6tables",))
    status, findings = check(space)
    assert status == 1 and len(findings) == 1
    assert {key: findings[0][key] for key in ("family", "table", "chain", "hook", "rule")} == {
        "family": "ip", "table": "mangle", "chain": "PREROUTING", "hook": "PREROUTING", "rule": 2}
    assert "--mark 0xa/0xf" in findings[0]["text"]
    status, text, _ = ctmarkctl.run(space, "check-rules", *PLAIN)
    lines = text.splitlines()
    assert status == 1
    assert lines[0].startswith("error: ip mangle PREROUTING rule 2: ") and "here!" in lines[0]
    assert lines[1].startswith("    ") and "filter" in lines[1]
    assert lines[2] == "1 error, 0 warnings, 0 for information"


def test_nothing_loaded(space):
    assert codes(space) == {"no-queue"}


@pytest.mark.parametrize("forgotten", rules.FAMILIES)
@FLAVOUR
def test_a_family_is_forgotten(space, flavour, forgotten):
    load(space, flavour, *GOOD, families=[f for f in rules.FAMILIES if f != forgotten])
    assert codes(space) == {"no-ipv4" if forgotten == "iptables" else "no-ipv6"}


@FLAVOUR
def test_nft_beside_iptables(space, flavour):
    """Chains of nft at the same hooks, before and behind the queue of iptables."""
    load(space, flavour, *GOOD)
    space.run("nft", "-f", "-", stdin="""
table inet mine {
    set admins { type ipv4_addr; elements = { 192.0.2.1 } }
    chain early { type filter hook prerouting priority raw; ip saddr @admins meta mark & 0xf == 0xe drop; }
    chain same { type filter hook prerouting priority mangle; meta mark and 0xf 0xe counter drop; }
    chain late { type filter hook prerouting priority -140; meta mark & 0xf == { 0xe, 0xf } drop; }
    chain in { type filter hook input priority filter; meta mark & 0xf vmap { 0x8 : accept, 0x3 : drop }; }
    chain out { type route hook output priority 10; meta mark set meta mark & 0xfffffff0 | 0x1; }
}
table bridge other { chain c { type filter hook prerouting priority -300; meta mark & 0xf == 0x3 drop; }; }
""")
    status, findings = check(space)
    assert status == 1
    assert {(f["chain"], f["code"]) for f in findings} == {
        ("early", "match-before-queue"), ("same", "same-priority"), ("in", "match-no-class"),
        ("out", "mark-overwritten")}
    texts = {f["chain"]: f["text"] for f in findings}
    assert texts["early"] == "ip saddr @admins meta mark & 0xf 0xe drop"
    assert texts["out"].startswith("meta mark set meta mark & 0xfffffff")


def test_both_kinds_of_iptables(space):
    """Their rules do not see each other, but packets see both."""
    load(space, "nft", *GOOD)
    load(space, "legacy", GOOD[0])
    assert "queued-twice" in codes(space)


def test_files(space, tmp_path):
    """The same from files and from stdin; what cannot be read is an error of its own."""
    load(space, "nft", *GOOD, "mangle PREROUTING -m mark --mark 0xa/0xf -j ACCEPT")
    for family in rules.FAMILIES:
        (tmp_path / family).write_text(space.run(f"{family}-nft-save"))
    (tmp_path / "nft").write_text(space.run("nft", "-j", "list", "ruleset"))
    files = ("--iptables", str(tmp_path / "iptables"), "--ip6tables", str(tmp_path / "ip6tables"),
             "--nft", str(tmp_path / "nft"))
    assert check(space, *PLAIN, *files) == check(space)
    stdin = ctmarkctl.run(space, "--json=short", "check-rules", *PLAIN, "--iptables", "-",
                          stdin=(tmp_path / "iptables").read_text())
    assert [f["code"] for f in json.loads(stdin[1])["findings"]] == ["match-in-chain"]
    for name, text in (("missing", None), ("bad", "-A INPUT\n")):
        if text:
            (tmp_path / name).write_text(text)
        status, out, errors = ctmarkctl.run(space, "check-rules", *PLAIN, "--iptables",
                                            str(tmp_path / name))
        assert (status, out) == (1, "") and name in errors


def test_permission(space):
    status, text, errors = ctmarkctl.run(space, "check-rules", *PLAIN,
                                         prefix=("setpriv", "--reuid", "65534", "--clear-groups"))
    assert (status, text) == (4, "")
    assert errors.startswith("ctmarkctl: only root can list") and errors.count("\n") == 1
