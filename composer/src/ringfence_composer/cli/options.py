"""The arguments and options that several commands take."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import click
from ringfence.contract.lock import Lane

from ringfence_composer.cli import completion
from ringfence_composer.groups import EdgeMode

GRAPH = click.argument("graph", type=click.Path(path_type=Path), shell_complete=completion.graphs)
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
EDGES = click.option(
    "--edges",
    type=click.Choice(get_args(EdgeMode)),
    help="Give every node a store of its own, or join all that edges join into one component, whatever graph.yaml says.",
)
PARAM = click.option(
    "--param",
    "params",
    multiple=True,
    metavar="NAME=VALUE",
    callback=lambda _c, _p, words: _pairs(words),
    help="A parameter's value.",
    shell_complete=completion.parameters,
)


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
