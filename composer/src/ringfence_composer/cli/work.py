"""Commands for those who write components and graphs: new, doctor."""

from __future__ import annotations

from pathlib import Path

import click

from ringfence_composer.cli.options import CACHE, JSON
from ringfence_composer.cli.outcome import guarded
from ringfence_composer.doctor import examine
from ringfence_composer.new import languages, new_component, new_graph
from ringfence_composer.reports import data
from ringfence_composer.reports.findings import findings_data, print_findings, well
from ringfence_composer.reports.terminal import Terminal


@click.command(short_help="Write a new component or graph that works at once.")
@click.argument("folder", metavar="NAME", type=click.Path(path_type=Path))
@click.option("--language", type=click.Choice(languages()), help="Write a component in this language.")
@click.option("--graph", "as_graph", is_flag=True, help="Write a graph, with one component in it (in Python, unless --language says).")
def new(*, folder: Path, language: str | None, as_graph: bool) -> None:
    """Write the folder NAME with a component, or with a graph, that builds and passes its test as it is."""
    if not language and not as_graph:
        raise click.UsageError(f"say --graph, or --language and one of: {', '.join(languages())}")
    terminal = Terminal()
    make = new_graph if as_graph else new_component
    made = guarded(terminal, lambda: make(folder, language or "python"))
    terminal.line(str(made))
    terminal.note(f"next: python -m pytest {made}")
    terminal.note(
        f"      compose dev {made / 'graph.yaml'}" if as_graph else f"      in a graph.yaml: {made.name}: {{ component: {made} }}"
    )


@click.command(short_help="Say what this installation lacks, and the command for it.")
@JSON
@CACHE
@click.pass_context
def doctor(context: click.Context, *, as_json: bool, cache: Path | None) -> None:
    """Say what this machine and installation have, what is missing, and the one command for it. Exit code 1 where something is."""
    terminal = Terminal()
    terminal.step("looking")
    found = guarded(terminal, lambda: list(examine(cache)), as_json=as_json)
    terminal.line(data.text_of(findings_data(found))) if as_json else print_findings(terminal, found)
    context.exit(0 if well(found) else 1)
