"""`ringfence:sqlite/database` itself, of which two components are asked: SQLite from its own sources, and the one that CPython carries.

A caller cannot tell which one it has. What is asked of the first alone, the second does otherwise, or not at all.
"""

import os
import sqlite3
from contextlib import closing

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from places import ROOT
from ringfence import Graph, GuestError
from ringfence.contract.values import Case
from ringfence_composer.compose import compose_file

FILES = '{ path: data, match: ["*.sqlite3", "*.sqlite3-journal"], access: [read, write, create, delete], lock: ["*.sqlite3"] }'
GRAPH = """
ringfence: 1
graph: database
nodes:
  c: {{ component: {c}, limits: {{ memory: 256MiB, deadline: 60s }} }}
  python: {{ component: {python}, limits: {{ memory: 256MiB, deadline: 60s }} }}
  bare: {{ component: {c}, limits: {{ deadline: 60s }} }}
edges:
  - {{ from: c, to: host, grant: {{ files: [{files}] }} }}
  - {{ from: python, to: host, grant: {{ files: [{files}] }} }}
expose: [c, python, bare]
"""
OPTIONS = {"mode": "create", "uri": False, "busy-timeout": 100}
NOTHING = Case("positional", [])


@pytest.fixture(scope="module")
def graph(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sqlite")
    (folder / "data").mkdir()
    places = {"c": ROOT / "components/sqlite-client", "python": ROOT / "tests/sqlite/python_client"}
    (folder / "graph.yaml").write_text(GRAPH.format(files=FILES, **{name: os.path.relpath(path, folder) for name, path in places.items()}))
    compose_file(folder / "graph.yaml")
    with Graph.load(folder / "graph.yaml") as loaded:
        loaded.data = folder / "data"
        yield loaded


@pytest.fixture
def data(graph):
    for path in graph.data.iterdir():
        path.unlink()
    return graph.data


@pytest.fixture(params=["c", "python"])
def node(request, graph, data):
    return graph[request.param]


@pytest.fixture
def c(graph, data):
    """SQLite from its own sources, alone."""
    return graph["c"]


def opened(node, path=":memory:", **options):
    return node.connection.open(path, OPTIONS | options)


def positional(*values):
    return Case("positional", [Case(*value) if isinstance(value, tuple) else Case("null") for value in values])


def rows(batch):
    """The rows of a batch in either form."""
    if batch.name == "rows":
        return [tuple((value.name, value.value) for value in row) for row in batch.value]
    return list(zip(*map(cells, batch.value.columns), strict=True))


def cells(column):
    name, value = column.values.name, column.values.value
    if name == "values":
        return [(one.name, one.value) for one in value]
    if name in ("texts", "blobs"):
        ends = list(value.ends)
        parts = [bytes(value.bytes[start:end]) for start, end in zip([0, *ends], ends, strict=False)]
        found = [("text", part.decode()) if name == "texts" else ("blob", part) for part in parts]
    else:
        found = [({"integers": "integer", "reals": "real"}[name], one) for one in value]
    return [("null", None) if row in column.nulls else one for row, one in enumerate(found)]


def asked(connection, sql, parameters=NOTHING, most=1000):
    return rows(connection.prepare(sql).run(parameters, most).rows)


def script(connection, *statements):
    connection.run_script("; ".join(statements))


def failure(function, *arguments):
    with pytest.raises(GuestError) as failed:
        function(*arguments)
    return failed.value.value


VALUES = [None, ("integer", -(1 << 63)), ("real", 2.5), ("text", "ä\0𝄞"), ("blob", b"\0\xff"), ("text", ""), ("blob", b"")]


@pytest.mark.parametrize("count", [1, 8, 9, 500])
def test_every_value_comes_back_as_it_was_given(node, count):
    connection = opened(node)
    script(connection, "CREATE TABLE t (" + ", ".join(f"c{number}" for number in range(len(VALUES))) + ")")
    insert = connection.prepare("INSERT INTO t VALUES (?, ?, ?, ?, ?, ?, ?)")
    for _ in range(count):
        assert insert.run(positional(*VALUES), 0).status.changes == 1
    expected = tuple(("null", None) if value is None else value for value in VALUES)
    assert asked(connection, "SELECT * FROM t") == [expected] * count


VALUE = st.one_of(
    st.none(),
    st.integers(-(1 << 63), (1 << 63) - 1),
    st.floats(allow_nan=False),
    st.text(max_size=20),
    st.binary(max_size=20),
)
KINDS = {type(None): "null", int: "integer", float: "real", str: "text", bytes: "blob"}


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(table=st.integers(1, 4).flatmap(lambda width: st.lists(st.tuples(*[VALUE] * width), max_size=40)), most=st.integers(1, 50))
def test_whatever_the_rows_are_they_come_back_as_they_were(c, table, most):
    """Batches are put together by column and cross in either form; natively is what they must be."""
    if not table:
        return
    names = ", ".join(f"c{number}" for number in range(len(table[0])))
    connection = opened(c)
    with closing(sqlite3.connect(":memory:")) as native:
        native.execute(f"CREATE TABLE t ({names})")
        native.executemany(f"INSERT INTO t VALUES ({', '.join('?' * len(table[0]))})", table)
        connection.deserialize("main", native.serialize())
    statement, found = connection.prepare("SELECT * FROM t ORDER BY rowid"), []
    outcome = statement.run(NOTHING, most)
    while True:
        found += rows(outcome.rows)
        if not outcome.more:
            break
        outcome = statement.fetch(most)
    assert found == [tuple((KINDS[type(value)], value) for value in row) for row in table]
    connection.disconnect()
    connection.close()
    statement.close()


@pytest.mark.parametrize("count", [2, 30])
def test_columns_hold_what_their_rows_do(node, count):
    """Nulls before the first value, and between; numbers that become texts; nothing but nulls."""
    connection = opened(node)
    script(connection, "CREATE TABLE t (a, b, c)")
    for number in range(count):
        mixed = [None, ("integer", number), ("text", f"n{number}"), ("blob", b"x"), ("real", 0.5)][number % 5]
        connection.prepare("INSERT INTO t VALUES (?, ?, ?)").run(positional(None if number % 3 else ("text", "z"), mixed, None), 0)
    found = asked(connection, "SELECT a, b, c, a, coalesce(a, 1.5) FROM t")
    assert [row[0][0] for row in found] == ["null" if number % 3 else "text" for number in range(count)]
    assert [row[1][0] for row in found] == [["null", "integer", "text", "blob", "real"][number % 5] for number in range(count)]
    assert {row[2] for row in found} == {("null", None)}
    assert [row[4] for row in found] == [("real", 1.5) if number % 3 else ("text", "z") for number in range(count)]


def test_rows_come_in_the_batches_that_were_asked_for(node):
    connection = opened(node)
    statement = connection.prepare("WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 25) SELECT i FROM n")
    outcome, found = statement.run(NOTHING, 10), []
    assert outcome.columns == ["i"]
    while True:
        assert len(rows(outcome.rows)) <= 10
        found += rows(outcome.rows)
        if not outcome.more:
            break
        outcome = statement.fetch(10)
        assert outcome.columns is None, "told once"
    assert found == [(("integer", number),) for number in range(1, 26)]
    assert rows(statement.fetch(10).rows) == [], "it does not begin again"


def test_large_rows_come_few_at_a_time(node):
    connection = opened(node)
    sql = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100) SELECT randomblob(100000) FROM n"
    statement = connection.prepare(sql)
    outcome, count, batches = statement.run(NOTHING, 1000), 0, 0
    while True:
        count, batches = count + len(rows(outcome.rows)), batches + 1
        if not outcome.more:
            break
        outcome = statement.fetch(1000)
    assert count == 100
    assert batches > 10


def test_an_error_after_rows_is_told_by_the_next_fetch(c):
    connection = opened(c)
    script(connection, "CREATE TABLE t (a)", "INSERT INTO t VALUES (1), (2), (-9223372036854775808)")
    statement = connection.prepare("SELECT abs(a) FROM t")
    outcome = statement.run(NOTHING, 100)
    assert (rows(outcome.rows), outcome.more) == ([(("integer", 1),), (("integer", 2),)], True)
    found = failure(statement.fetch, 100)
    assert (found.name, found.value.name, found.value.message) == ("database", "SQLITE_ERROR", "integer overflow")
    assert rows(statement.fetch(100).rows) == []
    assert failure(connection.prepare("SELECT abs(a) FROM t WHERE a < 0").run, NOTHING, 10).value.code == 1


FAILURES = [
    ("INSERT INTO t VALUES (1)", 2067, "SQLITE_CONSTRAINT_UNIQUE", "UNIQUE constraint failed: t.a"),
    ("INSERT INTO t VALUES (NULL)", 1299, "SQLITE_CONSTRAINT_NOTNULL", "NOT NULL constraint failed: t.a"),
    ("SELECT * FROM missing", 1, "SQLITE_ERROR", "no such table: missing"),
    ("ATTACH '/etc/passwd' AS x", 14, "SQLITE_CANTOPEN", "unable to open database: /etc/passwd"),
    ("SELECT zeroblob(2000000000)", 18, "SQLITE_TOOBIG", "string or blob too big"),
]


@pytest.mark.parametrize(("sql", "code", "name", "message"), FAILURES)
def test_failures_carry_sqlites_codes(node, sql, code, name, message):
    connection = opened(node)
    script(connection, "CREATE TABLE t (a UNIQUE NOT NULL)", "INSERT INTO t VALUES (1)")
    found = failure(asked, connection, sql)
    assert found.name == "database"
    assert (found.value.code, found.value.name, found.value.message) == (code, name, message)


MISUSES = [
    ("SELECT 1; SELECT 2", NOTHING, "You can only execute one statement at a time."),
    ("SELECT ?", NOTHING, "Incorrect number of bindings supplied. The current statement uses 1, and there are 0 supplied."),
    ("SELECT :a", Case("named", [("b", Case("null"))]), "You did not supply a value for binding parameter :a."),
    ("SELECT ?", Case("named", []), "Binding 1 has no name, but you supplied a dictionary (which has only names)."),
]


@pytest.mark.parametrize(("sql", "parameters", "message"), MISUSES)
def test_a_wrong_use_is_told_as_one(node, sql, parameters, message):
    found = failure(asked, opened(node), sql, parameters)
    assert (found.name, found.value) == ("usage", message)


def test_names_find_their_values_in_any_order(node):
    named = Case("named", [("c", Case("integer", 3)), ("more", Case("null")), ("a", Case("integer", 1)), ("b", Case("text", "2"))])
    assert asked(opened(node), "SELECT :a, @b, $c, :a", named) == [(("integer", 1), ("text", "2"), ("integer", 3), ("integer", 1))]


@pytest.mark.parametrize("sql", ["", "  -- nothing\n", "/* nothing */", "/* open"])
def test_a_command_of_nothing_does_nothing(node, sql):
    outcome = opened(node).prepare(sql).run(NOTHING, 10)
    assert (rows(outcome.rows), outcome.more, outcome.columns) == ([], False, None)


def table(height, *columns):
    made = [{"nulls": nulls, "values": Case(kind, values)} for nulls, kind, values in columns]
    return Case("columns", {"height": height, "columns": made})


def packed(data, *ends):
    return {"bytes": data, "ends": list(ends)}


def test_many_rows_are_given_by_column(node):
    connection = opened(node)
    script(connection, "CREATE TABLE t (a, b, c, d, e)")
    insert = connection.prepare("INSERT INTO t VALUES (?, ?, ?, ?, ?)")
    mixed = [Case("null"), Case("integer", 7), Case("text", "x")]
    columns = (
        ([1], "integers", [1, 0, 3]),
        ([], "reals", [0.5, 1.5, 2.5]),
        ([0], "texts", packed("äz".encode(), 0, 2, 3)),
        ([], "blobs", packed(b"\0\1\2", 1, 1, 3)),
        ([], "values", mixed),
    )
    status = insert.run_many(table(3, *columns))
    assert (status.changes, status.total_changes, status.last_insert_rowid) == (3, 3, 3)
    assert asked(connection, "SELECT * FROM t") == [
        (("integer", 1), ("real", 0.5), ("null", None), ("blob", b"\0"), ("null", None)),
        (("null", None), ("real", 1.5), ("text", "ä"), ("blob", b""), ("integer", 7)),
        (("integer", 3), ("real", 2.5), ("text", "z"), ("blob", b"\1\2"), ("text", "x")),
    ]
    assert insert.run_many(Case("rows", [[Case("null")] * 5] * 4)).changes == 4


MALFORMED = {
    "ends go back": table(2, ([], "texts", packed(b"abc", 3, 1))),
    "ends go too far": table(1, ([], "blobs", packed(b"abc", 4))),
    "too few values": table(3, ([], "integers", [1, 2])),
    "too many values": table(1, ([], "reals", [1.0, 2.0])),
    "a null of no row": table(1, ([1], "integers", [1])),
    "nulls out of order": table(3, ([2, 1], "integers", [1, 2, 3])),
}


@pytest.mark.parametrize("why", MALFORMED)
def test_a_batch_that_does_not_fit_together_is_refused(c, why):
    """Another component may have made it; C would read what lies behind it."""
    connection = opened(c)
    script(connection, "CREATE TABLE t (a)")
    insert = connection.prepare("INSERT INTO t VALUES (?)")
    found = failure(insert.run_many, MALFORMED[why])
    assert found.name == "usage"
    assert "malformed" in found.value
    assert insert.run_many(table(2, ([0], "integers", [0, 2]))).changes == 2


@pytest.mark.parametrize("sql", ["SELECT ?", "INSERT INTO t VALUES (?) RETURNING a", "PRAGMA user_version"])
def test_only_changes_are_run_many_times(c, sql):
    connection = opened(c)
    script(connection, "CREATE TABLE t (a)")
    found = failure(connection.prepare(sql).run_many, Case("rows", [[Case("integer", 1)]]))
    assert found.name == "usage"
    assert "executemany() can only execute DML statements" in found.value


def test_texts_that_are_none_come_back_byte_by_byte(c):
    """SQLite keeps as text whatever it was given as one; a WIT string holds only Unicode, a column's bytes hold all."""
    connection = opened(c)
    script(connection, "CREATE TABLE t (a)", "INSERT INTO t VALUES (1), (CAST(x'ff' AS TEXT)), ('z'), (2), (NULL), (CAST(x'c080' AS TEXT))")
    statement, found = connection.prepare("SELECT a FROM t"), []
    outcome = statement.run(NOTHING, 100)
    while True:
        batch = outcome.rows
        if batch.name == "columns":
            (column,) = batch.value.columns
            if column.values.name == "texts":
                ends = list(column.values.value.ends)
                found += [bytes(column.values.value.bytes[a:b]) for a, b in zip([0, *ends], ends, strict=False)]
            else:
                found += [value for _, value in cells(column)]
        else:
            found += [row[0].value for row in batch.value]
        if not outcome.more:
            break
        outcome = statement.fetch(100)
    assert [b"z" if one == "z" else one for one in found if one is not None and one != b""] == [1, b"\xff", b"z", 2, b"\xc0\x80"]


def test_names_that_are_not_unicode_are_shown_as_far_as_they_are(c, data):
    """A schema can be written by hand, or by another program: what crosses as a string must be one."""
    with closing(sqlite3.connect(data / "odd.sqlite3")) as native:
        native.executescript(
            "CREATE TABLE t (abcdef TEXTx); PRAGMA writable_schema = ON;"
            "UPDATE sqlite_schema SET sql = CAST(replace(CAST(sql AS BLOB), x'6364', x'fffe') AS TEXT);"
        )
    statement = opened(c, "/data/odd.sqlite3").prepare("SELECT * FROM t")
    assert statement.run(NOTHING, 1).columns == ["ab\ufffd\ufffdef"]
    assert "no such column: cd" in failure(asked, opened(c, "/data/odd.sqlite3"), "SELECT cd FROM t").value.message


def test_the_columns_of_a_statement_follow_its_table(node, data):
    connection, other = opened(node, "/data/x.sqlite3"), opened(node, "/data/x.sqlite3")
    script(connection, "CREATE TABLE t (a)", "INSERT INTO t VALUES (1)")
    statement = other.prepare("SELECT * FROM t")
    assert statement.run(NOTHING, 10).columns == ["a"]
    script(connection, "ALTER TABLE t ADD COLUMN b DEFAULT 2")
    outcome = statement.run(NOTHING, 10)
    assert (outcome.columns, rows(outcome.rows)) == (["a", "b"], [(("integer", 1), ("integer", 2))])
    assert len(statement.declared_types()) == 2


def test_declared_types_are_those_of_the_tables(c):
    connection = opened(c)
    script(connection, "CREATE TABLE t (a VARCHAR(20), b INTEGER, c)", "CREATE VIEW v AS SELECT a AS x, b + 1 AS y FROM t")
    assert connection.prepare("SELECT x, y, 1 FROM v").declared_types() == ["VARCHAR(20)", None, None]
    assert connection.prepare("SELECT c, b FROM t").declared_types() == [None, "INTEGER"]
    assert connection.prepare("DELETE FROM t").declared_types() == []


def test_a_whole_database_crosses_as_bytes(node):
    connection, other = opened(node), opened(node)
    script(connection, "CREATE TABLE t (a)", "INSERT INTO t VALUES (randomblob(100000))")
    data = connection.serialize("main")
    assert data[:15] == b"SQLite format 3"
    other.deserialize("main", data)
    script(other, "INSERT INTO t VALUES (1)")
    assert asked(other, "SELECT count(*) FROM t") == [(("integer", 2),)]
    assert failure(other.serialize, "nothing").name == "usage"
    other.deserialize("main", b"not a database, whatever it says" * 40)
    assert failure(asked, other, "SELECT * FROM sqlite_schema").value.name == "SQLITE_NOTADB"


def test_an_empty_database_is_one_too(c):
    connection = opened(c)
    connection.deserialize("main", b"")
    assert connection.serialize("main") == b""
    script(connection, "CREATE TABLE t (a)")


def test_after_the_end_of_a_connection_everything_says_so(c):
    connection = opened(c)
    statement = connection.prepare("SELECT 1")
    statement.run(NOTHING, 1)
    connection.disconnect()
    connection.disconnect()
    for function, *arguments in ((connection.prepare, "SELECT 1"), (connection.begin, "deferred"), (statement.run, NOTHING, 1)):
        with pytest.raises(GuestError) as failed:
            function(*arguments)
        assert "closed" in str(failed.value.value.value)


@pytest.mark.parametrize("mode", ["read-only", "read-write"])
def test_a_database_is_opened_as_it_is_asked_to_be(node, data, mode):
    options = OPTIONS | {"mode": mode}
    assert failure(node.connection.open, "/data/x.sqlite3", options).value.name == "SQLITE_CANTOPEN"
    asked(opened(node, "/data/x.sqlite3"), "CREATE TABLE t (a)")
    connection = node.connection.open("/data/x.sqlite3", options)
    assert asked(connection, "SELECT * FROM t") == []
    if mode == "read-only":
        assert failure(asked, connection, "INSERT INTO t VALUES (1)").value.name == "SQLITE_READONLY"
    else:
        asked(connection, "INSERT INTO t VALUES (1)")


@pytest.mark.parametrize(
    "feature",
    [
        "CREATE VIRTUAL TABLE x USING fts5(a)",
        "CREATE VIRTUAL TABLE x USING fts4(a)",
        "CREATE VIRTUAL TABLE x USING rtree(id, a, b)",
        "SELECT json_extract('{\"a\": [1, 2]}', '$.a[1]'), json('[1]'), jsonb('[1]')",
        "SELECT sqrt(2), log2(8), pow(2, 10), pi(), ceil(1.5)",
        "SELECT datetime('now', 'localtime'), strftime('%s', 'now'), unixepoch('subsec')",
        "SELECT geopoly_area('[[0,0],[1,0],[1,1],[0,0]]')",
        "SELECT count(*) FROM dbstat",
        "SELECT group_concat(i, ',') OVER (ORDER BY i) FROM (SELECT 1 AS i)",
        "SELECT " + "(" * 900 + "1" + ")" * 900,
        "SELECT 1" + " + 1" * 900,
    ],
)
def test_sqlite_has_all_of_its_parts(c, feature):
    asked(opened(c), feature)


def test_without_any_grant_a_database_in_memory_works_and_no_file_does(graph):
    connection = opened(graph["bare"])
    assert asked(connection, "SELECT 1 WHERE random() IS NOT NULL") == [(("integer", 1),)]
    assert failure(opened, graph["bare"], "/data/x.sqlite3").value.name == "SQLITE_CANTOPEN"
