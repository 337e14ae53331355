"""What starting costs: fresh processes, interleaved, so that a busy machine slows all of them alike.

    python benchmarks/start_up.py [--rounds 21]

Each process times itself from its first line to its last: the interpreter's own start is in none of the figures. Everything is warm: byte
code, the compile cache, what was checked before, the system's page cache. `load` is `from ringfence import Graph` and `Graph.load` of
the shop graph, whose two nodes hold a CPython each.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median, quantiles

from ringfence_composer.compose import compose_file

SHOP = Path(__file__).parents[1] / "manifests" / "shop" / "graph.yaml"

PROGRAMS = {
    "import wasmtime": "import wasmtime",
    "import ringfence": "import ringfence",
    "load": f"from ringfence import Graph; Graph.load({str(SHOP)!r})",
}
LIMITS = {"import ringfence": 0.5, "load": 1.5}
"""At most so many times `import wasmtime`."""

_TIMED = "import time; start = time.perf_counter(); {}; end = time.perf_counter(); print(end - start, flush=True); import os; os._exit(0)"


def sample(rounds: int) -> dict[str, list[float]]:
    """Seconds of each program in each round; a first round, which warms up, is not counted."""
    compose_file(SHOP)
    found: dict[str, list[float]] = {name: [] for name in PROGRAMS}
    with tempfile.TemporaryDirectory() as folder:
        for number in range(rounds + 1):
            for name, program in PROGRAMS.items():
                run = subprocess.run(
                    [sys.executable, "-c", _TIMED.format(program)], env=_environment(folder), stdout=subprocess.PIPE, check=True
                )
                if number:
                    found[name].append(float(run.stdout))
    return found


def _environment(folder: str) -> dict[str, str]:
    """Byte code is written and used, as after an installation, whatever is set here; into a folder of this run's own."""
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return inherited | {"PYTHONPYCACHEPREFIX": folder}


def measure(rounds: int = 21) -> dict[str, float]:
    """Medians in seconds, by what was done, and their ratios to `import wasmtime` (`… / import wasmtime`)."""
    medians = {name: median(times) for name, times in sample(rounds).items()}
    ratios = {f"{name} / import wasmtime": medians[name] / medians["import wasmtime"] for name in LIMITS}
    return medians | ratios


def main() -> None:
    """Print the medians with the middle half of the runs, and the ratios with what they should be."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=21)
    found = sample(parser.parse_args().rounds)
    base = median(found["import wasmtime"])
    for name, times in found.items():
        low, middle, high = quantiles(times, n=4)
        ratio = f"  {middle / base:.2f}x (at most {LIMITS[name]}x)" if name in LIMITS else ""
        print(f"{name:20} {middle * 1e3:7.1f} ms  ({low * 1e3:.1f} to {high * 1e3:.1f}){ratio}")


if __name__ == "__main__":
    main()
