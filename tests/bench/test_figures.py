"""What timings come to: spreads, verdicts, changes. Nothing is timed here."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.compare import SLOWER, change
from benchmarks.spread import quantile, spread
from benchmarks.targets import TARGETS, Target, evaluate

TIMES = st.lists(st.floats(min_value=1e-9, max_value=1e3), min_size=1, max_size=40)


@given(TIMES)
def test_a_spread_lies_within_its_timings_and_in_order(times):
    found = spread(times)
    assert min(times) <= found.p10 <= found.median <= found.p90 <= max(times)
    assert found.samples == len(times)


@given(TIMES)
def test_the_middle_quantile_is_the_median_and_the_ends_are_the_ends(times):
    assert quantile(times, 0.5) == pytest.approx(spread(times).median)
    assert (quantile(times, 0), quantile(times, 1)) == (min(times), max(times))


def test_a_quantile_between_two_values_is_between_them():
    assert quantile([4.0, 1.0, 2.0, 3.0], 0.5) == 2.5
    assert quantile([10.0], 0.9) == 10.0


def test_one_wild_sample_in_fifteen_changes_neither_median_nor_spread():
    """Why medians: one interruption by the system must not decide a target."""
    calm, disturbed = spread([1.0] * 15), spread([1.0] * 14 + [1000.0])
    assert (calm.median, calm.p90) == (disturbed.median, disturbed.p90)


CASES = {"call": {"core": 5.0, "extism": 20.0}, "bytes": {"core": 100.0, "extism": "no bytes"}}


@pytest.mark.parametrize(
    ("target", "word", "figure"),
    [
        (Target(text="", ours=("call", "core"), against=("call", "extism"), limit=0.25), "met", "0.25 x"),
        (Target(text="", ours=("call", "core"), against=("call", "extism"), limit=0.2), "missed", "0.25 x"),
        (Target(text="", ours=("call", "extism"), against=("call", "core"), limit=4, at_least=True), "met", "4 x"),
        (Target(text="", ours=("call", "extism"), against=("call", "core"), limit=5, at_least=True), "missed", "4 x"),
        (Target(text="", ours=("call", "core"), limit=4.9, scale=1e6, unit="µs"), "missed", "5 µs"),
        (Target(text="", ours=("bytes", "core"), limit=1, at_least=True, scale=3e-4, turned=True, unit="GB/s"), "met", "3 GB/s"),
        (Target(text="", ours=("call", "core"), against=("call", "extism")), "stated", "0.25 x"),
        (Target(text="", ours=("bytes", "core"), against=("bytes", "extism"), limit=1), "not measured", ""),
        (Target(text="", ours=("bytes", "core"), against=("call", "extism"), limit=2, allowed=60e-6), "met", "2 x"),
        (Target(text="", ours=("bytes", "core"), against=("call", "extism"), limit=2, allowed=50e-6), "missed", "2.5 x"),
        (Target(text="", ours=("call", "core"), against=("call", "extism"), limit=2, allowed=50e-6), "met", "0 x"),
    ],
)
def test_a_target_is_met_missed_stated_or_not_measured(make_run, target, word, figure):
    (verdict,) = evaluate(make_run(CASES), [target])
    assert (verdict.word, verdict.figure) == (word, figure)


def test_what_was_no_part_of_the_run_has_no_verdict(make_run):
    elsewhere = Target(text="", ours=("edge", "core"), against=("call", "extism"), limit=1)
    assert evaluate(make_run(CASES), [elsewhere]) == []


def test_the_targets_name_cases_and_peers_that_there_are(tmp_path):
    """A target that names none would silently never be judged."""
    from benchmarks.cases import Scale, cases
    from benchmarks.peers import PEERS

    known = {case.id for case in cases(Scale(), tmp_path)}
    for target in TARGETS:
        for case, peer in filter(None, (target.ours, target.against)):
            assert case in known
            assert peer in PEERS


def test_a_steady_change_is_flagged_and_a_noisy_one_is_not():
    there = [1.0, 1.02, 0.98, 1.01, 0.99, 1.0, 1.0, 1.03]
    assert change("", "core", there, [2 * one for one in there]).word == "slower"
    assert change("", "core", there, [one / 2 for one in there]).word == "faster"
    assert change("", "core", there, list(reversed(there))).word == ""
    noisy = [1.5, 0.5, 1.4, 0.6, 1.5, 1.4, 0.7, 1.3]
    assert change("", "core", there, noisy).ratio > SLOWER
    assert change("", "core", there, noisy).word == ""


def test_a_machine_that_slows_down_is_no_regression():
    """Samples are compared in pairs taken one right after the other, for machines get hot and busy."""
    there = [1.0, 2.0, 4.0, 8.0, 16.0]
    found = change("", "core", there, [1.01 * one for one in there])
    assert found.ratio == pytest.approx(1.01)
    assert found.word == ""
