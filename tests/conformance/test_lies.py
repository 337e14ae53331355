"""What a language lets pass that is no value of its type, and what is too much for a guest: typed errors, and the next call works."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from places import ROOT
from ringfence import Graph, GuestTrap, LimitExceeded
from ringfence_composer.compose import compose_file

from .graphs import ALONE, LANGUAGES

LIMITS = "limits: { memory: 96MiB, deadline: 60s }, instances: single"
GRAPH = """ringfence: 1
graph: lies
nodes:
{nodes}
expose: [{exposed}]
"""


@pytest.fixture(scope="module", params=ALONE)
def lane(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def liars(lane: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Graph]:
    folder: Path = tmp_path_factory.mktemp("lies")
    here = os.path.relpath(ROOT / "tests" / "conformance", folder)
    nodes = "\n".join(f"  {one}: {{ component: {here}/{one}/liar, lane: {lane}, {LIMITS} }}" for one in LANGUAGES)
    (folder / "graph.yaml").write_text(GRAPH.format(nodes=nodes, exposed=", ".join(LANGUAGES)), "utf-8")
    compose_file(folder / "graph.yaml")
    with Graph.load(folder / "graph.yaml") as graph:
        yield graph


TRAP, ANY = object(), object()
"""A typed failure; a typed failure or some value of the type, as the compiler would have it."""
MANY = frozenset(f"b{number}" for number in range(9))
EXPECTED: dict[str, dict[str, Any]] = {
    "half-a-character": {},
    "no-text": {},
    "half-inside": {},
    "surrogate": {},
    "beyond-unicode": {},
    "no-label": {},
    "no-label-of-many": {},
    "no-case": {"rust": ANY},
    # The canonical ABI drops the bits behind the last flag, and takes any byte but 0 for true.
    "more-flags": dict.fromkeys(LANGUAGES, MANY),
    "strange-bool": dict.fromkeys(LANGUAGES, ANY),
    # A cast, in languages that have them.
    "too-large": {"rust": 44, "c": 44},
    "too-small": {"rust": -44, "c": -44},
    "long-list": {},
}
"""What comes of each lie by language; where nothing stands, a trap."""


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", EXPECTED)
def test_a_value_that_is_none_of_its_type_is_a_typed_error(liars: Graph, name: str, language: str) -> None:
    expected = EXPECTED[name].get(language, TRAP)
    if expected is TRAP:
        with pytest.raises(GuestTrap) as trap:
            liars.call(f"{language}.{name}")
        assert trap.value.node == language
    elif expected is ANY:
        with suppress(GuestTrap):
            liars.call(f"{language}.{name}")
    else:
        assert liars.call(f"{language}.{name}") == expected
    assert liars.call(f"{language}.truth") == "true"


MUCH: dict[str, tuple[Any, Any, Any]] = {
    "much": (1 << 20, b"\7" * (1 << 20), 200 << 20),
    "many-lists": (5, [b"", b"\7", b"\7\7", b"", b"\7"], 3_000_000),
    "length": ([b"a", b"bc"], 3, [b"x" * (1 << 20)] * 100),
    "deep": (100, 100, 10_000_000),
}
"""What is well, its answer, and what is too much."""


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", MUCH)
def test_what_is_too_much_for_a_guest_is_a_typed_error(liars: Graph, lane: str, name: str, language: str) -> None:
    """Memory in one piece and in many, given and got, and calls within calls."""
    if lane == "component" and name == "length":
        pytest.skip("that lane takes more than a second for each MB of bytes")
    well, answer, too_much = MUCH[name]
    assert liars.call(f"{language}.{name}", well) == answer
    with pytest.raises((GuestTrap, LimitExceeded)) as failed:
        liars.call(f"{language}.{name}", too_much)
    assert failed.value.node == language
    assert liars.call(f"{language}.truth") == "true"


def test_a_size_that_wraps_around_is_no_way_out_of_memory(liars: Graph) -> None:
    """`malloc(size + 1)` of the largest size is `malloc(0)` in C, and what is then written overruns everything."""
    for language in LANGUAGES:
        with pytest.raises((GuestTrap, LimitExceeded)):
            liars.call(f"{language}.much", 0xFFFFFFFF)
        assert liars.call(f"{language}.truth") == "true"
