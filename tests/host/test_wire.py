"""WIT values on the command line: what a person types becomes what a function takes, and back."""

import json
import math

import pytest
from ringfence.contract.errors import ShapeError
from ringfence.contract.types import EnumOf, FlagsOf, FunctionType, ListOf, OptionOf, Primitive, RecordOf, ResultOf, TupleOf, VariantOf
from ringfence.contract.values import Case, Err, Ok, Some, label_class, record_class
from ringfence.contract.wire import from_json, to_json
from ringfence.contract.words import from_words

STRING, U32, F64 = Primitive("string"), Primitive("u32"), Primitive("f64")
BYTES = ListOf(Primitive("u8"))
LINE = RecordOf((("sku", STRING), ("unit-price", U32)))
ERROR = VariantOf((("not-found", None), ("unavailable", STRING)))


@pytest.mark.parametrize(
    ("kind", "value", "data"),
    [
        (LINE, record_class(("sku", "unit-price"))("pen", 3), {"sku": "pen", "unit-price": 3}),
        (ERROR, Case("not-found"), "not-found"),
        (ERROR, Case("unavailable", "x"), {"unavailable": "x"}),
        (EnumOf(("a-b", "c")), label_class(("a-b", "c")).A_B, "a-b"),
        (FlagsOf(("r", "w")), frozenset({label_class(("r", "w")).W}), ["w"]),
        (OptionOf(STRING), None, None),
        (OptionOf(OptionOf(STRING)), Some(None), {"some": None}),
        (OptionOf(OptionOf(STRING)), None, None),
        (ResultOf(STRING, None), Ok("x"), {"ok": "x"}),
        (ResultOf(STRING, None), Err(), {"err": None}),
        (BYTES, b"\x00\xff", {"base64": "AP8="}),
        (TupleOf((STRING, U32)), ("a", 1), ["a", 1]),
        (ListOf(OptionOf(U32)), [1, None], [1, None]),
        (F64, math.inf, "Infinity"),
    ],
)
def test_a_value_is_its_json_and_back(kind, value, data):
    shown = to_json(kind, value)
    assert json.loads(json.dumps(shown, allow_nan=False)) == data
    again = from_json(kind, data)
    if isinstance(kind, RecordOf):
        assert again == data
    elif not isinstance(kind, FlagsOf):
        assert again == value


def test_words_are_plain_text_where_a_string_is_expected():
    function = FunctionType((("id", STRING), ("limit", U32), ("status", EnumOf(("paid",)))), None)
    assert from_words(function, ["A-17", "3", "paid"]) == ["A-17", 3, "paid"]
    assert from_words(function, ['"A \\u0041"', "3", '"paid"']) == ["A A", 3, "paid"]
    assert from_words(function, ["17", "3", "paid"])[0] == "17"


def test_too_few_words_name_the_parameters():
    with pytest.raises(ShapeError, match=r"expected 1 argument \(id: string\), found 0"):
        from_words(FunctionType((("id", STRING),), None), [])


def test_a_word_that_is_no_json_says_which_parameter():
    with pytest.raises(ShapeError, match="^limit: expected u32, found 'many'\n  such as 1$"):
        from_words(FunctionType((("limit", U32),), None), ["many"])


@pytest.mark.parametrize("word", ["[" * 100_000, "9" * 5000])
def test_a_word_that_python_cannot_read_is_no_crash(word):
    with pytest.raises(ShapeError, match="^limits: expected list<u32> as JSON"):
        from_words(FunctionType((("limits", ListOf(U32)),), None), [word])


def test_an_error_names_the_path_inside_the_value():
    with pytest.raises(
        ShapeError, match=r"^lines\[1\]: expected the fields sku, unit-price, .*: unknown price \(did you mean unit-price\?\)"
    ):
        from_words(FunctionType((("lines", ListOf(LINE)),), None), ['[{"sku":"a","unit-price":1},{"sku":"b","unit-price":1,"price":2}]'])
