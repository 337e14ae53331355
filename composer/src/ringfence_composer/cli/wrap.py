"""The command that makes wheels: wrap."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ringfence_composer.cli import completion
from ringfence_composer.cli.options import CACHE, JSON
from ringfence_composer.cli.outcome import guarded, workshop_of
from ringfence_composer.compose import Workshop
from ringfence_composer.reports import data
from ringfence_composer.reports.terminal import Terminal
from ringfence_composer.reports.wrapping import difference_data, print_difference, print_report, wrapping_data
from ringfence_composer.wrap.authority import read_authority
from ringfence_composer.wrap.difference import Difference, difference
from ringfence_composer.wrap.guest import Authority
from ringfence_composer.wrap.output import write_wheel
from ringfence_composer.wrap.overlay import Overlay, read_overlay
from ringfence_composer.wrap.several import read_several
from ringfence_composer.wrap.wanted import Wanted, read_wanted

if TYPE_CHECKING:
    from ringfence_composer.wrap.release import Wrapped

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command(short_help="Make a wheel that runs a library ring-fenced.")
@click.argument("what", required=False, shell_complete=completion.graphs)
@click.argument("other", required=False, type=_FILE)
@click.option("-o", "--output", "folder", type=click.Path(file_okay=False, path_type=Path), default=Path("dist"), help="Where wheels go.")
@click.option("--grant", "grants", type=_FILE, help="What the library may do at most: kinds of grants, as on an edge to host.")
@click.option("--limits", multiple=True, metavar="NAME=VALUE", help="Its limits, such as memory=256MiB,deadline=5s.")
@click.option(
    "--types", "stubs", type=click.Path(file_okay=False, path_type=Path), help="Stub files (.pyi) of a library that has no annotations."
)
@click.option("-r", "--requirement", "requirements", type=_FILE, help="Wrap the releases that this requirements file pins.")
@click.option("--only", type=_FILE, help="Of those, the packages that this file names.")
@click.option("--package", help="The import name of the wheel that a graph.yaml becomes.")
@click.option("--version", default="0.1.0", show_default=True, help="The version of that wheel.")
@click.option(
    "--diff", "compare", is_flag=True, help="Show what changed from the wheel WHAT to the wheel OTHER; exit code 1 where it may do more."
)
@JSON
@CACHE
@click.pass_context
def wrap(
    context: click.Context,
    *,
    what: str | None,
    other: Path | None,
    folder: Path,
    grants: Path | None,
    limits: tuple[str, ...],
    stubs: Path | None,
    requirements: Path | None,
    only: Path | None,
    package: str | None,
    version: str,
    compare: bool,
    as_json: bool,
    cache: Path | None,
) -> None:
    """Make a wheel of WHAT: a release (PyYAML==5.3) or an archive behind its own import names, or a graph.yaml behind --package."""
    terminal = Terminal()
    workshop = workshop_of(terminal, cache)
    if (other is not None) != compare or (what is None) == (requirements is None) or (only is not None and requirements is None):
        raise click.UsageError("name one release, archive or graph.yaml; or -r FILE (with --only FILE); or --diff OLD NEW")
    if stubs is not None and (what is None or compare or package is not None):
        raise click.UsageError("--types goes with one release or archive, whose types they are")
    if compare:
        _compare(context, terminal, Path(str(what)), Path(str(other)), as_json=as_json)
    elif package is not None:
        _graph(terminal, Path(str(what)), package, version, folder, workshop, as_json=as_json)
    else:
        wanted = guarded(terminal, lambda: read_several(requirements, only) if requirements else [read_wanted(str(what))], as_json=as_json)
        authority = guarded(terminal, lambda: read_authority(grants, limits), as_json=as_json)
        overlay = guarded(terminal, lambda: read_overlay(stubs), as_json=as_json)
        _libraries(terminal, wanted, authority, overlay, folder, workshop, as_json=as_json)


def _compare(context: click.Context, terminal: Terminal, old: Path, new: Path, *, as_json: bool) -> None:
    found: Difference = guarded(terminal, lambda: difference(old, new), as_json=as_json)
    terminal.line(data.text_of(difference_data(found))) if as_json else print_difference(terminal, found)
    context.exit(1 if found.grew else 0)


def _graph(terminal: Terminal, graph: Path, package: str, version: str, folder: Path, workshop: Workshop, *, as_json: bool) -> None:
    from ringfence_composer.wrap.typed import pack_graph, read_package  # -- and the writer of SBOMs, which no other command needs

    content = guarded(terminal, lambda: pack_graph(graph, read_package(package, version), workshop), as_json=as_json)
    file = guarded(terminal, lambda: write_wheel(content, folder), as_json=as_json)
    terminal.line(data.text_of(wrapping_data(file, None)) if as_json else str(file))


def _libraries(
    terminal: Terminal, wanted: Sequence[Wanted], authority: Authority, overlay: Overlay, folder: Path, workshop: Workshop, *, as_json: bool
) -> None:
    """All wheels, and none where one cannot be made."""
    from ringfence_composer.wrap.release import apart, wrap_release  # -- and griffe besides

    made: list[Wrapped] = [guarded(terminal, partial(wrap_release, one, authority, workshop, overlay), as_json=as_json) for one in wanted]
    guarded(terminal, lambda: apart(made), as_json=as_json)
    for one in made:
        file = guarded(terminal, partial(write_wheel, one.content, folder), as_json=as_json)
        if not as_json:
            print_report(terminal, one.report)
        terminal.line(data.text_of(wrapping_data(file, one.report)) if as_json else str(file))
