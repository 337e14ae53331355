"""wasi:filesystem on a real disk: what is granted works as the specification says, function by function."""

from __future__ import annotations

import gc
import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from host.wasi.conftest import bytes_of
from ringfence.contract.errors import LimitExceeded
from ringfence.contract.values import Case, WitError, record_class
from ringfence.wasi.state import FILES

NOW, NO_CHANGE = Case("now"), Case("no-change")
DATETIME = record_class(("seconds", "nanoseconds"))
FOLLOW = frozenset(["symlink-follow"])


def at(seconds, nanoseconds=0):
    return Case("timestamp", DATETIME(seconds, nanoseconds))


def test_a_file_is_made_written_and_read(disk):
    one = disk()
    file = one.open("a.txt", "rwc")
    assert one("write", b"hello world", 0, at=file) == 11
    assert one("write", b"W", 6, at=file) == 1
    assert (one.folder / "a.txt").read_bytes() == b"hello World"
    data, end = one("read", 5, 6, at=file)
    assert (bytes_of(data), end) == (b"World", True)
    data, end = one("read", 4, 0, at=file)
    assert (bytes_of(data), end) == (b"hell", False)
    assert one("read", 4, 99, at=file) == (b"", True)
    assert one("get-flags", at=file) == {"read", "write"}
    assert one("get-type", at=file) == "regular-file"
    assert one("get-type") == "directory"
    assert one("get-flags") == {"read", "mutate-directory"}


def test_what_a_guest_makes_is_not_executable_and_never_set_uid(disk):
    one, before = disk(), os.umask(0)
    try:
        one.write("a", b"x")
        one("create-directory-at", "d")
    finally:
        os.umask(before)
    assert stat.S_IMODE((one.folder / "a").stat().st_mode) == 0o644
    assert stat.S_IMODE((one.folder / "d").stat().st_mode) == 0o755


def test_streams_read_write_and_append(disk):
    one = disk()
    file = one.open("a", "rwc")
    writer = one("write-via-stream", 3, at=file)
    assert one.guest.writes("check-write", writer) > 0
    one.guest.writes("write", writer, b"abc")
    one.guest.writes("blocking-write-and-flush", writer, b"def")
    one.guest.writes("blocking-write-and-flush", one("append-via-stream", at=file), b"!")
    one.guest.writes("blocking-write-zeroes-and-flush", one("append-via-stream", at=file), 2)
    assert (one.folder / "a").read_bytes() == b"\0\0\0abcdef!\0\0"
    reader = one("read-via-stream", 3, at=file)
    file.close()
    assert one.guest.reads("read", reader, 2) == b"ab", "a stream outlives its descriptor"
    assert one.guest.reads("blocking-skip", reader, 2) == 2
    assert one.guest.reads("blocking-read", reader, 1 << 40) == b"ef!\0\0"
    with pytest.raises(WitError) as ended:
        one.guest.reads("read", reader, 1)
    assert ended.value.value.name == "closed"
    one.write("a", b"\0\0\0abcdef!\0\0more")  # C libraries keep a stream between reads, and a file may grow
    assert one.guest.reads("read", reader, 9) == b"more"


def test_a_stream_is_spliced_into_another(disk):
    one = disk()
    one.write("a", b"x" * 100_000)
    source, target = one.open("a"), one.open("b", "wc")
    reader, writer = one("read-via-stream", 0, at=source), one("write-via-stream", 0, at=target)
    moved = 0
    while moved < 100_000:
        moved += one.guest.writes("blocking-splice", writer, reader, 100_000 - moved)
    assert (one.folder / "b").read_bytes() == b"x" * 100_000


def test_a_stream_that_breaks_tells_the_files_code(disk):
    one = disk()
    file = one.open("a", "wc")
    writer = one("write-via-stream", (1 << 63) - 2, at=file)
    with pytest.raises((WitError, LimitExceeded)) as failed:
        one.guest.writes("blocking-write-and-flush", writer, b"abc")
    if isinstance(failed.value, WitError):
        assert one.guest("filesystem/types", "filesystem-error-code", failed.value.value.value) == "file-too-large"


@pytest.mark.parametrize("function", ["read-via-stream", "write-via-stream", "append-via-stream", "read", "write", "set-size", "advise"])
def test_a_folder_is_not_read_as_a_file(disk, function):
    one = disk()
    arguments = {"append-via-stream": (), "read": (1, 0), "write": (b"", 0), "advise": (0, 1, "normal")}.get(function, (0,))
    one.refused("is-directory", one, function, *arguments)


def test_a_descriptor_does_what_its_flags_say_and_no_more(disk):
    one = disk()
    one.write("a", b"abc")
    reads, writes, neither = one.open("a", "r"), one.open("a", "w"), one.open("a", "")
    for file in (reads, neither):
        one.refused("bad-descriptor", one, "write", b"x", 0, at=file)
        one.refused("bad-descriptor", one, "write-via-stream", 0, at=file)
        one.refused("bad-descriptor", one, "append-via-stream", at=file)
        one.refused("invalid", one, "set-size", 0, at=file)
    for file in (writes, neither):
        one.refused("bad-descriptor", one, "read", 1, 0, at=file)
        one.refused("bad-descriptor", one, "read-via-stream", 0, at=file)
    one.refused("not-directory", one, "stat-at", FOLLOW, "x", at=reads)
    one.refused("not-directory", one, "read-directory", at=reads)
    other = disk(access=["read"])
    only_read = other.open("a", "r")
    other.refused("not-permitted", other, "write-via-stream", 0, at=only_read)  # here the grant is in the way
    other.refused("not-permitted", other, "write", b"x", 0, at=only_read)


def test_opening_follows_its_flags(disk):
    one = disk()
    one.write("a", b"abc")
    one("create-directory-at", "d")
    one.refused("exist", one.open, "a", "wx")
    one.refused("exist", one.open, "d", "rx")
    one.refused("no-entry", one.open, "b", "r")
    one.refused("no-entry", one.open, "b", "wt")
    one.refused("not-directory", one.open, "a", "rd")
    one.refused("not-directory", one.open, "a/", "r")
    one.refused("not-directory", one.open, "a/b", "r")
    one.refused("no-entry", one.open, "b/c", "wc")
    one.refused("is-directory", one.open, "d", "w")
    one.refused("is-directory", one.open, "d", "rc")
    one.refused("is-directory", one.open, "e/", "wc")
    one.refused("invalid", one.open, "e", "dc")
    one.refused("no-entry", one.open, "", "r")
    one.refused("unsupported", one.open, "a", "w", flags=("data-integrity-sync",))
    one.refused("invalid", one.open, "a\0b", "r")
    one.refused("name-too-long", one.open, "x" * 256, "wc")
    one.refused("name-too-long", one.open, "d/" * 2500, "r")
    one.write("a", b"x", "wt")
    assert one.read("a") == b"x"
    assert one.read("d/.././/d/../a") == b"x"
    assert one.folder.joinpath("d").is_dir()


def test_links_are_followed_where_the_flags_say_so(disk):
    one = disk()
    one("create-directory-at", "d")
    one.write("d/a", b"abc")
    one("symlink-at", "d/a", "link")
    one("symlink-at", "d", "way")
    assert one.read("link") == one.read("way/a") == one.read("way/../d/a") == b"abc"
    one.refused("loop", one.open, "link", "r", follow=False)
    assert one.stat("link").type == "regular-file"
    assert one.stat("link", follow=False).type == "symbolic-link"
    for path in ("way/", "way/.", "way//", "way/./"):
        assert one.stat(path, follow=False).type == "directory"
        one.open(path, "rd", follow=False).close()
    assert one("readlink-at", "link") == "d/a"
    one.refused("invalid", one, "readlink-at", "d/a")
    one.refused("no-entry", one, "readlink-at", "nothing")
    one.write("link", b"xyz", "wt")
    assert one.read("d/a") == b"xyz"
    one("symlink-at", "missing", "dangling")
    one.refused("no-entry", one.open, "dangling", "r")
    one.write("dangling", b"made")
    assert (one.folder / "missing").read_bytes() == b"made"
    one.refused("exist", one.open, "link", "wx")
    (one.folder / "loop1").symlink_to("loop2")
    (one.folder / "loop2").symlink_to("loop1")
    one.refused("loop", one.open, "loop1", "r")
    one.refused("loop", one.open, "loop1/x", "r")


def test_folders_are_made_listed_and_removed(disk):
    one = disk()
    one("create-directory-at", "d/")
    one.refused("exist", one, "create-directory-at", "d")
    one.refused("exist", one, "create-directory-at", ".")
    one.refused("no-entry", one, "create-directory-at", "x/y")
    one("create-directory-at", "d/e")
    one.write("d/f", b"")
    (one.folder / "d" / os.fsdecode(b"\xff")).write_bytes(b"")
    assert one.names() == ["d"]
    assert one.names("d") == ["e", "f"], "a name that is no text is left out"
    one.refused("not-empty", one, "remove-directory-at", "d")
    one.refused("not-directory", one, "remove-directory-at", "d/f")
    one.refused("is-directory", one, "unlink-file-at", "d/e")
    one.refused("not-directory", one, "unlink-file-at", "d/f/")
    one.refused("invalid", one, "remove-directory-at", ".")
    one("remove-directory-at", "d/e/")
    one("unlink-file-at", "d/f")
    one.refused("no-entry", one, "unlink-file-at", "d/f")
    one.refused("no-entry", one, "remove-directory-at", "nothing")
    assert one.names("d") == []


def test_two_listings_do_not_disturb_each_other(disk):
    one = disk()
    for name in "abc":
        one.write(name, b"")
    read = "directory-entry-stream.read-directory-entry"
    first, second = one("read-directory"), one("read-directory")
    assert one.guest.method("filesystem/types", read, first).type == "regular-file"
    assert len([1 for _ in range(4) if one.guest.method("filesystem/types", read, second)]) == 3
    assert len([1 for _ in range(4) if one.guest.method("filesystem/types", read, first)]) == 2


def test_renaming(disk):
    one = disk()
    one.write("a", b"a")
    one.write("b", b"b")
    one("create-directory-at", "d")
    one("create-directory-at", "e")
    folder = one.open("d", "rd")
    one("rename-at", "a", folder, "a2")
    assert one.read("d/a2") == b"a"
    one("rename-at", "d/a2", one.root, "b")
    assert one.read("b") == b"a"
    one("rename-at", "d", one.root, "e")
    one("rename-at", "e/", one.root, "f/")
    assert one.names() == ["b", "f"]
    one.refused("no-entry", one, "rename-at", "x", one.root, "y")
    one.refused("not-directory", one, "rename-at", "b", one.root, "c/")
    one.refused("not-directory", one, "rename-at", "b/", one.root, "c")
    one.refused("is-directory", one, "rename-at", "b", one.root, "f")
    one.refused("not-directory", one, "rename-at", "f", one.root, "b")
    one.refused("busy", one, "rename-at", ".", one.root, "g")
    one.refused("invalid", one, "rename-at", "f", one.root, "f/g")


def test_times_size_and_stat(disk):
    one = disk()
    one.write("a", b"abc")
    file = one.open("a", "rw")
    one("set-times", at(1000, 5), at(2000), at=file)
    found = one("stat", at=file)
    assert (found.size, found.link_count, found.type) == (3, 1, "regular-file")
    assert (found.data_access_timestamp, found.data_modification_timestamp) == (DATETIME(1000, 5), DATETIME(2000, 0))
    one("set-times-at", FOLLOW, "a", NO_CHANGE, NOW)
    again = one.stat("a")
    assert again.data_access_timestamp == DATETIME(1000, 5)
    assert abs(again.data_modification_timestamp.seconds - time.time()) < 60
    one("set-size", 10, at=file)
    assert one.read("a") == b"abc" + bytes(7)
    one("set-size", 1, at=file)
    assert one.stat("a").size == 1
    one.refused("invalid", one, "set-times", at(0, 1_000_000_000), NOW, at=file)
    one.refused("overflow", one, "set-times", at((1 << 64) - 1), NOW, at=file)
    one.refused("invalid", one, "set-size", 1 << 63, at=file)
    one.refused("invalid", one, "read", 1, 1 << 63, at=file)
    for advice in ("normal", "sequential", "random", "will-need", "dont-need", "no-reuse"):
        one("advise", 0, 1 << 20, advice, at=file)
    one("sync", at=file)
    one("sync-data", at=file)
    one("sync")
    one("set-times", at(5), at(6))
    assert one("stat").data_modification_timestamp == DATETIME(6, 0)


def test_a_link_has_times_of_its_own(disk):
    one = disk()
    one.write("a", b"")
    one("symlink-at", "a", "link")
    one("set-times-at", frozenset(), "link", at(1), at(2))
    one("set-times-at", FOLLOW, "link", at(3), at(4))
    assert one.stat("link", follow=False).data_modification_timestamp == DATETIME(2, 0)
    assert one.stat("a").data_modification_timestamp == DATETIME(4, 0)


def test_objects_are_told_apart(disk):
    one = disk(hardlinks=True)
    one.write("a", b"")
    one.write("b", b"")
    one("link-at", frozenset(), "a", one.root, "c")
    a, b, c = (one.open(name) for name in "abc")
    assert one("is-same-object", c, at=a)
    assert not one("is-same-object", b, at=a)
    before = one("metadata-hash", at=a)
    assert before == one("metadata-hash-at", FOLLOW, "c") != one("metadata-hash", at=b)
    one.write("a", b"changed")
    assert one("metadata-hash", at=a) == before, "guests take it for an inode number"


def test_hard_links_are_made_as_the_specification_says(disk):
    one = disk(hardlinks=True)
    one.write("a", b"a")
    one("create-directory-at", "d")
    one("link-at", frozenset(), "a", one.open("d", "rd"), "b")
    assert one.read("d/b") == b"a"
    one.refused("exist", one, "link-at", frozenset(), "a", one.root, "d")
    one.refused("no-entry", one, "link-at", frozenset(), "x", one.root, "y")
    one.refused("not-permitted", one, "link-at", frozenset(), "d", one.root, "e")
    one.refused("invalid", one, "link-at", FOLLOW, "a", one.root, "e")
    one.refused("not-directory", one, "link-at", frozenset(), "a/", one.root, "e")
    one.refused("no-entry", one, "link-at", frozenset(), "a", one.root, "e/")


def test_a_guest_reaches_each_folder_under_its_own_name(guest, kernel, tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a").write_text(name)
    form = [{"path": "one", "as": "/first"}, {"path": "two", "access": ["read", "create", "delete", "write"]}]
    both = guest(files=form, beside=tmp_path)
    preopened = both.preopened()
    assert list(preopened) == ["/first", "/two"]
    assert both.file("get-flags", preopened["/first"]) == {"read"}
    with pytest.raises(WitError) as crossed:
        both.file("rename-at", preopened["/two"], "a", preopened["/first"], "b")
    assert crossed.value.value == "not-permitted", "nothing may be made there"


def test_between_two_grants_things_are_copied_not_moved_or_linked(guest, kernel, tmp_path):
    """A file that moved would be under other access than it was; what a guest copies is decided as what it reads and writes."""
    every = {"access": ["read", "write", "create", "delete"], "hardlinks": True}
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a").write_text(name)
    both = guest(files=[{"path": "one", **every}, {"path": "two", **every}], beside=tmp_path)
    one, two = both.preopened().values()
    for function, flags, code in (("rename-at", (), "cross-device"), ("link-at", (frozenset(),), "not-permitted")):
        with pytest.raises(WitError) as crossed:
            both.file(function, one, *flags, "a", two, "b")
        assert crossed.value.value == code
    both.file("link-at", one, frozenset(), "a", one, "b")
    both.file("rename-at", one, "a", one, "c")


def test_without_a_grant_there_are_no_folders(guest):
    assert guest().preopened() == {}


def test_what_is_written_is_limited_before_it_is_written(disk):
    one = disk(written=20_000)
    file = one.open("a", "rwc")
    one("write", b"x" * 10_000, 0, at=file)
    for passing in (
        lambda: one("write", b"x" * 6_000, 10_000, at=file),
        lambda: one("write", b"x", 10_000_000, at=file),
        lambda: one("set-size", 1 << 40, at=file),
        lambda: one.guest.writes("blocking-write-zeroes-and-flush", one("write-via-stream", 1 << 40, at=file), 1),
    ):
        with pytest.raises(LimitExceeded) as failed:
            passing()
        assert failed.value.limit == "written"
    assert (one.folder / "a").stat().st_size == 10_000
    one("create-directory-at", "d")
    with pytest.raises(LimitExceeded):
        one("create-directory-at", "e")
    with pytest.raises(LimitExceeded):
        one("symlink-at", "a", "l")
    with pytest.raises(LimitExceeded):
        one.open("f", "wc")
    assert sorted(path.name for path in one.folder.iterdir()) == ["a", "d"]


def test_open_files_are_counted_and_given_back(disk):
    one = disk()
    one.write("a", b"")
    held = [one.open("a") for _ in range(FILES - 1)]
    with pytest.raises(LimitExceeded):
        one.open("a")
    with pytest.raises(LimitExceeded):
        one("read-directory")
    held[0].close()
    one.open("a").close()


def open_descriptors():
    gc.collect()
    return len(list(Path("/dev/fd").iterdir()))


def test_ten_thousand_opens_leave_nothing_behind(disk):
    one = disk()
    before = open_descriptors()
    one("create-directory-at", "d")
    one.write("d/a", b"x")
    for _ in range(5000):
        one.open("d/./a").close()
        one.refused("no-entry", one.open, "d/b")
    assert open_descriptors() == before


def test_closing_the_state_closes_every_descriptor(disk):
    before = open_descriptors()
    one = disk()
    file = one.open("a", "rwc")
    one("read-via-stream", 0, at=file)
    one("read-directory")
    one.guest.state.close()
    for folder in one.guest.state.folders.values():
        folder.close()  # as its graph does, which holds it as well
    assert open_descriptors() == before


def test_where_files_cannot_be_opened_from_a_folder_only_grants_of_them_are_refused(tmp_path):
    """Everything else works there; nothing is opened without a flag that it depends on."""
    program = """
import os, sys
from pathlib import Path
os.supports_dir_fd = set()
for name in ("O_NOFOLLOW", "O_DIRECTORY", "O_PATH", "O_CLOEXEC", "O_NONBLOCK", "O_NOCTTY"):
    delattr(os, name)
import ringfence.wasi
from ringfence.contract.grants import Policy
from ringfence.folders import NoFolder, open_folder
[grant] = Policy.bind({"files": [{"path": "data"}]}).of("files")
try:
    open_folder(Path(sys.argv[1]), grant)
except NoFolder as error:
    print(error)
"""
    (tmp_path / "data").mkdir()
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=True)
    assert "this system cannot open files from a folder" in done.stdout
