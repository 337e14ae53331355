"""What rustc says, as cargo hands it on in JSON, into errors with their places and into warnings, in the compiler's own words."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ringfence_composer.builders.base import ComponentSource
from ringfence_composer.builders.foreign import escaped, shown
from ringfence_composer.errors import BuildFailed, ComposerError, SourceInvalid

_SUMMARY = ("aborting due to", "For more information about")


def messages(output: str) -> list[Mapping[str, Any]]:
    """The JSON objects among cargo's output."""
    found = []
    for line in output.splitlines():
        if line.startswith('{"reason":'):
            try:
                found.append(json.loads(line))
            except ValueError:
                continue  # only the end of a long output is kept, and that may begin within a line
    return found


def warnings(said: Iterable[Mapping[str, Any]]) -> list[str]:
    """The compiler's warnings of the component's own code, as it wrote them."""
    return [_rendered(one) for one in _of_level(said, "warning") if one["spans"]]


def compile_errors(component: ComponentSource, said: Iterable[Mapping[str, Any]], crate: Path) -> ComposerError | None:
    """All errors of the compiler, each with its place; None where it has none to tell. `crate` is the folder it was run in."""
    found: list[SourceInvalid] = []
    without_place: list[str] = []
    for one in _of_level(said, "error"):
        if place := _place(one, crate):
            excerpt = "\n  ".join(_rendered(one).splitlines()[1:])
            reason, (file, line, column) = escaped(one["message"].partition("\n")[0]), place
            found.append(SourceInvalid(component.name, reason, file=file, line=line, column=column, hint=excerpt))
        elif not one["message"].startswith(_SUMMARY):
            without_place.append(_rendered(one))
    if found:
        found[0].further = tuple(found[1:])
        return found[0]
    if without_place:
        text = "\n".join(without_place)
        return BuildFailed(component.name, escaped(text.splitlines()[0]), output=text)
    return None


def _of_level(said: Iterable[Mapping[str, Any]], level: str) -> list[Mapping[str, Any]]:
    return [one["message"] for one in said if one.get("reason") == "compiler-message" and one["message"]["level"] == level]


def _rendered(message: Mapping[str, Any]) -> str:
    return shown(str(message["rendered"]).rstrip().splitlines())


def _place(message: Mapping[str, Any], crate: Path) -> tuple[str, int, int] | None:
    """The file in the component's source, line and column; None for what is elsewhere, such as in a crate."""
    for span in message["spans"]:
        while span:
            path = os.path.relpath(crate / span["file_name"], crate)
            if span["is_primary"] and not path.startswith(".."):
                return path.replace(os.sep, "/"), span["line_start"], span["column_start"]
            expansion = span.get("expansion")
            span = {**expansion["span"], "is_primary": span["is_primary"]} if expansion else None
    return None
