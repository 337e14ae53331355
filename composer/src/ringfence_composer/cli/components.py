"""Commands on one component: build."""

from __future__ import annotations

from pathlib import Path

import click

from ringfence_composer.cli.options import CACHE
from ringfence_composer.cli.outcome import guarded, workshop_of
from ringfence_composer.compose import build_folder
from ringfence_composer.reports.terminal import Terminal


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@CACHE
def build(folder: Path, cache: Path | None) -> None:
    """Build one component (a folder with component.yaml); print where it lies and its digest."""
    terminal = Terminal()
    artifact = guarded(terminal, lambda: build_folder(folder, workshop_of(terminal, cache)))
    terminal.line(f"{artifact.path}  {artifact.digest}")
