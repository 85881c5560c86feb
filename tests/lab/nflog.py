# SPDX-License-Identifier: GPL-2.0-or-later
"""
Every packet of a namespace with the mark it carries after the verdict.

A mark given by a verdict is seen from the next hook or table on. ctmarkd is fed from mangle
(priority -150); the listener looks from chains of its own right behind it (priority -50).
"""

import dataclasses
import struct
import threading
import time

from lab import netlink
from lab.packet import Packet, parse
from lab.queues import kernel_queues

ULOG = 4
MSG_PACKET, MSG_CONFIG = 0, 1
CFG_CMD, CFG_MODE, CFG_QTHRESH = 1, 2, 5
CMD_BIND, COPY_PACKET = 1, 2
PACKET_HDR, MARK, INDEV, OUTDEV, PAYLOAD, PREFIX = 1, 2, 4, 5, 9, 10

RULES = """
table inet ctlab {{
    chain in  {{ type filter hook prerouting priority -50; log prefix "prerouting" group {group}; }}
    chain out {{ type filter hook output priority -50; log prefix "output" group {group}; }}
}}
"""


@dataclasses.dataclass
class Logged:
    """One packet as it passed."""

    time: float
    prefix: str
    mark: int
    iif: int
    oif: int
    packet: Packet
    raw: bytes


class Nflog:
    """with Nflog(netns) as log: ... log.wait(n): packets of PREROUTING and OUTPUT."""

    def __init__(self, netns, group=7, rules=RULES):
        self.netns, self.group, self.rules = netns, group, rules
        self.seen = []
        self._changed = threading.Condition()
        self._stop = False

    def __enter__(self):
        self.sock = netlink.open_socket(self.netns)
        self._config(netlink.attr(CFG_CMD, bytes([CMD_BIND])))
        self._config(netlink.attr(CFG_MODE, struct.pack("!IBB", 65535, COPY_PACKET, 0)))
        self._config(netlink.attr(CFG_QTHRESH, struct.pack("!I", 1)))
        self.netns.run("nft", "-f", "-", stdin=self.rules.format(group=self.group))
        self.sock.settimeout(0.1)
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *exc):
        self._stop = True
        self._thread.join()
        self.sock.close()

    def _config(self, attribute):
        netlink.request(self.sock, ULOG, MSG_CONFIG, self.group, attribute)

    def _listen(self):
        while not self._stop:
            try:
                buffer = self.sock.recv(1 << 18)
            except TimeoutError:
                continue
            found = [self._logged(body) for kind, body in netlink.messages(buffer)
                     if kind == ULOG << 8 | MSG_PACKET]
            with self._changed:
                self.seen += found
                self._changed.notify_all()

    @staticmethod
    def _logged(body):
        found = netlink.attrs(body)

        def number(kind):
            return struct.unpack("!I", found[kind])[0] if kind in found else 0

        raw = found.get(PAYLOAD, b"")
        return Logged(time.monotonic(), found.get(PREFIX, b"").rstrip(b"\0").decode(),
                      number(MARK), number(INDEV), number(OUTDEV), parse(raw), raw)

    def wait(self, count, timeout=5, match=lambda logged: True):
        """The packets that match, as soon as there are count of them; what there is at timeout."""
        def matching():
            return [p for p in self.seen if match(p)]

        with self._changed:
            self._changed.wait_for(lambda: len(matching()) >= count, timeout)
            return matching()

    def settle(self, quiet=0.3, timeout=5):
        """Waits until nothing has passed for a while and nothing waits for a verdict; returns what has passed."""
        end = time.monotonic() + timeout
        with self._changed:
            while time.monotonic() < end and (self._changed.wait(quiet) or self._waiting()):
                pass
            return list(self.seen)

    def _waiting(self):
        return any(row[1] for row in kernel_queues(self.netns).values())
