"""The files that decide what runs, and whether a grant would let a guest change one of them: it would give itself what it likes."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from ringfence.contract.grants import globs
from ringfence.contract.grants.files import READ, Files
from ringfence.contract.layout import artifact_path, denials_path, user_cache
from ringfence.contract.names import Digest

_ANY = "0" * 64


def kept_files(lock: Path, manifest: Path, cache: Path | None, digests: Sequence[Digest] = (Digest(f"sha256:{_ANY}"),)) -> list[Path]:
    """The graph, its lock, artifacts (some, where their digests are not known) and denials, and one of each kind of those in the caches."""
    kept = [lock, manifest, denials_path(manifest), *(artifact_path(lock, one) for one in digests)]
    with suppress(RuntimeError):  # there is no home, and so no cache
        caches = cache or user_cache()
        kept += [caches / "checked" / _ANY, caches / "compiled" / f"{_ANY}.cwasm", caches / "compiled" / _ANY]
    return kept


def changeable(grant: Files, beside: Path, kept: Iterable[Path]) -> str:
    """The first of these files that a guest could change by the grant, as a path in its folder; '' where there is none.

    `beside` is the folder of graph.yaml.
    """
    if grant.access <= READ:
        return ""
    folder = Path(os.path.realpath(beside / grant.path))
    inside = (str(Path(os.path.realpath(one)).relative_to(folder)) for one in kept if Path(os.path.realpath(one)).is_relative_to(folder))
    return next((name for name in inside if any(glob.covers(globs.literal(name)) for glob in grant.match)), "")
