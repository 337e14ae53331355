"""Grants of a graph that would let a guest change what decides what runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from ringfence.contract import grants
from ringfence.contract.errors import Problem
from ringfence.contract.grants.base import quoted
from ringfence.contract.kept import changeable, kept_files
from ringfence.contract.layout import lock_path
from ringfence.contract.parameters import substitute
from ringfence.contract.wording import usual_values

from ringfence_composer.manifest.component import FILE, ComponentManifest
from ringfence_composer.manifest.graph import GraphManifest


def changeable_files(manifest: GraphManifest) -> Iterator[Problem]:
    """Each of them; a load refuses them as well, with the parameters that it is given."""
    path = Path(manifest.document.file)
    kept = [*kept_files(lock_path(path), path, None), *_settings(manifest)]
    usual = usual_values(manifest.parameters)
    for edge in manifest.edges:
        for index, form in enumerate(edge.grant.get("files", ())):
            if changed := _changed(substitute([form], usual), path.parent, kept):
                message = f"by it a guest could change {quoted(changed, 60)}, and so what it may do"
                hint = "grant a folder of its own, or fewer files of this one by match"
                yield manifest.document.problem((*edge.path, "grant", "files", index), message, hint=hint)


def _settings(manifest: GraphManifest) -> Iterator[Path]:
    """The component.yaml of each node: by `build: trusted` it has the next build run what it likes, with the developer's rights."""
    for node in manifest.nodes:
        if isinstance(node.component, ComponentManifest):
            yield node.component.folder / FILE


def _changed(form: Any, beside: Path, kept: list[Path]) -> str:
    with suppress(ExceptionGroup):  # what is no grant was said already
        return next(filter(None, (changeable(grant, beside, kept) for grant in grants.Policy.bind({"files": form}).of("files"))), "")
    return ""
