"""Where crates are compiled: what they became is there for a component's next build, and for every component that locks the same crates.

    <cache>/crates/<key>.lock    held while somebody compiles there
    <cache>/crates/<key>/
        vendor/                  copies of all crates in Cargo.lock
        cargo/                   CARGO_HOME, which leads to them and nowhere else
        target/                  what they were compiled to
        tree/, home/, tmp/       of one build, as long as it lasts

cargo compiles a crate anew where its path differs, so that a place has one path for good; no path gets into a component. cargo itself
decides by its fingerprints what of `target/` holds, as in any folder that it works in; what the component's own crates became is removed
first, so that they are always compiled. Nothing is evicted: deleting the folder is always safe.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ringfence_composer.builders.base import BuildContext, ComponentSource, inputs_digest
from ringfence_composer.builders.cache import private_folder
from ringfence_composer.builders.locks import held

_PASSING = ("tree", "home", "tmp")


@dataclass(frozen=True, slots=True, kw_only=True)
class CratePlace:
    """A place to compile in, which nobody else uses meanwhile."""

    folder: Path

    @property
    def tree(self) -> Path:
        return self.folder / "tree"

    @property
    def vendor(self) -> Path:
        return self.folder / "vendor"

    @property
    def cargo_home(self) -> Path:
        return self.folder / "cargo"

    @property
    def settings(self) -> Path:
        """Where cargo finds them; written last, so that all crates are there where it is."""
        return self.cargo_home / "config.toml"

    @property
    def target(self) -> Path:
        return self.folder / "target"

    def environment(self) -> dict[str, str]:
        """The variables that keep whatever runs here in here."""
        return {
            "HOME": str(self.folder / "home"),
            "TMPDIR": str(self.folder / "tmp"),
            "CARGO_HOME": str(self.cargo_home),
            "CARGO_TARGET_DIR": str(self.target),
        }

    def holds(self, path: Path) -> bool:
        """Whether a file is a source of the component or of its crates, or was written by a build script."""
        inner = path.resolve()
        if inner.is_relative_to(self.target.resolve()):
            return {"build", "out"} <= set(inner.relative_to(self.target.resolve()).parts[:-1])
        return any(inner.is_relative_to(one.resolve()) for one in (self.tree, self.vendor))

    def forget(self) -> None:
        """Removes all that was compiled here."""
        _remove([self.target])


@contextmanager
def crate_place(component: ComponentSource, context: BuildContext, lock: Mapping[str, Any], compiled_by: Any) -> Iterator[CratePlace]:
    """The place of these crates, empty but for what was fetched and compiled there before; waits while somebody else is there.

    Args:
        component: Whose crates they are. What was compiled for one that is trusted is not used for another: its build scripts may have
            put anything there.
        context: Its build's.
        lock: Cargo.lock, read.
        compiled_by: Compiler and settings, as JSON values.

    Raises:
        InputInvalid: The cache folder cannot be used.
    """
    key = inputs_digest(
        {
            "crates": sorted([one["name"], one["version"], one["source"], one.get("checksum", "")] for one in _foreign(lock)),
            "compiled by": compiled_by,
            "trusted": str(component.source) if component.trusted else None,
        }
    )
    store = private_folder(context.cache / "crates")
    name = key.removeprefix("sha256:")[:32]
    folder = store / name

    def waiting() -> None:
        context.report(f"{component.name}: waiting for another build with the same crates")

    with held(store / f"{name}.lock", waiting):
        passing = [folder / part for part in _PASSING]
        _remove(passing)  # what a build left that was killed
        for part in passing:
            part.mkdir(mode=0o700, parents=True)
        try:
            yield CratePlace(folder=folder)
        finally:
            _remove(passing)


def _foreign(lock: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The packages that come from elsewhere than the component's own folder."""
    return (one for one in lock.get("package", ()) if "source" in one)


def _remove(folders: Iterable[Path]) -> None:
    for folder in folders:
        with suppress(FileNotFoundError):
            shutil.rmtree(folder)
