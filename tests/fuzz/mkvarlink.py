#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes the corpus of fuzz_varlink: mkvarlink.py DIRECTORY"""

import json
import pathlib
import sys

MANAGER = "io.ctmark.Manager."


def call(method, parameters=None, **flags):
    message = {"method": method if "." in method else MANAGER + method, **flags}
    if parameters is not None:
        message["parameters"] = parameters
    return json.dumps(message, separators=(",", ":")).encode() + b"\0"


FILTER = {"proto": "udp", "src": "10.0.0.0/8", "dport": "53-60", "status": ["CONFIRMED", "UNREPLIED"],
          "state": None, "zone": 0, "family": "ipv4"}
SEEDS = {
    "info": call("org.varlink.service.GetInfo") +
    call("org.varlink.service.GetInterfaceDescription", {"interface": "io.ctmark.Manager"}),
    "list": call("List", {"filter": FILTER}, more=True) + call("Count", {"filter": FILTER}),
    "delete": call("Delete", {"filter": {"sport": "1000-1010"}}, more=True) + call("Flush", oneway=True),
    "get": call("Get", {"flow": "0123456789abcdef"}) + call("Count", {"filter": {"flow": "0123456789abcdef"}}),
    "explain": call("Explain", {"filter": {"proto": "udp"}, "limit": 2}, more=True) +
    call("Explain", {"filter": {"proto": "tcp"}}, more=True),
    "events": call("Events", {"events": ["new", "destroy"], "filter": {"proto": "17"}}, more=True),
    "main": call("GetStatus") + call("GetTotals") + call("Metrics") + call("GetConfig") + call("Reload") +
    call("SetLogLevel", {"level": "debug"}),
    "rest": call("GetCensus") + call("Expectations", more=True) + call("List") + call("Nothing") +
    call("a.b") + call("Count", {"x": 1}) + call("Count", upgrade=True),
    "filters": b"".join(call("Count", {"filter": f}) for f in (
        {"icmp_type": 8, "icmp_code": 0, "icmp_id": 7}, {"helper": "ftp", "master": "0" * 16},
        {"master": "f" * 16, "zone": 65535},
        {"reply_src": "2001:db8::/32", "reply_dst": "::1"}, {"state": ["ESTABLISHED", "COOKIE_WAIT"]},
        {"src": "10.0.0.0/99"}, {"nothing": 1})),
    "names": b"".join(call(m, {n: 1}) for m in ("Count", "GetStatus", "Get") for n in ("", " ", "filter flow", "fil")) +
    b"".join(call("Count", {"filter": {n: 1}}) for n in ("", " ", "src dst")),
    "half": call("GetStatus") + call("Count")[:-5],
    "nested": b'{"method":' + b"[" * 3000 + b"\0",
    "strings": b'{"method":"\\ud800\\u0041\\n\xc3\xa9"}\0{"method":"a.b","parameters":{"x":1e400}}\0',
}

if __name__ == "__main__":
    directory = pathlib.Path(sys.argv[1])
    directory.mkdir(parents=True, exist_ok=True)
    for name, data in SEEDS.items():
        (directory / name).write_bytes(b"\x7f" + data)
        (directory / f"{name}-bytes").write_bytes(b"\x81" + data)
