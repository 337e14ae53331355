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
from typing import Protocol, assert_never

from ringfence.call import Call
from ringfence.contract.grants.stdio import Stream, StreamName, UseStderr, UseStdin, UseStdout
from ringfence.folders import Folder
from ringfence.gate import Permit, permit
from ringfence.wasi.filesystem.codes import DOMAIN, code_of
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

    def account(self, call: Call, count: int) -> None:
        """Count bytes that it will be given. Raises LimitExceeded."""

    def ready(self) -> bool: ...
    def interest(self) -> Interest: ...
    def close(self) -> None: ...


class _Always:
    def account(self, call: Call, count: int) -> None:
        call.spend(count)

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


class File(_Always):
    """The end of a file, wherever that is at each write."""

    def __init__(self, permit: Permit, file: Folder) -> None:
        del permit
        self._file = file

    def account(self, call: Call, count: int) -> None:
        call.spend_written(count)
        super().account(call, count)

    def push(self, data: bytes) -> int:
        try:
            return os.write(self._file.descriptor, data)
        except OSError as error:
            raise _broken(error) from error

    def close(self) -> None:
        pass


class Inherit:
    """The host's own stream. A terminal sees no control characters of a guest."""

    def __init__(self, permit: Permit, stream: StreamName) -> None:
        del permit
        self._descriptor = _DESCRIPTORS[stream]
        self._decoder = codecs.getincrementaldecoder("utf-8")("backslashreplace") if _is_terminal(self._descriptor) else None
        self._stream = stream

    def push(self, data: bytes) -> int:
        piece = bytes(data[:_PIPE])
        with suppress(OSError, ValueError, AttributeError):  # what the host has printed comes first; it may have no such stream
            getattr(sys, self._stream).flush()
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
            raise _broken(error) from error
        return len(piece)

    def account(self, call: Call, count: int) -> None:
        call.spend(count)

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
        self._sink.account(call, count)


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
            raise _broken(error) from error
        if not data:
            raise StreamEnded
        return data

    def is_ready(self) -> bool:
        return _is_ready(_DESCRIPTORS["stdin"], selectors.EVENT_READ)

    def interest(self) -> Interest:
        return Interest(readers=(_DESCRIPTORS["stdin"],))


class Reading:
    """A file and how far it was read, by all handles that an instance has of its stdin."""

    def __init__(self, permit: Permit, file: Folder) -> None:
        del permit
        self.file, self.offset = file, 0

    def close(self) -> None:
        pass


class FileInput(InputStream):
    """A file as the guest's stdin."""

    def __init__(self, state: WasiState, reading: Reading) -> None:
        super().__init__(state)
        self._reading = reading

    def pull(self, length: int) -> bytes:
        try:
            data = os.pread(self._reading.file.descriptor, length, self._reading.offset)
        except OSError as error:
            raise _broken(error) from error
        if not data:
            raise StreamEnded
        self._reading.offset += len(data)
        return data


def open_stdin(call: Call) -> InputStream:
    """The guest's stdin: empty where nothing is granted."""
    granted: tuple[Stream, ...] = call.state.policy.of("stdin")
    if not granted:
        return EmptyInput(call.state)
    allowed = permit(call, UseStdin(granted[0].target, granted[0].file))
    if granted[0].target == "inherit":
        return StandardInput(allowed)
    if "stdin" not in call.state.sinks:
        call.state.sinks["stdin"] = Reading(allowed, call.state.streams[granted[0]])
    return FileInput(call.state, call.state.sinks["stdin"])


def open_output(call: Call, stream: StreamName) -> OutputStream:
    """The guest's stdout or stderr. Where nothing is granted it takes everything, which goes nowhere and still counts as output.

    Closed, as measured, a mere `print(…, flush=True)` somewhere in a library traps a CPython guest. And no denial is recorded: a language
    runtime prints what it can on its way down, and a denial would hide why it went.
    """
    granted: tuple[Stream, ...] = call.state.policy.of(stream)
    if not granted:
        return StandardOutput(call.state, Discard(), stream)
    if stream not in call.state.sinks:
        request = (UseStdout if stream == "stdout" else UseStderr)(granted[0].target, granted[0].file)
        call.state.sinks[stream] = _sink(permit(call, request), stream, granted[0])
    return StandardOutput(call.state, call.state.sinks[stream], stream)


def _sink(permit: Permit, stream: StreamName, grant: Stream) -> Sink:
    match grant.target:
        case "inherit":
            return Inherit(permit, stream)
        case "log":
            return Log(permit, stream)
        case "file":
            return File(permit, permit.call.state.streams[grant])
        case "discard":
            return Discard()
    assert_never(grant.target)


def _broken(error: OSError) -> StreamBroken:
    return StreamBroken(DOMAIN, code_of(error), os.strerror(error.errno or 0))


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
