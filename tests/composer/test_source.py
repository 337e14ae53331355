"""YAML is read as an authority: nothing in it is guessed, and whatever is ambiguous is refused with its place."""

from __future__ import annotations

import json
import os
import time
from contextlib import suppress
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from ringfence.contract.errors import ManifestError
from ringfence_composer.manifest.source import MAX_BYTES, Document, parse_document, quoted, read_document, show_path


def parse(text: str | bytes) -> Document:
    return parse_document(text.encode() if isinstance(text, str) else text, "graph.yaml")


def problems(text: str | bytes) -> list[str]:
    try:
        return [str(one) for one in parse(text).problems]
    except ManifestError as error:
        return [str(one) for one in error.problems]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("on", "on"),
        ("22:22", "22:22"),
        ("2026-01-01", "2026-01-01"),
        ("0.16.0", "0.16.0"),
        ("0o17", 15),
        ("0x1F", 31),
        ("1_000", "1_000"),
        ("+12", 12),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("True", True),
        ("~", None),
        ("", None),
        ("'1'", "1"),
        ('"true"', "true"),
        ("! 12", "12"),
        ("=", "="),
    ],
)
def test_scalars_have_the_types_of_the_core_schema_of_yaml_1_2(text: str, value: object) -> None:
    """YAML 1.1, which PyYAML reads, turns `no` into False and `22:22` into 1342."""
    assert parse(f"a: {text}").data == {"a": value}


def test_every_value_and_key_has_its_place() -> None:
    document = parse("a:\n  - b\n  - {c: 1}\n")
    assert document.marks[("a", 1, "c")] == (3, 9)
    assert document.keys[("a", 1, "c")] == (3, 6)
    assert document.marks[("a",)] == (2, 3)
    assert str(document.problem(("a", 1, "c"), "bad")) == "graph.yaml:3:9: a[1].c: bad"
    assert document.where(("a", 0)) == "graph.yaml:2"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3", "graph.yaml:3:1: a: duplicate key, first written in line 1"),
        ("a: &x 1\nb: *x", "graph.yaml:1:4: a: anchors are not allowed, found &x"),
        ("a: !!str 1", "graph.yaml:1:4: a: tags are not allowed, found '!!str'"),
        ("a: !!python/object:os.system {}", "graph.yaml:1:4: a: tags are not allowed, found '!!python/object:os.system'"),
        ("<<: {a: 1}", "graph.yaml:1:1: merge keys are not allowed, found '<<'"),
        ("a: 1\n---\nb: 2", "graph.yaml:2:1: found a second document ('---'), expected one"),
        ("1: a", "graph.yaml:1:1: a key must be text, found 1"),
        ("? [a]\n: b", "graph.yaml:1:3: a key must be plain text"),
        ("a:\n\tb: 1", "graph.yaml:2:1: found a tab where YAML wants spaces"),
        ("a: 017", "graph.yaml:1:4: a: 017 is read as different numbers by different programs"),
        ("a: .inf", "graph.yaml:1:4: a: expected a finite number, found .inf"),
        ("a: " + "9" * 5000, "graph.yaml:1:4: a: the number is too large"),
        ("a: 1e999", "graph.yaml:1:4: a: the number is too large"),
        ("", "graph.yaml:1:1: the file is empty"),
        ("# only a comment\n", "graph.yaml:1:1: the file is empty"),
        ("a: b: c", "graph.yaml:1:5: not YAML: mapping values are not allowed here"),
        ("a: [1", "graph.yaml:1:6: not YAML: expected ',' or ']', but got '<stream end>'"),
        (b"\xef\xbb\xbfa: 1", "graph.yaml:1:1: begins with a byte order mark"),
        ("a: 1".encode("utf-16"), "graph.yaml: expected UTF-8, found UTF-16"),
        (b"a: 1\nb: \xff", "graph.yaml:2:4: expected UTF-8, found the byte 0xff"),
        ("a: \x1b[31m", "graph.yaml:1:4: found the control or invisible character U+001B"),
        ("a: \u202egpj", "graph.yaml:1:4: found the control or invisible character U+202E"),
        ('a: "\\ud83d\\ude00"', "graph.yaml:1:4: a: half of a surrogate pair is no character"),
        ("a: " + "[" * 100 + "]" * 100, "graph.yaml:1:35: a: nested deeper than 32"),
    ],
)
def test_what_is_ambiguous_or_dangerous_is_refused(text: str | bytes, message: str) -> None:
    assert problems(text)[0].split("\n")[0] == message


def test_all_problems_of_the_reader_are_told_at_once() -> None:
    found = problems("a: &x 1\nb: *x\na: !t {deep: [1, {a: 2}]}\nc: {d: 1, d: 2}\n")
    assert [one.split(": ")[0] for one in found] == [
        "graph.yaml:1:4",
        "graph.yaml:2:4",
        "graph.yaml:3:1",
        "graph.yaml:3:4",
        "graph.yaml:4:11",
    ]


def test_what_follows_a_left_out_value_keeps_its_place() -> None:
    """A duplicate's value is left out whole; the reader must not take its inside for its neighbours."""
    found = problems("a: 1\na: {x: [1, 2], y: {z: 1}}\nb: 2\nb: 3\n")
    assert [one.split("\n")[0] for one in found] == [
        "graph.yaml:2:1: a: duplicate key, first written in line 1",
        "graph.yaml:4:1: b: duplicate key, first written in line 3",
    ]


def test_what_leaves_the_rest_readable_is_told_with_it() -> None:
    """A duplicate key must not hide a wrong limit further down."""
    document = parse("a: 1\na: 2\nb: !t 3\n")
    assert (document.data, len(document.problems)) == ({"a": 1, "b": 3}, 2)


def test_a_file_larger_than_the_bound_is_refused(tmp_path: Path) -> None:
    (tmp_path / "graph.yaml").write_bytes(b"a: 1" + b" " * (MAX_BYTES - 4))
    assert read_document(tmp_path / "graph.yaml").data == {"a": 1}
    with (tmp_path / "graph.yaml").open("ab") as file:
        file.write(b" ")
    with pytest.raises(ManifestError, match="cannot read it: it is larger than 1 MiB"):
        read_document(tmp_path / "graph.yaml")


def test_deep_nesting_is_refused_quickly_and_without_recursion() -> None:
    """PyYAML's own composer recurses, so that 10,000 brackets end in a RecursionError."""
    start = time.monotonic()
    assert "nested deeper" in problems("a: " + "[" * 500_000)[0]
    assert time.monotonic() - start < 5


def test_guest_text_in_a_message_is_escaped_and_cut() -> None:
    assert quoted("a\x1b[31m") == "'a\\x1b[31m'"
    assert len(quoted("x" * 1000)) < 70
    assert show_path(("nodes", "a.b\n", "x")) == "nodes['a.b\\n'].x"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**62), 2**62) | st.text(st.characters(categories=["L", "N", "P"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abcdef", min_size=1), inner, max_size=4),
    max_leaves=20,
)


@given(JSON)
def test_json_is_read_as_json(data: object) -> None:
    """JSON is YAML 1.2: whatever a program writes as JSON arrives as it was."""
    assert parse(json.dumps(data, ensure_ascii=False)).data == data


@given(st.dictionaries(st.text("abc: ", min_size=1), st.text(st.characters(categories=["L"])), max_size=5))
def test_what_pyyaml_writes_is_read_back(data: dict[str, str]) -> None:
    assert parse(yaml.safe_dump(data)).data == data


@given(st.binary(max_size=200) | st.text("ab:-[]{}&*!|>'\"#?,%@` \n\t0", max_size=80).map(str.encode))
def test_any_bytes_give_a_document_or_a_manifest_error(raw: bytes) -> None:
    with suppress(ManifestError):
        assert () in parse(raw).marks


def test_a_file_full_of_problems_is_read_in_good_time():
    """The time must not grow with the square of their number."""
    started = time.monotonic()
    assert len(problems("\n".join(f"&a{number} k{number}: !t 1" for number in range(4000)))) == 8000
    assert time.monotonic() - started < 5


def test_a_manifest_that_is_a_pipe_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "graph.yaml")
    with pytest.raises(ManifestError, match="no regular file"):
        read_document(tmp_path / "graph.yaml")
