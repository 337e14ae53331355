"""Times and memory of a library, native and fenced by turns in fresh processes, so that noise hits both alike."""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from compat.environments import INSIDE, Environment
from compat.library import Library

_ROUNDS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """Seconds of a call, by medians over processes: the first one in a process, and later ones."""

    title: str
    first: float
    later: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What one environment takes. `cold` and `cold_first` are of a process that finds no compiled component; `imported` is warm.

    Seconds; `memory` in bytes, what importing and calling the library added to the process.
    """

    cold: float
    cold_first: float
    imported: float
    small: Timed
    large: Timed | None
    memory: int


def measure(library: Library, environments: Sequence[Environment], rounds: int = _ROUNDS) -> list[Figures]:
    """The figures of each environment.

    Raises:
        RuntimeError: a call failed, or gave another answer than it has to.
    """
    for one in environments:
        shutil.rmtree(one.cache, ignore_errors=True)
    cold = [_asked(library, one) for one in environments]
    warm: list[list[dict[str, Any]]] = [[] for _ in environments]
    for _ in range(rounds):
        for place, one in enumerate(environments):
            warm[place].append(_asked(library, one))
    return [_figures(library, first, later) for first, later in zip(cold, warm, strict=True)]


def _figures(library: Library, cold: dict[str, Any], warm: Sequence[dict[str, Any]]) -> Figures:
    calls = [library.small, *([library.large] if library.large else [])]
    timed = [
        Timed(title=call.title, **{kind: statistics.median(one["calls"][place][kind] for one in warm) for kind in ("first", "later")})
        for place, call in enumerate(calls)
    ]
    return Figures(
        cold=cold["import"],
        cold_first=cold["calls"][0]["first"],
        imported=statistics.median(one["import"] for one in warm),
        small=timed[0],
        large=timed[1] if library.large else None,
        memory=int(statistics.median(one["memory"] for one in warm)),
    )


def _asked(library: Library, environment: Environment) -> dict[str, Any]:
    calls = [{"setup": one.setup, "statement": one.statement, "answer": one.answer} for one in (library.small, library.large) if one]
    question = json.dumps({"import": f"import {library.imports[0]}", "calls": calls})
    argv = [str(environment.python), str(INSIDE / "figures.py")]
    variables = environment.variables({"PYTHONDONTWRITEBYTECODE": ""})  # after the first time it is there, as after pip's installation
    place = environment.folder.parent / f"{environment.kind}-suite" / "tree" / library.suite.folder  # from where its grants' paths go
    place.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(argv, check=False, input=question, env=variables, capture_output=True, text=True, cwd=place)
    if done.returncode:
        raise RuntimeError(f"{library.name}, {environment.kind}: {done.stderr[-3000:]}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found
