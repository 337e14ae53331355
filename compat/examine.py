"""One library, from its release to its row: wrapped, its suite run natively and fenced, timed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from ringfence_composer.errors import ComposerError

from compat.environments import Environment, fenced, native
from compat.figures import measure
from compat.library import Library
from compat.reasons import common, groups
from compat.results import Row, Tally
from compat.suite import Report, Results, run_suite
from compat.wrapping import coverage, wrap


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """A row so far, and the environments in which its library can be timed, native and fenced; none where it could not be wrapped."""

    row: Row
    environments: tuple[Environment, ...] = ()


def examine(library: Library, folder: Path, report: Report, *, tests: bool = True) -> Examined:
    """Wrap a library and run its suite; where something cannot be done, the row says what and why, and what was reached.

    Several libraries can be examined at once.
    """
    row = Row(name=library.name, version=library.version, note=library.note, grants=library.grants)
    environments: tuple[Environment, ...] = ()
    try:
        report(f"{library.name}: wrap", 0.0)
        wheel = wrap(library, folder / "dist", grants=library.grants.replace("TREE", str(folder / "fenced-suite" / "tree")))
        row = replace(row, wheel=wheel.stat().st_size, coverage=coverage(wheel))
        report(f"{library.name}: environments", 0.1)
        environments = native(library, folder / "native"), fenced(library, wheel, folder / "fenced")
        if tests:
            row = replace(row, tests=compare(library, *(_suite(library, one, folder, report) for one in environments)))
    except (RuntimeError, ComposerError) as error:
        row = replace(row, failed=str(error))
    report(library.name, 0.9)
    return Examined(row=row, environments=environments)


def timed(library: Library, examined: Examined, report: Report) -> Row:
    """The row with its times and memory, for which nothing else should be running."""
    row = examined.row
    try:
        report(f"{library.name}: figures", 0.9)
        if not row.failed:
            natively, behind = measure(library, examined.environments)
            row = replace(row, native=natively, fenced=behind)
    except RuntimeError as error:
        row = replace(row, failed=str(error))
    report(library.name, 1.0)
    return row


def _suite(library: Library, environment: Environment, folder: Path, report: Report) -> Results:
    place = folder / f"{environment.kind}-suite"
    place.mkdir(parents=True)
    return run_suite(library, environment, place, lambda done: report(f"{library.name}: {done} tests, {environment.kind}", 0.5))


def compare(library: Library, natively: Results, fenced: Results) -> Tally:
    """Of the tests that pass natively, those that pass fenced, and why the others fail."""
    missed = {test: fenced.of(test).error or "skipped" for test in natively.passed - fenced.passed}
    return Tally(
        native=len(natively.passed),
        passed=len(natively.passed & fenced.passed),
        also=len(fenced.passed - natively.passed),
        groups=groups(missed, [*library.reasons, *common()]),
        excluded=len(library.excluded),
        seconds=natively.seconds + fenced.seconds,
    )
