"""A wheel of ours, read: its files by path, its lock, and of a library's its API. Nothing of it is installed, imported or trusted."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesParser
from pathlib import Path
from typing import Any

from ringfence.contract.lock import Lock
from ringfence.packaged import LOCK

from ringfence_composer.builders.archives import unpacked
from ringfence_composer.errors import InputInvalid
from ringfence_composer.revisions import parse_lock
from ringfence_composer.wrap.api import checked_api

_MOST = 1 << 30
"""Bytes of a wheel that are read at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PackedWheel:
    """A wheel with a lock. `folder` is where that lies in it, `info` its .dist-info; `library` and `api` are empty of a typed graph's."""

    file: Path
    files: Mapping[str, bytes]
    info: str
    folder: str
    lock: Lock
    metadata: Message
    library: Mapping[str, Any]
    api: Mapping[str, Any]


def read_packed(file: Path) -> PackedWheel:
    """A wheel that `compose wrap` wrote.

    Raises:
        InputInvalid: it can't be read, or is none.
    """
    files = _files(file)
    locks = [path for path in files if path.rpartition("/")[2] == LOCK]
    infos = [path.rpartition("/")[0] for path in files if path.endswith(".dist-info/METADATA")]
    if len(locks) != 1 or len(infos) != 1:
        raise InputInvalid(
            f"{file}: not a wheel that compose wrap wrote: it has {len(locks)} locks", hint="make one: compose wrap PyYAML==5.3"
        )
    folder = locks[0].rpartition("/")[0]
    return PackedWheel(
        file=file,
        files=files,
        info=infos[0],
        folder=folder,
        lock=_lock(file, files[locks[0]]),
        metadata=BytesParser().parsebytes(files[f"{infos[0]}/METADATA"], headersonly=True),
        library=_json(file, files, f"{folder}/library.json"),
        api=checked_api(_json(file, files, f"{folder}/api.json"), f"{file}: api.json") if f"{folder}/library.json" in files else {},
    )


def _files(file: Path) -> dict[str, bytes]:
    try:
        if file.stat().st_size > _MOST:
            raise InputInvalid(f"{file}: larger than {_MOST >> 20} MiB")
        return unpacked(file.read_bytes(), str(file))
    except OSError as error:
        raise InputInvalid(f"{file}: {error.strerror}") from error
    except ValueError as error:
        raise InputInvalid(f"{file}: not a wheel: {error}") from error


def _lock(file: Path, data: bytes) -> Lock:
    found = parse_lock(data, f"{file}: its lock")
    if found.to_bytes() != data:
        raise InputInvalid(f"{file}: its lock is not in the form that compose writes")
    return found


def _json(file: Path, files: Mapping[str, bytes], path: str) -> Mapping[str, Any]:
    if path not in files:
        return {}
    try:
        found = json.loads(files[path])
    except (ValueError, RecursionError) as error:
        raise InputInvalid(f"{file}: {path} is not JSON") from error
    if not isinstance(found, dict):
        raise InputInvalid(f"{file}: {path} holds no object")
    return found
