"""A picture as lines of text: a tree that begins at the application. Each part of a line has a style, which a terminal may colour."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from ringfence.contract.lock import HOST
from ringfence.picture.model import APPLICATION, Meaning, Picture, PictureEdge

Style: TypeAlias = Literal["frame", "name", "host", "quiet", "interface", "fused", "calls", "grant", "limits", "exfiltrates"]

NOTHING = "nothing granted"
_SHOWN_ALREADY = "(above)"
_MARKS: dict[Meaning, str] = {"interface": "", "fused": "= ", "calls": "", "grant": "+ ", "limits": "at most ", "exfiltrates": "! "}


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a line, free of control characters."""

    text: str
    style: Style


Line: TypeAlias = tuple[Part, ...]


def plain(text: str) -> str:
    """The text with all that a terminal or page might act on escaped."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


def lines(picture: Picture) -> Iterator[Line]:
    """The tree, line by line; a node that several call is shown whole the first time."""
    yield (Part(picture.name, "name"), Part(f"  {plain(picture.file)}", "quiet"))
    tree = _Tree(picture)
    if picture.out(APPLICATION):
        yield (Part(APPLICATION, "host"),)
        yield from tree.below(APPLICATION, "")
    for node in picture.nodes:
        if node.name not in tree.shown:
            yield tree.head("", node.name, "the application reaches it by no way")
            yield from tree.below(node.name, "")


def drawn(picture: Picture) -> str:
    """The tree as plain text."""
    return "\n".join("".join(part.text for part in line) for line in lines(picture))


class _Tree:
    """Draws nodes below one another; `shown` are those drawn already."""

    def __init__(self, picture: Picture) -> None:
        self._picture = picture
        self.shown: set[str] = set()

    def below(self, name: str, indent: str) -> Iterator[Line]:
        """What hangs below a node: its edges, host last, each with its labels and then what is below it."""
        edges = sorted(self._picture.out(name), key=lambda edge: edge.provider == HOST)
        for edge in edges:
            last = edge is edges[-1]
            again = edge.provider in self.shown
            yield self.head(indent + ("└─ " if last else "├─ "), edge.provider, _SHOWN_ALREADY if again else "")
            deeper = indent + ("   " if last else "│  ")
            yield from self._labels(edge, deeper, hangs=not again and bool(self._picture.out(edge.provider)))
            if not again:
                yield from self.below(edge.provider, deeper)

    def head(self, indent: str, name: str, remark: str = "") -> Line:
        """A node's own line."""
        node = self._picture.node(name)
        if node is None:
            return (Part(indent, "frame"), Part(name, "host"))
        if remark == _SHOWN_ALREADY:
            return (Part(indent, "frame"), Part(name, "name"), Part(f"  {remark}", "quiet"))
        self.shown.add(name)
        about = [plain(node.world), *node.remarks, *([] if node.granted else [NOTHING]), *([remark] if remark else [])]
        return (Part(indent, "frame"), Part(name, "name"), Part(f"  {' · '.join(filter(None, about))}", "quiet"))

    def _labels(self, edge: PictureEdge, indent: str, *, hangs: bool) -> Iterator[Line]:
        frame = Part(indent + ("│  " if hangs else "   "), "frame")
        for label in edge.labels:
            place = f"  {plain(self._picture.file)}:{label.line}" if label.line else ""
            yield (frame, Part(_MARKS[label.meaning] + plain(label.text), label.meaning), Part(place, "quiet"))
