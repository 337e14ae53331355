"""SQL that reaches for what its database's grant does not name: refused, in each case beside what the same SQL may do.

Whoever chooses the SQL is the adversary: an application's user behind an injection, or the application itself.
"""

import os
import sqlite3
from contextlib import closing

import pytest
from ringfence import CapabilityDenied, Graph
from ringfence.dbapi.sqlite import module

GRAPH = """
ringfence: 1
graph: database
nodes:
  sqlite: {{ component: ROOT/components/sqlite-client, limits: {{ deadline: 60s, memory: 512MiB }} }}
edges:
  - from: sqlite
    to: host
    grant:
      files: [{{ path: data, match: {match}, access: [read, write, create, delete], lock: ["*.sqlite3"] }}]
expose: [sqlite]
"""
DATABASES = '["*.sqlite3", "*.sqlite3-journal"]'


@pytest.fixture
def fence(compose):
    """Makes a module on a graph with this grant, its folder empty but for shop.sqlite3; `outside` beside it holds a secret."""
    opened = []

    def make(match=DATABASES):
        manifest = compose(GRAPH.format(match=match))
        for name in ("data", "outside"):
            folder = manifest.parent / name
            folder.mkdir(exist_ok=True)
            for path in folder.iterdir():
                path.unlink()
        with closing(sqlite3.connect(manifest.parent / "outside/secret.db")) as secret:
            secret.executescript("CREATE TABLE secrets (word); INSERT INTO secrets VALUES ('s3cret');")
        opened.append(Graph.load(manifest))
        made = module(opened[-1]["sqlite"])
        made.graph, made.data, made.outside = opened[-1], manifest.parent / "data", manifest.parent / "outside"
        with closing(made.connect("/data/shop.sqlite3")) as connection:
            connection.executescript("CREATE TABLE t (a); INSERT INTO t VALUES (1);")
        return made

    yield make
    for graph in opened:
        graph.close()


@pytest.fixture
def sql(fence):
    """Runs statements on a connection of its own; the rows of the last."""

    def run(*statements, made=None, **options):
        with closing((made or fenced).connect("/data/shop.sqlite3", isolation_level=None, **options)) as connection:
            for statement in statements:
                rows = connection.execute(statement).fetchall()
        return rows

    fenced = run.fenced = fence()
    return run


def refused(run, *statements, **more):
    """The error of statements that must fail."""
    with pytest.raises(run.fenced.Error) as failed:
        run(*statements, **more)
    return failed.value


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize(
    "path",
    ["/etc/passwd", "/data/../outside/secret.db", "../outside/secret.db", "/data/private.db", "/proc/self/environ", "/data", "/data/x.txt"],
)
def test_no_file_is_attached_that_the_grant_does_not_name(sql, path):
    (sql.fenced.data / "private.db").write_bytes((sql.fenced.outside / "secret.db").read_bytes())
    error = refused(sql, f"ATTACH '{path}' AS x", "SELECT * FROM x.sqlite_schema")
    assert isinstance(error, sql.fenced.OperationalError)
    if path in ("/data/private.db", "/data/x.txt"):  # others never leave the guest, whose own C library finds no granted folder there
        assert isinstance(error.__cause__, CapabilityDenied)
    assert names(sql.fenced.data) == ["private.db", "shop.sqlite3"]
    assert sql("ATTACH '/data/other.sqlite3' AS x", "CREATE TABLE x.t AS SELECT * FROM main.t", "SELECT * FROM x.t") == [(1,)]


def test_a_denial_says_what_would_have_to_be_granted(sql):
    (sql.fenced.data / "private.db").write_bytes(b"")
    error = refused(sql, "ATTACH '/data/private.db' AS x")
    denial = error.__cause__.denials[0]
    assert (denial.node, denial.kind, denial.value) == ("sqlite", "files", "'/data/private.db'")
    assert 'match: ["private.db"]' in denial.allow
    assert any("private.db" in note for note in error.__notes__)


def test_no_copy_is_written_to_another_name(sql):
    for path in ("/data/x.txt", "x.txt", "/tmp/x.sqlite3", "/data/../outside/x.sqlite3", "/data/sub/x.sqlite3"):
        refused(sql, f"VACUUM INTO '{path}'")
    assert names(sql.fenced.data) == ["shop.sqlite3"]
    assert names(sql.fenced.outside) == ["secret.db"]
    sql("VACUUM INTO '/data/copy.sqlite3'")
    with closing(sqlite3.connect(sql.fenced.data / "copy.sqlite3")) as copy:
        assert copy.execute("SELECT * FROM t").fetchall() == [(1,)]


def test_a_link_of_the_right_name_leads_nowhere_else(sql):
    (sql.fenced.data / "link.sqlite3").symlink_to(sql.fenced.outside / "secret.db")
    (sql.fenced.data / "relative.sqlite3").symlink_to("../outside/secret.db")
    (sql.fenced.data / "inside.sqlite3").symlink_to("shop.sqlite3")
    os.link(sql.fenced.outside / "secret.db", sql.fenced.data / "hard.sqlite3")
    for name in ("link", "relative", "hard"):
        refused(sql, f"ATTACH '/data/{name}.sqlite3' AS x", "SELECT * FROM x.secrets")
        with pytest.raises(sql.fenced.OperationalError):
            sql.fenced.connect(f"/data/{name}.sqlite3").execute("SELECT * FROM secrets")
    with closing(sql.fenced.connect("/data/inside.sqlite3")) as connection:
        assert connection.execute("SELECT * FROM t").fetchall() == [(1,)]


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT load_extension('/data/shop.sqlite3')",
        "SELECT load_extension('/usr/lib/x86_64-linux-gnu/libc.so.6')",
        "SELECT readfile('/etc/passwd')",
        "SELECT writefile('/data/x.txt', 'x')",
        "SELECT edit('x', '/bin/sh')",
        "SELECT fts3_tokenizer('simple', x'4141414141414141')",
        "CREATE VIRTUAL TABLE x USING csv(filename='/etc/passwd')",
        "CREATE VIRTUAL TABLE x USING fsdir('/')",
    ],
)
def test_sql_has_no_function_that_leaves_the_database(sql, statement):
    refused(sql, statement)
    assert sql("SELECT abs(-1)") == [(1,)]


SPILL = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) INSERT INTO s SELECT randomblob(900) FROM n"


def test_temporary_files_are_kept_in_memory_and_go_nowhere_else(sql):
    begin = (
        "PRAGMA temp.cache_size = 2",
        "CREATE TEMP TABLE s (b)",
        SPILL,
        "CREATE INDEX temp.i ON s (b)",
        "SELECT count(*) FROM s ORDER BY 1",
    )
    assert sql(*begin) == [(3000,)]
    assert names(sql.fenced.data) == ["shop.sqlite3"]
    refused(sql, "PRAGMA temp_store = FILE", *begin)
    refused(sql, f"PRAGMA temp_store_directory = '{sql.fenced.outside}'", "PRAGMA temp_store = FILE", *begin)
    assert names(sql.fenced.data) == ["shop.sqlite3"]
    assert names(sql.fenced.outside) == ["secret.db"]


@pytest.mark.parametrize("mode", ["WAL", "wal"])
def test_a_write_ahead_log_is_refused(sql, mode):
    """It is another file, and its readers share memory, which a guest and others can't."""
    assert sql("PRAGMA locking_mode = EXCLUSIVE", f"PRAGMA journal_mode = {mode}") == [("delete",)]
    assert sql("INSERT INTO t VALUES (2)", "SELECT count(*) FROM t") == [(2,)]
    assert names(sql.fenced.data) == ["shop.sqlite3"]


@pytest.mark.parametrize("mode", ["delete", "truncate", "persist", "memory", "off"])
def test_other_journals_stay_within_the_grant(sql, mode):
    assert sql(f"PRAGMA journal_mode = {mode}") == [(mode,)]
    assert sql(f"PRAGMA journal_mode = {mode}", "INSERT INTO t VALUES (2)", "SELECT count(*) FROM t") == [(2,)]
    assert set(names(sql.fenced.data)) <= {"shop.sqlite3", "shop.sqlite3-journal"}
    with closing(sqlite3.connect(sql.fenced.data / "shop.sqlite3")) as native:
        assert native.execute("SELECT count(*) FROM t").fetchone() == (2,)


def test_a_schema_that_was_written_by_hand_harms_only_its_own_database(sql):
    """`writable_schema` makes a database that is broken, and nothing but an error of its own."""
    sql("PRAGMA writable_schema = ON", "UPDATE sqlite_schema SET sql = 'CREATE TABLE t (', rootpage = 2147483647")
    assert isinstance(refused(sql, "SELECT * FROM t"), sql.fenced.DatabaseError)
    with closing(sql.fenced.connect("/data/new.sqlite3")) as other:
        assert other.execute("SELECT 1").fetchall() == [(1,)]


@pytest.mark.parametrize("option", ["nolock=1", "vfs=unix-none", "immutable=1"])
def test_no_option_of_a_uri_leads_out_or_writes_without_the_lock(sql, option):
    """SQLite can be told not to lock: the host still lets nothing be changed that is not locked."""
    before = (sql.fenced.data / "shop.sqlite3").read_bytes()
    for path in ("/etc/passwd", "/data/private.db"):
        refused(sql, f"ATTACH 'file:{path}?{option}' AS x", "SELECT * FROM x.sqlite_schema", uri=True)
    with pytest.raises(sql.fenced.Error):
        connection = sql.fenced.connect(f"file:/data/shop.sqlite3?{option}", uri=True)
        connection.execute("INSERT INTO t VALUES (2)")
        connection.commit()
    assert (sql.fenced.data / "shop.sqlite3").read_bytes() == before
    assert sql("INSERT INTO t VALUES (2)", "SELECT count(*) FROM t") == [(2,)]


def test_a_transaction_over_two_files_needs_a_grant_for_what_ties_them(fence, sql):
    """SQLite notes such a transaction in one more file, `shop.sqlite3-mj` and a number."""
    both = (
        "ATTACH '/data/other.sqlite3' AS x",
        "CREATE TABLE IF NOT EXISTS x.t (a)",
        "BEGIN",
        "INSERT INTO main.t VALUES (2)",
        "INSERT INTO x.t VALUES (2)",
        "COMMIT",
        "SELECT count(*) FROM main.t",
    )
    error = refused(sql, *both)
    assert "-mj" in str(error.__cause__)
    more = fence('["*.sqlite3", "*.sqlite3-journal", "*.sqlite3-mj*"]')
    assert sql(*both, made=more) == [(2,)]


def test_what_is_written_and_how_long_it_takes_is_limited(fence, sql):
    """By the node's limits; the connection is lost, the database is not."""
    with closing(sqlite3.connect(sql.fenced.data / "shop.sqlite3")) as native:
        before = native.execute("SELECT count(*) FROM t").fetchone()
    huge = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(randomblob(1000000000)) FROM n"
    with pytest.raises((sql.fenced.Error, MemoryError)):
        sql(huge)
    assert tuple(sql("SELECT count(*) FROM t")[0]) == before
