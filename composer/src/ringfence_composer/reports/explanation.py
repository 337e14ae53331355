"""Explanations of lines and of error codes: on a terminal, and as JSON data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.text import Text

from ringfence_composer.explain import Told, ToldGrant
from ringfence_composer.explanations import Explained
from ringfence_composer.reports.terminal import Terminal, printable


def told_data(told: Iterable[Told]) -> list[dict[str, Any]]:
    """What a line means."""
    return [asdict(one) for one in told]


def explained_data(errors: Iterable[Explained]) -> list[dict[str, Any]]:
    """Errors by code, explained."""
    return [{"code": one.code, "error": one.name, **asdict(one.explanation)} for one in errors]


def print_told(terminal: Terminal, file: Path, told: Iterable[Told]) -> None:
    """What a line means."""
    for one in told:
        terminal.text(Text.assemble((one.subject, "bold"), (f"  {printable(one.path)}", "dim")))
        for sentence in one.sentences:
            terminal.text(Text(f"  {printable(sentence)}"))
        for grant in one.grants:
            _print_grant(terminal, file, grant)


def _print_grant(terminal: Terminal, file: Path, grant: ToldGrant) -> None:
    mark, style = ("!", "bold red") if grant.exfiltrates else ("+", "green")
    terminal.text(Text.assemble((f"  {mark} {printable(grant.words)}", style), (f"  {file.name}:{grant.line}", "dim")))
    if grant.exfiltrates:
        terminal.text(Text("      it lets data out to names of the guest's choice", style="red"))
    terminal.text(Text(f"      {grant.kind} opens {', '.join(grant.opens)}", style="dim"))
    terminal.text(Text(f"      without it {grant.without}", style="dim"))


def print_explained(terminal: Terminal, one: Explained) -> None:
    """One error."""
    terminal.text(Text.assemble((one.code, "bold"), (f"  {one.name}", "dim")))
    about = one.explanation
    for title, text in (("meaning", about.meaning), ("cause", about.cause), ("remedy", about.remedy)):
        terminal.text(Text.assemble((f"  {title:<9}", "dim"), text))


def print_codes(terminal: Terminal, errors: Iterable[Explained]) -> None:
    """All errors, a line each."""
    errors = list(errors)
    code, name = (max(len(word) for word in words) for words in zip(*((one.code, one.name) for one in errors), strict=True))
    for one in errors:
        terminal.text(Text.assemble((f"{one.code:<{code}}  ", "bold"), (f"{one.name:<{name}}  ", "dim"), one.explanation.meaning))
