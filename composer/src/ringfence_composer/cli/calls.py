"""Commands that call a graph: run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from ringfence.contract.errors import StaleLock
from ringfence.contract.layout import LOCK_SUFFIX
from ringfence.contract.types import FunctionType, ResultOf
from ringfence.contract.wire import to_json
from ringfence.contract.words import from_words

from ringfence_composer.cli import completion
from ringfence_composer.cli.options import CACHE, GRAPH, JSON, PARAM
from ringfence_composer.cli.outcome import guarded, workshop_of
from ringfence_composer.compose import compose_file
from ringfence_composer.denials import keep_denials
from ringfence_composer.manifest.paths import refuse_other_than_graph
from ringfence_composer.reports import data
from ringfence_composer.reports.terminal import Terminal

if TYPE_CHECKING:
    from ringfence.graph import Graph

_NEGATIVE = re.compile(r"-(\d|\.\d|Infinity$).*")


class _Calls(click.Command):
    """A command whose arguments may be negative numbers; any other word with a dash is an option, or stands behind `--`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click does, once every option is known."""
        known = [name for param in self.get_params(ctx) for name in (*param.opts, *param.secondary_opts)]
        for word in args[: args.index("--")] if "--" in args else args:
            if word.startswith("-") and not _NEGATIVE.fullmatch(word) and (name := word.partition("=")[0]) not in known:
                near = get_close_matches(name, known)
                hint = "" if near else " An argument that begins with a dash stands behind '--'."
                raise click.NoSuchOption(name, f"No such option: {name}.{hint}", possibilities=near, ctx=ctx)
        return super().parse_args(ctx, args)


@click.command(cls=_Calls, short_help="Call a function of a graph.", context_settings={"ignore_unknown_options": True})
@GRAPH
@click.argument("function", shell_complete=completion.functions)
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
        with _told(terminal, graph, loaded, as_json=as_json):
            result = guarded(
                terminal, lambda: loaded.call(function, *values), as_json=as_json, function=target.type, denials=loaded.all_denials
            )
            shown = _result(target.type, result)
            terminal.line(data.text_of(shown) if as_json else data.pretty(shown))


@contextmanager
def _told(terminal: Terminal, graph: Path, loaded: Graph, *, as_json: bool) -> Iterator[None]:
    """Whatever comes of a call: keep what it was refused, and tell of what no error told of. For programs, errors tell of all."""
    failed, manifest = True, graph
    if graph.name.endswith(LOCK_SUFFIX):
        manifest = graph.with_name(graph.name.removesuffix(LOCK_SUFFIX) + ".yaml")
    try:
        yield
        failed = False
    finally:
        keep_denials(manifest, loaded.all_denials)
        if not as_json:
            open_ones = [one for one in loaded.all_denials if one.allow and not one.expected]
            terminal.denials(loaded.denials, f"compose fix {manifest}" if open_ones else "")
        elif loaded.denials and not failed:
            terminal.note(data.text_of({"denials": data.denials_data(loaded.denials)}))


def _load(graph: Path, params: dict[str, str], cache: Path | None, terminal: Terminal) -> Graph:
    from ringfence.graph import Graph  # -- the host's whole runtime, which only `run` needs

    workshop = workshop_of(terminal, cache)
    if not graph.name.endswith(LOCK_SUFFIX):
        refuse_other_than_graph(graph, str(graph))
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
