"""wasi:io: streams, polling and errors. What a stream leads to is its subclass's affair; this file holds the protocol.

Source: wasi:io@0.2.12 (error, poll, streams). A guest that breaks a precondition traps, as the specification says.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from ringfence.call import Call, Source
from ringfence.contract.errors import GuestTrap
from ringfence.contract.values import Case, Fill, WitError
from ringfence.wasi.state import Held, WasiState
from ringfence.wasi.tables import Table, expect, methods

CHUNK = 64 << 10
"""Bytes moved by one read, write, skip or splice at most, whatever a guest asks for."""
_AT_ONCE = 4096
"""Bytes that the blocking-…-and-flush functions take (streams.wit)."""
_POLLED = 16_384


@dataclass(frozen=True, slots=True)
class Interest:
    """What must happen for something to become ready: a source readable or writable, or a time (of time.monotonic) come."""

    readers: tuple[Source, ...] = ()
    writers: tuple[Source, ...] = ()
    until: float | None = None


class Waitable(Protocol):
    """Something that becomes ready."""

    def ready(self) -> bool: ...
    def interest(self) -> Interest: ...


def block(call: Call, *sources: Waitable) -> None:
    """Return when one of the sources is ready.

    Raises:
        DeadlineExceeded, Interrupted: the call must end.
    """
    call.check()
    call.state.serve()
    while not any(source.ready() for source in sources):
        interests = [source.interest() for source in sources]
        times = [interest.until for interest in interests if interest.until is not None]
        readers = (one for interest in interests for one in interest.readers)
        writers = [one for interest in interests for one in interest.writers]
        call.wait(readers, [*writers, *call.state.serve()], min(times) - time.monotonic() if times else None)


class StreamEnded(Exception):
    """Raised below a stream: nothing more comes, or is taken."""


class StreamBroken(Exception):
    """Raised below a stream: an operation failed. `domain` and `code` are an error code of that package's specification."""

    def __init__(self, domain: str, code: str, text: str) -> None:
        super().__init__(text)
        self.domain, self.code, self.text = domain, code, text


class IoError(Held):
    """wasi:io/error.error."""

    def __init__(self, state: WasiState, broken: StreamBroken) -> None:
        super().__init__(state)
        self.domain, self.code, self.text = broken.domain, broken.code, broken.text

    def to_debug_string(self, _: Call) -> str:
        return f"{self.code}: {self.text}"


class Pollable(Held):
    """wasi:io/poll.pollable: a view of something that becomes ready. It stays safe to use when that is dropped first."""

    def __init__(self, state: WasiState, source: Waitable) -> None:
        super().__init__(state)
        self.source = source

    def ready(self, _: Call) -> bool:
        return self.source.ready()

    def block(self, call: Call) -> None:
        block(call, self.source)


def poll(call: Call, pollables: Sequence[Pollable]) -> list[int]:
    """Indices of those that are ready; waits for the first."""
    if not pollables:
        raise GuestTrap("poll was called with an empty list")
    if len(pollables) > _POLLED:
        raise GuestTrap(f"poll was called with more than {_POLLED} pollables")
    for one in pollables:
        expect(one, Pollable)
    sources = {id(one.source): one.source for one in pollables}
    while True:
        block(call, *sources.values())
        ready = {key for key, source in sources.items() if source.ready()}
        if ready:
            return [index for index, one in enumerate(pollables) if id(one.source) in ready]


class _Stream(Held):
    """Either kind: open until it ends or breaks, and closed ever after."""

    def __init__(self, state: WasiState) -> None:
        super().__init__(state)
        self.ended = False

    def ready(self) -> bool:
        """Whether an operation would get somewhere, if only an error."""
        return self.ended or self.closed or self.is_ready()

    def is_ready(self) -> bool:
        """The same for an open stream."""
        return True

    def interest(self) -> Interest:
        """What must happen for it to become ready."""
        return Interest()

    def subscribe(self, _: Call) -> Pollable:
        return Pollable(self.state, self)

    def _ensure_open(self) -> None:
        if self.ended or self.closed:
            raise WitError(Case("closed"))

    def _over(self, cause: StreamEnded | StreamBroken) -> WitError:
        self.ended = True
        if isinstance(cause, StreamBroken):
            return WitError(Case("last-operation-failed", IoError(self.state, cause)))
        return WitError(Case("closed"))


class InputStream(_Stream):
    """wasi:io/streams.input-stream. A subclass gives `pull`."""

    def pull(self, length: int) -> bytes:
        """Up to `length` bytes without waiting; none when there are none now. Raises StreamEnded, StreamBroken."""
        raise NotImplementedError

    def take(self, length: int) -> bytes:
        """What is there now, up to `length` bytes, for the guest or on its behalf."""
        self._ensure_open()
        try:
            return self.pull(min(length, CHUNK)) if length else b""
        except (StreamEnded, StreamBroken) as cause:
            raise self._over(cause) from cause

    def read(self, _: Call, length: int) -> bytes | Fill:
        return self.take(length)

    def blocking_read(self, call: Call, length: int) -> bytes | Fill:
        return self._taken(call, length)

    def skip(self, _: Call, length: int) -> int:
        return len(self.take(length))

    def blocking_skip(self, call: Call, length: int) -> int:
        return len(self._taken(call, length))

    def _taken(self, call: Call, length: int) -> bytes:
        data = self.take(length)
        while length and not data:
            block(call, self)
            data = self.take(length)
        return data


class OutputStream(_Stream):
    """wasi:io/streams.output-stream, with what was accepted and is still to be sent. A subclass gives `push`, `room` and `account`."""

    def __init__(self, state: WasiState) -> None:
        super().__init__(state)
        self._allowed = 0
        self._pending = bytearray()

    def push(self, data: bytes | bytearray) -> int:
        """Send without waiting, as much as goes now; the count. Raises StreamEnded, StreamBroken."""
        raise NotImplementedError

    def room(self) -> int:
        """How many bytes may be accepted now, where nothing is pending."""
        return CHUNK

    def account(self, call: Call, count: int) -> None:
        """Count accepted bytes, where they are limited."""

    def drain(self) -> bool:
        """Send on what is pending; whether nothing is left. Raises StreamEnded, StreamBroken."""
        while self._pending:
            sent = self.push(self._pending)
            if not sent:
                return False
            del self._pending[:sent]
        return True

    def ready(self) -> bool:
        try:
            return self.ended or self.closed or (self.drain() and self.is_ready())
        except (StreamEnded, StreamBroken):
            return True  # the next operation meets it again and reports it

    def check_write(self, _: Call) -> int:
        self._ensure_open()
        try:
            self._allowed = self.room() if self.drain() else 0
        except (StreamEnded, StreamBroken) as cause:
            raise self._over(cause) from cause
        return self._allowed

    def write(self, call: Call, contents: bytes) -> None:
        if len(contents) > self._allowed:
            raise GuestTrap(f"a write of {len(contents)} bytes where check-write had permitted {self._allowed}")
        self._ensure_open()
        self._allowed -= len(contents)
        self.account(call, len(contents))
        self._pending += contents
        self.flush(call)

    def flush(self, _: Call) -> None:
        self._ensure_open()
        try:
            self.drain()
        except (StreamEnded, StreamBroken) as cause:
            raise self._over(cause) from cause

    def blocking_flush(self, call: Call) -> None:
        self.flush(call)
        while self._pending:
            block(call, self)
            self.flush(call)

    def blocking_write_and_flush(self, call: Call, contents: bytes) -> None:
        if len(contents) > _AT_ONCE:
            raise GuestTrap(f"blocking-write-and-flush was called with {len(contents)} bytes, more than {_AT_ONCE}")
        rest = contents
        while rest:
            allowed = self._room_for_one(call)
            self.write(call, rest[:allowed])
            rest = rest[allowed:]
        self.blocking_flush(call)

    def _room_for_one(self, call: Call) -> int:
        while not (allowed := self.check_write(call)):
            block(call, self)
        return allowed

    def write_zeroes(self, call: Call, length: int) -> None:
        self.write(call, bytes(min(length, CHUNK + 1)))  # one more than ever allowed: it traps, without the memory

    def blocking_write_zeroes_and_flush(self, call: Call, length: int) -> None:
        self.blocking_write_and_flush(call, bytes(min(length, _AT_ONCE + 1)))

    def splice(self, call: Call, source: InputStream, length: int) -> int:
        expect(source, InputStream)
        data = source.take(min(length, self.check_write(call)))
        self.write(call, data)
        return len(data)

    def blocking_splice(self, call: Call, source: InputStream, length: int) -> int:
        expect(source, InputStream)
        block(call, self)
        block(call, source)
        return self.splice(call, source, length)


class EmptyInput(InputStream):
    """Ends at once."""

    def pull(self, length: int) -> bytes:  # noqa: ARG002 -- of every stream
        raise StreamEnded


def _both(names: Iterable[str]) -> list[str]:
    return [name for one in names for name in (one, f"blocking-{one}")]


_OUTPUT = [
    *_both(["flush", "splice"]),
    *("check-write", "write", "write-zeroes", "subscribe", "blocking-write-and-flush", "blocking-write-zeroes-and-flush"),
]

FUNCTIONS: dict[str, Table] = {
    "wasi:io/error": methods("error", IoError, ["to-debug-string"]),
    "wasi:io/poll": {**methods("pollable", Pollable, ["ready", "block"]), "poll": poll},
    "wasi:io/streams": {
        **methods("input-stream", InputStream, [*_both(["read", "skip"]), "subscribe"]),
        **methods("output-stream", OutputStream, _OUTPUT),
    },
}
