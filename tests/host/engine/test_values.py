"""Every WIT type crosses both ways unchanged: host to guest, guest to host function, and back by the same way."""

import math
import re
import struct
from dataclasses import dataclass
from typing import NamedTuple

import pytest
from ringfence.contract.errors import ShapeError
from ringfence.contract.types import EnumOf, FlagsOf, ListOf, OptionOf, Primitive, RecordOf, ResultOf, TupleOf, VariantOf
from ringfence.contract.values import Case, Err, Fill, Label, Ok, Some, WitError, label_class, record_class

STATUS = EnumOf(("pending", "paid", "in-transit"))
CUSTOMER = RecordOf((("name", Primitive("string")), ("email", OptionOf(Primitive("string")))))
LINE = RecordOf((("sku", Primitive("string")), ("quantity", Primitive("u32")), ("unit-price", Primitive("s64"))))
ORDER = RecordOf(
    (("id", Primitive("string")), ("status", STATUS), ("customer", CUSTOMER), ("lines", ListOf(LINE)), ("total", Primitive("s64")))
)
FAILURE = VariantOf((("not-found", None), ("unavailable", Primitive("string")), ("at", TupleOf((Primitive("u32"), Primitive("f64"))))))
RIGHTS = FlagsOf(("read", "write", "create-new"))

INTEGERS = {
    f"{sign}{bits}": (0 if sign == "u" else -(1 << bits - 1), (1 << bits - (sign == "s")) - 1) for sign in "us" for bits in (8, 16, 32, 64)
}


def order(**changes):
    return {
        "id": "A-17",
        "status": "in-transit",
        "customer": {"name": "Ada", "email": None},
        "lines": [{"sku": "x", "quantity": 3, "unit-price": -250}, {"sku": "ü", "quantity": 0, "unit_price": 1 << 40}],
        "total": 5,
    } | changes


@pytest.mark.parametrize("name", INTEGERS)
def test_integers_keep_their_range(echo, name):
    """A value outside would be cut off silently by the guest's ABI."""
    run, (low, high) = echo(Primitive(name)), INTEGERS[name]
    for value in (low, high, 0, 1):
        assert run(value) == value
        assert run.seen == value
        assert type(run.seen) is int
    for value in (low - 1, high + 1, 10**30, True, 1.0, "1", None):
        expected = rf"expected {name} \({low} to {high}\), found" if type(value) is int else f"expected {name}, found"
        with pytest.raises(ShapeError, match=expected):
            run(value)
    many = echo(ListOf(Primitive(name)))
    wide = [low, high, 0, 1] * 300
    assert list(many(wide)) == wide if name != "u8" else many(bytes(wide)) == bytes(wide)


@pytest.mark.parametrize("name", ["f32", "f64"])
def test_floats(echo, name):
    run, many = echo(Primitive(name)), echo(ListOf(Primitive(name)))
    values = [0.0, -0.0, 1.5, math.inf, -math.inf, -(2.0**100)]
    for value in values:
        assert run(value) == value
        assert math.copysign(1, run(value)) == math.copysign(1, value)
    assert many(values) == values
    assert math.isnan(run(math.nan))
    assert run(3) == 3.0
    for value in (True, "1", None, 10**400):
        with pytest.raises(ShapeError):
            run(value)


def test_an_f32_that_is_too_large_is_refused_and_a_fine_one_rounded(echo):
    run = echo(Primitive("f32"))
    assert run(0.1) == struct.unpack("f", struct.pack("f", 0.1))[0]
    with pytest.raises(ShapeError, match="expected f32, found 1e"):
        run(1e39)
    with pytest.raises(ShapeError, match=r"^x\[1\]: expected f32"):
        echo(ListOf(Primitive("f32")))([1.0, 1e39])


def test_bool_is_only_a_bool(echo):
    run = echo(Primitive("bool"))
    assert run(True) is True
    assert run(False) is False
    for value in (1, 0, None, "true"):
        with pytest.raises(ShapeError):
            run(value)
    assert echo(ListOf(Primitive("bool")))([True, False]) == [True, False]


def test_char_is_one_scalar_value(echo):
    """wasmtime would abort the whole process on a surrogate."""
    run = echo(Primitive("char"))
    for value in ("a", "ß", "\0", "\U0010ffff", "😀"):
        assert run(value) == value
    for value in ("", "ab", "\ud800", "\udfff", 97, None):
        with pytest.raises(ShapeError):
            run(value)
    assert echo(ListOf(Primitive("char")))(["a", "😀"]) == ["a", "😀"]


def test_string_is_text_without_lone_surrogates(echo):
    run = echo(Primitive("string"))
    for value in ("", "a", "ß\0😀", "x" * 100_000):
        assert run(value) == value
    with pytest.raises(ShapeError, match="lone surrogate at index 2"):
        run("ab\ud800")
    with pytest.raises(ShapeError, match="found bytes"):
        run(b"ab")


def test_bytes(echo):
    run = echo(ListOf(Primitive("u8")))
    data = bytes(range(256)) * 300
    for value in (b"", b"a", data, bytearray(data), memoryview(data)[::-1]):
        assert run(value) == bytes(value)
        assert type(run.seen) is bytes
    for value in ([1, 2], "ab", None, 5):
        with pytest.raises(ShapeError):
            run(value)


def test_lists_and_tuples(echo):
    run = echo(ListOf(ListOf(Primitive("string"))))
    assert run([["a"], (), ["b", "c"]]) == [["a"], [], ["b", "c"]]
    pair = echo(TupleOf((Primitive("u8"), Primitive("string"), TupleOf((Primitive("bool"),)))))
    assert pair([1, "x", (True,)]) == (1, "x", (True,))
    with pytest.raises(ShapeError, match="expected a tuple of 3, found one of 2"):
        pair((1, "x"))
    with pytest.raises(ShapeError):
        run("ab")
    with pytest.raises(ShapeError):
        run({"a"})


@dataclass
class Line:
    sku: str
    quantity: int
    unit_price: int


class Named(NamedTuple):
    sku: str
    quantity: int
    unit_price: int


def test_records_come_as_records_and_go_as_anything_with_the_fields(echo):
    run = echo(ORDER)
    back = run(order())
    assert back.lines[1].unit_price == 1 << 40
    assert back.customer.email is None
    assert back.status == "in-transit"
    assert run(back) == back
    assert run(order(lines=[Line("q", 1, 2), Named("r", 3, 4)])).lines[1].quantity == 3
    other = record_class(("sku", "quantity", "unit-price", "more"))("a", 1, 2, 3)
    with pytest.raises(ShapeError, match=r"^x\.lines\[0\]: no field 'more'; expected sku or quantity or unit-price"):
        run(order(lines=[other]))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"lines": [{"sku": "a", "quantity": 1, "unit-price": 1}, {"sku": "a", "quantity": -1, "unit-price": 1}]},
            "x.lines[1].quantity: expected u32 (0 to 4294967295), found -1",
        ),
        ({"lines": [{"sku": "a", "quantity": 1}]}, "x.lines[0]: missing field unit-price"),
        ({"lines": [{"sku": "a", "quantity": 1, "unit-price": 1, "unit_price": 1}]}, "x.lines[0]: a field is given twice"),
        ({"lines": [Line]}, "x.lines[0]: missing field sku"),
        (
            {"customer": {"name": "a", "email": None, "emial": 1}},
            "x.customer: no field 'emial'; expected name or email; did you mean email?",
        ),
        ({"customer": 5}, "x.customer: expected record { name: string, email: option<string> }, found 5"),
        ({"customer": ("a", None)}, "x.customer: expected record { name: string, email: option<string> }, found tuple"),
        ({"status": "payd"}, "x.status: no label 'payd'; expected pending or paid or in-transit; did you mean paid?"),
        ({"status": 1}, "x.status: expected enum { pending, paid, in-transit }, found 1"),
        ({"id": "\udc00"}, "x.id: expected string, found a lone surrogate at index 0"),
        ({"lines": None}, "x.lines: expected list<record { sku: string, quantity: u32, unit-price: s64 }>, found None"),
    ],
)
def test_errors_name_the_path_inside_the_value(echo, changes, message):
    run = echo(ORDER)
    with pytest.raises(ShapeError) as caught:
        run(order(**changes))
    assert str(caught.value).startswith(message)
    assert run(order()).total == 5, "an argument that does not fit leaves the instance as it was"


def test_text_is_never_shown_in_an_error(echo):
    with pytest.raises(ShapeError) as caught:
        echo(Primitive("u32"))("hunter2")
    assert "hunter2" not in str(caught.value)


def test_variants(echo):
    run = echo(FAILURE)
    assert run("not-found") == Case("not-found")
    assert run(Case("not-found")) == Case("not-found", None)
    assert run(Case("unavailable", "x")) == Case("unavailable", "x")
    assert run(Case("at", (1, 2.5))) == Case("at", (1, 2.5))
    for value, message in [
        ("notfound", "no case 'notfound'; expected not-found or unavailable or at; did you mean not-found?"),
        ("unavailable", "found only its name"),
        (Case("not-found", 1), "expected no value for not-found, found 1"),
        (Case("unavailable", 1), "x.unavailable: expected string, found 1"),
        (Case("at", (1, "x")), r"x.at\[1\]: expected f64"),
        (Case(5), "found Case"),
        (None, "found None"),
    ]:
        with pytest.raises(ShapeError, match=message):
            run(value)


def test_enums_and_flags(echo):
    run, labels = echo(STATUS), label_class(STATUS.labels)
    assert run("paid") is labels.PAID
    assert run(labels.IN_TRANSIT) is labels.IN_TRANSIT
    assert isinstance(run.seen, Label)
    rights, label = echo(RIGHTS), label_class(RIGHTS.labels)
    for value in (set(), {"read"}, frozenset(label), ["write", "write"], (label.CREATE_NEW,)):
        assert rights(value) == frozenset(value)
    for value in ("read", {"red"}, {1}, None):
        with pytest.raises(ShapeError):
            rights(value)
    many = FlagsOf(tuple(f"f{number}" for number in range(32)))
    assert len(echo(many)(many.labels)) == 32


def test_options_tell_none_from_some_none(echo):
    run = echo(OptionOf(Primitive("u32")))
    assert run(None) is None
    assert run(5) == 5
    assert run(Some(5)) == 5
    deep = echo(OptionOf(OptionOf(OptionOf(Primitive("string")))))
    for value in (None, Some(None), Some(Some(None)), Some(Some("x"))):
        assert deep(value) == value
        assert deep.seen == value
    with pytest.raises(ShapeError, match="expected Some"):
        deep("x")


def test_results_inside_values_keep_their_tag_whatever_the_payloads(echo):
    """The wheel's own conversion loses the tag where the payloads' classes differ."""
    run = echo(
        TupleOf((ResultOf(Primitive("u32"), Primitive("string")), ResultOf(None, Primitive("u32")), ResultOf(Primitive("u32"), None)))
    )
    for value in ((Ok(1), Ok(), Ok(2)), (Err("x"), Err(3), Err())):
        assert run(value) == value
        assert run.seen == value
    for value in ((1, Ok(), Ok(2)), (Ok("x"), Ok(), Ok(2)), (Ok(1), Ok(1), Ok(2)), (Ok(1), Err(), Ok(2))):
        with pytest.raises(ShapeError):
            run(value)


def test_a_result_that_is_a_functions_result_is_an_exception(start, libc):
    """Both ways: what the host function raises as WitError reaches the caller as one, and the ok value as itself."""
    told = {}

    def host(_context, text):
        if text == "bad":
            raise WitError("because")
        if text == "fill":
            return Fill(10, told["fill"])
        return text.encode()

    instance = start(
        f"""(component
          (import "host" (func $host (param "x" string) (result (result (list u8) (error string)))))
          {libc}
          (core func $lowered (canon lower (func $host) (memory (core memory $libc "memory")) (realloc (core func $libc "realloc"))))
          (core module $m (import "" "host" (func $host (param i32 i32 i32)))
            (func (export "f") (param i32 i32) (result i32) (call $host (local.get 0) (local.get 1) (i32.const 16)) (i32.const 16)))
          (core instance $i (instantiate $m (with "" (instance (export "host" (func $lowered))))))
          (func (export "f") (param "x" string) (result (result (list u8) (error string)))
            (canon lift (core func $i "f") (memory (core memory $libc "memory")) (realloc (core func $libc "realloc")))))""",
        {("", "host"): host},
    )

    def run(text, call):
        return instance.call(("", "f"), (text,), call)

    from types import SimpleNamespace

    call = SimpleNamespace(check=lambda: None, spend=lambda count: None)
    assert run("good", call) == b"good"
    with pytest.raises(WitError) as caught:
        run("bad", call)
    assert caught.value.value == "because"
    kept = []

    def fill(view):
        kept.append(view)
        view[:3] = b"abc"
        return 3

    told["fill"] = fill
    assert run("fill", call) == b"abc"
    with pytest.raises(ValueError, match="released"):
        kept[0][0]

    def refuse(_view):
        raise WitError("no bytes")

    told["fill"] = refuse
    with pytest.raises(WitError, match="no bytes"):
        run("fill", call)
    assert not instance.trapped
    told["fill"] = lambda view: 11
    with pytest.raises(ShapeError, match="at most 10 bytes, found 11"):
        run("fill", call)
    assert instance.trapped


def test_more_values_than_core_parameters(echo):
    """Beyond 16 core values the arguments travel in memory."""
    wide = TupleOf(tuple(Primitive("string") for _ in range(12)))
    value = tuple(f"value {number}" for number in range(12))
    assert echo(wide)(value) == value


def test_the_number_of_arguments_is_checked(echo, call):
    instance = echo(Primitive("u32")).instance
    for arguments in ((), (1, 2)):
        with pytest.raises(ShapeError, match=rf"echo takes 1 argument \(x: u32\), found {len(arguments)}"):
            instance.call(("", "echo"), arguments, call)
    assert instance.call(("", "echo"), (1,), call) == 1


@pytest.mark.parametrize(
    ("kind", "value", "message"),
    [
        (Primitive("u32"), -1, "expected u32 (0 to 4294967295), found -1"),
        (Primitive("string"), None, "expected string, found None"),
        (ORDER, {}, "missing field id"),
        (ListOf(Primitive("u8")), [1], "expected bytes, found list"),
    ],
)
def test_a_host_functions_wrong_answer_names_the_function_and_traps(echo, kind, value, message):
    run = echo(kind)
    run.answer = lambda _: value
    good = {Primitive("u32"): 1, Primitive("string"): "x", ORDER: order(), ListOf(Primitive("u8")): b"x"}[kind]
    with pytest.raises(ShapeError, match=re.escape(message)) as caught:
        run(good)
    assert str(caught.value).startswith("host function ")
    assert "host: func(x:" in str(caught.value)
    assert run.instance.trapped


def test_a_wit_error_from_a_function_that_cannot_fail_is_no_err_case(echo):
    """Passed on as it is, it would look like the guest's own answer."""
    run = echo(Primitive("u32"))

    def answer(_):
        raise WitError(5)

    run.answer = answer
    with pytest.raises(ShapeError, match="raised WitError, but has no err case"):
        run(1)
