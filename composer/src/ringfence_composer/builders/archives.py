"""Source archives of package registries into the bytes of their files: fetched by name, checked by digest, unpacked by reading.

Nothing of an archive runs: no `configure`, no `make`, no `setup.py`. What was fetched once is kept by its digest in the cache.
"""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import json
import lzma
import os
import re
import stat
import tarfile
import urllib.error
import urllib.request
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import PurePosixPath
from typing import IO, Any, TypeVar, cast

from ringfence_composer.builders.base import Archive, BuildContext, ComponentSource
from ringfence_composer.builders.foreign import escaped
from ringfence_composer.builders.patches import PatchRefused, patched
from ringfence_composer.builders.snapshot import MAX_BYTES, MAX_FILES, is_inside, read_file
from ringfence_composer.errors import BuildFailed, DigestMismatch, InputInvalid, SourceInvalid

_DAMAGED = (
    *(tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError),
    *(ValueError, RuntimeError, OverflowError),  # zipfile's, where it is encrypted, or packed in a way that is not known
)
M = TypeVar("M", tarfile.TarInfo, zipfile.ZipInfo)
_TIMEOUT = 60.0  # seconds without a byte
_MEMBERS = 4 * MAX_FILES
"""Entries of an archive, folders and links too."""
_AT_ONCE = 1 << 20
"""Bytes."""
_ZIP_ENTRY = b"PK\x01\x02"
_COMPRESSED: Mapping[bytes, Callable[[IO[bytes]], Any]] = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ": lzma.open}
"""What a compressed archive begins with, and how it is read."""
_ENDINGS = (".tar.gz", ".tgz", ".tar.xz", ".tar.bz2", ".zip", ".crate")


def archive_files(component: ComponentSource, archive: Archive, context: BuildContext) -> dict[str, bytes]:
    """The files of an archive by their paths in it (without the one folder that all of them lie in), its patches applied.

    Raises:
        DigestMismatch: It is not the one that was pinned. BuildFailed: It cannot be fetched or read.
        SourceInvalid: A patch does not apply.
    """
    files = _unpacked(component, archive, _fetched(component, archive, context))
    for patch in archive.patches:
        text = read_file(patch, what=f"{component.name}: patch").decode("utf-8", "surrogateescape")
        try:
            files |= patched(files, text)
        except PatchRefused as error:
            place = os.path.relpath(patch, component.source)
            hint = f"write it anew against {archive.name} {archive.version}"
            raise SourceInvalid(component.name, error.reason, file=place, line=error.line, hint=hint) from error
    return files


def _fetched(component: ComponentSource, archive: Archive, context: BuildContext) -> bytes:
    what = f"{archive.name} {archive.version}"
    try:
        source = f"{archive.registry} {what}"
        return kept_archive(component.name, what, archive.sha256, lambda: _downloaded(archive), context, source=source)
    except DigestMismatch as error:
        raise DigestMismatch(
            f"{component.name}: archive {what}",
            expected=error.expected,
            found=error.found,
            hint="find out why it changed before you write the new digest into component.yaml",
            requirement=archive.name,
        ) from error


def kept_archive(
    asker: str, what: str, sha256: str, read: Callable[[], bytes], context: BuildContext, *, source: str | None = None
) -> bytes:
    """The bytes with this SHA-256: kept from an earlier time, or what `read` gives, kept from now on.

    What was kept is used for the same `source` (by default, `what`) only: under a name or version that no registry has, it would be
    found on this machine and on no other, and a scanner would look for another's vulnerabilities.

    Raises:
        DigestMismatch: it gives others. BuildFailed: it raised OSError or ValueError.
    """
    kept = context.cache / "archives" / f"{sha256}-{_sha256((source or what).encode())[:16]}"
    if kept.is_file() and _sha256(content := kept.read_bytes()) == sha256:
        return content
    context.report(f"{asker}: fetching {what}")
    try:
        content = read()
    except (OSError, ValueError) as error:
        hint = "check its name and version, and that the registry can be reached"
        raise BuildFailed(asker, f"{what} cannot be fetched: {error}", hint=hint) from error
    if (found := _sha256(content)) != sha256:
        hint = "the registry gave another file than it listed"
        raise DigestMismatch(f"{asker}: {what}", expected=f"sha256:{sha256}", found=f"sha256:{found}", hint=hint)
    kept.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    beside = kept.with_suffix(f".{os.getpid()}")
    beside.write_bytes(content)
    os.replace(beside, kept)
    return content


def _downloaded(archive: Archive) -> bytes:
    """The archive as the registry has it; raises OSError or ValueError."""
    name, version = archive.name, archive.version
    match archive.registry:
        case "crates":
            return read_address(f"https://static.crates.io/crates/{name}/{name}-{version}.crate")
        case "npm":
            return read_address(f"https://registry.npmjs.org/{name}/-/{name.rpartition('/')[2]}-{version}.tgz")
        case _:
            return read_address(_on_pypi(archive))


def _on_pypi(archive: Archive) -> str:
    """The address of a source archive (PEP 691); of the pinned digest where several have that version."""
    normal = re.sub(r"[-_.]+", "-", archive.name).lower()
    page = json.loads(read_address(f"https://pypi.org/simple/{normal}/", "application/vnd.pypi.simple.v1+json"))
    wanted = {f"{normal}-{archive.version}{ending}" for ending in _ENDINGS}
    found = [one for one in page["files"] if re.sub(r"[-_.]+(?=.*-)", "-", one["filename"]).lower() in wanted]
    if not found:
        raise ValueError("it has no source archive of that version")
    fitting = [one for one in found if one["hashes"].get("sha256") == archive.sha256]
    return str((fitting or found)[0]["url"])


def read_address(address: str, accept: str = "*/*") -> bytes:
    """What lies at an address; raises OSError, or ValueError where it is too much."""
    request = urllib.request.Request(address, headers={"Accept": accept, "User-Agent": "ringfence-composer"})  # noqa: S310 -- https, above
    with urllib.request.urlopen(request, timeout=_TIMEOUT) as reply:  # noqa: S310
        content: bytes = reply.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise ValueError(f"more than {MAX_BYTES >> 20} MiB")
    return content


def _unpacked(component: ComponentSource, archive: Archive, content: bytes) -> dict[str, bytes]:
    try:
        return without_top(unpacked(content, f"{component.name}: archive {archive.name}"))
    except ValueError as error:
        raise BuildFailed(component.name, f"archive {archive.name} {archive.version} cannot be unpacked: {error}") from error


def unpacked(content: bytes, what: str) -> dict[str, bytes]:
    """The regular files of an archive by their paths in it, all of them relative and inside. `what` names it in errors.

    Raises:
        InputInvalid: a path leads out, or lies in a file, or two files have it; or there is too much. ValueError: it is damaged.
    """
    files: dict[str, bytes] = {}
    total = 0
    try:
        for path, data in _members(content):
            if not path.isprintable() or not is_inside(path):
                raise InputInvalid(f"{what}: a file is called {path!a}")
            inner = PurePosixPath(path).as_posix()
            if files.setdefault(inner, data) != data:
                raise InputInvalid(f"{what}: two files are called {inner!a}", hint="which of them counts depends on who unpacks it")
            total += len(data)
            if total > MAX_BYTES or len(files) > MAX_FILES:
                raise InputInvalid(f"{what}: more than {MAX_FILES} files or {MAX_BYTES >> 20} MiB")
    except _DAMAGED as error:
        raise ValueError(escaped(str(error).partition("\n")[0])) from error
    if both := next((path for path in files if any(str(one) in files for one in PurePosixPath(path).parents)), None):
        raise InputInvalid(f"{what}: {both!a} lies in a file")
    return files


def without_top(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The same files without the one folder that all of them lie in, if they do."""
    if len({path.partition("/")[0] for path in files}) != 1:
        return dict(files)
    return {path.partition("/")[2]: data for path, data in files.items() if "/" in path}


def _members(content: bytes) -> Iterator[tuple[str, bytes]]:
    """Regular files only: links and devices have no business in sources. What is too large is refused before it is read.

    What an archive is, its first bytes say: one that ends as a ZIP archive and begins as another would be two, each to its own reader.
    """
    return _zipped(content) if content.startswith(b"PK") else _tarred(content)


def _zipped(content: bytes) -> Iterator[tuple[str, bytes]]:
    if content.count(_ZIP_ENTRY) > _MEMBERS:  # before zipfile makes an object of each
        raise OSError(f"more than {_MEMBERS} entries")
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        for one in packed.infolist():
            if not one.is_dir() and not stat.S_ISLNK(one.external_attr >> 16):
                yield one.orig_filename, packed.read(_small(one, one.file_size))


def _tarred(content: bytes) -> Iterator[tuple[str, bytes]]:
    opened = next((form for magic, form in _COMPRESSED.items() if content.startswith(magic)), None)
    stream = opened(io.BytesIO(content)) if opened else io.BytesIO(content)
    with stream, tarfile.open(fileobj=cast("IO[bytes]", _Stream(stream)), mode="r:") as packed:
        for count, member in enumerate(packed):
            if count >= _MEMBERS:
                raise OSError(f"more than {_MEMBERS} entries")
            if member.size < 0 or member.issparse():  # a negative size leads tarfile back to where it was, for ever
                raise OSError("an entry of a kind that no source archive has")
            if member.isreg() and (file := packed.extractfile(_small(member, member.size))):
                yield member.name, b"".join(iter(partial(file.read, _AT_ONCE), b""))


class _Stream:
    """What tarfile reads: no more of it than an archive may hold, and no header that is larger than any needs to be."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= _AT_ONCE:
            raise OSError("a header without end")
        return self._stream.read(size)

    def seek(self, offset: int) -> int:
        if offset > 2 * MAX_BYTES + _AT_ONCE:
            raise OSError(f"more than {2 * MAX_BYTES >> 20} MiB")
        return self._stream.seek(offset)

    def tell(self) -> int:
        return self._stream.tell()


def _small(member: M, size: int) -> M:
    if size > MAX_BYTES:
        raise OSError(f"a file in it has more than {MAX_BYTES >> 20} MiB")
    return member


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
