"""Games played in processes of their own: one that dies has found something, too."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from host.engine.core.hostile.finds import GAMES, document
from host.engine.core.hostile.game import Document


@dataclass
class Report:
    """What the processes of a batch did together."""

    game: str
    runs: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    found: list[Document] = field(default_factory=list)

    def __str__(self) -> str:
        kinds = ", ".join([f"{count} {kind}" for kind, count in self.outcomes.most_common()])
        return f"{self.game}: {self.runs} rounds: {kinds}; {len(self.found)} wrong"


def started(*arguments: str) -> subprocess.Popen[str]:
    """A process of `python -m host.engine.core.hostile`."""
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "host.engine.core.hostile", *arguments],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([entry for entry in sys.path if entry])},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def batch(game: str, seeds: Sequence[int], *, seconds: float) -> Report:
    """One process for each seed, all at once, each for so long."""
    report = Report(game)
    with tempfile.TemporaryDirectory() as folder:
        notes = [Path(folder) / str(number) for number in range(len(seeds))]
        running = [started("play", game, str(seed), str(seconds), str(note)) for seed, note in zip(seeds, notes, strict=True)]
        for process, note in zip(running, notes, strict=True):
            _add(report, process, note)
    return report


def _add(report: Report, process: subprocess.Popen[str], note: Path) -> None:
    output, errors = process.communicate()
    if process.returncode == 0 and "From cffi callback" not in errors:
        told = json.loads(output.splitlines()[-1])
        report.runs += told["runs"]
        report.outcomes.update(told["outcomes"])
        report.found += told["found"]
        return
    wrong = f"the process ended with {process.returncode}\n{errors[-3000:]}"
    noted = note.read_bytes().splitlines() if note.exists() else []
    if not noted:
        raise RuntimeError(wrong)
    report.found.append(document(report.game, GAMES[report.game].noted(json.loads(noted[0])), wrong))
