"""Commands that call a graph: run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from ringfence.contract.errors import StaleLock
from ringfence.contract.types import FunctionType, ResultOf
from ringfence.contract.wire import to_json
from ringfence.contract.words import from_words

from ringfence_composer.cli.options import CACHE, GRAPH, JSON, PARAM
from ringfence_composer.cli.outcome import guarded, workshop_of
from ringfence_composer.compose import compose_file
from ringfence_composer.reports import data
from ringfence_composer.reports.terminal import Terminal

if TYPE_CHECKING:
    from ringfence.graph import Graph


@click.command(short_help="Call a function of a graph.", context_settings={"ignore_unknown_options": True})
@GRAPH
@click.argument("function")
@click.argument("arguments", nargs=-1)
@PARAM
@JSON
@CACHE
def run(*, graph: Path, function: str, arguments: tuple[str, ...], params: dict[str, str], as_json: bool, cache: Path | None) -> None:
    """Call FUNCTION (node.function) with ARGUMENTS: JSON, or plain words where text is expected. Composes first where the lock is stale."""
    terminal = Terminal()
    loaded = guarded(terminal, lambda: _load(graph, params, cache, terminal), as_json=as_json)
    with loaded:
        target = guarded(terminal, lambda: loaded.find(function), as_json=as_json)
        values = guarded(terminal, lambda: from_words(target.type, list(arguments)), as_json=as_json)
        result = guarded(terminal, lambda: loaded.call(function, *values), as_json=as_json, function=target.type)
        shown = _result(target.type, result)
        terminal.line(data.text_of(shown) if as_json else data.pretty(shown))
        terminal.denials(loaded.denials)


def _load(graph: Path, params: dict[str, str], cache: Path | None, terminal: Terminal) -> Graph:
    from ringfence.graph import Graph  # -- the host's whole runtime, which only `run` needs

    workshop = workshop_of(terminal, cache)
    terminal.step("loading")
    try:
        return Graph.load(graph, parameters=params, cache=workshop.cache)
    except StaleLock as stale:
        if not graph.is_file():
            raise
        terminal.note(f"composing first: {stale.message}")
    compose_file(graph, workshop)
    terminal.step("loading")
    return Graph.load(graph, parameters=params, cache=workshop.cache)


def _result(function: FunctionType, value: Any) -> Any:
    kind = function.result
    return to_json(kind.ok if isinstance(kind, ResultOf) else kind, value)
