"""The build cache under concurrency, kill -9 and damage; and what counts as an input."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from ringfence.contract.names import Digest, digest_of
from ringfence_composer.builders.cache import BuildCache
from ringfence_composer.builders.snapshot import read_tree, write_tree
from ringfence_composer.errors import InputInvalid

KEY = digest_of(b"some inputs")


def silent(_message: str) -> None:
    """Reports to nobody."""


def left_over(root: Path) -> list[str]:
    return sorted(path.name for path in (root / "build").iterdir() if path.suffix in {".work", ".new"})


def must_not_run(_work: Path) -> bytes:
    pytest.fail("built again")


def test_it_builds_once_and_then_serves_the_same_file(tmp_path):
    cache = BuildCache(tmp_path, silent)
    first = cache.fetch(KEY, lambda work: b"built")
    assert cache.fetch(KEY, must_not_run) == first
    assert (first.path.read_bytes(), first.digest) == (b"built", digest_of(b"built"))


def test_a_failed_build_leaves_nothing_and_is_tried_again(tmp_path):
    cache = BuildCache(tmp_path, silent)

    def fails(work):
        (work / "half").write_bytes(b"half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cache.fetch(KEY, fails)
    assert left_over(tmp_path) == []
    assert cache.fetch(KEY, lambda work: b"whole").path.read_bytes() == b"whole"


@pytest.mark.parametrize("damage", ["flip", "truncate", "remove-entry", "garble-entry"])
def test_a_damaged_entry_is_built_again(tmp_path, damage):
    """A bit that flipped, or a file somebody edited, must never be run under the digest of another."""
    said = []
    cache = BuildCache(tmp_path, said.append)
    stored = cache.fetch(KEY, lambda work: b"built")
    entry = stored.path.parent / "entry.json"
    match damage:
        case "flip":
            stored.path.write_bytes(b"buil7")
        case "truncate":
            stored.path.write_bytes(b"")
        case "remove-entry":
            entry.unlink()
        case "garble-entry":
            entry.write_text("{")
    assert cache.fetch(KEY, lambda work: b"built").path.read_bytes() == b"built"
    assert left_over(tmp_path) == []
    assert any("damaged" in message for message in said) is (damage != "remove-entry")


def test_threads_that_want_the_same_build_share_one(tmp_path):
    builds = []

    def make(work):
        builds.append(work)
        time.sleep(0.2)
        return b"built"

    threads = [threading.Thread(target=lambda: BuildCache(tmp_path, silent).fetch(KEY, make)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(builds) == 1


SHARING = """
import sys, time
from pathlib import Path
from ringfence_composer.builders.cache import BuildCache

def make(work):
    with open(sys.argv[3], "a") as file:
        file.write("built\\n")
    time.sleep(0.5)
    return b"built"

BuildCache(Path(sys.argv[1]), print).fetch(sys.argv[2], make)
"""


def started(script: str, *arguments: object) -> subprocess.Popen[bytes]:
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    return subprocess.Popen([sys.executable, "-c", script, *map(str, arguments)], stdout=subprocess.PIPE, env=env)


def test_processes_that_want_the_same_build_share_one(tmp_path):
    log = tmp_path / "log"
    processes = [started(SHARING, tmp_path, KEY, log) for _ in range(3)]
    said = [process.communicate()[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert log.read_text() == "built\n"
    assert any(b"waiting for the same build" in text for text in said)


KILLED = """
import sys, time
from pathlib import Path
from ringfence_composer.builders.cache import BuildCache

def make(work):
    (work / "half").write_bytes(b"half")
    print("building", flush=True)
    time.sleep(60)

BuildCache(Path(sys.argv[1]), print).fetch(sys.argv[2], make)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="kill -9 is POSIX")
@pytest.mark.parametrize("next_key", [KEY, digest_of(b"other inputs")])
def test_kill_9_leaves_a_cache_that_works(tmp_path, next_key):
    """The lock is free again, and the next build of whatever inputs removes the scratch folder."""
    with started(KILLED, tmp_path, KEY) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"building\n"
        assert len(left_over(tmp_path)) == 1
        process.kill()
    assert BuildCache(tmp_path, silent).fetch(Digest(next_key), lambda work: b"whole").path.read_bytes() == b"whole"
    assert left_over(tmp_path) == []


def test_a_running_build_is_not_swept(tmp_path):
    """Another build, finishing meanwhile, must not take its scratch folder away."""
    seen = []

    def outer(work):
        BuildCache(tmp_path, silent).fetch(digest_of(b"other inputs"), lambda _: b"other")
        seen.append(work.is_dir())
        return b"outer"

    BuildCache(tmp_path, silent).fetch(KEY, outer)
    assert seen == [True]


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="modes are POSIX")
def test_a_folder_that_others_may_write_to_is_refused(tmp_path):
    """What lies in it is run: whoever can write there could exchange an entry and its digest together."""
    cache = BuildCache(tmp_path, silent)
    cache.fetch(KEY, lambda work: b"built")
    assert stat.S_IMODE((tmp_path / "build").stat().st_mode) == 0o700
    (tmp_path / "build").chmod(0o777)
    with pytest.raises(InputInvalid, match="others may write"):
        cache.fetch(KEY, must_not_run)


def test_a_link_in_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "build").symlink_to("elsewhere")
    with pytest.raises(InputInvalid, match="not a folder of yours"):
        BuildCache(tmp_path, silent).fetch(KEY, must_not_run)


# Snapshots


def test_a_snapshot_leaves_out_what_is_no_source(tmp_path):
    kept = {"app.py": b"1", "package/__init__.py": b"", "package/data.json": b"{}"}
    noise = {"__pycache__/app.pyc": b"", "package/__pycache__/x.py": b"", ".git/config": b"", ".env": b"", "app.py~": b"", "old.pyc": b""}
    write_tree({**kept, **noise}, tmp_path)
    assert read_tree(tmp_path, what="source") == kept


def test_a_snapshot_takes_no_links(tmp_path):
    """A link could carry a secret of the developer's into a component."""
    write_tree({"real.py": b""}, tmp_path)
    (tmp_path / "link.py").symlink_to("real.py")
    with pytest.raises(InputInvalid, match=r"link\.py is a symbolic link"):
        read_tree(tmp_path, what="source")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="fifos are POSIX")
def test_a_snapshot_takes_no_special_files(tmp_path):
    """Reading a fifo would wait for ever."""
    os.mkfifo(tmp_path / "pipe.py")
    with pytest.raises(InputInvalid, match=r"pipe\.py is not a regular file"):
        read_tree(tmp_path, what="source")
