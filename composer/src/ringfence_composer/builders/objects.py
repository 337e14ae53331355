"""Objects that were compiled from C before: a source is compiled anew only where something that its object was made of has changed.

    <cache>/objects/<hex>/<digest>   two kinds of entries, each with its own digest before it

The digest of one kind is that of a question (a source, the compiler, its options, and the *names* of all files that it could include); the
entry lists the files that were read to answer it. That of the other kind is of the question with the *contents* of those files; the entry
is the object. So nothing that a compiler could find out is left out: with equal names and options it opens the same file first, which has
the same content, so it opens the same file next. Entries appear by one rename. Nothing is evicted: deleting the folder is always safe.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ringfence.contract.names import Digest, digest_of

from ringfence_composer.builders.base import inputs_digest
from ringfence_composer.builders.cache import private_folder
from ringfence_composer.replace import replace_file


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """An object, and what the compiler said of its source."""

    content: bytes
    said: str


class ObjectCache:
    """What was compiled before, for one build.

    Args:
        root: The folder of the caches.
        files: All files that can be included, by their paths as the compiler lists them.
        compiled_by: The compiler, as JSON values.

    Raises:
        InputInvalid: The cache folder cannot be used.
    """

    def __init__(self, root: Path, files: Mapping[str, bytes], compiled_by: Any) -> None:
        self._folder = private_folder(root / "objects")
        self._files, self._compiled_by = files, compiled_by
        self._names = digest_of("\n".join(sorted(files)).encode())
        self._digests: dict[str, str] = {}

    def find(self, source: str, options: Sequence[str]) -> Compiled | None:
        """The object of this source, where it was kept and nothing that it was made of has changed."""
        used = self._read(self._question(source, options))
        if used is None:
            return None
        answer = self._answer(source, options, json.loads(used))
        kept = self._read(answer) if answer else None
        if kept is None:
            return None
        said, _, content = kept.partition(b"\n")
        return Compiled(content=content, said=json.loads(said))

    def keep(self, source: str, options: Sequence[str], used: Iterable[str], compiled: Compiled) -> None:
        """Remembers an object and the files that it was made of. One that was made of others than we know is not kept."""
        listed = sorted(set(used))
        if answer := self._answer(source, options, listed):
            self._write(answer, json.dumps(compiled.said).encode() + b"\n" + compiled.content)
            self._write(self._question(source, options), json.dumps(listed).encode())

    def _question(self, source: str, options: Sequence[str]) -> Digest:
        return inputs_digest({"source": source, "options": list(options), "by": self._compiled_by, "names": self._names})

    def _answer(self, source: str, options: Sequence[str], used: Sequence[str]) -> Digest | None:
        if not all(path in self._files for path in used):
            return None
        contents = {path: self._digest(path) for path in used}
        return inputs_digest({"question": self._question(source, options), "contents": contents})

    def _digest(self, path: str) -> str:
        if path not in self._digests:
            self._digests[path] = hashlib.sha256(self._files[path]).hexdigest()
        return self._digests[path]

    def _read(self, digest: Digest) -> bytes | None:
        """The entry; None where there is none, or it is damaged."""
        try:
            found, _, content = self._place(digest).read_bytes().partition(b"\n")
        except OSError:
            return None
        return content if found == digest_of(content).encode() else None

    def _write(self, digest: Digest, content: bytes) -> None:
        place = self._place(digest)
        place.parent.mkdir(mode=0o700, exist_ok=True)
        replace_file(place, digest_of(content).encode() + b"\n" + content)

    def _place(self, digest: Digest) -> Path:
        name = digest.removeprefix("sha256:")
        return self._folder / name[:2] / name
