"""Every binary's imports, read a second time by a program that shares nothing with the first (design §4, "the plan is total").

The plan rests on the list of imports that the toolchain reads. A flaw there could hide an import from whoever reviews the plan, so the PyPI
package `wasm-tools`, a parser in plain Python, reads each binary as well; where the two lists differ, nothing is planned. It takes some
25 ms for a CPython component, so nothing of it is cached.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path

from ringfence.contract.errors import Problem

from ringfence_composer.build import BuiltGraph
from ringfence_composer.errors import PlanRefused
from ringfence_composer.manifest.source import Problems
from ringfence_composer.resolve import Facts
from ringfence_composer.tools import World

READER = "wasm-tools"
_HINT = "don't run it; report this with the file: one of the two programs is wrong, or the binary was made to mislead one of them"
_KINDS: Mapping[str, str] = {"instance": "interface", "func": "function", "type": "type"}
"""Kinds of imports as the second reader calls them, and as WIT does. Any other stays as it is, and so never agrees."""


class Unreadable(ValueError):
    """The second reader can't read a binary's imports; the message says why."""


def imports_of(binary: bytes) -> frozenset[tuple[str, str]]:
    """The imports of a component as `wasm-tools` reads them: (kind, name) of each.

    Raises:
        Unreadable: it is no component for that program, or has a list of imports that it does not understand.
    """
    from wasm_tools.component import parse_component_bytes  # -- it brings a disassembler along, which only this needs

    report = parse_component_bytes(binary)
    # What it can't decode elsewhere (asynchronous canonical functions, say) takes nothing from the list of imports.
    unclear = [error for error in report["errors"] if not error.startswith("section ") or "(Import)" in error]
    if unclear:
        raise Unreadable("; ".join(unclear))
    return frozenset((_KINDS.get(one["kind"], one["kind"]), one["name"]) for one in report["imports"])


def differences(world: World, binary: bytes) -> str | None:
    """In what the second reading of the binary differs from `world`, the first; None where they agree."""
    try:
        second = imports_of(binary)
    except Unreadable as error:
        return f"{_reader()} cannot read its imports: {error}"
    first = frozenset((item.kind, item.name) for item in world.imports)
    sides = [("the toolchain alone reads", first - second), (f"{_reader()} alone reads", second - first)]
    return "; ".join(f"{who} {', '.join(map(' '.join, sorted(found)))}" for who, found in sides if found) or None


def agree(built: BuiltGraph, facts: Facts) -> None:
    """Nothing, where both programs read the same imports from every binary of the graph.

    Raises:
        PlanRefused: they differ; every node for which they do.
    """
    problems = Problems()
    problems.extend(_disagreements(built, facts))
    if problems:
        raise PlanRefused(problems.in_order())


def _disagreements(built: BuiltGraph, facts: Facts) -> Iterator[Problem]:
    manifest, seen = built.resolved.manifest, dict[Path, str | None]()
    for node in manifest.nodes:
        path = built.nodes[node.name].path
        if path not in seen:
            seen[path] = differences(facts.world(node), path.read_bytes())
        if found := seen[path]:
            message = f"two independent readings of its binary's imports differ: {found}"
            yield manifest.document.problem(node.path, message, hint=_HINT, at_key=True)


def _reader() -> str:
    return f"{READER} {version(READER)}"
