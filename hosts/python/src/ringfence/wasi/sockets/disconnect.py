"""Undoing `connect` of a datagram socket, for which Python has no call: connect(2) with AF_UNSPEC."""

from __future__ import annotations

import ctypes
import os
import socket
from contextlib import suppress

_ADDRESS = 28
"""Bytes of the longest address in question, a sockaddr_in6."""


def disconnect(native: socket.socket) -> None:
    """Have the socket take datagrams from all again, at the address and port it has.

    Linux takes away a port that it had chosen itself (udp_disconnect); it is then bound to that again, if nobody took it in between.

    Raises:
        OSError: it stays as it was, or is bound no more.
    """
    before = native.getsockname()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.connect(native.fileno(), bytes(_ADDRESS), _ADDRESS) and _is_connected(native):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    after = native.getsockname()
    if after[1] != before[1]:
        native.bind((after[0], before[1], *after[2:]))


def _is_connected(native: socket.socket) -> bool:
    """BSD's connect reports an error for AF_UNSPEC, and disconnects."""
    with suppress(OSError):
        native.getpeername()
        return True
    return False
