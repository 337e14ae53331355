"""The faster form of `ringfence.engine.signals`, whose words hold here, and which store runs on which thread.

Which signals have a handler in Python is asked for all at once and compared with the last answer: a microsecond a call in place of three.
Both forms share the list of running calls, so that calls of both engines nest.
"""

from __future__ import annotations

import os
import threading
from typing import Any

from ringfence.engine.signals import _SIGNALS, Interrupt, _handler_of, _running, _set_handler, _Wrapper

_ident = threading.get_ident
Wrapped = list[tuple[int, _Wrapper]]


class Current(threading.local):
    """The store whose wasm runs on this thread, innermost; None where none does."""

    store: Any = None


current = Current()


class _Known:
    """The main thread, the handlers found last, and the wrappers made for them."""

    thread = threading.main_thread().ident
    handlers: list[Any] = []  # noqa: RUF012 (replaced, never changed)
    wrapped: Wrapped = []  # noqa: RUF012


def _forked() -> None:
    _Known.thread = threading.main_thread().ident


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)  # the thread that forked is the child's main one


def defer(interrupt: Interrupt) -> Wrapped | None:
    """Until `undefer`, hand what handlers of signals raise to `interrupt`. None on other threads than the main one, where none runs."""
    if _ident() != _Known.thread:
        return None
    wrapped = [] if _running else _wrap()
    _running.append(interrupt)
    return wrapped


def undefer(wrapped: Wrapped | None) -> None:
    """Handlers are as before again; one that was set meanwhile stays."""
    if wrapped is None:
        return
    try:
        for number, wrapper in wrapped:
            if _handler_of(number) is wrapper:
                _set_handler(number, wrapper.handler)
    finally:
        _running.pop()


def _wrap() -> Wrapped:
    handlers = list(map(_handler_of, _SIGNALS))
    if handlers != _Known.handlers:
        found = zip(_SIGNALS, handlers, strict=True)
        _Known.wrapped = [(number, _Wrapper(handler)) for number, handler in found if callable(handler) and type(handler) is not _Wrapper]
        _Known.handlers = handlers
    for number, wrapper in _Known.wrapped:
        _set_handler(number, wrapper)
    return _Known.wrapped


def _nested(depth: int) -> list[Any]:
    found: list[Any] = []
    for _ in range(depth):
        found = [found]
    return found


_ROOM = 16
_ONE, _OTHER = _nested(_ROOM), _nested(_ROOM)


def leave_room() -> None:
    """Raise RecursionError unless some more calls can be nested here: comparing nested lists is the fastest way to nest."""
    _ = _ONE == _OTHER
