"""UTF-8 that passes between two instances of one merged module is judged in wasm as Python judges it, and copied whole.

A hostile instance hands on whatever bytes it likes as a string; a wrong judgement would hand its neighbour a string that is none.
"""

import itertools

import pytest
from host.engine.conftest import Call
from host.engine.relay import BORDER
from hypothesis import example, given, settings
from hypothesis import strategies as st
from ringfence.contract.errors import GuestTrap
from ringfence.contract.limits import Limits

EDGES = bytes(
    [0x00, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC, 0xED, 0xEE, 0xEF, 0xF0, 0xF1]
)
HIGH = bytes([0xF3, 0xF4, 0xF5, 0xF8, 0xFF])


class Border:
    """An instance of the border; a new one after each trap."""

    def __init__(self, link):
        self.linked, self.instance = link(BORDER), None

    def __call__(self, data: bytes) -> bytes | None:
        """What arrived; None where it was refused."""
        if self.instance is None or self.instance.trapped:
            self.instance = self.linked.instantiate(Limits(), Call())
        try:
            return self.instance.call(("", "give"), (data,), Call())
        except GuestTrap as trap:
            if "invalid utf" in str(trap):
                return None
            raise


@pytest.fixture(scope="module")
def border(link):
    made = Border(link)
    yield made
    made.instance.close()


def judged(data: bytes) -> bytes | None:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return data


def test_every_sequence_on_the_edges_of_what_is_utf8_is_judged_alike(border):
    """Table 3-7 of the Unicode standard has its exceptions exactly there: overlong forms, surrogates, the last code point."""
    kinds = EDGES + HIGH
    whole = [bytes(one) for length in (1, 2, 3) for one in itertools.product(kinds, repeat=length)]
    fours = [bytes((lead, *rest)) for lead in (0xF0, 0xF1, 0xF3, 0xF4, 0xF5) for rest in itertools.product(EDGES[3:10], repeat=3)]
    good = [one for one in (*whole, *fours) if judged(one) is not None]
    assert all(border(one) == one for one in good)
    bad = [one for one in (*whole, *fours) if judged(one) is None]
    wrong = [one for one in bad[:: max(1, len(bad) // 700)] if border(one) is not None]
    assert (len(good) > 300, wrong) == (True, [])


@settings(max_examples=300, deadline=None)
@example("a" * 8 + "é" + "b" * 7 + "€" + "c" * 9 + "😀")
@example("")
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
def test_any_text_arrives_as_it_was(border, text):
    data = text.encode()
    assert border(data) == data


@settings(max_examples=300, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=20), st.binary(max_size=6), st.text("ab€", max_size=20))
def test_any_bytes_are_judged_as_python_judges_them(border, before, middle, after):
    data = before.encode() + middle + after.encode()
    assert border(data) == judged(data)


def test_a_long_text_is_cut_nowhere(border):
    """Eight bytes at a time where all are ASCII, and one character otherwise: every place at which the two meet."""
    for place in range(20):
        data = b"x" * place + "ä".encode() + b"y" * (100_000 - place)
        assert border(data) == data
        assert border(data[:-1] + b"\xc3") is None
