"""`libraries/*.toml` into records: which release, how its own suite is run, and what is timed."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "libraries"


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """How a library's own tests are run.

    `runner` is `pytest` or `appliance` (PyYAML's own). `keep` are the files and folders of the source archive that are laid out, all
    others are left away, lest the library's own sources be imported from there. `beside` maps folders of the archive to places in
    site-packages, for suites that are part of the library's package. `folder` is the working directory in the tree, `environment` is
    added to the process's (`TREE` in it leads to the tree).
    """

    keep: tuple[str, ...]
    runner: str = "pytest"
    arguments: tuple[str, ...] = ()
    beside: Mapping[str, str] = field(default_factory=dict)
    folder: str = "."
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """Something to time: `setup` once, then `statement` again and again; `answer` is an expression that has to be true afterwards."""

    title: str
    setup: str
    statement: str
    answer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """A release of a library.

    `archive` is the SHA-256 of its source archive, in which its suite lies. `path` is where its packages lie in that, for a release
    that has no wheel; all others are installed natively as `requirements.txt` pins them. `grants` is what its suite needs of the world
    (YAML; `TREE` in it leads to the tree), nothing by default. `quick` names a part of the suite, for our own tests. `excluded` are
    tests that are not run at all, with the reason; `reasons` explain failures of this library alone (`reasons.py`).
    """

    name: str
    version: str
    archive: str
    imports: tuple[str, ...]
    suite: Suite
    small: Call
    large: Call | None = None
    path: str | None = None
    note: str = ""
    grants: str = ""
    quick: tuple[str, ...] = ()
    excluded: Mapping[str, str] = field(default_factory=dict)
    reasons: Sequence[tuple[str, str]] = ()

    @property
    def release(self) -> str:
        return f"{self.name}=={self.version}"


def libraries(folder: Path = FOLDER) -> dict[str, Library]:
    """Every library by its name in lower case, in the order of their files' names."""
    found = [read(file) for file in sorted(folder.glob("*.toml"))]
    return {one.name.lower(): one for one in found}


def read(file: Path) -> Library:
    """The library that a file describes.

    Raises:
        ValueError: it is not TOML, or not of this form.
    """
    try:
        data = tomllib.loads(file.read_text())
        suite, small, large = Suite(**_tuples(data.pop("suite"))), Call(**data.pop("small")), data.pop("large", None)
        reasons = [(one["pattern"], one["reason"]) for one in data.pop("reasons", ())]
        return Library(**_tuples(data), suite=suite, small=small, large=Call(**large) if large else None, reasons=reasons)
    except (TypeError, KeyError, ValueError) as error:
        raise ValueError(f"{file.name}: {error}") from error


def _tuples(data: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in data.items()}
