"""The official component-model suite on both lanes: every command's class is known, and what fails is in a table with its reason.

What is counted and how is in docs/explanation.md; `just suite` prints the counts, `just bless` rewrites the committed ones.
"""

import json
from typing import get_args

import pytest
from host.engine.suite.exceptions import EXCEPTIONS
from host.engine.suite.outcome import REASONS, Class, tally
from host.engine.suite.prepared import prepare
from host.engine.suite.run import run_all
from host.engine.suite.table import EXPECTED, counts, run_suite, written
from places import ROOT

LANES = ("core", "component")


@pytest.fixture(scope="session")
def results(tmp_path_factory):
    """Every command's outcome, by lane and script."""
    return run_suite(tmp_path_factory.mktemp("suite"))


def _all(results, lane):
    return [(name, one) for name, outcomes in results[lane].items() for one in outcomes]


def test_each_command_ends_in_the_class_it_did(results, request):
    """A script that is skipped, a command that changes its class, a lane that refuses more: each is a difference here."""
    found = counts(results)
    if request.config.getoption("--bless"):
        EXPECTED.write_text(written(found))
    expected = json.loads(EXPECTED.read_text())
    assert {lane: set(names) for lane, names in found.items()} == {lane: set(names) for lane, names in expected.items()}
    differences = [(lane, name, count, expected[lane].get(name)) for lane in LANES for name, count in found[lane].items()]
    differences = [one for one in differences if one[2] != one[3]]
    assert not differences, "found, expected; `just suite PART-OF-A-NAME` lists the commands that do not pass"


@pytest.mark.parametrize("lane", LANES)
def test_what_fails_is_what_the_table_excuses(results, lane):
    """No more, and no less: an excuse that nothing needs hides the next failure."""
    failures = {(name, one.line): one.detail for name, one in _all(results, lane) if one.result == "failed"}
    assert failures.keys() == EXCEPTIONS.keys(), failures


def test_what_is_refused_has_a_reason_that_the_table_explains(results):
    """Each reason is one that somebody has written down, and each that is written down is still one."""
    given = {one.reason for lane in LANES for _, one in _all(results, lane) if one.result == "refused"}
    assert given == set(REASONS)


def test_a_pass_by_fallback_is_no_pass_on_core(results):
    """The component engine lets a component be entered by way of one inside it; the Decomposer's translator does not yet."""
    name = "component-model/test/async/reentrance.wast"
    entered = {lane: [one.result for one in results[lane][name] if one.line == 42] for lane in LANES}
    assert entered == {"core": ["refused"], "component": ["passed"]}


@pytest.mark.parametrize("kind", get_args(Class))
def test_the_documents_count_alike(results, kind):
    """A figure that nobody checks is wrong before long."""
    count = {lane: sum(one.result == kind for _, one in _all(results, lane)) for lane in LANES}
    row = next(line for line in (ROOT / "docs" / "explanation.md").read_text().splitlines() if line.startswith(f"| {kind} |"))
    assert row.endswith(f"| {count['core']} | {count['component']} |")


# The runner itself: what is wrong is found

GOOD = """
(component definition $C
  (core module $m
    (memory (export "memory") 1)
    (data (i32.const 16) "text")
    (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
    (func (export "text") (result i32) (i32.store (i32.const 0) (i32.const 16)) (i32.store (i32.const 4) (i32.const 4)) (i32.const 0))
    (func (export "nan") (result f32) (f32.const nan:0x200000))
    (func (export "nothing"))
    (func (export "fail") unreachable)
    (func (export "err") (result i32) (i32.const 1)))
  (core instance $i (instantiate $m))
  (func (export "add") (param "a" u8) (param "b" u8) (result u32) (canon lift (core func $i "add")))
  (func (export "text") (result string) (canon lift (core func $i "text") (memory (core memory $i "memory"))))
  (func (export "nan") (result f32) (canon lift (core func $i "nan")))
  (func (export "nothing") (canon lift (core func $i "nothing")))
  (func (export "fail") (canon lift (core func $i "fail")))
  (func (export "err") (result (result)) (canon lift (core func $i "err"))))
(component instance $one $C)
(assert_return (invoke "add" (u8.const 200) (u8.const 100)) (u32.const 300))
(assert_return (invoke "text") (str.const "text"))
(assert_return (invoke "nan") (f32.const nan))
(assert_return (invoke "nothing"))
(assert_return (invoke "err") (result.err))
(component instance $two $C)
(assert_trap (invoke $one "fail") "unreachable")
(assert_return (invoke $two "nothing"))
(assert_trap (invoke $one "nothing") "cannot enter component instance")
(assert_invalid (component (export "x" (func 0))) "unknown function 0")
"""

BAD = [
    ('(assert_return (invoke "add" (u8.const 200) (u8.const 100)) (u32.const 44))', "expected [44], found 300"),
    ('(assert_return (invoke "add" (u8.const 1) (u8.const 1)) (u64.const 2))', "a u64 where the function has"),
    ('(assert_return (invoke "add" (u8.const 1)) (u32.const 1))', "do not fit the function"),
    ('(assert_return (invoke "add" (u8.const 1) (u8.const 1)))', "expected [], found 2"),
    ('(assert_return (invoke "text") (str.const "texts"))', "expected ['texts'], found 'text'"),
    ('(assert_return (invoke "nan") (f32.const 0))', "found nan"),
    ('(assert_return (invoke "nothing") (u32.const 0))', "a u32 where the function has None"),
    ('(assert_return (invoke "err") (result.ok))', "found Err"),
    ('(assert_return (invoke "fail"))', "GuestTrap: wasm `unreachable` instruction executed"),
    ('(assert_return (invoke "missing"))', "no function missing at the root"),
    ('(assert_return (invoke $three "nothing"))', "no such instance"),
    ('(assert_trap (invoke "nothing") "unreachable")', "expected the trap `unreachable`, found None"),
    ('(assert_trap (invoke "fail") "out of bounds")', "expected the trap `out of bounds`, found `wasm `unreachable`"),
    ('(assert_trap (component (core module $m (func $f) (start $f)) (core instance (instantiate $m))) "unreachable")', "found an instance"),
    ('(assert_invalid (component) "unknown function 0")', "found nothing wrong"),
    ('(assert_invalid (component (export "x" (func 0))) "unknown type 0")', "expected `unknown type 0`, found"),
    ('(assert_malformed (component quote "(component)") "unexpected token")', "found nothing wrong"),
    ('(component (core module $m (func $f unreachable) (start $f)) (core instance (instantiate $m)))', "no instance: GuestTrap"),
    ("(component instance $four $D)", "no such definition"),
    ('(register "there")', "the runner does not know the command register"),
]  # fmt: skip


@pytest.fixture
def outcomes(tmp_path):
    """`outcomes(text, lane)`: how the commands of a script end."""

    def run(text, lane):
        name = f"{len(list(tmp_path.iterdir()))}.wast"
        ready = prepare({name: text.encode()}, tmp_path / name, cache=tmp_path / "cache")
        return run_all(ready, lane, tmp_path / "cache")[name]

    return run


@pytest.mark.parametrize("lane", LANES)
def test_a_script_that_is_right_passes(outcomes, lane):
    """The positive control of the next test."""
    assert tally(outcomes(GOOD, lane)) == {"passed": 11, "passed: validate": 1}


@pytest.mark.parametrize("lane", LANES)
def test_each_kind_of_wrong_command_fails(outcomes, lane):
    """A runner that can't fail proves nothing."""
    fresh = GOOD.partition("(assert_return")[0].strip()
    for command, why in BAD:
        found = outcomes(f"{fresh}\n{command}", lane)
        assert [one.result for one in found] == ["passed", "passed", "failed"], command
        assert why in found[-1].detail, command


@pytest.mark.parametrize("lane", LANES)
def test_what_needs_a_component_that_is_not_there_shares_its_class(outcomes, lane):
    """Else a command would pass or fail for an instance that an earlier command left."""
    text = GOOD + '(component (core func (canon task.cancel)))\n(assert_return (invoke "nothing"))'
    assert [one.result for one in outcomes(text, lane)][-2:] == ["asynchronous", "asynchronous"]
    text = GOOD + '(component (import "c" (component)))\n(assert_return (invoke "nothing"))'
    assert [(one.result, one.reason) for one in outcomes(text, lane)][-2:] == [("refused", "world")] * 2


@pytest.mark.parametrize("lane", LANES)
def test_a_script_that_can_not_be_read_fails(outcomes, lane):
    """One outcome in place of all its commands, which nobody can count."""
    (one,) = outcomes("(component", lane)
    assert (one.result, "expected" in one.detail) == ("failed", True)
