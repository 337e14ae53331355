"""What many timings of one thing come to."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


def quantile(values: Sequence[float], part: float) -> float:
    """The value below which this part of them lies, between two of them where it falls so; of one value that value."""
    ordered = sorted(values)
    place = part * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """The middle of some timings and how far they lie apart. Seconds."""

    median: float
    p10: float
    p90: float
    samples: int

    @property
    def percent(self) -> float:
        """Half the way from p10 to p90, in percent of the median."""
        return 50 * (self.p90 - self.p10) / self.median if self.median else 0.0


def spread(values: Sequence[float]) -> Spread:
    """Of at least one timing."""
    return Spread(median=statistics.median(values), p10=quantile(values, 0.1), p90=quantile(values, 0.9), samples=len(values))
