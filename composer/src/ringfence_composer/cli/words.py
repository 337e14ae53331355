"""Commands that explain: explain."""

from __future__ import annotations

from pathlib import Path

import click

from ringfence_composer.cli.options import CACHE, JSON
from ringfence_composer.cli.outcome import guarded, workshop_of
from ringfence_composer.explain import explain_line, place_of
from ringfence_composer.explanations import all_explained, explained
from ringfence_composer.reports import data, explanation
from ringfence_composer.reports.terminal import Terminal


@click.command(short_help="Say what a line of graph.yaml or an error's code means.")
@click.argument("what", required=False, metavar="[LINE|CODE]")
@JSON
@CACHE
def explain(*, what: str | None, as_json: bool, cache: Path | None) -> None:
    """Say what a line of a graph.yaml means (`graph.yaml:23`), or what an error's code does (`denied`); without either, list all codes."""
    terminal = Terminal()
    if what and (place := place_of(what)):
        told = guarded(terminal, lambda: explain_line(*place, workshop_of(terminal, cache)), as_json=as_json)
        terminal.line(data.text_of(explanation.told_data(told))) if as_json else explanation.print_told(terminal, place[0], told)
        return
    errors = guarded(terminal, lambda: (explained(what),), as_json=as_json) if what else all_explained()
    if as_json:
        terminal.line(data.text_of(explanation.explained_data(errors)))
    else:
        explanation.print_explained(terminal, errors[0]) if what else explanation.print_codes(terminal, errors)
