"""Lists of numbers cross in bulk: any buffer of them goes in as it is, and comes back as an array where that is asked for."""

import math
from array import array

import numpy as np
import pytest
from host.engine.conftest import LANES, Call, echo_text
from ringfence.contract.errors import ShapeError
from ringfence.contract.limits import Limits
from ringfence.contract.types import ListOf, OptionOf, Primitive, RecordOf, TupleOf

CODES = {"s8": "b", "s16": "h", "u16": "H", "s32": "i", "u32": "I", "s64": "q", "u64": "Q", "f32": "f", "f64": "d"}
NUMBERS = [3, 0, 7, 100]


@pytest.fixture
def echo(lane, assemble):
    """`echo(type)`: a function that passes a value through a guest and the host and gives it back, numbers as arrays."""
    opened = []

    def made(kind, *, arrays=True):
        engine = LANES[lane]()
        loaded = engine.load(assemble(echo_text(kind)))
        linked = engine.link(loaded, {("", "host"): lambda _, value: value}, arrays=arrays)
        opened.append(linked.instantiate(Limits(), Call()))
        return lambda value, instance=opened[-1]: instance.call(("", "echo"), (value,), Call())

    yield made
    for instance in opened:
        instance.close()


@pytest.mark.parametrize("name", CODES)
@pytest.mark.parametrize("make", [list, "array", "memoryview", "numpy", "strided"])
def test_every_buffer_of_numbers_goes_in_and_an_array_comes_out(echo, name, make):
    code = CODES[name]
    given = {
        list: lambda: list(NUMBERS),
        "array": lambda: array(code, NUMBERS),
        "memoryview": lambda: memoryview(array(code, NUMBERS)),
        "numpy": lambda: np.array(NUMBERS, np.dtype(code)),
        "strided": lambda: np.array([9 if index % 2 else NUMBERS[index // 2] for index in range(8)], np.dtype(code))[::2],
    }[make]()
    found = echo(ListOf(Primitive(name)))(given)
    assert type(found) is array
    assert (found.typecode, found.tolist()) == (code, NUMBERS)
    viewed = np.asarray(found)
    assert viewed.dtype == np.dtype(code)
    viewed[0] = 5
    assert found[0] == 5, "numpy took a copy"


def test_without_being_asked_for_lists_are_lists(echo):
    assert echo(ListOf(Primitive("u32")), arrays=False)(array("I", NUMBERS)) == NUMBERS


def test_arrays_stand_wherever_a_list_of_numbers_does_and_nowhere_else(echo):
    kind = RecordOf(
        (("numbers", OptionOf(ListOf(Primitive("f64")))), ("flags", ListOf(Primitive("bool"))), ("rows", ListOf(ListOf(Primitive("u16")))))
    )
    found = echo(kind)({"numbers": [1.5], "flags": [True, False], "rows": [[1, 2], []]})
    assert found.numbers == array("d", [1.5])
    assert found.flags == [True, False]
    assert found.rows == [array("H", [1, 2]), array("H")]
    assert echo(ListOf(Primitive("u8")))(b"\x01\xff") == b"\x01\xff"
    assert echo(TupleOf((ListOf(Primitive("char")),)))((["a"],)) == (["a"],)


def test_every_nan_in_an_array_is_the_same(echo, lane):
    """*Loading*, `canonicalize_nan`; wasmtime's own interface leaves a NaN as it is, which the specification lets it do."""
    odd = np.array([0x7FF0000000000001, 0x3FF0000000000000, 0x7FF0000000000000, 0xFFF0000000000000], np.uint64).view(np.float64)
    found = echo(ListOf(Primitive("f64")))(odd)
    assert math.isnan(found[0])
    assert found[1:].tolist() == [1.0, math.inf, -math.inf]
    assert lane == "component" or found.tobytes()[:8] == array("d", [math.nan]).tobytes()


def test_a_buffer_of_other_numbers_is_refused(echo):
    with pytest.raises(ShapeError, match="expected list<u32>"):
        echo(ListOf(Primitive("u32")))(np.array(NUMBERS, np.int64))
    with pytest.raises(ShapeError, match="expected list<f64>"):
        echo(ListOf(Primitive("f64")))(np.zeros((2, 2)))
