"""Runs hostile scripts in processes of their own: one that dies has found something, too."""

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

from host.engine.core.hostile.__main__ import NOTE, drawn
from host.engine.core.hostile.finds import dump
from host.engine.core.hostile.world import World


@dataclass
class Report:
    """What the processes of a batch did together; `found` are finds as `finds.dump` writes them."""

    runs: int = 0
    worlds: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    found: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        kinds = ", ".join([f"{count} {kind}" for kind, count in self.outcomes.most_common()])
        return f"{self.runs} hostile scripts in {self.worlds} worlds: {kinds}; {len(self.found)} wrong"


def started(*arguments: str, environment: dict[str, str] | None = None) -> subprocess.Popen[str]:
    """A process of `python -m host.engine.core.hostile`."""
    path = os.pathsep.join([entry for entry in sys.path if entry])
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "host.engine.core.hostile", *arguments],
        env=os.environ | {"PYTHONPATH": path} | (environment or {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def batch(seeds: Sequence[int], *, scripts: int, seconds: float) -> Report:
    """One process for each seed, all at once, each for so long."""
    report = Report()
    with tempfile.TemporaryDirectory() as folder:
        places = [Path(folder) / str(number) for number in range(len(seeds))]
        running = [started("run", str(seed), str(scripts), str(seconds), str(place)) for seed, place in zip(seeds, places, strict=True)]
        for process, place in zip(running, places, strict=True):
            _add(report, process, place)
    return report


def _add(report: Report, process: subprocess.Popen[str], place: Path) -> None:
    output, errors = process.communicate()
    if process.returncode == 0 and "From cffi callback" not in errors:
        told = json.loads(output.splitlines()[-1])
        report.runs += told["runs"]
        report.worlds += told["worlds"]
        report.outcomes.update(told["outcomes"])
        report.found += told["found"]
        return
    of_world, of_script = NOTE.unpack(place.read_bytes()[: NOTE.size]) if place.exists() else (0, 0)
    world = World.of(of_world)
    report.found.append(dump(world, drawn(world, of_script), f"the process ended with {process.returncode}\n{errors[-3000:]}"))
