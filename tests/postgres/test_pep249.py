"""The face is PEP 249's, by the letter: its public compliance tests, and what they do not ask."""

import datetime as dt
import inspect
import subprocess
import sys
import threading
import time
from unittest.mock import Mock

import dbapi20
import pytest
from ringfence import Graph
from ringfence.contract.values import Case, record_class
from ringfence.dbapi import exceptions, postgres
from ringfence.testing import Double, always, deny, in_order, time_out, trap


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the suite speaks unittest's of twenty years ago
class TestCompliance(dbapi20.DatabaseAPI20Test):
    """Stuart Bishop's suite, in which drivers fill in what is theirs alone."""

    driver = postgres
    lower_func = "lower"

    @pytest.fixture(autouse=True)
    def _server(self, graph, server):
        self.connect_args, self.connect_kw_args = (graph,), {"user": server.user}

    def test_nextset(self):
        connection = self._connect()
        try:
            with pytest.raises(postgres.NotSupportedError):
                connection.cursor().nextset()
        finally:
            connection.close()

    def test_setoutputsize(self):
        connection = self._connect()
        try:
            cursor = connection.cursor()
            cursor.setoutputsize(10, 0)
            cursor.execute("SELECT repeat('x', 100)")
            assert cursor.fetchone() == ("x" * 100,)
        finally:
            connection.close()

    def test_non_idempotent_close(self):
        """PEP 249 does not ask for an error, and closing twice is harmless everywhere in this project."""
        connection = self._connect()
        connection.close()
        connection.close()


def test_the_whole_suite_is_run():
    """A suite from which tests vanish unseen would still be green."""
    asked = {name for name, _ in inspect.getmembers(dbapi20.DatabaseAPI20Test, inspect.isfunction) if name.startswith("test_")}
    assert len(asked) == 36


def test_the_module_has_all_that_pep_249_names():
    assert (postgres.apilevel, postgres.threadsafety, postgres.paramstyle) == ("2.0", 2, "format")
    for name in ("Warning", "Error", "InterfaceError", "DatabaseError", "DataError", "OperationalError", "IntegrityError", "InternalError"):
        assert getattr(postgres, name) is getattr(exceptions, name) is getattr(postgres.Connection, name)
    assert postgres.Date(2026, 1, 31) == dt.date(2026, 1, 31)
    assert postgres.Time(1, 2, 3) == dt.time(1, 2, 3)
    assert postgres.Timestamp(2026, 1, 31, 1, 2, 3) == dt.datetime(2026, 1, 31, 1, 2, 3)
    assert postgres.TimestampFromTicks(0) == dt.datetime(*time.localtime(0)[:6])
    assert postgres.DateFromTicks(0) == postgres.TimestampFromTicks(0).date()
    assert postgres.TimeFromTicks(0) == postgres.TimestampFromTicks(0).time()
    assert postgres.Binary(b"\0") == b"\0"


def test_a_description_tells_names_types_and_sizes(cursor):
    cursor.execute(
        "SELECT 1::int2 AS a, 1.5::numeric(10, 2) AS b, 'x'::varchar(7) AS c, now() AS d, ''::bytea AS e, 1::oid AS f, 1.5::numeric AS g"
    )
    assert cursor.description == [
        ("a", 21, None, 2, None, None, None),
        ("b", 1700, None, None, 10, 2, None),
        ("c", 1043, 7, None, None, None, None),
        ("d", 1184, None, 8, None, None, None),
        ("e", 17, None, None, None, None, None),
        ("f", 26, None, 4, None, None, None),
        ("g", 1700, None, None, None, None, None),
    ]
    kinds = [postgres.NUMBER, postgres.NUMBER, postgres.STRING, postgres.DATETIME, postgres.BINARY, postgres.ROWID, postgres.NUMBER]
    assert [one.type_code for one in cursor.description] == kinds
    assert cursor.description[0].type_code != postgres.STRING
    assert postgres.STRING != postgres.NUMBER
    cursor.execute("SET work_mem = '8MB'")
    assert cursor.description is None


@pytest.mark.parametrize(
    ("sql", "count", "message"),
    [
        ("SELECT 1 WHERE false", 0, "SELECT 0"),
        ("VALUES (1), (2)", 2, "SELECT 2"),
        ("INSERT INTO counted VALUES (4), (5) RETURNING n", 2, "INSERT 0 2"),
        ("UPDATE counted SET n = n + 10 WHERE n < 3", 2, "UPDATE 2"),
        ("DELETE FROM counted", 3, "DELETE 3"),
        ("MERGE INTO counted USING (VALUES (3)) v(n) ON counted.n = v.n WHEN MATCHED THEN DELETE", 1, "MERGE 1"),
        ("TRUNCATE counted", -1, "TRUNCATE TABLE"),
    ],
)
def test_rowcount_is_the_servers(cursor, sql, count, message):
    cursor.execute("CREATE TEMP TABLE counted AS SELECT n FROM generate_series(1, 3) n")
    assert cursor.rowcount == 3
    cursor.execute(sql)
    assert (cursor.rowcount, cursor.statusmessage) == (count, message)


def test_fetching_where_there_are_no_rows_is_an_error(cursor):
    for fetch in (cursor.fetchone, cursor.fetchmany, cursor.fetchall, lambda: next(cursor)):
        with pytest.raises(postgres.ProgrammingError, match="no rows to fetch"):
            fetch()
    cursor.execute("CREATE TEMP TABLE empty ()")
    with pytest.raises(postgres.ProgrammingError, match="no rows to fetch"):
        cursor.fetchall()


def test_a_failed_statement_leaves_no_rows_of_the_one_before(cursor):
    cursor.execute("SELECT 1")
    with pytest.raises(postgres.ProgrammingError):
        cursor.execute("SELEC")
    with pytest.raises(postgres.ProgrammingError, match="no rows to fetch"):
        cursor.fetchone()
    assert (cursor.rowcount, cursor.description) == (-1, None)


def test_what_is_closed_can_not_be_used(connection):
    cursor = connection.cursor()
    cursor.execute("SELECT 1")
    cursor.close()
    cursor.close()
    for use in (cursor.fetchone, lambda: cursor.execute("SELECT 1"), cursor.__enter__):
        with pytest.raises(postgres.InterfaceError, match="the cursor is closed"):
            use()
    open_one = connection.cursor()
    open_one.execute("SELECT n FROM generate_series(1, 6000) n")
    connection.close()
    for use in (connection.cursor, connection.commit, connection.rollback, open_one.fetchall, lambda: open_one.execute("SELECT 1")):
        with pytest.raises(postgres.InterfaceError, match="the connection is closed"):
            use()


def test_a_connection_that_nobody_closed_leaves_no_session(graph, server, connect):
    """The instance ends with the last resource in it, and with it the socket."""
    postgres.connect(graph, user=server.user, application_name="forgotten")
    watcher = connect(autocommit=True)
    until = time.monotonic() + 20
    while watcher.execute("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'forgotten'").fetchone() != (0,):
        assert time.monotonic() < until
        time.sleep(0.05)


def test_a_deadline_ends_the_call_and_the_connection(composed, server, password):
    with Graph.load(composed(deadline="2s"), parameters={"postgres": server.address}) as graph:
        connection = postgres.connect(graph, user=server.user)
        with pytest.raises(postgres.OperationalError, match=r"limits\.deadline") as failed:
            connection.execute("SELECT pg_sleep(60)")
        assert isinstance(failed.value.__cause__, TimeoutError)
        with pytest.raises(postgres.OperationalError, match="the connection was lost"):
            connection.execute("SELECT 1")
        assert postgres.connect(graph, user=server.user).execute("SELECT 1").fetchone() == (1,)


def test_closing_the_graph_ends_its_connections(composed, server, password):
    graph = Graph.load(composed(), parameters={"postgres": server.address})
    connection = postgres.connect(graph, user=server.user)
    waiting = threading.Timer(0.5, graph.close)
    waiting.start()
    with pytest.raises(postgres.OperationalError):
        connection.execute("SELECT pg_sleep(60)")
    waiting.join()
    with pytest.raises(postgres.OperationalError):
        connection.commit()


# Without a server: doubles in the client's place


def reply(*rows, columns=(("n", 23),), state="idle"):
    column, answer = (
        record_class(("name", "type-oid", "type-size", "type-modifier")),
        record_class(("command", "affected", "columns", "rows", "more", "transaction")),
    )
    cells = [[Case("scalar", cell) for cell in row] for row in rows]
    return answer(f"SELECT {len(rows)}", len(rows), [column(*one, 4, -1) for one in columns], cells, None, state)


class FakeConnection:
    """A connection of WIT's that follows a script."""

    def __init__(self, **scripts):
        quiet = {"begin": always(None), "commit": always(None), "rollback": always(None), "disconnect": always(None), "close": always(None)}
        self.double = Double(**{**quiet, "transaction": always("failed"), **scripts})

    def __getattr__(self, name):
        return getattr(self.double, name)


class FakeClient:
    """The node's stand-in, for code that takes `graph["postgres"]`."""

    def __init__(self, connection):
        self.connection = self
        self.open = always(connection)


def test_an_application_is_tested_without_a_server_or_a_graph():
    fake = FakeConnection(execute=in_order(reply([Case("integer", 5)], state="active"), time_out("2s")))
    connection = postgres.connect(FakeClient(fake), user="ada")
    assert connection.execute("SELECT %s", [4]).fetchall() == [(5,)]
    assert fake.double.called("execute") == [("SELECT $1", [Case("scalar", Case("integer", 4))], 5000)]
    assert len(fake.double.called("begin")) == 1
    with pytest.raises(postgres.OperationalError, match="deadline"):
        connection.execute("SELECT 2")
    assert connection.closed


def test_a_double_stands_in_the_nodes_place(composed, server):
    """Held to the client's WIT, like any double: what it answers must be what the component could have."""

    class Node:
        def connection_open(self, settings):
            assert (settings.user, settings.ssl) == ("ada", "prefer")
            return Mock(execute=always(reply([Case("text", "double")])))

    with Graph.load(composed(), parameters={"postgres": server.address}, substitutes={"postgres": Node()}) as graph:
        for source in (graph, graph["postgres"]):
            connection = postgres.connect(source, user="ada", autocommit=True)
            assert connection.execute("SELECT 1").fetchall() == [("double",)]


@pytest.mark.parametrize(
    ("ending", "kind"), [(trap(), postgres.OperationalError), (deny("tcp", "10.0.0.1:5432"), postgres.OperationalError)]
)
def test_whatever_the_fence_does_to_a_call_is_an_error_of_pep_249(ending, kind):
    """Code that catches its database's errors must catch these, too; what it was is the cause."""
    connection = postgres.connect(FakeClient(FakeConnection(execute=in_order(ending))), user="ada")
    with pytest.raises(kind) as failed:
        connection.execute("SELECT 1")
    assert failed.value.__cause__ is ending
    assert connection.closed


def test_ctrl_c_ends_the_connection():
    """The guest was ended in the middle of a call: its session is in no state to be used."""

    def interrupt(*_):
        raise KeyboardInterrupt

    connection = postgres.connect(FakeClient(FakeConnection(execute=interrupt)), user="ada")
    with pytest.raises(KeyboardInterrupt):
        connection.execute("SELECT 1")
    with pytest.raises(postgres.OperationalError, match="interrupted"):
        connection.execute("SELECT 1")


def test_importing_ringfence_does_not_import_the_faces():
    """They cost the start of an application nothing that does not use them."""
    code = "import sys, ringfence; ringfence.Graph; assert not [name for name in sys.modules if name.startswith('ringfence.dbapi')]"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_a_value_that_a_lying_client_made_up_is_text():
    """The guest holds the library's code: what it calls a date need not be one, and must not end in an error of another kind."""
    wicked = [
        Case("date", "yesterday"),
        Case("uuid", "x"),
        Case("numeric", "1e"),
        Case("jsonb", "["),
        Case("jsonb", "[" * 100_000),
        Case("interval", "P" + "9" * 9999 + "D"),
    ]
    fake = FakeConnection(execute=always(reply(wicked, columns=[("c", 25)] * len(wicked))))
    connection = postgres.connect(FakeClient(fake), user="ada", autocommit=True)
    assert connection.execute("SELECT 1").fetchone() == tuple(one.value for one in wicked)
