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

CONTACT = 'Contact: "a" <sip:a@10.0.0.1:5070>;expires=60,\r\n <sip:b@10.0.1.2;transport=udp>\r\n'
REGISTER = "REGISTER sip:b SIP/2.0\r\nCSeq: 5 REGISTER\r\nExpires: 9\r\n"
GRANTED = "SIP/2.0 200 OK\r\nCSeq: 5 REGISTER\r\nm\t:"


def call(first, cseq, address="10.0.0.1", family=4):
    body = f"v=0\r\no=a 1 1 IN IP{family} {address}\r\nc=IN IP{family} {address}\r\nm=audio 6000 x\r\n" \
           f"m=video 6002 x\r\nc=IN IP{family} {address}\r\nm=text 1 x\r\nm=image 0 x\r\n"
    return f"{first}\r\nCSeq: {cseq}\r\nContent-Length: {len(body)}\r\n\r\n{body}"


INVITE, WAIT, BYE = call("INVITE sip:b SIP/2.0", "1 INVITE"), call("SIP/2.0 183 Wait", "1 INVITE", "10.0.1.2"), call(
    "BYE sip:b SIP/2.0", "2 BYE")
INVITE6 = call("INVITE sip:b SIP/2.0", "1 INVITE", "2001:db8::1", 6)
SIP_SEEDS = {
    "sip-register": dialogue(SIP, client(REGISTER + CONTACT + "\r\n", FIRST), server(GRANTED + CONTACT[8:] + "\r\n", MET),
                             server(GRANTED + "x\r\n\r\n", seconds=9), how=UDP),
    "sip-register6": dialogue(SIP, client(REGISTER + "m: sip:[2001:db8::1]:5070\r\n\r\n", FIRST),
                              server(GRANTED + " <sip:[2001:db8::1]:5070>;expires=9\r\n\r\n", MET), how=UDP | IPV6),
    "sip-call": dialogue(SIP, client(INVITE, FIRST | MET), server(WAIT, MET), client(BYE), how=UDP),
    "sip-call6": dialogue(SIP, client(INVITE6, FIRST | MET), server("SIP/2.0 486 Busy\r\nCSeq: 1 INVITE\r\n\r\n"), how=UDP | IPV6),
    "sip-tcp": dialogue(SIP, client(INVITE + BYE + INVITE[:60]), server(WAIT + "OPTIONS x\r\nl:0\r\n\r\n" + WAIT, MET)),
    "sip-cut": dialogue(SIP, client(INVITE, cut=9), client("SIP/2.0 200"), client("INVITE sip:b\r\nCSeq: 4294967296 INVITE"), how=UDP),
    "sip-folded": dialogue(SIP, client("INVITE sip:b\rCSEQ\t: \r\n 1 INVITE\n\nv=0\n\rm=audio 1023 x\n"), client("\r\n " * 99 + "\n\r"), how=UDP),
    "sip-uris": dialogue(SIP, server("SIP/2.0 200 OK\r\nCSeq: 0 REGISTER\r\nm: sip:1.1.1.1\r\n " + ",sip:a" * 40 + "@0" + ",sip:" * 9 + "\r\n"), how=UDP),
}

# control messages of PPTP: kind, bytes behind the header, and how they begin
PPTP_KINDS = {"start": (1, 144, ""), "started": (2, 144, "01000100"), "stop": (3, 4, "01"), "stopped": (4, 4, "01"),
              "out": (7, 156, "0005"), "out-ok": (8, 20, "0006000501"), "out-other": (8, 20, "0007000501"),
              "in": (9, 208, "0006"), "in-ok": (10, 12, "0005000601"), "in-up": (11, 16, "0005"),
              "clear": (12, 4, "0005"), "down": (13, 136, "0006"), "echo": (5, 4, "")}
FROM_SERVER = {"started", "stopped", "out-ok", "out-other", "in", "in-up", "down"}


def pptp(*names, flags=0, **kw):
    for name in names:
        kind, size, body = PPTP_KINDS[name]
        yield says(struct.pack(">HHIHH", 12 + size, 1, 0x1a2b3c4d, kind, 0) + bytes.fromhex(body).ljust(size, b"."),
                   flags | (REPLY if name in FROM_SERVER else 0), **kw)


SESSION = list(pptp("start", "started"))

PPTP_SEEDS = {
    "pptp-out": dialogue(PPTP, *SESSION, *pptp("out"), *pptp("out-ok", flags=MET)),
    "pptp-in": dialogue(PPTP, *SESSION, *pptp("in", "in-ok"), *pptp("in-up", flags=MET)),
    "pptp-again": dialogue(PPTP, *SESSION, *pptp("out", "out-ok"), *pptp("out-ok", flags=MET), *pptp("out-ok", "down")),
    "pptp-two": dialogue(PPTP, *SESSION, *pptp("out", "out-ok", "out", "out-other", "down", "out", "out-other")),
    "pptp-order": dialogue(PPTP, *pptp("out", "out-ok", "stopped", "stop"), *SESSION, *pptp("clear", "out-ok", "echo")),
    "pptp-stop": dialogue(PPTP, *SESSION, *pptp("out", "out-ok", "stop", "stopped"), *SESSION, *pptp("in", "in-ok")),
    "pptp-cut": dialogue(PPTP, *SESSION, *pptp("out"), *pptp("out-ok", cut=16), *pptp("out-ok", cut=1)),
    "pptp-expired": dialogue(PPTP, *SESSION, *pptp("out", "out-ok"), *pptp("echo", "out-ok", seconds=255)),
}

AMANDA_SEEDS = {
    "amanda": dialogue(AMANDA, client("REQ", FIRST), server("CONNECT DATA 51201 MESG 51202 INDEX 51203\n\n", MET)),
    "amanda-state": dialogue(AMANDA, server("x CONNECT STATE 1 MESG 2\nDATA 3\n", MET), how=IPV6),
    "amanda-no-port": dialogue(AMANDA, server("CONNECT DATA x MESG 2\n"), server("CONNECT DATA 65536 INDEX 1\n")),
    "amanda-many": dialogue(AMANDA, *(server(f"CONNECT DATA {p} INDEX {p + 9}\n") for p in range(1, 6))),
    "amanda-half": dialogue(AMANDA, server("CONNECT DATA 12345\n", cut=1), server("CONNECT "), server("CONNECT DATA")),
}

NET_START = says(struct.pack(">II", 7, 1))
PORT = struct.pack(">IHH", 0, 0, 51201)

SANE_SEEDS = {
    "sane": dialogue(SANE, NET_START, says(PORT + bytes(4), REPLY | MET)),
    "sane-ipv6": dialogue(SANE, NET_START, says(PORT, REPLY | MET), how=IPV6),
    "sane-taken-back": dialogue(SANE, NET_START, says(struct.pack(">II", 4, 1)), says(PORT, REPLY)),
    "sane-failed": dialogue(SANE, NET_START, says(b"\0\0\0\4" + PORT[4:], REPLY), says(PORT, REPLY)),
    "sane-short": dialogue(SANE, says(b"\0\0\0\7"), NET_START, says(b"", REPLY), says(PORT, REPLY, cut=1)),
}

SEEDS = {**FTP_SEEDS, **TFTP_SEEDS, **IRC_SEEDS, **SIP_SEEDS, **PPTP_SEEDS, **AMANDA_SEEDS, **SANE_SEEDS,
         "no-packet": dialogue(FTP), "empty": b""}

if __name__ == "__main__":
    out = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent / "corpus" / "helper")
    out.mkdir(parents=True, exist_ok=True)
    for name, data in SEEDS.items():
        (out / name).write_bytes(data)
