"""Commands for those who write components, graphs and applications: new, dev, bindings, doctor."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from ringfence.contract.errors import RingfenceError

from ringfence_composer.bindings.file import bindings_of, check_bindings, write_bindings
from ringfence_composer.cli.options import CACHE, GRAPH, JSON, PARAM
from ringfence_composer.cli.outcome import exit_code, guarded, report_error, workshop_of
from ringfence_composer.compose import compose_file
from ringfence_composer.dev import Development
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


class WithCommand(click.Command):
    """A command whose words after `--` are a command of the user's own, taken as they are."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """What stands before `--`; the rest goes to the context."""
        if "--" in args:
            ctx.meta["command"] = args[args.index("--") + 1 :]
            args = args[: args.index("--")]
        return super().parse_args(ctx, args)


@click.command(cls=WithCommand, short_help="Compose and run again at every change.", context_settings={"ignore_unknown_options": True})
@GRAPH
@click.argument("call", nargs=-1, metavar="[FUNCTION [ARGUMENT...] | -- COMMAND...]")
@click.option("--once", is_flag=True, help="Compose and run once; end with the exit code of the call or command.")
@click.option("--watch", "more", multiple=True, type=click.Path(path_type=Path), help="A file or folder whose changes count, too.")
@PARAM
@CACHE
@click.pass_context
def dev(
    context: click.Context,
    *,
    graph: Path,
    call: tuple[str, ...],
    once: bool,
    more: tuple[Path, ...],
    params: dict[str, str],
    cache: Path | None,
) -> None:
    """Compose a graph whenever it, a component's source or its WIT changes, then call FUNCTION or run COMMAND. Ctrl-C ends it."""
    command = context.meta.get("command", [])
    if call and command:
        raise click.UsageError("name a function to call, or a command after --, not both")
    terminal = Terminal()
    argv = command or _calling(graph, call, params, cache)
    work = Development(graph, lambda: _composed(terminal, graph, cache), argv, terminal.note, more)
    context.exit(guarded(terminal, work.once if once else work.watch))


def _calling(graph: Path, call: tuple[str, ...], params: dict[str, str], cache: Path | None) -> list[str]:
    """`compose run` as a command of its own, so that it is ended like any other."""
    if not call:
        return []
    given = [word for name, value in params.items() for word in ("--param", f"{name}={value}")]
    kept = ["--cache", str(cache)] if cache else []
    return [sys.executable, "-m", "ringfence_composer.cli", "run", *given, *kept, "--", str(graph), *call]


def _composed(terminal: Terminal, graph: Path, cache: Path | None) -> int:
    """0, or the exit code of the error, which is told."""
    try:
        done = compose_file(graph, workshop_of(terminal, cache))
    except RingfenceError as error:
        report_error(terminal, error)
        return exit_code(error)
    finally:
        terminal.done()
    terminal.note(f"composed {done.file}")
    return 0


@click.command(short_help="Write typed Python for an application of the graph.")
@GRAPH
@click.option("-o", "--output", "file", type=click.Path(dir_okay=False, path_type=Path), help="Write it into this file, not to stdout.")
@click.option("--check", "only_check", is_flag=True, help="Write nothing: fail, with the difference, if the file is not up to date.")
@CACHE
def bindings(*, graph: Path, file: Path | None, only_check: bool, cache: Path | None) -> None:
    """Write what the graph's exposed nodes take, answer and raise as typed Python: dataclasses, enums, exceptions, a Protocol each."""
    if only_check and file is None:
        raise click.UsageError("--check compares a file: name it with -o")
    terminal = Terminal()
    if file is None:
        click.echo(guarded(terminal, lambda: bindings_of(graph, workshop_of(terminal, cache))), nl=False)
    else:
        work = check_bindings if only_check else write_bindings
        guarded(terminal, lambda: work(graph, file, workshop_of(terminal, cache)))
        terminal.line(str(file))


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
