"""`multiprocessing`: a spawned child at the other end of its `Pipe`, values pickled on both sides."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable
from functools import cached_property
from multiprocessing.connection import Connection
from typing import Any

from benchmarks.peers.base import Line, Peer
from benchmarks.peers.pipe_child import spin
from benchmarks.work import Place, Work, busy, python

Ask = Callable[[Any], Any]


def _serve(near: Any) -> None:
    """Answer what comes by name until the other side is gone."""
    counters = {1: 5}
    while True:
        try:
            name, value = near.recv()
        except EOFError:
            return
        if name == "data":
            near.send_bytes(near.recv_bytes())
        elif name == "add":
            near.send((value[0] + value[1]) & 0xFFFFFFFF)
        elif name == "method":
            near.send(counters[value])
        elif name == "spin":
            near.send(spin(value))
        elif name == "callback":
            for _ in range(value):
                near.send(("asked", None))
                near.recv()
            near.send(("done", None))
        elif name == "edge":
            found = 0
            for _ in range(value):
                near.send(("asked", (found, 1)))
                found = near.recv()
            near.send(("done", found))
        elif name == "read":
            size, times = value
            for _ in range(times):
                near.send(("asked", size))
                near.recv_bytes()
            near.send(("done", None))
        else:
            near.send(value)


class Child:
    """A spawned process that serves."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe: Connection[Any, Any]
        self.pipe, far = context.Pipe()
        self._process = context.Process(target=_serve, args=(far,), daemon=True)
        self._process.start()
        far.close()

    def ask(self, name: str, value: Any = None) -> Any:
        self.pipe.send((name, value))
        return self.pipe.recv()

    def answering(self, name: str, value: Any, answer: Callable[[Any], None]) -> Any:
        """The same where the child asks back; `answer` sends."""
        self.pipe.send((name, value))
        while True:
            what, given = self.pipe.recv()
            if what == "done":
                return given
            answer(given)

    def data(self, data: bytes) -> bytes:
        self.pipe.send(("data", None))
        self.pipe.send_bytes(data)
        return self.pipe.recv_bytes()

    def close(self) -> None:
        self.pipe.close()
        self._process.join()


class Processes(Peer):
    """Python's own way to another process."""

    name, title = "processes", "multiprocessing"
    about = "A spawned `multiprocessing` child over its Pipe; values are pickled by both sides, bytes sent as they are."

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self._children: list[Child] = []

    def close(self) -> None:
        for child in self._children:
            child.close()
        self._children.clear()

    @cached_property
    def child(self) -> Child:
        self._children.append(Child())
        return self._children[-1]

    @cached_property
    def other(self) -> Child:
        self._children.append(Child())
        return self._children[-1]

    def _asked(self, name: str, value: Any, per: int = 1) -> Work:
        child = self.child
        return Work(run=lambda: child.ask(name, value), per=per)

    def add(self) -> Work:
        return self._asked("add", (1, 2))

    def text(self, text: str) -> Work:
        return self._asked("text", text)

    def data(self, data: bytes) -> Work:
        child = self.child
        return Work(run=lambda: child.data(data))

    def lines(self, lines: list[Line]) -> Work:
        return self._asked("lines", lines, per=len(lines))

    def method(self) -> Work:
        return self._asked("method", 1)

    def callback(self, times: int) -> Work:
        child = self.child
        return Work(run=lambda: child.answering("callback", times, lambda _: child.pipe.send(None)), per=times)

    def edge(self, times: int) -> Work:
        child, other = self.child, self.other
        return Work(run=lambda: child.answering("edge", times, lambda pair: child.pipe.send(other.ask("add", pair))), per=times)

    def read(self, file: int, size: int, times: int) -> Work:
        child = self.child

        def answer(size: int) -> None:
            child.pipe.send_bytes(os.pread(file, size, 0))

        return Work(run=lambda: child.answering("read", (size, times), answer), per=times)

    def fresh_python(self) -> Work:
        def run() -> int:
            child = Child()
            found: int = child.ask("text", 0)
            child.close()
            return found

        return Work(run=run)

    def imported(self) -> Work:
        return python("import multiprocessing.connection")

    def alone(self, *, long: bool) -> Work:
        child = Child()
        if not long:
            return Work(run=lambda: child.ask("add", (1, 2)), close=child.close)
        count = busy(lambda count: child.ask("spin", count), self.place.seconds)
        return Work(run=lambda: child.ask("spin", count), close=child.close)
