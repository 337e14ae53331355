"""The guests' graphs, each composed and loaded once for all tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache

import pytest
from ringfence import Graph

from .graphs import MODES, Guests, compose


@pytest.fixture(scope="session")
def guests_of(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Guests]]:
    """`guests_of(mode)`: the guests of a mode."""
    with ExitStack() as stack:

        @cache
        def loaded(mode: str) -> Guests:
            return Guests(mode, stack.enter_context(Graph.load(compose(mode, tmp_path_factory.mktemp("types") / mode))))

        yield loaded
        assert not any(loaded(mode).graph.all_denials for mode in MODES), "they ask for nothing"


@pytest.fixture(scope="session", params=MODES)
def guests(request: pytest.FixtureRequest, guests_of: Callable[[str], Guests]) -> Guests:
    """The guests of one mode; whatever uses it runs in all of them."""
    return guests_of(request.param)
