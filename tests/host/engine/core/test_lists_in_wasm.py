"""Lists of numbers that pass between two instances of one merged module are copied at once, and arrive as they were.

The translator's adapters copy them one by one, which took a byte list longer in wasm than by way of the host.
"""

import re
import struct

import pytest
from host.engine.conftest import Call
from host.engine.relay import BORDER
from ringfence.contract.errors import GuestTrap
from ringfence.contract.limits import Limits
from ringfence_composer.toolchain import Toolchain

WIDTHS = {"u8": 1, "s8": 1, "u16": 2, "s16": 2, "u32": 4, "s32": 4, "f32": 4, "u64": 8, "s64": 8, "f64": 8}
CHECKED = {"bool": [True, False], "char": ["a", "\U0010ffff"]}
"""What may hold no other bits than some is looked at one by one."""


def text(kind: str) -> str:
    """Both borders, the host's and that between the two, with lists of this."""
    return BORDER.replace('(param "text" string)', f'(param "text" (list {kind}))').replace("(list u8)", f"(list {kind})")


def numbers(kind: str, count: int) -> list[float]:
    if kind.startswith("f"):
        return [struct.unpack("<f", struct.pack("<f", number * 0.37 - 5))[0] for number in range(count)]
    bits = WIDTHS[kind] * 8
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if kind.startswith("s") else (0, (1 << bits) - 1)
    return [(low, high, low + number % (high - low))[number % 3] for number in range(count)]


@pytest.mark.parametrize("kind", WIDTHS)
@pytest.mark.parametrize("count", [0, 1, 3, 1000])
def test_numbers_arrive_as_they_were(link, kind, count):
    instance = link(text(kind)).instantiate(Limits(), Call())
    try:
        given = numbers(kind, count)
        assert list(instance.call(("", "give"), (bytes(given) if kind == "u8" else given,), Call())) == given
    finally:
        instance.close()


@pytest.mark.parametrize("kind", [*WIDTHS, *CHECKED])
def test_adapters_copy_at_once_what_may_hold_any_bits(assemble, kind):
    """Should the translator come to write its loops otherwise, this fails: then they would be slow again, unnoticed."""
    wat = Toolchain().wat(assemble(text(kind)).module)
    adapters = re.findall(r'\n  \(func \$"?\[adapter\].*?\n  \)', wat, re.DOTALL)
    assert adapters
    copied = [("memory.copy" in one, "loop" in one) for one in adapters]
    assert copied == [(kind in WIDTHS, kind in CHECKED)] * len(adapters)


@pytest.mark.parametrize("kind", CHECKED)
def test_what_may_not_hold_any_bits_is_still_checked(link, kind):
    instance = link(text(kind)).instantiate(Limits(), Call())
    try:
        assert instance.call(("", "give"), (CHECKED[kind],), Call()) == CHECKED[kind]
    finally:
        instance.close()


def test_a_surrogate_among_chars_is_refused(link):
    """Handed on raw: the caller's list of u32 is the callee's list of char."""
    raw = text("char").replace('(func (export "give") (param "bytes" (list char))', '(func (export "give") (param "bytes" (list u32))')
    linked = link(raw)
    for number, good in ((0x61, True), (0xD800, False), (0x110000, False)):
        instance = linked.instantiate(Limits(), Call())
        try:
            if good:
                assert instance.call(("", "give"), ([number],), Call()) == [chr(number)]
            else:
                with pytest.raises(GuestTrap):
                    instance.call(("", "give"), ([number],), Call())
        finally:
            instance.close()
