"""The counts: as a table on the terminal (`just suite`), and as the committed file that the test compares."""

from __future__ import annotations

import json
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from host.engine.conftest import LANES
from host.engine.suite.origin import scripts
from host.engine.suite.outcome import Outcome, tally
from host.engine.suite.prepared import prepare
from host.engine.suite.run import run_all
from rich.console import Console
from rich.table import Table
from ringfence_composer.errors import ComposerError

EXPECTED = Path(__file__).parent / "expected.json"
_CLASSES = ("passed", "refused", "asynchronous", "failed")

Results = Mapping[str, Mapping[str, Sequence[Outcome]]]
"""Outcomes by lane and script."""


def run_suite(cache: Path) -> Results:
    """All of the suite, on every lane; `cache` is a folder for what it unpacks and compiles."""
    ready = prepare(scripts(), cache / "suite", tell=lambda line: print(line, file=sys.stderr))
    return {lane: run_all(ready, lane, cache) for lane in LANES}


def counts(results: Results) -> dict[str, dict[str, dict[str, int]]]:
    """By lane and script."""
    return {lane: {name: tally(listed) for name, listed in outcomes.items()} for lane, outcomes in sorted(results.items())}


def written(found: Mapping[str, Mapping[str, Mapping[str, int]]]) -> str:
    """The counts as JSON, a line for each script, so that a change can be reviewed."""
    lanes = []
    for lane, names in found.items():
        lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(count)}" for name, count in names.items())
        lanes.append(f"{json.dumps(lane)}: {{\n{lines}\n}}")
    return "{" + ",\n".join(lanes) + "}\n"


def _table(results: Results) -> Table:
    table = Table(title="The component-model suite: commands by lane and script")
    table.add_column("script", overflow="fold", min_width=40)
    for lane in results:
        for kind in _CLASSES:
            table.add_column(f"{lane}\n{kind}", justify="right")
    total = Counter[tuple[str, str]]()
    for name in next(iter(results.values())):
        row = Counter((lane, outcome.result) for lane, outcomes in results.items() for outcome in outcomes[name])
        total += row
        table.add_row(name, *_cells(results, row))
    table.add_section()
    table.add_row("in all", *_cells(results, total))
    return table


def _cells(results: Results, row: Counter[tuple[str, str]]) -> list[str]:
    return [str(row[lane, kind] or "") for lane in results for kind in _CLASSES]


def _reasons(results: Results) -> Table:
    table = Table(title="Why")
    table.add_column("reason")
    by_lane = {lane: Counter[str]() for lane in sorted(results)}
    for lane, names in counts(results).items():
        table.add_column(lane, justify="right")
        for count in names.values():
            by_lane[lane].update(count)
    for reason in sorted(set().union(*by_lane.values())):
        table.add_row(reason, *(str(count[reason] or "") for count in by_lane.values()))
    return table


def _show(results: Results, part: str, console: Console) -> None:
    """The commands that did not pass, of the scripts whose names have this in them."""
    for lane, outcomes in results.items():
        for name, listed in outcomes.items():
            for one in listed if part in name else ():
                if one.result != "passed":
                    line = f"{lane} {name}:{one.line} {one.command} {one.result} {one.reason}: {one.detail}"
                    console.print(line, markup=False, highlight=False, soft_wrap=True)


def main(arguments: Sequence[str]) -> None:
    """Print the counts, or for `PART` every command that did not pass in the scripts with that in their names."""
    console = Console(width=None if sys.stdout.isatty() else 160)
    with tempfile.TemporaryDirectory(prefix="ringfence-") as cache:
        try:
            results = run_suite(Path(cache))
        except ComposerError as error:
            sys.exit(f"error: {error}")
    if arguments:
        _show(results, arguments[0], console)
    else:
        console.print(_table(results))
        console.print(_reasons(results))


if __name__ == "__main__":
    main(sys.argv[1:])
