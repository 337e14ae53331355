"""Commands on one component: build, inspect."""

from __future__ import annotations

from pathlib import Path

import click

from ringfence_composer.cli.options import CACHE, JSON
from ringfence_composer.cli.outcome import guarded, workshop_of
from ringfence_composer.compose import build_folder
from ringfence_composer.inspection import inspect as inspect_file
from ringfence_composer.reports import data
from ringfence_composer.reports.findings import findings_data, print_findings, well
from ringfence_composer.reports.inspection import inspection_data, print_inspection
from ringfence_composer.reports.terminal import Terminal


@click.command(short_help="Build one component.")
@click.argument("folder", type=click.Path(path_type=Path))
@CACHE
def build(folder: Path, cache: Path | None) -> None:
    """Build one component (a folder with component.yaml); print where it lies and its digest."""
    terminal = Terminal()
    artifact = guarded(terminal, lambda: build_folder(folder, workshop_of(terminal, cache)))
    terminal.line(f"{artifact.path}  {artifact.digest}")


@click.command(short_help="Say what a .wasm file or a component's folder is.")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--verify", "verifying", is_flag=True, help="Of a wheel that compose wrap wrote: whether it is what its own data give.")
@JSON
@CACHE
@click.pass_context
def inspect(context: click.Context, *, path: Path, verifying: bool, as_json: bool, cache: Path | None) -> None:
    """Say what a .wasm file, or a component's folder, is: its world, what it could ask for at most, who made it."""
    terminal = Terminal()
    if verifying:
        from ringfence_composer.wrap.verify import verify  # -- and the writer of wheels, which nothing else here needs

        looked = guarded(terminal, lambda: verify(path, workshop_of(terminal, cache)), as_json=as_json)
        terminal.line(data.text_of(findings_data(looked))) if as_json else print_findings(terminal, looked, "it is what its own data give")
        context.exit(0 if well(looked) else 1)
    found = guarded(terminal, lambda: inspect_file(path, workshop_of(terminal, cache)), as_json=as_json)
    terminal.line(data.text_of(inspection_data(found))) if as_json else print_inspection(terminal, found)
