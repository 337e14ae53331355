"""The run on a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Console, ConsoleRenderable
from rich.table import Table
from rich.text import Text

from benchmarks.compare import Change
from benchmarks.reports.words import amount, cell, duration, times
from benchmarks.results import Run
from benchmarks.targets import Verdict, evaluate

_WIDTH = 150
_STYLES = {"met": "green", "missed": "bold red"}


def show(run: Run, console: Console) -> None:
    """Print the figures, who sat out, the targets, and where the time goes."""
    for part in (
        figures(run),
        Text("\n".join(sat_out(run)), style="dim"),
        verdicts(evaluate(run)),
        *held(run),
        *languages(run),
        *breakdowns(run),
    ):
        console.print(part)
        console.print()


def console() -> Console:
    """Standard output, wide enough for the table where it is no terminal."""
    made = Console()
    return made if made.is_terminal else Console(width=_WIDTH)


def figures(run: Run) -> Table:
    """A row for each case, a column for each peer: the median, the spread (half of p10 to p90), the ratio to the core lane."""
    table = Table(
        "", *run.peers.values(), title="medians, ± half of p10 to p90, times the core lane's", title_justify="left", pad_edge=False
    )
    group = ""
    for row in run.rows:
        if row.group != group:
            group = row.group
            table.add_section()
            table.add_row(Text(group, style="bold"))
        cells = [cell(row, peer) for peer in run.peers]
        table.add_row(row.title, *(Text.assemble(first, "\n", (second, "dim")) if second else first for first, second in cells))
    return table


def sat_out(run: Run) -> Iterator[str]:
    """A line for each reason to sit out: whose, and where."""
    reasons: dict[str, dict[str, list[str]]] = {}
    for peer, title in run.peers.items():
        for row in run.rows:
            found = row.figures.get(peer)
            if isinstance(found, str):
                reasons.setdefault(found, {}).setdefault(title, []).append(row.title)
    for reason, peers in reasons.items():
        alike: dict[tuple[str, ...], list[str]] = {}
        for title, rows in peers.items():
            alike.setdefault(tuple(rows), []).append(title)
        for where, titles in alike.items():
            yield f"– {', '.join(titles)}: {reason} ({'; '.join(where)})"


def verdicts(found: Sequence[Verdict]) -> Table:
    """The targets, each with what was measured."""
    table = Table("target", "wanted", "measured", "", title="targets (core lane, ratios of medians)", title_justify="left", pad_edge=False)
    for verdict in found:
        table.add_row(verdict.target.text, verdict.wanted, verdict.figure, Text(verdict.word, style=_STYLES.get(verdict.word, "")))
    return table


def held(run: Run) -> Iterator[ConsoleRenderable]:
    """What a wrapped library takes, if that was measured."""
    if not run.held:
        return
    table = Table("library", "wheel", "memory, fenced", "native", title="a wrapped library", title_justify="left")
    for one in run.held:
        table.add_row(one.library, amount(one.wheel), amount(one.fenced), amount(one.native))
    yield table


def languages(run: Run) -> Iterator[ConsoleRenderable]:
    """What components cost by language, if that was measured."""
    if not run.languages:
        return
    table = Table("language", "component", "size", "an instance", "build, cold", "cached", title="languages", title_justify="left")
    for one in run.languages:
        table.add_row(one.language, one.component, amount(one.size), amount(one.memory), duration(one.cold), duration(one.cached))
    yield table


def breakdowns(run: Run) -> Iterator[ConsoleRenderable]:
    """Where the time goes, a table for each path."""
    for one in run.breakdowns:
        table = Table("part", "time", "", title=f"{one.title}: {duration(one.total)}", title_justify="left", pad_edge=False)
        for part in one.parts:
            table.add_row(part.title, duration(part.seconds) if part.seconds > 0 else "–", f"{100 * part.seconds / one.total:.0f}%")
        yield table
        for missing in one.missing:
            yield Text(f"benchmarks/breakdown.py must be mended: {missing}", style="bold red")


def changes(found: Sequence[Change], revision: str) -> Table:
    """Here against there, a row for each case and engine."""
    table = Table("", "engine", revision, "here", "ratio", "", title_justify="left", pad_edge=False)
    for one in found:
        style = "bold red" if one.word == "slower" else "green" if one.word == "faster" else ""
        shown = "–" if one.ratio is None else f"{times(one.ratio)} ({one.low:.2f} to {one.high:.2f})"
        there, here = ("–" if value is None else duration(value) for value in (one.there, one.here))
        table.add_row(one.title, one.peer, there, here, shown, Text(one.word, style=style))
    return table
