"""Additions to graph.yaml keep what a person wrote around them: every comment, quote and line end, in whatever layout."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st
from ringfence_composer.manifest.edit import flow, with_item, with_key
from ringfence_composer.manifest.source import parse_document

TEXTS = {
    "flow": ("a: { b: [x, y] }\n", "a: { b: [x, y, z] }\n"),
    "flow-empty": ("a: { b: [] } # why\n", "a: { b: [z] } # why\n"),
    "flow-comma-behind": ("a: { b: [x, y,] }\n", "a: { b: [x, y, z,] }\n"),
    "flow-in-lines": (
        "a:\n  b: [\n    x, # one\n    y # two\n  ]\nc: 1\n",
        "a:\n  b: [\n    x, # one\n    y,\n    z # two\n  ]\nc: 1\n",
    ),
    "block": (
        "a:\n  b:\n    - x # one\n    - y # two\n\n# end\nc: 1\n",
        "a:\n  b:\n    - x # one\n    - y # two\n    - z\n\n# end\nc: 1\n",
    ),
    "block-at-the-keys-indent": ("a:\n  b:\n  - x\n  - y\n", "a:\n  b:\n  - x\n  - y\n  - z\n"),
    "block-of-mappings": (
        "a:\n  b:\n    - k: 1\n      l: { m: 2 }  # m\nc: 1\n",
        "a:\n  b:\n    - k: 1\n      l: { m: 2 }  # m\n    - z\nc: 1\n",
    ),
    "block-of-lists": ("a:\n  b:\n    - - 1\n      - 2 # two\n", "a:\n  b:\n    - - 1\n      - 2 # two\n    - z\n"),
    "without-line-end": ("a:\n  b:\n    - x", "a:\n  b:\n    - x\n    - z"),
    "windows": ("a:\r\n  b:\r\n    - x # one\r\nc: 1\r\n", "a:\r\n  b:\r\n    - x # one\r\n    - z\r\nc: 1\r\n"),
    "quoted-brackets": ('a: { b: ["x]", "y, #"] }\n', 'a: { b: ["x]", "y, #", z] }\n'),
    "nothing": ("a:\n  b:\nc: 1\n", "a:\n  b: [z]\nc: 1\n"),
    "nothing-but-a-remark": ("a:\n  b: # later\nc: 1\n", "a:\n  b: [z] # later\nc: 1\n"),
    "text-in-lines": ("a:\n  b:\n    - |\n      x\n      y\nc: 1\n", "a:\n  b:\n    - |\n      x\n      y\n    - z\nc: 1\n"),
}


@pytest.mark.parametrize(("before", "after"), TEXTS.values(), ids=TEXTS)
def test_an_item_goes_to_the_end_of_its_list(before: str, after: str) -> None:
    assert with_item(before, ("a", "b"), "z") == after


@pytest.mark.parametrize(
    ("before", "path", "after"),
    [
        ("a: { b: 1 } # why\n", ("a",), "a: { b: 1, z: [x] } # why\n"),
        ("a: {}\n", ("a",), "a: { z: [x] }\n"),
        ("a:\n  b: 1 # one\n  # more\nc: 1\n", ("a",), "a:\n  b: 1 # one\n  z: [x]\n  # more\nc: 1\n"),
        ("a:\n  - b: 1\n    c: 2\n  - d\n", ("a", 0), "a:\n  - b: 1\n    c: 2\n    z: [x]\n  - d\n"),
        ("a:\n  b: {\n    c: 1\n  }\n", ("a", "b"), "a:\n  b: {\n    c: 1,\n    z: [x]\n  }\n"),
        ("a: 1\n", (), "a: 1\nz: [x]\n"),
        ("a:\n", ("a",), "a: { z: [x] }\n"),
    ],
)
def test_a_key_goes_to_the_end_of_its_mapping(before: str, path: tuple[str | int, ...], after: str) -> None:
    assert with_key(before, path, "z", ["x"]) == after


class Written(yaml.SafeDumper):
    """Writes equal values out each time: graph.yaml takes no anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


LEAF = st.one_of(st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=8), st.integers(-9, 9), st.booleans())
KEY = st.sampled_from(["a", "b", "c-d", "e f", "no"])
VALUE = st.recursive(LEAF, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEY, inner, max_size=3), max_leaves=8)


@given(data=st.dictionaries(KEY, VALUE, min_size=1, max_size=4), style=st.sampled_from([None, True, False]), item=VALUE)
def test_whatever_pyyaml_writes_can_be_added_to(data: dict[str, Any], style: bool | None, item: Any) -> None:
    """Its layouts are not all that people write, but they are many; what is read afterwards is what was meant."""
    data = {"list": [data], "mapping": data}
    text = yaml.dump(data, Dumper=Written, default_flow_style=style, sort_keys=False, width=30)
    listed = with_item(text, ("list",), item)
    assert parse_document(listed.encode(), "it").data == parse_document(flow({**data, "list": [data["list"][0], item]}).encode(), "it").data
    keyed = with_key(text, ("mapping",), "new-key", item)
    assert parse_document(keyed.encode(), "it").data["mapping"]["new-key"] == parse_document(flow([item]).encode(), "it").data[0]


@example(value='\U0001f418 \x7f \x85 \u2028 \u202e \ud7ff $$ \\ " \r\n\t\x1b')
@given(value=VALUE)
def test_what_is_written_in_one_line_is_read_as_it_was(value: Any) -> None:
    assert parse_document(flow({"it": value}).encode(), "it").data == {"it": value}
    assert flow(value).isascii()
