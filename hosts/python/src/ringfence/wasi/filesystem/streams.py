"""Files as streams of wasi:io. Neither kind waits: what a file has is there, and what it takes it takes at once."""

from __future__ import annotations

import os

from ringfence.call import Call
from ringfence.contract.values import Case, Fill, WitError
from ringfence.wasi.filesystem.codes import DOMAIN, code_of
from ringfence.wasi.filesystem.opened import Opened
from ringfence.wasi.io import CHUNK, InputStream, OutputStream, StreamBroken, StreamEnded
from ringfence.wasi.state import WasiState

LAST = (1 << 63) - 1
"""The last offset there can be in a file."""
_APPEND = getattr(os, "RWF_APPEND", None)


def _broken(error: OSError) -> StreamBroken:
    return StreamBroken(DOMAIN, code_of(error), os.strerror(error.errno or 0))


class FileInput(InputStream):
    """A file from an offset on. What it reads lands in guest memory at once."""

    def __init__(self, state: WasiState, file: Opened, offset: int) -> None:
        super().__init__(state)
        self._file, self._offset, self._size = file.share(), offset, 0

    def read(self, _: Call, length: int) -> bytes | Fill:
        self._ensure_open()
        length = min(length, CHUNK)
        if length and self._offset + length > self._size:  # as it was seen last
            self._size = os.fstat(self._file.descriptor).st_size
            if self._offset >= self._size:  # a Fill must not find nothing, since guests free no empty list
                raise WitError(Case("closed"))  # not for ever: C libraries keep a stream between reads, and files grow
            length = min(length, self._size - self._offset)
        return Fill(length, self._fill) if length else b""

    def blocking_read(self, call: Call, length: int) -> bytes | Fill:
        return self.read(call, length)

    def _fill(self, view: memoryview) -> int:
        try:
            count = os.preadv(self._file.descriptor, [view], self._offset)
        except OSError as error:
            raise self._over(_broken(error)) from error
        if not count:
            raise WitError(Case("closed"))  # it became shorter just now
        self._offset += count
        return count

    def pull(self, length: int) -> bytes:
        try:
            data = os.pread(self._file.descriptor, length, self._offset)
        except OSError as error:
            raise _broken(error) from error
        if not data:
            raise StreamEnded
        self._offset += len(data)
        return data

    def release(self) -> None:
        self._file.release()


class FileOutput(OutputStream):
    """A file from an offset on, or (None) its end, wherever that is at each write."""

    def __init__(self, state: WasiState, file: Opened, offset: int | None) -> None:
        super().__init__(state)
        self._file, self._offset = file.share(), offset

    def push(self, data: bytes | bytearray) -> int:
        try:
            self._file.check_lock()
            if self._offset is None:
                return append(self._file.descriptor, data)
            count = os.pwrite(self._file.descriptor, data, self._offset)
        except WitError as error:
            raise StreamBroken(DOMAIN, error.value, "changed only under its lock") from None
        except OSError as error:
            raise _broken(error) from error
        except OverflowError:
            raise StreamBroken(DOMAIN, "file-too-large", "beyond the last offset") from None
        self._offset += count
        return count

    def account(self, call: Call, count: int) -> None:
        call.spend_written(count if self._offset is None else growth(self._file.descriptor, self._offset, count))

    def release(self) -> None:
        self._file.release()


def append(descriptor: int, data: bytes | bytearray) -> int:
    """Write at the end of a file, in one act where the system has one for it."""
    if _APPEND is not None:
        return os.pwritev(descriptor, [data], 0, _APPEND)
    return os.pwrite(descriptor, data, os.fstat(descriptor).st_size)


def growth(descriptor: int, offset: int, count: int) -> int:
    """What a write counts as: its bytes, and the hole it leaves behind the end of the file."""
    return count + max(0, offset - os.fstat(descriptor).st_size)
