#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes the seeds of fuzz_helper: one dialogue per file, in the format that fuzz_helper.c reads."""

import struct
import sys
from pathlib import Path

# in the order of CT_HELPER_LIST
FTP, TFTP, IRC, SIP, PPTP, AMANDA, SANE = range(7)
IPV6, UDP = 1, 2
REPLY, FIRST, MET, AGAIN = 1, 2, 4, 8


def dialogue(helper, *packets, how=0):
    return bytes((helper, how)) + b"".join(packets)


def says(payload, flags=0, skip=0, cut=0, seconds=0):
    return struct.pack("<HBBBB", len(payload), flags, skip, cut, seconds) + payload


def client(text, flags=0, **kw):
    return says(text.encode("latin-1"), flags, **kw)


def server(text, flags=0, **kw):
    return says(text.encode("latin-1"), flags | REPLY, **kw)


USER, READY = client("USER x\r\n"), server("220 ready\r\n")
A4 = str(10 << 24 | 1)

FTP_SEEDS = {
    "port": dialogue(FTP, READY, USER, client("PORT 10,0,0,1,200,1\r\n", MET)),
    "port-other": dialogue(FTP, USER, client("PORT 10,0,0,9,200,1\r\n")),
    "port-half": dialogue(FTP, USER, client("PORT 10,0,", AGAIN), client("PO", AGAIN), client("PORT\r\n")),
    "port-ipv6": dialogue(FTP, USER, client("PORT 32,1,13,184,200,1\r\n", MET), how=IPV6),
    "pasv": dialogue(FTP, READY, USER, server("227 Entering (10,0,1,2,200,1)\r\n", MET)),
    "pasv-cut": dialogue(FTP, READY, server("227 Entering (10,0,1,2,200,1)\r\n", cut=6)),
    "epsv": dialogue(FTP, READY, server("229 Extended (|||51201|)\r\n", MET)),
    "epsv-ipv6": dialogue(FTP, READY, server("229 Extended (|||51201|)\r\n", MET), how=IPV6),
    "eprt": dialogue(FTP, USER, client("EPRT |1|10.0.0.1|51201|\r\n", MET)),
    "eprt-ipv6": dialogue(FTP, USER, client("EPRT |2|2001:db8::1|51201|\r\n", MET), how=IPV6),
    "eprt-ipv4-in-ipv6": dialogue(FTP, USER, client("EPRT |2|::10.0.0.1:5|1|\r\n"), how=IPV6),
    "ftp-lines": dialogue(FTP, USER, client("NOOP\r\n"), client("A\r\n", skip=200), client("B\n", skip=250),
                          client("NOOP\r\n", AGAIN), client("NOOP\r\n")),
    "ftp-expired": dialogue(FTP, USER, client("PORT 10,0,0,1,200,1\r\n"), client("NOOP\r\n", seconds=255),
                            client("NOOP\r\n", MET, seconds=255)),
}

TFTP_SEEDS = {
    "tftp-read": dialogue(TFTP, says(b"\0\1file\0octet\0", FIRST | MET)),
    "tftp-write": dialogue(TFTP, says(b"\0\2file\0octet\0", FIRST | MET), how=IPV6),
    "tftp-short": dialogue(TFTP, says(b"\0", FIRST), says(b"\0\1", FIRST, cut=1), says(b"")),
    "tftp-again": dialogue(TFTP, says(b"\0\1f\0", FIRST), says(b"\0\1f\0", FIRST), says(b"\0\1f\0", REPLY | MET)),
}

IRC_SEEDS = {
    "dcc-send": dialogue(IRC, client(f"PRIVMSG bob :\1DCC SEND file {A4} 51201\1\r\n", MET)),
    "dcc-chat": dialogue(IRC, client(f" \r\nprivmsg bob :\1DCC CHAT chat {A4}  51201\1\r\n", MET)),
    "dcc-other": dialogue(IRC, client("PRIVMSG bob :\1DCC SEND file 3232235777 51201\1\r\n")),
    "dcc-kinds": dialogue(IRC, client(f"PRIVMSG b :\1DCC GET x :\1DCC TSEND f {A4} 1 2\1\n", MET)),
    "dcc-no-newline": dialogue(IRC, client(f"PRIVMSG bob :\1DCC SEND file {A4} 51201\1")),
    "dcc-many": dialogue(IRC, *(client(f"PRIVMSG b :\1DCC SEND f {A4} {p}\1\r\n") for p in range(1, 11))),
    "dcc-long": dialogue(IRC, client("PRIVMSG b " + "x" * 5000 + f" :\1DCC SEND f {A4} 51201\1\r\n")),
}

SEEDS = {**FTP_SEEDS, **TFTP_SEEDS, **IRC_SEEDS, "no-packet": dialogue(FTP), "empty": b""}

if __name__ == "__main__":
    out = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent / "corpus" / "helper")
    out.mkdir(parents=True, exist_ok=True)
    for name, data in SEEDS.items():
        (out / name).write_bytes(data)
