"""Measuring: who is asked when, and what is done about those who can't or won't. Peers here only take notes."""

from time import perf_counter, sleep

import pytest

from benchmarks.cases import Case
from benchmarks.measure import Effort, WrongAnswer, measure
from benchmarks.peers.base import Peer
from benchmarks.work import Place, SitsOut, Work, busy

EFFORT = Effort(rounds=6, sample=0.0, most=1.0, least=2)


@pytest.fixture
def place(tmp_path):
    return Place(folder=tmp_path, root=tmp_path)


class Noting(Peer):
    """Writes down each step."""

    def __init__(self, place, name, notes, *, answer=3, out=None):
        super().__init__(place)
        self.name = self.title = name
        self.notes, self.answer, self.out = notes, answer, out

    def add(self):
        if self.out:
            raise SitsOut(self.out)

        def step():
            self.notes.append(self.name)
            return self.answer

        return Work(run=step, close=lambda: self.notes.append(f"{self.name} closed"))


def case(name="call"):
    return Case(id=name, group="g", title=name, make=lambda peer: peer.add(), check=lambda _, found: found == 3)


def quiet(_what, _part):
    pass


def test_rounds_go_through_all_peers_by_turns(place):
    """Noise that lasts a while must hit all alike, and nobody must always come first."""
    notes = []
    found = measure([case()], [Noting(place, "a", notes), Noting(place, "b", notes)], EFFORT, quiet)
    steps = [note for note in notes if "closed" not in note]
    warmed, rounds = steps[: len(steps) - 12], steps[-12:]
    assert set(warmed) == {"a", "b"}
    assert ["".join(rounds[at : at + 2]) for at in range(0, 12, 2)] == ["ab", "ba"] * 3
    assert {key: one.samples for key, one in found.items()} == {("call", "a"): 6, ("call", "b"): 6}


def test_a_wrong_answer_ends_the_run_and_everything_is_closed(place):
    """Who does not do the work must not win by that."""
    notes = []
    with pytest.raises(WrongAnswer, match="call: b answers 4"):
        measure([case()], [Noting(place, "a", notes), Noting(place, "b", notes, answer=4)], EFFORT, quiet)
    assert notes[-2:] == ["b closed", "a closed"]


def test_who_sits_out_is_reported_with_the_reason(place):
    notes = []
    found = measure([case()], [Noting(place, "a", notes), Noting(place, "b", notes, out="has no arms")], EFFORT, quiet)
    assert found["call", "b"] == "has no arms"
    assert found["call", "a"].samples == 6


def test_a_step_is_counted_by_what_it_does(place):
    class Ten(Noting):
        def add(self):
            return Work(run=super().add().run, per=10)

    one = measure([case()], [Noting(place, "a", [])], EFFORT, quiet)["call", "a"]
    ten = measure([case()], [Ten(place, "a", [])], EFFORT, quiet)["call", "a"]
    assert ten.median < one.median


@pytest.mark.parametrize(("seconds", "samples"), [(0.0, 6), (0.3, 3), (0.9, 2), (5.0, 2)])
def test_slow_ones_take_part_in_fewer_rounds_but_more_than_one(place, monkeypatch, seconds, samples):
    """What takes seconds is not warmed up either: its first run counts."""
    from benchmarks import work as module

    clock = [0.0]
    monkeypatch.setattr(module.time, "perf_counter", lambda: clock[0])

    def step():
        clock[0] += seconds
        return 3

    class Slow(Peer):
        name = title = "slow"

        def add(self):
            return Work(run=step)

    monkeypatch.setattr(Work, "time", lambda work, number: [work.run() for _ in range(number)] and seconds * number)
    found = measure([case()], [Slow(place)], EFFORT, quiet)["call", "slow"]
    assert found.samples == samples
    assert found.median == pytest.approx(seconds)


def test_a_process_that_times_itself_is_taken_at_its_word(place):
    """The interpreter's own start is none of what an import costs."""

    class Reporting(Peer):
        name = title = "child"

        def add(self):
            return Work(run=lambda: 3, reports=True)

    found = measure([case()], [Reporting(place)], EFFORT, quiet)["call", "child"]
    assert found.median == 3


def test_a_busy_call_is_as_long_as_it_was_asked_to_be():
    count = busy(lambda count: sleep(count / 1e6), 0.02)
    begun = perf_counter()
    sleep(count / 1e6)
    assert perf_counter() - begun >= 0.018
