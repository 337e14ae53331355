"""Times and ratios as people read them."""

from __future__ import annotations

from benchmarks.results import Row
from benchmarks.spread import Spread


def duration(seconds: float) -> str:
    """Three figures with the unit that suits: `6.14 µs`, `1.59 s`."""
    for unit, factor in (("s", 1.0), ("ms", 1e3), ("µs", 1e6)):
        if seconds * factor >= 1 or (unit == "µs" and seconds >= 1e-7):
            return f"{_three(seconds * factor)} {unit}"
    return f"{_three(seconds * 1e9)} ns"


def _three(value: float) -> str:
    return f"{value:,.{2 if value < 9.995 else 1 if value < 99.95 else 0}f}"


def amount(count: int | None) -> str:
    """Three figures with the unit that suits: `128 kB`, `17.9 MB`; a dash for what is not known."""
    if count is None:
        return "–"
    return f"{_three(count / 1e6)} MB" if count >= 1e6 else f"{_three(count / 1e3)} kB"


def ratio(row: Row, peer: str, base: str = "core") -> float | None:
    """How often the time of `base` this peer takes; None where one of them sat out."""
    mine, other = row.median(base), row.median(peer)
    return other / mine if mine and other is not None else None


def times(value: float) -> str:
    """`2.7x`, `0.04x`, `14,000x`."""
    if value < 0.005:
        return "<0.01x"
    return f"{value:,.{0 if value >= 9.95 else 1 if value >= 0.95 else 2}f}x"


def cell(row: Row, peer: str) -> tuple[str, str]:
    """The median, and the spread with the ratio to the core lane; a dash, and nothing, where the peer sat out."""
    found = row.figures.get(peer)
    if not isinstance(found, Spread):
        return "–", ""
    compared = ratio(row, peer)
    around = f"±{found.percent:.0f}%" if found.samples > 2 else ""
    return duration(found.median), " ".join(
        part for part in (around, "" if compared is None or peer == "core" else times(compared)) if part
    )
