"""The JSON decoder in C stands for the one in Python that it replaced: no text tells them apart, by its document or by its error.

There is no list of differences, because there are none: kinds, messages and places of errors are equal, too.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from components.json_corpora import corpora
from hypothesis import example, given, settings
from hypothesis import strategies as st
from places import ROOT
from ringfence import Graph, GuestError, GuestTrap
from ringfence_composer.compose import compose_file

GRAPH = """
ringfence: 1
graph: peers
nodes:
  in-c: {{ component: {c}, instances: pooled, limits: {{ memory: 512MiB, output: 512MiB, deadline: 60s }} }}
  in-python: {{ component: {python}, instances: pooled, limits: {{ memory: 1GiB, output: 512MiB, deadline: 60s }} }}
expose: [in-c, in-python]
"""
LONGEST, DEEPEST, MOST = 16 * 1024 * 1024, 512, 1_000_000

Answer = tuple[str, str]
"""Which case, and all of it: by `repr`, which tells types and signs apart (`-0.0` is no `0.0`, True no 1)."""
Answers = Callable[[str], tuple[Answer, Answer]]
"""What the two make of a text."""


@contextmanager
def peers(folder: Path, c: Path) -> Iterator[Answers]:
    """Two decoders: that in the folder `c`, and the one in Python."""
    python = ROOT / "tests/components/json_in_python"
    (folder / "graph.yaml").write_text(GRAPH.format(c=os.path.relpath(c, folder), python=os.path.relpath(python, folder)))
    compose_file(folder / "graph.yaml")
    with Graph.load(folder / "graph.yaml") as graph:
        yield lambda text: (answer(graph, "in-c", text), answer(graph, "in-python", text))


def answer(graph: Graph, node: str, text: str) -> Answer:
    try:
        return "document", repr(graph.call(f"{node}.decode", text))
    except GuestError as error:
        return str(error.value.kind), repr(error.value)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Answers]:
    with peers(tmp_path_factory.mktemp("peers"), ROOT / "components/json-decoder") as both:
        yield both


def agreed(both: Answers, text: str) -> str:
    """What they both make of it: `document`, or the kind of error."""
    in_c, in_python = both(text)
    assert in_c == in_python, text[:200]
    return in_c[0]


def test_no_text_of_the_corpora_tells_them_apart(both: Answers) -> None:
    told = 0
    for text in corpora().values():
        try:
            whole = text.decode()
        except UnicodeDecodeError:
            continue
        told += agreed(both, whole) != "document"
    assert told > 200, "most are refused, and for each the place and the words are the same"


texts = st.text(st.characters(codec="utf-8"))
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner) | st.dictionaries(texts, inner),
    max_leaves=40,
)
pieces = [*'[]{}",:\\0123456789eE.+-/ \t\n\r\0abé😀', *("null", "true", "NaN", "Infinity", '"a"', '{"a":', ',"a":', '"b":', "[1,", "1.5e3")]
pieces += ["\\n", "\\u", "\\u00e9", "\\ud83d", "\\ude00", "\\uD800", "\\x", "123456789012345678901234567890", "1e400", "-0", "\ufeff"]
broken = st.lists(st.sampled_from(pieces), max_size=40).map("".join)


@settings(deadline=None, max_examples=1000)
@given(text=broken)
def test_no_text_of_odd_pieces_tells_them_apart(both: Answers, text: str) -> None:
    agreed(both, text)


@settings(deadline=None, max_examples=300)
@given(value=values, indent=st.sampled_from([None, 1]), ascii_only=st.booleans(), data=st.data())
def test_no_json_tells_them_apart_nor_json_with_a_slip(both: Answers, value: Any, indent: int | None, ascii_only: bool, data: Any) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    assert agreed(both, text) == "document"
    place = data.draw(st.integers(0, len(text)))
    agreed(both, text[:place])
    agreed(both, text[:place] + data.draw(st.sampled_from(pieces)) + text[place + 1 :])


@settings(deadline=None, max_examples=300)
@given(names=st.lists(st.sampled_from(["", "a", "b", "ab", "\0", "é", "\\u00e9", "c" * 40, "c" * 39 + "d"]), max_size=60))
@example(names=["a", "b", "a"])
@example(names=[f"n{index % 40}" for index in range(200)])
def test_no_repeated_name_tells_them_apart(both: Answers, names: list[str]) -> None:
    """Few names are compared each with each, many are sorted; names may be equal by an escape only, and values of any size be dropped."""
    members = [f'"{name}": {[index, [[]], {"a": 1}][index % 3]}' for index, name in enumerate(n.replace("\0", "\\u0000") for n in names)]
    assert agreed(both, "{" + ", ".join(members).replace("'", '"') + "}") == "document"


@settings(deadline=None, max_examples=500)
@given(literal=st.from_regex(r"-?(0|[1-9][0-9]{0,400})(\.[0-9]{1,400})?([eE][+-]?[0-9]{1,4})?", fullmatch=True))
@example(literal="-0")
@example(literal="-0.0")
@example(literal="9223372036854775807")
@example(literal="9223372036854775808")
@example(literal="-9223372036854775808")
@example(literal="-9223372036854775809")
@example(literal="18446744073709551616")
@example(literal="1e400")
@example(literal="-1E400")
@example(literal="4.9406564584124654e-324")
@example(literal="2.2250738585072011e-308")
@example(literal="1" * 100_000)
def test_no_number_tells_them_apart(both: Answers, literal: str) -> None:
    """The nearest double, to the last bit, by yyjson as by CPython."""
    assert agreed(both, literal) == "document"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("[" * DEEPEST + "]" * DEEPEST, "document"),
        ("[" * (DEEPEST + 1) + "]" * (DEEPEST + 1), "too-deep"),
        ('{"a":' * DEEPEST + "1" + "}" * DEEPEST, "document"),
        ('{"a":' * (DEEPEST + 1) + "1" + "}" * (DEEPEST + 1), "too-deep"),
        ("[" * 5_000_000, "too-deep"),
        ('{"a": ' + "[" * DEEPEST + "]" * DEEPEST + ', "a": 1}', "too-deep"),
        ('{"a": ' + "[" * (DEEPEST - 1) + "]" * (DEEPEST - 1) + ', "a": 1}', "document"),
        ("[" * (DEEPEST + 1) + "]" * DEEPEST, "too-deep"),
        ('["a": ' + "[" * (DEEPEST + 1), "too-deep"),
        ("]" * 10 + "[" * (DEEPEST + 5), "syntax"),
        ('["' + "[" * 5000 + '"]', "document"),
        ('["' + "[" * 5000, "syntax"),
        ("[" + "1," * (MOST - 2) + "1]", "document"),
        ("[" + "1," * (MOST - 1) + "1]", "too-large"),
        ("," * (MOST + 1), "too-large"),
        ("[" + "1," * (MOST - 2) + "]", "syntax"),
        ("[" + "1," * (MOST - 2) + "[]]", "too-large"),
        ('["' + "," * MOST + '", ' + "1," * 10 + "1]", "document"),
        ('"' + "," * (MOST + 1) + '"', "document"),
        ('"' + "a" * (LONGEST - 2) + '"', "document"),
        ('"' + "a" * (LONGEST - 1) + '"', "too-large"),
        ('"' + "é" * (LONGEST - 2) + '"', "document"),
        ('\n"' + "😀" * (LONGEST - 2) + '"', "too-large"),
    ],
    ids=lambda value: f"{len(value)} characters" if isinstance(value, str) and len(value) > 12 else str(value),
)
def test_no_bound_tells_them_apart(both: Answers, text: str, kind: str) -> None:
    assert agreed(both, text) == kind


def spoilt(folder: Path, file: str, right: str, wrong: str) -> Path:
    """The decoder in C with one line of its source as it must not be."""
    shutil.copytree(ROOT / "wit/json", folder / "wit/json")
    component = folder / "components/spoilt"
    shutil.copytree(ROOT / "components/json-decoder", component)
    source = component / "src" / file
    assert right in source.read_text()
    source.write_text(source.read_text().replace(right, wrong))
    return component


def test_a_decoder_that_differs_in_one_rule_is_told_apart(tmp_path: Path) -> None:
    """The control of all the above: this one keeps every member, as yyjson does."""
    with peers(tmp_path, spoilt(tmp_path, "tree.c", "if (any_repeated(frame->members, written))", "if (false)")) as found:
        in_c, in_python = found('{"a": 1, "a": 2}')
        assert in_c != in_python
        assert agreed(found, '{"a": 1, "b": 2}') == "document"


def test_an_instance_in_c_gives_back_what_each_answer_took(tmp_path: Path) -> None:
    """A pooled one lives for many calls. The control: one that keeps its documents has no memory left before long."""
    spoilt(tmp_path, "decoder.c", "yyjson_doc_free(answer.document);", "")
    (tmp_path / "graph.yaml").write_text(
        """
ringfence: 1
graph: lasting
nodes:
  sound: { component: SOUND, instances: pooled, limits: { memory: 16MiB, deadline: 60s } }
  spoilt: { component: components/spoilt, instances: pooled, limits: { memory: 16MiB, deadline: 60s } }
expose: [sound, spoilt]
""".replace("SOUND", os.path.relpath(ROOT / "components/json-decoder", tmp_path))
    )
    compose_file(tmp_path / "graph.yaml")
    text = json.dumps(["x" * 100_000] * 10)
    with Graph.load(tmp_path / "graph.yaml") as graph:
        with pytest.raises(GuestTrap):
            for _ in range(30):
                graph.call("spoilt.decode", text)
        for _ in range(30):
            assert len(graph.call("sound.decode", text).nodes) == 11
