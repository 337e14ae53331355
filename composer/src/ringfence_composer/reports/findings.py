"""What `compose doctor` found: on a terminal, and as JSON data."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from rich.text import Text

from ringfence_composer.doctor import Finding
from ringfence_composer.reports.terminal import Terminal, printable

_STYLES = {"ok": "green", "note": "yellow", "wrong": "bold red"}


def findings_data(findings: Iterable[Finding]) -> dict[str, Any]:
    """All findings, and whether all that is needed is there."""
    listed = list(findings)
    return {"well": well(listed), "findings": [asdict(one) for one in listed]}


def well(findings: Iterable[Finding]) -> bool:
    """Whether nothing that is needed is missing."""
    return all(one.state != "wrong" for one in findings)


def print_findings(terminal: Terminal, findings: Sequence[Finding], said: str = "everything that is needed is there") -> None:
    """A line each, with the remedy below where there is one; `said` where nothing is wrong."""
    width = max(len(one.name) for one in findings)
    for one in findings:
        head = Text.assemble((f"{one.state:<6}", _STYLES[one.state]), f"{one.name:<{width}}  ", printable(one.found))
        terminal.text(head)
        if one.remedy:
            terminal.text(Text(f"      {'':<{width}}  {printable(one.remedy)}", style="cyan"))
    wrong = [one.name for one in findings if one.state == "wrong"]
    terminal.note(f"missing or wrong: {', '.join(wrong)}" if wrong else said)
