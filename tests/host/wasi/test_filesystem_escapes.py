"""What lies outside a files grant stays out of reach, whatever path, link, race or kind of file is tried. Each with its control."""

from __future__ import annotations

import os
import resource
import shutil
import socket
import stat
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest
from ringfence.contract.errors import DeadlineExceeded
from ringfence.contract.values import Case, WitError
from ringfence.wasi.filesystem import resolve

FOLLOW, NO = frozenset(["symlink-follow"]), frozenset()
NOW = Case("now")


@pytest.fixture
def outside(tmp_path):
    """A folder beside the granted one, with a secret."""
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "secret").write_text("s3cret")
    return folder


def every_use(one, path, *, at=None):
    """Each function that takes a path, on this one: what the guest got, by function, where it was not refused."""
    got = {}
    uses = {
        "open": lambda: one.open(path, "r", at=at).close(),
        "open nofollow": lambda: one.open(path, "r", follow=False, at=at).close(),
        "open folder": lambda: one.open(path, "rd", at=at).close(),
        "write": lambda: one.open(path, "w", at=at).close(),
        "create": lambda: one.open(path, "wc", at=at).close(),
        "exclusive": lambda: one.open(path, "wx", at=at).close(),
        "truncate": lambda: one.open(path, "wt", at=at).close(),
        "stat": lambda: one("stat-at", FOLLOW, path, at=at),
        "stat nofollow": lambda: one("stat-at", NO, path, at=at),
        "hash": lambda: one("metadata-hash-at", FOLLOW, path, at=at),
        "times": lambda: one("set-times-at", FOLLOW, path, NOW, NOW, at=at),
        "readlink": lambda: one("readlink-at", path, at=at),
        "mkdir": lambda: one("create-directory-at", path, at=at),
        "symlink": lambda: one("symlink-at", "x", path, at=at),
        "symlink to": lambda: one("symlink-at", path, "new-link", at=at),
        "link from": lambda: one("link-at", NO, path, one.root, "new-name", at=at),
        "link to": lambda: one("link-at", NO, "here", one.root, path, at=at),
        "rename from": lambda: one("rename-at", path, one.root, "new-name", at=at),
        "rename to": lambda: one("rename-at", "here", one.root, path, at=at),
        "rmdir": lambda: one("remove-directory-at", path, at=at),
        "unlink": lambda: one("unlink-file-at", path, at=at),
    }
    for name, use in uses.items():
        try:
            got[name] = use()
        except WitError:
            continue
    return got


def state_of(folder):
    """Everything that lies there, with content, mode, links and times of change."""
    found = {}
    for path in [folder, *folder.rglob("*")]:
        status = path.lstat()
        content = path.read_bytes() if stat.S_ISREG(status.st_mode) else None
        found[path] = (status.st_mode, status.st_nlink, status.st_mtime_ns, content)
    return found


ESCAPES = [
    "..",
    "../outside/secret",
    "../outside",
    "./../outside/secret",
    "sub/../../outside/secret",
    "sub/../../data/../outside/secret",
    "sub/./.././../outside/secret",
    "//../outside/secret",
    "sub/deep/../../../outside/secret",
    "../data/here",
    "/etc/passwd",
    "/",
    "//etc/passwd",
    "/proc/self/root/etc/passwd",
    "/proc/self/fd/0",
    "/data/here",
    "absolute",
    "absolute/secret",
    "up/outside/secret",
    "up",
    "sub/out/secret",
    "sub/out",
    "chain/secret",
    "chain",
    "sub/chain2/../outside/secret",
    "dotted",
    "magic/secret",
    "magic",
]


LINKS = {"absolute", "up", "sub/out", "chain", "dotted", "magic"}
ITSELF = {"stat nofollow", "readlink", "link from", "rename from", "rename to", "unlink"}
"""What may be done with a link itself, wherever it leads."""


@pytest.mark.parametrize("path", ESCAPES)
def test_no_path_and_no_link_leads_out(disk, outside, path):
    one = disk(hardlinks=True)
    folder = one.folder
    (folder / "here").write_text("here")
    (folder / "sub/deep").mkdir(parents=True)
    (folder / "absolute").symlink_to(outside)
    (folder / "up").symlink_to("..")
    (folder / "sub/out").symlink_to("../../outside")
    (folder / "chain").symlink_to("sub/out")
    (folder / "sub/chain2").symlink_to("deep/../../sub/..")
    (folder / "dotted").symlink_to("sub/../../outside/secret")
    descriptor = os.open(outside, os.O_RDONLY)
    (folder / "magic").symlink_to(f"/proc/self/fd/{descriptor}")
    before = state_of(outside)
    got = every_use(one, path)
    os.close(descriptor)
    assert state_of(outside) == before
    assert set(got) <= (ITSELF if path in LINKS else set()), got
    assert one.guest.denials or set(got)


def test_the_same_functions_work_on_what_is_granted(disk):
    """The control of the test above."""
    one = disk(hardlinks=True)
    (one.folder / "here").write_text("here")
    (one.folder / "file").write_text("file")
    got = every_use(one, "file")
    assert {"open", "write", "stat", "hash", "times", "symlink to", "link from", "rename from"} <= set(got)
    assert one.guest.denials == []


def test_a_descriptor_of_a_folder_reaches_only_what_lies_in_it(disk):
    one = disk()
    (one.folder / "sub").mkdir()
    (one.folder / "a").write_text("a")
    sub = one.open("sub", "rd")
    one.refused("not-permitted", one.open, "../a", at=sub)
    (one.folder / "sub/link").symlink_to("../a")
    one.refused("not-permitted", one.open, "link", at=sub)
    assert one.read("sub/link") == b"a"


ONLY = "*.db"


def test_what_no_pattern_matches_is_refused_by_every_function(disk):
    one = disk(ONLY)
    (one.folder / "private").write_text("s3cret")
    (one.folder / "a.db").write_text("a")
    (one.folder / "sub").mkdir()
    (one.folder / "sub/b.db").write_text("b")
    before = state_of(one.folder)
    for path in ("private", "sub", "sub/b.db", "nothing", "a.db.txt", "A.DB", "sub/../private", "a.db\N{COMBINING ACUTE ACCENT}", "a.DB"):
        assert every_use(one, path) == {}, path
    assert state_of(one.folder) == before
    assert one.names() == ["a.db"]
    assert one.read("a.db") == one.read("./a.db") == b"a"
    assert {denial.kind for denial in one.guest.denials} == {"files"}


def test_what_may_not_be_known_is_answered_alike_whether_it_is_there_or_not(disk):
    one = disk("pub/*.db", "x/**/deep.db")
    for name in ("priv", "pub"):
        (one.folder / name / "in").mkdir(parents=True)
    (one.folder / "priv/file").write_text("s3cret")
    (one.folder / "pub/a.db").write_text("a")
    for path in ("priv/file", "priv/none", "none/none", "priv/in/x", "priv", "none", "priv/../pub/a.db", "none/../pub/a.db", "priv/file/x"):
        one.refused("not-permitted", one.open, path)
        one.refused("not-permitted", one.stat, path)
    assert one.read("pub/a.db") == b"a"
    one.refused("no-entry", one.stat, "pub/none.db")
    one.refused("no-entry", one.stat, "x")
    assert one.names() == ["pub"]
    assert one.names("pub") == ["a.db"]


def test_a_link_is_judged_by_what_it_leads_to(disk):
    one = disk(ONLY)
    (one.folder / "private").write_text("s3cret")
    (one.folder / "a.db").write_text("a")
    (one.folder / "innocent.db").symlink_to("private")
    (one.folder / "alias").symlink_to("a.db")
    one.refused("not-permitted", one.open, "innocent.db")
    one.refused("not-permitted", one.open, "innocent.db", "wc")
    one.refused("not-permitted", one, "set-times-at", FOLLOW, "innocent.db", NOW, NOW)
    one.refused("not-permitted", one, "symlink-at", "private", "new.db")
    assert one.read("alias") == b"a"
    one("symlink-at", "a.db", "new.db")
    assert one.read("new.db") == b"a"
    assert (one.folder / "private").read_text() == "s3cret"


def test_a_link_that_a_guest_makes_leads_nobody_out(disk, outside):
    """Programs outside the fence follow links, too."""
    one = disk()
    (one.folder / "sub/deep").mkdir(parents=True)
    for target in ("/etc/passwd", "..", "../outside/secret", "sub/../../outside", "sub/deep/../../..", "./.."):
        one.refused("not-permitted", one, "symlink-at", target, "l")
        one.refused("not-permitted", one, "symlink-at", target, "sub/l")
    assert not os.path.lexists(one.folder / "l")
    (one.folder / "sub/up").symlink_to("../..")
    one.refused("not-permitted", one, "rename-at", "sub/up", one.root, "up")
    one("symlink-at", "sub/deep", "l")
    one("rename-at", "l", one.root, "m")


def test_a_link_that_a_guest_makes_leads_nobody_out_by_way_of_a_link_that_was_there(disk, outside):
    """Else a guest could give a program that reads `report` whatever such a link leads to, under a name that it trusts."""
    one = disk("pub/**", "way", "report")
    for name in ("pub", "private"):
        (one.folder / name).mkdir()
        (one.folder / name / "a").write_text(name)
    (one.folder / "pub/out").symlink_to("../../outside")
    (one.folder / "pub/inside").symlink_to("../private")
    (one.folder / "way").symlink_to("pub")
    for target in ("pub/out", "pub/out/secret", "pub/out/none", "way/out/secret", "pub/inside/a", "way/inside", "pub/inside/none"):
        one.refused("not-permitted", one, "symlink-at", target, "report")
    assert not os.path.lexists(one.folder / "report")
    one("symlink-at", "way/a", "report")
    assert (one.folder / "report").read_text() == one.read("report").decode() == "pub"


@pytest.mark.parametrize(("old", "new"), [("a.db", "a.txt"), ("a.txt", "b.db"), ("a.db", "sub/a.db"), ("sub/x.db", "x.db")])
def test_nothing_is_renamed_or_linked_into_a_pattern_or_out_of_it(disk, old, new):
    one = disk(ONLY, hardlinks=True)
    (one.folder / "sub").mkdir()
    for name in ("a.db", "a.txt", "sub/x.db"):
        (one.folder / name).write_text(name)
    one.refused("not-permitted", one, "rename-at", old, one.root, new)
    one.refused("not-permitted", one, "link-at", NO, old, one.root, new)
    one("rename-at", "a.db", one.root, "c.db")
    one("link-at", NO, "c.db", one.root, "d.db")
    assert one.names() == ["c.db", "d.db"]


def test_a_folder_is_renamed_only_with_grants_of_all_that_may_lie_in_it(disk):
    one = disk("*", "sub/*.db", "whole/**", "other/**")
    for name in ("sub", "whole"):
        (one.folder / name).mkdir()
    (one.folder / "sub/private").write_text("s3cret")
    one.refused("not-permitted", one, "rename-at", "sub", one.root, "whole2")
    one.refused("not-permitted", one, "rename-at", "sub", one.root, "other")
    one.refused("not-permitted", one, "rename-at", "whole", one.root, "sub2")
    one("rename-at", "whole", one.root, "other")
    assert sorted(path.name for path in one.folder.iterdir()) == ["other", "sub"]


@pytest.mark.parametrize("access", ["read", "write", "create", "delete"])
def test_each_access_allows_its_own_and_nothing_else(disk, access):
    one = disk(access=[access])
    (one.folder / "a").write_text("abc")
    (one.folder / "here").write_text("here")
    (one.folder / "d").mkdir()
    uses = {
        "read": [lambda: one.open("a", "r"), lambda: one.stat("a"), lambda: one.names(), lambda: one("metadata-hash-at", FOLLOW, "a")],
        "write": [lambda: one.open("a", "w"), lambda: one.open("here", "wt"), lambda: one("set-times-at", FOLLOW, "a", NOW, NOW)],
        "create": [lambda: one("create-directory-at", "e"), lambda: one("symlink-at", "a", "l"), lambda: one.open("new", "c")],
        "delete": [lambda: one("unlink-file-at", "here"), lambda: one("remove-directory-at", "d")],
    }
    for name, tries in uses.items():
        for use in tries:
            if name == access:
                use()
            else:
                one.refused("not-permitted", use)
    one.refused("not-permitted", one, "rename-at", "a", one.root, "b")


def test_hard_links_are_refused_unless_granted(disk, outside):
    refused, granted = disk(), disk(hardlinks=True)
    os.link(outside / "secret", refused.folder / "linked")
    (refused.folder / "own").write_text("own")
    for use in (
        lambda one: one.open("linked", "r"),
        lambda one: one.open("linked", "w"),
        lambda one: one("set-times-at", FOLLOW, "linked", NOW, NOW),
        lambda one: one("link-at", NO, "own", one.root, "second"),
    ):
        refused.refused("not-permitted", use, refused)
    refused.refused("not-permitted", refused.open, "linked", "wt")
    assert (outside / "secret").read_text() == "s3cret"
    assert "hardlinks: true" in refused.guest.denials[0].allow
    assert refused.stat("linked").link_count == 2
    assert granted.read("linked") == b"s3cret"
    granted("link-at", NO, "own", granted.root, "second")


def test_devices_pipes_and_sockets_are_refused_at_once(disk):
    one = disk()
    os.mkfifo(one.folder / "pipe")
    server = socket.socket(socket.AF_UNIX)
    os.chdir(one.folder)
    server.bind("socket")
    os.chdir("/")
    (one.folder / "real").write_text("")
    special = ["pipe", "socket"]
    if os.geteuid() == 0:
        os.mknod(one.folder / "null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
        special.append("null")
    began = time.monotonic()
    for name in special:
        for mode in ("r", "w", "rw", "wt", "wc"):
            one.refused("not-permitted", one.open, name, mode)
        one.refused("not-directory", one.open, name, "rd")
        assert one.stat(name).type in ("fifo", "socket", "character-device")
    assert time.monotonic() - began < 2
    assert {denial.operation for denial in one.guest.denials} == {"open"}
    server.close()
    for name in special:
        one("unlink-file-at", name)
    one.open("real", "rw").close()


def test_what_is_set_uid_is_not_written(disk):
    """The kernel takes the bits away when a file is written, but not where root writes it."""
    one = disk()
    tool = one.folder / "tool"
    tool.write_text("#!/bin/sh")
    tool.chmod(0o4755)
    one.refused("not-permitted", one.open, "tool", "w")
    one.refused("not-permitted", one.open, "tool", "wt")
    assert tool.read_text() == "#!/bin/sh"
    assert one.read("tool") == b"#!/bin/sh"
    tool.chmod(0o755)
    one.write("tool", b"x", "w")


@pytest.mark.parametrize("length", [255, 256, 4095, 4096, 100_000])
def test_long_names_and_paths_end_in_an_error(disk, length):
    one = disk()
    (one.folder / "y").mkdir()
    for path in ("x" * length, "y/" + "x" * length):
        if length == 255:
            one.open(path, "wc").close()
        else:
            one.refused("name-too-long", one.open, path, "wc")
    long = "/".join("x" * (length // 2))
    assert set(every_use(one, long)) <= {"symlink to"}


def test_a_deep_tree_does_not_use_up_the_hosts_descriptors(disk):
    """A walk that held every folder open could leave none to the application's other threads."""
    one = disk()
    depth = 600
    (one.folder / ("a/" * depth) / "b").mkdir(parents=True)
    one.write("f", b"top")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(int(one.name) for one in Path("/dev/fd").iterdir()) + 40, hard))
    try:
        assert one.read("a/" * depth + "../" * depth + "f") == b"top"
        assert one.read("a/" * depth + "b/" + "../" * (depth + 1) + "f") == b"top"
        one.write("a/" * 300 + "../" * 100 + "deep", b"200")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert (one.folder / ("a/" * 200) / "deep").read_bytes() == b"200"


def test_a_maze_of_links_ends_at_the_deadline_or_in_a_loop(disk):
    one = disk(deadline=5.0)
    deep = one.folder
    for _ in range(20):
        deep = deep / "d"
    deep.mkdir(parents=True)
    for index in range(60):
        (one.folder / f"l{index}").symlink_to("/".join(["d/.."] * 700) + f"/l{index + 1}")
    began = time.monotonic()
    with pytest.raises((WitError, DeadlineExceeded)) as failed:
        one.open("l0")
    assert getattr(failed.value, "value", "loop") == "loop"
    assert time.monotonic() - began < 10


def test_a_link_that_appears_between_the_look_and_the_step_is_not_followed(disk, outside, monkeypatch):
    """The moment is forced: whatever was looked at is swapped for a link right before it is opened."""
    one = disk()
    (one.folder / "a").write_text("mine")
    real = os.open

    def swapping(name, flags, *rest, dir_fd=None):
        if name == b"a" and (one.folder / "a").is_file() and not (one.folder / "a").is_symlink():
            (one.folder / "a").unlink()
            (one.folder / "a").symlink_to(outside / "secret")
        return real(name, flags, *rest, dir_fd=dir_fd)

    monkeypatch.setattr(os, "open", swapping)
    one.refused("not-permitted", one.open, "a", "rw")
    (one.folder / "a").unlink()
    (one.folder / "a").write_text("mine")
    one.refused("not-permitted", one.open, "a", "wt")
    assert (outside / "secret").read_text() == "s3cret"


@pytest.mark.parametrize("swap", ["fifo", "hard link"])
def test_a_pipe_or_a_hard_link_that_appears_then_is_refused_all_the_same(disk, outside, monkeypatch, swap):
    one = disk()
    path = one.folder / "a"
    path.write_text("mine")
    real, swapped = os.open, []

    def swapping(name, flags, *rest, dir_fd=None):
        if name == b"a" and not swapped:
            swapped.append(path.unlink())
            os.mkfifo(path) if swap == "fifo" else os.link(outside / "secret", path)
        return real(name, flags, *rest, dir_fd=dir_fd)

    monkeypatch.setattr(os, "open", swapping)
    one.refused("not-permitted", one.open, "a", "rt")
    assert (outside / "secret").read_text() == "s3cret"
    assert swapped


def test_a_race_of_swaps_never_gives_the_secret(disk, outside):
    """A folder and a file are swapped for links, as fast as it goes, while the guest goes through them."""
    one = disk()
    (one.folder / "real").mkdir()
    (one.folder / "real/secret").write_text("harmless")
    (one.folder / "way").symlink_to("real")
    stop = threading.Event()

    def swap():
        count = 0
        while not stop.is_set():
            count += 1
            with suppress(OSError):  # the guest makes a file in the folder that is there for a moment
                swap_once(count)

    def swap_once(count):
        way, temporary = one.folder / "way", one.folder / f"t{count % 2}"
        if not way.is_symlink():
            shutil.rmtree(way, ignore_errors=True)
        if count % 3:
            temporary.symlink_to(outside if count % 3 == 1 else "real")
            temporary.replace(way)
        else:
            way.unlink(missing_ok=True)
            way.mkdir()

    thread = threading.Thread(target=swap)
    thread.start()
    seen = set()
    try:
        until = time.monotonic() + 1.5
        while time.monotonic() < until:
            for path in ("way/secret", "real/../way/./secret"):
                try:
                    seen.add(one.read(path))
                    one.write(path, b"harmless", "wc")
                except WitError as error:
                    seen.add(error.value)
    finally:
        stop.set()
        thread.join()
    assert b"harmless" in seen
    assert b"s3cret" not in seen
    assert (outside / "secret").read_text() == "s3cret"


def test_a_folder_put_in_the_place_of_the_granted_one_is_another(disk, outside):
    one = disk()
    (one.folder / "a").write_text("a")
    one.folder.rename(one.folder.parent / "moved")
    one.folder.symlink_to(outside)
    assert one.read("a") == b"a"
    one.refused("no-entry", one.open, "secret")


def test_a_moved_folder_has_no_way_back(disk, outside):
    """`..` leads to where one came from, never to where the folder is now."""
    one = disk()
    (one.folder / "a/b").mkdir(parents=True)
    (one.folder / "x").write_text("x")
    folder = one.open("a", "rd")
    (one.folder / "a").rename(outside / "a")
    one.refused("not-permitted", one.open, "../secret", at=folder)
    one.refused("not-permitted", one.open, "b/../../secret", at=folder)


def test_a_found_link_with_a_name_that_is_no_text_is_followed_nowhere(disk):
    one = disk()
    (one.folder / os.fsdecode(b"\xff")).write_text("x")
    (one.folder / "link").symlink_to(os.fsdecode(b"\xff"))
    one.refused("illegal-byte-sequence", one.open, "link")
    one.refused("illegal-byte-sequence", one, "readlink-at", "link")


def test_both_walks_are_taken(disk, kernel, monkeypatch):
    """The suite would say nothing of a walk that no test takes."""
    leaps, real = [], resolve.open_beneath
    monkeypatch.setattr(resolve, "open_beneath", lambda *arguments: leaps.append(real(*arguments)) or leaps[-1])
    one = disk()
    (one.folder / "a/b/c").mkdir(parents=True)
    (one.folder / "a/b/c/d").write_text("d")
    (one.folder / "a/b/c/up").symlink_to("../../b/c/d")
    (one.folder / "short").symlink_to("a/b")
    assert one.read("a/b/c/d") == one.read("a/b/c/up") == one.read("short/c/d") == b"d"
    assert any(leaps) == (kernel == "openat2")
