"""`compose wrap`, as a user runs it, to a drop-in wheel; what its report says of the library's API."""

from __future__ import annotations

import json
import shutil
import sys
import zipfile
from pathlib import Path
from typing import Any

from compat.environments import ROOT, run
from compat.library import Library
from compat.results import Coverage


def wrap(library: Library, folder: Path, *, grants: str = "") -> Path:
    """The drop-in wheel, made in a folder of its own; with these grants (YAML).

    Raises:
        RuntimeError: it cannot be wrapped; with what the command said.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    options: list[str | Path] = []
    if grants:
        (folder / "grants.yaml").write_text(grants)
        options = ["--grant", folder / "grants.yaml"]
    run([sys.executable, "-m", "ringfence_composer.cli", "wrap", library.release, *options, "-o", folder], cwd=ROOT)
    return next(folder.glob("*.whl"))


def report(wheel: Path) -> dict[str, Any]:
    """The wrap report in a wheel."""
    with zipfile.ZipFile(wheel) as packed:
        name = next(name for name in packed.namelist() if name.endswith("_ringfence/report.json"))
        found: dict[str, Any] = json.loads(packed.read(name))
    return found


def coverage(wheel: Path) -> Coverage:
    """What the report counts."""
    found = report(wheel)
    return Coverage(score=found["score"], members=found["counts"])
