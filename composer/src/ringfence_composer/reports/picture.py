"""A picture on a terminal: the tree, in colours."""

from __future__ import annotations

from collections.abc import Mapping

from rich.text import Text
from ringfence.picture.model import Picture
from ringfence.picture.text import Style, lines

from ringfence_composer.reports.terminal import Terminal

_STYLES: Mapping[Style, str] = {
    "frame": "dim",
    "name": "bold",
    "host": "bold reverse",
    "quiet": "dim",
    "interface": "cyan",
    "fused": "bold cyan",
    "calls": "magenta",
    "grant": "green",
    "limits": "yellow",
    "exfiltrates": "bold red",
}


def print_picture(terminal: Terminal, picture: Picture) -> None:
    """The tree on stdout; a remark on stderr where more would be known after a build."""
    for line in lines(picture):
        terminal.text(Text.assemble(*((part.text, _STYLES[part.style]) for part in line)))
    if any(not node.lane for node in picture.nodes):
        terminal.note(f"note: not composed as it is now: lanes are known after compose {picture.file}", style="dim")
