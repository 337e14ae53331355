"""What is timed: a step that is done again and again."""

from __future__ import annotations

import subprocess
import sys
import timeit
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

Seconds = float
Batch = Callable[[], Any]


class SitsOut(Exception):
    """A peer can't do this workload, or not in a time that anybody would wait for; the message says why."""


def directly(batch: Batch) -> Any:
    """Run it here and now."""
    return batch()


def nothing() -> None:
    """Nothing is to be freed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A step ready to be timed.

    run: One step; what it returns is checked once.
    per: How many calls (records, callbacks) a step is.
    enter: Runs many steps where the peer wants to be called, in its event loop, say.
    close: Frees what this work alone holds.
    """

    run: Callable[[], Any]
    per: int = 1
    enter: Callable[[Batch], Any] = directly
    close: Callable[[], None] = nothing

    def once(self) -> Any:
        """The step's result."""
        return self.enter(self.run)

    def time(self, number: int) -> Seconds:
        """How long so many steps take together; Python's garbage collection is off meanwhile, as `timeit` has it."""
        taken: Seconds = self.enter(lambda: timeit.timeit(self.run, number=number))
        return taken


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a run takes place: a scratch folder, and the checkout whose components are built."""

    folder: Path
    root: Path
    seconds: float = 0.006
    """How long a guest call is that keeps a processor busy."""

    def new_folder(self) -> Path:
        """An empty folder of the scratch folder."""
        number = len(list(self.folder.iterdir()))
        while True:
            made = self.folder / f"{number}"
            try:
                made.mkdir()
            except FileExistsError:
                number += 1
            else:
                return made


def guest(name: str) -> str:
    """The text of a guest."""
    return (Path(__file__).parent / "guests" / f"{name}.wat").read_text()


def python(program: str) -> Work:
    """A new process of this Python that runs a program."""
    return Work(run=lambda: subprocess.run([sys.executable, "-c", program], check=True).returncode)


def busy(spin: Callable[[int], Any], seconds: Seconds) -> int:
    """How far to count so that `spin` takes at least so long."""
    count = 1000
    while True:
        taken = min(timeit.repeat(partial(spin, count), number=1, repeat=3))
        if taken >= seconds:
            return count
        count = int(count * min(10.0, max(1.2, 1.1 * seconds / max(taken, 1e-9))))
