"""How a suite tells its results: a line of JSON for each test that begins or ends, written at once, so that a crash loses nothing."""

from __future__ import annotations

import json
import os
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

PATIENCE = float(os.environ["COMPAT_PATIENCE"])
"""Seconds a test may take."""
_LONGEST = 600  # characters of an error's message


class TookTooLong(BaseException):
    """A test had its time; no `except Exception` of the suite may hide it."""


class Lines:
    """Writes the lines; what `done` names was run before the last crash and is not run again."""

    def __init__(self) -> None:
        self._path = Path(os.environ["COMPAT_RESULTS"])
        self.done = {line["end"] for line in self._read() if "end" in line}
        self._seen: Counter[str] = Counter()

    def _read(self) -> Iterator[dict[str, str]]:
        if self._path.exists():
            yield from map(json.loads, self._path.read_text().splitlines())

    def unique(self, name: str) -> str:
        """The name, with its place among equal ones."""
        self._seen[name] += 1
        return name if self._seen[name] == 1 else f"{name} ({self._seen[name]})"

    def begin(self, name: str) -> None:
        self._write({"begin": name})

    def end(self, name: str, outcome: str, error: str = "") -> None:
        """`outcome` is passed, failed or skipped; `error` says why not passed, the exception's type first."""
        self._write({"end": name, "outcome": outcome, "error": error[:_LONGEST]})

    def broken(self, place: str, error: str) -> None:
        """A file of tests that could not be read at all."""
        self._write({"broken": place, "error": error[:_LONGEST]})

    def _write(self, line: dict[str, str]) -> None:
        with self._path.open("a") as file:
            file.write(json.dumps(line) + "\n")


def told(error: BaseException) -> str:
    """An exception as one line; with what began it, where that is another."""
    try:
        text = str(error)
    except Exception as other:  # noqa: BLE001 -- an exception of the library, whose text may fail
        text = f"its text fails: {type(other).__name__}"
    return " ".join(f"{type(error).__module__}.{type(error).__qualname__}: {text}".removeprefix("builtins.").split())


@contextmanager
def limited() -> Iterator[None]:
    """Ends what takes longer than a test may."""

    def strike(_number: int, _frame: FrameType | None) -> None:
        raise TookTooLong(f"more than {PATIENCE:g} s")

    before = signal.signal(signal.SIGALRM, strike)
    signal.setitimer(signal.ITIMER_REAL, PATIENCE)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
