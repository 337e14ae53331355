"""The compile cache: a WebAssembly binary to native code, once per binary, engine version and settings.

    compiled/<key>              what the entry's native code is, and what was noted of the binary (JSON)
    compiled/<digest>.cwasm     the native code, named by its own content, mapped into memory when used

*Why it may be trusted.* Deserialising native code runs it: whoever can write an entry, runs code as this user. So the folder must be one
that nobody else can write to (`ringfence.private`). Where it is not, nothing is read or written: the code is compiled in memory, with
a `CompileCacheWarning`.

*Why it is whole.* Against accidents (a crash, a full disk, a stray edit) every entry records the digest of its code. Hashing 30 MB
takes 20 ms and mapping it 1 ms, so the code is hashed again only when its stamp (inode, size, time of last change) differs from what was
recorded after it was written and synced. What fails is compiled anew. A file is replaced, never changed in place: a process that has the
old one mapped keeps it.

*Why the binary is not read.* An entry is found by the binary's digest, so that what runs is what the digest says, whatever the file holds
by now. What an engine needs to know of the binary itself (how many memories it makes) is noted in the entry when it is compiled.
"""

from __future__ import annotations

import hashlib
import json
import os
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from ringfence.contract.errors import IntegrityError
from ringfence.contract.layout import user_cache
from ringfence.contract.names import digest_of
from ringfence.engine.library import VERSION
from ringfence.private import NotPrivate, PrivateFolder, Stamp

_FORMAT = "2"


class CompileCacheWarning(UserWarning):
    """The compile cache can't be used, so that each start compiles again. The message says which path is at fault."""


class Compiled(Protocol):
    """A component or module, compiled."""

    def serialize(self) -> bytes | bytearray: ...


_C = TypeVar("_C", bound=Compiled)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind(Generic[_C]):
    """How one engine compiles one kind of binary.

    Args:
        name: What it is; components and modules have entries of their own.
        settings: Whatever distinguishes this engine's configuration from others; equal text must mean equal configuration.
        compile: The code of a binary.
        load: The code from a file that `serialize` has filled.
        revive: The code from what `serialize` gave.
        refusal: What `load` raises where the code is not of this very engine.
        note: JSON data that is to be known of a binary beside its code.
    """

    name: str
    settings: str
    compile: Callable[[bytes], _C]
    load: Callable[[str], _C]
    revive: Callable[[bytes | bytearray], _C]
    refusal: type[Exception]
    note: Callable[[bytes], Any] = lambda _: None


@dataclass(frozen=True, slots=True)
class Made(Generic[_C]):
    """The code, what was noted of its binary, whether it was there already, and the file in which it is now, if it is."""

    code: _C
    note: Any
    cached: bool = False
    kept: Path | None = None


def compiled(kind: Kind[_C], wasm: bytes | Path, digest: str, cache: Path | None = None) -> Made[_C]:
    """The native code of a binary, from the cache where it is there. Processes that want the same at once compile it once.

    Args:
        kind: How to compile it.
        wasm: The binary, or its file, which is read only when it must be compiled.
        digest: The binary's digest (`sha256:…`).
        cache: The folder that holds `compiled/`; by default that of this user.

    Raises:
        IntegrityError: the binary does not have that digest.
        Exception: what `kind.compile` and `kind.note` raise.
    """
    try:
        folder = _folder(cache)
    except (NotPrivate, RuntimeError) as error:
        _warn(str(error))
        return _fresh(kind, wasm, digest)
    key = _key(kind, digest)
    if (found := _find(folder, key, kind)) is not None:
        return found
    with folder.turn(key):
        return _find(folder, key, kind) or _compile(folder, key, kind, wasm, digest)


def stored(kind: Kind[_C], digest: str, cache: Path | None = None) -> Made[_C] | None:
    """What the cache has of a binary, if anything."""
    try:
        return _find(_folder(cache), _key(kind, digest), kind)
    except (NotPrivate, RuntimeError):
        return None


def cache_fault(cache: Path | None = None) -> str | None:
    """Why the compile cache can't be used; None where it can. Its folder is made, as compiling would make it."""
    try:
        _folder(cache)
    except (NotPrivate, RuntimeError) as error:
        return str(error)
    return None


def _folder(cache: Path | None) -> PrivateFolder:
    return PrivateFolder((cache or user_cache()) / "compiled")


def _key(kind: Kind[Any], digest: str) -> str:
    return hashlib.sha256(json.dumps([_FORMAT, kind.name, digest, VERSION, kind.settings]).encode()).hexdigest()


def _fresh(kind: Kind[_C], wasm: bytes | Path, digest: str) -> Made[_C]:
    data = wasm.read_bytes() if isinstance(wasm, Path) else wasm
    found = digest_of(data)
    if found != digest:
        raise IntegrityError(f"{wasm if isinstance(wasm, Path) else 'component'}: expected {digest}, found {found}")
    return Made(kind.compile(data), kind.note(data))


def _compile(folder: PrivateFolder, key: str, kind: Kind[_C], wasm: bytes | Path, digest: str) -> Made[_C]:
    made = _fresh(kind, wasm, digest)
    try:
        code = made.code.serialize()
        content = hashlib.sha256(code).hexdigest()
        folder.write(_file(content), code)
        _record(folder, key, content, made.note)
    except OSError as error:
        _warn(f"{folder.path}: {error.strerror or error}")
        return made
    return replace(made, kept=folder.path / _file(content))


def _warn(fault: str) -> None:
    warnings.warn(f"compile cache not used: {fault}", CompileCacheWarning, stacklevel=5)


# Entries


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """What was recorded: the native code's digest, its stamp, and what was noted of the binary."""

    code: str
    stamp: list[int]
    note: Any


def _file(content: str) -> str:
    return f"{content}.cwasm"


def _record(folder: PrivateFolder, key: str, content: str, note: Any) -> None:
    info = folder.find(_file(content))
    if info is not None:
        folder.note(key, asdict(_Entry(code=content, stamp=list(Stamp.of(info)), note=note)))


def _find(folder: PrivateFolder, key: str, kind: Kind[_C]) -> Made[_C] | None:
    """What is stored under this key, if it is there, whole, and of this very engine."""
    try:
        entry = _Entry(**folder.noted(key))
    except TypeError:  # there is none, or it is none
        return None
    info = folder.find(_file(entry.code))
    if info is None or not (list(Stamp.of(info)) == entry.stamp or _whole(folder, key, entry)):
        return None
    with suppress(kind.refusal):  # a debug build, another processor: compile again
        path = folder.path / _file(entry.code)
        return Made(kind.load(os.fspath(path)), entry.note, cached=True, kept=path)
    return None


def _whole(folder: PrivateFolder, key: str, entry: _Entry) -> bool:
    """Whether code that may have changed has not; then that is recorded, too, where the folder can be written to."""
    try:
        with (folder.path / _file(entry.code)).open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != entry.code:
                return False
    except OSError:
        return False
    with suppress(OSError):
        _record(folder, key, entry.code, entry.note)
    return True
