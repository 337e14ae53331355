"""A library's own suite, run in an environment, to an outcome for each of its tests.

A test that ends its process, or never ends, costs that test alone: the suite is begun again behind it.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from compat.archives import lay_out_suite, sources
from compat.environments import INSIDE, Environment
from compat.library import Library

Report = Callable[[str, float], None]
_PATIENCE = 60  # seconds a test may take
_SILENCE = 150.0  # seconds without a line after which a process is ended
_CRASHES = 40  # after so many a suite is given up
_OPTIONS = [
    *("-p", "compat_recorder", "-p", "no:cacheprovider", "-q", "--no-header", "--tb=short", "--color=no"),
    *("--continue-on-collection-errors", f"--timeout={_PATIENCE}"),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a test ended: `passed`, `failed` or `skipped`; `error` says why it failed."""

    outcome: str
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """Outcomes by test, and the errors of files of tests that could not be imported, by file."""

    outcomes: Mapping[str, Outcome]
    broken: Mapping[str, str]
    seconds: float

    @property
    def passed(self) -> frozenset[str]:
        return frozenset(name for name, one in self.outcomes.items() if one.outcome == "passed")

    def of(self, test: str) -> Outcome:
        """A test's outcome; where its file was broken, that is why it failed."""
        if found := self.outcomes.get(test):
            return found
        whole = next((error for place, error in self.broken.items() if test.startswith(place) or not place), None)
        return Outcome(outcome="failed", error=f"not collected: {whole}" if whole else "not collected, for no reason that was told")


def run_suite(
    library: Library, environment: Environment, folder: Path, report: Callable[[int], None], *, only: tuple[str, ...] = ()
) -> Results:
    """Run it, in a tree of its own in `folder`; `only` names a part of the suite. `report` hears how many tests are done."""
    tree = folder / "tree"
    lay_out_suite(library, sources(library), tree)
    (tree / "tmp").mkdir(exist_ok=True)
    file = folder / "results.jsonl"
    begun = time.monotonic()
    for _ in range(_CRASHES):
        argv = _argv(library, environment, only)
        variables = {name: text.replace("TREE", str(tree)) for name, text in library.suite.environment.items()}
        ended = _watched(
            argv,
            tree / library.suite.folder,
            environment.variables(
                variables | {"TMPDIR": str(tree / "tmp"), "COMPAT_RESULTS": str(file), "COMPAT_PATIENCE": str(_PATIENCE)}
            ),
            file,
            folder,
            report,
        )
        if ended is None or not _blame(file, ended):
            break
    return _read(file, time.monotonic() - begun)


def _argv(library: Library, environment: Environment, only: tuple[str, ...]) -> list[str]:
    if library.suite.runner == "appliance":
        return [str(environment.python), str(INSIDE / "appliance.py"), *only]
    excluded = [f"--deselect={test}" for test in library.excluded]
    return [str(environment.python), "-m", "pytest", *_OPTIONS, *excluded, *library.suite.arguments, *only]


def _watched(argv: list[str], cwd: Path, variables: dict[str, str], file: Path, folder: Path, report: Callable[[int], None]) -> str | None:
    """Run a suite's process; what ended it, where that was not its own end."""
    with (folder / "output.txt").open("ab") as output:
        process = subprocess.Popen(
            argv, cwd=cwd, env=variables, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
        size, since = -1, time.monotonic()
        while process.poll() is None:
            time.sleep(0.2)
            now = file.stat().st_size if file.exists() else 0
            if now != size:
                size, since = now, time.monotonic()
                report(_lines(file))
            if time.monotonic() - since > _SILENCE:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                return f"hung for more than {_SILENCE:g} s"
    return (
        f"ended its process by signal {-process.returncode}"
        if process.returncode < 0
        else None
        if process.returncode in {0, 1, 2, 5}
        else f"ended its process with {process.returncode}"
    )


def _lines(file: Path) -> int:
    return file.read_bytes().count(b'"end"') if file.exists() else 0


def _blame(file: Path, ended: str) -> bool:
    """Write down that the test which had begun last ended this way; False where none had."""
    lines = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
    if not lines or "begin" not in lines[-1]:
        return False
    with file.open("a") as more:
        more.write(json.dumps({"end": lines[-1]["begin"], "outcome": "failed", "error": ended}) + "\n")
    return True


def _read(file: Path, seconds: float) -> Results:
    outcomes: dict[str, Outcome] = {}
    broken: dict[str, str] = {}
    for line in file.read_text().splitlines() if file.exists() else ():
        found = json.loads(line)
        if "end" in found:
            outcomes[found["end"]] = Outcome(outcome=found["outcome"], error=found["error"])
        elif "broken" in found:
            broken[found["broken"]] = found["error"]
    return Results(outcomes=outcomes, broken=broken, seconds=seconds)
