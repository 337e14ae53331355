"""A child of `python -S` at the other end of two pipes."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

from benchmarks.peers.base import Line, Peer
from benchmarks.peers.pipe_child import NUMBER, PAIR, receive, send
from benchmarks.work import Place, Work, busy, python

_F_SETPIPE_SZ = getattr(fcntl, "F_SETPIPE_SZ", 1031)
_ROOM = 1 << 20
"""Bytes that a pipe holds, the most that a user may ask for: fewer switches for large values."""

Answers = dict[bytes, Callable[[Any], bytes]]
"""What this side answers when the child asks, by letter."""


class Child:
    """A child process that serves frames."""

    def __init__(self, answers: Answers | None = None) -> None:
        program = str(Path(__file__).with_name("pipe_child.py"))
        self._process = subprocess.Popen([sys.executable, "-S", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._to, self._from = self._process.stdin.fileno(), self._process.stdout.fileno()
        for end in (self._to, self._from):
            try:
                fcntl.fcntl(end, _F_SETPIPE_SZ, _ROOM)
            except OSError:
                break  # a smaller one does, too
        self._answers = answers or {}

    def ask(self, letter: bytes, payload: bytes = b"") -> Any:
        """The answer; what the child asks meanwhile is answered. Raises EOFError where it is gone."""
        send(self._to, letter, payload)
        while True:
            asked, given = receive(self._from)
            if asked == b"=":
                return given
            send(self._to, b"=", self._answers[asked](given))

    def close(self) -> None:
        for file in (self._process.stdin, self._process.stdout):
            if file is not None:
                file.close()
        self._process.wait()


class Pipe(Peer):
    """Frames of a letter, a length and the payload."""

    name, title = "pipe", "pipe"
    about = "A child process (`python -S`) over two pipes with length-prefixed frames; records as JSON that only this side reads."

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self._children: list[Child] = []

    def close(self) -> None:
        for child in self._children:
            child.close()
        self._children.clear()

    def _new(self, answers: Answers | None = None) -> Child:
        self._children.append(Child(answers))
        return self._children[-1]

    @cached_property
    def child(self) -> Child:
        return self._new()

    def add(self) -> Work:
        child = self.child
        return Work(run=lambda: NUMBER.unpack(child.ask(b"a", PAIR.pack(1, 2)))[0])

    def text(self, text: str) -> Work:
        child = self.child
        return Work(run=lambda: child.ask(b"e", text.encode()).decode())

    def data(self, data: bytes) -> Work:
        child = self.child
        return Work(run=lambda: child.ask(b"e", data))

    def lines(self, lines: list[Line]) -> Work:
        child = self.child
        return Work(run=lambda: json.loads(child.ask(b"e", json.dumps(lines).encode())), per=len(lines))

    def method(self) -> Work:
        child = self.child
        return Work(run=lambda: NUMBER.unpack(child.ask(b"m", NUMBER.pack(1)))[0])

    def callback(self, times: int) -> Work:
        child = self._new({b"c": lambda _: b""})
        return Work(run=lambda: child.ask(b"c", NUMBER.pack(times)) or None, per=times)

    def edge(self, times: int) -> Work:
        other = self._new()
        child = self._new({b"g": lambda pair: other.ask(b"a", pair)})
        return Work(run=lambda: NUMBER.unpack(child.ask(b"g", NUMBER.pack(times)))[0], per=times)

    def read(self, file: int, size: int, times: int) -> Work:
        child = self._new({b"r": lambda size: os.pread(file, NUMBER.unpack(size)[0], 0)})
        return Work(run=lambda: child.ask(b"r", PAIR.pack(size, times)), per=times)

    def fresh_python(self) -> Work:
        return Work(run=lambda: subprocess.run([sys.executable, "-S", "-c", "pass"], check=True).returncode)

    def imported(self) -> Work:
        return python("import subprocess")

    def alone(self, *, long: bool) -> Work:
        child = Child()
        if not long:
            return Work(run=lambda: child.ask(b"a", PAIR.pack(1, 2)), close=child.close)
        count = busy(lambda count: child.ask(b"s", NUMBER.pack(count)), self.place.seconds)
        return Work(run=lambda: child.ask(b"s", NUMBER.pack(count)), close=child.close)
