"""`just bench`: options to a run, a run to its reports."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks import peers, results
from benchmarks.breakdown import breakdowns
from benchmarks.cases import Case, Scale, cases
from benchmarks.compare import commit_of, compare
from benchmarks.languages import languages
from benchmarks.measure import QUICK, Effort, Figures, Report, measure
from benchmarks.peers.base import Peer
from benchmarks.peers.ours import Core
from benchmarks.reports import table
from benchmarks.reports.page import PLOT, page
from benchmarks.reports.svg import picture
from benchmarks.results import Run
from benchmarks.work import Place
from benchmarks.wrapped import NAME, VERSION

ROOT = Path(__file__).parent.parent
LANGUAGES = "languages"
"""What may be asked for as if it were a case, and is part of the page: sizes, memory and builds by language."""


@click.command()
@click.option("--quick", is_flag=True, help="A minute: fewer samples, nothing that takes seconds.")
@click.option(
    "--case", "wanted", multiple=True, metavar="ID", help="Only this case, or `languages`, which takes minutes; may be given again."
)
@click.option("--peer", "names", multiple=True, type=click.Choice(list(peers.PEERS)), help="Only this peer; may be given again.")
@click.option("--output", type=click.Path(path_type=Path), default=ROOT / "build" / "bench", help="The folder for table, plot and JSON.")
@click.option("--from", "source", type=click.Path(path_type=Path, exists=True), help="Report on these results.json; measure nothing.")
@click.option("--write-docs", is_flag=True, help="Write docs/benchmarks.md and its plot, too.")
@click.option(
    "--compare", "revision", metavar="REV", help="Our engines here against this revision; exit code 1 where a case became slower."
)
@click.option("--list", "listing", is_flag=True, help="The cases' ids.")
def main(
    *,
    quick: bool,
    wanted: tuple[str, ...],
    names: tuple[str, ...],
    output: Path,
    source: Path | None,
    write_docs: bool,
    revision: str | None,
    listing: bool,
) -> None:
    """Measure our engines against what people use today, in one run."""
    effort = QUICK if quick else Effort()
    with tempfile.TemporaryDirectory() as folder, _progress() as report:
        place = Place(folder=Path(folder), root=ROOT)
        chosen = _chosen(cases(Scale(), place.folder), wanted, patient=not quick)
        if listing:
            click.echo("\n".join((*(case.id for case in chosen), LANGUAGES)))
        elif revision:
            sys.exit(_compared(revision, chosen, effort, report))
        else:
            run = Run.from_json(source.read_text()) if source else run_all(chosen, names or tuple(peers.PEERS), place, effort, report)
            if not source and (LANGUAGES in wanted or (write_docs and not wanted)):
                run = with_languages(run, place, report)
            _reported(run, output, write_docs=write_docs)


def _chosen(every: Sequence[Case], wanted: Sequence[str], *, patient: bool) -> list[Case]:
    unknown = set(wanted) - {case.id for case in every} - {LANGUAGES}
    if unknown:
        raise click.BadParameter(f"no case {', '.join(sorted(unknown))}; there are: {', '.join(case.id for case in every)}")
    return [case for case in every if case.id in wanted or (not wanted and (patient or not case.patient))]


def run_all(chosen: Sequence[Case], names: Sequence[str], place: Place, effort: Effort, report: Report) -> Run:
    """Measure these cases with these peers, and break the core engine's calls down where it takes part."""
    begun, machine = time.monotonic(), results.machine()
    if busy := results.busy():
        click.echo(f"the machine is busy (load {busy:.1f}): the figures will be noisy", err=True)
    figures: Figures = {}
    taking_part = peers.make(names, place)
    try:
        for group in dict.fromkeys(case.group for case in chosen):
            figures |= measure([case for case in chosen if case.group == group], taking_part, effort, report)
        held = [*_held(chosen, {peer.name: peer for peer in taking_part})]
        broken = [
            one
            for peer in taking_part
            if chosen and isinstance(peer, Core)
            for one in breakdowns(peer, report=lambda what: report(what, 1.0))
        ]
    finally:
        for peer in taking_part:
            peer.close()
    return Run(
        machine=machine,
        versions=results.versions(place.root),
        quick=effort == QUICK,
        seconds=time.monotonic() - begun,
        peers={peer.name: peer.title for peer in taking_part},
        about={peer.name: peer.about for peer in taking_part},
        rows=[_row(case, taking_part, figures) for case in chosen],
        breakdowns=broken,
        held=tuple(held),
    )


def _held(chosen: Sequence[Case], taking_part: Mapping[str, Peer]) -> Iterator[results.Held]:
    """What the wrapped library takes, where it is measured fenced and native."""
    if any(case.id.startswith("wrapped-") for case in chosen) and {"core", "plain"} <= taking_part.keys():
        fenced, native = taking_part["core"].yaml, taking_part["plain"].yaml
        yield results.Held(library=f"{NAME} {VERSION}", wheel=fenced.wheel or 0, fenced=fenced.held(), native=native.held())


def with_languages(run: Run, place: Place, report: Report) -> Run:
    """The run, and what components cost by language."""
    begun = time.monotonic()
    found = tuple(languages(place, lambda what: report(what, 1.0)))
    return replace(run, languages=found, seconds=run.seconds + time.monotonic() - begun)


def _row(case: Case, taking_part: Sequence[Peer], figures: Figures) -> results.Row:
    found = {peer.name: figures[case.id, peer.name] for peer in taking_part}
    return results.Row(id=case.id, group=case.group, title=case.title, unit=case.unit, figures=found)


def _reported(run: Run, output: Path, *, write_docs: bool) -> None:
    output.mkdir(parents=True, exist_ok=True)
    (output / "results.json").write_text(run.to_json())
    (output / "plot.svg").write_text(picture(run))
    with (output / "table.txt").open("w") as file:
        table.show(run, Console(file=file, width=150))
    table.show(run, table.console())
    if write_docs:
        (ROOT / "docs" / "benchmarks.md").write_text(page(run))
        (ROOT / "docs" / PLOT).write_text(picture(run))


def _compared(revision: str, chosen: Sequence[Case], effort: Effort, report: Report) -> int:
    commit = commit_of(revision, ROOT)
    if commit is None:
        raise click.BadParameter(f"no revision {revision!r} in this checkout")
    found = list(compare(commit, ROOT, chosen, effort, report))
    table.console().print(table.changes(found, revision))
    return int(any(change.word == "slower" for change in found))


@contextmanager
def _progress() -> Iterator[Report]:
    """A line on stderr that says what is being measured; nothing where that is no terminal."""
    columns, console = (TextColumn("{task.description:60.60}"), BarColumn(), TimeElapsedColumn()), Console(stderr=True)
    with Progress(*columns, console=console, transient=True, refresh_per_second=4, disable=not console.is_terminal) as progress:
        task = progress.add_task("", total=1.0)
        yield lambda what, part: progress.update(task, description=what, completed=part)
