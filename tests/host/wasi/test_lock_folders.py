"""`lock`: a file that is changed only while the guest holds its lock, which it takes by making `FILE.lock`."""

import fcntl
import os
import struct
import subprocess
import sys

import pytest
from ringfence.contract.grants.files import FILES
from ringfence.contract.values import Case, WitError

EVERY = ["read", "write", "create", "delete"]
NOW = Case("now")
LOCK_FROM_OUTSIDE = """
import fcntl, os, struct, sys
file = os.open(sys.argv[1], os.O_RDWR)
kind, start, length = (int(word) for word in sys.argv[2:])
try:
    fcntl.fcntl(file, fcntl.F_SETLK, struct.pack("@hhqqi0q", kind, os.SEEK_SET, start, length, 0))
except OSError:
    print("locked")
else:
    print("free")
"""
PENDING, RESERVED, SHARED = 0x40000000, 0x40000001, 0x40000002


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data/a.db").write_bytes(b"0123456789")
    return tmp_path / "data"


@pytest.fixture
def disk(guest, folder):
    """Makes a guest with this access to the folder, and its descriptor of that."""

    def make(access=EVERY, lock=("*.db",)):
        one = guest(files=[{"path": "data", "access": access, "lock": list(lock)}], beside=folder.parent)
        return one, one.preopened()["/data"]

    return make


def opened(one, root, name="a.db", *flags):
    return one.file("open-at", root, frozenset(), name, frozenset(), frozenset({"read", *flags}))


def take(one, root, name="a.db.lock"):
    one.file("create-directory-at", root, name)


def let_go(one, root, name="a.db.lock"):
    one.file("remove-directory-at", root, name)


def fails(code, function, *arguments):
    with pytest.raises(WitError) as failed:
        function(*arguments)
    assert failed.value.value == code


def outside(folder, kind, start, length=1):
    """What a process beside the host is told that asks for a lock as SQLite does."""
    command = [sys.executable, "-c", LOCK_FROM_OUTSIDE, str(folder / "a.db"), str(kind), str(start), str(length)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_a_file_is_changed_only_while_its_lock_is_held(disk, folder):
    one, root = disk()
    file = opened(one, root, "a.db", "write")
    stream = one.file("write-via-stream", file, 0)

    def change_it():
        yield lambda: one.file("write", file, b"x", 0)
        yield lambda: one.file("set-size", file, 3)
        yield lambda: one.file("open-at", root, frozenset(), "a.db", frozenset({"truncate"}), frozenset({"write"}))

    for change in change_it():
        fails("busy", change)
    assert (folder / "a.db").read_bytes() == b"0123456789"
    take(one, root)
    for change in change_it():
        change()
    one.file("write", file, b"abc", 0)
    let_go(one, root)
    for change in change_it():
        fails("busy", change)
    with pytest.raises(WitError) as failed:  # a stream that was made before does no more than others
        one.writes("blocking-write-and-flush", stream, b"x")
    assert failed.value.value.name == "last-operation-failed"
    assert (folder / "a.db").read_bytes() == b"abc"
    assert one.file("read", file, 10, 0)


def test_a_file_is_neither_removed_nor_replaced_nor_moved_without_its_lock(disk, folder):
    """Another program that is writing to it would commit into a file that nobody finds any more."""
    one, root = disk()
    (folder / "new.db").write_bytes(b"new")

    def replace():
        one.file("rename-at", root, "new.db", root, "a.db")

    fails("busy", replace)
    fails("busy", one.file, "unlink-file-at", root, "a.db")
    fails("busy", one.file, "rename-at", root, "a.db", root, "b.txt")
    assert (folder / "a.db").read_bytes() == b"0123456789"
    take(one, root)
    fails("busy", replace)
    take(one, root, "new.db.lock")
    replace()
    assert (folder / "a.db").read_bytes() == b"new", "the control"


@pytest.mark.parametrize("there", [False, True], ids=["a new name", "in the place of another"])
def test_no_file_gets_a_name_under_which_it_is_locked(disk, folder, there):
    """Whoever has it open already would write to the database without its lock: by the descriptor, which is of the name before."""
    one, root = disk()
    file = one.file("open-at", root, frozenset(), "plain.txt", frozenset({"create"}), frozenset({"read", "write"}))
    name = "a.db" if there else "b.db"
    take(one, root)
    fails("not-permitted", one.file, "rename-at", root, "plain.txt", root, name)
    fails("not-permitted", one.file, "rename-at", root, "a.db", root, "other.txt")
    assert one.file("write", file, b"x", 0) == 1
    assert not (folder / "b.db").exists()
    assert (folder / "a.db").read_bytes() == b"0123456789"
    one.file("rename-at", root, "plain.txt", root, "b.txt")
    assert (folder / "b.txt").read_bytes() == b"x", "the control"


def test_no_folder_is_moved_to_where_its_files_are_locked(disk, folder):
    one, root = disk(lock=("shop/*.db",))
    (folder / "mine").mkdir()
    (folder / "mine" / "a.db").write_bytes(b"x")
    fails("not-permitted", one.file, "rename-at", root, "mine", root, "shop")
    two, other = disk(lock=("**/*.db",))
    two.file("rename-at", other, "mine", other, "shop")
    assert (folder / "shop" / "a.db").exists(), "the control: locked under either name"


def test_no_other_name_leads_around_a_lock(guest, folder):
    grant = {"path": "data", "access": EVERY, "lock": ["*.db"], "hardlinks": True}
    one = guest(files=[grant], beside=folder.parent)
    root = one.preopened()["/data"]
    fails("not-permitted", one.file, "link-at", root, frozenset(), "a.db", root, "b.txt")
    one.file("link-at", root, frozenset(), "a.db", root, "b.db")
    assert (folder / "b.db").samefile(folder / "a.db"), "the control"


def test_other_files_need_no_lock_and_other_folders_are_folders(disk, folder):
    one, root = disk()
    new = one.file("open-at", root, frozenset(), "b.txt", frozenset({"create"}), frozenset({"write"}))
    assert one.file("write", new, b"x", 0) == 1
    one.file("create-directory-at", root, "b.txt.lock")
    assert (folder / "b.txt.lock").is_dir()
    take(one, root)
    assert not (folder / "a.db.lock").exists()


def test_without_the_word_a_lock_is_a_folder(guest, folder):
    one = guest(files=[{"path": "data", "access": EVERY}], beside=folder.parent)
    root = one.preopened()["/data"]
    take(one, root)
    assert (folder / "a.db.lock").is_dir()


def test_a_lock_is_held_once_and_kept_and_let_go(disk, folder):
    one, root = disk()
    fails("no-entry", let_go, one, root)
    fails("no-entry", lambda: one.file("set-times-at", root, frozenset(), "a.db.lock", NOW, NOW))
    take(one, root)
    fails("exist", take, one, root)
    one.file("set-times-at", root, frozenset(), "a.db.lock", NOW, NOW)
    let_go(one, root)
    take(one, root)
    fails("no-entry", take, one, root, "nothing.db.lock")


def test_instances_lock_each_other_out_and_an_end_lets_go(disk):
    (one, first), (other, second) = disk(), disk()
    take(one, first)
    fails("exist", take, other, second)
    one.state.close()
    take(other, second)
    assert not one.state.locked


def test_a_lock_is_one_that_sqlite_sees(disk, folder):
    one, root = disk()
    for start in (PENDING, RESERVED, SHARED, SHARED + 509):
        assert outside(folder, fcntl.F_WRLCK, start) == "free"
        take(one, root)
        assert outside(folder, fcntl.F_WRLCK, start) == outside(folder, fcntl.F_RDLCK, start) == "locked"
        let_go(one, root)
    take(one, root)
    assert outside(folder, fcntl.F_WRLCK, SHARED + 510) == outside(folder, fcntl.F_WRLCK, 0, 100) == "free"


@pytest.mark.parametrize(
    ("kind", "start", "length"),
    [(fcntl.F_RDLCK, SHARED, 510), (fcntl.F_WRLCK, RESERVED, 1), (fcntl.F_WRLCK, PENDING, 1), (fcntl.F_WRLCK, SHARED, 510)],
)
def test_whatever_state_another_sqlite_is_in_the_lock_is_not_given(disk, folder, kind, start, length):
    one, root = disk()
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            f"{LOCK_FROM_OUTSIDE}\nsys.stdout.flush()\ninput()",
            str(folder / "a.db"),
            str(kind),
            str(start),
            str(length),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with holder:
        assert holder.stdout.readline() == "free\n"
        fails("exist", take, one, root)
        holder.communicate("\n")
    take(one, root)


def test_who_may_only_read_shares_the_lock_with_readers(disk, folder):
    (one, first), (other, second) = disk(["read"]), disk(["read"])
    take(one, first)
    take(other, second)
    fails("exist", take, one, first)
    assert outside(folder, fcntl.F_RDLCK, SHARED, 510) == "free"
    assert outside(folder, fcntl.F_WRLCK, SHARED, 510) == "locked"
    writer, root = disk()
    fails("exist", take, writer, root)


def test_a_lock_needs_a_grant_of_its_file(guest, folder):
    """To make other files does not let a guest lock others out of one."""
    one = guest(files=[{"path": "data", "access": ["create"], "lock": ["*.db"]}], beside=folder.parent)
    fails("not-permitted", take, one, one.preopened()["/data"])
    assert one.denials[0].value == "'/data/a.db'"
    assert outside(folder, fcntl.F_WRLCK, PENDING, 512) == "free"


def test_a_folder_that_somebody_locks_by_is_respected(disk, folder):
    one, root = disk()
    (folder / "a.db.lock").mkdir()
    fails("exist", take, one, root)
    (folder / "a.db.lock").rmdir()
    take(one, root)


def test_neither_links_nor_pipes_are_locked(disk, folder):
    one, root = disk()
    (folder / "link.db").symlink_to("a.db")
    os.mkfifo(folder / "pipe.db")
    (folder / "sub.db").mkdir()
    for name in ("link", "pipe", "sub"):
        with pytest.raises(WitError):
            take(one, root, f"{name}.db.lock")
    assert not one.state.locked
    assert struct.calcsize("@hhqqi0q") == 32  # struct flock of a 64-bit Linux


def test_a_grant_covers_only_grants_with_the_same_lock():
    """Else a node could hand on, without it, what it has under lock itself."""
    forms = [{"path": "data"}, {"path": "data", "lock": ["*.db"]}, {"path": "data", "lock": ["*"]}]
    grants = [FILES.parse([form])[0] for form in forms]
    assert [[FILES.covers(one, other) for other in grants] for one in grants] == [
        [True, False, False],
        [False, True, False],
        [False, False, True],
    ]
    assert FILES.form(grants[1:2]) == [{"path": "data", "match": ["**"], "as": "/data", "access": ["read"], "lock": ["*.db"]}]
    assert FILES.wording(grants[1]) == "read ** in data as /data, *.db under lock"
