#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes the seeds of fuzz_fragment: one small story per file, in the format that fuzz_fragment.c reads."""

import sys
from pathlib import Path

SIX, MORE = 1, 2
OTHER, OUTPUT, LOOSE, TWICE, EXACT = 0x08, 0x10, 0x20, 0x40, 0x80
UDP, TCP, ICMP, ESP = range(4)
LIMITS = bytes([0x7f, 4])  # 15 datagrams, 7 held, 5 s


def piece(start, end, more=True, *, six=False, ident=1, ecn=0, queue=0, wait=0, proto=UDP, fill=8, ext=0,
          flags=0, cut=0, mark=0):
    """Bytes [start, end) of a datagram."""
    return bytes([six | more << 1 | ecn << 2 | queue << 4 | ext << 6, ident | flags, start // 8,
                  end - start, wait, proto | cut << 2, fill, mark])


def end(*, queue=3):
    """Queue 0 is given up."""
    return bytes([queue << 4]) + bytes(7)


def stories():
    for six, name in ((False, "4"), (True, "6")):
        def p(*args, **kwargs):
            return piece(*args, six=six, **kwargs)  # pylint: disable=cell-var-from-loop

        yield f"in-order{name}", p(0, 64) + p(64, 128) + p(128, 200, False)
        yield f"reverse{name}", p(128, 200, False) + p(64, 128) + p(0, 64)
        yield f"queues{name}", (p(64, 128, queue=1) + p(128, 192, queue=2) + p(0, 64) +
                                p(192, 200, False, queue=1))
        yield f"overlap{name}", p(0, 64) + p(56, 128) + p(64, 200, False)
        yield f"overlap-held{name}", p(64, 128, queue=1) + p(56, 72) + p(0, 64) + p(64, 200, False)
        yield f"seam{name}", p(0, 64) + p(128, 192) + p(64, 128) + p(32, 96) + p(192, 200, False)
        yield f"twice{name}", p(0, 64) + p(0, 64) + p(64, 128, queue=2) + p(64, 128)
        yield f"lengths{name}", p(0, 64) + p(128, 200, False) + p(136, 208, False) + p(200, 240)
        yield f"odd{name}", p(64, 131) + p(0, 71) + p(64, 200, False)
        yield f"empty{name}", p(0, 64) + p(64, 64) + p(64, 128, False) + p(128, 128, False)
        yield f"far{name}", p(0, 64) + p(2040, 2240, False) + p(8, 16)
        yield f"ecn{name}", p(64, 128, ecn=2) + p(128, 200, False) + p(0, 64, ecn=2)
        yield f"tiny{name}", p(0, 8, proto=TCP) + p(8, 40, False, proto=TCP) + p(0, 4) + p(8, 16)
        yield f"tcp{name}", p(0, 64, proto=TCP, fill=0x50) + p(64, 128, False, proto=TCP)
        yield f"timeout{name}", p(64, 128) + p(64, 128, ident=2, wait=40, queue=1) + p(0, 64, wait=60)
        yield f"flood{name}", b"".join(p(8 * i, 8 * i + 8, ident=i % 8, queue=i % 3,
                                         flags=OTHER * (i % 2)) for i in range(1, 60))
        yield f"one-datagram{name}", b"".join(p(16 * i, 16 * i + 8) for i in range(1, 100))
        yield f"release{name}", p(64, 128) + p(128, 192, queue=1) + end() + p(0, 64) + end()
        yield f"loose{name}", p(64, 128, flags=LOOSE) + p(0, 64) + p(128, 192)
        yield f"hooks{name}", p(64, 128) + p(0, 64, flags=OUTPUT) + p(0, 64)
        yield f"headers{name}", p(64, 128, ext=1) + p(0, 64, ext=2, mark=1) + p(0, 64, ext=3)
        yield f"cut{name}", p(64, 128, cut=60, flags=EXACT) + p(0, 64, cut=40, flags=EXACT)
    yield "atomic6", (piece(64, 128, six=True) + piece(0, 200, False, six=True) +
                      piece(0, 64, six=True) + piece(0, 40, False, six=True, ident=3))
    yield "twice-headed6", (piece(8, 64, six=True, flags=TWICE) + piece(0, 64, six=True, flags=TWICE) +
                            piece(0, 64, False, six=True, flags=TWICE))


def main():
    where = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent / "corpus" / "fragment")
    where.mkdir(parents=True, exist_ok=True)
    for name, story in stories():
        (where / name).write_bytes(LIMITS + story)
    (where / "no-room").write_bytes(bytes([0, 0]) + piece(64, 128) + piece(0, 64))
    (where / "nothing-held").write_bytes(bytes([3, 0]) + piece(64, 128) + piece(0, 64))
    (where / "empty").write_bytes(b"")


if __name__ == "__main__":
    main()
