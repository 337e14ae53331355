"""Keeps Ctrl-C from killing the process in a callback.

Python runs a signal's handler when the main thread next runs Python. While wasm runs there, that is the first instant of a
callback, before any `try` in it can hold. An exception there leaves ctypes without a return value: it reports the exception as
unraisable, drops it and returns *whatever lies on the stack*, which wasmtime follows as a pointer (tried: a segmentation fault). So
while a call runs on the main thread the handlers are wrapped: what one raises at that instant becomes the reason to end the call;
anywhere else it is raised as ever.

The other thing that can fail at a function's entry is the depth of recursion; `leave_room` is asked before wasm is entered.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

from ringfence.engine.component.store import CALLBACKS, store_of

# CPython's own, without the enums that `signal` puts around them: thirty times faster. Elsewhere those of `signal` do.
_raw = sys.modules.get("_signal", signal)
_handler_of: Callable[[int], Any] = _raw.getsignal
_set_handler: Callable[[int, Any], Any] = _raw.signal
_SIGNALS = sorted(int(number) for number in signal.valid_signals() if number < 32)
_ROOM = 12


class _Wrapper:
    """A signal's handler, wrapped."""

    __slots__ = ("handler",)

    def __init__(self, handler: Callable[[int, FrameType | None], Any]) -> None:
        self.handler = handler

    def __call__(self, number: int, frame: FrameType | None) -> None:
        try:
            self.handler(number, frame)
        except BaseException as error:
            if frame is None or frame.f_code not in CALLBACKS:
                raise
            store_of(frame.f_locals["context"]).reason = error


Wrapped = list[tuple[int, _Wrapper]]


def wrap_handlers() -> Wrapped | None:
    """Wrap every handler of this process that is written in Python; give what this returns to `unwrap_handlers`.

    None on other threads than the main one, where no handler runs.
    """
    if threading.get_ident() != threading.main_thread().ident:
        return None
    wrapped = []
    for number in _SIGNALS:
        handler = _handler_of(number)
        if callable(handler) and type(handler) is not _Wrapper:
            wrapper = _Wrapper(handler)
            _set_handler(number, wrapper)
            wrapped.append((number, wrapper))
    return wrapped


def unwrap_handlers(wrapped: Wrapped | None) -> None:
    """The end of what `wrap_handlers` began. A handler that was set meanwhile stays."""
    for number, wrapper in wrapped or ():
        if _handler_of(number) is wrapper:
            _set_handler(number, wrapper.handler)


def leave_room(depth: int = _ROOM) -> None:
    """Raise RecursionError unless some more calls can be nested here."""
    if depth:
        leave_room(depth - 1)
