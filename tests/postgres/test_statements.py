"""What an application does with a database, against a real one: statements, transactions, errors by SQLSTATE, bulk, restarts, threads."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from decimal import Decimal

import pytest
from ringfence.dbapi import postgres


@pytest.fixture
def orders(connection):
    """A table of the session's own, empty."""
    connection.execute("CREATE TEMP TABLE orders (id int PRIMARY KEY, customer text NOT NULL, total numeric(10, 2) CHECK (total >= 0))")
    connection.commit()
    return connection


def count(connection, table="orders"):
    return connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]


# Statements


def test_parameters_by_place_and_by_name(cursor):
    assert cursor.execute("SELECT %s, %s::text, '100%%'", [1, "a"]).fetchone() == (1, "a", "100%")
    assert cursor.execute("SELECT %(b)s, %(a)s, %(b)s", {"a": 1, "b": 2, "c": 3}).fetchone() == (2, 1, 2)


def test_without_parameters_percent_signs_stand_for_themselves(cursor):
    assert cursor.execute("SELECT '100%', '%s'").fetchone() == ("100%", "%s")


@pytest.mark.parametrize(
    ("sql", "parameters", "said"),
    [
        ("SELECT %s", [], "1 placeholders, and 0 parameters"),
        ("SELECT %s", [1, 2], "1 placeholders, and 2 parameters"),
        ("SELECT %s", {"a": 1}, "expected a sequence"),
        ("SELECT %(a)s", [1], "expected a mapping"),
        ("SELECT %(a)s", {"b": 1}, "no parameter is called a"),
        ("SELECT %(a)s, %s", [1], "stand in one statement"),
        ("SELECT %d", [1], "found %'d' at 7"),
        ("SELECT 100%", [1], "found %'' at 10"),
        ("SELECT %s", "a", "found str"),
    ],
)
def test_placeholders_that_do_not_fit_are_told_before_anything_is_sent(cursor, sql, parameters, said):
    with pytest.raises(postgres.ProgrammingError, match=said):
        cursor.execute(sql, parameters)


def test_parameters_are_never_sql(orders):
    """They cross as values of the protocol, whatever is in them."""
    wicked = "x'); DROP TABLE orders; --"
    orders.execute("INSERT INTO orders VALUES (%s, %s, 0)", [1, wicked])
    assert orders.execute("SELECT customer FROM orders").fetchall() == [(wicked,)]


def test_prepared_statements_are_parsed_once(connection):
    def kept():
        return connection.execute("SELECT count(*) FROM pg_prepared_statements").fetchone()[0]

    answers = [connection.execute("SELECT %s::int * 2", [n], prepare=True).fetchone()[0] for n in range(20)]
    assert answers == [2 * n for n in range(20)]
    assert kept() == 1
    for n in range(150):
        connection.execute(f"SELECT {n}, %s::int", [n], prepare=True)
    assert kept() == 100


def test_prepared_statements_outlive_errors_and_are_made_anew_when_stale(connect):
    """Neither may the server be left with more of them at every error, nor the application with one that never works again."""
    connection = connect(autocommit=True)
    connection.execute("CREATE TEMP TABLE changing (n int PRIMARY KEY)")
    for _ in range(20):
        for n in (1, 1):
            with suppress(postgres.IntegrityError):
                connection.execute("INSERT INTO changing VALUES (%s)", [n], prepare=True)
    assert connection.execute("SELECT count(*) FROM pg_prepared_statements").fetchone() == (1,)
    assert connection.execute("SELECT * FROM changing", prepare=True).fetchall() == [(1,)]
    connection.execute("ALTER TABLE changing ADD COLUMN t text")
    with pytest.raises(postgres.NotSupportedError, match="cached plan"):
        connection.execute("SELECT * FROM changing", prepare=True)
    assert connection.execute("SELECT * FROM changing", prepare=True).fetchall() == [(1, None)]
    connection.execute("DEALLOCATE ALL")
    with pytest.raises(postgres.ProgrammingError):
        connection.execute("SELECT * FROM changing", prepare=True)
    assert connection.execute("SELECT * FROM changing", prepare=True).fetchall() == [(1, None)]


def test_a_prepared_statement_knows_its_parameters_and_columns(client):
    statement = client.prepare("SELECT $1::int4 + 1 AS next, $2::text", [])
    assert statement.parameters() == [23, 25]
    assert [(one.name, one.type_oid) for one in statement.columns()] == [("next", 23), ("text", 25)]
    statement.deallocate()
    assert client.prepare("SELECT $1 || 'x'", [25]).parameters() == [25]


def test_of_several_statements_the_last_one_answers(cursor):
    cursor.execute("SELECT 1 AS a, 2 AS b; SELECT 'x' AS c UNION SELECT 'y' ORDER BY c")
    assert [one.name for one in cursor.description] == ["c"]
    assert cursor.fetchall() == [("x",), ("y",)]
    cursor.execute("SELECT 1; CREATE TEMP TABLE pair (n int); INSERT INTO pair VALUES (1), (2)")
    assert (cursor.description, cursor.rowcount, cursor.statusmessage) == (None, 2, "INSERT 0 2")


def test_an_empty_statement_answers_nothing(cursor):
    cursor.execute("-- nothing")
    assert (cursor.description, cursor.rowcount, cursor.statusmessage) == (None, -1, "")


# Transactions


def test_what_is_committed_is_seen_by_others_and_what_is_rolled_back_by_nobody(connect):
    one, other = connect(), connect(autocommit=True)
    other.execute("DROP TABLE IF EXISTS shared; CREATE TABLE shared (n int)")
    one.execute("INSERT INTO shared VALUES (1)")
    assert count(other, "shared") == 0
    assert one.transaction_status == "active"
    one.commit()
    assert count(other, "shared") == 1
    one.execute("INSERT INTO shared VALUES (2)")
    one.rollback()
    assert count(one, "shared") == 1
    other.execute("INSERT INTO shared VALUES (3)")
    one.rollback()
    assert count(one, "shared") == 2
    one.commit()
    other.execute("DROP TABLE shared")


def test_a_savepoint_undoes_a_part(orders):
    orders.execute("INSERT INTO orders VALUES (1, 'a', 0)")
    orders.execute("SAVEPOINT before")
    with pytest.raises(postgres.IntegrityError):
        orders.execute("INSERT INTO orders VALUES (1, 'b', 0)")
    assert orders.transaction_status == "failed"
    with pytest.raises(postgres.InternalError) as failed:
        orders.execute("SELECT 1")
    assert failed.value.sqlstate == "25P02"
    orders.execute("ROLLBACK TO SAVEPOINT before")
    orders.execute("INSERT INTO orders VALUES (2, 'c', 0)")
    orders.commit()
    assert orders.execute("SELECT id FROM orders ORDER BY id").fetchall() == [(1,), (2,)]


def test_committing_a_failed_transaction_is_an_error_since_nothing_was_kept(orders):
    """The server itself answers ROLLBACK to that, which nobody would notice."""
    orders.execute("INSERT INTO orders VALUES (1, 'a', 0)")
    with pytest.raises(postgres.DataError):
        orders.execute("SELECT 1 / 0")
    with pytest.raises(postgres.InternalError, match="rolled back"):
        orders.commit()
    assert orders.transaction_status == "idle"
    assert count(orders) == 0


def test_with_a_connection_commits_or_rolls_back_and_closes(connect):
    with connect() as one:
        one.execute("DROP TABLE IF EXISTS kept; CREATE TABLE kept (n int)")
    assert one.closed
    with pytest.raises(ZeroDivisionError), connect() as two:
        two.execute("INSERT INTO kept VALUES (1)")
        raise ZeroDivisionError
    last = connect(autocommit=True)
    assert count(last, "kept") == 0
    last.execute("DROP TABLE kept")


def test_autocommit_changes_between_transactions_only(connect):
    connection = connect()
    connection.execute("SELECT 1")
    with pytest.raises(postgres.ProgrammingError, match="commit or roll back first"):
        connection.autocommit = True
    connection.rollback()
    connection.autocommit = True
    connection.execute("SELECT 1")
    assert connection.transaction_status == "idle"
    connection.execute("VACUUM")  # which no transaction takes


# Errors


@pytest.mark.parametrize(
    ("sql", "state", "kind"),
    [
        ("SELEC 1", "42601", postgres.ProgrammingError),
        ("SELECT * FROM nowhere", "42P01", postgres.ProgrammingError),
        ("SELECT nothing", "42703", postgres.ProgrammingError),
        ("SELECT nothing()", "42883", postgres.ProgrammingError),
        ("SELECT 1 / 0", "22012", postgres.DataError),
        ("SELECT 'x'::int", "22P02", postgres.DataError),
        ("SELECT 100000::int2", "22003", postgres.DataError),
        ("INSERT INTO orders VALUES (1, NULL, 0)", "23502", postgres.IntegrityError),
        ("INSERT INTO orders VALUES (1, 'a', -1)", "23514", postgres.IntegrityError),
        ("SELECT set_config('transaction_read_only', 'on', true); CREATE TABLE t ()", "25006", postgres.InternalError),
        ("DO $$ BEGIN RAISE 'mine' USING ERRCODE = '40001'; END $$", "40001", postgres.OperationalError),
        ("DO $$ BEGIN RAISE 'mine'; END $$", "P0001", postgres.ProgrammingError),
        ("SET statement_timeout = 20; SELECT pg_sleep(5)", "57014", postgres.OperationalError),
        ("SELECT lo_get(1)", "42704", postgres.ProgrammingError),
        ("COPY orders FROM STDIN", "57014", postgres.OperationalError),
        ("COPY orders TO STDOUT", "0A000", postgres.NotSupportedError),
        ("LISTEN a; NOTIFY a, 'ä'; DROP TABLE nowhere", "42P01", postgres.ProgrammingError),
    ],
)
def test_an_error_is_of_the_class_that_its_sqlstate_says(orders, sql, state, kind):
    """And the connection goes on: nothing of the protocol is left unread."""
    with pytest.raises(kind) as failed:
        orders.execute(sql)
    assert type(failed.value) is kind
    assert failed.value.sqlstate == state
    orders.rollback()
    assert count(orders) == 0


def test_an_error_says_all_that_the_server_said(orders):
    orders.execute("INSERT INTO orders VALUES (1, 'a', 0)")
    with pytest.raises(postgres.IntegrityError) as failed:
        orders.execute("INSERT INTO orders VALUES (%s, 'b', 0)", [1])
    said = failed.value.diag
    assert (said.severity, said.sqlstate, said.table, said.constraint) == ("ERROR", "23505", "orders", "orders_pkey")
    assert said.schema.startswith("pg_temp")
    assert said.detail == "Key (id)=(1) already exists."
    assert "duplicate key" in str(failed.value)
    assert said.detail in str(failed.value)
    orders.rollback()
    with pytest.raises(postgres.ProgrammingError) as failed:
        orders.execute("SELECT custmer FROM orders")
    assert failed.value.diag.position == 8
    assert "orders.customer" in failed.value.diag.hint


def test_parameters_that_the_statement_does_not_take_are_the_applications_fault(client):
    """PostgreSQL counts them as a violation of the protocol; the connection goes on all the same."""
    from ringfence import GuestError
    from ringfence.dbapi.postgres.failures import failure
    from ringfence.dbapi.postgres.values import parameter

    with pytest.raises(GuestError) as failed:
        client.prepare("SELECT 1", []).execute([parameter(1)], 10)
    error, gone = failure(failed.value)
    assert (type(error), error.sqlstate, gone) == (postgres.ProgrammingError, "08P01", False)
    assert client.execute("SELECT 1", [], 10).affected == 1


def test_types_have_numbers_of_all_32_bits(client):
    """A database that has made many objects hands out such; an unknown one is the server's to refuse."""
    from ringfence import GuestError
    from ringfence.contract.values import Case

    unknown = Case("scalar", Case("other", {"type_oid": 2**32 - 5, "text": "x"}))
    for use in (lambda: client.execute("SELECT $1", [unknown], 1), lambda: client.prepare("SELECT $1", [2**32 - 5])):
        with pytest.raises(GuestError) as failed:
            use()
        assert str(2**32 - 5) in failed.value.value.message
        assert not failed.value.value.disconnected


def test_sql_with_nul_is_refused_before_it_is_sent(cursor):
    """The protocol ends a text at NUL: what stands behind would be read as something else."""
    for parameters in (None, []):
        with pytest.raises(postgres.DataError, match="NUL"):
            cursor.execute("SELECT 1\0; DROP TABLE x", parameters)


# Bulk


def test_ten_thousand_rows_go_in_and_come_out(orders):
    given = [(n, f"customer {n % 97}", Decimal(n) / 4) for n in range(10_000)]
    cursor = orders.cursor()
    assert cursor.executemany("INSERT INTO orders VALUES (%s, %s, %s)", given).rowcount == 10_000
    orders.commit()
    cursor.execute("SELECT * FROM orders ORDER BY id")
    assert cursor.rowcount == 10_000
    assert cursor.fetchall() == given


def test_rows_cross_in_batches(orders):
    cursor = orders.cursor()
    cursor.batch = 7
    cursor.execute("SELECT n FROM generate_series(1, 100) n")
    assert cursor.fetchone() == (1,)
    assert cursor.fetchmany(10) == [(n,) for n in range(2, 12)]
    assert cursor.rownumber == 11
    orders.commit()  # they are in the client's memory: the end of the transaction does not touch them
    assert list(cursor) == [(n,) for n in range(12, 101)]
    assert cursor.fetchone() is None
    assert cursor.fetchall() == []


def test_large_rows_cross_in_smaller_batches(cursor):
    """Sixty megabytes in all, where the graph lets sixteen out at once."""
    cursor.execute("SELECT n, repeat('x', 20000), NULL FROM generate_series(1, 3000) n")
    seen = [(n, len(text)) for n, text, _ in cursor]
    assert seen == [(n, 20000) for n in range(1, 3001)]


def test_bulk_that_answers_as_much_as_it_is_sent_does_not_hang(orders):
    """The server reads no further while nobody reads what it answers."""
    large = "x" * 300_000
    cursor = orders.cursor()
    cursor.executemany("INSERT INTO orders VALUES (%s, %s, 0) RETURNING customer", [(n, large) for n in range(60)])
    assert cursor.rowcount == 60
    cursor.executemany("SELECT repeat('x', 300000 + %s)", [[n] for n in range(300)])
    assert cursor.rowcount == 300


def test_rows_that_nobody_took_are_let_go(cursor):
    """A hundred answers of five megabytes each would not fit in the client's memory."""
    cursor.batch = 1
    for _ in range(100):
        cursor.execute("SELECT n, repeat('x', 1000) FROM generate_series(1, 5000) n")
        assert cursor.fetchone()[0] == 1


def test_bulk_is_all_or_nothing(connect):
    """Also where it is no part of a transaction, and more than crosses at once."""
    connection = connect(autocommit=True)
    connection.execute("CREATE TEMP TABLE many (n int PRIMARY KEY)")
    cursor = connection.cursor()
    for size in (3, 12_000):
        with pytest.raises(postgres.IntegrityError):
            cursor.executemany("INSERT INTO many VALUES (%s)", [[n] for n in range(size)] + [[0]])
        assert count(connection, "many") == 0
        assert connection.transaction_status == "idle"
    assert cursor.executemany("INSERT INTO many VALUES (%s)", ([n] for n in range(12_000))).rowcount == 12_000
    assert count(connection, "many") == 12_000
    assert cursor.executemany("DELETE FROM many WHERE n < %s", [[10], [20], [30]]).rowcount == 30
    assert cursor.executemany("DELETE FROM many WHERE n = %s", []).rowcount == 0


def test_copy_takes_and_gives_whole_tables(orders):
    cursor = orders.cursor()
    lines = "".join(f"{n}\tcustomer {n}\t{n}.50\n" for n in range(50_000))
    assert cursor.copy_in("COPY orders FROM STDIN", lines) == 50_000
    assert count(orders) == 50_000
    assert cursor.copy_out("COPY (SELECT * FROM orders ORDER BY id) TO STDOUT").decode() == lines
    with pytest.raises(postgres.DataError):
        cursor.copy_in("COPY orders FROM STDIN", "not a number\tx\t1\n")
    orders.rollback()
    with pytest.raises(postgres.DataError, match="expected a COPY"):
        cursor.copy_out("SELECT 1")


def test_more_than_memory_is_read_through_a_cursor_of_sql(cursor):
    cursor.execute("DECLARE many CURSOR FOR SELECT n, repeat('x', 1000) FROM generate_series(1, 5000) n")
    seen = 0
    while rows := cursor.execute("FETCH 1000 FROM many").fetchall():
        seen += len(rows)
    assert seen == 5000


# The server goes, and comes back


def test_after_a_restart_the_old_connection_says_so_and_a_new_one_works(connect, server):
    old, idle = connect(), connect()
    old.execute("CREATE TEMP TABLE gone (n int)")
    idle.execute("SELECT 1")
    idle.commit()
    server.restart()
    with pytest.raises(postgres.OperationalError) as failed:
        old.execute("SELECT * FROM gone")
    assert failed.value.sqlstate in {"57P01", "08006"}
    assert old.closed
    with pytest.raises(postgres.OperationalError, match="the connection was lost"):
        old.execute("SELECT 1")
    with pytest.raises(postgres.OperationalError):
        idle.cursor().execute("SELECT 1")
    old.close()
    assert connect().execute("SELECT 1").fetchone() == (1,)


def test_while_the_server_is_down_connecting_fails_as_it_should(connect, server):
    server.stop()
    try:
        with pytest.raises(postgres.OperationalError) as failed:
            connect()
    finally:
        server.start()
    assert failed.value.sqlstate == "08001"
    assert str(server.port) in str(failed.value)
    assert connect().execute("SELECT 1").fetchone() == (1,)


def test_a_session_that_an_administrator_ends_is_lost(connect):
    victim, admin = connect(), connect(autocommit=True)
    (pid,) = victim.execute("SELECT pg_backend_pid()").fetchone()
    admin.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    with pytest.raises(postgres.OperationalError) as failed:
        victim.execute("SELECT 1")
    assert failed.value.sqlstate in {"57P01", "08006"}
    assert victim.closed


# Who may come in


def test_a_wrong_password_is_refused_by_the_server(connect):
    with pytest.raises(postgres.OperationalError) as failed:
        connect(password="wrong")
    assert failed.value.sqlstate == "28P01"
    assert "wrong" not in str(failed.value)


def test_the_server_really_asks_for_scram(connect, server):
    """Otherwise any password would do, and the tests of passwords would mean nothing."""
    rules = connect().execute("SELECT DISTINCT auth_method FROM pg_hba_file_rules").fetchall()
    assert rules == [("scram-sha-256",)]
    assert connect(password=server.password).execute("SELECT current_user").fetchone() == (server.user,)


def test_a_database_that_is_not_there_is_named(connect):
    with pytest.raises(postgres.ProgrammingError) as failed:
        connect(database="nowhere")
    assert failed.value.sqlstate == "3D000"


@pytest.mark.parametrize("mode", ["require", "verify-ca", "verify-full"])
def test_tls_is_refused_rather_than_left_out(connect, mode):
    with pytest.raises(postgres.NotSupportedError, match="no TLS"):
        connect(sslmode=mode)


def test_an_unknown_sslmode_is_the_applications_fault(connect):
    with pytest.raises(postgres.InterfaceError, match="verify-full, found 'on'"):
        connect(sslmode="on")


def test_settings_reach_the_server(connect):
    connection = connect(application_name="till 7", database="postgres")
    connection.execute("SELECT current_database(), application_name FROM pg_stat_activity WHERE pid = pg_backend_pid()")
    cursor = connection.execute("SELECT current_database(), current_setting('application_name')")
    assert cursor.fetchone() == ("postgres", "till 7")
    assert connection.parameter_status("server_version").startswith("18.")
    assert connection.parameter_status("no such thing") is None


def test_a_nul_character_in_a_setting_can_not_make_further_settings(connect):
    """The protocol's start packet is a list of texts that end with NUL."""
    for setting in ("user", "database", "application_name"):
        with pytest.raises(postgres.OperationalError, match="NUL"):
            connect(**{setting: "ada\0options\0-cwork_mem=1GB"})


# Threads


def test_threads_have_connections_of_their_own(connect, server):
    def work(number):
        with connect() as connection:
            rows = connection.execute("SELECT n * %s FROM generate_series(1, 200) n", [number]).fetchall()
            return connection.execute("SELECT pg_backend_pid()").fetchone()[0], sum(row[0] for row in rows)

    with ThreadPoolExecutor(4) as threads:
        done = list(threads.map(work, range(16)))
    assert [total for _, total in done] == [20100 * number for number in range(16)]
    assert len({pid for pid, _ in done}) == 16


def test_threads_share_a_connection_one_after_another(orders):
    """Level 2 of PEP 249: no answer goes to another thread's cursor."""

    def work(number):
        cursor = orders.cursor()
        cursor.execute("INSERT INTO orders VALUES (%s, %s, 0)", [number, f"thread {number}"])
        return cursor.execute("SELECT customer FROM orders WHERE id = %s", [number]).fetchone()

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(work, range(60))) == [(f"thread {number}",) for number in range(60)]
    orders.commit()
    assert count(orders) == 60


def test_two_sessions_wait_side_by_side(connect):
    """One blocked in the server holds up nobody: each connection is an instance of its own."""
    with ThreadPoolExecutor(1) as threads:
        one, other = connect(), connect()
        slow = threads.submit(lambda: one.execute("SELECT pg_sleep(2)").rowcount)
        assert other.execute("SELECT 1").fetchone() == (1,)
        assert not slow.done()
        assert slow.result() == 1
