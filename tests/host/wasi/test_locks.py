"""ringfence:files/lock: locks that other programs see, on files that a guest has open and a grant says may be locked."""

import errno
import os
import subprocess
import sys
import time

import pytest
from ringfence import wasi
from ringfence.contract.errors import LimitExceeded
from ringfence.contract.grants.files import FILES, UseFile
from ringfence.contract.values import WitError, record_class

EVERY = ["read", "write", "create", "delete"]
RANGE = record_class(("start", "length"))
SQLITE_PENDING, SQLITE_RESERVED, SQLITE_SHARED = RANGE(0x40000000, 1), RANGE(0x40000001, 1), RANGE(0x40000002, 510)
FROM_OUTSIDE = """
import fcntl, os, struct, sys
file = os.open(sys.argv[1], os.O_RDWR)
kind, start, length = {"shared": fcntl.F_RDLCK, "exclusive": fcntl.F_WRLCK}[sys.argv[2]], int(sys.argv[3]), int(sys.argv[4])
try:
    fcntl.fcntl(file, fcntl.F_SETLK, struct.pack("@hhqqi0q", kind, os.SEEK_SET, start, length, 0))
except OSError:
    print("refused", flush=True)
else:
    print("locked", flush=True)
input()
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "data").mkdir()
    for name in ("a.db", "b.db", "b.txt"):
        (tmp_path / "data" / name).write_bytes(b"0123456789")
    return tmp_path / "data"


class Disk:
    """A guest that was granted the folder, and what it does with locks there."""

    def __init__(self, guest):
        self.guest, self.root = guest, guest.preopened()["/data"]

    def open(self, name="a.db", *flags):
        access = frozenset(flags or {"read", "write"})
        return self.guest.file("open-at", self.root, frozenset(), name, frozenset(), access)

    def __call__(self, function, file, bytes_=SQLITE_SHARED, *mode):
        return wasi.INTERFACES["ringfence:files/lock"][function](self.guest.call, file, bytes_, *mode)

    def acquire(self, file, mode, bytes_=SQLITE_SHARED):
        self("acquire", file, bytes_, mode)

    def release(self, file, bytes_=SQLITE_SHARED):
        self("release", file, bytes_)

    def is_locked(self, file, mode, bytes_=SQLITE_SHARED):
        return self("is-locked", file, bytes_, mode)


@pytest.fixture
def disk(guest, folder):
    def make(access=EVERY, lock=("*.db",), **more):
        grant = {"path": "data", "access": access, **({"lock": list(lock)} if lock else {}), **more}
        return Disk(guest(files=[grant], beside=folder.parent))

    return make


def fails(code, function, *arguments):
    with pytest.raises(WitError) as failed:
        function(*arguments)
    assert failed.value.value == code


@pytest.fixture
def outside(folder):
    """A process beside the host that locks a range as SQLite does; what it was told. It holds the lock until the test ends."""
    started = []

    def lock(mode, bytes_=SQLITE_SHARED, name="a.db"):
        command = [sys.executable, "-c", FROM_OUTSIDE, str(folder / name), mode, str(bytes_.start), str(bytes_.length)]
        started.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
        return started[-1].stdout.readline().strip()

    def end():
        while started:
            one = started.pop()
            one.communicate("\n")

    lock.end = end
    yield lock
    end()


@pytest.mark.parametrize(
    ("mine", "others", "told"), [("shared", "shared", "locked"), ("shared", "exclusive", "refused"), ("exclusive", "shared", "refused")]
)
def test_other_programs_see_a_lock(disk, outside, mine, others, told):
    one = disk()
    one.acquire(one.open(), mine)
    assert outside(others) == told


@pytest.mark.parametrize(
    ("others", "mine", "is_free"), [("shared", "shared", True), ("shared", "exclusive", False), ("exclusive", "shared", False)]
)
def test_the_locks_of_other_programs_are_seen(disk, outside, others, mine, is_free):
    one = disk()
    file = one.open()
    assert outside(others) == "locked"
    assert one.is_locked(file, mine) is not is_free
    if is_free:
        one.acquire(file, mine)
        return
    fails("would-block", one.acquire, file, mine)
    outside.end()
    one.acquire(file, mine)


def test_nothing_waits(disk, outside):
    """A lock that is not to be had is told at once: two guests that wait for each other's would stand still with their hosts."""
    (one, other) = disk(), disk()
    first, second = one.open(), other.open("b.db")
    one.acquire(first, "exclusive")
    other.acquire(second, "exclusive")
    began = time.monotonic()
    fails("would-block", one.acquire, one.open("b.db"), "exclusive")
    fails("would-block", other.acquire, other.open(), "exclusive")
    assert time.monotonic() - began < 5


def test_a_lock_is_changed_in_place(disk, outside):
    one = disk()
    file = one.open()
    one.acquire(file, "shared")
    one.acquire(file, "exclusive")
    one.acquire(file, "shared")
    assert outside("shared") == "locked"
    fails("would-block", one.acquire, file, "exclusive")
    assert one.guest.state.locks == 1, "it kept the one it had"
    one.release(file)
    one.release(file)
    outside.end()
    assert outside("exclusive") == "locked"


def test_two_descriptors_of_one_guest_lock_each_other_out(disk):
    one = disk()
    first, second = one.open(), one.open()
    one.acquire(first, "exclusive")
    fails("would-block", one.acquire, second, "shared")
    first.close()
    one.acquire(second, "shared")


@pytest.mark.parametrize("how", ["release", "close", "end"])
def test_a_lock_is_let_go(disk, outside, how):
    one = disk()
    file = one.open()
    one.acquire(file, "exclusive")
    assert outside("shared") == "refused"
    {"release": lambda: one.release(file), "close": file.close, "end": one.guest.state.close}[how]()
    assert outside("exclusive") == "locked"


def test_a_child_of_the_host_keeps_no_lock(disk, outside):
    """A process that was forked has the same open file description, whose lock lasts until the last of both has closed it."""
    one = disk()
    file = one.open()
    one.acquire(file, "exclusive")
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.close(writer)
        os.read(reader, 1)
        os._exit(0)
    os.close(reader)
    file.close()
    try:
        assert outside("exclusive") == "locked"
    finally:
        os.close(writer)
        os.waitpid(child, 0)


def test_a_lock_needs_a_grant_that_says_so(disk, outside):
    """Whoever may lock keeps others waiting: to read or to write a file is not enough."""
    for one, name in ((disk(lock=()), "a.db"), (disk(), "b.txt")):
        file = one.open(name)
        fails("not-permitted", one.acquire, file, "exclusive")
        fails("not-permitted", one.is_locked, file, "shared")
        first, second = one.guest.denials
        assert (first.operation, second.operation, first.value) == ("lock", "lock for reading", f"'/data/{name}'")
        assert f'"{name}"' in first.allow.partition("lock: ")[2]
        assert outside("exclusive", name=name) == "locked"
    granted = disk()
    granted.acquire(granted.open("b.db"), "exclusive")


def test_a_grant_to_lock_admits_it_and_no_less_does():
    def admits(lock, locked):
        grant = FILES.parse([{"path": "data", "access": ["read", "write"], **({"lock": lock} if lock else {})}])[0]
        asked = UseFile(path="data", target="/data", name=locked, access=frozenset({"write"}), lock=grant.lock, locks=True)
        return FILES.covers(grant, FILES.exactly(asked))

    assert admits(["*.db"], "a.db")
    assert admits(["*.txt", "a.*"], "a.db")
    assert not admits(["*.db"], "sub/a.db")
    assert not admits(["*.db"], "a.txt")
    assert not admits([], "a.db")


def test_a_file_is_locked_as_it_is_open(disk):
    """As fcntl(2) has it: what is open for reading can't keep readers out."""
    one, reader = disk(), disk(["read"])
    fails("bad-descriptor", one.acquire, one.open("a.db", "read"), "exclusive")
    fails("bad-descriptor", one.acquire, one.open("a.db", "write"), "shared")
    fails("not-permitted", reader.acquire, reader.open("a.db", "read"), "exclusive")
    fails("is-directory", one.acquire, one.root, "shared")
    reader.acquire(reader.open("a.db", "read"), "shared")


@pytest.mark.parametrize(
    "bytes_", [RANGE(0, 0), RANGE(5, (1 << 64) - 1), RANGE((1 << 64) - 1, 1), RANGE(1 << 63, 1), RANGE((1 << 63) - 1, 2)]
)
def test_what_is_no_range_is_refused(disk, bytes_):
    """A length of 0 would mean all that follows, to fcntl."""
    one = disk()
    file = one.open()
    for function, *mode in (("acquire", "shared"), ("release",), ("is-locked", "shared")):
        fails("invalid", one, function, file, bytes_, *mode)
    one.acquire(file, "shared", RANGE((1 << 63) - 1, 1))


def test_every_byte_that_a_file_can_have_is_a_range(disk, outside):
    """The one whose length the system's own number does not hold: an error of the host's would end the instance in place of an answer."""
    one, every = disk(), RANGE(0, 1 << 63)
    file, other = one.open(), one.open()
    one.acquire(file, "exclusive", every)
    assert one.is_locked(other, "shared", RANGE((1 << 63) - 1, 1))
    assert one.is_locked(other, "shared", every)
    assert outside("shared", SQLITE_SHARED) == "refused"
    one.release(file, every)
    assert not one.is_locked(other, "exclusive", every)


def test_locks_of_one_file_do_not_overlap(disk):
    """The system would join and cut them, and nobody could count them any more."""
    one = disk()
    file = one.open()
    one.acquire(file, "shared", RANGE(10, 10))
    for start, length in ((10, 9), (19, 1), (9, 2), (0, 100), (11, 2)):
        fails("invalid", one.acquire, file, "shared", RANGE(start, length))
    one.acquire(file, "shared", RANGE(20, 1))
    one.acquire(file, "shared", RANGE(9, 1))
    one.release(file, RANGE(10, 9))
    assert one.guest.state.locks == 3, "to let go of what was not locked changes nothing"


def test_locks_count_as_handles(disk):
    """Each is memory of the kernel's: a guest that locks every second byte of a file is stopped."""
    one = disk()
    file = one.open()
    one.guest.state.handles = one.guest.state.held + 100
    with pytest.raises(LimitExceeded, match="handles"):
        for start in range(0, 1 << 20, 2):
            one.acquire(file, "shared", RANGE(start, 1))
    assert one.guest.state.locks == 100
    with pytest.raises(LimitExceeded):
        one.open("b.db")
    for start in range(0, 200, 2):
        one.release(file, RANGE(start, 1))
    one.open("b.db")


def test_a_lock_that_fails_is_not_counted(disk, outside):
    one = disk()
    file = one.open()
    assert outside("exclusive") == "locked"
    for _ in range(10):
        fails("would-block", one.acquire, file, "shared")
    assert one.guest.state.locks == 0


def test_a_file_is_changed_only_while_its_guest_has_it_alone(disk, folder):
    """SQLite's own lock, whole: nothing less lets a guest write, whatever that was told."""
    one = disk()
    file, other = one.open(), one.open("b.txt")

    def write():
        return one.guest.file("write", file, b"x", 0)

    fails("busy", write)
    for bytes_, mode in (
        (SQLITE_SHARED, "shared"),
        (SQLITE_RESERVED, "exclusive"),
        (SQLITE_PENDING, "exclusive"),
        (RANGE(0, 10), "exclusive"),
    ):
        one.acquire(file, mode, bytes_)
        fails("busy", write)
    one.acquire(file, "exclusive")
    assert write() == 1
    one.acquire(file, "shared")
    fails("busy", write)
    one.release(file)
    one.acquire(file, "exclusive", RANGE(0x40000002, 509))
    fails("busy", write)
    file.close()
    fails("busy", one.guest.file, "unlink-file-at", one.root, "a.db")
    assert one.guest.file("write", other, b"x", 0) == 1
    assert (folder / "a.db").read_bytes() == b"x123456789"


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664])
def test_what_belongs_to_a_locked_file_is_for_the_same_people(disk, folder, mode):
    """A journal holds what its database does."""
    one = disk()
    (folder / "a.db").chmod(mode)
    (folder / "b.txt").chmod(mode)
    (folder / "link.db").symlink_to("a.db")
    before = os.umask(0o022)
    try:
        for name in ("a.db-journal", "b.txt-journal", "c.db-journal", "link.db-journal", "-journal"):
            one.guest.file("open-at", one.root, frozenset(), name, frozenset({"create"}), frozenset({"write"}))
    finally:
        os.umask(before)
    found = {path.name: path.stat().st_mode & 0o7777 for path in folder.glob("*-journal")}
    others = dict.fromkeys(["b.txt-journal", "c.db-journal", "link.db-journal", "-journal"], 0o644)
    assert found == {"a.db-journal": mode, **others}


def test_the_folder_of_a_lock_and_the_lock_are_one(disk):
    """Libraries with a SQLite of their own, and others, meet on one database."""
    one, other = disk(), disk()
    file = one.open()
    one.acquire(file, "shared")
    fails("exist", other.guest.file, "create-directory-at", other.root, "a.db.lock")
    fails("exist", one.guest.file, "create-directory-at", one.root, "a.db.lock")
    one.acquire(file, "exclusive")
    fails("no-entry", one.guest.file, "remove-directory-at", one.root, "a.db.lock")
    one.release(file)
    other.guest.file("create-directory-at", other.root, "a.db.lock")
    fails("would-block", one.acquire, file, "shared")


def test_a_system_without_such_locks_refuses_and_forgets_nothing(disk, monkeypatch):
    from ringfence.wasi.filesystem import ranges

    one = disk()
    file = one.open()
    monkeypatch.setattr(ranges, "fcntl", None)
    fails("unsupported", one.acquire, file, "shared")
    fails("unsupported", one.is_locked, file, "shared")
    assert one.guest.state.locks == 0


def test_what_the_system_says_is_told(disk, monkeypatch):
    from ringfence.wasi.filesystem import ranges

    def full(*_):
        raise OSError(errno.ENOLCK, "no locks available")

    one = disk()
    file = one.open()
    monkeypatch.setattr(ranges, "fcntl", full)
    fails("no-lock", one.acquire, file, "shared")
    assert one.guest.state.locks == 0
