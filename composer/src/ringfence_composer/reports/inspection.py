"""What a binary is: on a terminal, and as JSON data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from rich.text import Text

from ringfence_composer.inspection import Import, Inspection
from ringfence_composer.reports.terminal import Terminal, printable
from ringfence_composer.second_reading import READER

_KINDS = {"component": "a component", "core-module": "a core module, not a component: it has no world, and no graph takes it"}
_NEEDS = {"inert": "nothing", "node": "another node", "unknown": "refused", "type": "nothing"}
_STYLES = {"grant": "yellow", "inert": "dim", "node": "cyan", "unknown": "bold red", "type": "dim"}


def inspection_data(about: Inspection) -> dict[str, Any]:
    """The whole inspection. The file's place is left out where it is in a cache: `shown` is what was named."""
    return {key: value for key, value in asdict(about).items() if key != "file"}


def print_inspection(terminal: Terminal, about: Inspection) -> None:
    """What it is, what each import could ask for, and the world."""
    facts = list(_facts(about))
    width = max(len(title) for title, _ in facts)
    terminal.text(Text.assemble((printable(about.shown), "bold"), f": {_KINDS[about.kind]}"))
    for title, text in facts:
        terminal.text(Text.assemble((f"  {printable(title):<{width}}  ", "dim"), printable(text)))
    if about.imports:
        asks = list(_asks(about.imports))
        width = max(len(need) for need, _, _ in asks)
        terminal.text(Text("asks for at most", style="bold"))
        for need, style, names in asks:
            terminal.text(Text.assemble((f"  {need:<{width}}  ", style), printable(", ".join(names))))
    if about.wit:
        terminal.text(Text("in WIT, without WASI", style="bold"))
        terminal.text(Text(_indented(printable(_without_wasi(about.wit))), style="cyan"))


def _facts(about: Inspection) -> Iterator[tuple[str, str]]:
    yield "size", f"{about.size:,} bytes"
    yield "digest", about.digest
    if about.name:
        yield "name", about.name
    if about.built_by:
        yield "built by", ", ".join(about.built_by)
    yield from ((field, ", ".join(names)) for field, names in about.producers.items())
    yield from about.annotations.items()
    if about.world_fault:
        yield "world", f"it can't be told, and no graph takes it: {about.world_fault}"
    if about.lane:
        reasons = "; ".join(about.lane_reasons)
        yield "lane", f"{about.lane} (core can't carry it: {reasons})" if reasons else about.lane
        yield "imports", f"{READER} reads the same" if not about.readings_differ else f"two programs differ: {about.readings_differ}"


def _asks(imports: tuple[Import, ...]) -> Iterator[tuple[str, str, list[str]]]:
    """The imports by what they need, those that need a grant first."""
    groups: dict[tuple[bool, str, str], list[str]] = {}
    for one in imports:
        need = " or ".join(one.kinds) if one.asks == "grant" else _NEEDS[one.asks]
        groups.setdefault((one.asks == "inert", need, _STYLES[one.asks]), []).append(one.name)
    for (_, need, style), names in sorted(groups.items()):
        yield need, style, names


def _without_wasi(wit: str) -> str:
    """The packages, then the world; what it imports of WASI was told already."""
    world, _, packages = wit.partition("\n\npackage ")
    own = [line for line in world.splitlines() if not line.startswith("  import wasi:")]
    return "\n".join([f"package {packages}\n" if packages else "", *own]).strip()


def _indented(text: str) -> str:
    return "\n".join(f"  {line}".rstrip() for line in text.splitlines())
