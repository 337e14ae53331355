"""The table of types: every row of it holds, docs/types.md shows just that, and what it calls a gap is one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from ringfence.contract.errors import UsageError

from .gaps import GAPS, Gap, gap_of
from .graphs import MODES, Guests
from .rows import RESOURCES, TYPES, Row, differing
from .table import DOCUMENT, document
from .things import RULES, check


@pytest.mark.parametrize("row", TYPES, ids=lambda row: row.title)
def test_values_at_the_limits_come_back(guests: Guests, row: Row) -> None:
    """Where a width, an alignment, a discriminant or a terminator is taken wrongly, it is there."""
    assert differing(guests, row) == {}


@pytest.mark.parametrize("row", RESOURCES, ids=lambda row: row.title)
def test_resources_pass_through_every_place(guests: Guests, row: Row) -> None:
    assert differing(guests, row) == {}


def test_the_document_is_what_a_run_finds(guests_of: Callable[[str], Guests]) -> None:
    """Written anew by `just types`."""
    assert document(map(guests_of, MODES)) == DOCUMENT.read_text("utf-8")


@pytest.mark.parametrize("gap", [gap for gap in GAPS if not gap.slow], ids=lambda gap: gap.what)
def test_a_gap_is_one(gap: Gap, tmp_path: Path) -> None:
    """`just types` looks at the slow ones as well."""
    assert gap.proof(tmp_path) is not None


def test_what_a_gap_excuses_does_not_hold(guests: Guests) -> None:
    """Else it would hide what has been mended since."""
    for title, rule in RULES.items():
        for way in guests.ways:
            if rule.applies(way) and gap_of(title, way) is not None:
                with pytest.raises((AssertionError, UsageError)):
                    check(rule, guests, way)
