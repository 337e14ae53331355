"""Runs our cases in a process of its own, for the comparison with another revision, whose environment it then runs in.

A request is a line of JSON on stdin, an answer one on stdout; whatever else is printed goes to stderr.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks import peers
from benchmarks.cases import Case, Scale, cases
from benchmarks.measure import Effort, Pair, prepare
from benchmarks.peers.base import Peer
from benchmarks.work import Place, SitsOut


class Worker:
    """What is prepared, by case and peer."""

    def __init__(self, place: Place, effort: Effort, scale: Scale) -> None:
        self._place, self._effort = place, effort
        self._cases: dict[str, Case] = {case.id: case for case in cases(scale, place.folder)}
        self._peers: dict[str, Peer] = {}
        self._pairs: dict[tuple[str, str], Pair] = {}

    def prepare(self, case: str, peer: str) -> dict[str, Any]:
        """Make the work ready: how many samples are to be taken; or why it can't be."""
        try:
            if peer not in self._peers:
                (self._peers[peer],) = peers.make([peer], self._place)
            pair = prepare(self._cases[case], self._peers[peer], self._effort)
        except SitsOut as reason:
            return {"out": str(reason)}
        except Exception as error:  # noqa: BLE001 -- another revision may lack anything; the table says what
            return {"out": f"{type(error).__name__}: {error}"}
        self._pairs[case, peer] = pair
        return {"rounds": pair.rounds}

    def sample(self, case: str, peer: str) -> dict[str, Any]:
        """Seconds for a unit."""
        pair = self._pairs[case, peer]
        pair.sample()
        return {"seconds": pair.taken[-1]}

    def drop(self, case: str, peer: str) -> dict[str, Any]:
        """Free what was prepared."""
        pair = self._pairs.pop((case, peer), None)
        if pair is not None:
            pair.work.close()
        return {}

    def close(self) -> None:
        for case, peer in list(self._pairs):
            self.drop(case, peer)
        for one in self._peers.values():
            one.close()


def main(root: str, effort: str) -> None:
    """Serve the requests on stdin until it ends."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    with tempfile.TemporaryDirectory() as folder:
        worker = Worker(Place(folder=Path(folder), root=Path(root)), Effort(**json.loads(effort)), Scale())
        for line in sys.stdin:
            what, case, peer = json.loads(line)
            answer = {"prepare": worker.prepare, "sample": worker.sample, "drop": worker.drop}[what](case, peer)
            print(json.dumps(answer), file=answers)
        worker.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
