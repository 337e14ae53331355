"""SQLAlchemy on the fenced SQLite: its own suite for dialects, test by test as on sqlite3, and an application's day."""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from ringfence import CapabilityDenied
from ringfence_composer.compose import compose_file
from sqlalchemy import Column, Integer, MetaData, String, Table, create_engine, event, exc, func, insert, inspect, select

SUITE = Path(__file__).with_name("alchemy")
GRANT = 'match: ["*.db", "*.db-journal"], access: [read, write, create, delete], lock: ["*.db"]'
DIFFERENCES = {}
"""Tests that end otherwise than on sqlite3, and why. None do."""


def start(url, folder, graph):
    """The suite in a process of its own, and the file that its outcomes will be in."""
    folder.mkdir()
    (folder / "setup.cfg").write_text("[sqla_testing]\nrequirement_cls = needs:Requirements\nprofile_file = profiles.txt\n")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-c",
        "setup.cfg",
        "--rootdir",
        ".",
        "--confcutdir",
        str(SUITE),
        "-p",
        "plugin",
        "-p",
        "no:ringfence",
    ]
    command += [
        "-p",
        "no:cacheprovider",
        "-q",
        "--tb=short",
        "--maxfail=10000",
        "-o",
        "python_files=compliance.py",
        str(SUITE / "compliance.py"),
    ]
    env = {**os.environ, "PYTHONPATH": str(SUITE), "FENCED_GRAPH": str(graph), "OUTCOMES": str(folder / "outcomes.json")}
    process = subprocess.Popen([*command, "--dburi", url], cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return process, folder / "outcomes.json"


@pytest.fixture(scope="module")
def suite_graph(composed, tmp_path_factory):
    folder = tmp_path_factory.mktemp("alchemy")
    text = composed.read_text()
    written = text[: text.index("        - { path: data")] + f"        - {{ path: fenced, as: /, {GRANT} }}\nexpose: [sqlite]\n"
    component = next(line for line in text.splitlines() if "component:" in line).split("component: ")[1].split(",")[0]
    found = os.path.relpath((composed.parent / component).resolve(), folder)
    (folder / "graph.yaml").write_text(written.replace(component, found))
    (folder / "fenced").mkdir()
    compose_file(folder / "graph.yaml")
    (folder / "fenced").rmdir()
    return folder / "graph.yaml"


def test_sqlalchemys_own_suite_ends_as_on_sqlite3(suite_graph, capsys):
    """1,457 tests. Those that fail on both are of features that the suite supposes and SQLite has not, or has otherwise."""
    folder = suite_graph.parent
    runs = {kind: start(url, folder / kind, suite_graph) for kind, url in (("fenced", "sqlite+fenced://"), ("native", "sqlite://"))}
    told = {kind: process.communicate(timeout=500)[0] for kind, (process, _) in runs.items()}
    found = {kind: json.loads(path.read_text()) for kind, (_, path) in runs.items()}
    counts = {kind: Counter(outcomes.values()) for kind, outcomes in found.items()}
    with capsys.disabled():
        print("\nSQLAlchemy's suite:", *(f"{kind} {dict(count)}" for kind, count in counts.items()), sep=" ")
    differing = {name for name in found["fenced"].keys() | found["native"].keys() if found["fenced"].get(name) != found["native"].get(name)}
    assert differing == set(DIFFERENCES), told["fenced"][-3000:]
    assert counts["fenced"]["passed"] > 800
    assert counts["fenced"]["failed"] < 100


@pytest.fixture
def engine(fenced):
    engine = create_engine(f"sqlite+ringfence:///{fenced.path('shop.sqlite3')}", module=fenced.module)
    yield engine
    engine.dispose()


ORDERS = Table("orders", MetaData(), Column("id", Integer, primary_key=True), Column("name", String(20)), Column("total", Integer))


def test_an_application_makes_fills_asks_and_reflects(engine, data):
    ORDERS.metadata.create_all(engine)
    with engine.begin() as connection:
        connection.execute(insert(ORDERS), [{"name": f"n{i % 3}", "total": i} for i in range(1000)])
        found = connection.execute(insert(ORDERS).returning(ORDERS.c.id), {"name": "n9", "total": -1}).scalar_one()
        assert found == 1001
    with engine.connect() as connection:
        by_name = select(ORDERS.c.name, func.count(), func.sum(ORDERS.c.total)).group_by(ORDERS.c.name).order_by(ORDERS.c.name)
        assert connection.execute(by_name).all() == [("n0", 334, 166833), ("n1", 333, 166167), ("n2", 333, 166500), ("n9", 1, -1)]
        assert [row.id for row in connection.execute(select(ORDERS.c.id)).yield_per(10)] == list(range(1, 1002))
    assert [column["name"] for column in inspect(engine).get_columns("orders")] == ["id", "name", "total"]
    assert (data / "shop.sqlite3").exists()


def test_errors_are_sqlalchemys_and_a_denial_is_their_cause(engine):
    ORDERS.metadata.create_all(engine)
    with engine.connect() as connection:
        connection.execute(insert(ORDERS), {"id": 1})
        with pytest.raises(exc.IntegrityError):
            connection.execute(insert(ORDERS), {"id": 1})
        with pytest.raises(exc.OperationalError) as denied:
            connection.exec_driver_sql("ATTACH '/data/private.db' AS x")
    assert isinstance(denied.value.orig.__cause__, CapabilityDenied)


def test_without_the_module_the_dialect_says_what_to_give():
    with pytest.raises(exc.ArgumentError, match="module="):
        create_engine("sqlite+ringfence://")


def test_savepoints_work_as_sqlalchemys_manual_has_it(engine):
    @event.listens_for(engine, "connect")
    def _(connection, _record):
        connection.isolation_level = None

    @event.listens_for(engine, "begin")
    def _(connection):
        connection.exec_driver_sql("BEGIN")

    ORDERS.metadata.create_all(engine)
    with engine.begin() as connection:
        connection.execute(insert(ORDERS), {"id": 1})
        nested = connection.begin_nested()
        connection.execute(insert(ORDERS), {"id": 2})
        nested.rollback()
    with engine.connect() as connection:
        assert connection.execute(select(ORDERS.c.id)).scalars().all() == [1]
