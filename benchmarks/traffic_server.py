"""A server on loopback in a process of its own: the other end of what the network cases time, the same for every peer."""

from __future__ import annotations

import socket
import subprocess
import sys
from contextlib import suppress

_ORDER = 16
_BLOCK = bytes(256 << 10)


class TrafficServer:
    """The running server; `port` is where. It serves one connection after another."""

    def __init__(self) -> None:
        self._process = subprocess.Popen([sys.executable, __file__], stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())

    def close(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.communicate()


def _serve(connection: socket.socket) -> None:
    order = connection.recv(_ORDER, socket.MSG_WAITALL).split()
    if order[0] == b"send":
        left = int(order[1])
        while left:
            left -= connection.send(_BLOCK[:left])
        return
    while data := connection.recv(64):
        connection.sendall(data)


if __name__ == "__main__":
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(listener.getsockname()[1], flush=True)
        while True:
            one, _ = listener.accept()
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with one, suppress(OSError):
                _serve(one)
