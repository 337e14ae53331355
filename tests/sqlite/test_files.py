"""What SQLite does with its files in a fence: what it makes sure of, and what it refuses rather than risk."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from places import ROOT
from ringfence import CapabilityDenied, Graph
from ringfence.dbapi.sqlite import module
from ringfence_composer.compose import compose_file


@pytest.fixture
def synced(monkeypatch):
    """The names of what was put on the disk, in order."""
    found = []

    def watch(real):
        def sync(descriptor):
            found.append(Path(f"/proc/self/fd/{descriptor}").readlink().name)
            real(descriptor)

        return sync

    for name in ("fsync", "fdatasync"):
        monkeypatch.setattr(os, name, watch(getattr(os, name)))
    return found


def test_what_is_committed_is_on_the_disk(fenced, data, synced):
    """The journal with its name before the database; with EXTRA, that the journal is gone comes last: as SQLite does natively."""
    with closing(fenced.module.connect(fenced.path("a.sqlite3"), isolation_level=None)) as connection:
        connection.execute("CREATE TABLE t (a)")
        synced.clear()
        connection.execute("INSERT INTO t VALUES (1)")
        assert synced == ["a.sqlite3-journal", "data", "a.sqlite3-journal", "a.sqlite3"]
        synced.clear()
        connection.execute("PRAGMA synchronous = EXTRA")
        connection.execute("INSERT INTO t VALUES (1)")
        assert synced == ["a.sqlite3-journal", "data", "a.sqlite3-journal", "a.sqlite3", "data"]
        synced.clear()
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("INSERT INTO t VALUES (2)")
        assert synced == [], "the control"


def test_a_write_ahead_log_is_refused_by_its_name(fenced, data):
    """Its readers and writers share memory. Another program has to leave that mode; until then nothing is read that could be old."""
    with closing(sqlite3.connect(data / "log.sqlite3")) as native:
        native.executescript("PRAGMA journal_mode = WAL; CREATE TABLE t (a); INSERT INTO t VALUES (1);")
        with closing(fenced.module.connect(fenced.path("log.sqlite3"))) as connection:
            with pytest.raises(fenced.module.DatabaseError, match="write-ahead log.*journal_mode = DELETE") as failed:
                connection.execute("SELECT * FROM t")
            assert failed.value.sqlite_errorname == "SQLITE_NOTADB"
        native.execute("PRAGMA journal_mode = DELETE")
        with closing(fenced.module.connect(fenced.path("log.sqlite3"))) as connection:
            assert connection.execute("SELECT * FROM t").fetchall() == [(1,)]
    (data / "text.sqlite3").write_bytes(b"not a database, whatever it is called" * 100)
    with closing(fenced.module.connect(fenced.path("text.sqlite3"))) as connection:
        with pytest.raises(fenced.module.DatabaseError, match="^file is not a database$"):
            connection.execute("SELECT 1 FROM sqlite_schema")


def test_a_database_has_one_journal_by_whatever_name_it_is_opened(fenced, data):
    """Else a program that knows it by its own name would not find what is to be rolled back."""
    with closing(sqlite3.connect(data / "real.sqlite3")) as native:
        native.execute("CREATE TABLE t (a)")
    (data / "link.sqlite3").symlink_to("real.sqlite3")
    (data / "twice.sqlite3").symlink_to("link.sqlite3")
    with closing(fenced.module.connect(fenced.path("twice.sqlite3"), isolation_level=None)) as connection:
        connection.execute("BEGIN")
        connection.execute("INSERT INTO t VALUES (1)")
        assert sorted(one.name for one in data.iterdir()) == ["link.sqlite3", "real.sqlite3", "real.sqlite3-journal", "twice.sqlite3"]


def test_a_database_that_was_moved_away_is_not_written_to(fenced, data):
    """Whoever opens it under its new name does not look for the journal under the old one."""
    with closing(fenced.module.connect(fenced.path("a.sqlite3"), isolation_level=None)) as connection:
        connection.execute("CREATE TABLE t (a)")
        (data / "a.sqlite3").rename(data / "b.sqlite3")
        with pytest.raises(fenced.module.OperationalError) as failed:
            connection.execute("INSERT INTO t VALUES (1)")
        assert failed.value.sqlite_errorname == "SQLITE_READONLY_DBMOVED"
        (data / "b.sqlite3").rename(data / "a.sqlite3")
        connection.execute("INSERT INTO t VALUES (1)")


GRAPH = """
ringfence: 1
graph: narrow
nodes:
  sqlite: {{ component: {component}, limits: {{ deadline: 60s }} }}
edges:
  - {{ from: sqlite, to: host, grant: {{ files: [{{ path: data, {grant} }}] }} }}
expose: [sqlite]
"""


@pytest.fixture
def narrow(tmp_path):
    """Makes a module on a graph with this grant, whose folder has a database with one row."""
    opened = []

    def make(grant):
        (tmp_path / "data").mkdir(exist_ok=True)
        with closing(sqlite3.connect(tmp_path / "data/a.sqlite3")) as native:
            native.executescript("DROP TABLE IF EXISTS t; CREATE TABLE t (a); INSERT INTO t VALUES (1);")
        component = os.path.relpath(ROOT / "components/sqlite-client", tmp_path)
        (tmp_path / "graph.yaml").write_text(GRAPH.format(component=component, grant=grant))
        compose_file(tmp_path / "graph.yaml")
        opened.append(Graph.load(tmp_path / "graph.yaml"))
        return module(opened[-1]["sqlite"])

    yield make
    for graph in opened:
        graph.close()


def test_without_a_grant_to_lock_a_database_is_not_used(narrow):
    """It would be read while another program writes it. Who knows that nobody does says so: `immutable`, or `nolock`."""
    match = 'match: ["*.sqlite3", "*.sqlite3-journal"], access: [read, write, create, delete]'
    sqlite = narrow(match)
    with closing(sqlite.connect("/data/a.sqlite3")) as connection, pytest.raises(sqlite.OperationalError) as failed:
        connection.execute("SELECT * FROM t")
    assert failed.value.sqlite_errorname == "SQLITE_PERM"
    assert isinstance(failed.value.__cause__, CapabilityDenied)
    assert 'lock: ["a.sqlite3"]' in failed.value.__cause__.denials[0].allow
    with closing(sqlite.connect("file:/data/a.sqlite3?nolock=1", uri=True)) as connection:
        assert connection.execute("SELECT * FROM t").fetchall() == [(1,)]
    sqlite = narrow(f'{match}, lock: ["*.sqlite3"]')
    with closing(sqlite.connect("/data/a.sqlite3")) as connection:
        assert connection.execute("SELECT * FROM t").fetchall() == [(1,)]


def test_where_a_journal_may_not_be_known_of_nothing_is_read(narrow):
    """There could be one, with what a database was before somebody died who was writing to it."""
    sqlite = narrow('match: ["*.sqlite3"], access: [read], lock: ["*.sqlite3"]')
    with closing(sqlite.connect("/data/a.sqlite3")) as connection, pytest.raises(sqlite.OperationalError) as failed:
        connection.execute("SELECT * FROM t")
    assert failed.value.sqlite_errorname == "SQLITE_IOERR_ACCESS"
    assert "'/data/a.sqlite3-journal'" in [one.value for one in failed.value.__cause__.denials]
    sqlite = narrow('match: ["*.sqlite3", "*.sqlite3-journal"], access: [read], lock: ["*.sqlite3"]')
    with closing(sqlite.connect("/data/a.sqlite3")) as connection:
        assert connection.execute("SELECT * FROM t").fetchall() == [(1,)]
        with pytest.raises(sqlite.OperationalError, match="readonly"):
            connection.execute("INSERT INTO t VALUES (2)")
