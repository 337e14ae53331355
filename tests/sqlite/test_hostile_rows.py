"""What a component answers in place of rows costs the host no more than what came."""

from types import SimpleNamespace

import pytest
from ringfence.contract.values import Case
from ringfence.dbapi.exceptions import InternalError
from ringfence.dbapi.sqlite.rows import rows_of

DATA = b"x" * 1000


def batch(kind: str, ends: list[int]) -> Case:
    values = Case(kind, SimpleNamespace(bytes=DATA, ends=ends))
    return Case("columns", SimpleNamespace(columns=[SimpleNamespace(values=values, nulls=[])]))


@pytest.mark.parametrize("factory", [str, bytes])
@pytest.mark.parametrize("kind", ["texts", "blobs"])
def test_values_that_overlap_are_refused(kind, factory):
    """Some megabytes would otherwise become terabytes, in the host's memory and after the deadline."""
    with pytest.raises(InternalError, match="malformed"):
        list(rows_of(batch(kind, [999, 0, 999]), factory, (), ["a"]))
    found = list(rows_of(batch(kind, [0, 400, 400, 1000]), factory, (), ["a"]))
    assert [len(value) for (value,) in found] == [0, 400, 0, 600], "the control"
