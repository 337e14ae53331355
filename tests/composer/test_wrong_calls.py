"""Whatever is typed or given to a call: it is taken, or refused by an error that says what was expected, and in time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from case import compose_right
from click.testing import CliRunner
from hypothesis import example, given
from hypothesis import strategies as st
from ringfence import Graph, ManifestError, ShapeError, UsageError
from ringfence.contract.lock import LockedParameter
from ringfence.contract.parameters import TYPES, checked, settle
from ringfence.contract.types import (
    EnumOf,
    FlagsOf,
    FunctionType,
    ListOf,
    OptionOf,
    Primitive,
    RecordOf,
    ResultOf,
    TupleOf,
    VariantOf,
)
from ringfence.contract.words import example as sample
from ringfence.contract.words import from_words
from ringfence_composer.cli import compose
from slips import fuzz

names = st.text("abcdefghij", min_size=1, max_size=6)
primitives = st.sampled_from(
    [Primitive(name) for name in ("bool", "s8", "u8", "s16", "u16", "s32", "u32", "s64", "u64", "f32", "f64", "char", "string")]
)


def unique(kinds: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[tuple[str, Any], ...]]:
    return st.dictionaries(names, kinds, min_size=1, max_size=4).map(lambda found: tuple(found.items()))


kinds = st.recursive(
    primitives
    | st.lists(names, min_size=1, max_size=4, unique=True).map(lambda labels: EnumOf(tuple(labels)))
    | st.lists(names, min_size=1, max_size=4, unique=True).map(lambda labels: FlagsOf(tuple(labels))),
    lambda inner: (
        inner.map(ListOf)
        | inner.map(OptionOf)
        | unique(inner).map(RecordOf)
        | unique(inner | st.none()).map(VariantOf)
        | st.lists(inner, min_size=1, max_size=3).map(lambda several: TupleOf(tuple(several)))
        | st.builds(ResultOf, inner | st.none(), inner | st.none())
    ),
    max_leaves=8,
)
keys = st.sampled_from(["ok", "err", "some", "base64"]) | names
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["ok", "err", "some", "base64"]) | names, inner, max_size=3)
    ),
    max_leaves=8,
)
words = (
    json_values.map(json.dumps)
    | st.text(max_size=12)
    | st.sampled_from(["[" * 3000, "9" * 5000, "1e999", "NaN", '"\\ud800"', "\udcff", ""])
)


@given(kinds, words)
@example(Primitive("f64"), "1" + "0" * 400)
@fuzz
def test_any_word_is_an_argument_or_a_shape_error(kind: Any, word: str) -> None:
    try:
        assert len(from_words(FunctionType((("it", kind),), None), [word])) == 1
    except ShapeError as error:
        assert error.path.startswith("it")  # noqa: PT017 -- right is right, too


@given(kinds)
@fuzz
def test_the_example_of_any_type_is_one(kind: Any) -> None:
    """A message that shows how a value is written must not show one that is refused."""
    from_words(FunctionType((("it", kind),), None), [json.dumps(sample(kind))])


@pytest.fixture(scope="session", params=["core", "component"])
def calls(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Graph]:
    """The right graph of the cases, loaded."""
    folder = tmp_path_factory.mktemp("calls") / "graph"
    compose_right(folder, request.param)
    with Graph.load(folder / "graph.yaml") as graph:
        yield graph


@given(st.data())
@fuzz
def test_any_call_is_made_or_refused_as_usage_or_shape(calls: Graph, data: st.DataObject) -> None:
    target = data.draw(st.sampled_from(list(calls)))
    given_words = data.draw(st.lists(words, max_size=3))
    with suppress(ShapeError):
        calls.call(target.name, *from_words(target.type, given_words))


odd_objects = st.one_of(
    json_values,
    st.binary(max_size=4),
    st.just(object()),
    st.builds(set, st.lists(names, max_size=2)),
    st.tuples(names, st.integers()),
    st.floats(),
    st.text(st.characters(), max_size=3),
    st.just(len),
)


@given(st.data())
@fuzz
def test_any_value_is_taken_or_a_shape_error(calls: Graph, data: st.DataObject) -> None:
    target = data.draw(st.sampled_from(list(calls)))
    values = data.draw(st.lists(odd_objects, max_size=3))
    with suppress(ShapeError):
        calls.call(target.name, *values)


@given(st.text(max_size=20) | st.text("cals.put:/@1-[]_", max_size=20) | json_values)
@fuzz
def test_any_name_leads_to_a_function_or_is_a_usage_error(calls: Graph, name: Any) -> None:
    try:
        calls.find(name)
    except UsageError as error:
        assert len(str(error)) < 2000  # noqa: PT017 -- likewise


TOKENS = [
    "--json",
    "--param",
    "a=1",
    "a",
    "=",
    "--cache",
    "--lane",
    "core",
    "--",
    "-1",
    "-h",
    "--nope",
    "",
    ".",
    "..",
    "graph.yaml",
    "\udcff",
    "x.y",
]


@given(
    st.sampled_from(["check", "plan", "run", "build", "up", "completion", "schema", "chekc"]), st.lists(st.sampled_from(TOKENS), max_size=5)
)
@fuzz
def test_any_command_line_ends_with_an_exit_code_and_no_defect(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, rest: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(compose, [command, *rest])
    assert done.exit_code in range(5)
    assert "[internal]" not in done.stderr
    assert "Traceback" not in done.output
    if "--json" in rest and done.exit_code and command in ("check", "plan", "run") and done.stdout:
        assert json.loads(done.stdout)["error"]["code"]


# Parameters


@given(st.sampled_from(TYPES), json_values | st.text(max_size=20) | st.text("0123456789.:[]/@-ax%*", max_size=20) | st.binary(max_size=3))
@fuzz
def test_any_value_of_a_parameter_is_canonical_or_refused(kind: str, value: Any) -> None:
    try:
        settled = settle((LockedParameter(name="p", type=kind),), {"p": value})["p"]
    except ManifestError as error:
        assert [one.path for one in error.problems] == ["parameters.p"]  # noqa: PT017 -- likewise
    else:
        assert checked(kind, settled) == settled


@given(st.sampled_from(TYPES), st.text("0123456789.:[]/@-ax%*", max_size=12), st.text("0123456789.:[]/@-ax%*", max_size=12))
@fuzz
def test_any_range_holds_or_is_refused(kind: str, within: str, value: str) -> None:
    with suppress(ManifestError):
        settle((LockedParameter(name="p", type=kind, within=(within,)),), {"p": value})
