"""The authority that grew between two revisions of a graph: on a terminal, grown first, and as JSON data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.text import Text

from ringfence_composer.growth import Change, Growth
from ringfence_composer.reports.terminal import Terminal, printable


def growth_data(growth: Growth) -> dict[str, Any]:
    """What grew, and what shrank."""
    return asdict(growth)


def print_growth(terminal: Terminal, growth: Growth) -> None:
    """What grew, then what shrank; nothing else, for it is read before every release."""
    _print(terminal, "grew", growth.grew, growth.new)
    _print(terminal, "shrank", growth.shrank, growth.old)
    if not growth.grew and not growth.shrank:
        terminal.text(Text("no authority grew or shrank", style="green"))


def _print(terminal: Terminal, title: str, changes: Sequence[Change], file: str) -> None:
    grew = title == "grew"
    if changes:
        terminal.text(Text(f"{title}: {len(changes)}", style="bold red" if grew else "bold green"))
    for one in changes:
        mark = "!" if grew and one.exfiltrates else "+" if grew else "-"
        itself = one.exposed == (one.who.partition(" ")[0],)
        reached = "  (exposed)" if itself else f"  (an application reaches it by {', '.join(one.exposed)})" if one.exposed else ""
        place = f"  {file}:{one.line}" if one.line else ""
        style = "red" if grew else "green"
        terminal.text(
            Text.assemble((f"  {mark} {printable(f'{one.who}: {one.what}')}", style), (reached, "yellow"), (printable(place), "dim"))
        )
