"""What the official WIT tools say against a component's world, as a problem at its place in the WIT or in component.yaml."""

from __future__ import annotations

import os
import re
from pathlib import Path
from textwrap import dedent

from ringfence.contract.errors import Problem

from ringfence_composer.errors import InputInvalid
from ringfence_composer.manifest.component import ComponentManifest
from ringfence_composer.manifest.shape import closest

_PLACED = re.compile(r"(?P<file>[^\n]+?):(?P<line>[0-9]+):(?P<column>[0-9]+): (?P<message>[^\n]*)(?P<rest>.*)", re.DOTALL)
_NO_WORLD = re.compile(r"[^\n]*: World `[^`]*` not found in package `[^`]*` \(worlds there: (?P<worlds>[^)]*)\)")
_NO_PACKAGE = re.compile(r"package '(?P<name>[^']+)' not found")


def world_problem(component: ComponentManifest, error: InputInvalid) -> Problem:
    """The tool's message with files named as people know them: relative to where they stand."""
    shown, document = Path(component.document.file).parent, component.document
    message = error.message
    for place in (*component.wit_deps, component.folder):
        message = message.replace(str(place), os.path.normpath(shown / os.path.relpath(place, component.folder)))
    if found := _NO_WORLD.fullmatch(message):
        worlds = [one for one in found["worlds"].split(", ") if one and one != "none"]
        hint = closest(component.world, worlds) if worlds else "write one in its WIT: world NAME { … }"
        wit = os.path.normpath(shown / os.path.relpath(component.wit, component.folder))
        return document.problem(("world",), f"there is no world {component.world!r} in {wit}", hint=hint)
    if not (found := _PLACED.fullmatch(message)):
        remedy = "begin a WIT file with: package NAMESPACE:NAME;" if "no `package` header" in message else error.hint
        return document.problem(("wit",), message, hint=remedy)
    if missing := _NO_PACKAGE.match(found["message"]):
        remedy = f"name the folder of {missing['name']} in {document.file}, wit_deps"
        told = f"there is no package {missing['name']} among the WIT files"
    else:
        remedy, told = error.hint, found["message"]
    excerpt = dedent("\n".join(line for line in found["rest"].splitlines() if re.match(r" *[0-9]* \|", line))).splitlines()
    hint = "\n  ".join([*filter(None, [remedy]), *excerpt]) or None
    return Problem(message=told, file=found["file"], line=int(found["line"]), column=int(found["column"]), hint=hint)
