"""Commands for shells and editors: completion, schema."""

from __future__ import annotations

from typing import Literal

import click
from click.shell_completion import get_completion_class
from ringfence.contract.schemas import schema as schema_of

from ringfence_composer.reports import data
from ringfence_composer.reports.terminal import Terminal

Shell = Literal["bash", "zsh", "fish"]
Authored = Literal["graph", "component"]


@click.command(short_help="Print what has a shell complete commands.")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: Shell) -> None:
    """Print the script that has SHELL complete commands, graphs, functions and parameters: eval "$(compose completion bash)"."""
    script = get_completion_class(shell)
    assert script is not None  # noqa: S101 -- click has all three
    click.echo(script(ctx.find_root().command, {}, "compose", "_COMPOSE_COMPLETE").source())


@click.command(short_help="Print the schema of a file, for editors.")
@click.argument("file", type=click.Choice(["graph", "component"]))
def schema(file: Authored) -> None:
    """Print the JSON Schema of graph.yaml or component.yaml, for an editor that checks and completes while you write."""
    Terminal().line(data.pretty(schema_of(file, "ringfence_composer")))
