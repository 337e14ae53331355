"""Commands on a whole graph: up, check, plan."""

from __future__ import annotations

from pathlib import Path

import click
from ringfence.contract.lock import Lane

from ringfence_composer.cli.options import CACHE, GRAPH, JSON, LANE
from ringfence_composer.cli.outcome import guarded, workshop_of
from ringfence_composer.compose import check_file, compose_file, plan_file
from ringfence_composer.reports import data
from ringfence_composer.reports.terminal import Terminal


@click.command()
@GRAPH
@LANE
@CACHE
def up(graph: Path, lane: Lane | None, cache: Path | None) -> None:
    """Check, build, plan, and write the lock (the default command)."""
    terminal = Terminal()
    done = guarded(terminal, lambda: compose_file(graph, workshop_of(terminal, cache, lane)))
    terminal.line(str(done.file))


@click.command()
@GRAPH
@JSON
@CACHE
def check(*, graph: Path, as_json: bool, cache: Path | None) -> None:
    """Check a graph and its components' worlds; build nothing."""
    terminal = Terminal()
    found = guarded(terminal, lambda: check_file(graph, workshop_of(terminal, cache)), as_json=as_json)
    terminal.line(data.text_of(data.checked_data(found))) if as_json else terminal.checked(found)


@click.command()
@GRAPH
@LANE
@JSON
@CACHE
def plan(*, graph: Path, lane: Lane | None, as_json: bool, cache: Path | None) -> None:
    """Show, for every import of every node, what was decided and by which line."""
    terminal = Terminal()
    found = guarded(terminal, lambda: plan_file(graph, workshop_of(terminal, cache, lane)), as_json=as_json)
    terminal.line(data.text_of(data.plan_data(found))) if as_json else terminal.plan(found)
