"""Times cases in interleaved rounds: each round goes once through all peers and cases of a group, so that noise hits all of them alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeAlias

from benchmarks.cases import Case
from benchmarks.peers.base import Peer
from benchmarks.spread import Spread, spread
from benchmarks.work import Seconds, SitsOut, Work


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How much time goes into each figure.

    sample: Seconds that the calls of one sample take together, where one call does not take longer.
    rounds: Samples of a figure; fewer where `most` seconds would not do, but at least `least`.
    """

    rounds: int = 15
    sample: Seconds = 0.02
    most: Seconds = 3.0
    least: int = 2


QUICK = Effort(rounds=4, sample=0.004, most=0.25, least=1)
ONCE = Effort(rounds=1, sample=0.0, most=0.0, least=1)

Outcome: TypeAlias = Spread | str
"""Seconds for one unit, or why there are none."""

Figures: TypeAlias = dict[tuple[str, str], Outcome]
"""By case and peer."""

Report: TypeAlias = Callable[[str, float], None]
"""Takes what is being done, and which part of the group is done."""


_LONG = 0.5
"""Seconds from which on a step is timed from its first run."""


class WrongAnswer(Exception):
    """A peer did not do what it was timed for."""


@dataclass(slots=True)
class Pair:
    """A case with one peer: what is run, how often in a sample, in how many rounds, and what it took."""

    case: Case
    peer: Peer
    work: Work
    number: int
    rounds: int
    taken: list[Seconds] = field(default_factory=list)

    def due(self, index: int, rounds: int) -> bool:
        """Whether it takes part in this round: in all of them, or in some, evenly."""
        return (index + 1) * self.rounds // rounds > index * self.rounds // rounds

    def sample(self) -> None:
        self.taken.append(self.work.time(self.number) / self.number / self.work.per)


def measure(cases: Sequence[Case], peers: Sequence[Peer], effort: Effort, report: Report) -> Figures:
    """The figures of one group of cases.

    Raises:
        WrongAnswer: a peer's result is not what the case expects.
    """
    figures: Figures = {}
    with prepared(cases, peers, effort, report, figures) as pairs:
        total = sum(pair.rounds for pair in pairs) or 1
        done = 0
        for index in range(effort.rounds):
            turn = index % len(pairs) if pairs else 0
            for pair in [*pairs[turn:], *pairs[:turn]]:
                if pair.due(index, effort.rounds):
                    report(f"{pair.case.title}: {pair.peer.title}", done / total)
                    pair.sample()
                    done += 1
    for pair in pairs:
        figures[pair.case.id, pair.peer.name] = spread(pair.taken)
    return figures


@contextmanager
def prepared(cases: Sequence[Case], peers: Sequence[Peer], effort: Effort, report: Report, figures: Figures) -> Iterator[list[Pair]]:
    """The pairs that take part, warmed up; why others sit out is put into `figures`."""
    pairs: list[Pair] = []
    try:
        for case in cases:
            for peer in peers:
                report(f"preparing {case.title}: {peer.title}", 0.0)
                try:
                    pairs.append(prepare(case, peer, effort))
                except SitsOut as reason:
                    figures[case.id, peer.name] = str(reason)
        yield pairs
    finally:
        for pair in pairs:
            pair.work.close()


def prepare(case: Case, peer: Peer, effort: Effort) -> Pair:
    """Make the work, check what it does, and warm it up until a sample's length is known. Raises SitsOut, WrongAnswer.

    What takes seconds is not warmed up: its first run is its first sample.
    """
    work = case.make(peer)
    found, taken = work.once()
    if not case.check(peer, found):
        work.close()
        raise WrongAnswer(f"{case.id}: {peer.name} answers {str(found)[:200]}")
    if taken >= _LONG:
        left = max(effort.least, int(effort.most / taken)) - 1
        return Pair(case=case, peer=peer, work=work, number=1, rounds=min(effort.rounds, left), taken=[taken / work.per])
    number, taken = 1, work.time(1)
    while taken < effort.sample / 2:
        number = max(number + 1, min(number * 10, round(number * effort.sample / max(taken, 1e-9))))
        taken = work.time(number)
    affordable = int(effort.most / max(taken, 1e-9))
    return Pair(case=case, peer=peer, work=work, number=number, rounds=min(effort.rounds, max(effort.least, affordable)))
