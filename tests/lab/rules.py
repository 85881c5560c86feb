# SPDX-License-Identifier: GPL-2.0-or-later
"""The iptables rules of an administrator who uses ctmarkd."""

import contextlib

# Mark values of Encoding=ctinfo with Mask=0xf, and the bits of Encoding=flags.
CTINFO = {"ESTABLISHED": 0x8, "RELATED": 0x9, "NEW": 0xa, "ESTABLISHED_REPLY": 0xb,
          "RELATED_REPLY": 0xc, "INVALID": 0xe, "UNTRACKED": 0xf}
FLAGS = {"NEW": 0x01, "ESTABLISHED": 0x02, "RELATED": 0x04, "INVALID": 0x08, "UNTRACKED": 0x10,
         "REPLY": 0x20, "ASSURED": 0x40}

FAMILIES = ("iptables", "ip6tables")
CHAIN = "CLASSES"


def name_of(mark, mask=0xf):
    """The class of a mark of Encoding=ctinfo, None if there is none."""
    value = (mark & mask) // (mask & -mask)
    return next((name for name, v in CTINFO.items() if v == value), None)


def queue(netns, *options, chains=("PREROUTING",), families=FAMILIES):
    """Sends the packets of mangle chains to ctmarkd; options of NFQUEUE, queue 0 without any."""
    for command in families:
        for chain in chains:
            netns.run(command, "-w", "-t", "mangle", "-A", chain, "-j", "NFQUEUE",
                      *(options or ("--queue-num", "0")))


def count_marks(netns, values, mask=None, chains=("FORWARD",), families=FAMILIES):
    """
    One counting rule for each mark value, in a chain of filter that each of chains jumps to.
    Without a mask each value is its own: the rule asks for these bits.
    """
    for command in families:
        netns.run(command, "-w", "-N", CHAIN)
        for value in values:
            netns.run(command, "-w", "-A", CHAIN, "-m", "mark", "--mark",
                      f"{value:#x}/{mask or value:#x}")
        for chain in chains:
            netns.run(command, "-w", "-I", chain, "-j", CHAIN)


def hits(netns, command="iptables"):
    """{mark value: packets} of the rules made by count_marks()."""
    found = {}
    for line in netns.run(command, "-w", "-nvxL", CHAIN).splitlines()[2:]:
        words = line.split()
        value = words[words.index("match") + 1].split("/")[0]
        found[int(value, 16)] = int(words[0])
    return found


@contextlib.contextmanager
def rule(netns, six, table, chain, *words):
    """One rule, first in its chain, for as long as the block lasts."""
    command = FAMILIES[six]
    netns.run(command, "-w", "-t", table, "-I", chain, *words)
    try:
        yield
    finally:
        netns.run(command, "-w", "-t", table, "-D", chain, *words)
