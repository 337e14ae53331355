"""The run as a picture: a line for each case, a mark for each peer, on one logarithmic axis of time."""

from __future__ import annotations

import math
from collections.abc import Iterator
from xml.sax.saxutils import escape

from benchmarks.reports.words import duration
from benchmarks.results import Row, Run

_WIDTH, _LEFT, _RIGHT, _ROW, _HEAD = 1040, 310, 110, 22, 92
_COLOURS = {
    "core": ("#0550ae", "#58a6ff"),
    "component": ("#0550ae", "#58a6ff"),
    "extism": ("#bc4c00", "#f0883e"),
    "stock": ("#1a7f37", "#3fb950"),
    "v8": ("#8250df", "#bc8cff"),
    "pipe": ("#9a6700", "#d4a72c"),
    "processes": ("#bf3989", "#f778ba"),
    "plain": ("#6e7781", "#8b949e"),
}
"""On light and on dark ground."""

_STYLE = """
text { font: 12px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; fill: #24292f }
.paper { fill: #ffffff } .grid { stroke: #d8dee4 } .line { stroke: #afb8c1; stroke-width: 1.5 }
.small { font-size: 11px; fill: #57606a } .head { font-size: 13px; font-weight: 600 } .title { font-size: 15px; font-weight: 600 }
"""
_DARK = """
text { fill: #e6edf3 } .paper { fill: #0d1117 } .grid { stroke: #262c36 } .line { stroke: #484f58 } .small { fill: #8d96a0 }
"""
_MARKS = ".open { fill: none } text.core { stroke: none }"


class _Axis:
    """Seconds to the right, a decade as wide as the other."""

    def __init__(self, least: float, most: float) -> None:
        self.low, self.high = math.floor(math.log10(least)), math.ceil(math.log10(most))
        self.high = max(self.high, self.low + 1)

    def x(self, seconds: float) -> float:
        part = (math.log10(seconds) - self.low) / (self.high - self.low)
        return _LEFT + part * (_WIDTH - _LEFT - _RIGHT)

    @property
    def decades(self) -> list[float]:
        return [10.0**power for power in range(self.low, self.high + 1)]


def picture(run: Run) -> str:
    """An SVG that reads well on light and on dark ground. Rows without any figure are left out."""
    rows = [row for row in run.rows if any(row.median(peer) for peer in run.peers)]
    medians = [median for row in rows for peer in run.peers if (median := row.median(peer))] or [1e-6]
    axis = _Axis(min(medians), max(medians))
    places, bottom = _places(rows)
    parts = [*_grid(axis, bottom), *_legend(run)]
    for row, y in places:
        parts += _group(row.group, y) if isinstance(row, _Heading) else _row(run, row, y, axis)
    height = bottom + 30
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}" role="img" '
        f'aria-label="Time of a call by case and peer, on a logarithmic axis">\n<style>{_style(run)}</style>\n'
        f'<rect class="paper" width="{_WIDTH}" height="{height}" rx="6"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )


class _Heading:
    """The beginning of a group."""

    def __init__(self, group: str) -> None:
        self.group = group


def _places(rows: list[Row]) -> tuple[list[tuple[Row | _Heading, int]], int]:
    """What stands at which height, and where the last of it ends."""
    found: list[tuple[Row | _Heading, int]] = []
    y, group = _HEAD, ""
    for row in rows:
        if row.group != group:
            group = row.group
            y += _ROW + 12
            found.append((_Heading(group), y + 3))
        y += _ROW
        found.append((row, y))
    return found, y + 14


def _style(run: Run) -> str:
    light, dark = (
        " ".join(f".{peer} {{ fill: {two[n]}; stroke: {two[n]} }}" for peer, two in _COLOURS.items() if peer in run.peers) for n in (0, 1)
    )
    return f"{_STYLE}{light} {_MARKS}\n@media (prefers-color-scheme: dark) {{{_DARK}{dark} {_MARKS} }}\n"


def _grid(axis: _Axis, bottom: int) -> Iterator[str]:
    for decade in axis.decades:
        x = axis.x(decade)
        yield f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{_HEAD}" y2="{bottom}"/>'
        for y in (_HEAD - 6, bottom + 16):
            yield f'<text class="small" x="{x:.1f}" y="{y}" text-anchor="middle">{_decade(decade)}</text>'


def _decade(seconds: float) -> str:
    for unit, factor in (("s", 1.0), ("ms", 1e3), ("µs", 1e6), ("ns", 1e9)):
        if seconds * factor >= 0.999:
            return f"{seconds * factor:.0f} {unit}"
    return f"{seconds * 1e9:g} ns"


def _legend(run: Run) -> Iterator[str]:
    yield '<text class="title" x="16" y="26">Time of a call, a record, a start</text>'
    yield '<text class="small" x="16" y="46">medians of one run; left is faster</text>'
    yield f'<text class="small" x="{_WIDTH - 12}" y="{_HEAD - 6}" text-anchor="end">core lane</text>'
    for index, (peer, title) in enumerate(run.peers.items()):
        x, y = _LEFT + index // 2 * 160, 22 + index % 2 * 22
        yield _mark(peer, x, y)
        yield f'<text x="{x + 12}" y="{y + 4}">{escape(title)}</text>'


def _group(title: str, y: int) -> list[str]:
    return [f'<text class="head" x="16" y="{y}">{escape(title)}</text>']


def _row(run: Run, row: Row, y: int, axis: _Axis) -> Iterator[str]:
    found = {peer: median for peer in run.peers if (median := row.median(peer))}
    xs = [axis.x(median) for median in found.values()]
    yield f'<text x="{_LEFT - 14}" y="{y + 4}" text-anchor="end">{escape(row.title)}</text>'
    yield f'<line class="line" x1="{min(xs):.1f}" x2="{max(xs):.1f}" y1="{y}" y2="{y}"/>'
    for peer in sorted(found, key=lambda peer: peer == "core"):  # ours on top
        yield _mark(peer, axis.x(found[peer]), y, f"{row.title}, {run.peers[peer]}: {duration(found[peer])}")
    if "core" in found:
        yield f'<text class="core" x="{_WIDTH - 12}" y="{y + 4}" text-anchor="end">{duration(found["core"])}</text>'


def _mark(peer: str, x: float, y: float, says: str = "") -> str:
    title = f"<title>{escape(says)}</title>" if says else ""
    if peer == "component":
        return f'<circle class="{peer} open" cx="{x:.1f}" cy="{y}" r="4.6" stroke-width="2">{title}</circle>'
    if peer == "plain":
        return f'<path class="{peer} open" d="M{x:.1f} {y - 6}v12" stroke-width="2.5">{title}</path>'
    if peer in ("pipe", "processes"):
        return f'<rect class="{peer}" x="{x - 3.8:.1f}" y="{y - 3.8:.1f}" width="7.6" height="7.6" stroke="none">{title}</rect>'
    return f'<circle class="{peer}" cx="{x:.1f}" cy="{y}" r="{5.6 if peer == "core" else 4.2}">{title}</circle>'
