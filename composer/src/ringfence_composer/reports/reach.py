"""The reach of a graph's exposed nodes on a terminal, and of every node as JSON data."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from rich.text import Text

from ringfence_composer.plan import Plan, PlannedGrant
from ringfence_composer.reach import Reach, Reached
from ringfence_composer.reports.terminal import Terminal, printable


def reach_data(plan: Plan, found: Iterable[Reach]) -> dict[str, Any]:
    """The reach of every node."""
    return {"graph": plan.manifest.name, "reach": {one.node: _data(one) for one in found}}


def _data(one: Reach) -> dict[str, Any]:
    places = [asdict(place) | {"exfiltrates": place.exfiltrates} for place in one.places]
    calls = None if one.calls is None else list(one.calls)
    return {"exposed": one.exposed, "calls": calls, "exfiltrates": one.exfiltrates, "places": places}


def print_reach(terminal: Terminal, plan: Plan, found: Iterable[Reach]) -> None:
    """What an application can reach by each node that it may call: with whose grants, and by which way."""
    exposed = [one for one in found if one.exposed]
    if not exposed:
        terminal.note("note: the graph exposes no node, so an application reaches nothing")
    for one in exposed:
        terminal.text(Text.assemble((one.node, "bold"), (_only(one.calls), "magenta"), *_warning(one)))
        for place in one.places:
            _print_place(terminal, plan, one, place)


def _warning(one: Reach) -> list[tuple[str, str]]:
    leaky = [place.node for place in one.places if place.exfiltrates]
    return [(f"  can exfiltrate ({', '.join(leaky)})", "bold red")] if leaky else []


def _print_place(terminal: Terminal, plan: Plan, one: Reach, place: Reached) -> None:
    way = "".join(f" -> {step.node}{_only(step.calls)}" for step in place.way)
    others = f"  (and by {place.ways - 1} more way{'s' if place.ways > 2 else ''})" if place.ways > 1 else ""
    terminal.text(Text.assemble(("  through " + one.node + way if way else "  itself", "cyan"), (others, "dim")))
    given = [grant for grant in place.grants if grant.line]
    for grant in given:
        style = "bold red" if grant.exfiltrates else "green"
        mark = "!" if grant.exfiltrates else "+"
        through = f" (through {grant.through} only)" if grant.through else ""
        line = f"  {plan.manifest.file.name}:{grant.line}"
        terminal.text(Text.assemble((f"    {mark} {printable(grant.words)}", style), (through, "cyan"), (line, "dim")))
    if not given:
        terminal.text(Text("    nothing granted", style="green"))
    if runtime := _runtime(place.grants):
        terminal.text(Text(f"    {runtime}", style="dim"))


def _runtime(grants: Sequence[PlannedGrant]) -> str:
    """What the language's runtime has, in one line: it is the same for most nodes."""
    words = [grant.words.removesuffix(" (language runtime)") for grant in grants if not grant.line]
    return f"language runtime: {', '.join(words)}" if words else ""


def _only(calls: Sequence[str] | None) -> str:
    return "" if calls is None else f" (only {', '.join(calls)})"
