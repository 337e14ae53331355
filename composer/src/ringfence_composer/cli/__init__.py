"""The command `compose`: arguments to a stage, its result to a report. One file for each group of commands.

Exit codes: 0 done, 1 a check (or a call) failed, 2 usage, 3 invalid input, 4 a tool failed.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

import click

from ringfence_composer.cli import authority, calls, components, editors, graphs, words, work, wrap
from ringfence_composer.cli.edge import Edge
from ringfence_composer.cli.outcome import exit_code

__all__ = ["compose", "exit_code", "main"]


SECTIONS: Mapping[str, tuple[click.Command, ...]] = {
    "Compose and run": (graphs.up, graphs.check, components.build, calls.run),
    "See": (graphs.plan, authority.diff, graphs.show, components.inspect, words.explain),
    "Write": (work.new, wrap.wrap, authority.fix, work.dev, work.bindings, work.doctor, editors.completion, editors.schema),
}
"""The commands, as the help lists them."""


class Commands(Edge):
    """The commands in sections. A path, as in `compose graph.yaml`, stands for `up`."""

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """The command, or the default one where the first word looks like a file."""
        word = args[0]
        if word not in self.commands and (word.endswith((".yaml", ".yml", ".json")) or "/" in word or Path(word).exists()):
            args = ["up", *args]
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 -- click's signature
        """A list for each section, in the order of the work."""
        for title, commands in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(str(one.name), one.get_short_help_str(limit=formatter.width)) for one in commands])


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="ringfence-composer", prog_name="compose")
def compose() -> None:
    """Check, build, plan and lock a graph of ring-fenced components.

    `compose graph.yaml` does all of it and writes graph.lock.json beside it.
    """


for section in SECTIONS.values():
    for command in section:
        compose.add_command(command)


def main() -> NoReturn:
    """The console script. Whatever is expected ends in a message and an exit code, never in a traceback."""
    sys.exit(compose.main(prog_name="compose"))
