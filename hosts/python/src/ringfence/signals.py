"""Ctrl-C while a call runs: it ends the call as any interruption does, and never strikes between two lines of its book-keeping.

Python runs a signal's handler between any two lines of the main thread. So while the main thread is in a call of the application, the
handler of SIGINT is wrapped: what it raises becomes the reason to end that call, and is raised where the call ends. A host function that
waits is woken by it, and a guest that runs meets it at the next tick of the clock.
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


class Interruptible(Protocol):
    """A call of the application."""

    def interrupt(self, reason: BaseException) -> None:
        """End it soon, for this reason."""


_calls: list[Interruptible] = []
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
            if not _calls:
                raise
            _calls[-1].interrupt(error)


class _Known:
    """The main thread, and the handler found last with its wrapper."""

    thread = threading.main_thread().ident
    wrapper: Any = None


def _forked() -> None:
    _Known.thread = threading.main_thread().ident


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)  # the thread that forked is the child's main one


def defer(call: Interruptible) -> bool:
    """Until `undefer`, hand what Ctrl-C raises to this call. False on other threads than the main one, where it never strikes."""
    if _ident() != _Known.thread:
        return False
    if not _calls:
        handler, wrapper = _handler_of(_SIGINT), _Known.wrapper
        if callable(handler) and type(handler) is not _Wrapper:
            if wrapper is None or wrapper.handler is not handler:
                wrapper = _Known.wrapper = _Wrapper(handler)
            _set_handler(_SIGINT, wrapper)
    _calls.append(call)
    return True


def undefer() -> None:
    """The end of what `defer` began: the handler is as before again; one that was set meanwhile stays."""
    _calls.pop()  # first: where Ctrl-C strikes in the next line, the wrapper stays, raises what it gets, and the next call puts it away
    if not _calls:
        wrapper = _handler_of(_SIGINT)
        if type(wrapper) is _Wrapper:
            _set_handler(_SIGINT, wrapper.handler)
