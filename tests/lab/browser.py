# SPDX-License-Identifier: GPL-2.0-or-later
"""A headless Chromium, driven through chromedriver by its plain HTTP; and the pixels that it shows."""

import base64
import json
import os
import shutil
import socket
import struct
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
import zlib

TAB = "\ue004"
ARGUMENTS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
             "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking")


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


class Browser:
    """with Browser() as b: b.open(path); b.run("return document.title")"""

    def __init__(self):
        self.port = free_port()
        # what it leaves behind goes with it
        self.home = tempfile.mkdtemp(prefix="browser.")
        self.driver = subprocess.Popen(["chromedriver", f"--port={self.port}"], stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL,
                                       env={**os.environ, "HOME": self.home, "TMPDIR": self.home})
        self.session = ""

    def __enter__(self):
        deadline = time.monotonic() + 60
        while True:
            try:
                self.call("GET", "/status")
                break
            except (urllib.error.URLError, ConnectionError):
                assert time.monotonic() < deadline, "chromedriver does not answer"
                time.sleep(0.1)
        wanted = {"browserName": "chrome", "goog:chromeOptions": {"args": ARGUMENTS},
                  "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"}}
        answer = self.call("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})
        self.session = f"/session/{answer['sessionId']}"
        return self

    def __exit__(self, *_):
        try:
            self.call("DELETE", self.session)
        finally:
            self.driver.terminate()
            self.driver.wait(30)
            shutil.rmtree(self.home, ignore_errors=True)

    def call(self, method, path, body=None):
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", method=method,
                                         data=None if body is None else json.dumps(body).encode(),
                                         headers={"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=120) as answer:
            return json.load(answer)["value"]

    def post(self, path, **body):
        return self.call("POST", self.session + path, body)

    def devtools(self, command, **params):
        return self.post("/goog/cdp/execute", cmd=command, params=params)

    def screen(self, width, height, scheme="light"):
        """What the page finds: so many pixels, and whether people want it dark."""
        self.devtools("Emulation.setDeviceMetricsOverride", width=width, height=height,
                      deviceScaleFactor=1, mobile=False)
        self.devtools("Emulation.setEmulatedMedia",
                      features=[{"name": "prefers-color-scheme", "value": scheme}])

    def scripts(self, allowed):
        self.devtools("Emulation.setScriptExecutionDisabled", value=not allowed)

    def open(self, path):
        self.post("/url", url=f"file://{path}")

    def run(self, script):
        return self.post("/execute/sync", script=script, args=[])

    def keys(self, text):
        steps = [{"type": kind, "value": key} for key in text for kind in ("keyDown", "keyUp")]
        self.post("/actions", actions=[{"type": "key", "id": "keyboard", "actions": steps}])

    def point(self, x, y):
        move = {"type": "pointerMove", "duration": 0, "x": int(x), "y": int(y)}
        self.post("/actions", actions=[{"type": "pointer", "id": "mouse", "actions": [move]}])

    def log(self, kind):
        """Messages since the last time: of the console ("browser") or the network ("performance")."""
        return self.post("/se/log", type=kind)

    def requests(self):
        """Addresses that were asked for since the last time."""
        messages = (json.loads(entry["message"])["message"] for entry in self.log("performance"))
        return [message["params"]["request"]["url"] for message in messages
                if message["method"] == "Network.requestWillBeSent"]

    def pixels(self):
        return Pixels(base64.b64decode(self.call("GET", self.session + "/screenshot")))


class Pixels:
    """A PNG of eight bits, RGB or RGBA, not interlaced: what screenshots are."""

    def __init__(self, png):
        assert png[:8] == b"\x89PNG\r\n\x1a\n"
        self.width, self.height, depth, kind = struct.unpack_from("!IIBB", png, 16)
        assert depth == 8 and kind in (2, 6)
        data, at = b"", 8
        while at < len(png):
            size, = struct.unpack_from("!I", png, at)
            if png[at + 4:at + 8] == b"IDAT":
                data += png[at + 8:at + 8 + size]
            at += size + 12
        self.bytes = 3 if kind == 2 else 4
        self.rows = self._rows(zlib.decompress(data))

    def _rows(self, data):
        stride, n, rows = self.width * self.bytes, self.bytes, []
        above = bytearray(stride)
        for y in range(self.height):
            kind, row = data[y * (stride + 1)], bytearray(data[y * (stride + 1) + 1:(y + 1) * (stride + 1)])
            if kind == 2:
                row = bytearray((a + b) & 255 for a, b in zip(row, above))
            elif kind:
                for i in range(stride):
                    left, corner = (row[i - n], above[i - n]) if i >= n else (0, 0)
                    row[i] = row[i] + self._guess(kind, left, above[i], corner) & 255
            rows.append(row)
            above = row
        return rows

    @staticmethod
    def _guess(kind, left, up, corner):
        if kind == 1:
            return left
        if kind == 3:
            return (left + up) // 2
        near = sorted((abs(up - corner), 0, left) if i == 0 else (abs(left - corner), 1, up) if i == 1
                      else (abs(left + up - 2 * corner), 2, corner) for i in range(3))
        return near[0][2]

    def at(self, x, y):
        return tuple(self.rows[y][x * self.bytes:x * self.bytes + 3])

    def colours(self, step=1):
        """How often each colour is there, looking at every step-th pixel of every step-th row."""
        count = {}
        for y in range(0, self.height, step):
            for x in range(0, self.width, step):
                colour = self.at(x, y)
                count[colour] = count.get(colour, 0) + 1
        return count
