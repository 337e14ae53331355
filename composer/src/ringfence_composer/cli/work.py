"""Commands for those who write components and graphs: new."""

from __future__ import annotations

from pathlib import Path

import click

from ringfence_composer.cli.outcome import guarded
from ringfence_composer.new import languages, new_component, new_graph
from ringfence_composer.reports.terminal import Terminal


@click.command()
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
