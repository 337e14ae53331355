"""ringfence:files/lock: locks on ranges of bytes of files that a guest has open, which WASI 0.2 has none of.

A lock is one of the very file description that the guest has open (`ranges`), so that two descriptors of one instance lock each other out,
and the end of the instance lets go of what it has. Nothing here waits. A lock takes a grant with `lock`: it keeps others waiting.
"""

from __future__ import annotations

from ringfence.call import Call
from ringfence.contract.grants.files import Access
from ringfence.contract.values import Record, WitError
from ringfence.wasi.filesystem.codes import answering
from ringfence.wasi.filesystem.descriptor import OpenDescriptor, allowed
from ringfence.wasi.filesystem.ranges import Range, is_locked
from ringfence.wasi.filesystem.resolve import request
from ringfence.wasi.filesystem.streams import LAST
from ringfence.wasi.tables import Table, expect

_ACCESS: dict[str, Access] = {"shared": "read", "exclusive": "write"}


def acquire(call: Call, file: OpenDescriptor, range_: Record, mode: str) -> None:
    """Lock a range, or change the lock on it; as lock.wit has it."""
    wanted = _range(range_)
    _lockable(call, file, mode)
    with answering():
        file.opened.lock(wanted, exclusive=mode == "exclusive", most=call.limits.handles)


def release(_: Call, file: OpenDescriptor, range_: Record) -> None:
    """Let go of the lock on a range."""
    expect(file, OpenDescriptor)
    wanted = _range(range_)
    with answering():
        file.opened.unlock(wanted)


def probe(call: Call, file: OpenDescriptor, range_: Record, mode: str) -> bool:
    """Whether another's lock is in the way of one on the range."""
    wanted = _range(range_)
    descriptor = _lockable(call, file, mode)
    with answering():
        return is_locked(descriptor, wanted, exclusive=mode == "exclusive")


def _range(record: Record) -> Range:
    if not record.length or record.start + record.length - 1 > LAST:
        raise WitError("invalid")
    return Range(record.start, record.length)


def _lockable(call: Call, file: OpenDescriptor, mode: str) -> int:
    """The native descriptor of a file that may be locked."""
    expect(file, OpenDescriptor)
    access, opened = _ACCESS[mode], file.opened
    descriptor = file.native(access)
    allowed(call, request(opened.grant, opened.path, frozenset({access}), locks=True))
    return descriptor


FUNCTIONS: dict[str, Table] = {"ringfence:files/lock": {"acquire": acquire, "release": release, "is-locked": probe}}
