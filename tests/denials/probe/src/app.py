"""A guest that tries whatever it is told."""

import os
import random
import socket
import sys
import time

from componentize_py_types import Err
from wit_world import exports

KEPT = []
CALLS = 0


def _attempt(action):
    try:
        return action()
    except OSError as error:
        raise Err(f"{type(error).__name__}: {error}") from error


class Attempts(exports.Attempts):
    def getenv(self, name):
        return os.environ.get(name)

    def environment(self):
        return list(os.environ.items())

    def arguments(self):
        return list(sys.argv)

    def connect(self, host, port, text):
        return _attempt(lambda: self._talk(host, port, text))

    def _talk(self, host, port, text):
        with socket.create_connection((host, port)) as connection:
            connection.sendall(text.encode())
            received = b""
            while piece := connection.recv(65536):
                received += piece
            return received.decode()

    def look_up(self, name):
        return _attempt(lambda: sorted({entry[4][0] for entry in socket.getaddrinfo(name, 80, type=socket.SOCK_STREAM)}))

    def read_file(self, path):
        def read():
            with open(path) as file:
                return file.read()

        return _attempt(read)

    def listen(self, port):
        def bind():
            with socket.socket() as listener:
                listener.bind(("127.0.0.1", port))
                listener.listen()
                return listener.getsockname()[1]

        return _attempt(bind)

    def send_datagram(self, host, port):
        def send():
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
                return datagrams.sendto(b"hello", (host, port))

        return _attempt(send)

    def print(self, text, times):
        for _ in range(times):
            print(text, flush=True)

    def read_stdin(self):
        return sys.stdin.read()

    def now(self):
        return (time.time(), time.monotonic())

    def random(self, count):
        return random.SystemRandom().randbytes(count)

    def sleep(self, seconds):
        time.sleep(seconds)

    def spin(self):
        while True:
            pass

    def hoard(self, bytes):
        KEPT.append(bytearray(bytes))
        return sum(map(len, KEPT))

    def recurse(self, depth):
        sys.setrecursionlimit(2**30)
        value = []
        for _ in range(depth):
            value = [value]
        return len(repr(value))

    def flood(self, count):
        return ["x" * 1024] * count

    def counter(self):
        global CALLS
        CALLS += 1
        return CALLS - 1

    def exit(self, status):
        sys.exit(status)

    def trap(self):
        raise RuntimeError("the probe was told to trap")

    def join(self, one, other):
        return one.text() + other.text()
