"""Source archives of the libraries, fetched by name and pinned digest into the cache, laid out for a run."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from ringfence.contract.layout import user_cache
from ringfence_composer.builders.archives import archive_files
from ringfence_composer.builders.base import Archive, BuildContext, ComponentSource

from compat.library import Library


def sources(library: Library) -> dict[str, bytes]:
    """The files of its source archive by their paths.

    Raises:
        ComposerError: it cannot be fetched, or is not the one that was pinned.
    """
    archive = Archive(registry="pypi", name=library.name, version=library.version, sha256=library.archive)
    nowhere = ComponentSource(name=library.name, language="python", wit=Path(), world="", source=Path())
    return archive_files(nowhere, archive, BuildContext(cache=user_cache()))


def lay_out(files: dict[str, bytes], folder: Path, *, under: str = "") -> None:
    """Write the files that lie in `under` into a folder."""
    for path, content in files.items():
        inner = PurePosixPath(path)
        if inner.is_relative_to(under):
            target = folder / inner.relative_to(under)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)


def lay_out_suite(library: Library, files: dict[str, bytes], folder: Path) -> None:
    """Write what the suite keeps of the archive; the library's own sources stay away, lest they be imported instead."""
    for part in library.suite.keep:
        kept = {path: content for path, content in files.items() if PurePosixPath(path).is_relative_to(part)}
        if not kept:
            raise ValueError(f"{library.name}: its source archive has no {part}")
        lay_out(kept, folder)
