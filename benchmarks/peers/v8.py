"""A V8 isolate by mini-racer, called in its own event loop, which is the fastest way in."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import ExitStack
from functools import cached_property
from typing import Any

from py_mini_racer import mini_racer

from benchmarks.peers.base import Line, Peer
from benchmarks.work import Batch, Work, busy, python

SOURCE = """
function add(a, b) { return (a + b) >>> 0 }
function same(x) { return x }
var buffer = new SharedArrayBuffer(1 << 24)
var counter = { number: 5, get() { return this.number } }
function spin(count) { let x = 0; for (let i = 0; i < count; i++) x = (Math.imul(x, 1664525) + 1013904223) | 0; return x }
"""
_AS_SOURCE = 16 << 10
"""Up to this length a text gets there sooner as source than as a value."""


class Isolate:
    """An isolate with an event loop of its own, which runs when something is called in it, on whatever thread that is."""

    def __init__(self) -> None:
        self._loop, self._stack = asyncio.new_event_loop(), ExitStack()
        self.racer: Any = self.enter(lambda: self._stack.enter_context(mini_racer(self._loop)))
        self.eval: Callable[[str], Any] = self.racer.eval
        self.enter(lambda: self.eval(SOURCE))

    def enter(self, batch: Batch) -> Any:
        async def entered() -> Any:
            return batch()

        return self._loop.run_until_complete(entered())

    def work(self, run: Callable[[], Any], per: int = 1, close: Callable[[], None] = lambda: None) -> Work:
        return Work(run=run, per=per, enter=self.enter, close=close)

    def close(self) -> None:
        self.enter(self._stack.close)
        self._loop.close()


class V8(Peer):
    """JavaScript, with small values written into the source that is evaluated."""

    name, title = "v8", "V8 isolate"
    about = (
        "A V8 isolate by mini-racer, called inside its event loop; small values are part of the source it evaluates, bytes go through a "
        "shared buffer, records as JSON. Its calls back into Python are asynchronous."
    )

    @cached_property
    def isolate(self) -> Isolate:
        return Isolate()

    def close(self) -> None:
        if "isolate" in vars(self):
            self.isolate.close()
            del self.isolate

    def _evaluated(self, source: str) -> Work:
        isolate = self.isolate
        return isolate.work(lambda: isolate.eval(source))

    def add(self) -> Work:
        return self._evaluated("add(1, 2)")

    def text(self, text: str) -> Work:
        isolate = self.isolate
        if len(text) <= _AS_SOURCE:
            return isolate.work(lambda: isolate.eval(f"same({json.dumps(text)})"))
        same = isolate.enter(lambda: isolate.eval("same"))
        return isolate.work(lambda: same(text))

    def data(self, data: bytes) -> Work:
        isolate = self.isolate
        view = isolate.enter(lambda: isolate.eval("buffer"))

        def run() -> bytes:
            view[: len(data)] = data
            length = isolate.eval(f"same({len(data)})")
            return bytes(view[:length])

        return isolate.work(run)

    def lines(self, lines: list[Line]) -> Work:
        isolate = self.isolate
        return isolate.work(lambda: json.loads(isolate.eval(f"JSON.stringify(same({json.dumps(lines)}))")), per=len(lines))

    def method(self) -> Work:
        return self._evaluated("counter.get()")

    def fresh(self) -> Work:
        def run() -> Any:
            isolate = Isolate()
            found = isolate.enter(lambda: isolate.eval("add(1, 2)"))
            isolate.close()
            return found

        return Work(run=run)

    def imported(self) -> Work:
        return python("import py_mini_racer")

    def alone(self, *, long: bool) -> Work:
        isolate = Isolate()
        if not long:
            return isolate.work(lambda: isolate.eval("add(1, 2)"), close=isolate.close)
        count = isolate.enter(lambda: busy(lambda count: isolate.eval(f"spin({count})"), self.place.seconds))
        return isolate.work(lambda: isolate.eval(f"spin({count})"), close=isolate.close)
