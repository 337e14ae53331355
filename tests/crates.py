"""Test suites that others wrote, out of crates that carry them: fetched by name, version and digest for a test, never committed.

cargo downloads and keeps them; nothing of a crate is built or run.
"""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ringfence_composer.errors import ComposerError, DigestMismatch, ToolFailed
from ringfence_composer.tools import find, run


class CrateMissing(ComposerError):
    """A crate can't be had; the message is one line that says why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Crate:
    """A crate by its name and version; `sha256` is that of its archive."""

    name: str
    version: str
    sha256: str

    @property
    def file(self) -> str:
        return f"{self.name}-{self.version}.crate"

    def tests(self) -> Mapping[str, bytes]:
        """Every file of its folder `tests` by its name there, in order of names.

        Raises:
            CrateMissing: cargo is not installed, can't reach its registry, or does not keep what it downloads.
            DigestMismatch: the crate is not the pinned one.
        """
        archive = self._archive().read_bytes()
        found = hashlib.sha256(archive).hexdigest()
        if found != self.sha256:
            raise DigestMismatch(f"the crate {self.name} {self.version}", expected=self.sha256, found=found)
        root = f"{self.name}-{self.version}/tests/"
        with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as crate:
            files = {one.name.removeprefix(root): one for one in crate if one.isfile() and one.name.startswith(root)}
            return {name: crate.extractfile(files[name]).read() for name in sorted(files)}

    def _archive(self) -> Path:
        """The archive as cargo keeps it, downloaded where it is not there yet."""
        home = Path(os.environ.get("CARGO_HOME") or Path.home() / ".cargo")
        kept = f"registry/cache/*/{self.file}"
        if not any(home.glob(kept)):
            self._download()
        try:
            return next(home.glob(kept))
        except StopIteration:
            raise CrateMissing(f"cargo keeps no {self.file} under its home: have it use the registry itself, once") from None

    def _download(self) -> None:
        """Have cargo fetch it: showing what it knows of one is the command that takes this one alone."""
        try:
            with tempfile.TemporaryDirectory(prefix="ringfence-") as nowhere:
                run([find("cargo"), "info", "--quiet", f"{self.name}@{self.version}"], cwd=Path(nowhere), env=os.environ, timeout=300)
        except ComposerError as error:
            said = [line.strip() for line in error.output.splitlines() if line.strip()] if isinstance(error, ToolFailed) else []
            reason = "; ".join([error.message, *said[:1]])
            remedy = error.hint or "see to it that cargo reaches its registry, once"
            raise CrateMissing(f"the crate {self.name} can't be fetched: {reason} ({remedy})") from error
