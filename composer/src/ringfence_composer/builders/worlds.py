"""A component that was just built, held against the world that its component.yaml names."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from ringfence_composer.builders.base import BuildContext, ComponentSource
from ringfence_composer.errors import BuildFailed, SourceInvalid
from ringfence_composer.toolchain import Toolchain, Wit
from ringfence_composer.tools import Item, World

_MIRROR = "package ringfence-composer:mirror;\nworld mirror {{\n{0}\n}}\n"


_UNBOUND = {
    "fixed-length-list": ("a list of fixed length", re.compile(rb"\blist\s*<[^;{}]*,\s*[0-9]+\s*>")),
    "map": ("a map", re.compile(rb"\bmap\s*<")),
}
"""Types for which there are no bindings, by their name in a resolved package; how they are called, and how their WIT looks."""


def refuse_unbound(component: ComponentSource, wit: Mapping[str, bytes], context: BuildContext) -> None:
    """Raises SourceInvalid where the WIT has a type at which the makers of bindings end with an error of their own. `wit`: its files."""
    forms = [(kind, path, form.finditer(text)) for kind, (_, form) in _UNBOUND.items() for path, text in wit.items()]
    places = [(kind, path, one.start()) for kind, path, found in forms for one in found]
    if not places:
        return
    document = context.toolchain.wit(Wit(path=component.wit, deps=component.wit_deps, world=component.world))
    used = {kind for one in document["types"] if isinstance(one["kind"], dict) for kind in one["kind"]}
    for kind, path, start in places:
        if kind in used:  # else it stands in a comment
            line = wit[path].count(b"\n", 0, start) + 1
            reason = f"{_UNBOUND[kind][0]}, for which there are no bindings in {component.language} yet"
            raise SourceInvalid(component.name, reason, file=path.partition("/")[2], line=line, hint="write list<T>, or a record")


def refuse_other_world(component: ComponentSource, content: bytes, context: BuildContext) -> None:
    """Raises BuildFailed where the component lacks an export of its world, has it with other types, or imports what its world does not.

    WASI, which a language's runtime brings along, is left to the plan.
    """
    toolchain = context.toolchain
    wit = Wit(path=component.wit, deps=component.wit_deps, world=component.world)
    wanted = toolchain.world(wit)
    with tempfile.TemporaryDirectory(prefix="ringfence-") as scratch:
        binary = Path(scratch) / "component.wasm"
        binary.write_bytes(content)
        built = Wit(path=binary)
        found = toolchain.world(built)
        if told := _differences(wanted, found):
            hint = f"is it written for the world {component.world} of the WIT that component.yaml names?"
            raise BuildFailed(component.name, told, hint=hint)
        # A world that imports what ours exports: whether the component's exports can serve it is the component model's own question.
        mirrored = [item for item in wanted.exports if item.kind == "interface" and ":" in item.name]
        mirror = Path(scratch) / "mirror.wit"
        mirror.write_text(_MIRROR.format("\n".join(f"  import {item.name};" for item in mirrored)), "utf-8")
        asked = Wit(path=mirror, deps=(component.wit, *component.wit_deps), world="mirror")
        _refuse_unfit(component, toolchain, asked, built, [item.name for item in mirrored])
        # The world itself has the types of what it exports under a name of its own: the same as imports.
        if own := _names(wanted.exports) - {item.name for item in mirrored} - _names(wanted.imports):
            turned = Path(scratch) / "turned.wit"
            turned.write_text(_turned(toolchain.text(wit), wanted.name, own), "utf-8")
            _refuse_unfit(component, toolchain, Wit(path=turned, world=component.world), built, sorted(own))


def _refuse_unfit(component: ComponentSource, toolchain: Toolchain, asked: Wit, built: Wit, names: Iterable[str]) -> None:
    """Raises BuildFailed where what was built exports one of these with other types than `asked` imports it."""
    for name in names:
        fit = toolchain.fits(asked, built, name)
        if not fit.fits:
            where = f"{name}, {fit.item}" if fit.item else name
            told = fit.expected and fit.expected != fit.found  # equal where a type differs that both call by one name
            differs = f"expected {fit.expected}, found {fit.found or 'nothing'}" if told else str(fit.reason)
            raise BuildFailed(component.name, f"it exports {where} with other types than its WIT: {differs}")


def _turned(text: str, world: str, names: Iterable[str]) -> str:
    """A package as the toolchain prints it, in which the world imports what it exported under these names."""
    own = re.compile(rf"^( *)export (?=%?(?:{'|'.join(map(re.escape, names))}): )", re.MULTILINE)
    block = re.compile(rf"^( *)world %?{re.escape(world)} \{{$.*?^\1\}}$", re.MULTILINE | re.DOTALL)
    return block.sub(lambda found: own.sub(r"\1import ", found[0]), text)


def _differences(wanted: World, found: World) -> str:
    """What is missing, and what is imported besides; empty: nothing."""
    missing = _names(wanted.exports) - _names(found.exports)
    besides = {name for name in _names(found.imports) - _names(wanted.imports) if not name.startswith("wasi:")}
    has = ", ".join(sorted(_names(found.exports))) or "nothing"
    told = [
        f"its world exports {', '.join(sorted(missing))}, the component does not: it exports {has}" if missing else "",
        f"it imports {', '.join(sorted(besides))}, which its world does not" if besides else "",
    ]
    return "; ".join(filter(None, told))


def _names(items: Iterable[Item]) -> set[str]:
    return {item.name for item in items if item.kind != "type"}
