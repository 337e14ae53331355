"""This checkout against another revision: our engines in two processes, one sample here, one there, by turns."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.cases import Case
from benchmarks.measure import Effort, Report
from benchmarks.peers import OURS
from benchmarks.spread import quantile

SLOWER = 1.1
"""From this ratio on a case is flagged, where nine of ten pairs of samples agree."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One case on one engine: the medians in seconds, and the ratio here to there with the tenths it lies between.

    `reason` says why there are none.
    """

    title: str
    peer: str
    there: float | None = None
    here: float | None = None
    ratio: float | None = None
    low: float = 0.0
    high: float = 0.0
    reason: str = ""

    @property
    def word(self) -> str:
        if self.ratio is None:
            return self.reason
        if self.ratio >= SLOWER and self.low > 1:
            return "slower"
        return "faster" if self.ratio <= 1 / SLOWER and self.high < 1 else ""


def change(title: str, peer: str, there: Sequence[float], here: Sequence[float]) -> Change:
    """What samples taken in pairs, one there, one here, come to; at least one pair."""
    ratios = [mine / other for mine, other in zip(here, there, strict=True)]
    return Change(
        title=title,
        peer=peer,
        there=statistics.median(there),
        here=statistics.median(here),
        ratio=statistics.median(ratios),
        low=quantile(ratios, 0.1),
        high=quantile(ratios, 0.9),
    )


class Side:
    """A worker in one checkout's environment, running this checkout's cases."""

    def __init__(self, root: Path, here: Path, python: Path, effort: Effort) -> None:
        command = [str(python), "-m", "benchmarks.worker", str(root), json.dumps(asdict(effort))]
        self._process = subprocess.Popen(command, cwd=here, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, what: str, case: Case, peer: str) -> dict[str, Any]:
        """The worker's answer.

        Raises:
            RuntimeError: it is gone.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        line = ""
        with suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps([what, case.id, peer]) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the worker ended at {case.id} ({peer}); what it said is above")
        found: dict[str, Any] = json.loads(line)
        return found

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with suppress(BrokenPipeError):
            self._process.stdin.close()  # at which it ends
        self._process.wait()
        self._process.stdout.close()


def commit_of(revision: str, root: Path) -> str | None:
    """The commit that this names in this checkout; None where there is none."""
    command = ["git", "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"]
    found = subprocess.run(command, cwd=root, check=False, capture_output=True, text=True)
    return found.stdout.strip() if found.returncode == 0 else None


def compare(commit: str, root: Path, cases: Sequence[Case], effort: Effort, report: Report) -> Iterator[Change]:
    """How each case changed since that commit.

    Raises:
        subprocess.CalledProcessError: its environment can't be made.
    """
    with ExitStack() as stack:
        other = stack.enter_context(checked_out(commit, root, lambda what: report(what, 0.0)))
        there, here = (
            Side(place, root, python, effort) for place, python in ((other, other / ".venv/bin/python"), (root, Path(sys.executable)))
        )
        stack.callback(there.close)
        stack.callback(here.close)
        for index, case in enumerate(cases):
            for peer in OURS:
                report(f"{case.title}: {peer}", index / len(cases))
                yield _changed(there, here, case, peer)


def _changed(there: Side, here: Side, case: Case, peer: str) -> Change:
    sides = (there, here)
    ready = [side.ask("prepare", case, peer) for side in sides]
    taken: tuple[list[float], list[float]] = ([], [])
    if not any("out" in one for one in ready):
        for turn in range(max(1, min(one["rounds"] for one in ready))):
            for place in (0, 1) if turn % 2 == 0 else (1, 0):
                taken[place].append(sides[place].ask("sample", case, peer)["seconds"])
    for side in sides:
        side.ask("drop", case, peer)
    if not taken[0]:
        reasons = [f"{where}: {one['out']}" for where, one in zip(("there", "here"), ready, strict=True) if "out" in one]
        return Change(title=case.title, peer=peer, reason="; ".join(reasons))
    return change(case.title, peer, *taken)


@contextmanager
def checked_out(commit: str, root: Path, say: Say) -> Iterator[Path]:
    """The commit in a worktree of its own with its own environment, removed afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "there"
        _run(["git", "worktree", "add", "--quiet", "--detach", str(place), commit], root)
        try:
            say(f"setting up {commit[:12]}")
            environment = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT")}
            _run([sys.executable, "-m", "uv", "sync", "--locked", "--quiet"], place, environment)
            _run([str(place / ".venv/bin/python"), "-m", "ringfence_composer.set_up"], place, environment)
            yield place
        finally:
            _run(["git", "worktree", "remove", "--force", str(place)], root)


def _run(command: list[str], folder: Path, environment: dict[str, str] | None = None) -> None:
    subprocess.run(command, cwd=folder, env=environment, check=True, stdout=sys.stderr)
