"""Ctrl-C while a guest runs: it ends the call as any interruption from outside does, and never strikes inside a callback.

Python runs a signal's handler when the main thread next runs Python. While wasm runs there, that may be anywhere in a callback, its first
and last instant included, where no `try` can hold. An exception there leaves ctypes without a return value: it drops the exception
and returns *whatever lies on the stack*, which wasmtime follows as a pointer (tried: a segmentation fault). So while a call runs on the
main thread every handler written in Python is wrapped: what one raises is handed to the running call as the reason to end, and is
raised where the call ends. A host function that waits does so in `Call.wait`, which an interruption wakes.

The other thing that can fail at a function's entry is the depth of recursion; `leave_room` is asked before wasm is entered.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

# CPython's own, without the enums that `signal` puts around them: thirty times faster. Elsewhere those of `signal` do.
_raw = sys.modules.get("_signal", signal)
_handler_of: Callable[[int], Any] = _raw.getsignal
_set_handler: Callable[[int, Any], Any] = _raw.signal
_SIGNALS = sorted(int(number) for number in signal.valid_signals() if number < 32)
_ROOM = 12

Interrupt = Callable[[BaseException], bool]
"""Takes the reason to end the running call; False where none runs any more."""

_running: list[Interrupt] = []
"""The calls that run on the main thread, innermost last."""


class _Wrapper:
    """A signal's handler, wrapped."""

    __slots__ = ("handler",)

    def __init__(self, handler: Callable[[int, FrameType | None], Any]) -> None:
        self.handler = handler

    def __call__(self, number: int, frame: FrameType | None) -> None:
        try:
            self.handler(number, frame)
        except BaseException as error:
            if not _running or not _running[-1](error):
                raise


@contextmanager
def deferred(interrupt: Interrupt) -> Iterator[None]:
    """Hand what handlers of signals raise to `interrupt` meanwhile. On other threads than the main one, where none runs, nothing happens.

    Handlers are as before afterwards; one that was set meanwhile stays.
    """
    if threading.get_ident() != threading.main_thread().ident:
        yield
        return
    wrapped = [] if _running else _wrap()
    _running.append(interrupt)
    try:
        yield
    finally:
        try:
            for number, wrapper in wrapped:
                if _handler_of(number) is wrapper:
                    _set_handler(number, wrapper.handler)
        finally:
            _running.pop()


def _wrap() -> list[tuple[int, _Wrapper]]:
    wrapped = []
    for number in _SIGNALS:
        handler = _handler_of(number)
        if callable(handler):
            wrapper = handler if isinstance(handler, _Wrapper) else _Wrapper(handler)
            _set_handler(number, wrapper)
            wrapped.append((number, wrapper))
    return wrapped


def leave_room(depth: int = _ROOM) -> None:
    """Raise RecursionError unless some more calls can be nested here."""
    if depth:
        leave_room(depth - 1)
