"""Values go to the server and come back as they were, and each of its types comes as Python's own."""

import math
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from ipaddress import IPv4Address, IPv4Network
from types import SimpleNamespace
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from ringfence.contract.values import Case
from ringfence.dbapi.postgres import DataError, InternalError, Interval, Json, ProgrammingError, values

NINE_HOURS = timezone(timedelta(hours=9))

THERE_AND_BACK = [
    (None, "text"),
    (True, "bool"),
    (False, "bool"),
    (0, "int2"),
    (-32768, "int2"),
    (2**31 - 1, "int4"),
    (-(2**63), "int8"),
    (0.1, "float8"),
    (-math.inf, "float8"),
    (1.5, "float4"),
    (Decimal("0.10"), "numeric"),
    (Decimal("12345678901234567890123456789.000000000000001"), "numeric"),
    (Decimal("-Infinity"), "numeric"),
    ("", "text"),
    ('it\'s 100% \\ "quoted" $1 %s\n\t', "text"),
    ("Ünïcödé 江口 恵 🐘", "text"),
    ("x", "varchar"),
    (b"", "bytea"),
    (bytes(range(256)), "bytea"),
    (date(1, 1, 1), "date"),
    (date(9999, 12, 31), "date"),
    (time(0, 0), "time"),
    (time(23, 59, 59, 999999), "time"),
    (time(12, 30, tzinfo=NINE_HOURS), "timetz"),
    (datetime(1, 1, 1), "timestamp"),
    (datetime(2026, 11, 27, 12, 34, 56, 789000), "timestamp"),
    (datetime(2026, 11, 27, 12, 34, 56, 789, tzinfo=NINE_HOURS), "timestamptz"),
    (timedelta(0), "interval"),
    (timedelta(days=-3, seconds=5, microseconds=1), "interval"),
    (timedelta(days=400, hours=25, microseconds=-1), "interval"),
    (Interval(months=-14, days=3, microseconds=-1), "interval"),
    (Interval(months=1, days=-1, microseconds=3_600_000_000), "interval"),
    (UUID("12345678-1234-5678-1234-567812345678"), "uuid"),
    ({"a": [1, 2.5, None, {"b": "ü"}], "": ""}, "jsonb"),
    ({"kept": "as it is"}, "json"),
    ([1, None, 3], "int4[]"),
    ([2**40], "int8[]"),
    ([], "int4[]"),
    ([True, False, None], "bool[]"),
    ([[1, 2, 3], [4, 5, 6]], "int4[]"),
    ([[[1], [2]], [[3], [4]]], "int2[]"),
    (["", "NULL", None, 'quo"te', "back\\slash", "com,ma", "{brace}", " space ", "new\nline"], "text[]"),
    ([b"\x00\xff", b""], "bytea[]"),
    ([Decimal("1.10"), None], "numeric[]"),
    ([0.5, math.inf], "float8[]"),
    ([date(2026, 1, 31)], "date[]"),
    ([datetime(2026, 1, 31, 1, 2, 3, tzinfo=UTC)], "timestamptz[]"),
    ([timedelta(1), Interval(months=2)], "interval[]"),
    ([UUID(int=5)], "uuid[]"),
    ([{"a": 1}, {}], "jsonb[]"),
]


@pytest.mark.parametrize(("value", "kind"), THERE_AND_BACK, ids=lambda one: repr(one)[:40])
def test_a_value_comes_back_as_it_went(cursor, value, kind):
    """The server is asked what it got, too: two errors that undo each other would not be seen otherwise."""
    got, said = cursor.execute(f"SELECT %s::{kind}, pg_typeof(%s::{kind})::text", [value, value]).fetchone()
    assert got == value
    assert type(got) is type(value)
    assert said == cursor.execute("SELECT %s::regtype::text", [kind]).fetchone()[0]


def test_not_a_number_comes_back(cursor):
    number, decimal = cursor.execute("SELECT %s, %s", [math.nan, Decimal("NaN")]).fetchone()
    assert math.isnan(number)
    assert decimal.is_nan()


@pytest.mark.parametrize(
    ("sql", "value"),
    [
        ("'t'::bool", True),
        ("'x'::char(3)", "x  "),
        ("'x'::name", "x"),
        ("42::oid", 42),
        ("1.5::float4", 1.5),
        ("1e3::numeric", Decimal("1000")),
        ("'2026-01-31'::date", date(2026, 1, 31)),
        ("'infinity'::date", "infinity"),
        ("'-infinity'::timestamptz", "-infinity"),
        ("'0044-03-15 BC'::date", "0044-03-15 BC"),
        ("'12345-06-07 08:09:10'::timestamp", "12345-06-07 08:09:10"),
        ("'24:00'::time", "24:00:00"),
        ("'1 year 2 mons -3 days 04:05:06.7'::interval", Interval(months=14, days=-3, microseconds=14_706_700_000)),
        ("'-00:00:00.5'::interval", timedelta(microseconds=-500_000)),
        ("'178000000 years'::interval", Interval(months=2_136_000_000)),
        ("'1 2'::int2vector", [1, 2]),
        ("''::int2vector", []),
        ("'1 2'::oidvector", "1 2"),
        ("'{\"a\": 1}'::json", {"a": 1}),
        ("'[1, null]'::jsonb", [1, None]),
        ("'null'::jsonb", None),
        ("'10.0.0.1'::inet", "10.0.0.1"),
        ("'[1,5)'::int4range", "[1,5)"),
        ("'(1,2)'::point", "(1,2)"),
        ("row(1, 'a b')", '(1,"a b")'),
        ("'[0:1]={1,2}'::int[]", [1, 2]),
        ("array['(1,2)'::point]", '{"(1,2)"}'),
        ("'\\x00ff'::bytea", b"\x00\xff"),
    ],
)
def test_what_the_server_computes_comes_as_pythons_own(cursor, sql, value):
    """And what Python can't hold comes as the server wrote it: an application that sees infinity must not take it for a date."""
    assert cursor.execute(f"SELECT {sql}").fetchone() == (value,)


def test_labels_of_an_enum_are_text_both_ways(cursor):
    cursor.execute("CREATE TYPE pg_temp.mood AS ENUM ('sad', 'so la la')")
    cursor.execute("CREATE TEMP TABLE felt (mood pg_temp.mood)")
    cursor.execute("INSERT INTO felt VALUES (%s)", ["so la la"])
    assert cursor.execute("SELECT mood FROM felt WHERE mood = %s", ["so la la"]).fetchall() == [("so la la",)]
    assert cursor.execute("SELECT array_agg(mood) FROM felt").fetchone() == ('{"so la la"}',)
    with pytest.raises(DataError) as failed:
        cursor.execute("INSERT INTO felt VALUES ('glad')")
    assert failed.value.sqlstate == "22P02"


def test_addresses_and_json_of_any_kind_are_sent(cursor):
    cursor.execute("SELECT %s << %s, %s", [IPv4Address("10.1.2.3"), IPv4Network("10.0.0.0/8"), Json([1, {"a": None}])])
    assert cursor.fetchone() == (True, [1, {"a": None}])
    assert cursor.execute("SELECT %s::inet[]", [[IPv4Address("10.1.2.3"), None]]).fetchone() == ("{10.1.2.3,NULL}",)


def test_integers_fit_where_smaller_ones_are_wanted(cursor):
    """A parameter has the smallest type that holds it, since every function takes a smaller one, and none a larger."""
    assert cursor.execute("SELECT substr('abcdef', %s, %s), date '2026-01-01' + %s", [2, 3, 30]).fetchone() == ("bcd", date(2026, 1, 31))
    assert cursor.execute("SELECT pg_typeof(%s)::text", [2**63]).fetchone() == ("numeric",)


def test_lists_stand_where_sql_takes_arrays(cursor):
    cursor.execute("SELECT array_agg(n) FROM generate_series(1, 9) n WHERE n = ANY(%s)", [[2, 3, 20]])
    assert cursor.fetchone() == ([2, 3],)
    assert cursor.execute("SELECT 'b' = ANY(%s)", [("a", "b")]).fetchone() == (True,)


@pytest.mark.parametrize("value", [[[1], [2, 3]], [1, [2]], [1, "a"], [[[[[[[1]]]]]]]])
def test_a_list_that_is_no_array_is_refused_before_anything_is_sent(cursor, value):
    with pytest.raises(DataError, match="stands for an array"):
        cursor.execute("SELECT %s", [value])
    assert cursor.execute("SELECT 1").fetchone() == (1,)


def test_a_value_without_a_type_is_refused_with_its_class(cursor):
    with pytest.raises(ProgrammingError, match="object"):
        cursor.execute("SELECT %s", [object()])


def test_what_json_and_decimal_text_can_not_hold_is_bad_data(cursor):
    """Whatever the application gives wrongly is one of the errors that its code for databases expects."""
    endless = {}
    endless["again"] = endless
    for value in ({"a": {1, 2}}, Json(object()), endless, 10**5000, [{"a": b""}]):
        with pytest.raises(DataError, match="can't be sent"):
            cursor.execute("SELECT %s", [value])
    assert cursor.execute("SELECT 1").fetchone() == (1,)


def test_half_a_surrogate_pair_is_bad_data(cursor):
    """WIT's strings are Unicode; the error must be one that database code expects."""
    with pytest.raises(DataError):
        cursor.execute("SELECT %s", ["\ud800"])
    assert cursor.execute("SELECT 1").fetchone() == (1,)


def test_text_with_nul_is_refused_by_the_server(cursor):
    with pytest.raises(DataError) as failed:
        cursor.execute("SELECT %s::text", ["a\0b"])
    assert failed.value.sqlstate == "22021"


def test_bytes_come_whole_in_the_older_form_too(cursor):
    cursor.execute("SET bytea_output = 'escape'")
    assert cursor.execute("SELECT %s", [bytes(range(256)) + b"\\x41\\"]).fetchone() == (bytes(range(256)) + b"\\x41\\",)


SCALARS = some.one_of(
    some.none(),
    some.integers(-(2**70), 2**70),
    some.floats(allow_nan=False),
    some.text(some.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    some.binary(),
    some.decimals(allow_nan=False, places=6, min_value=-(10**20), max_value=10**20),
    some.dates(),
    some.datetimes(),
    some.timedeltas(),
    some.lists(some.lists(some.integers(-(2**31), 2**31 - 1), min_size=2, max_size=2), min_size=1),
    some.lists(some.just(7) | some.none(), min_size=1).filter(any),  # nulls alone have no type
    some.lists(some.text(some.characters(exclude_categories=["Cs"], exclude_characters="\0")), min_size=1),
)


@given(some.lists(SCALARS, min_size=1, max_size=8))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_goes_in_comes_out(cursor, given):
    """The text forms of two programs meet here; nothing but trying many values shows that they agree."""
    cursor.execute(f"SELECT {', '.join(['%s'] * len(given))}", given)
    assert cursor.fetchone() == tuple(given)


@pytest.mark.parametrize("dimensions", [7, 100_000])
def test_an_array_of_more_dimensions_than_there_can_be_is_refused(dimensions):
    """Each costs a pass over all elements, in the host and after the deadline."""

    def answer(count):
        array = SimpleNamespace(elements=[Case("null", None)] * 2, dimensions=[SimpleNamespace(length=2)] * count)
        return values.row([Case("array", array)])

    with pytest.raises(InternalError, match="malformed"):
        answer(dimensions)
    assert answer(1) == ([None, None],), "the control"
