"""Plays all games with fresh seeds, one process after another, and keeps what it finds as cases that the tests play again.

    just fuzz [seconds]

The exit status is 1 where something was found.
"""

from __future__ import annotations

import secrets
import sys
import time
from collections import Counter

from host.engine.core.hostile.batch import batch
from host.engine.core.hostile.finds import FINDS, keep

SHARES = {"scripts": 0.5, "components": 0.3, "values": 0.2}
LEG = 40.0
"""Seconds of one process at most: what is drawn once for a process is drawn often enough."""


def main(seconds: float) -> int:
    """Play for so many seconds."""
    until, totals, found = time.monotonic() + seconds, {game: Counter[str]() for game in SHARES}, 0
    while (left := until - time.monotonic()) > 0:
        for game, share in SHARES.items():
            report = batch(game, [secrets.randbits(40)], seconds=min(LEG, left) * share)
            totals[game].update(report.outcomes, rounds=report.runs)
            print(report, file=sys.stderr, flush=True)
            for find in report.found:
                found += 1
                print(f"kept as {keep(find).relative_to(FINDS.parent)}: {find['wrong'].strip().splitlines()[0]}", flush=True)
    for game, counts in totals.items():
        print(f"{game}: " + ", ".join([f"{count} {kind}" for kind, count in counts.most_common()]))
    print(f"{found} found")
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main(float(sys.argv[1]) if len(sys.argv) > 1 else 60.0))
