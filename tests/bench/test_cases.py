"""Every case runs, once and tiny, and its answer is right. No time is looked at."""

import pytest
from places import ROOT

from benchmarks.breakdown import PATHS, PROBES, Share, breakdowns, broken_down
from benchmarks.cases import TINY, cases
from benchmarks.measure import ONCE, measure
from benchmarks.peers import OURS, make
from benchmarks.probes import Probe, watching
from benchmarks.spread import Spread
from benchmarks.work import Place

IMPATIENT = [case.id for case in cases(TINY, ROOT) if not case.patient]
"""All but compiling CPython anew, which takes ten seconds each time."""


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return Place(folder=tmp_path_factory.mktemp("bench"), root=ROOT, seconds=0.0001)


@pytest.fixture(scope="module")
def every(place):
    return {case.id: case for case in cases(TINY, place.folder)}


@pytest.fixture(scope="module", params=OURS)
def ours(request, place):
    (peer,) = make([request.param], place)
    yield peer
    peer.close()


@pytest.mark.parametrize("name", IMPATIENT)
def test_each_case_runs_on_our_engines(ours, every, name):
    ((_, found),) = measure([every[name]], [ours], ONCE, lambda *_: None).items()
    assert isinstance(found, Spread), found


@pytest.mark.parametrize("name", ["stock", "pipe", "processes", "plain"])
def test_the_peers_that_need_no_packages_do_what_is_asked(place, every, name):
    """Extism and V8 are installed by `just bench` alone, which checks every answer as well."""
    (peer,) = make([name], place)
    try:
        found = measure([every[case] for case in IMPATIENT if "python" not in case and case != "load-shop"], [peer], ONCE, lambda *_: None)
    finally:
        peer.close()
    measured = [case for (case, _), one in found.items() if isinstance(one, Spread)]
    assert {"call", "records-1", "callback", "edge", "read", "threads-small-2"} <= set(measured)


def test_every_probe_finds_the_function_it_times_and_is_of_use():
    """Whoever renames a function that the profile times mends `benchmarks/breakdown.py` with it."""
    for probe in PROBES.values():
        probe.owner()
    used = {name for _, _, shares in PATHS for share in shares for both in (share.plus, share.minus) for name in both}
    assert {part for name in used for part in name.split("@")} == {*PROBES, "total"}


def test_the_profile_runs_and_its_parts_add_up(place):
    (core,) = make(["core"], place)
    try:
        found = breakdowns(core, 0.0)
    finally:
        core.close()
    assert [one.title for one in found] == [title for title, _, _ in PATHS]
    for one in found:
        assert one.missing == ()
        assert sum(part.seconds for part in one.parts) == pytest.approx(one.total)


def test_parts_are_sums_and_differences_of_probes_and_the_rest_comes_last():
    shares = (Share(title="inner", plus=("b",)), Share(title="outer", plus=("a",), minus=("b",)))
    found = broken_down("path", {"total": 10.0, "a": 7.0, "b": 3.0}, shares)
    assert [part.seconds for part in found.parts] == [3.0, 4.0, 3.0]


class Target:
    def inner(self):
        return 1

    def outer(self):
        return self.inner() + self.inner()


def test_a_probe_counts_inside_another_only_and_goes_away():
    """A part inside a part is timed as such, and nothing of the program stays changed."""
    before = dict(vars(Target))
    inner, outer = (Probe(where=f"{__name__}:Target.{name}") for name in ("inner", "outer"))
    with watching(inner) as watch:
        Target().outer()
        Target().inner()
    assert watch.count == 3
    with watching(inner, outer) as watch:
        Target().inner()
        assert watch.count == 0
        assert Target().outer() == 2
    assert watch.count == 2
    assert dict(vars(Target)) == before


def test_a_probe_of_what_is_gone_says_so():
    with pytest.raises(LookupError, match="Target.vanished is not there"):
        Probe(where=f"{__name__}:Target.vanished").owner()
