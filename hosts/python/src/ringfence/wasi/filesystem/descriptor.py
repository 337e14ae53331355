"""wasi:filesystem/types.descriptor: what is done with an open file or folder itself. With paths from it: see `paths`.

Source: wasi:filesystem@0.2.12 (types). Whether something may be opened is decided when it is opened; a descriptor then does what its flags
say, wherever its file is moved to.
"""

from __future__ import annotations

import os
import stat

from ringfence.call import Call
from ringfence.contract.grants.files import READ, UseFile
from ringfence.contract.values import Case, Fill, Record, WitError
from ringfence.gate import NO_GRANT, Permit, Refused, permit
from ringfence.wasi.filesystem.codes import answering
from ringfence.wasi.filesystem.listing import EntryStream
from ringfence.wasi.filesystem.metadata import metadata_hash, new_times, stat_record, type_of
from ringfence.wasi.filesystem.opened import Opened
from ringfence.wasi.filesystem.resolve import Base, request
from ringfence.wasi.filesystem.streams import LAST, FileInput, FileOutput, growth
from ringfence.wasi.state import Held, WasiState
from ringfence.wasi.tables import expect

PIECE = 1 << 20
"""Bytes that one read or write of a descriptor moves at most."""
_ADVICE = {
    "normal": getattr(os, "POSIX_FADV_NORMAL", 0),
    "sequential": getattr(os, "POSIX_FADV_SEQUENTIAL", 0),
    "random": getattr(os, "POSIX_FADV_RANDOM", 0),
    "will-need": getattr(os, "POSIX_FADV_WILLNEED", 0),
    "dont-need": getattr(os, "POSIX_FADV_DONTNEED", 0),
    "no-reuse": getattr(os, "POSIX_FADV_NOREUSE", 0),
}


def allowed(call: Call, asked: UseFile, *alternatives: UseFile, reason: str = NO_GRANT) -> Permit:
    """The permit for what is asked, or for one of the alternatives.

    Raises:
        WitError: `not-permitted`, where no grant covers any of them.
    """
    try:
        return permit(call, asked, *alternatives, reason=reason)
    except Refused as refused:
        raise WitError("not-permitted") from refused


class OpenDescriptor(Held):
    """An open file or folder; it owns `opened`."""

    def __init__(self, state: WasiState, opened: Opened, flags: frozenset[str], *, folder: bool) -> None:
        try:
            super().__init__(state)
        except BaseException:
            opened.release()
            raise
        self.opened, self.flags, self.is_folder = opened, flags, folder

    def release(self) -> None:
        self.opened.release()

    @property
    def base(self) -> Base:
        """As a folder that paths start from.

        Raises:
            WitError: it is none.
        """
        if not self.is_folder:
            raise WitError("not-directory")
        return Base(self.opened.grant, self.opened.descriptor, self.opened.path)

    def native(self, flag: str = "") -> int:
        """The native descriptor of a file that was opened with this flag."""
        if self.is_folder:
            raise WitError("is-directory")
        if flag and flag not in self.flags:  # EBADF as in read(2) and write(2), where only the guest's own flags are in the way
            raise WitError("bad-descriptor" if flag in self.opened.grant.access else "not-permitted")
        return self.opened.descriptor

    # Streams, reading and writing

    def read_via_stream(self, _: Call, offset: int) -> FileInput:
        self.native("read")
        return FileInput(self.state, self.opened, _in_range(offset))

    def write_via_stream(self, _: Call, offset: int) -> FileOutput:
        self.native("write")
        return FileOutput(self.state, self.opened, _in_range(offset))

    def append_via_stream(self, _: Call) -> FileOutput:
        self.native("write")
        return FileOutput(self.state, self.opened, None)

    def read(self, _: Call, length: int, offset: int) -> tuple[bytes | Fill, bool]:
        descriptor = self.native("read")
        with answering():
            left = max(0, os.fstat(descriptor).st_size - _in_range(offset))
        wanted = min(length, left, PIECE)

        def fill(view: memoryview) -> int:
            with answering():
                return os.preadv(descriptor, [view], offset)

        return Fill(wanted, fill) if wanted else b"", wanted == left

    def write(self, call: Call, buffer: bytes, offset: int) -> int:
        descriptor, piece = self.native("write"), memoryview(buffer)[:PIECE]
        self.opened.check_lock()
        if _in_range(offset) + len(piece) > LAST:
            raise WitError("file-too-large")
        with answering():
            call.spend_written(growth(descriptor, offset, len(piece)))
            return os.pwrite(descriptor, piece, offset)

    def advise(self, _: Call, offset: int, length: int, advice: str) -> None:
        descriptor = self.native()
        if hasattr(os, "posix_fadvise"):
            with answering():
                os.posix_fadvise(descriptor, _in_range(offset), _in_range(length), _ADVICE[advice])

    def set_size(self, call: Call, size: int) -> None:
        descriptor = self.native()
        if "write" not in self.flags:
            raise WitError("invalid" if "write" in self.opened.grant.access else "not-permitted")  # EINVAL as in ftruncate(2)
        self.opened.check_lock()
        with answering():
            call.spend_written(max(0, _in_range(size) - os.fstat(descriptor).st_size))
            os.ftruncate(descriptor, size)

    def sync(self, call: Call) -> None:
        self._sync(call, os.fsync)

    def sync_data(self, call: Call) -> None:
        self._sync(call, getattr(os, "fdatasync", os.fsync))

    def _sync(self, call: Call, how: object) -> None:
        call.check()
        if (self.is_folder or "write" in self.flags) and callable(how):
            with answering():
                how(self.opened.descriptor)
        call.check()

    # What it is

    def get_flags(self, _: Call) -> frozenset[str]:
        return self.flags

    def get_type(self, _: Call) -> str:
        return type_of(self._status().st_mode)

    def stat(self, _: Call) -> Record:
        return stat_record(self._status())

    def set_times(self, call: Call, data_access_timestamp: Case, data_modification_timestamp: Case) -> None:
        path = self.opened.path
        status = self._status()
        permit = allowed(call, changes(self.base if self.is_folder else self.opened, path, status))
        self._set_times(permit, new_times(status, data_access_timestamp, data_modification_timestamp))

    def _set_times(self, permit: Permit, times: tuple[int, int]) -> None:
        del permit
        with answering():
            os.utime(self.opened.descriptor, ns=times)

    def is_same_object(self, _: Call, other: OpenDescriptor) -> bool:
        expect(other, OpenDescriptor)
        return os.path.samestat(self._status(), other._status())

    def metadata_hash(self, _: Call) -> Record:
        return metadata_hash(self._status())

    def _status(self) -> os.stat_result:
        with answering():
            return os.fstat(self.opened.descriptor)

    def read_directory(self, call: Call) -> EntryStream:
        base = self.base
        permit = allowed(call, request(base.grant, base.path, READ, reach="way"))
        with answering():
            return EntryStream(permit, self.opened)


def changes(where: Base | Opened, path: str, status: os.stat_result) -> UseFile:
    """What changing something's times asks for. The granted folder itself has no name that a pattern could match."""
    linked = stat.S_ISREG(status.st_mode) and status.st_nlink > 1
    return request(where.grant, path, frozenset({"write"}), reach="entry" if path else "way", hardlinks=linked)


def _in_range(offset: int) -> int:
    if offset > LAST:
        raise WitError("invalid")
    return offset


NAMES = [
    *("read-via-stream", "write-via-stream", "append-via-stream", "read", "write", "advise", "set-size", "sync", "sync-data"),
    *("get-flags", "get-type", "stat", "set-times", "is-same-object", "metadata-hash", "read-directory"),
]
