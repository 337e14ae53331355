"""A picture as one SVG file: no scripts, no fonts, nothing loaded; readable on light and dark, since it brings its own ground along.

Text is set in a monospaced font, so that its width is known without measuring.
"""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from itertools import pairwise

from ringfence.contract.lock import HOST
from ringfence.picture.layout import Box, Layout, Size, laid_out
from ringfence.picture.model import APPLICATION, Label, Meaning, Picture, PictureEdge, PictureNode
from ringfence.picture.text import NOTHING, plain

_CHAR = 0.602  # of the font's size: the advance of the usual monospaced fonts
_NAME, _SMALL = 14.0, 11.0  # pixels
_LINE = 16.0
_PADDING = 12.0
_MARGIN = 24.0
_HEADING = 40.0
_LEGEND, _LEGEND_GAP = 30.0, 20.0
_LONGEST = 44  # characters in a line; what is longer is continued in the next, indented

_INDENT = "  "
_WORDS: Mapping[Meaning, str] = {
    "interface": "interface",
    "grant": "granted",
    "exfiltrates": "can exfiltrate",
    "calls": "only these functions",
    "limits": "limits",
    "fused": "fused",
}

_LIGHT = {
    "ground": "#ffffff", "edge": "#d0d7de", "text": "#1f2328", "quiet": "#59636e", "node": "#f6f8fa", "outside": "#eaeef2",
    "line": "#818b98", "interface": "#0969da", "grant": "#1a7f37", "exfiltrates": "#cf222e", "limits": "#59636e", "calls": "#8250df",
    "fused": "#9a6700",
}  # fmt: skip
_DARK = {
    "ground": "#0d1117", "edge": "#3d444d", "text": "#f0f6fc", "quiet": "#9198a1", "node": "#151b23", "outside": "#262c36",
    "line": "#9198a1", "interface": "#4493f8", "grant": "#3fb950", "exfiltrates": "#f85149", "limits": "#9198a1", "calls": "#ab7df8",
    "fused": "#d29922",
}  # fmt: skip
_FONT = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', 'Liberation Mono', monospace"


def svg(picture: Picture) -> str:
    """The picture as the text of an SVG file."""
    ends = {name for edge in picture.edges for name in (edge.consumer, edge.provider)}
    sizes = {name: _outside_size(name) for name in (APPLICATION,) if name in ends}
    sizes |= {node.name: _node_size(node) for node in picture.nodes}
    sizes |= {name: _outside_size(name) for name in (HOST,) if name in ends}
    layout = laid_out(sizes, [(edge.consumer, edge.provider, _labels_size(edge.labels)) for edge in picture.edges], last=HOST)
    legend = list(_legend(picture))
    widths = [layout.size.width, _width([_title(picture)], _NAME), sum(_width([text], _SMALL) + _LEGEND_GAP for _, text in legend)]
    width, height = max(widths) + 2 * _MARGIN, layout.size.height + _HEADING + _LEGEND + 2 * _MARGIN
    size = f'width="{width:.0f}" height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="ringfence" role="img" {size}>',
        f"<title>{_text(_title(picture))}</title>",
        f"<style>{_style()}</style>",
        f'<rect class="ground" x="0.5" y="0.5" width="{width - 1:.0f}" height="{height - 1:.0f}" rx="8"/>',
        f'<text class="name" x="{_MARGIN}" y="{_MARGIN + 10}">{_text(_title(picture))}</text>',
        f'<g transform="translate({_MARGIN} {_MARGIN + _HEADING})">',
        *_drawn(picture, layout),
        "</g>",
        *_legend_lines(legend, height - _MARGIN + 4),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _title(picture: Picture) -> str:
    return f"{picture.name} ({picture.file})"


def _drawn(picture: Picture, layout: Layout) -> Iterator[str]:
    ports = _ports(picture.edges, layout)
    for index, (edge, way) in enumerate(zip(picture.edges, layout.ways, strict=True)):
        yield from _edge(edge, way, *ports[index])
    for name, box in layout.nodes.items():
        node = picture.node(name)
        yield from _outside(name, box) if node is None else _node(node, box)


# Nodes


def _node_lines(node: PictureNode) -> list[str]:
    made, *rest = node.remarks
    together = " · ".join(node.remarks)
    remarks = [together] if len(together) <= _LONGEST else [made, " · ".join(rest)]
    granted = [] if node.granted else [NOTHING]
    return [line for text in (node.world, *remarks, *granted) for line in _wrapped(text)]


def _node_size(node: PictureNode) -> Size:
    lines = _node_lines(node)
    width = max(_width([node.name + ("  exposed" if node.exposed else "")], _NAME), _width(lines, _SMALL))
    return Size(width=width + 2 * _PADDING, height=(len(lines) + 1) * _LINE + 2 * _PADDING - 4)


def _node(node: PictureNode, box: Box) -> Iterator[str]:
    classes = " ".join(["node", *(["exposed"] if node.exposed else []), *(["leaky"] if node.exfiltrates else [])])
    yield f'<rect class="{classes}" {_place(box)} rx="6"/>'
    yield f'<text class="name" x="{box.x + _PADDING:.1f}" y="{box.y + _PADDING + 11:.1f}">{_text(node.name)}</text>'
    if node.exposed:
        yield f'<text class="small tag" x="{box.right - _PADDING:.1f}" y="{box.y + _PADDING + 10:.1f}">exposed</text>'
    for index, line in enumerate(_node_lines(node), 1):
        style = "grant" if line == NOTHING else "quiet"
        yield _line(line, style, box.x + _PADDING, box.y + _PADDING + 10 + index * _LINE)


def _outside_size(name: str) -> Size:
    return Size(width=_width([name], _NAME) + 2 * _PADDING, height=_LINE + 1.5 * _PADDING)


def _outside(name: str, box: Box) -> Iterator[str]:
    yield f'<rect class="outside" {_place(box)} rx="{box.size.height / 2:.1f}"/>'
    yield f'<text class="name" x="{box.x + _PADDING:.1f}" y="{box.middle + 5:.1f}">{_text(name)}</text>'


# Edges


def _labels_size(labels: Sequence[Label]) -> Size:
    if not labels:
        return Size(width=0, height=0)
    lines = [line for one in labels for line in _wrapped(one.text)]
    return Size(width=_width(lines, _SMALL) + _PADDING, height=len(lines) * _LINE + 4)


def _ports(edges: Sequence[PictureEdge], layout: Layout) -> list[tuple[tuple[float, float], tuple[float, float]]]:
    """Where each edge leaves its node and where it arrives: spread over the side, in the order of the boxes they lead by."""
    leaving, arriving = dict[int, float](), dict[int, float]()
    for name, box in layout.nodes.items():
        out = [index for index, edge in enumerate(edges) if edge.consumer == name]
        into = [index for index, edge in enumerate(edges) if edge.provider == name]
        leaving |= _spread(sorted(out, key=lambda index: layout.ways[index][0].middle), box)
        arriving |= _spread(sorted(into, key=lambda index: layout.ways[index][-1].middle), box)
    return [
        ((layout.nodes[edge.consumer].right, leaving[index]), (layout.nodes[edge.provider].x, arriving[index]))
        for index, edge in enumerate(edges)
    ]


def _spread(indices: Sequence[int], box: Box) -> dict[int, float]:
    step = min(14.0, box.size.height / (len(indices) + 1))
    return {index: box.middle + (place - (len(indices) - 1) / 2) * step for place, index in enumerate(indices)}


def _edge(edge: PictureEdge, way: Sequence[Box], start: tuple[float, float], end: tuple[float, float]) -> Iterator[str]:
    # The tip of the arrow is drawn apart, so that the line ends where the tip begins.
    points = [start, *(point for box in way for point in ((box.x, box.middle), (box.right, box.middle))), (end[0] - 7, end[1])]
    kind = "edge leaky" if any(label.meaning == "exfiltrates" for label in edge.labels) else "edge"
    curves = "".join(_curve(one, two) for one, two in pairwise(points))
    yield f'<path class="{kind}" d="M{points[0][0]:.1f} {points[0][1]:.1f}{curves}"/>'
    yield f'<path class="tip {kind}" d="M{end[0]:.1f} {end[1]:.1f}l-8 -4.5v9Z"/>'
    if edge.labels:
        yield from _labels(edge.labels, way[0])


def _curve(one: tuple[float, float], two: tuple[float, float]) -> str:
    if one == two:
        return ""
    if one[1] == two[1]:
        return f"L{two[0]:.1f} {two[1]:.1f}"
    half = (one[0] + two[0]) / 2
    return f"C{half:.1f} {one[1]:.1f} {half:.1f} {two[1]:.1f} {two[0]:.1f} {two[1]:.1f}"


def _labels(labels: Sequence[Label], box: Box) -> Iterator[str]:
    yield f'<rect class="ground written" {_place(box)} rx="4"/>'
    for index, (meaning, line) in enumerate((one.meaning, line) for one in labels for line in _wrapped(one.text)):
        yield _line(line, meaning, box.x + _PADDING / 2, box.y + 13.5 + index * _LINE)


# Words


def _legend(picture: Picture) -> Iterator[tuple[str, str]]:
    """What the colours mean, as far as they are there: style and words."""
    there = {label.meaning for edge in picture.edges for label in edge.labels}
    yield from ((meaning, text) for meaning, text in _WORDS.items() if meaning in there)
    yield "quiet", "whatever no edge to host grants is denied"


def _legend_lines(legend: Sequence[tuple[str, str]], y: float) -> Iterator[str]:
    x = _MARGIN
    for style, text in legend:
        yield _line(text, style, x, y)
        x += _width([text], _SMALL) + _LEGEND_GAP


def _line(text: str, style: str, x: float, y: float) -> str:
    """A small line; its indentation is moved into its place, since SVG drops spaces."""
    inner = text.lstrip(" ")
    x += (len(text) - len(inner)) * _SMALL * _CHAR
    return f'<text class="small {style}" x="{x:.1f}" y="{y:.1f}">{_text(inner)}</text>'


def _width(lines: Sequence[str], size: float) -> float:
    return max((_columns(line) for line in lines), default=0) * size * _CHAR


def _columns(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in plain(text))


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(plain(text), _LONGEST, subsequent_indent=_INDENT, break_on_hyphens=False)


def _text(text: str) -> str:
    return escape(plain(text))


def _place(box: Box) -> str:
    return f'x="{box.x:.1f}" y="{box.y:.1f}" width="{box.size.width:.1f}" height="{box.size.height:.1f}"'


# Style. Every rule names the class of the picture: in a notebook, it is part of a larger page.


def _style() -> str:
    return f"{_rules(_LIGHT)}@media (prefers-color-scheme: dark) {{{_rules(_DARK)}}}"


def _rules(colours: dict[str, str]) -> str:
    rules = {
        "text": f"font-family:{_FONT};fill:{colours['text']}",
        ".name": f"font-size:{_NAME:g}px;font-weight:600",
        ".small": f"font-size:{_SMALL:g}px",
        **{f"text.{meaning}": f"fill:{colours[meaning]}" for meaning in (*_WORDS, "quiet")},
        ".tag": f"fill:{colours['interface']};text-anchor:end",
        ".ground": f"fill:{colours['ground']};stroke:{colours['edge']}",
        ".written": "stroke-width:1",
        ".node": f"fill:{colours['node']};stroke:{colours['line']}",
        ".exposed": f"stroke:{colours['interface']};stroke-width:2",
        ".node.leaky": f"stroke:{colours['exfiltrates']};stroke-width:2",
        ".outside": f"fill:{colours['outside']};stroke:{colours['line']}",
        ".edge": f"fill:none;stroke:{colours['line']};stroke-width:1.5",
        ".edge.leaky": f"stroke:{colours['exfiltrates']}",
        ".tip": f"fill:{colours['line']};stroke:none",
        ".tip.leaky": f"fill:{colours['exfiltrates']};stroke:none",
    }
    return "".join(f".ringfence {selector}{{{rule}}}" for selector, rule in rules.items())
