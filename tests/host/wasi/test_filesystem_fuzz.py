"""Paths and patterns by the thousand, in trees full of links, against an oracle: the real file system and os.path.realpath.

What the guest gets must be what the path really leads to, beneath the folder, and matched; what it is refused must have a reason, too.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from collections import Counter
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ringfence.contract.values import WitError

NAMES = ["a", "b", "A", "d", "e.db", "ä", "a\u0308", ".x"]
STEP = st.sampled_from([*NAMES, *NAMES, "..", ".", "", "none", "link", "way", "link", "way", "..", "x" * 300])
PATH = st.lists(STEP, min_size=1, max_size=6).map("/".join) | st.sampled_from(["/etc/passwd", "/", "../data/a", "..", "link/", "way/.."])
TARGET = st.lists(st.sampled_from([*NAMES, "..", "..", ".", "link", "way", "outside"]), min_size=1, max_size=4).map("/".join)
FOLDER = st.lists(st.sampled_from(["a", "b", "d"]), min_size=0, max_size=2).map("/".join)
ENTRY = st.one_of(
    st.tuples(st.just("file"), FOLDER, st.sampled_from(NAMES), st.none()),
    st.tuples(st.just("link"), FOLDER, st.sampled_from(["link", "way", "e.db", "a"]), TARGET | st.sampled_from(["/etc", "ABSOLUTE"])),
    st.tuples(st.just("fifo"), FOLDER, st.sampled_from(["ä", "e.db"]), st.none()),
    st.tuples(st.just("hard"), FOLDER, st.sampled_from(["b", "e.db"]), st.none()),
)
TREE = st.lists(ENTRY, min_size=2, max_size=14)
GLOB = st.sampled_from(["**", "*", "*.db", "**/*.db", "a/*", "d/**", "a/b/**", "*/a", "**/a", "b", ".x", "ä"])
GLOBS = st.lists(GLOB, min_size=1, max_size=3)
SETTINGS = settings(
    max_examples=400,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
QUICK = next((one for one in ("/dev/shm",) if os.access(one, os.W_OK)), None)
"""A file system in memory, where there is one: thousands of small files wait for no disk."""
SEEN: Counter[str] = Counter()


def grow(root, tree):
    """Make the tree in root; beside it lies the folder that nobody may reach."""
    (root / "outside").mkdir()
    (root / "outside/a").write_text("s3cret")
    data = root / "data"
    data.mkdir()
    for kind, folder, name, target in tree:
        with suppress(OSError):
            (data / folder).mkdir(parents=True, exist_ok=True)
            path = data / folder / name
            if kind == "file" and not os.path.lexists(path):
                path.write_text(f"{folder}/{name}")
            elif kind == "link":
                path.symlink_to(str(root / "outside") if target == "ABSOLUTE" else target)
            elif kind == "fifo":
                os.mkfifo(path)
            elif kind == "hard":
                os.link(root / "outside/a", path)
    return data


def matches(globs, path):
    """An oracle of its own for patterns: a regular expression each."""
    return any(re.fullmatch(expression(one), path, re.DOTALL) for one in globs)


def expression(glob):
    if glob == "**":
        return ".+"
    return re.escape(glob).replace(r"\*\*/", "(?:.+/)?").replace(r"/\*\*", "/.+").replace(r"\*", "[^/]*")


def strays(data, path):
    """Whether a step of the path, or of a link on it, is absolute or `..`: only then may a path be refused that ends beneath the folder."""
    if path.startswith("/") or ".." in path.split("/"):
        return True
    here = Path(data)
    for step in path.split("/"):
        here = here / step
        if os.path.islink(here):  # noqa: PTH114 -- false for a name that is too long, too
            target = str(here.readlink())
            if target.startswith("/") or ".." in target.split("/") or "link" in target or "way" in target:
                return True
            here = here.parent / target
            if any(parent.is_symlink() for parent in [here, *here.parents]):
                return True
    return False


def judge(disk, data, globs, path):
    """Open the path as the guest and compare with the real file system."""
    try:
        file = disk.open(path)
    except WitError as error:
        SEEN[error.value] += 1
        explain(data, globs, path, error.value)
        return
    SEEN["ok"] += 1
    got = os.fstat(file.opened.descriptor)
    real = Path(os.path.realpath(data / path))
    assert os.path.samestat(got, os.stat(data / path)), "it opened something else"
    assert real == data or data in real.parents, "it led out"
    inside = "" if real == data else str(real.relative_to(data))
    if stat.S_ISDIR(got.st_mode):
        assert not inside or matches(globs, inside) or any(might_hold(one, inside) for one in globs)
    else:
        assert stat.S_ISREG(got.st_mode)
        assert got.st_nlink == 1
        assert matches(globs, inside), "no pattern matches it"
    assert file.opened.path == inside, "its path is told wrongly"
    file.close()


def might_hold(glob, folder):
    """Whether something beneath the folder may match: tried with some paths there."""
    samples = [f"{folder}/{tail}" for tail in ("a", "b", "e.db", "a/b/a", "b/e.db", "b/a", "x", ".x", "b/x")]
    return any(matches([glob], one) for one in samples)


def explain(data, globs, path, code):
    """That the refusal is right."""
    if code == "not-permitted":
        real = Path(os.path.realpath(data / path))
        out = real != data and data not in real.parents
        inside = "" if real == data or out else str(real.relative_to(data))
        with suppress(OSError):
            status = os.stat(real)
            special = not stat.S_ISREG(status.st_mode) and not stat.S_ISDIR(status.st_mode)
            if out or special or (stat.S_ISREG(status.st_mode) and status.st_nlink > 1):
                return
        assert out or strays(data, path) or not matches(globs, inside), f"nothing forbids {path!r}"
        return
    expected = {"no-entry": errno.ENOENT, "not-directory": errno.ENOTDIR, "loop": errno.ELOOP, "name-too-long": errno.ENAMETOOLONG}
    if not path:
        assert code == "no-entry"
        return
    try:
        os.stat(os.path.join(data, path))  # noqa: PTH118 -- pathlib drops what is at stake
    except OSError as error:
        found = error.errno
    else:
        found = 0
    assert found in (expected[code], errno.ELOOP, errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG), f"{path!r} was answered with {code}"


@pytest.mark.parametrize("kernel", ["openat2", "walk"], indirect=True)
def test_every_path_leads_where_the_real_file_system_says_or_nowhere(kernel, disk_over):
    SEEN.clear()

    @SETTINGS
    @given(tree=TREE, globs=GLOBS, paths=st.lists(PATH, min_size=10, max_size=30))
    def every(tree, globs, paths):
        with TemporaryDirectory(dir=QUICK) as place:
            data = grow(Path(os.path.realpath(place)), tree)
            disk = disk_over(data, *globs, access=("read",))
            for path in paths:
                judge(disk, data, globs, path)
            disk.guest.state.close()

    every()
    assert SEEN["ok"] > 150
    assert min(SEEN["not-permitted"], SEEN["no-entry"]) > 50
    assert sum(SEEN.values()) > 4000


@SETTINGS
@given(tree=TREE, globs=GLOBS, paths=st.lists(PATH, min_size=4, max_size=12))
def test_whatever_a_guest_changes_lies_inside_and_matches(disk_over, tree, globs, paths):
    """All that changes anything, on any path: afterwards the outside is as it was, and so is what no pattern matches."""
    with TemporaryDirectory(dir=QUICK) as place:
        data = grow(Path(os.path.realpath(place)), tree)
        disk = disk_over(data, *globs, access=("read", "write", "create", "delete"))
        before = picture(data.parent)
        for path, other in zip(paths, reversed(paths), strict=True):
            for use in (
                lambda path=path: disk.write(path, b"mine", "wct"),
                lambda path=path: disk("create-directory-at", path),
                lambda path=path, other=other: disk("rename-at", path, disk.root, other),
                lambda path=path, other=other: disk("symlink-at", other, path),
                lambda path=path, other=other: disk("link-at", frozenset(), path, disk.root, other),
                lambda path=path: disk("unlink-file-at", path),
                lambda path=path: disk("remove-directory-at", path),
            ):
                with suppress(WitError):
                    use()
        after = picture(data.parent)
        disk.guest.state.close()
        for path in before.keys() | after.keys():
            if before.get(path) != after.get(path):
                assert path.startswith("data/"), path
                assert matches(globs, path.removeprefix("data/")), path
        made = set(after.values()) - set(before.values())
        assert not any(one.startswith("link to /") or ".." in one.removeprefix("link to ").split("/") for one in made), (
            "a link of the guest's leads out"
        )


def picture(root):
    """What lies beneath: content of files, targets of links. (How many links a file has, a guest changes where it removes its own.)"""
    found = {}
    for path in root.rglob("*"):
        status, name = path.lstat(), str(path.relative_to(root))
        if stat.S_ISLNK(status.st_mode):
            found[name] = f"link to {path.readlink()}"
        elif stat.S_ISREG(status.st_mode):
            found[name] = path.read_text()
        else:
            found[name] = f"type {stat.S_IFMT(status.st_mode)}"
    return found
