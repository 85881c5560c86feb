#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes the seeds of fuzz_adopt: mkadopt.py DIRECTORY"""

import pathlib
import sys

PAGE = 4096
ENTRY = 176  # struct ct_flow


def hurt(offset, data):
    return offset.to_bytes(3, "little") + bytes([len(data)]) + data


def entry(slot, offset, data):
    return hurt(PAGE + slot * ENTRY + offset, data)


SEEDS = {
    "whole": bytes([7, 0, 0]),
    "whole-larger": bytes([15, 0, 0]),
    "smaller": bytes([2, 0, 0]),
    "other-secret": bytes([0x17, 0, 0]),
    "later": bytes([7, 0, 20]),
    "earlier-clock": bytes([0x17, 0, 236]),
    "died-at-work": bytes([0x27, 0, 0]),
    "cut": bytes([0x47, 3, 0]),
    "header-magic": bytes([7, 0, 0]) + hurt(0, b"\0"),
    "header-limits": bytes([7, 0, 0]) + hurt(28, b"\xff\xff\xff\x7f"),
    "header-high": bytes([7, 0, 0]) + hurt(64, b"\xff\xff"),
    "family": bytes([7, 0, 0]) + entry(2, 36, b"\x05"),
    "protocol": bytes([7, 0, 0]) + b"".join(entry(n, 37, bytes([n])) for n in range(1, 40)),
    "state": bytes([7, 0, 0]) + b"".join(entry(n, 56, b"\x09") for n in range(1, 40)),
    "life": bytes([7, 0, 0]) + b"".join(entry(n, 58, b"\x02") for n in range(1, 40, 2)),
    "links": bytes([7, 0, 0]) + b"".join(entry(n, 44, b"\xff" * 4) for n in range(1, 40)),
    "deadline": bytes([7, 0, 0]) + b"".join(entry(n, 64, b"\xff" * 8) for n in range(1, 40, 3)),
    "helper": bytes([7, 0, 0]) + b"".join(entry(n, 57, bytes([n % 9])) for n in range(1, 40)),
    "twins": bytes([7, 0, 0]) + entry(3, 0, bytes([10, 0, 0, 1])) + entry(4, 0, bytes([10, 0, 0, 1])),
    "expectations": bytes([7, 0, 0]) + b"".join(hurt(0x5000 + n, b"\x01") for n in range(0, 2000, 90)),
    "behind": bytes([7, 0, 0]) + b"".join(hurt(0x6000 + n, b"\x03\x02\x01") for n in range(0, 9000, 300)),
}


def main():
    target = pathlib.Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    for name, data in SEEDS.items():
        (target / name).write_bytes(data)


if __name__ == "__main__":
    main()
