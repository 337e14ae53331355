"""The edge of the program: whatever happens inside, a person reads a message, and a program that asked for JSON gets it."""

from __future__ import annotations

import os
import tempfile
import traceback
from typing import Any

import click
from click.shell_completion import CompletionItem

from ringfence_composer.cli.completion import WORDS, graph_files
from ringfence_composer.errors import InternalError
from ringfence_composer.reports import data
from ringfence_composer.reports.terminal import Terminal


class Edge(click.Group):
    """A group whose commands end in a message and an exit code: 2 where the command line is wrong, 4 where this program is."""

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """Keeps the words, to know what a command line asked for that could not be read."""
        ctx.meta[WORDS] = args
        return super().resolve_command(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Commands, and graphs, which stand for the first of them."""
        return [*super().shell_complete(ctx, incomplete), *graph_files(incomplete)]

    def invoke(self, ctx: click.Context) -> Any:
        """What the command returns."""
        try:
            return super().invoke(ctx)
        except click.UsageError as error:
            if "--json" in ctx.meta.get(WORDS, ()):
                click.echo(data.text_of({"error": {"code": "usage", "message": error.format_message()}}))
            raise
        except (click.ClickException, click.Abort, click.exceptions.Exit, BrokenPipeError):
            raise
        except Exception as error:
            terminal, internal = Terminal(), InternalError(error, _kept())
            terminal.error(f"{internal.message} [{internal.code}]", internal.hint)
            if "--json" in ctx.meta.get(WORDS, ()):
                terminal.line(data.text_of(data.error_data(internal)))
            raise SystemExit(internal.exit_code) from error


def _kept() -> str | None:
    """The file that the traceback of the exception in hand was written to, readable by this user alone; None where there is no place."""
    try:
        descriptor, file = tempfile.mkstemp(prefix="ringfence-", suffix=".txt")
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as out:
            out.write(traceback.format_exc())
    except OSError:
        return None
    return file
