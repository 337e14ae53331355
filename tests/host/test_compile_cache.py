"""The compile cache: native code is used only if it is whole and nobody else could have put it there."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from ctypes import addressof, byref, c_uint64, c_void_p
from dataclasses import replace
from pathlib import Path

import pytest
import wasmtime
from ringfence import private
from ringfence.contract.errors import IntegrityError
from ringfence.contract.layout import user_cache
from ringfence.contract.names import digest_of
from ringfence.engine import cache as cache_module
from ringfence.engine import library
from ringfence.engine.cache import CompileCacheWarning, stored
from ringfence.engine.code import USUAL
from ringfence.engine.component.compiling import component_kind
from ringfence.engine.core import ffi
from ringfence.engine.core.configuration import wasm_engine
from ringfence.engine.core.engine import module_kind
from ringfence.engine.core.machine import Engine, Linker

posix = pytest.mark.skipif(not hasattr(os, "getuid"), reason="owners and modes are POSIX")
as_root = pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="only root can give files away")


class Components:
    """What the component engine compiles; each binary answers with a number."""

    text = """(component (core module $m (func (export "f") (result i32) i32.const {})) (core instance $i (instantiate $m))
        (func (export "f") (result u32) (canon lift (core func $i "f"))))"""

    def __init__(self):
        self.engine = wasmtime.Engine()

    def incompatible(self):
        config = wasmtime.Config()
        config.consume_fuel = True
        self.engine = wasmtime.Engine(config)

    def kind(self):
        return component_kind(self.engine, "default", note=len)

    def answer(self, component):
        store = wasmtime.Store(self.engine)
        return wasmtime.component.Linker(self.engine).instantiate(store, component).get_func(store, "f")(store)


class Modules:
    """What the core engine compiles."""

    text = '(module (func (export "f") (result i32) i32.const {}))'

    def __init__(self):
        self.engine = wasm_engine(USUAL)

    def incompatible(self):
        self.engine = Engine(switches={"consume_fuel": True}, sizes={})

    def kind(self):
        return replace(module_kind(self.engine, "default"), note=len)

    def answer(self, module):
        store = library.store_new(self.engine.ptr(), None, None)
        context, prepared = library.store_context(store), Linker(self.engine).prepared(module)
        instance, trap, item, block = ffi.RawInstance(), c_void_p(), ffi.Item(), (c_uint64 * 2)()
        library.set_epoch_deadline(context, 1 << 30)
        assert not ffi.pre_instantiate(prepared.ptr(), context, byref(instance), byref(trap))
        assert ffi.export_get(context, byref(instance), b"f", 1, byref(item))
        assert not ffi.caller(context, addressof(item) + ffi.ITEM, addressof(block), 1, trap)()
        library.store_delete(store)
        return block[0] & 0xFFFFFFFF


@pytest.fixture(params=[Components, Modules])
def engine(request):
    """One engine, what it really compiled (`compilations`), and the files that it took code from (`mapped`)."""
    return prepared(request.param)


def prepared(kind):
    made = kind()
    made.compilations, made.mapped = [], []
    made.wasm = bytes(wasmtime.wat2wasm(made.text.format(42)))
    return made


def kind_of(engine, **changes):
    """The engine's kind, changed so, and counting."""
    kind = replace(engine.kind(), **changes)

    def compile_(binary):
        engine.compilations.append(binary)
        return kind.compile(binary)

    def load(path):
        engine.mapped.append(path)
        return kind.load(path)

    return replace(kind, compile=compile_, load=load)


def compiled(engine, cache, wasm=None, **changes):
    wasm = wasm or engine.wasm
    return cache_module.compiled(kind_of(engine, **changes), wasm, digest_of(wasm), cache)


def answer(engine, cache, wasm=None, **changes):
    return engine.answer(compiled(engine, cache, wasm, **changes).code)


def code_of(cache):
    [code] = (cache / "compiled").glob("*.cwasm")
    return code


def files(cache):
    """What lies there, but for what processes take turns by."""
    return sorted(path for path in (cache / "compiled").iterdir() if not path.name.startswith(".turn-"))


def entry_of(cache):
    [entry] = (path for path in files(cache) if path.suffix != ".cwasm")
    return entry


def test_a_second_load_does_not_compile(engine, tmp_path):
    assert answer(engine, tmp_path) == 42
    assert answer(engine, tmp_path) == 42
    assert len(engine.compilations) == 1


def test_the_binary_is_not_even_read_when_it_is_cached(engine, tmp_path):
    """A CPython guest has 18 MB; its digest, and what was noted of it, are all that is needed."""
    first = compiled(engine, tmp_path)
    found = cache_module.compiled(kind_of(engine), tmp_path / "absent.wasm", digest_of(engine.wasm), tmp_path)
    assert engine.answer(found.code) == 42
    assert first.note == found.note == len(engine.wasm)
    assert (first.cached, found.cached) == (False, True)


def test_what_is_stored_is_found_without_the_binary_and_nothing_else(engine, tmp_path):
    assert stored(kind_of(engine), digest_of(engine.wasm), tmp_path) is None
    compiled(engine, tmp_path)
    assert engine.answer(stored(kind_of(engine), digest_of(engine.wasm), tmp_path).code) == 42
    assert stored(kind_of(engine), digest_of(b""), tmp_path) is None


@pytest.mark.parametrize("change", ["binary", "settings", "version", "kind"])
def test_another_binary_setting_version_or_kind_is_another_entry(engine, tmp_path, monkeypatch, change):
    compiled(engine, tmp_path)
    if change == "version":
        monkeypatch.setattr(cache_module, "VERSION", "0.0.0")
    changes = {"settings": {"settings": "other"}, "kind": {"name": "other"}}.get(change, {})
    other = bytes(wasmtime.wat2wasm(engine.text.format(7))) if change == "binary" else engine.wasm
    assert answer(engine, tmp_path, other, **changes) == (7 if change == "binary" else 42)
    assert len(engine.compilations) == 2


def test_a_binary_that_is_not_what_its_digest_says_is_refused(engine, tmp_path):
    with pytest.raises(IntegrityError, match="expected sha256:"):
        cache_module.compiled(kind_of(engine), engine.wasm, digest_of(b""), tmp_path)
    assert not files(tmp_path)


def test_code_compiled_under_other_settings_is_compiled_again(engine, tmp_path):
    """`settings` is the caller's word. Where it was wrong, wasmtime's own check refuses the code, and that is not the user's trouble."""
    compiled(engine, tmp_path)
    engine.incompatible()
    assert not compiled(engine, tmp_path).cached
    assert len(engine.compilations) == 2


DAMAGES = ["truncated", "flipped", "emptied", "removed", "replaced by a link", "entry truncated", "entry flipped"]
DAMAGES += ["writable by others", "entry writable by others"] if hasattr(os, "getuid") else []


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_code_is_never_mapped(engine, tmp_path, damage):
    """Deserialising wrong native code is undefined behaviour, not an error."""
    compiled(engine, tmp_path)
    code = code_of(tmp_path)
    before = code.stat()
    data = bytearray(code.read_bytes())
    if damage == "truncated":
        os.truncate(code, len(data) // 2)
    elif damage == "flipped":
        data[len(data) // 2] ^= 1
        code.write_bytes(data)
        os.utime(code, ns=(before.st_atime_ns, before.st_mtime_ns))  # as a tool that keeps times would
    elif damage == "emptied":
        os.truncate(code, 0)
    elif damage == "removed":
        code.unlink()
    elif damage == "replaced by a link":
        code.rename(tmp_path / "elsewhere")
        code.symlink_to(tmp_path / "elsewhere")
    elif damage == "writable by others":
        code.chmod(0o666)
    elif damage == "entry writable by others":
        entry_of(tmp_path).chmod(0o666)
    elif damage == "entry truncated":
        entry_of(tmp_path).write_bytes(entry_of(tmp_path).read_bytes()[:-5])
    elif damage == "entry flipped":
        entry_of(tmp_path).write_bytes(entry_of(tmp_path).read_bytes().replace(b'"note": ', b'"note": 1'))
    assert answer(engine, tmp_path) == 42
    assert engine.mapped == []
    assert len(engine.compilations) == 2
    assert compiled(engine, tmp_path).note == len(engine.wasm)
    assert len(engine.mapped) == 1, "the entry was made whole again"


def test_code_that_was_only_copied_is_checked_once_and_used(engine, tmp_path):
    """A cache restored by CI has other inodes and times; it is hashed, then recorded anew."""
    compiled(engine, tmp_path)
    code, entry = code_of(tmp_path), entry_of(tmp_path)
    recorded = entry.read_bytes()
    data = code.read_bytes()
    code.unlink()
    code.write_bytes(data)
    code.chmod(0o644)
    assert answer(engine, tmp_path) == 42
    assert len(engine.compilations) == 1
    assert entry.read_bytes() != recorded
    assert compiled(engine, tmp_path).note == len(engine.wasm)


def test_a_cache_that_can_only_be_read_is_used(engine, tmp_path, monkeypatch):
    """As in an image: its files have other inodes and times than where they were made, and that can't be recorded."""
    compiled(engine, tmp_path)
    code = code_of(tmp_path)
    data = code.read_bytes()
    code.unlink()
    code.write_bytes(data)
    code.chmod(0o644)

    def read_only(*_):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(private.PrivateFolder, "write", read_only)
    for _ in range(2):
        assert answer(engine, tmp_path) == 42
    assert len(engine.compilations) == 1


def test_a_process_that_maps_an_entry_survives_its_replacement(engine, tmp_path):
    """Written in place, the file under the mapping would end the process by SIGBUS."""
    compiled(engine, tmp_path)
    mapped = compiled(engine, tmp_path).code
    inode = code_of(tmp_path).stat().st_ino
    os.link(code_of(tmp_path), tmp_path / "held")  # so that its inode is not used again
    entry_of(tmp_path).unlink()
    compiled(engine, tmp_path)
    assert code_of(tmp_path).stat().st_ino != inode, "it was replaced"
    assert engine.answer(mapped) == 42


@posix
def test_files_and_folders_are_the_users_alone(engine, tmp_path):
    before = os.umask(0o002)
    try:
        compiled(engine, tmp_path / "new" / "cache")
    finally:
        os.umask(before)
    for folder in (tmp_path / "new", tmp_path / "new" / "cache", tmp_path / "new" / "cache" / "compiled"):
        assert folder.stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in (tmp_path / "new" / "cache" / "compiled").iterdir()} == {0o600}
    assert len(files(tmp_path / "new" / "cache")) == 2


def open_to_group(tmp_path):
    (tmp_path / "compiled").mkdir(mode=0o700)
    (tmp_path / "compiled").chmod(0o720)
    return tmp_path


def open_above(tmp_path):
    (tmp_path / "open" / "cache").mkdir(parents=True, mode=0o700)
    (tmp_path / "open").chmod(0o777)
    return tmp_path / "open" / "cache"


def sticky_itself(tmp_path):
    (tmp_path / "compiled").mkdir()
    (tmp_path / "compiled").chmod(0o1777)
    return tmp_path


def link_through_open(tmp_path):
    target = open_above(tmp_path)
    (tmp_path / "link").symlink_to(target)
    return tmp_path / "link"


def link_to_itself(tmp_path):
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    return tmp_path / "loop"


def file_in_the_way(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    return tmp_path / "file"


@posix
@pytest.mark.parametrize("place", [open_to_group, open_above, sticky_itself, link_through_open, link_to_itself, file_in_the_way])
def test_a_folder_that_others_could_change_is_not_used(engine, tmp_path, place):
    cache = place(tmp_path)
    for _ in range(2):
        with pytest.warns(CompileCacheWarning):
            assert answer(engine, cache) == 42
    assert len(engine.compilations) == 2
    assert not list(tmp_path.rglob("*.cwasm"))


@as_root
@pytest.mark.parametrize("what", ["folder", "parent", "link"])
def test_a_folder_of_another_user_is_not_used(engine, tmp_path, what):
    cache = tmp_path / "parent" / "cache"
    (cache / "compiled").mkdir(parents=True, mode=0o700)
    (tmp_path / "link").symlink_to(cache)
    given = {"folder": cache / "compiled", "parent": cache.parent, "link": tmp_path / "link"}[what]
    os.lchown(given, 12345, 12345)
    with pytest.warns(CompileCacheWarning, match="belongs to another user"):
        assert answer(engine, tmp_path / "link") == 42
    assert not list(tmp_path.rglob("*.cwasm"))


@posix
def test_a_sticky_folder_on_the_way_is_harmless(engine, tmp_path):
    """As /tmp is: in it others can neither rename nor replace a folder of ours."""
    (tmp_path / "sticky").mkdir()
    (tmp_path / "sticky").chmod(0o1777)
    (tmp_path / "link").symlink_to("sticky/../sticky")
    for _ in range(2):
        compiled(engine, tmp_path / "link" / "mine")
    assert len(engine.compilations) == 1


def test_a_cache_that_cannot_be_written_only_costs_time(engine, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(private.os, "fsync", full)
    with pytest.warns(CompileCacheWarning, match="No space left"):
        assert answer(engine, tmp_path) == 42
    assert not files(tmp_path), "nothing half-written stays"


# Several processes


def child(program, engine, cache, *more):
    """A process that runs this program, in which are `engine`, a new one of the same kind, `cache`, and this module as `case`."""
    before = """
import os, sys
from pathlib import Path
from host import test_compile_cache as case
from ringfence import private
engine, cache = case.prepared(getattr(case, sys.argv[1])), Path(sys.argv[2])
"""
    command = [sys.executable, "-W", "error", "-c", before + program, type(engine).__name__, str(cache), *more]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    pipe = subprocess.PIPE
    return subprocess.Popen(command, env=environment, stdin=pipe, stdout=pipe, stderr=pipe, text=True)


RACER = """
import time
def slowly(binary, compile=engine.kind().compile):
    time.sleep(0.1)  # so that the others do come meanwhile
    return compile(binary)
print("ready", flush=True)
sys.stdin.readline()
for number in range(4):
    wasm = bytes(case.wasmtime.wat2wasm(engine.text.format(number)))
    assert case.answer(engine, cache, wasm, compile=slowly) == number
print(len(engine.compilations))
"""


def test_processes_that_race_compile_once_and_all_get_the_right_code(engine, tmp_path):
    racers = [child(RACER, engine, tmp_path) for _ in range(4)]
    for racer in racers:
        assert racer.stdout.readline() == "ready\n", racer.stderr.read()
    for racer in racers:
        racer.stdin.write("\n")
        racer.stdin.flush()
    compilations = 0
    for racer in racers:
        output, errors = racer.communicate(timeout=60)
        assert racer.returncode == 0, errors
        compilations += int(output)
    assert compilations == 4, "one for each binary"
    assert len(files(tmp_path)) == 8


def test_one_that_waits_too_long_for_another_goes_on_without(engine, tmp_path, monkeypatch):
    """A process that is stopped while it compiles must not stop all others."""
    monkeypatch.setattr(private, "_PATIENCE", 0.1)
    compile_ = engine.kind().compile

    def stopped(binary):
        assert answer(engine, tmp_path) == 42, "as another process, while this one has the turn"
        return compile_(binary)

    assert answer(engine, tmp_path, compile=stopped) == 42
    assert len(engine.compilations) == 2


VICTIM = """
import io, signal
stage, count = sys.argv[3], int(sys.argv[4])
def die(*_):
    global count
    count -= 1
    if not count:
        os.kill(os.getpid(), signal.SIGKILL)
class Half(io.FileIO):
    def write(self, data):
        super().write(data[: len(data) // 2])
        die()
        return super().write(data[len(data) // 2 :])
def before(function):
    return lambda *arguments: (die(), function(*arguments))[1]
if stage == "write":
    private.open = lambda handle, mode: Half(handle, mode)
else:
    setattr(private.os, stage, before(getattr(os, stage)))
case.compiled(engine, cache)
"""


@posix
@pytest.mark.parametrize("count", [1, 2], ids=["code", "entry"])
@pytest.mark.parametrize("stage", ["write", "fsync", "replace"])
def test_a_process_killed_while_it_stores_leaves_nothing_that_is_used(engine, tmp_path, stage, count):
    """The code's file is the first that is written, the entry that leads to it the second."""
    victim = child(VICTIM, engine, tmp_path, stage, str(count))
    _, errors = victim.communicate(timeout=60)
    assert victim.returncode == -signal.SIGKILL, errors
    [left] = (tmp_path / "compiled").glob(".new-*")
    assert len(list((tmp_path / "compiled").glob("*.cwasm"))) == count - 1
    assert answer(engine, tmp_path) == 42
    assert (len(engine.compilations), engine.mapped) == (1, [])
    assert answer(engine, tmp_path) == 42
    assert engine.mapped == [str(code_of(tmp_path))]
    assert left.exists(), "it may be one that another process is writing"
    os.utime(left, (time.time() - 7200,) * 2)
    compiled(engine, tmp_path, bytes(wasmtime.wat2wasm(engine.text.format(7))))
    assert not left.exists()


def test_the_users_cache_follows_the_platform(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert user_cache() == tmp_path / ".cache" / "ringfence"
    monkeypatch.setenv("XDG_CACHE_HOME", "/elsewhere")
    assert user_cache() == Path("/elsewhere/ringfence")
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert user_cache() == tmp_path / ".cache" / "ringfence"
