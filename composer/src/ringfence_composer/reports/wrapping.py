"""What became of a library that was wrapped, and what changed between two wheels: on a terminal, and as JSON data."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from ringfence_composer.reports.growth import print_growth
from ringfence_composer.reports.terminal import Terminal, printable
from ringfence_composer.wrap.difference import Difference
from ringfence_composer.wrap.report import Entry, WrapReport

_STYLES = {"typed": "green", "dynamic": "green", "proxied": "cyan", "refused": "bold red"}
_MEANINGS = {
    "typed": "all of its types are known",
    "dynamic": "values cross as they are",
    "proxied": "stays inside; the application holds a proxy",
    "refused": "does not work",
}
_SHOWN = 12


def wrapping_data(file: Path, report: WrapReport | None) -> dict[str, Any]:
    """The wheel that was written, and the report on its library, where it is one's."""
    return {"wheel": str(file), **({"report": report.to_dict()} if report else {})}


def print_report(terminal: Terminal, report: WrapReport) -> None:
    """The report in short; all of it is in the wheel's report.json. On stderr: the result is the wheel."""
    terminal.done()
    table = Table(box=None, padding=(0, 2), show_header=False)
    for how, meaning in _MEANINGS.items():
        entries = [one for one in report.entries if one.how == how]
        if entries:
            table.add_row(Text(how, style=_STYLES[how]), Text(str(len(entries))), Text(_kinds(entries)), Text(meaning, style="dim"))
    terminal.err.print(Text(printable(f"{report.library} {report.version}: {report.score}% of its API works ring-fenced"), style="bold"))
    terminal.err.print(table)
    refused = [one for one in report.entries if one.how == "refused"]
    for one in refused[:_SHOWN]:
        terminal.note(f"  refused: {one.name}: {one.why}", style="red")
    if len(refused) > _SHOWN:
        terminal.note(f"  and {len(refused) - _SHOWN} more: see report.json in the wheel", style="red")
    if report.left_out:
        terminal.note(f"  left out, as they are compiled: {', '.join(report.left_out)}", style="yellow")
    for note in report.notes:
        terminal.note(f"  note: {note}", style="yellow")


def _kinds(entries: Iterable[Entry]) -> str:
    counts: dict[str, int] = {}
    for one in entries:
        counts[one.kind] = counts.get(one.kind, 0) + 1
    return ", ".join(f"{count} {kind}{'' if count == 1 else 'es' if kind.endswith('s') else 's'}" for kind, count in sorted(counts.items()))


def difference_data(found: Difference) -> dict[str, Any]:
    """What changed, and whether the second may do more."""
    return {"grew": found.grew, **asdict(found)}


def print_difference(terminal: Terminal, found: Difference) -> None:
    """What changed in API, grants and imports."""
    for title, names, style in (("added", found.added, "green"), ("removed", found.removed, "red"), ("changed", found.changed, "yellow")):
        _print_names(terminal, f"API {title}", names, style)
    if not (found.added or found.removed or found.changed):
        terminal.text(Text("the API is the same", style="green"))
    print_growth(terminal, found.authority)
    _print_names(terminal, "imports added", found.imports_added, "red")
    _print_names(terminal, "imports removed", found.imports_removed, "green")
    if not (found.imports_added or found.imports_removed):
        terminal.text(Text("the imports are the same", style="green"))


def _print_names(terminal: Terminal, title: str, names: Sequence[str], style: str) -> None:
    if names:
        terminal.text(Text(f"{title}: {len(names)}", style=f"bold {style}"))
    for name in names:
        terminal.text(Text(f"  {printable(name)}", style=style))
