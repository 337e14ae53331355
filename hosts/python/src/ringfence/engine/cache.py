"""The compile cache: a WebAssembly binary to native code, once per binary, engine version and settings.

    compiled/<key>              what the entry's native code is: its digest, size, inode and time of last change (JSON)
    compiled/<digest>.cwasm     the native code, named by its own content, mapped into memory when used

*Why it may be trusted.* Deserialising native code runs it: whoever can write an entry, runs code as this user. No digest kept in
the same folder helps against that, since whoever can change the code can change the digest. So what is trusted is the folder: every
component of its path, symbolic links included, belongs to root or to this user, and nobody else can write to it. Where that
does not hold (or can't be told, as on systems without POSIX owners), nothing is read or written: the code is compiled in memory, with
a `CompileCacheWarning`.

*Why it is whole.* Against accidents (a crash, a full disk, a stray edit) every entry records the digest and size of its code. Hashing 30 MB
takes 20 ms and mapping it 1 ms, so the code is hashed again only when its inode, size or time of last change (`ctime`, which no program can
set) differ from what was recorded after it was written and synced. What fails is compiled anew. Files are written beside their
place and moved there with `os.replace`, never changed in place: a process that has the old one mapped keeps it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import stat
import tempfile
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Protocol, Self, TypeVar

import wasmtime
from wasmtime.component import Component

from ringfence.contract.errors import IntegrityError
from ringfence.contract.layout import user_cache
from ringfence.contract.names import digest_of

_FORMAT = "1"
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
_MOST_LINKS = 40  # as Linux has it, for symbolic links on one path


class CompileCacheWarning(UserWarning):
    """The compile cache can't be used, so that each start compiles again. The message says which path is at fault."""


class Compiled(Protocol):
    """What wasmtime's `Component` and `Module` have in common."""

    def serialize(self) -> bytearray: ...
    @classmethod
    def deserialize_file(cls, engine: wasmtime.Engine, path: str) -> Self: ...


_C = TypeVar("_C", bound=Compiled)


def compile_component(engine: wasmtime.Engine, wasm: bytes | Path, *, digest: str, settings: str, cache: Path | None = None) -> Component:
    """The component compiled for this engine, from the cache where it is there.

    Args:
        engine: The engine it will run in.
        wasm: The binary, or its file, which is read only when it must be compiled.
        digest: The binary's digest (`sha256:…`).
        settings: Whatever distinguishes this engine's configuration from others; equal text must mean equal configuration.
        cache: The folder that holds `compiled/`; by default that of this user.

    Raises:
        IntegrityError: the binary does not have that digest.
        wasmtime.WasmtimeError: it is not a valid component.
    """
    key = _key("component", digest, settings)
    return _compile(Component, engine, lambda: Component(engine, _checked(wasm, digest)), key, cache)


def compile_module(
    engine: wasmtime.Engine, wasm: bytes | Path, *, digest: str, settings: str, cache: Path | None = None
) -> wasmtime.Module:
    """The core module compiled for this engine, from the cache where it is there; arguments and errors as of `compile_component`."""
    key = _key("module", digest, settings)
    return _compile(wasmtime.Module, engine, lambda: wasmtime.Module(engine, _checked(wasm, digest)), key, cache)


def _compile(kind: type[_C], engine: wasmtime.Engine, build: Callable[[], _C], key: str, cache: Path | None) -> _C:
    folder = _usable_folder(cache)
    if folder is None:
        return build()
    if (code := _find(folder, key)) is not None:
        # Not compiled by this very engine, after all (a debug build, another processor): compile again.
        with contextlib.suppress(wasmtime.WasmtimeError):
            return kind.deserialize_file(engine, str(code))
    compiled = build()
    try:
        _store(folder, key, compiled.serialize())
    except OSError as error:
        _warn(f"{folder}: {error.strerror or error}")
    return compiled


def _key(kind: str, digest: str, settings: str) -> str:
    parts = json.dumps([_FORMAT, kind, digest, version("wasmtime"), settings])
    return hashlib.sha256(parts.encode()).hexdigest()


def _checked(wasm: bytes | Path, digest: str) -> bytes:
    data = wasm.read_bytes() if isinstance(wasm, Path) else wasm
    found = digest_of(data)
    if found != digest:
        raise IntegrityError(f"{wasm if isinstance(wasm, Path) else 'component'}: expected {digest}, found {found}")
    return data


# The folder


def cache_fault(cache: Path | None = None) -> str | None:
    """Why the compile cache can't be used; None where it can. Its folder is made, as compiling would make it."""
    return _prepared(cache)[1]


def _usable_folder(cache: Path | None) -> Path | None:
    """`compiled/`, made if it was missing, if nobody but root and this user can change anything in it."""
    folder, fault = _prepared(cache)
    if fault is not None:
        _warn(fault)
        return None
    return folder


def _prepared(cache: Path | None) -> tuple[Path | None, str | None]:
    """The folder `compiled/`, made if it was missing, and what is wrong with it."""
    try:
        folder = Path(os.path.abspath((cache or user_cache()) / "compiled"))  # noqa: PTH100 (`resolve` would hide the links)
        for part in (*reversed(folder.parents), folder):
            part.mkdir(mode=0o700, exist_ok=True)  # each with this mode: `parents=True` would follow the umask
        return folder, _fault(folder)
    except (OSError, RuntimeError) as error:
        return None, str(error)


def _fault(folder: Path) -> str | None:
    """Who else could change what is found under this absolute path, in words; None if nobody.

    A folder that all may write to is harmless on the way where it is sticky, like /tmp: others can add names there, but can't
    rename or remove ours, and that the next component is ours is checked like every other. The last may not be: in it, we look for names.
    """
    if not hasattr(os, "getuid"):
        return f"{folder}: who may write there can't be told on this system"
    todo, at, links = list(folder.parts[1:]), Path(folder.anchor), 0
    while True:
        info = at.lstat()
        if info.st_uid not in (0, os.getuid()):
            return f"{at} belongs to another user"
        if stat.S_ISLNK(info.st_mode):
            links += 1
            if links > _MOST_LINKS:
                return f"{folder}: too many symbolic links"
            at = at.parent / at.readlink()  # an absolute target replaces the parent
            todo, at = [*at.parts[1:], *todo], Path(at.anchor)
            continue
        if info.st_mode & _OTHERS_WRITE and not (info.st_mode & stat.S_ISVTX and todo):
            return f"{at} can be written to by others (chmod go-w {at})"
        if not todo:
            return None
        step = todo.pop(0)
        at = at.parent if step == ".." else at / step


def _warn(fault: str) -> None:
    warnings.warn(f"compile cache not used: {fault}", CompileCacheWarning, stacklevel=5)


# Entries


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """What was recorded of an entry's native code; the last two tell whether it may have changed since."""

    digest: str
    size: int
    inode: int
    ctime_ns: int


def _find(folder: Path, key: str) -> Path | None:
    """The native code stored under this key, if it is there and whole."""
    try:
        entry = _Entry(**json.loads((folder / key).read_bytes()))
        code = folder / f"{entry.digest}.cwasm"
        if _describe(code, entry.digest) == entry:
            return code
        with code.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != entry.digest:
                return None
        _write(folder, key, _encode(_describe(code, entry.digest)))
    except (OSError, ValueError, TypeError):
        return None
    return code


def _store(folder: Path, key: str, code: bytes | bytearray) -> None:
    digest = hashlib.sha256(code).hexdigest()
    name = f"{digest}.cwasm"
    _write(folder, name, code)
    _write(folder, key, _encode(_describe(folder / name, digest)))


def _describe(code: Path, digest: str) -> _Entry:
    info = code.lstat()
    if not stat.S_ISREG(info.st_mode):
        raise OSError(f"{code}: not a regular file")
    return _Entry(digest=digest, size=info.st_size, inode=info.st_ino, ctime_ns=info.st_ctime_ns)


def _encode(entry: _Entry) -> bytes:
    return json.dumps(asdict(entry)).encode()


def _write(folder: Path, name: str, data: bytes | bytearray) -> None:
    """Put a file in its place whole or not at all; mkstemp gives it mode 0600."""
    handle, beside = tempfile.mkstemp(dir=folder, prefix=".new-")
    try:
        with open(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(handle)
        os.replace(beside, folder / name)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(beside)
        raise
