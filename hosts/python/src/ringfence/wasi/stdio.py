"""The standard streams behind wasi:cli: where stdin comes from, and where stdout and stderr lead."""

from __future__ import annotations

import codecs
import logging
import os
import selectors
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Protocol

from ringfence.call import Call
from ringfence.contract.grants.stdio import Stream, StreamName, UseStderr, UseStdin, UseStdout
from ringfence.gate import Permit, permit
from ringfence.wasi.io import CHUNK, EmptyInput, InputStream, Interest, OutputStream, StreamBroken, StreamEnded
from ringfence.wasi.state import WasiState

_DESCRIPTORS = {"stdin": 0, "stdout": 1, "stderr": 2}
_PIPE = 4096
"""Bytes that a pipe which is ready takes without blocking (PIPE_BUF on Linux; POSIX promises 512)."""
_LINE = 4096
_TURNS: dict[int, threading.Lock] = {}
_PATIENCE = 0.02


class Sink(Protocol):
    """Where output goes; shared by all handles a guest has of one standard stream."""

    def push(self, data: bytes) -> int:
        """Take some of it without waiting; the count. Raises StreamEnded, StreamBroken."""

    def ready(self) -> bool: ...
    def interest(self) -> Interest: ...
    def close(self) -> None: ...


class _Always:
    def ready(self) -> bool:
        return True

    def interest(self) -> Interest:
        return Interest()


class Discard(_Always):
    """Takes everything."""

    def push(self, data: bytes) -> int:
        return len(data)

    def close(self) -> None:
        pass


class Log(_Always):
    """Lines to the logger `ringfence.<node>`: escaped, of bounded length, as arguments and never as a format."""

    def __init__(self, permit: Permit, stream: StreamName) -> None:
        self._logger = logging.getLogger(f"ringfence.{permit.call.node}")
        self._stream, self._line = stream, bytearray()

    def push(self, data: bytes) -> int:
        self._line += data
        *lines, rest = self._line.split(b"\n")
        for line in lines:
            self._emit(line)
        while len(rest) > _LINE:
            self._emit(rest[:_LINE])
            rest = rest[_LINE:]
        self._line = bytearray(rest)
        return len(data)

    def _emit(self, line: bytes | bytearray) -> None:
        for start in range(0, max(1, len(line)), _LINE):
            text = line[start : start + _LINE].decode(errors="backslashreplace").removesuffix("\r")
            self._logger.info("%s: %s", self._stream, "".join(_escaped(char, keep="\t") for char in text))

    def close(self) -> None:
        if self._line:
            self._emit(self._line)
            self._line.clear()


class Inherit:
    """The host's own stream. A terminal sees no control characters of a guest."""

    def __init__(self, permit: Permit, stream: StreamName) -> None:
        del permit
        self._descriptor = _DESCRIPTORS[stream]
        self._decoder = codecs.getincrementaldecoder("utf-8")("backslashreplace") if _is_terminal(self._descriptor) else None
        with suppress(OSError, ValueError, AttributeError):  # what the host has printed comes first; it may have no such stream
            getattr(sys, stream).flush()

    def push(self, data: bytes) -> int:
        piece = bytes(data[:_PIPE])
        try:
            with _turn(self._descriptor, selectors.EVENT_WRITE) as mine:
                if not mine:
                    return 0
                if self._decoder is None:
                    return os.write(self._descriptor, piece)
                text = "".join(_escaped(char, keep="\t\n") for char in self._decoder.decode(piece))
                _write_all(self._descriptor, text.encode())
        except BlockingIOError:
            return 0
        except BrokenPipeError:
            raise StreamEnded from None
        except OSError as error:
            raise StreamBroken("cli", "io", os.strerror(error.errno or 0)) from error
        return len(piece)

    def ready(self) -> bool:
        return _is_ready(self._descriptor, selectors.EVENT_WRITE)

    def interest(self) -> Interest:
        return Interest(writers=(self._descriptor,))

    def close(self) -> None:
        pass


class StandardOutput(OutputStream):
    """A guest's stdout or stderr; what is written counts as output of the call."""

    def __init__(self, state: WasiState, sink: Sink, stream: StreamName) -> None:
        super().__init__(state)
        self._state, self._sink, self._stream = state, sink, stream

    def push(self, data: bytes | bytearray) -> int:
        taken = self._sink.push(bytes(data[:CHUNK]))
        if self._stream == "stderr":
            self._state.last_words = (self._state.last_words + bytes(data[:taken]))[-_LINE:]
        return taken

    def room(self) -> int:
        return CHUNK if self._sink.ready() else 0

    def is_ready(self) -> bool:
        return self._sink.ready()

    def interest(self) -> Interest:
        return self._sink.interest()

    def account(self, call: Call, count: int) -> None:
        call.spend(count)


class StandardInput(InputStream):
    """The host's stdin."""

    def __init__(self, permit: Permit) -> None:
        super().__init__(permit.call.state)

    def pull(self, length: int) -> bytes:
        try:
            with _turn(_DESCRIPTORS["stdin"], selectors.EVENT_READ) as mine:
                if not mine:
                    return b""
                data = os.read(_DESCRIPTORS["stdin"], length)
        except BlockingIOError:
            return b""
        except OSError as error:
            raise StreamBroken("cli", "io", os.strerror(error.errno or 0)) from error
        if not data:
            raise StreamEnded
        return data

    def is_ready(self) -> bool:
        return _is_ready(_DESCRIPTORS["stdin"], selectors.EVENT_READ)

    def interest(self) -> Interest:
        return Interest(readers=(_DESCRIPTORS["stdin"],))


def open_stdin(call: Call) -> InputStream:
    """The guest's stdin: empty where nothing is granted."""
    if not call.state.policy.of("stdin"):
        return EmptyInput(call.state)
    return StandardInput(permit(call, UseStdin()))


def open_output(call: Call, stream: StreamName) -> OutputStream:
    """The guest's stdout or stderr. Where nothing is granted it takes everything, which goes nowhere and still counts as output.

    Closed, as measured, a mere `print(…, flush=True)` somewhere in a library traps a CPython guest. And no denial is recorded: a language
    runtime prints what it can on its way down, and a denial would hide why it went.
    """
    granted: tuple[Stream, ...] = call.state.policy.of(stream)
    if not granted:
        return StandardOutput(call.state, Discard(), stream)
    if stream not in call.state.sinks:
        request = UseStdout(granted[0].target) if stream == "stdout" else UseStderr(granted[0].target)
        call.state.sinks[stream] = _sink(permit(call, request), stream, granted[0])
    return StandardOutput(call.state, call.state.sinks[stream], stream)


def _sink(permit: Permit, stream: StreamName, grant: Stream) -> Sink:
    if grant.target == "inherit":
        return Inherit(permit, stream)
    return Log(permit, stream) if grant.target == "log" else Discard()


@contextmanager
def _turn(descriptor: int, event: int) -> Iterator[bool]:
    """Whether the descriptor is ready, and this thread's until the end: it blocks, and what is ready for two may be so for one only.

    A thread that blocks in it knows of no deadline.
    """
    lock = _TURNS.setdefault(descriptor, threading.Lock())
    if not lock.acquire(timeout=_PATIENCE):
        yield False
        return
    try:
        yield _is_ready(descriptor, event)
    finally:
        lock.release()


def _escaped(char: str, *, keep: str) -> str:
    return char if char in keep or char.isprintable() else ascii(char)[1:-1]


def _is_terminal(descriptor: int) -> bool:
    try:
        return os.isatty(descriptor)
    except OSError:
        return False


def _is_ready(descriptor: int, event: int) -> bool:
    """Whether it is ready now; what cannot be waited for (a file, something closed) is."""
    selector_type: type[selectors.BaseSelector] = getattr(selectors, "PollSelector", selectors.SelectSelector)
    with selector_type() as selector:
        try:
            selector.register(descriptor, event)
            return bool(selector.select(0))
        except (OSError, ValueError):
            return True


def _write_all(descriptor: int, data: bytes) -> None:
    """Write a terminal's piece whole: its escaped form has no place to be kept."""
    while data:
        data = data[os.write(descriptor, data) :]
