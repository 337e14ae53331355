"""The call that runs on this thread, and Ctrl-C meanwhile: it ends the call as any interruption from outside does.

Python runs a signal's handler when the main thread next runs Python, which may be in any line, those that keep an instance's books
included. So while a call runs on the main thread, the handler of SIGINT is wrapped: what it raises is handed to the running call as the
reason to end, and is raised where the call ends. A host function that waits does so in `Call.wait`, which an interruption wakes. What
handlers of other signals raise is an exception of the line that it strikes, as everywhere in Python; see `callbacks.py` for the one
place where that would not do.

The other thing that can fail at a function's entry is the depth of recursion; `leave_room` is asked before wasm is entered.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any, Protocol

# CPython's own, without the enums that `signal` puts around them: thirty times faster. Elsewhere those of `signal` do.
_raw = sys.modules.get("_signal", signal)
_handler_of: Callable[[int], Any] = _raw.getsignal
_set_handler: Callable[[int, Any], Any] = _raw.signal
_SIGINT = int(signal.SIGINT)
_ident = threading.get_ident

Interrupt = Callable[[BaseException], bool]
"""Takes the reason to end the running call; False where none runs any more."""


class Interruptible(Protocol):
    """A store whose wasm runs."""

    def interrupted(self, reason: BaseException) -> bool:
        """End the running call soon, for this reason; False where none runs any more."""


class Current(threading.local):
    """The store whose wasm runs on this thread, innermost; None where none does."""

    store: Any = None


current = Current()

_running: list[Interrupt] = []
"""The calls that run on the main thread, innermost last."""


class _Wrapper:
    """SIGINT's handler, wrapped."""

    __slots__ = ("handler",)

    def __init__(self, handler: Callable[[int, FrameType | None], Any]) -> None:
        self.handler = handler

    def __call__(self, number: int, frame: FrameType | None) -> None:
        try:
            self.handler(number, frame)
        except BaseException as error:
            if not _running or not _running[-1](error):
                raise


class _Known:
    """The main thread, and the handler found last with its wrapper."""

    thread = threading.main_thread().ident
    wrapper: Any = None


def _forked() -> None:
    _Known.thread = threading.main_thread().ident


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)  # the thread that forked is the child's main one


def defer(interrupt: Interrupt) -> bool:
    """Until `undefer`, hand what Ctrl-C raises to `interrupt`. False on other threads than the main one, where it never strikes."""
    if _ident() != _Known.thread:
        return False
    if not _running:
        handler, wrapper = _handler_of(_SIGINT), _Known.wrapper
        if callable(handler):
            if wrapper is None or wrapper.handler is not handler:
                wrapper = _Known.wrapper = _Wrapper(handler)
            _set_handler(_SIGINT, wrapper)
    _running.append(interrupt)
    return True


def undefer() -> None:
    """The end of what `defer` began: the handler is as before again; one that was set meanwhile stays."""
    try:
        if len(_running) == 1:
            wrapper = _handler_of(_SIGINT)
            if type(wrapper) is _Wrapper:
                _set_handler(_SIGINT, wrapper.handler)
    finally:
        _running.pop()


def _nested(depth: int) -> list[Any]:
    found: list[Any] = []
    for _ in range(depth):
        found = [found]
    return found


_ROOM = 12
_ONE, _OTHER = _nested(_ROOM), _nested(_ROOM)


def leave_room() -> None:
    """Raise RecursionError unless some more calls can be nested here: comparing nested lists is the fastest way to nest."""
    _ = _ONE == _OTHER
