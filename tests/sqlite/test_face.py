"""What code written for sqlite3 may rely on; each test runs on sqlite3 itself, too."""

import datetime as dt
import sqlite3
import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

EXTREMES = [None, 0, -1, 2**63 - 1, -(2**63), 0.0, -1.5, 1e308, float("inf"), "", "text", "ä€😀", "nul\0inside", b"", b"\0\xff", "1", b"1"]


def test_every_kind_of_value_comes_back_as_it_went(memory):
    rows = [(index, value) for index, value in enumerate(EXTREMES)]
    memory.execute("CREATE TABLE t (i INTEGER PRIMARY KEY, v)")
    for row in rows:
        memory.execute("INSERT INTO t VALUES (?, ?)", row)
    found = memory.execute("SELECT i, v FROM t ORDER BY i").fetchall()
    assert found == rows
    assert [type(value) for _, value in found] == [type(value) for _, value in rows]
    assert memory.execute("SELECT ?", (float("nan"),)).fetchone() == (None,)
    assert memory.execute("SELECT ?, ?, ?", (True, bytearray(b"x"), memoryview(b"y"))).fetchone() == (1, b"x", b"y")


@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, 63, 64, 65, 1000, 12_345])
def test_all_rows_come_whatever_the_batch(memory, count):
    """Batches are of 64 and more rows; what lies on their borders is not lost and not told twice."""
    memory.execute("CREATE TABLE t (i INTEGER PRIMARY KEY, odd INTEGER, name TEXT, half REAL)")
    rows = [(i, i if i % 2 else None, f"näme {i}" if i % 3 else f"name {i}", i / 2) for i in range(count)]
    assert memory.executemany("INSERT INTO t VALUES (?, ?, ?, ?)", rows).rowcount == count
    assert memory.execute("SELECT * FROM t").fetchall() == rows
    assert list(memory.execute("SELECT * FROM t")) == rows
    cursor = memory.execute("SELECT * FROM t")
    pieces = []
    while piece := cursor.fetchmany(50):
        pieces += piece
    assert pieces == rows
    assert cursor.fetchone() is None
    assert cursor.fetchall() == []


def test_a_few_large_values_do_not_come_all_at_once(memory):
    memory.execute("CREATE TABLE t (b BLOB)")
    memory.executemany("INSERT INTO t VALUES (?)", [(bytes([i]) * 3_000_000,) for i in range(8)])
    for index, (value,) in enumerate(memory.execute("SELECT b FROM t")):
        assert value == bytes([index]) * 3_000_000


def test_a_transaction_begins_before_a_change_and_not_before_anything_else(memory):
    memory.execute("CREATE TABLE t (a)")
    assert not memory.in_transaction
    memory.execute("/* first */ -- second\n insert into t values (1)")
    assert memory.in_transaction
    memory.rollback()
    assert (memory.in_transaction, memory.execute("SELECT count(*) FROM t").fetchone()) == (False, (0,))
    with memory:
        memory.execute("REPLACE INTO t VALUES (2)")
    with pytest.raises(ZeroDivisionError), memory:
        memory.execute("DELETE FROM t")
        1 / 0  # noqa: B018
    assert memory.execute("SELECT a FROM t").fetchall() == [(2,)]
    memory.isolation_level = None
    memory.execute("UPDATE t SET a = 3")
    assert not memory.in_transaction
    memory.execute("BEGIN EXCLUSIVE")
    assert memory.in_transaction
    memory.commit()
    assert not memory.in_transaction


def test_sqlite_itself_may_end_a_transaction(memory, either):
    memory.execute("CREATE TABLE t (a UNIQUE ON CONFLICT ROLLBACK)")
    memory.execute("INSERT INTO t VALUES (1)")
    with pytest.raises(either.module.IntegrityError):
        memory.execute("INSERT INTO t VALUES (1)")
    assert not memory.in_transaction
    memory.commit()


def test_what_many_rows_changed_before_one_failed_is_there(memory, either):
    memory.execute("CREATE TABLE t (a UNIQUE)")

    def rows():
        yield from ((i,) for i in range(5))
        raise LookupError

    with pytest.raises(LookupError):
        memory.executemany("INSERT INTO t VALUES (?)", rows())
    with pytest.raises(either.module.IntegrityError):
        memory.executemany("INSERT INTO t VALUES (?)", [(8,), (9,), (9,), (10,)])
    with pytest.raises(either.module.Error):
        memory.executemany("INSERT INTO t VALUES (?)", [(20,), (object(),), (21,)])
    with pytest.raises(either.module.ProgrammingError):
        memory.executemany("INSERT INTO t VALUES (?)", [(30,), (31, 32)])
    assert [a for (a,) in memory.execute("SELECT a FROM t ORDER BY a")] == [0, 1, 2, 3, 4, 8, 9, 20, 30]
    assert memory.total_changes == 9


def test_parameters_go_by_name_and_by_position(memory, either):
    assert memory.execute("SELECT :b, @a, $b, ':a' -- :c", {"a": 1, "b": "x", "other": object()}).fetchone() == ("x", 1, "x", ":a")
    assert memory.execute("SELECT ?2, ?1, ?2", (1, 2)).fetchone() == (2, 1, 2)
    memory.execute("CREATE TABLE t (a, b)")
    memory.executemany("INSERT INTO t VALUES (:a, :b || ':a')", [{"a": i, "b": "x"} for i in range(3)])
    assert memory.execute("SELECT * FROM t").fetchall() == [(0, "x:a"), (1, "x:a"), (2, "x:a")]
    for sql, values in (("SELECT ?", ()), ("SELECT ?", (1, 2)), ("SELECT :a", {"b": 1}), ("SELECT ?", {"a": 1}), ("SELECT ?", 3)):
        with pytest.raises(either.module.ProgrammingError):
            memory.execute(sql, values)
    for value in (2**63, -(2**63) - 1):
        with pytest.raises(OverflowError):
            memory.execute("SELECT ?", (value,))
    with pytest.raises(UnicodeEncodeError):
        memory.execute("SELECT ?", ("\ud800",))


WRONG = [
    "SELEC 1",
    "SELECT * FROM nowhere",
    "SELECT 1; SELECT 2",
    "INSERT INTO t VALUES (1, 1)",
    "INSERT INTO t VALUES (2, NULL)",
    "INSERT INTO t (a, b, c) VALUES (2, 1, -1)",
    "INSERT INTO t (a, b, d) VALUES (2, 1, 9)",
    "INSERT INTO t (a, b) VALUES ('x', 1)",
    "SELECT abs(-9223372036854775807 - 1)",
    "COMMIT",
    "ATTACH ':memory:' AS main",
    "SELECT zeroblob(2000000000)",
    "SELECT raise(ABORT, 'no')",
    "PRAGMA foreign_keys(",
    "SELECT json('{')",
]


@pytest.mark.parametrize("sql", WRONG)
def test_errors_have_the_class_and_codes_and_words_that_sqlite3_gives_them(fenced, sql):
    """In the versions of SQLite on both sides, which word most errors alike."""
    told = []
    for module in (fenced.module, sqlite3):
        connection = module.connect(":memory:", isolation_level=None)
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("CREATE TABLE t (a INTEGER PRIMARY KEY, b NOT NULL, c CHECK (c > 0), d REFERENCES t)")
        connection.execute("INSERT INTO t VALUES (1, 1, 1, 1)")
        with pytest.raises(module.Error) as failed:
            connection.execute(sql)
        error = failed.value
        told.append((type(error).__name__, getattr(error, "sqlite_errorname", None), getattr(error, "sqlite_errorcode", None), str(error)))
        connection.close()
    assert told[0] == told[1]


def test_a_cursor_tells_columns_counts_and_the_last_row(memory):
    cursor = memory.cursor()
    assert (cursor.description, cursor.rowcount, cursor.lastrowid, cursor.arraysize) == (None, -1, None, 1)
    cursor.execute("CREATE TABLE t (a INTEGER PRIMARY KEY, b)")
    assert (cursor.description, cursor.rowcount) == (None, -1)
    cursor.execute("INSERT INTO t VALUES (41, 1), (42, 2)")
    assert (cursor.rowcount, cursor.lastrowid) == (2, 42)
    cursor.execute("SELECT a, b AS 'x y', a + 1 FROM t WHERE 0")
    assert [column[0] for column in cursor.description] == ["a", "x y", "a + 1"]
    assert all(column[1:] == (None,) * 6 for column in cursor.description)
    assert cursor.rowcount == -1
    cursor.execute("UPDATE t SET b = 3")
    assert (cursor.rowcount, memory.total_changes) == (2, 4)
    cursor.execute("INSERT INTO t (b) VALUES (9) RETURNING a, b")
    assert cursor.fetchall() == [(43, 9)]
    assert list(memory.execute("SELECT count(*) FROM t")) == [(3,)]


def test_several_cursors_share_one_connection(memory):
    memory.execute("CREATE TABLE t (a)")
    memory.executemany("INSERT INTO t VALUES (?)", [(i,) for i in range(500)])
    first, second = memory.execute("SELECT a FROM t ORDER BY a"), memory.execute("SELECT a FROM t ORDER BY a")
    assert [(next(first), next(second)) for _ in range(300)] == [((i,), (i,)) for i in range(300)]
    first.close()
    assert len(second.fetchall()) == 200


def test_rows_are_made_by_the_factory(memory, either):
    memory.row_factory = either.module.Row
    row = memory.execute("SELECT 1 AS a, 'x' AS B").fetchone()
    assert (row["A"], row["b"], row[0], row[-1], row[0:1], tuple(row), dict(row), len(row)) == (
        1,
        "x",
        1,
        "x",
        (1,),
        (1, "x"),
        {"a": 1, "B": "x"},
        2,
    )
    assert row == memory.execute("SELECT 1 AS a, 'x' AS B").fetchone()
    memory.row_factory = lambda cursor, values: {column[0]: value for column, value in zip(cursor.description, values, strict=True)}
    assert memory.execute("SELECT 1 AS a").fetchall() == [{"a": 1}]


def test_types_of_the_application_go_in_by_adapters_and_come_out_by_converters(either):
    class Point:
        def __init__(self, x, y):
            self.x, self.y = x, y

        def __eq__(self, other):
            return (self.x, self.y) == (other.x, other.y)

        __hash__ = None

        def __conform__(self, protocol):
            return f"{self.x};{self.y}" if protocol is either.module.PrepareProtocol else None

    either.module.register_converter("point", lambda data: Point(*map(int, data.split(b";"))))
    today, now = dt.date(2026, 11, 27), dt.datetime(2026, 11, 27, 13, 30, 5, 120)  # noqa: DTZ001
    connection = either.module.connect(":memory:", detect_types=either.module.PARSE_DECLTYPES | either.module.PARSE_COLNAMES)
    connection.execute("CREATE TABLE t (p point, d DATE, t TIMESTAMP, n NUMBER(10))")
    row = (Point(4, -3), today, now, 7)
    connection.execute("INSERT INTO t VALUES (?, ?, ?, ?)", row)
    connection.executemany("INSERT INTO t VALUES (?, ?, ?, ?)", [row, (None, None, None, None)])
    assert connection.execute("SELECT * FROM t").fetchall() == [row, row, (None,) * 4]
    assert connection.execute("SELECT d FROM t WHERE d > ? AND n = :n", (today.replace(year=2000), 7)).fetchall()
    cursor = connection.execute("SELECT '1;2' AS 'p [point]', d AS other, count(*) FROM t WHERE d = ?", (today,))
    assert [column[0] for column in cursor.description] == ["p", "other", "count(*)"]
    assert cursor.fetchone() == (Point(1, 2), today, 2)
    connection.execute("ALTER TABLE t ADD COLUMN e DATE")
    connection.execute("UPDATE t SET e = d")
    assert connection.execute("SELECT e FROM t WHERE e NOT NULL").fetchall() == [(today,), (today,)]
    connection.close()


def test_text_that_is_no_utf8_is_told_or_given_to_the_factory(memory, either):
    memory.execute("CREATE TABLE t (a)")
    memory.execute("INSERT INTO t VALUES (CAST(x'61ff' AS TEXT)), ('b')")
    with pytest.raises(either.module.OperationalError, match="Could not decode to UTF-8 column 'a'"):
        memory.execute("SELECT a FROM t").fetchone()
    memory.text_factory = bytes
    assert memory.execute("SELECT a FROM t").fetchall() == [(b"a\xff",), (b"b",)]
    memory.text_factory = lambda data: data.decode(errors="replace")
    assert memory.execute("SELECT a, x'61' FROM t").fetchall() == [("a\ufffd", b"a"), ("b", b"a")]


def test_scripts_run_to_their_end_or_their_first_error(memory, either):
    memory.executescript("CREATE TABLE t (a); INSERT INTO t VALUES (1); /* ; */ INSERT INTO t VALUES (';');")
    assert memory.execute("SELECT * FROM t").fetchall() == [(1,), (";",)]
    memory.execute("INSERT INTO t VALUES (2)")
    with pytest.raises(either.module.OperationalError):
        memory.executescript("INSERT INTO t VALUES (3); nonsense; INSERT INTO t VALUES (4)")
    assert not memory.in_transaction  # what was pending was committed first
    assert memory.execute("SELECT count(*) FROM t").fetchone() == (4,)


def test_a_dump_is_the_same_text_and_makes_the_same_database(fenced):
    made = """CREATE TABLE "a ""b" (x INTEGER PRIMARY KEY AUTOINCREMENT, "y z" TEXT DEFAULT 'q');
        INSERT INTO "a ""b" VALUES (1, 'it''s'), (5, NULL); CREATE INDEX i ON "a ""b" ("y z"); CREATE VIEW v AS SELECT 1;
        CREATE TABLE b (r REAL, b BLOB); INSERT INTO b VALUES (0.5, x'00ff');"""
    connections = [module.connect(":memory:") for module in (fenced.module, sqlite3)]
    for connection in connections:
        connection.executescript(made)
    first, second = (list(connection.iterdump()) for connection in connections)
    assert first == second
    again = sqlite3.connect(":memory:")
    again.executescript("".join(first))
    assert list(again.iterdump()) == second
    for connection in (*connections, again):
        connection.close()


@pytest.mark.parametrize(
    "text", ["", ";", "select 1", "select 1;", "select ';'", "select ';';", "select 1; -- x", "select 1; /* x", "/* ; */"]
)
@pytest.mark.parametrize("more", ["", " create trigger a after insert on b begin select 1; end", "; create temp trigger a begin select 1;"])
def test_a_statement_is_complete_where_sqlite_says_so(fenced, text, more):
    for whole in (text, text + more, text + more + ";", more + "; END;", "EXPLAIN " + more + ";end;" + text):
        assert fenced.module.complete_statement(whole) == sqlite3.complete_statement(whole), whole


def test_a_connection_stays_in_its_thread(memory, either):
    told = []

    def elsewhere():
        try:
            memory.execute("SELECT 1")
        except either.module.ProgrammingError as error:
            told.append(str(error))

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert "can only be used in that same thread" in told[0]


def test_nothing_is_done_with_what_is_closed(either):
    connection = either.module.connect(":memory:")
    cursor = connection.execute("SELECT 1 UNION SELECT 2")
    closed = connection.cursor()
    closed.close()
    with pytest.raises(either.module.ProgrammingError, match="Cannot operate on a closed cursor"):
        closed.execute("SELECT 1")
    connection.close()
    connection.close()
    for use in (cursor.fetchone, connection.commit, connection.cursor, lambda: connection.total_changes and connection.execute("SELECT 1")):
        with pytest.raises(either.module.ProgrammingError, match="Cannot operate on a closed"):
            use()


def test_a_database_can_be_carried_as_bytes(memory, either):
    memory.executescript("CREATE TABLE t (a); INSERT INTO t VALUES (7)")
    other = either.module.connect(":memory:")
    other.deserialize(memory.serialize())
    assert other.execute("SELECT a FROM t").fetchall() == [(7,)]
    other.close()


def test_files_are_those_that_the_other_reads(fenced, data):
    """Written in the fence, read outside, and the other way round."""
    with fenced.module.connect(fenced.path("shop.sqlite3")) as connection:
        connection.execute("CREATE TABLE t (a)")
        connection.executemany("INSERT INTO t VALUES (?)", [(value,) for value in EXTREMES])
    native = sqlite3.connect(data / "shop.sqlite3")
    assert [a for (a,) in native.execute("SELECT a FROM t")] == EXTREMES
    assert native.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    native.execute("INSERT INTO t VALUES ('outside')")
    native.commit()
    native.close()
    assert connection.execute("SELECT count(*), max(rowid) FROM t WHERE a = 'outside'").fetchone() == (1, len(EXTREMES) + 1)
    connection.close()
    assert [path.name for path in data.iterdir()] == ["shop.sqlite3"]


VALUE = (
    st.none()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=["Cs"]))
    | st.binary()
)
UNIFORM = st.sampled_from([st.integers(-9, 9), st.floats(-1, 1), st.text("aé€😀\0", max_size=5), st.binary(max_size=5)]).flatmap(
    lambda kind: st.lists(kind | st.none(), min_size=40, max_size=40)
)
ROWS = st.lists(st.tuples(VALUE, VALUE), max_size=30) | st.tuples(UNIFORM, UNIFORM).map(lambda columns: list(zip(*columns, strict=True)))


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS)
def test_whatever_goes_in_comes_out_as_sqlite3_gives_it(fenced, rows):
    """By every way in (one by one, many) and out (rows, columns)."""
    found = []
    for module in (fenced.module, sqlite3):
        connection = module.connect(":memory:")
        connection.execute("CREATE TABLE t (a, b)")
        connection.executemany("INSERT INTO t VALUES (?, ?)", rows)
        for row in rows[:3]:
            connection.execute("INSERT INTO t VALUES (?, ?)", row)
        found.append(connection.execute("SELECT a, b, typeof(a), typeof(b) FROM t").fetchall())
        connection.close()
    assert found[0] == found[1]
    assert [tuple(map(type, row)) for row in found[0]] == [tuple(map(type, row)) for row in found[1]]
