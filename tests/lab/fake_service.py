# SPDX-License-Identifier: GPL-2.0-or-later
"""
A control service that answers as it is told: for errors that the daemon does not make on demand,
and for replies that have to be the same each time.
"""

import json
import os
import socket
import tempfile
import threading

INTERFACE = "io.ctmark.Manager."


def message(**members):
    return json.dumps(members).encode() + b"\0"


class FakeService:
    """
    answers: {"Method": answer}; an answer is what the parameters of the reply are, or a list of
    these for a method that streams, or bytes that are sent as they are, or None for silence, or a
    function that gets the call and returns one of these. hang_up: closes behind the answer.
    """

    def __init__(self, answers, hang_up=False):
        self.answers, self.hang_up = answers, hang_up
        self.calls = []
        self._dir = tempfile.TemporaryDirectory(prefix="ctmarkctl-")
        self.path = os.path.join(self._dir.name, "socket")
        self._clients = []

    def __enter__(self):
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        os.chmod(self._dir.name, 0o755)
        os.chmod(self.path, 0o666)
        self.listener.listen(8)
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *exc):
        self.close()
        self._dir.cleanup()

    def close(self):
        """Nobody listens any more, and nobody is connected."""
        for s in [self.listener, *self._clients]:
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            s.close()
        self._clients.clear()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            self._clients.append(client)
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        rest = b""
        try:
            while chunk := client.recv(65536):
                *calls, rest = (rest + chunk).split(b"\0")
                for call in calls:
                    self._answer(client, json.loads(call))
        except OSError:
            pass

    def _answer(self, client, call):
        self.calls.append(call)
        answer = self.answers.get(call["method"].removeprefix(INTERFACE),
                                  message(error="org.varlink.service.MethodNotFound"))
        if callable(answer):
            answer = answer(call)
        if answer is None:
            return
        if isinstance(answer, bytes):
            client.sendall(answer)
        elif isinstance(answer, list):
            for part in answer[:-1]:
                client.sendall(message(parameters=part, continues=True))
            client.sendall(message(parameters=answer[-1]))
        else:
            client.sendall(message(parameters=answer))
        if self.hang_up:
            client.shutdown(socket.SHUT_RDWR)
