"""A picture as a Mermaid flowchart, for documents that draw such blocks themselves."""

from __future__ import annotations

from collections.abc import Iterator

from ringfence.contract.lock import HOST
from ringfence.picture.model import APPLICATION, Picture, PictureEdge, PictureNode
from ringfence.picture.text import plain

_CLASSES = (
    "classDef exposed stroke-width:3px",
    "classDef outside stroke-dasharray:4 3",
    "classDef exfiltrates stroke:#d1242f,color:#d1242f",
)


def mermaid(picture: Picture) -> str:
    """The flowchart. Text stands in quotes, with whatever Mermaid or HTML might act on as entities."""
    return "\n".join(["flowchart LR", *(f"  {line}" for line in _lines(picture)), ""])


def _lines(picture: Picture) -> Iterator[str]:
    ends = {name for edge in picture.edges for name in (edge.consumer, edge.provider)}
    yield from (f'{_id(name)}(["{name}"]):::outside' for name in (APPLICATION, HOST) if name in ends)
    for node in picture.nodes:
        style = ":::exfiltrates" if node.exfiltrates else ":::exposed" if node.exposed else ""
        yield f'{_id(node.name)}["{"<br/>".join(map(_quoted, _about(node)))}"]{style}'
    yield from map(_edge, picture.edges)
    yield from _CLASSES


def _about(node: PictureNode) -> list[str]:
    return [text for text in (node.name, node.world, " · ".join(node.remarks)) if text]


def _edge(edge: PictureEdge) -> str:
    labels = "<br/>".join(_quoted(label.text) for label in edge.labels)
    arrow = f'-- "{labels}" -->' if labels else "-->"
    return f"{_id(edge.consumer)} {arrow} {_id(edge.provider)}"


def _id(name: str) -> str:
    """A name that is no word of Mermaid's (`end` is one). Names of nodes have no underscore, so that it stays unique."""
    return f"n_{name.replace('-', '_')}"


def _quoted(text: str) -> str:
    return "".join(char if char.isalnum() or char in " .,:/@*()'_-+·$" else f"#{ord(char)};" for char in plain(text))
