"""One run's record: what was measured, where, and of which versions. It is also the JSON that a run leaves behind."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Self

from benchmarks.measure import Outcome
from benchmarks.spread import Spread
from benchmarks.work import Seconds

PACKAGES = ("ringfence", "wasmtime", "extism", "extism-sys", "mini-racer", "componentize-py")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part of a path and the seconds that it takes of each call."""

    title: str
    seconds: Seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Breakdown:
    """A path by parts, which add up to `total` seconds. `missing` are probes that found nothing to time: the program has changed."""

    title: str
    total: Seconds
    parts: tuple[Part, ...]
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """What a component in this language costs: bytes of the component and of an instance (None: not known), seconds of builds."""

    language: str
    component: str
    size: int
    memory: int | None
    cold: Seconds
    cached: Seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What a wrapped library takes: bytes of its wheel, and what a process grows by, fenced and native (None: not known)."""

    library: str
    wheel: int
    fenced: int | None
    native: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A case's figures by peer, in seconds for one `unit`."""

    id: str
    group: str
    title: str
    unit: str
    figures: Mapping[str, Outcome]

    def median(self, peer: str) -> float | None:
        """Seconds; None where the peer sat out."""
        found = self.figures.get(peer)
        return found.median if isinstance(found, Spread) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Everything one run says. `peers` are titles by name, in the order of the columns; `about` a sentence on each."""

    machine: Mapping[str, str]
    versions: Mapping[str, str]
    quick: bool
    seconds: float
    peers: Mapping[str, str]
    about: Mapping[str, str]
    rows: Sequence[Row]
    breakdowns: Sequence[Breakdown]
    languages: tuple[Language, ...] = ()
    held: tuple[Held, ...] = ()

    def row(self, case: str) -> Row | None:
        """The row of this case, if it was measured."""
        return next((row for row in self.rows if row.id == case), None)

    def median(self, case: str, peer: str) -> float | None:
        """Seconds; None where it was not measured."""
        row = self.row(case)
        return None if row is None else row.median(peer)

    def to_json(self) -> str:
        return json.dumps({"benchmark": 1, **asdict(self)}, indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Self:
        """What `to_json` wrote.

        Raises:
            ValueError: it is of another form.
        """
        found = json.loads(text)
        if not isinstance(found, dict) or found.pop("benchmark", None) != 1:
            raise ValueError("not a benchmark's results, or of another version")
        rows = [Row(**{**row, "figures": {peer: _outcome(one) for peer, one in row["figures"].items()}}) for row in found.pop("rows")]
        broken = [_breakdown(one) for one in found.pop("breakdowns")]
        spoken = tuple(Language(**one) for one in found.pop("languages", ()))
        held = tuple(Held(**one) for one in found.pop("held", ()))
        return cls(**found, rows=rows, breakdowns=broken, languages=spoken, held=held)


def _breakdown(found: Mapping[str, Any]) -> Breakdown:
    parts = tuple(Part(**part) for part in found["parts"])
    return Breakdown(title=found["title"], total=found["total"], parts=parts, missing=tuple(found["missing"]))


def _outcome(found: Any) -> Outcome:
    return found if isinstance(found, str) else Spread(**found)


def machine() -> dict[str, str]:
    """What the figures depend on besides the code."""
    return {
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "system": f"{platform.system()} {platform.release()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "load": " ".join(f"{load:.1f}" for load in os.getloadavg()),
    }


def busy() -> float:
    """How many processes wanted a processor in the last minute, where that was more than half of one; else 0."""
    load = os.getloadavg()[0]
    return load if load > 0.5 else 0.0


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in text.splitlines() if line.startswith("model name")]
    return names[0] if names else platform.machine()


def versions(root: Path) -> dict[str, str]:
    """The packages that take part, and this checkout's revision."""
    found = {"revision": revision(root)}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def revision(root: Path) -> str:
    """The commit of a checkout, with a plus where something in it was changed."""
    try:
        commit = _git(root, "rev-parse", "--short=12", "HEAD")
        return commit + ("+" if _git(root, "status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _git(root: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=root, check=True, capture_output=True, text=True).stdout.strip()
