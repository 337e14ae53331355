"""The run as the page `docs/benchmarks.md`."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.reports.table import sat_out
from benchmarks.reports.words import amount, cell, duration
from benchmarks.results import Breakdown, Row, Run
from benchmarks.targets import evaluate

PLOT = "benchmarks.svg"


def page(run: Run) -> str:
    """Markdown. Its `sh` blocks run as they stand, in seconds."""
    return "\n".join((*_beginning(run), *_targets(run), *_figures(run), *_held(run), *_languages(run), *_breakdowns(run), *_again()))


def _beginning(run: Run) -> Iterator[str]:
    machine, versions = run.machine, run.versions
    yield "# Benchmarks"
    yield ""
    yield "This page is written by `just bench --write-docs`; nothing in it is edited by hand."
    yield ""
    yield f"![Time of a call by case and peer]({PLOT})"
    yield ""
    yield (
        f"One run, {run.seconds / 60:.0f} minutes, on {machine['processor']}, {machine['cores']} cores, {machine['system']}, "
        f"{machine['python']}. Versions: "
        + ", ".join(f"{name} {version}" for name, version in versions.items())
        + f". Load of the machine when it began: {machine['load']}."
        + (" A quick run: its figures are rough." if run.quick else "")
    )
    yield ""
    yield (
        "Each round goes once through all cases and peers of a section, so that noise hits all of them alike. A figure is the median of up "
        "to 15 samples; below it half the way from the 10th to the 90th percentile, and how often the core lane's time it is. "
        "Every answer is checked. Our engines are called at the engine's seam, below `Graph`, where a row doesn't say otherwise. "
        "Where a peer knows no types, its far side hands on what it gets without reading it, which favours the peer. "
        "Of several threads the time is that of all, divided by the calls of all: half of one thread's where two are twice as fast. "
        "A new process times itself, so that the interpreter's own start is not in it."
    )
    yield ""
    for peer, title in run.peers.items():
        yield f"- **{title}**: {run.about[peer]}"
    yield ""


def _targets(run: Run) -> Iterator[str]:
    yield "## Targets"
    yield ""
    yield "| target (core lane) | wanted | measured | |"
    yield "|---|---|---|---|"
    for verdict in evaluate(run):
        word = f"**{verdict.word}**" if verdict.word == "missed" else verdict.word
        yield f"| {verdict.target.text} | {verdict.wanted} | {verdict.figure} | {word} |"
    yield ""


def _figures(run: Run) -> Iterator[str]:
    yield "## Figures"
    yield ""
    group = ""
    for row in run.rows:
        if row.group != group:
            if group:
                yield ""
            group = row.group
            yield f"| {group} | " + " | ".join(run.peers.values()) + " |"
            yield "|---" * (len(run.peers) + 1) + "|"
        yield f"| {row.title} | " + " | ".join(_cell(row, peer) for peer in run.peers) + " |"
    yield ""
    for line in sat_out(run):
        yield f"- {line.removeprefix('– ')}"
    yield ""


def _cell(row: Row, peer: str) -> str:
    first, second = cell(row, peer)
    return f"{first}<br>{second}" if second else first


def _held(run: Run) -> Iterator[str]:
    if not run.held:
        return
    yield "## What a wrapped library takes"
    yield ""
    yield (
        "The wheel that `compose wrap` makes, and the memory that a process grows by with the library's import and one call; pages that it "
        "shares with other processes, such as compiled code, count by its share."
    )
    yield ""
    yield "| library | wheel | memory, fenced | memory, native |"
    yield "|---|---|---|---|"
    for one in run.held:
        yield f"| {one.library} | {amount(one.wheel)} | {amount(one.fenced)} | {amount(one.native)} |"
    yield ""


def _languages(run: Run) -> Iterator[str]:
    if not run.languages:
        return
    yield "## What a language costs"
    yield ""
    yield (
        "Two JSON decoders that do the same, and what computes prices. Memory is what a process grows by for each further instance that "
        "has answered a call; compiled code is shared. A cold build begins with an empty build cache: the C library, the crates and the "
        "archive are compiled or fetched anew, but for what cargo and pip keep of their registries. "
        "`python -m benchmarks --case languages` measures this alone (`benchmarks/languages.py`)."
    )
    yield ""
    yield "| language | component | size | memory of an instance | build, cold | build, cached |"
    yield "|---|---|---|---|---|---|"
    for one in run.languages:
        costs = " | ".join((amount(one.size), amount(one.memory), duration(one.cold), duration(one.cached)))
        yield f"| {one.language} | `{one.component}` | {costs} |"
    yield ""


def _breakdowns(run: Run) -> Iterator[str]:
    yield "## Where each microsecond goes"
    yield ""
    yield (
        "Parts of the core engine's path, each timed by a probe around its functions while the rest runs as it is, what is left by "
        "subtraction (`benchmarks/breakdown.py`). Best of many short runs, on one instance that is called again and again."
    )
    yield ""
    for one in run.breakdowns:
        yield from _breakdown(one)


def _breakdown(one: Breakdown) -> Iterator[str]:
    yield f"| {one.title} | {duration(one.total)} | |"
    yield "|---|---|---|"
    for part in one.parts:
        yield f"| {part.title} | {duration(part.seconds) if part.seconds > 0 else '–'} | {100 * part.seconds / one.total:.0f}% |"
    yield ""
    for missing in one.missing:
        yield f"*Not timed, since the program has changed: {missing}.*"
        yield ""


def _again() -> Iterator[str]:
    yield "## Again, on your machine"
    yield ""
    yield (
        "`just bench` takes under ten minutes on two cores, best idle ones, and leaves the table, the plot and `results.json` in "
        "`build/bench/`; `just bench --quick` takes a minute. `just bench --write-docs` writes this page as well. "
        "`just bench --compare REV` checks a revision out beside this one, with an environment of its own, runs our engines there and "
        "here by turns, and fails where a case became slower. Single cases, in seconds:"
    )
    yield ""
    yield "```sh"
    yield "python -m benchmarks --quick --case call --case records-1 --peer core --peer component --output build/bench-of-the-page"
    yield "```"
    yield ""
