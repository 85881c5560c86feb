# SPDX-License-Identifier: GPL-2.0-or-later
"""A TCP server that gives back what it gets, on any number of connections."""

import contextlib
import selectors
import socket
import threading


class Echo:
    """with Echo(namespace, address, port): it answers."""

    def __init__(self, space, address, port):
        self._listener = space.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind((address, port))
        self._listener.listen(512)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._stop = False
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *exc):
        self._stop = True
        self._thread.join()
        for key in list(self._selector.get_map().values()):
            key.fileobj.close()
        self._selector.close()

    def _serve(self):
        while not self._stop:
            for key, _ in self._selector.select(0.05):
                if key.fileobj is self._listener:
                    self._selector.register(self._listener.accept()[0], selectors.EVENT_READ)
                else:
                    self._answer(key.fileobj)

    def _answer(self, peer):
        with contextlib.suppress(OSError):
            if data := peer.recv(65536):
                peer.sendall(data)
                return
        self._selector.unregister(peer)
        peer.close()
