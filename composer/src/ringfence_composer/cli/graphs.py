"""Commands on a whole graph: up, check, plan, show."""

from __future__ import annotations

from pathlib import Path

import click
from ringfence.contract.lock import Lane
from ringfence.picture.mermaid import mermaid
from ringfence.picture.model import to_data
from ringfence.picture.svg import svg

from ringfence_composer.cli.options import CACHE, EDGES, GRAPH, JSON, LANE
from ringfence_composer.cli.outcome import guarded, workshop_of
from ringfence_composer.compose import check_file, compose_file, plan_file
from ringfence_composer.errors import InputInvalid
from ringfence_composer.groups import EdgeMode
from ringfence_composer.reach import reach
from ringfence_composer.replace import replace_file
from ringfence_composer.reports import data
from ringfence_composer.reports.picture import print_picture
from ringfence_composer.reports.reach import print_reach, reach_data
from ringfence_composer.reports.terminal import Terminal
from ringfence_composer.show import show_file


@click.command(short_help="Check, build, plan and lock (the default command).")
@GRAPH
@LANE
@EDGES
@CACHE
def up(graph: Path, lane: Lane | None, edges: EdgeMode | None, cache: Path | None) -> None:
    """Check, build, plan, and write the lock (the default command)."""
    terminal = Terminal()
    done = guarded(terminal, lambda: compose_file(graph, workshop_of(terminal, cache, lane, edges)))
    terminal.line(str(done.file))


@click.command(short_help="Check a graph without building it.")
@GRAPH
@EDGES
@JSON
@CACHE
def check(*, graph: Path, edges: EdgeMode | None, as_json: bool, cache: Path | None) -> None:
    """Check a graph and its components' worlds; build nothing."""
    terminal = Terminal()
    found = guarded(terminal, lambda: check_file(graph, workshop_of(terminal, cache, edges=edges)), as_json=as_json)
    terminal.line(data.text_of(data.checked_data(found))) if as_json else terminal.checked(found)


@click.command(short_help="Show every decision, or what each node can reach.")
@GRAPH
@click.option("--reach", "reaching", is_flag=True, help="Show instead what each exposed node can reach through others, and by which way.")
@LANE
@EDGES
@JSON
@CACHE
def plan(*, graph: Path, reaching: bool, lane: Lane | None, edges: EdgeMode | None, as_json: bool, cache: Path | None) -> None:
    """Show, for every import of every node, what was decided and by which line."""
    terminal = Terminal()
    found = guarded(terminal, lambda: plan_file(graph, workshop_of(terminal, cache, lane, edges)), as_json=as_json)
    if as_json:
        terminal.line(data.text_of(reach_data(found, reach(found)) if reaching else data.plan_data(found)))
    elif reaching:
        print_reach(terminal, found, reach(found))
    else:
        terminal.plan(found)


@click.command(short_help="Draw a graph: here, as SVG, as Mermaid.")
@GRAPH
@click.option("--mermaid", "form", flag_value="mermaid", help="Print a Mermaid flowchart.")
@click.option("--json", "form", flag_value="json", help="Print the picture as JSON.")
@click.option("--svg", "file", type=click.Path(dir_okay=False, path_type=Path), help="Draw it into this file.")
@CACHE
def show(*, graph: Path, form: str | None, file: Path | None, cache: Path | None) -> None:
    """Draw a graph: who calls whom, what each edge grants, and what can exfiltrate. Nothing is built for it."""
    if file and form:
        raise click.UsageError("choose one of --mermaid, --json and --svg FILE")
    terminal = Terminal()
    drawn = guarded(terminal, lambda: show_file(graph, workshop_of(terminal, cache)), as_json=form == "json")
    if file is not None:
        guarded(terminal, lambda: _write(file, svg(drawn)))
        terminal.line(str(file))
    elif form is None:
        print_picture(terminal, drawn)
    else:
        terminal.line(mermaid(drawn).rstrip() if form == "mermaid" else data.text_of(to_data(drawn)))


def _write(file: Path, text: str) -> None:
    try:
        replace_file(file, text.encode())
    except OSError as error:
        raise InputInvalid(f"cannot write {file}: {error.strerror}") from error
