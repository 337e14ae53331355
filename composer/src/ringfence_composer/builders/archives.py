"""Source archives of package registries into the bytes of their files: fetched by name, checked by digest, unpacked by reading.

Nothing of an archive runs: no `configure`, no `make`, no `setup.py`. What was fetched once is kept by its digest in the cache.
"""

from __future__ import annotations

import hashlib
import io
import json
import lzma
import os
import re
import tarfile
import urllib.error
import urllib.request
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import TypeVar

from ringfence_composer.builders.base import Archive, BuildContext, ComponentSource
from ringfence_composer.builders.foreign import escaped
from ringfence_composer.builders.patches import PatchRefused, patched
from ringfence_composer.builders.snapshot import MAX_BYTES, MAX_FILES, read_file
from ringfence_composer.errors import BuildFailed, DigestMismatch, InputInvalid, SourceInvalid

REGISTRIES = ("pypi", "crates", "npm")
_DAMAGED = (
    *(tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError),
    *(ValueError, RuntimeError, OverflowError),  # zipfile's, where it is encrypted, or packed in a way that is not known
)
M = TypeVar("M", tarfile.TarInfo, zipfile.ZipInfo)
_TIMEOUT = 60.0  # seconds without a byte
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
    kept = context.cache / "archives" / archive.sha256
    if kept.is_file() and _sha256(content := kept.read_bytes()) == archive.sha256:
        return content
    context.report(f"{component.name}: fetching {archive.name} {archive.version}")
    try:
        content = _downloaded(archive)
    except (OSError, ValueError) as error:
        hint = "check its name and version, and that the registry can be reached"
        told = f"{archive.name} {archive.version} cannot be fetched from {archive.registry}: {error}"
        raise BuildFailed(component.name, told, hint=hint) from error
    if (found := _sha256(content)) != archive.sha256:
        raise DigestMismatch(
            f"{component.name}: archive {archive.name} {archive.version}",
            expected=f"sha256:{archive.sha256}",
            found=f"sha256:{found}",
            hint="find out why it changed before you write the new digest into component.yaml",
            requirement=archive.name,
        )
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
            return _read(f"https://static.crates.io/crates/{name}/{name}-{version}.crate")
        case "npm":
            return _read(f"https://registry.npmjs.org/{name}/-/{name.rpartition('/')[2]}-{version}.tgz")
        case _:
            return _read(_on_pypi(archive))


def _on_pypi(archive: Archive) -> str:
    """The address of a source archive (PEP 691); of the pinned digest where several have that version."""
    normal = re.sub(r"[-_.]+", "-", archive.name).lower()
    page = json.loads(_read(f"https://pypi.org/simple/{normal}/", "application/vnd.pypi.simple.v1+json"))
    wanted = {f"{normal}-{archive.version}{ending}" for ending in _ENDINGS}
    found = [one for one in page["files"] if re.sub(r"[-_.]+(?=.*-)", "-", one["filename"]).lower() in wanted]
    if not found:
        raise ValueError("it has no source archive of that version")
    fitting = [one for one in found if one["hashes"].get("sha256") == archive.sha256]
    return str((fitting or found)[0]["url"])


def _read(address: str, accept: str = "*/*") -> bytes:
    request = urllib.request.Request(address, headers={"Accept": accept, "User-Agent": "ringfence-composer"})  # noqa: S310 -- https, above
    with urllib.request.urlopen(request, timeout=_TIMEOUT) as reply:  # noqa: S310
        content: bytes = reply.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise ValueError(f"more than {MAX_BYTES >> 20} MiB")
    return content


def _unpacked(component: ComponentSource, archive: Archive, content: bytes) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    total = 0
    try:
        for path, data in _members(content):
            inner = PurePosixPath(path)
            if inner.is_absolute() or ".." in inner.parts or not inner.parts or not path.isprintable():
                raise InputInvalid(f"{component.name}: archive {archive.name}: a file is called {path!a}")
            files[inner.as_posix()] = data
            total += len(data)
            if total > MAX_BYTES or len(files) > MAX_FILES:
                raise InputInvalid(f"{component.name}: archive {archive.name}: more than {MAX_FILES} files or {MAX_BYTES >> 20} MiB")
    except _DAMAGED as error:
        reason = escaped(str(error).partition("\n")[0])
        raise BuildFailed(component.name, f"archive {archive.name} {archive.version} cannot be unpacked: {reason}") from error
    if both := next((path for path in files if any(str(one) in files for one in PurePosixPath(path).parents)), None):
        raise InputInvalid(f"{component.name}: archive {archive.name}: {both!a} lies in a file")
    tops = {path.partition("/")[0] for path in files}
    if len(tops) == 1:
        files = {path.partition("/")[2]: data for path, data in files.items() if "/" in path}
    return files


def _members(content: bytes) -> Iterator[tuple[str, bytes]]:
    """Regular files only: links and devices have no business in sources. What is too large is refused before it is read."""
    if zipfile.is_zipfile(io.BytesIO(content)):
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            for one in packed.infolist():
                if not one.is_dir():
                    yield one.filename, packed.read(_small(one, one.file_size))
        return
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:*") as packed:
        for member in packed:
            if member.isreg() and (file := packed.extractfile(_small(member, member.size))):
                yield member.name, file.read()


def _small(member: M, size: int) -> M:
    if size > MAX_BYTES:
        raise OSError(f"a file in it has more than {MAX_BYTES >> 20} MiB")
    return member


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
