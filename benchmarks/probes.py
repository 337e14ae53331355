"""Times one function of the program while all the rest runs as it is.

A probe stands around a function, sums up how long it takes, and takes off what the probe itself costs, which is measured on a function
that does nothing. One at a time, so that they don't measure each other.
"""

from __future__ import annotations

import timeit
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from time import perf_counter_ns
from typing import Any, Literal, TypeAlias

Kind: TypeAlias = Literal["function", "maker", "taker"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """Where a function is found: `module:name` or `module:Class.name`.

    kind: The function itself; or what makes it (the result is probed), or what takes it (its argument at `place` is).
    """

    where: str
    kind: Kind = "function"
    place: int = 0

    def owner(self) -> tuple[Any, str]:
        """What has the function as its attribute, and that attribute's name.

        Raises:
            LookupError: it is not there any more.
        """
        module, _, path = self.where.partition(":")
        *steps, name = path.split(".")
        found: Any = import_module(module)
        try:
            for step in steps:
                found = getattr(found, step)
            getattr(found, name)
        except AttributeError as error:
            raise LookupError(f"{self.where} is not there") from error
        return found, name


@dataclass(slots=True)
class Watch:
    """How often a function ran and how long, in nanoseconds, the probe's own time included."""

    count: int = 0
    taken: int = 0
    depth: list[int] = field(default_factory=lambda: [0])

    def timed(self, function: Callable[..., Any], inside: Watch | None = None) -> Callable[..., Any]:
        """The same function, watched; where `inside` is given, only while that one's function runs."""
        clock, depth, outer = perf_counter_ns, self.depth, None if inside is None else inside.depth

        def watched(*arguments: Any) -> Any:
            if outer is not None and not outer[0]:
                return function(*arguments)
            depth[0] += 1
            begun = clock()
            try:
                return function(*arguments)
            finally:
                self.taken += clock() - begun
                self.count += 1
                depth[0] -= 1

        return watched


@contextmanager
def watching(probe: Probe, inside: Probe | None = None) -> Iterator[Watch]:
    """Put a probe in its place. What is made of the probed functions must be made anew inside. Raises LookupError."""
    outer = Watch()
    if inside is None:
        with _placed(probe, Watch(), None) as watch:
            yield watch
        return
    with _placed(inside, outer, None), _placed(probe, Watch(), outer) as watch:
        yield watch


@contextmanager
def _placed(probe: Probe, watch: Watch, inside: Watch | None) -> Iterator[Watch]:
    owner, name = probe.owner()
    before = vars(owner)[name]
    function = getattr(owner, name)

    def maker(*arguments: Any, **named: Any) -> Any:
        return watch.timed(function(*arguments, **named), inside)

    def taker(*arguments: Any) -> Any:
        given = list(arguments)
        given[probe.place] = watch.timed(given[probe.place], inside)
        return function(*given)

    placed = maker if probe.kind == "maker" else taker if probe.kind == "taker" else watch.timed(function, inside)
    setattr(owner, name, staticmethod(placed) if isinstance(before, staticmethod) else placed)
    try:
        yield watch
    finally:
        setattr(owner, name, before)


def _empty(_one: Any, _two: Any) -> None:
    pass


def cost(number: int = 20_000, repeat: int = 7) -> float:
    """What a probe adds to the time it shows, in nanoseconds for each call."""
    best = float("inf")
    for _ in range(repeat):
        watch = Watch()
        watched = watch.timed(_empty)
        for _ in range(number):
            watched(None, None)
        bare = min(timeit.repeat(lambda: _empty(None, None), number=number, repeat=3)) * 1e9 / number
        idle = min(timeit.repeat(lambda: None, number=number, repeat=3)) * 1e9 / number
        best = min(best, watch.taken / number - max(0.0, bare - idle))
    return best
