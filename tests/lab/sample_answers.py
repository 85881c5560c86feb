# SPDX-License-Identifier: GPL-2.0-or-later
"""What a daemon could answer: one reply for each method of the control service."""


def flow(number, **members):
    """An established TCP connection, changed by members."""
    return {"flow": f"{number:016x}", "family": "ipv4", "proto": "tcp", "protonum": 6,
            "src": "10.0.1.2", "dst": "10.0.2.2", "sport": 41000 + number % 1000, "dport": 80,
            "state": "ESTABLISHED", "status": ["SEEN_REPLY", "ASSURED", "CONFIRMED"],
            "timeout": 431999, "packets_orig": 12, "bytes_orig": 1234, "packets_reply": 10,
            "bytes_reply": 56789} | members


def without(members, *keys):
    return {k: v for k, v in members.items() if k not in keys}


FLOWS = [
    flow(1),
    flow(2, family="ipv6", src="2001:db8:1::2", dst="2001:db8:2::2", state="SYN_SENT",
         status=["CONFIRMED"], timeout=119, packets_reply=0, bytes_reply=0),
    without(flow(3, proto="udp", protonum=17, dport=53, status=["SEEN_REPLY", "CONFIRMED"],
                 timeout=29), "state"),
    without(flow(4, proto="icmp", protonum=1, icmp_type=8, icmp_code=0, icmp_id=77,
                 status=["CONFIRMED"], timeout=30), "state", "sport", "dport"),
    flow(5, reply_src="10.9.9.9", reply_dst="10.0.1.2", reply_sport=8080, reply_dport=41005,
         helper="ftp", zone=3, master="0000000000000001",
         status=["EXPECTED", "SEEN_REPLY", "ASSURED", "CONFIRMED", "HELPER"]),
    without(flow(6, proto="253", protonum=253, timeout=599, status=["CONFIRMED"]), "state",
            "sport", "dport", "packets_orig", "bytes_orig", "packets_reply", "bytes_reply"),
]


def queue(number, **members):
    return {"queue": number, "waiting": 3, "max": 8192, "received": 1234567, "answered": 1234564,
            "dropped": 0, "user_dropped": 0, "receive_buffer": 67108864, "alive": True} | members


def log_class(name, **members):
    return {"class": name, "enabled": True, "sent": 0, "suppressed": 0, "dropped": 0,
            "failed": 0} | members


STATUS = {
    "version": "0.1.0", "pid": 4711, "uptime": 93784, "shadow": False,
    "queues": [queue(n) for n in range(4)], "flows": 131072, "max_flows": 262144,
    "expectations": 3, "max_expectations": 4096, "fragments_held": 2, "confirms": "entry",
    "fragments": ["ipv6"], "adopted_from": "store", "adopted": 130000, "adopted_lost": 1,
    "drops": 7, "drops_exact": False, "log_target": "journal", "log_level": "info",
    "log": [log_class("new", sent=1000), log_class("invalid", sent=2, suppressed=12345),
            log_class("state", sent=5000, dropped=3), log_class("reply")],
    "clients": 2, "events_lost": 0, "memory": 123456789, "mask": "0xf", "encoding": "ctinfo",
    "restart_needed": ["Range=", "MaxFlows="],
}


def counters(**values):
    return [{"name": name, "value": value} for name, value in values.items()]


def totals(seconds=0):
    """Totals that grow by the second."""
    reasons = {"tcp-seq-over": 5 * seconds, "checksum": 12 + 2 * seconds, "tcp-not-first": 0}
    return {
        "totals": {
            "time_ns": 10 ** 12 + seconds * 10 ** 9,
            "counters": counters(packets=10 ** 6 + 1000 * seconds, foreign_packets=0,
                                 flows_created=5000 + 10 * seconds,
                                 flows_destroyed=4000 + 5 * seconds),
            "ctinfo": counters(ESTABLISHED=10 ** 6, ESTABLISHED_REPLY=10 ** 6 + 900 * seconds,
                               NEW=5000 + 10 * seconds, RELATED=0, INVALID=12 + 7 * seconds),
            "reasons": [{"name": n, "value": v} for n, v in reasons.items()],
            "deaths": counters(timeout=3000, **{"tcp-rst": 20})},
        "queues": [queue(n, received=1234567 + 250 * seconds) for n in range(4)]}


CENSUS = {
    "sample": 4096,
    "states": counters(**{"tcp ESTABLISHED": 2048, "udp": 1024, "tcp SYN_SENT": 1024}),
    "talkers": [{"role": "source", "address": "203.0.113.77", "permille": 612},
                {"role": "target", "address": "2001:db8:1234:5678:9abc:def0:1234:5678",
                 "proto": "tcp", "dport": 65535, "zone": 7, "permille": 88}],
}

EVENTS = [
    {"event": "new", "time": 1795000000, "time_usec": 123456,
     "message": "TCP 10.0.1.2:41000 > 10.0.2.2:80: new flow, SYN_SENT"} |
    without(flow(1, status=["CONFIRMED"], state_new="SYN_SENT", timeout=120), "state",
            "protonum"),
    {"event": "invalid", "time": 1795000001, "time_usec": 5000, "family": "ipv4", "proto": "tcp",
     "message": "TCP packet 10.0.1.2:1 > 10.0.2.2:2: INVALID, RST (flags=RST)",
     "reason": "tcp-not-first", "detail": "flags=RST"},
    {"event": "destroy", "time": 1795000002, "time_usec": 0, "reason": "timeout",
     "message": "TCP 10.0.1.2:41000 > 10.0.2.2:80: ended in CLOSE, no packet came"} |
    without(flow(1, state_new="CLOSE"), "state", "protonum", "timeout"),
]


def peer(**members):
    return {"end": 1000100, "maxend": 1065535, "maxwin": 65536, "scale": 7,
            "flags": ["WINDOW_SCALE", "SACK_PERM"], "maxack": 2000300, "seq_min": 934464,
            "seq_max": 1065535, "ack_min": 1934764, "ack_max": 2000300} | members


EXPLANATION = {
    "flow": flow(1),
    "tcp": {"original": peer(), "reply": peer(), "last_dir": "original", "last_packet": "ACK",
            "retrans": 2, "liberal": True},
    "words": ["ESTABLISHED: both sides have completed the handshake, and data may flow in both "
              "directions until one of them sends a FIN.", "ASSURED: not dropped early."],
    "history": [
        {"event": "new", "time": 1795000000, "time_usec": 123456, "state_new": "SYN_SENT",
         "message": "TCP 10.0.1.2:41001 > 10.0.2.2:80: new flow, SYN_SENT"},
        {"event": "invalid", "time": 1795000001, "time_usec": 999999, "reason": "tcp-seq-over",
         "detail": "seq=9 end=8 maxend=7 ack=6",
         "message": "TCP 10.0.1.2:41001 > 10.0.2.2:80: INVALID, sequence beyond the receiver's "
                    "window (seq=9 end=8 maxend=7 ack=6)"}],
    "forgotten": 5, "children": ["0000000000000005"],
}

STRAYS = {"words": [], "history": [EVENTS[1]], "forgotten": 0, "children": []}

EXPECTATIONS = [
    {"family": "ipv4", "proto": "tcp", "src": "10.0.1.2", "dst": "10.0.2.2", "dport": 35000,
     "timeout": 297, "master": "0000000000000001", "helper": "ftp", "permanent": False,
     "inactive": False},
    {"family": "ipv6", "proto": "udp", "dst": "2001:db8::1", "dport": 5060, "timeout": 3,
     "master": "0000000000000002", "permanent": True, "inactive": True},
]

SETTINGS = [
    {"section": "Queue", "key": "Range", "value": "0-3", "default": "0",
     "origin": "/etc/ctmarkd/ctmarkd.conf:12", "wanted": "0-7"},
    {"section": "Queue", "key": "MaxPackets", "value": "8192", "default": "8192"},
    {"section": "Mark", "key": "Mask", "value": "0xf0", "default": "0xf",
     "origin": "/etc/ctmarkd/ctmarkd.conf.d/50-mask.conf:2"},
]

ANSWERS = {
    "GetStatus": {"status": STATUS},
    "GetTotals": totals(),
    "GetCensus": {"census": CENSUS},
    "List": [{"flows": FLOWS[:4]}, {"flows": FLOWS[4:]}, {"flows": []}],
    "Get": {"flow": FLOWS[4]},
    "Count": {"count": 6, "max": 262144},
    "Delete": [{"deleted": 1}, {"deleted": 3}],
    "Flush": {"deleted": 1},
    "Events": [{"sequence": 1, "events": EVENTS[:2]},
               {"sequence": 8, "events": EVENTS[2:], "lost": 5}],
    "Expectations": [{"expectations": EXPECTATIONS}],
    "Explain": [{"explanation": EXPLANATION}, {"explanation": STRAYS, "omitted": 4}],
    "Metrics": {"text": "# HELP ctmarkd_flows Flows\nctmarkd_flows 6\n"},
    "GetConfig": {"settings": SETTINGS},
    "Reload": {"messages": ["/etc/ctmarkd/ctmarkd.conf:3: unknown key Foo="],
               "restart_needed": ["Range="]},
    "SetLogLevel": {},
}
