"""Any value of any WIT type, through a guest in each language and through each pair of them: what goes in comes back, to the last bit."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from .graphs import Guests, expected
from .limits import values
from .rows import ECHOES

QUICK = settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.parametrize("name", ECHOES)
def test_any_value_comes_back(guests: Guests, name: str) -> None:
    kind = guests.function(name)

    @QUICK
    @given(st.tuples(*(values(one) for _, one in kind.params)))
    def comes_back(given_values: tuple[Any, ...]) -> None:
        wanted = expected(kind, given_values)
        found = {way.column: guests.outcome(way, name, given_values) for way in guests.ways}
        assert {column: outcome for column, outcome in found.items() if outcome != wanted} == {}

    comes_back()
