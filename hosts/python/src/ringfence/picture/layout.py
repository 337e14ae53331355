"""Where the boxes of a picture go: in layers from left to right, with what is written on an edge as a box of its own between them.

Sugiyama's way: every edge leads one layer on (long ones over empty boxes), the order within a layer is that with the fewest
crossings that sweeping finds, and boxes then move towards what they are joined to as far as their neighbours let them. Equal input gives
equal output.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TypeAlias

Key: TypeAlias = str
"""A box: a node's name, or `>0:1`, the box of the first edge in layer 1."""

_SWEEPS = 12
_BETWEEN_LAYERS = 46.0
_BETWEEN_BOXES = 18.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """Width and height, in pixels."""

    width: float
    height: float


_NOTHING = Size(width=0.0, height=0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A placed box: its left upper corner and its size."""

    x: float
    y: float
    size: Size

    @property
    def middle(self) -> float:
        return self.y + self.size.height / 2

    @property
    def right(self) -> float:
        return self.x + self.size.width


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Boxes of nodes by name; for each edge its way: the boxes it passes, its own written one first where it has one."""

    size: Size
    nodes: Mapping[str, Box]
    ways: Sequence[Sequence[Box]]


@dataclass(slots=True)
class _Layers:
    """The boxes in layers; `after` and `before` are the boxes that each is joined to."""

    rows: list[list[Key]]
    sizes: dict[Key, Size]
    after: dict[Key, list[Key]] = field(default_factory=dict)
    before: dict[Key, list[Key]] = field(default_factory=dict)

    def join(self, left: Key, right: Key) -> None:
        self.after.setdefault(left, []).append(right)
        self.before.setdefault(right, []).append(left)


def laid_out(nodes: Mapping[str, Size], edges: Sequence[tuple[str, str, Size]], *, last: str) -> Layout:
    """The layout of a graph without circles. An edge is (from, to, size of what is written on it); the node `last` gets the last layer."""
    ranks = _ranks(list(nodes), [(left, right) for left, right, _ in edges], last)
    layers = _Layers([[] for _ in range(2 * max(ranks.values(), default=0) + 1)], dict(nodes))
    for name in nodes:
        layers.rows[2 * ranks[name]].append(name)
    ways = [_route(layers, index, edge, ranks) for index, edge in enumerate(edges)]
    _order(layers)
    boxes = _place(layers)
    width = max((box.right for box in boxes.values()), default=0.0)
    height = max((box.y + box.size.height for box in boxes.values()), default=0.0)
    return Layout(
        size=Size(width=width, height=height),
        nodes={name: boxes[name] for name in nodes},
        ways=[[boxes[key] for key in way] for way in ways],
    )


def _ranks(names: Sequence[str], edges: Sequence[tuple[str, str]], last: str) -> dict[str, int]:
    """Each node's layer: one more than the furthest of those that lead to it."""
    ranks = dict.fromkeys(names, 0)
    for _ in names:  # a longest path has no more edges than that; a circle, which no lock holds, would end here too
        for left, right in edges:
            ranks[right] = max(ranks[right], ranks[left] + 1)
    if last in ranks:
        ranks[last] = max(ranks.values())
    return ranks


def _route(layers: _Layers, index: int, edge: tuple[str, str, Size], ranks: Mapping[str, int]) -> list[Key]:
    left, right, size = edge
    keys = [f">{index}:{layer}" for layer in range(2 * ranks[left] + 1, 2 * ranks[right])]
    for key, layer in zip(keys, range(2 * ranks[left] + 1, 2 * ranks[right]), strict=True):
        layers.rows[layer].append(key)
        layers.sizes[key] = _NOTHING
    if keys:
        layers.sizes[keys[0]] = size
    for one, two in pairwise([left, *keys, right]):
        layers.join(one, two)
    return keys


# The order within layers


def _order(layers: _Layers) -> None:
    """Sweep there and back, each box to the mean place of its neighbours; the order with fewest crossings stays."""
    best, fewest = [list(row) for row in layers.rows], _crossings(layers)
    for sweep in range(_SWEEPS):
        forth = sweep % 2 == 0
        neighbours, rows = (layers.before, layers.rows[1:]) if forth else (layers.after, layers.rows[-2::-1])
        for row in rows:
            places = {key: place for one in layers.rows for place, key in enumerate(one)}
            means = {key: _mean([places[one] for one in neighbours.get(key, ())], places[key]) for key in row}
            row.sort(key=means.__getitem__)
        if (found := _crossings(layers)) < fewest:
            best, fewest = [list(row) for row in layers.rows], found
    layers.rows = best


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise


def _crossings(layers: _Layers) -> int:
    total = 0
    for row, following in pairwise(layers.rows):
        places = {key: place for place, key in enumerate(following)}
        ends = [place for key in row for place in sorted(places[one] for one in layers.after.get(key, ()))]
        total += sum(later < earlier for index, earlier in enumerate(ends) for later in ends[index + 1 :])
    return total


# Coordinates


def _place(layers: _Layers) -> dict[Key, Box]:
    middles = {key: 0.0 for row in layers.rows for key in row}
    for sweep in range(_SWEEPS):
        neighbours, rows = (layers.before, layers.rows) if sweep % 2 == 0 else (layers.after, layers.rows[::-1])
        for row in rows:
            wishes = [_mean([middles[one] for one in neighbours.get(key, ())], middles[key]) for key in row]
            middles.update(zip(row, _apart(wishes, [layers.sizes[key].height for key in row]), strict=True))
    top = min((middles[key] - layers.sizes[key].height / 2 for key in middles), default=0.0)
    boxes, x = dict[Key, Box](), 0.0
    for row in layers.rows:
        width = max((layers.sizes[key].width for key in row), default=0.0)
        for key in row:
            size = layers.sizes[key]
            if size == _NOTHING:  # a line passes straight through the whole layer, so that it touches no box beside it
                size = Size(width=width, height=0.0)
            boxes[key] = Box(x=x + (width - size.width) / 2, y=middles[key] - size.height / 2 - top, size=size)
        x += width + _BETWEEN_LAYERS
    return boxes


def _apart(wishes: Sequence[float], heights: Sequence[float]) -> list[float]:
    """The places nearest to the wishes (by squares) at which boxes of these heights keep their order and do not touch.

    With the distances taken off, that is isotonic regression, which pooling of adjacent violators solves.
    """
    offsets = [0.0]
    for above, below in pairwise(heights):
        offsets.append(offsets[-1] + (above + below) / 2 + _BETWEEN_BOXES)
    pools: list[tuple[float, int]] = []
    for wish, offset in zip(wishes, offsets, strict=False):
        mean, count = wish - offset, 1
        while pools and pools[-1][0] > mean:
            before, many = pools.pop()
            mean, count = (before * many + mean * count) / (many + count), many + count
        pools.append((mean, count))
    level = [mean for mean, count in pools for _ in range(count)]
    return [one + offset for one, offset in zip(level, offsets, strict=False)]
