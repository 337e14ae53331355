"""Commands on what a graph may do, as it changes: diff, fix."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from ringfence_composer.cli import completion
from ringfence_composer.cli.options import CACHE, GRAPH, JSON
from ringfence_composer.cli.outcome import guarded, workshop_of
from ringfence_composer.denials import read_denials
from ringfence_composer.fix import Fix, fix_file, write_fix
from ringfence_composer.growth import Growth, growth
from ringfence_composer.manifest.additions import Section
from ringfence_composer.reports import data
from ringfence_composer.reports.fix import fix_data, print_fix
from ringfence_composer.reports.growth import growth_data, print_growth
from ringfence_composer.reports.terminal import Terminal
from ringfence_composer.revisions import read_revision


@click.command(short_help="Show the authority that grew from one revision to another.")
@click.argument("old", shell_complete=completion.graphs)
@click.argument("new", shell_complete=completion.graphs)
@JSON
@click.pass_context
def diff(context: click.Context, *, old: str, new: str, as_json: bool) -> None:
    """Show what may be done in NEW that could not be in OLD, and what no longer can; exit code 1 where any authority grew.

    Each is a graph.yaml, a lock, or REVISION:PATH of either, as git has it. Nothing is built for it.
    """
    terminal = Terminal()
    found: Growth = guarded(terminal, lambda: growth(read_revision(old), read_revision(new)), as_json=as_json)
    terminal.line(data.text_of(growth_data(found))) if as_json else print_growth(terminal, found)
    context.exit(1 if found.grew else 0)


@click.command(short_help="Show what would allow the last run's denials, and write it.")
@GRAPH
@click.option("--denials", "file", type=click.Path(dir_okay=False, path_type=Path), help="Denials that compose run --json printed.")
@click.option("--expected", "as_expected", is_flag=True, help="List them as expected, instead of granting anything.")
@click.option("--yes", is_flag=True, help="Write the change without asking.")
@JSON
@CACHE
@click.pass_context
def fix(context: click.Context, *, graph: Path, file: Path | None, as_expected: bool, yes: bool, as_json: bool, cache: Path | None) -> None:
    """Show, as a diff of graph.yaml, the least grants that would allow what the last compose run was refused; write them after asking."""
    terminal = Terminal()
    denials = guarded(terminal, lambda: read_denials(graph, file), as_json=as_json)
    section: Section = "expected" if as_expected else "grant"
    found: Fix = guarded(terminal, lambda: fix_file(graph, denials, workshop_of(terminal, cache), section=section), as_json=as_json)
    terminal.line(data.text_of(fix_data(found))) if as_json else print_fix(terminal, found)
    wanted = bool(found.difference) and (yes or (not as_json and _agreed()))
    if wanted:
        guarded(terminal, lambda: write_fix(found), as_json=as_json)
        terminal.note(f"written: {graph}")
    context.exit(0 if not found.left and (wanted or not found.difference) else 1)


def _agreed() -> bool:
    """Whether somebody is there, and wants it."""
    return sys.stdin.isatty() and click.confirm("write this into the graph?", err=True)
