"""files: a guest uses what its edge names, as its edge says, and nothing else. Each refusal has its granted control."""

import os
import sqlite3
from contextlib import closing

import pytest
from ringfence import CapabilityDenied, Graph, GuestError, GuestTrap, ManifestError
from ringfence.contract.errors import LimitExceeded
from ringfence.folders import folds_case
from ringfence_composer.errors import ComposerError

CLERK = """
ringfence: 1
graph: files
nodes:
  clerk: {{ component: ROOT/tests/denials/clerk, limits: {{ {limits} }} }}
edges: [{edges}]
expose: [clerk]
"""
EVERY = "access: [read, write, create, delete]"


@pytest.fixture
def clerk(compose):
    """Makes a graph of the clerk alone, with this grant; its folder `data` is empty, and `outside` beside it holds a secret."""
    opened = []

    def make(grant="", *, limits="deadline: 20s"):
        edges = f"{{ from: clerk, to: host, grant: {{ files: [{grant}] }} }}" if grant else ""
        manifest = compose(CLERK.format(edges=edges, limits=limits))
        for name in ("data", "outside"):
            empty(manifest.parent / name)
        (manifest.parent / "outside/secret.txt").write_text("s3cret")
        opened.append(Graph.load(manifest))
        opened[-1].data = manifest.parent / "data"
        opened[-1].outside = manifest.parent / "outside"
        return opened[-1]

    def empty(folder):
        folder.mkdir(exist_ok=True)
        for path in sorted(folder.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()

    yield make
    for graph in opened:
        graph.close()


def refused(graph, function, *arguments):
    """The denials of a call that must fail."""
    with pytest.raises((CapabilityDenied, GuestError)) as failed:
        graph.call(f"clerk.{function}", *arguments)
    return getattr(failed.value, "denials", ())


def test_without_a_grant_there_are_no_files(clerk):
    graph = clerk()
    (graph.data / "a.txt").write_text("a")
    for path in ("/data/a.txt", "a.txt", "/etc/passwd", "/proc/self/environ", "../../etc/passwd", "."):
        refused(graph, "read", path)
        refused(graph, "write", path, "wb", b"x")
    refused(graph, "names", "/")
    assert (graph.data / "a.txt").read_text() == "a"


def test_what_is_granted_is_read_and_nothing_else(clerk):
    graph = clerk('{ path: data, match: ["*.txt"] }')
    (graph.data / "a.txt").write_text("a")
    (graph.data / "a.key").write_text("s3cret")
    assert graph.call("clerk.read", "/data/a.txt") == b"a"
    assert graph.call("clerk.names", "/data") == ["a.txt"]
    (denial,) = refused(graph, "read", "/data/a.key")
    assert (denial.node, denial.edge, denial.kind) == ("clerk", "application -> clerk", "files")
    assert (denial.operation, denial.value) == ("read", "'/data/a.key'")
    assert denial.allow == 'files: [{ path: "data", match: ["a.key"], as: "/data", access: [read] }]'
    (denial,) = refused(graph, "write", "/data/a.txt", "r+b", b"x")
    assert "access: [read, write]" in denial.allow
    assert refused(graph, "write", "/data/b.txt", "wb", b"x")
    assert refused(graph, "os", "unlink", ["/data/a.txt"])
    assert refused(graph, "os", "mkdir", ["/data/b.txt"])
    assert sorted(path.name for path in graph.data.iterdir()) == ["a.key", "a.txt"]


def test_the_same_guest_writes_makes_and_removes_where_that_is_granted(clerk):
    graph = clerk(f"{{ path: data, {EVERY} }}")
    assert graph.call("clerk.write", "/data/a.txt", "wb", b"abc") == 3
    assert graph.call("clerk.write", "/data/a.txt", "ab", b"def") == 3
    graph.call("clerk.os", "mkdir", ["/data/sub"])
    graph.call("clerk.os", "rename", ["/data/a.txt", "/data/sub/b.txt"])
    graph.call("clerk.os", "symlink", ["sub", "/data/way"])
    assert graph.call("clerk.read", "/data/way/b.txt") == b"abcdef"
    assert graph.call("clerk.walk", "/data") == ["/data/sub", "/data/sub/b.txt", "/data/way"]
    assert graph.call("clerk.os", "readlink", ["/data/way"]) == "sub"
    for function, path in (("unlink", "way"), ("unlink", "sub/b.txt"), ("rmdir", "sub")):
        graph.call("clerk.os", function, [f"/data/{path}"])
    assert list(graph.data.iterdir()) == []


@pytest.mark.parametrize(
    "path",
    [
        "/data/../outside/secret.txt",
        "/data/./sub/../../outside/secret.txt",
        "/data/absolute.txt",
        "/data/relative.txt",
        "/data/way/secret.txt",
        "/data/twice/secret.txt",
        "/data/self.txt/root/etc/passwd",
        "/data//../outside/secret.txt",
        "/data/sub/../way/secret.txt",
    ],
)
def test_no_spelling_and_no_link_leads_out(clerk, path):
    graph = clerk(f"{{ path: data, {EVERY}, hardlinks: true }}")
    (graph.data / "sub").mkdir()
    (graph.data / "absolute.txt").symlink_to(graph.outside / "secret.txt")
    (graph.data / "relative.txt").symlink_to("../outside/secret.txt")
    (graph.data / "way").symlink_to("../outside")
    (graph.data / "twice").symlink_to("way")
    (graph.data / "self.txt").symlink_to("/proc/self")
    (graph.data / "control.txt").symlink_to("sub/real.txt")
    refused(graph, "read", path)
    refused(graph, "write", path, "wb", b"x")
    refused(graph, "write", path, "r+b", b"x")
    refused(graph, "os", "link", [path, "/data/linked.txt"])
    assert (graph.outside / "secret.txt").read_text() == "s3cret"
    assert [one.name for one in graph.outside.iterdir()] == ["secret.txt"]
    graph.call("clerk.write", "/data/control.txt", "wb", b"mine")
    assert graph.call("clerk.read", "/data/sub/../control.txt") == b"mine"


def test_a_guest_makes_no_link_that_leads_out(clerk):
    graph = clerk(f"{{ path: data, {EVERY} }}")
    for target in ("/etc/passwd", "../outside/secret.txt", "..", "sub/../../outside"):
        assert refused(graph, "os", "symlink", [target, "/data/link"])
    assert list(graph.data.iterdir()) == []
    graph.call("clerk.os", "symlink", ["later", "/data/link"])


def test_nothing_moves_into_a_pattern_or_out_of_it(clerk):
    graph = clerk(f'{{ path: data, match: ["*.db", "sub", "sub/*.db"], {EVERY} }}')
    for name in ("a.db", "a.key"):
        (graph.data / name).write_text(name)
    (graph.data / "sub").mkdir()
    (graph.data / "sub/b.key").write_text("s3cret")
    for old, new in (("a.key", "b.db"), ("a.db", "b.key"), ("sub", "sub.db"), ("sub/b.key", "sub/b.db")):
        assert refused(graph, "os", "rename", [f"/data/{old}", f"/data/{new}"])
    assert refused(graph, "os", "symlink", ["a.key", "/data/b.db"])
    assert graph.call("clerk.names", "/data") == ["a.db", "sub"]
    assert graph.call("clerk.names", "/data/sub") == []
    graph.call("clerk.os", "rename", ["/data/a.db", "/data/sub/a.db"])
    assert graph.call("clerk.read", "/data/sub/a.db") == b"a.db"


def test_hard_links_need_a_word_of_their_own(clerk):
    refuses, allows = clerk(f"{{ path: data, {EVERY} }}"), clerk(f"{{ path: data, {EVERY}, hardlinks: true }}")
    for graph in (refuses, allows):
        os.link(graph.outside / "secret.txt", graph.data / "a.txt")
    (denial,) = refused(refuses, "read", "/data/a.txt")
    assert "more than one hard link" in denial.reason
    assert "hardlinks: true" in denial.allow
    assert refused(refuses, "write", "/data/a.txt", "r+b", b"x")
    assert allows.call("clerk.read", "/data/a.txt") == b"s3cret"


def test_pipes_and_devices_are_refused_at_once(clerk):
    graph = clerk(f"{{ path: data, {EVERY} }}", limits="deadline: 10s")
    os.mkfifo(graph.data / "pipe")
    (graph.data / "null").symlink_to("/dev/null")
    for name in ("pipe", "null"):
        for mode in ("wb", "ab", "r+b"):
            assert refused(graph, "write", f"/data/{name}", mode, b"x")
        assert refused(graph, "read", f"/data/{name}")


def test_a_grant_is_for_the_folder_that_was_there_when_the_graph_was_loaded(clerk):
    graph = clerk(f"{{ path: data, {EVERY} }}")
    (graph.data / "a.txt").write_text("a")
    moved = graph.data.with_name("moved")
    graph.data.rename(moved)
    graph.data.symlink_to(graph.outside)
    try:
        assert graph.call("clerk.read", "/data/a.txt") == b"a"
        refused(graph, "read", "/data/secret.txt")
    finally:
        graph.data.unlink()
        moved.rename(graph.data)


def test_a_folder_that_is_not_there_is_said_when_the_graph_is_loaded(compose):
    for path, found in (("nowhere", "there is no folder 'nowhere'"), ("graph.yaml", "expected a folder, found the file 'graph.yaml'")):
        manifest = compose(
            CLERK.format(edges=f"{{ from: clerk, to: host, grant: {{ files: [{{ path: {path} }}] }} }}", limits="deadline: 20s")
        )
        with pytest.raises(ManifestError) as failed:
            Graph.load(manifest)
        assert found in str(failed.value)


@pytest.mark.parametrize(
    ("match", "file"),
    [("**", "graph.lock.json"), ("*.yaml", "graph.yaml"), (".ringfence/**", ".ringfence/"), ("cache/compiled/*", "compiled/0")],
)
@pytest.mark.parametrize("access", ["write", "create", "delete"])
def test_no_grant_lets_a_guest_rewrite_what_decides_what_runs(compose, match, file, access):
    """The lock would say what the guest likes, and code in the cache runs without any fence. To read them is no harm."""
    grant = f'{{ path: ., as: /graph, match: ["*.txt", "{match}"], access: [read{{more}}] }}'
    edges = f"{{ from: clerk, to: host, grant: {{ files: [{grant}] }} }}"
    refused, reads = (CLERK.format(edges=edges.replace("{more}", more), limits="deadline: 20s") for more in (f", {access}", ""))
    with pytest.raises(
        (ComposerError, ManifestError), match="a guest could change"
    ) as failed:  # a cache that is named is the host's affair
        Graph.load(composed := compose(refused), cache=composed.parent / "cache")
    assert file in str(failed.value)
    Graph.load(compose(reads)).close()
    Graph.load(compose(refused.replace(f', "{match}"', ""))).close()


def test_what_is_written_is_limited(clerk):
    graph = clerk(f"{{ path: data, {EVERY} }}", limits="written: 100KiB")
    graph.call("clerk.write", "/data/a", "wb", bytes(90_000))
    with pytest.raises(LimitExceeded) as failed:
        graph.call("clerk.write", "/data/a", "wb", bytes(110_000))
    assert failed.value.limit == "written"
    assert graph.call("clerk.write", "/data/a", "wb", bytes(90_000)) == 90_000


@pytest.mark.parametrize("place", ["node", "edge"])
def test_what_a_guest_holds_at_once_is_limited(compose, place):
    """Each handle is a record of the host's. Of a node's and an edge's number the smaller counts."""
    text = CLERK.format(edges=f"{{ from: clerk, to: host, grant: {{ files: [{{ path: data, {EVERY} }}] }} }}", limits="LIMITS")
    few, enough = "handles: 2", "handles: 100"  # the granted folder, that opened again, and what lists it
    node, edge = (few, enough) if place == "node" else (enough, few)
    manifests = [
        compose(text.replace("LIMITS", one).replace("[clerk]", f"[{{ node: clerk, limits: {{ {other} }} }}]"))
        for one, other in ((node, edge), (enough, enough))
    ]
    for manifest in manifests:
        (manifest.parent / "data").mkdir(exist_ok=True)
    with Graph.load(manifests[0]) as graph, pytest.raises(LimitExceeded) as failed:
        graph.call("clerk.names", "/data")
    assert (failed.value.limit, failed.value.node) == ("handles", "clerk")
    with Graph.load(manifests[1]) as graph:
        assert graph.call("clerk.names", "/data") == []


DATABASE = 'match: ["*.sqlite3", "*.sqlite3-journal"]'
UNLOCKED = "file:/data/shop.sqlite3?nolock=1"


def test_sqlite_works_on_a_granted_file_and_reaches_no_other(clerk):
    """CPython's own sqlite3, in the guest. It locks with a folder beside the file unless told not to (WASI has no locks)."""
    graph = clerk(f"{{ path: data, {DATABASE}, {EVERY} }}")
    made = ["CREATE TABLE orders (id, total)", "INSERT INTO orders VALUES (1, 9.5), (2, 12)", "SELECT total FROM orders"]
    assert graph.call("clerk.query", UNLOCKED, made) == ["(9.5,)", "(12,)"]
    with closing(sqlite3.connect(graph.data / "shop.sqlite3")) as plain:
        assert plain.execute("SELECT sum(total) FROM orders").fetchall() == [(21.5,)]
        assert plain.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    (graph.data / "private.db").write_bytes((graph.data / "shop.sqlite3").read_bytes())
    (graph.data / "link.sqlite3").symlink_to(graph.outside / "secret.txt")
    for statements in (
        ["ATTACH '/etc/passwd' AS x", "SELECT * FROM x.sqlite_master"],
        ["ATTACH '/data/private.db' AS x", "SELECT * FROM x.orders"],
        ["ATTACH '/data/link.sqlite3' AS x", "SELECT * FROM x.orders"],
        ["ATTACH '/data/../outside/secret.txt' AS x", "SELECT * FROM x.sqlite_master"],
        ["VACUUM INTO '/data/x.txt'"],
        ["VACUUM INTO '/tmp/x.sqlite3'"],
        ["SELECT load_extension('/data/x.sqlite3')"],
    ):
        refused(graph, "query", UNLOCKED, statements)
    assert not (graph.data / "x.txt").exists()
    assert graph.call("clerk.query", UNLOCKED, ["VACUUM INTO 'file:/data/copy.sqlite3?nolock=1'", "SELECT 1"]) == ["(1,)"]
    assert graph.call("clerk.query", "file:/data/copy.sqlite3?nolock=1", ["SELECT count(*) FROM orders"]) == ["(2,)"]


def test_sqlites_own_lock_is_an_entry_that_needs_a_grant(clerk):
    graph, more = clerk(f"{{ path: data, {DATABASE}, {EVERY} }}"), DATABASE.replace("]", ', "*.sqlite3.lock"]')
    (denial,) = refused(graph, "query", "/data/shop.sqlite3", ["CREATE TABLE t (a)"])
    assert denial.value == "'/data/shop.sqlite3.lock'"
    granted = clerk(f"{{ path: data, {more}, {EVERY} }}")
    assert granted.call("clerk.query", "/data/shop.sqlite3", ["CREATE TABLE t (a)", "SELECT 1"]) == ["(1,)"]
    assert [one.name for one in granted.data.iterdir()] == ["shop.sqlite3"]


def test_a_guest_that_dies_in_a_transaction_leaves_a_journal_that_rolls_back(clerk):
    graph = clerk(f"{{ path: data, {DATABASE}, {EVERY} }}")
    graph.call("clerk.query", UNLOCKED, ["CREATE TABLE t (a)", "INSERT INTO t VALUES (1)"])
    with pytest.raises(GuestTrap):
        graph.call("clerk.query-and-die", UNLOCKED, ["BEGIN", *[f"INSERT INTO t VALUES (randomblob({500 + i}))" for i in range(200)]])
    assert sorted(one.name for one in graph.data.iterdir()) == ["shop.sqlite3", "shop.sqlite3-journal"]
    assert graph.call("clerk.query", UNLOCKED, ["SELECT a FROM t"]) == ["(1,)"]
    with closing(sqlite3.connect(graph.data / "shop.sqlite3")) as plain:
        assert plain.execute("SELECT a FROM t").fetchall() == [(1,)]


def test_a_closed_graph_has_no_folder_open(clerk):
    """A program that loads graph after graph must not run out of descriptors, and may want to unmount what it granted."""
    graph = clerk("{ path: data, access: [read, write, create] }")
    graph.call("clerk.write", "/data/a", "wb", b"x")
    assert str(graph.data) in opened_paths()
    graph.close()
    assert str(graph.data) not in opened_paths()
    graph.close()


def opened_paths():
    return [os.path.realpath(one.path) for one in os.scandir("/proc/self/fd")]


def test_guests_leave_the_process_descriptors_of_its_own(clerk, monkeypatch):
    """However many instances there are: what a guest opens beyond that fails as it would where the system has no more to give."""
    graph = clerk("{ path: data }")
    (graph.data / "a").write_text("a")
    monkeypatch.setattr("ringfence.wasi.state._most_descriptors", lambda: 4)
    assert graph.call("clerk.read", "/data/a") == b"a"
    monkeypatch.setattr("ringfence.wasi.state._most_descriptors", lambda: 0)
    with pytest.raises(GuestTrap, match=r"cannot be opened: .*too many files open"):
        graph.call("clerk.read", "/data/a")
    monkeypatch.undo()
    assert graph.call("clerk.read", "/data/a") == b"a"


def test_where_case_is_folded_only_all_of_a_folder_can_be_granted(clerk, monkeypatch):
    """There, KEY.TXT is found as key.txt, which a pattern may match: the file that is opened need not be the one that was granted."""
    monkeypatch.setattr("ringfence.folders._is_also", lambda _folder, name, other: name != other and "data" in name)
    with pytest.raises(ManifestError, match="a file of another case as well") as refused:
        clerk('{ path: data, match: ["*.txt"] }')
    assert 'match: ["**"]' in str(refused.value)
    whole = clerk("{ path: data }")
    (whole.data / "a").write_text("a")
    assert whole.call("clerk.read", "/data/a") == b"a"


def test_a_folder_that_folds_case_is_known_by_a_file_with_two_names_of_which_one_is_listed(tmp_path, monkeypatch):
    """No file system here does it: a hard link that the listing hides looks the same."""
    (tmp_path / "a").touch()
    folder = os.open(tmp_path, os.O_RDONLY)
    assert not folds_case(folder, tmp_path.name)
    os.link(tmp_path / "a", tmp_path / "A")
    assert not folds_case(folder, tmp_path.name)
    monkeypatch.setattr(os, "listdir", lambda _: ["a"])
    assert folds_case(folder, tmp_path.name)
    os.close(folder)
