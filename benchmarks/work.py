"""What is timed: a step that is done again and again."""

from __future__ import annotations

import os
import subprocess
import sys
import time
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
    reports: Whether what a step returns is the seconds it took, by its own clock.
    """

    run: Callable[[], Any]
    per: int = 1
    enter: Callable[[Batch], Any] = directly
    close: Callable[[], None] = nothing
    reports: bool = False

    def once(self) -> tuple[Any, Seconds]:
        """The step's result, and how long it took."""
        begun = time.perf_counter()
        found = self.enter(self.run)
        return found, found if self.reports else time.perf_counter() - begun

    def time(self, number: int) -> Seconds:
        """How long so many steps take together; Python's garbage collection is off meanwhile, as `timeit` has it."""
        if self.reports:
            return sum(float(self.enter(self.run)) for _ in range(number))
        return float(self.enter(lambda: timeit.timeit(self.run, number=number)))


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


_TIMED = "import time; start = time.perf_counter(); {}; end = time.perf_counter(); print(end - start, flush=True); import os; os._exit(0)"


def python(program: str) -> Work:
    """A new process of this Python that times a program, of one line, by its own clock: the interpreter's own start is not in it."""
    command = [sys.executable, "-c", _TIMED.format(program)]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}  # as after an installation

    def run() -> Seconds:
        return float(subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE).stdout)

    return Work(run=run, reports=True)


def busy(spin: Callable[[int], Any], seconds: Seconds) -> int:
    """How far to count so that `spin` takes at least so long."""
    count = 1000
    while True:
        taken = min(timeit.repeat(partial(spin, count), number=1, repeat=3))
        if taken >= seconds:
            return count
        count = int(count * min(10.0, max(1.2, 1.1 * seconds / max(taken, 1e-9))))
