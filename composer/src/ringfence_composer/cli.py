"""The command `compose`: arguments to a stage, its result to a report.

Exit codes: 0 done, 1 a check (or a call) failed, 2 usage, 3 invalid input, 4 a tool failed.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, get_args

import click
from ringfence.contract.errors import GuestTrap, ManifestError, RingfenceError, ShapeError, StaleLock, UsageError
from ringfence.contract.layout import user_cache
from ringfence.contract.lock import Lane
from ringfence.contract.types import FunctionType, ResultOf
from ringfence.contract.wire import from_words, to_json

from ringfence_composer.compose import Workshop, build_folder, check_file, compose_file, plan_file
from ringfence_composer.errors import ComposerError, PlanRefused
from ringfence_composer.reports import data
from ringfence_composer.reports.terminal import Terminal

if TYPE_CHECKING:
    from ringfence.graph import Graph

GRAPH = click.argument("graph", type=click.Path(path_type=Path))
JSON = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON on stdout.")
CACHE = click.option(
    "--cache",
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder for builds and compiled code (default: your cache folder).",
)
LANE = click.option(
    "--lane",
    type=click.Choice(get_args(Lane)),
    help="Run every node on this lane, whatever graph.yaml asks for (component: the reference engine).",
)


class PathsToo(click.Group):
    """A group for which a path, as in `compose graph.yaml`, stands for the first command, `up`."""

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """The command, or the default one where the first word looks like a file."""
        word = args[0]
        if word not in self.commands and (word.endswith((".yaml", ".yml", ".json")) or "/" in word or Path(word).exists()):
            args = ["up", *args]
        return super().resolve_command(ctx, args)


@click.group(cls=PathsToo, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="ringfence-composer", prog_name="compose")
def compose() -> None:
    """Check, build, plan and lock a graph of ring-fenced components.

    `compose graph.yaml` does all of it and writes graph.lock.json beside it.
    """


@compose.command()
@GRAPH
@LANE
@CACHE
def up(graph: Path, lane: Lane | None, cache: Path | None) -> None:
    """Check, build, plan, and write the lock (the default command)."""
    terminal = Terminal()
    done = _guarded(terminal, lambda: compose_file(graph, _workshop(terminal, cache, lane)))
    terminal.line(str(done.file))


@compose.command()
@GRAPH
@JSON
@CACHE
def check(*, graph: Path, as_json: bool, cache: Path | None) -> None:
    """Check a graph and its components' worlds; build nothing."""
    terminal = Terminal()
    found = _guarded(terminal, lambda: check_file(graph, _workshop(terminal, cache)), as_json=as_json)
    terminal.line(data.text_of(data.checked_data(found))) if as_json else terminal.checked(found)


@compose.command()
@GRAPH
@LANE
@JSON
@CACHE
def plan(*, graph: Path, lane: Lane | None, as_json: bool, cache: Path | None) -> None:
    """Show, for every import of every node, what was decided and by which line."""
    terminal = Terminal()
    found = _guarded(terminal, lambda: plan_file(graph, _workshop(terminal, cache, lane)), as_json=as_json)
    terminal.line(data.text_of(data.plan_data(found))) if as_json else terminal.plan(found)


@compose.command()
@click.argument("folder", type=click.Path(path_type=Path))
@CACHE
def build(folder: Path, cache: Path | None) -> None:
    """Build one component (a folder with component.yaml); print where it lies and its digest."""
    terminal = Terminal()
    artifact = _guarded(terminal, lambda: build_folder(folder, _workshop(terminal, cache)))
    terminal.line(f"{artifact.path}  {artifact.digest}")


@compose.command(context_settings={"ignore_unknown_options": True})
@GRAPH
@click.argument("function")
@click.argument("arguments", nargs=-1)
@click.option(
    "--param", "params", multiple=True, metavar="NAME=VALUE", callback=lambda _c, _p, words: _pairs(words), help="A parameter's value."
)
@JSON
@CACHE
def run(*, graph: Path, function: str, arguments: tuple[str, ...], params: dict[str, str], as_json: bool, cache: Path | None) -> None:
    """Call FUNCTION (node.function) with ARGUMENTS: JSON, or plain words where text is expected. Composes first where the lock is stale."""
    terminal = Terminal()
    loaded = _guarded(terminal, lambda: _load(graph, params, cache, terminal), as_json=as_json)
    with loaded:
        target = _guarded(terminal, lambda: loaded.find(function), as_json=as_json)
        values = _guarded(terminal, lambda: from_words(target.type, list(arguments)), as_json=as_json)
        result = _guarded(terminal, lambda: loaded.call(function, *values), as_json=as_json, function=target.type)
        shown = _result(target.type, result)
        terminal.line(data.text_of(shown) if as_json else data.pretty(shown))
        terminal.denials(loaded.denials)


def main() -> NoReturn:
    """The console script. Whatever is expected ends in a message and an exit code, never in a traceback."""
    sys.exit(compose.main(prog_name="compose"))


def _workshop(terminal: Terminal, cache: Path | None, lane: Lane | None = None) -> Workshop:
    return Workshop(cache=cache.absolute() if cache else user_cache(), report=terminal.step, lane=lane)


def _pairs(words: tuple[str, ...]) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name:
            raise click.BadParameter(f"expected NAME=VALUE, found {word!r}")
        if name in pairs:
            raise click.BadParameter(f"{name} is given twice")
        pairs[name] = value
    return pairs


def _load(graph: Path, params: dict[str, str], cache: Path | None, terminal: Terminal) -> Graph:
    from ringfence.graph import Graph  # -- the host's whole runtime, which only `run` needs

    workshop = _workshop(terminal, cache)
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


def _guarded(terminal: Terminal, work: Callable[[], Any], *, as_json: bool = False, function: FunctionType | None = None) -> Any:
    """What the work returns; an expected error is reported and ends the program with its exit code."""
    try:
        return work()
    except RingfenceError as error:
        _report(terminal, error, function)
        if as_json:
            terminal.line(data.text_of(data.error_data(error, function)))
        raise SystemExit(exit_code(error)) from error
    finally:
        terminal.done()


def _report(terminal: Terminal, error: RingfenceError, function: FunctionType | None) -> None:
    if isinstance(error, ManifestError | PlanRefused):
        terminal.problems(error.problems)
    else:
        told = data.error_data(error, function)["error"]
        detail = error.last_words if isinstance(error, GuestTrap) else getattr(error, "output", "")
        place = f"{error.path}: " if isinstance(error, ShapeError) and error.path else ""
        terminal.error(f"{place}{told['message']} [{error.code}]", error.hint, detail)


def exit_code(error: RingfenceError) -> int:
    """The exit code of an expected error."""
    match error:
        case ComposerError():
            return error.exit_code
        case ManifestError() | StaleLock():
            return 3
        case UsageError() | ShapeError():
            return 2
        case _:
            return 1


if __name__ == "__main__":
    main()
