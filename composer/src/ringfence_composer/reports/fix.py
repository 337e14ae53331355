"""What `compose fix` would change: as a diff on a terminal, and as JSON data."""

from __future__ import annotations

from typing import Any

from rich.text import Text

from ringfence_composer.fix import Fix
from ringfence_composer.reports.terminal import Terminal, printable

_COLOURS = {"+": "green", "-": "red", "@": "cyan"}


def fix_data(fix: Fix) -> dict[str, Any]:
    """The diff ('': nothing to change), what else that allows, and the denials that it does not."""
    left = [one._asdict() | {"why": reason} for one, reason in fix.left]
    return {"file": str(fix.file), "diff": fix.difference, "notes": list(fix.notes), "left": left}


def print_fix(terminal: Terminal, fix: Fix) -> None:
    """The diff on stdout; what is left to a person on stderr."""
    for line in fix.difference.splitlines():
        terminal.text(Text(printable(line), style=_COLOURS.get(line[:1], "")))
    for note in fix.notes:
        terminal.note(f"note: {note}", style="yellow")
    for one, reason in fix.left:
        terminal.note(f"not changed, for {reason}:\n  {one!s}", style="yellow")
    if not fix.difference and not fix.left:
        terminal.note("nothing was denied that graph.yaml does not allow by now")
