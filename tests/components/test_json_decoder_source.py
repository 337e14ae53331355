"""The source of the JSON decoder in Python against CPython's own `json`, its bounds and its positions."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

DEPTH = 512


@pytest.fixture
def decode(json_guest: Any) -> Any:
    return json_guest["app"].Decoder().decode


def plain(document: Any, index: int = 0) -> Any:
    """A document as Python's `json` would give it, but floats as their literals."""
    node = document.nodes[index]
    match type(node).__name__:
        case "Node_Null":
            return None
        case "Node_Array":
            return [plain(document, child) for child in node.value]
        case "Node_Object":
            return {member.name: plain(document, member.value) for member in node.value}
        case "Node_BigInteger":
            return int(node.value)
        case "Node_Float":
            return node.value.literal
        case _:
            return node.value


def refusal(decode: Any, text: str) -> Any:
    """The WIT error for a text that must be refused."""
    with pytest.raises(Exception) as caught:
        decode(text)
    assert type(caught.value).__name__ == "Err"
    return caught.value.value


# No surrogates: a WIT string cannot hold them.
texts = st.text(st.characters(codec="utf-8"))
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner) | st.dictionaries(texts, inner),
    max_leaves=20,
)


@settings(deadline=None)
@given(value=values, indent=st.sampled_from([None, 2]), ascii_only=st.booleans())
def test_whatever_json_writes_comes_back_the_same(json_guest, value, indent, ascii_only):
    """Numbers of any size, escapes and nesting survive; floats keep their literal."""
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    decoded = plain(json_guest["app"].Decoder().decode(text))
    assert decoded == json.loads(text, parse_float=str)


@given(value=values)
def test_a_document_is_a_tree_in_pre_order(json_guest, value):
    """Readers rely on it: no recursion, no cycle, no node shared."""
    document = json_guest["app"].Decoder().decode(json.dumps(value))
    seen = []
    for index, node in enumerate(document.nodes):
        held = getattr(node, "value", None)
        children = held if type(node).__name__ == "Node_Array" else [m.value for m in held] if type(node).__name__ == "Node_Object" else []
        assert all(child > index for child in children)
        seen += children
    assert sorted(seen) == list(range(1, len(document.nodes)))


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("9223372036854775807", "Integer", 2**63 - 1),
        ("9223372036854775808", "BigInteger", "9223372036854775808"),
        ("-9223372036854775808", "Integer", -(2**63)),
        ("-9223372036854775809", "BigInteger", "-9223372036854775809"),
        ("-0", "Integer", 0),
        ("1" * 100_000, "BigInteger", "1" * 100_000),
    ],
)
def test_integers_of_any_size_survive(decode, text, kind, value):
    """`int` refuses more than 4,300 digits: a decoder built on it alone would fail on them."""
    (node,) = decode(text).nodes
    assert (type(node).__name__, node.value) == (f"Node_{kind}", value)


@pytest.mark.parametrize(
    ("text", "value"), [("0.10", 0.1), ("1e400", float("inf")), ("-1E-400", -0.0), ("123456789.123456789123", 123456789.12345679)]
)
def test_floats_keep_their_literal(decode, text, value):
    (node,) = decode(text).nodes
    assert (node.value.value, node.value.literal) == (value, text)


def test_the_last_of_repeated_names_counts_at_the_place_of_the_first(decode):
    document = decode('{"a": 1, "b": 2, "a": [3]}')
    assert list(plain(document).items()) == [("a", [3]), ("b", 2)]


@pytest.mark.parametrize(
    ("text", "message", "offset", "line", "column"),
    [
        ("", "Expecting value", 0, 1, 1),
        ('{"a": 1,\n "b": }', "Expecting value", 15, 2, 7),
        ('["ü😀",\n\n x]', "Expecting value", 9, 3, 2),
        ("1 2", "Extra data", 2, 1, 3),
        ('"a\nb"', "Invalid control character at", 2, 1, 3),
        ("\ufeff1", "Unexpected UTF-8 BOM (decode using utf-8-sig)", 0, 1, 1),
        ('["NaN, Infinity", -Infinity]', "NaN and Infinity are not JSON", 18, 1, 19),
        ("NaN", "NaN and Infinity are not JSON", 0, 1, 1),
    ],
)
def test_errors_name_line_and_column(decode, text, message, offset, line, column):
    error = refusal(decode, text)
    assert (error.kind.name, error.message, error.offset, error.line, error.column) == ("SYNTAX", message, offset, line, column)


@given(text=st.text(alphabet='[]{}",:\\u0123abdNInfty -.e\n', max_size=60))
def test_it_refuses_what_json_refuses(json_guest, text):
    """Never another exception than the WIT error, and never a wider language than CPython's."""
    try:
        json.loads(text, parse_constant=lambda _: 1 / 0)
        valid = True
    except (ValueError, ZeroDivisionError):
        valid = False
    kind = outcome(json_guest, text)
    assert kind in ({None, "LONE_SURROGATE"} if valid else {"SYNTAX"})


def outcome(json_guest: Any, text: str) -> str | None:
    """The kind of error a text is refused with, None where it is not."""
    try:
        json_guest["app"].Decoder().decode(text)
    except json_guest["componentize_py_types"].Err as error:
        return str(error.value.kind.name)
    return None


@pytest.mark.parametrize(("open_", "close"), [("[", "]"), ('{"a":', "}")])
def test_depth_is_bounded(decode, open_, close):
    """One deeper than the bound is refused before CPython's scanner recurses on the C stack."""
    inner = "1" if open_ != "[" else ""
    assert len(decode(open_ * DEPTH + inner + close * DEPTH).nodes) == DEPTH + len(inner)
    error = refusal(decode, open_ * (DEPTH + 1) + inner + close * (DEPTH + 1))
    assert (error.kind.name, error.offset) == ("TOO_DEEP", DEPTH * len(open_))


def test_brackets_in_strings_are_not_depth(decode):
    text = json.dumps(["[" * 5000, '{"' * 5000, "\\" * 5001])
    assert plain(decode(text)) == json.loads(text)


def test_an_unclosed_string_full_of_brackets_is_a_syntax_error(decode):
    assert refusal(decode, '["' + "[" * 5000).kind.name == "SYNTAX"


def test_the_number_of_values_is_bounded(decode, json_guest, monkeypatch):
    """A text of commas would otherwise become a tree a hundred times its size."""
    monkeypatch.setattr(json_guest["tree"], "MAX_VALUES", 5)
    assert len(decode("[1,2,3]").nodes) == 4
    assert refusal(decode, "[1,2,3,4,5]").kind.name == "TOO_LARGE"


def test_the_length_is_bounded(decode, json_guest, monkeypatch):
    monkeypatch.setattr(json_guest["tree"], "MAX_CHARACTERS", 5)
    assert refusal(decode, "[1, 2]").kind.name == "TOO_LARGE"


@pytest.mark.parametrize(
    ("text", "offset"),
    [
        (r'"\ud800"', 1),
        (r'"\udc00"', 1),
        (r'["ok", "\ud83d\ude00 \udfff"]', 21),
        (r'"\ud83d\ud83d\ude00"', 1),
        (r'"\ud83d\n\ude00"', 1),
        (r'{"\ud800x": 1}', 2),
        (r'["\ud800", "\udc00"]', 2),
    ],
)
def test_half_a_surrogate_pair_is_refused(decode, text, offset):
    """CPython makes a string of it that no WIT string can hold: the guest would trap."""
    error = refusal(decode, text)
    assert (error.kind.name, error.offset) == ("LONE_SURROGATE", offset)


@pytest.mark.parametrize("text", [r'"\ud83d\ude00"', r'"\uD83D\uDE00"', r'"\\ud800"', r'"\\\ud83d\ude00"'])
def test_whole_pairs_and_escaped_backslashes_are_fine(decode, text):
    assert plain(decode(text)) == json.loads(text)
