"""Two processes and one database: whoever comes second is told that it is locked, fenced or not, and the file stays whole."""

import random
import signal
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

WORKER = Path(__file__).with_name("worker.py")


class Worker:
    """A process; `worker(sql)` is what it answers."""

    def __init__(self, kind, composed):
        where = composed if kind == "fenced" else composed.parent / "data"
        command = [sys.executable, str(WORKER), kind, str(where), "shop.sqlite3"]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.read()

    def write(self, line):
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()

    def read(self):
        line = self.process.stdout.readline()
        assert line, f"the worker ended: {self.process.wait()}"
        return line.strip()

    def __call__(self, sql):
        self.write(sql)
        return self.read()

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.process.stdin.close()
        return self.process.stdout.read().split()


@pytest.fixture
def worker(composed, data):
    started = []

    def start(kind):
        started.append(Worker(kind, composed))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.kill()
        one.process.stdout.close()


@pytest.fixture
def table(data):
    with closing(sqlite3.connect(data / "shop.sqlite3")) as connection:
        connection.executescript("CREATE TABLE t (a); INSERT INTO t VALUES (1);")


LOCKED = "OperationalError: database is locked"


@pytest.mark.parametrize(("first", "second"), [("fenced", "fenced"), ("fenced", "native"), ("native", "fenced")])
def test_a_writer_locks_the_other_process_out(worker, table, first, second):
    one, other = worker(first), worker(second)
    assert one("SELECT a FROM t") == other("SELECT a FROM t") == "[(1,)]"
    assert one("BEGIN EXCLUSIVE") == "[]"
    assert one("INSERT INTO t VALUES (2)") == "[]"
    assert other("SELECT a FROM t") == LOCKED
    assert other("INSERT INTO t VALUES (3)") == LOCKED
    assert one("COMMIT") == "[]"
    assert other("SELECT a FROM t") == "[(1,), (2,)]"
    assert other("BEGIN IMMEDIATE") == "[]"
    assert one("INSERT INTO t VALUES (4)") == LOCKED
    assert other("ROLLBACK") == "[]"
    assert one("INSERT INTO t VALUES (4)") == "[]"


@pytest.mark.parametrize(("first", "second"), [("fenced", "fenced"), ("fenced", "native"), ("native", "fenced")])
def test_a_lock_ends_with_its_process(worker, table, first, second):
    one, other = worker(first), worker(second)
    assert one("BEGIN IMMEDIATE") == "[]"
    assert one("INSERT INTO t VALUES (2)") == "[]"
    assert other("BEGIN IMMEDIATE") == LOCKED
    one.kill()
    assert other("SELECT a FROM t") == "[(1,)]"
    assert other("INSERT INTO t VALUES (3)") == "[]"


def test_a_reader_outside_keeps_a_fenced_writer_waiting(worker, table):
    native, fenced = worker("native"), worker("fenced")
    assert native("BEGIN") == "[]"
    assert native("SELECT a FROM t") == "[(1,)]"
    assert fenced("INSERT INTO t VALUES (2)") == LOCKED
    assert native("COMMIT") == "[]"
    assert fenced("INSERT INTO t VALUES (2)") == "[]"


def test_connections_of_one_graph_lock_each_other_too(fenced, table):
    first, second = (fenced.module.connect(fenced.path("shop.sqlite3"), timeout=0.1) for _ in range(2))
    first.execute("INSERT INTO t VALUES (2)")
    assert second.execute("SELECT a FROM t").fetchall() == [(1,)], "who only reads waits for nobody who has not begun to write the file"
    began = time.monotonic()
    with pytest.raises(fenced.module.OperationalError, match="database is locked") as locked:
        second.execute("INSERT INTO t VALUES (3)")
    assert time.monotonic() - began >= 0.1
    assert locked.value.sqlite_errorname == "SQLITE_BUSY"
    first.commit()
    assert second.execute("SELECT a FROM t").fetchall() == [(1,), (2,)]
    first.close()
    second.close()


def test_whoever_waits_gets_the_database_when_it_is_free(worker, fenced, table):
    native = worker("native")
    assert native("BEGIN EXCLUSIVE") == "[]"
    with closing(fenced.module.connect(fenced.path("shop.sqlite3"), timeout=20)) as patient:
        native.write("COMMIT")
        patient.execute("INSERT INTO t VALUES (2)")
        patient.commit()
    assert native.read() == "[]"


@pytest.mark.parametrize("kind", ["fenced", "native"])
def test_many_writers_lose_nothing(worker, table, data, kind):
    """Each takes the database when it can; what any of them was told to be committed is there."""
    workers = [worker("fenced"), worker(kind)]
    told = 0
    for turn in range(40):
        told += workers[turn % 2 if turn < 30 else random.randrange(2)](f"INSERT INTO t VALUES ({turn})") == "[]"
    for one in workers:
        one.kill()
    with closing(sqlite3.connect(data / "shop.sqlite3")) as connection:
        assert connection.execute("SELECT count(*) FROM t").fetchone() == (1 + told,)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.mark.parametrize("kinds", [("fenced", "fenced", "native"), ("fenced", "native", "native")])
def test_no_update_is_lost(worker, table, data, kinds):
    """Each reads a number and writes the next one, in one transaction: two that read the same number must not both commit."""
    workers = [worker(kind) for kind in kinds]
    for one in workers:
        one.write("add 40")
    begun_again = [int(one.read()) for one in workers]
    with closing(sqlite3.connect(data / "shop.sqlite3")) as connection:
        assert connection.execute("SELECT a FROM t").fetchone() == (1 + 40 * len(kinds),)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert sum(begun_again), "they never met: this would show nothing"


def test_instances_in_threads_of_one_graph_lose_no_update_either(fenced, table, data):
    def add():
        with closing(fenced.module.connect(fenced.path("shop.sqlite3"), timeout=30, isolation_level=None)) as connection:
            for _ in range(20):
                connection.execute("BEGIN IMMEDIATE")
                (number,) = connection.execute("SELECT a FROM t").fetchone()
                connection.execute("UPDATE t SET a = ?", (number + 1,))
                connection.execute("COMMIT")

    with ThreadPoolExecutor(4) as pool:
        for one in [pool.submit(add) for _ in range(4)]:
            one.result()
    with closing(sqlite3.connect(data / "shop.sqlite3")) as connection:
        assert connection.execute("SELECT a FROM t").fetchone() == (81,)


@pytest.mark.parametrize(("first", "second"), [("fenced", "fenced"), ("fenced", "native"), ("native", "fenced")])
def test_readers_go_on_until_a_writer_is_done_preparing(worker, table, first, second):
    """SQLite's five states, across programs: shared, reserved beside it, pending once it has to wait, exclusive."""
    writer, reader, late = worker(first), worker(second), worker("native")
    assert writer("BEGIN IMMEDIATE") == "[]"
    assert writer("INSERT INTO t VALUES (2)") == "[]"
    assert reader("BEGIN") == "[]"
    assert reader("SELECT a FROM t") == "[(1,)]", "what is reserved can be read"
    assert late("BEGIN IMMEDIATE") == LOCKED, "and reserved by nobody else"
    assert writer("COMMIT") == LOCKED, "a reader is still there"
    assert late("SELECT a FROM t") == LOCKED, "no new ones come in while a writer waits"
    assert reader("COMMIT") == "[]"
    assert writer("COMMIT") == "[]"
    assert late("SELECT a FROM t") == "[(1,), (2,)]"


@pytest.mark.parametrize(("first", "second"), [("fenced", "fenced"), ("fenced", "native")])
def test_two_that_wait_for_each_other_are_told_so(worker, table, first, second):
    """Both have read, both want to write: SQLite gives up at once for the one that would keep both waiting for ever."""
    one, other = worker(first), worker(second)
    for each in (one, other):
        assert each("BEGIN") == "[]"
        assert each("SELECT a FROM t") == "[(1,)]"
    assert one("INSERT INTO t VALUES (2)") == "[]"
    assert other("INSERT INTO t VALUES (3)") == LOCKED
    assert one("COMMIT") == LOCKED
    assert other("ROLLBACK") == "[]"
    assert one("COMMIT") == "[]"


@pytest.mark.parametrize(("dies", "mends"), [("fenced", "fenced"), ("native", "fenced"), ("fenced", "native")])
def test_whoever_comes_next_rolls_back_what_was_left(worker, table, data, dies, mends):
    """A journal that its writer left behind with half of the file changed is anybody's to play back; then it is gone."""
    one, whole = worker(dies), (data / "shop.sqlite3").stat().st_size
    for sql in (
        "PRAGMA cache_size = 2",
        "BEGIN",
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) INSERT INTO t SELECT randomblob(500) FROM n",
    ):
        assert one(sql) == "[]"
    one.kill()
    before = (data / "shop.sqlite3").stat().st_size
    assert before > whole, "a cache of few pages makes sure of that"
    assert (data / "shop.sqlite3-journal").stat().st_size > 512
    other = worker(mends)
    assert other("SELECT a FROM t") == "[(1,)]"
    assert other("PRAGMA integrity_check") == "[('ok',)]"
    assert (data / "shop.sqlite3").stat().st_size == whole
    assert not (data / "shop.sqlite3-journal").exists()


@pytest.mark.parametrize("moment", [0.0, 0.03, 0.11, 0.3])
def test_killed_at_any_moment_all_that_was_committed_is_there_and_nothing_else(worker, table, data, moment):
    """The journal rolls back what was under way: by sqlite3, which knows nothing of the fence."""
    one = worker("fenced")
    one.write("count 50")
    one.read()
    time.sleep(moment)
    last = int([50, *one.kill()][-1])
    with closing(sqlite3.connect(data / "shop.sqlite3")) as connection:
        found = connection.execute("SELECT count(*) FROM t").fetchone()[0] - 1
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert found % 50 == 0
    assert last <= found <= last + 50
