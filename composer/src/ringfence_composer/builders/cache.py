"""The build cache: `build/<inputs>/` holds what was built from inputs of that digest.

    build/<hex>.lock           held while <hex> is built; the kernel frees it when its process ends, however it ends
    build/<hex>.<random>.work  a build's scratch folder
    build/<hex>.<random>.new   a finished entry on its way
    build/<hex>/               an entry: component.wasm and entry.json with its digest

An entry appears by one rename and is never changed, so Ctrl-C and kill -9 leave scratch folders behind at most; the next build sweeps them.
Entries are checked against their digest whenever they are taken. Nothing is evicted: deleting the folder is always safe.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import stat
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ringfence.contract.names import Digest, digest_of, is_digest

from ringfence_composer.builders.locks import held, held_if_free
from ringfence_composer.errors import InputInvalid

_COMPONENT = "component.wasm"
_ENTRY = "entry.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A file in the cache, and the digest it was found to have."""

    path: Path
    digest: Digest


class BuildCache:
    """The folder `build/` under `root`. Safe for any number of threads and processes at once."""

    def __init__(self, root: Path, report: Callable[[str], None]) -> None:
        self._folder = root / "build"
        self._report = report

    def fetch(self, inputs: Digest, make: Callable[[Path], bytes]) -> Stored:
        """What was built from `inputs`; where it is missing or damaged, what `make` returns, stored.

        `make` gets an empty scratch folder, which is removed afterwards. While it runs, everyone else who asks for these inputs waits.

        Raises:
            InputInvalid: The cache folder cannot be used.
        """
        self.prepare()
        if stored := self._read(inputs):
            return stored
        with held(self._lock(inputs), lambda: self._report("waiting for the same build in another process")):
            if stored := self._read(inputs):
                return stored
            self._sweep(inputs)
            content = self._made(inputs, make)
            return self._store(inputs, content)

    def find(self, inputs: Digest) -> Stored | None:
        """What was built from `inputs`, where it is there and whole; nothing is made.

        Raises:
            InputInvalid: The cache folder cannot be used.
        """
        self.prepare()
        return self._read(inputs)

    def prepare(self) -> None:
        """Makes the folder; see `private_folder`."""
        private_folder(self._folder)

    def _read(self, inputs: Digest) -> Stored | None:
        """The entry of `inputs`; None where there is none, or it is not whole."""
        entry = self._folder / _hex(inputs)
        try:
            content = (entry / _COMPONENT).read_bytes()
            recorded = json.loads((entry / _ENTRY).read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValueError):
            recorded, content = None, b""
        digest = digest_of(content)
        if recorded != _record(inputs, digest):
            self._report("an entry of the build cache is damaged: building it again")
            return None
        return Stored(path=entry / _COMPONENT, digest=digest)

    def _made(self, inputs: Digest, make: Callable[[Path], bytes]) -> bytes:
        # A new name each time: a tool that outlives its killed composer must not write into its successor's folder.
        work = Path(tempfile.mkdtemp(prefix=f"{_hex(inputs)}.", suffix=".work", dir=self._folder))
        try:
            return make(work)
        finally:
            _remove(work)

    def _store(self, inputs: Digest, content: bytes) -> Stored:
        digest = digest_of(content)
        beside = Path(tempfile.mkdtemp(prefix=f"{_hex(inputs)}.", suffix=".new", dir=self._folder))
        final = self._folder / _hex(inputs)
        try:
            _write_durably(beside / _COMPONENT, content)
            _write_durably(beside / _ENTRY, json.dumps(_record(inputs, digest), sort_keys=True).encode())
            if final.exists():
                # A damaged entry. It is moved away whole, so that nobody sees half of it.
                os.replace(final, self._folder / f"{_hex(inputs)}.{secrets.token_hex(8)}.work")
            os.replace(beside, final)
        finally:
            _remove(beside)
        self._sweep(inputs)
        return Stored(path=final / _COMPONENT, digest=digest)

    def _sweep(self, held: Digest) -> None:
        """Removes the scratch folders of builds that are no longer running: those whose lock can be had, and those of `held`."""
        for folder in [*self._folder.glob("*.work"), *self._folder.glob("*.new")]:
            owner = Digest(f"sha256:{folder.name.partition('.')[0]}")
            if owner == held:
                _remove(folder)
            elif is_digest(owner):
                with held_if_free(self._lock(owner)) as free:
                    if free:
                        _remove(folder)

    def _lock(self, inputs: Digest) -> Path:
        return self._folder / f"{_hex(inputs)}.lock"


def private_folder(folder: Path) -> Path:
    """A folder of the cache, made where it is missing; refuses one that somebody else could write to: what lies in it is run.

    Raises:
        InputInvalid: The folder cannot be used.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = folder.lstat()
    except OSError as error:
        raise InputInvalid(f"the build cache cannot be made: {error.strerror}", hint="name another with --cache") from error
    if hasattr(os, "getuid") and (not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or status.st_mode & 0o022):
        raise InputInvalid(
            "the build cache is not a folder of yours, or others may write to it",
            hint=f"run chmod 700 on its folder {folder.name}, or name another with --cache",
        )
    return folder


def _hex(digest: Digest) -> str:
    return digest.removeprefix("sha256:")


def _record(inputs: Digest, digest: Digest) -> dict[str, str]:
    return {"artifact": digest, "inputs": inputs}


def _write_durably(file: Path, content: bytes) -> None:
    with open(file, "xb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def _remove(folder: Path) -> None:
    """Removes a scratch folder; what cannot be removed now is left for the next sweep."""
    with suppress(OSError):
        shutil.rmtree(folder)
