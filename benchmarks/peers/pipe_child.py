"""The far side of `pipe.py`. Frames on stdin and stdout: one letter, the length (u32, little-endian), the payload."""

from __future__ import annotations

import os
import struct
import sys

HEAD, PAIR, NUMBER = struct.Struct("<cI"), struct.Struct("<II"), struct.Struct("<I")
COUNTERS = {1: 5}


def receive(file: int) -> tuple[bytes, bytes | bytearray]:
    """The next frame. Raises EOFError at the end."""
    data = os.read(file, 1 << 16)
    if not data:
        raise EOFError
    letter, length = HEAD.unpack_from(data)
    got = len(data) - HEAD.size
    if got == length:
        return letter, data[HEAD.size :]
    whole = bytearray(length)
    whole[:got] = memoryview(data)[HEAD.size :]
    view = memoryview(whole)
    while got < length:
        got += os.readv(file, [view[got:]])
    return letter, whole


def send(file: int, letter: bytes, payload: bytes | bytearray = b"") -> None:
    """One frame."""
    if len(payload) < 1 << 12:
        os.write(file, HEAD.pack(letter, len(payload)) + payload)
        return
    parts = [memoryview(HEAD.pack(letter, len(payload))), memoryview(payload)]
    while parts:
        written = os.writev(file, parts)
        while parts and written >= len(parts[0]):
            written -= len(parts.pop(0))
        if parts:
            parts[0] = parts[0][written:]


def spin(count: int) -> int:
    """Work."""
    x = 0
    for _ in range(count):
        x = (x * 1664525 + 1013904223) & 0xFFFFFFFF
    return x


def serve(near: int, far: int) -> None:
    """Answer until the other side is gone."""
    while True:
        try:
            letter, payload = receive(near)
        except EOFError:
            return
        answer: bytes | bytearray = b""
        if letter == b"e":
            answer = payload
        elif letter == b"a":
            a, b = PAIR.unpack(payload)
            answer = NUMBER.pack(a + b & 0xFFFFFFFF)
        elif letter == b"m":
            answer = NUMBER.pack(COUNTERS[NUMBER.unpack(payload)[0]])
        elif letter == b"s":
            answer = NUMBER.pack(spin(NUMBER.unpack(payload)[0]))
        elif letter == b"c":
            for _ in range(NUMBER.unpack(payload)[0]):
                send(far, b"c")
                receive(near)
        elif letter == b"g":
            found = 0
            for _ in range(NUMBER.unpack(payload)[0]):
                send(far, b"g", PAIR.pack(found, 1))
                (found,) = NUMBER.unpack(receive(near)[1])
            answer = NUMBER.pack(found)
        elif letter == b"r":
            size, times = PAIR.unpack(payload)
            for _ in range(times):
                send(far, b"r", NUMBER.pack(size))
                receive(near)
        send(far, b"=", answer)


if __name__ == "__main__":
    serve(sys.stdin.fileno(), sys.stdout.fileno())
