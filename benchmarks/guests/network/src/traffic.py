"""A client's traffic, the same for the guest and for plain Python."""

import socket

SMALL = b"sixteen letters!"
BLOCK = 64 << 10


def _ask(port: int, order: str) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port))
    connection.sendall(order.encode().ljust(16))
    return connection


def round_trips(port: int, times: int) -> int:
    """Send sixteen bytes and wait for them, so many times; how many of them came back."""
    came = 0
    with _ask(port, "echo") as connection:
        for _ in range(times):
            connection.sendall(SMALL)
            came += connection.recv(64) == SMALL
    return came


def fetch(port: int, count: int) -> int:
    """Ask for so many bytes and read them all; how many came."""
    came = 0
    buffer = bytearray(BLOCK)
    with _ask(port, f"send {count}") as connection:
        while read := connection.recv_into(buffer):
            came += read
    return came
