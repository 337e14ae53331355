"""`just compat`: libraries to a run, a run to its record and its page."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from ringfence.contract.layout import user_cache

from benchmarks.results import busy, machine, versions
from compat.environments import ROOT
from compat.examine import Examined, examine, timed
from compat.library import Library, libraries
from compat.page import page
from compat.results import Run
from compat.suite import Report

PLACE = user_cache() / "compat"
"""Where environments and suites lie: outside of the checkout, whose own settings of pytest a suite without any would take."""


@click.command()
@click.option("--library", "wanted", multiple=True, metavar="NAME", help="Only this library; may be given again.")
@click.option("--tests/--no-tests", default=True, help="Run the libraries' own suites.")
@click.option("--figures/--no-figures", default=True, help="Time imports and calls.")
@click.option("--output", type=click.Path(path_type=Path), default=ROOT / "build" / "compat", help="The folder for the results.")
@click.option("--from", "source", type=click.Path(path_type=Path, exists=True), help="Make the page of this results.json; run nothing.")
@click.option("--write-docs", is_flag=True, help="Write docs/compat.md, too.")
def main(*, wanted: tuple[str, ...], tests: bool, figures: bool, output: Path, source: Path | None, write_docs: bool) -> None:
    """Wrap libraries, and run their own test suites natively and against the drop-in wheels."""
    run = Run.from_json(source.read_text()) if source else examine_all(_chosen(wanted), PLACE, tests=tests, figures=figures)
    output.mkdir(parents=True, exist_ok=True)
    (output / "results.json").write_text(run.to_json())
    (output / "compat.md").write_text(page(run))
    if write_docs:
        (ROOT / "docs" / "compat.md").write_text(page(run))
    click.echo(page(run))


def _chosen(wanted: Sequence[str]) -> list[Library]:
    every = libraries()
    if unknown := {name.lower() for name in wanted} - set(every):
        raise click.BadParameter(f"no library {', '.join(sorted(unknown))}; there are: {', '.join(every)}")
    return [every[name.lower()] for name in wanted] if wanted else list(every.values())


def examine_all(chosen: Sequence[Library], place: Path, *, tests: bool, figures: bool) -> Run:
    """Examine these libraries, as many at once as there are cores, and then time one after the other."""
    begun = time.monotonic()
    if load := busy():
        click.echo(f"the machine is busy (load {load:.1f}): the figures will be noisy", err=True)

    def examined(library: Library, report: Report) -> Examined:
        folder = place / library.name.lower()
        shutil.rmtree(folder, ignore_errors=True)
        return examine(library, folder, report, tests=tests)

    with _progress(len(chosen)) as lines, ThreadPoolExecutor(os.cpu_count()) as pool:
        reports = list(lines)
        found = list(pool.map(examined, chosen, reports))
        rows = [timed(*one) for one in zip(chosen, found, reports, strict=True)] if figures else [one.row for one in found]
    return Run(machine=machine(), versions=versions(ROOT), seconds=time.monotonic() - begun, rows=rows)


@contextmanager
def _progress(count: int) -> Iterator[Iterator[Report]]:
    """For each library a line on stderr that says what is being done; nothing where that is no terminal."""
    columns, console = (TextColumn("{task.description:60.60}"), BarColumn(), TimeElapsedColumn()), Console(stderr=True)
    with Progress(*columns, console=console, refresh_per_second=4, disable=not console.is_terminal) as progress:
        yield (_reporting(progress, progress.add_task("", total=1.0)) for _ in range(count))


def _reporting(progress: Progress, task: TaskID) -> Report:
    return lambda what, part: progress.update(task, description=what, completed=part)
