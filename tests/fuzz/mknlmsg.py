#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
Writes the seeds of fuzz_nlmsg: datagrams of an NFQUEUE socket, right and wrong.

The files kernel-* beside them were received from Linux 6.18 and are not made here.
"""

import struct
import sys
from pathlib import Path

PACKET, ERROR, DONE = 3 << 8, 2, 3
HDR, MARK, INDEV, OUTDEV, HWADDR, PAYLOAD, CAP_LEN, SKB_INFO, VLAN = 1, 3, 5, 6, 9, 10, 13, 14, 19


def message(kind, body, length=None, seq=0):
    return struct.pack("=IHHII", length or 16 + len(body), kind, 0, seq, 0) + body


def attr(kind, data, length=None, pad=True):
    raw = struct.pack("=HH", length or 4 + len(data), kind) + data
    return raw + b"\0" * (-len(raw) % 4 if pad else 0)


def u32(kind, value):
    return attr(kind, struct.pack("!I", value))


def packet(*attrs, number=1, queue=0, hdr=b"", **kw):
    body = struct.pack("!BBH", 2, 0, queue)
    body += hdr or attr(HDR, struct.pack("!IHB", number, 0x800, 0))
    return message(PACKET, body + b"".join(attrs), **kw)


def payload(data):
    return attr(PAYLOAD, data, pad=False)


def error(number, seq=1):
    return message(ERROR, struct.pack("=i", -number) + bytes(16), seq=seq)


UDP = bytes.fromhex("4500001d00000000401100000a0000010a0000021234003500090000") + b"x"

SEEDS = {
    "plain": packet(u32(MARK, 5), u32(INDEV, 2), payload(UDP)),
    "no-mark": packet(u32(OUTDEV, 1), payload(UDP)),
    "no-payload": packet(u32(MARK, 1)),
    "cut-by-copy-range": packet(u32(CAP_LEN, 1500), payload(UDP)),
    "cap-len-too-small": packet(u32(CAP_LEN, 3), payload(UDP)),
    "gso": packet(u32(SKB_INFO, 3), u32(CAP_LEN, 60000), payload(UDP)),
    "unverified": packet(u32(SKB_INFO, 4), payload(UDP)),
    "hwaddr-and-vlan": packet(attr(HWADDR, struct.pack("!HH8s", 6, 0, b"\2abcde\0\0")),
                              attr(VLAN | 0x8000, u32(1, 2)), payload(UDP)),
    "unknown-attribute": packet(attr(77, b"what"), payload(UDP)),
    "short-mark": packet(attr(MARK, b"abc"), payload(UDP)),
    "no-header": packet(payload(UDP), hdr=attr(HWADDR, b"")),
    "short-header": packet(payload(UDP), hdr=attr(HDR, b"\0\0\0\7")),
    "attribute-too-long": packet(attr(PAYLOAD, UDP, length=4 + len(UDP) + 1, pad=False)),
    "attribute-too-short": packet(attr(MARK, b"abcd", length=3)),
    "message-cut": packet(payload(UDP))[:-5],
    "message-too-long": packet(payload(UDP), length=4000),
    "message-of-no-length": packet(payload(UDP), length=1),
    "ack": error(0, 7),
    "no-entry": error(2),
    "error-cut": error(2)[:18],
    "two-packets": packet(payload(UDP + b"xyz")) + packet(payload(UDP), number=2),
    "error-between": packet(payload(UDP + b"xyz")) + error(2) + packet(payload(UDP), number=2),
    "done": message(DONE, b""),
    "empty": b"",
}

if __name__ == "__main__":
    out = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent / "corpus" / "nlmsg")
    out.mkdir(parents=True, exist_ok=True)
    for name, data in SEEDS.items():
        (out / name).write_bytes(data)
