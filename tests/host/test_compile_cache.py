"""The compile cache: native code is used only if it is whole and nobody else could have put it there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import wasmtime
from ringfence.contract.errors import IntegrityError
from ringfence.contract.layout import user_cache
from ringfence.contract.names import digest_of
from ringfence.engine import cache as cache_module
from ringfence.engine.cache import CompileCacheWarning, compile_component

ANSWER = '(component (core module $m (func (export "f") (result i32) i32.const {0})) (core instance $i (instantiate $m))'
ANSWER += ' (func (export "f") (result u32) (canon lift (core func $i "f"))))'
posix = pytest.mark.skipif(not hasattr(os, "getuid"), reason="owners and modes are POSIX")
as_root = pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="only root can give files away")


@pytest.fixture
def engine():
    return wasmtime.Engine()


@pytest.fixture
def wasm():
    return wasmtime.wat2wasm(ANSWER.format(42))


@pytest.fixture
def compilations(monkeypatch):
    """How often something was really compiled."""
    made = []
    component = cache_module.Component

    class Counting(component):
        def __init__(self, *arguments):
            made.append(arguments)
            super().__init__(*arguments)

    monkeypatch.setattr(cache_module, "Component", Counting)
    return made


def answer(engine, component):
    store = wasmtime.Store(engine)
    return wasmtime.component.Linker(engine).instantiate(store, component).get_func(store, "f")(store)


def compiled(engine, wasm, cache, settings="default"):
    return compile_component(engine, wasm, digest=digest_of(wasm), settings=settings, cache=cache)


def code_of(cache):
    [code] = (cache / "compiled").glob("*.cwasm")
    return code


def test_a_second_load_does_not_compile(engine, wasm, tmp_path, compilations):
    assert answer(engine, compiled(engine, wasm, tmp_path)) == 42
    assert answer(engine, compiled(engine, wasm, tmp_path)) == 42
    assert len(compilations) == 1


def test_the_binary_is_not_even_read_when_it_is_cached(engine, wasm, tmp_path):
    """A CPython guest has 18 MB; only its digest is needed."""
    compiled(engine, wasm, tmp_path)
    absent = tmp_path / "absent.wasm"
    found = compile_component(engine, absent, digest=digest_of(wasm), settings="default", cache=tmp_path)
    assert answer(engine, found) == 42


@pytest.mark.parametrize("change", ["binary", "settings", "version"])
def test_another_binary_setting_or_version_is_another_entry(engine, wasm, tmp_path, compilations, monkeypatch, change):
    compiled(engine, wasm, tmp_path)
    if change == "version":
        monkeypatch.setattr(cache_module, "version", lambda _: "0.0.0")
    other = wasmtime.wat2wasm(ANSWER.format(7)) if change == "binary" else wasm
    found = compiled(engine, other, tmp_path, settings="other" if change == "settings" else "default")
    assert answer(engine, found) == (7 if change == "binary" else 42)
    assert len(compilations) == 2


def test_a_binary_that_is_not_what_its_digest_says_is_refused(engine, wasm, tmp_path):
    with pytest.raises(IntegrityError, match="expected sha256:"):
        compile_component(engine, wasm, digest=digest_of(b""), settings="default", cache=tmp_path)
    assert not list((tmp_path / "compiled").iterdir())


def test_code_compiled_under_other_settings_is_compiled_again(wasm, tmp_path, compilations):
    """`settings` is the caller's word. Where it was wrong, wasmtime's own check refuses the code, and that is not the user's trouble."""
    config = wasmtime.Config()
    config.consume_fuel = True
    fueled = wasmtime.Engine(config)
    compiled(wasmtime.Engine(), wasm, tmp_path)
    store_less = compiled(fueled, wasm, tmp_path)
    assert store_less.type is not None
    assert len(compilations) == 2


@pytest.mark.parametrize("damage", ["truncated", "flipped", "emptied", "removed", "replaced by a link", "index"])
def test_damaged_code_is_never_mapped(engine, wasm, tmp_path, compilations, monkeypatch, damage):
    """Deserialising wrong native code is undefined behaviour, not an error."""
    compiled(engine, wasm, tmp_path)
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
    else:
        [index] = (path for path in code.parent.iterdir() if path.suffix != ".cwasm")
        index.write_bytes(index.read_bytes()[:-5])
    mapped = []
    deserialize = wasmtime.component.Component.deserialize_file
    monkeypatch.setattr(cache_module.Component, "deserialize_file", lambda *arguments: mapped.append(arguments) or deserialize(*arguments))
    assert answer(engine, compiled(engine, wasm, tmp_path)) == 42
    assert mapped == []
    assert len(compilations) == 2
    assert answer(engine, compiled(engine, wasm, tmp_path)) == 42
    assert len(mapped) == 1, "the entry was made whole again"


def test_code_that_was_only_copied_is_checked_once_and_used(engine, wasm, tmp_path, compilations):
    """A cache restored by CI has other inodes and times; it is hashed, then recorded anew."""
    compiled(engine, wasm, tmp_path)
    code = code_of(tmp_path)
    [index] = (path for path in code.parent.iterdir() if path.suffix != ".cwasm")
    recorded = json.loads(index.read_bytes())
    data = code.read_bytes()
    code.unlink()
    code.write_bytes(data)
    assert answer(engine, compiled(engine, wasm, tmp_path)) == 42
    assert len(compilations) == 1
    assert json.loads(index.read_bytes()) != recorded


def test_a_process_that_maps_an_entry_survives_its_replacement(engine, wasm, tmp_path):
    """Written in place, the file under the mapping would end the process by SIGBUS."""
    component = compiled(engine, wasm, tmp_path) and compiled(engine, wasm, tmp_path)
    code = code_of(tmp_path)
    inode = code.stat().st_ino
    os.utime(code)
    (code.parent / "x").write_bytes(code.read_bytes())
    for index in code.parent.iterdir():
        if index.suffix != ".cwasm":
            index.unlink()
    compiled(engine, wasm, tmp_path)
    assert code.stat().st_ino != inode, "the entry was replaced"
    assert answer(engine, component) == 42


@posix
def test_files_and_folders_are_the_users_alone(engine, wasm, tmp_path):
    before = os.umask(0o002)
    try:
        compiled(engine, wasm, tmp_path / "new" / "cache")
    finally:
        os.umask(before)
    for folder in (tmp_path / "new", tmp_path / "new" / "cache", tmp_path / "new" / "cache" / "compiled"):
        assert folder.stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in (tmp_path / "new" / "cache" / "compiled").iterdir()} == {0o600}


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
def test_a_folder_that_others_could_change_is_not_used(engine, wasm, tmp_path, compilations, place):
    cache = place(tmp_path)
    for _ in range(2):
        with pytest.warns(CompileCacheWarning):
            assert answer(engine, compiled(engine, wasm, cache)) == 42
    assert len(compilations) == 2
    assert not list(tmp_path.rglob("*.cwasm"))


@as_root
@pytest.mark.parametrize("what", ["folder", "parent", "link"])
def test_a_folder_of_another_user_is_not_used(engine, wasm, tmp_path, what):
    cache = tmp_path / "parent" / "cache"
    (cache / "compiled").mkdir(parents=True, mode=0o700)
    (tmp_path / "link").symlink_to(cache)
    given = {"folder": cache / "compiled", "parent": cache.parent, "link": tmp_path / "link"}[what]
    os.lchown(given, 12345, 12345)
    with pytest.warns(CompileCacheWarning, match="belongs to another user"):
        assert answer(engine, compiled(engine, wasm, tmp_path / "link")) == 42
    assert not list(tmp_path.rglob("*.cwasm"))


@posix
def test_a_sticky_folder_on_the_way_is_harmless(engine, wasm, tmp_path, compilations):
    """As /tmp is: in it others can neither rename nor replace a folder of ours."""
    (tmp_path / "sticky").mkdir()
    (tmp_path / "sticky").chmod(0o1777)
    (tmp_path / "link").symlink_to("sticky/../sticky")
    for _ in range(2):
        compiled(engine, wasm, tmp_path / "link" / "mine")
    assert len(compilations) == 1


def test_a_cache_that_cannot_be_written_only_costs_time(engine, wasm, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(cache_module.os, "fsync", full)
    with pytest.warns(CompileCacheWarning, match="No space left"):
        assert answer(engine, compiled(engine, wasm, tmp_path)) == 42
    assert not list((tmp_path / "compiled").iterdir()), "nothing half-written stays"


def test_processes_that_race_all_get_the_right_code(tmp_path):
    program = textwrap.dedent("""
        import sys, pathlib, wasmtime
        from ringfence.contract.names import digest_of
        from ringfence.engine.cache import compile_component
        engine = wasmtime.Engine()
        for number in range(8):
            wasm = wasmtime.wat2wasm(sys.argv[1].replace("{0}", str(number)))
            made = compile_component(engine, wasm, digest=digest_of(wasm), settings="", cache=pathlib.Path(sys.argv[2]))
            store = wasmtime.Store(engine)
            assert wasmtime.component.Linker(engine).instantiate(store, made).get_func(store, "f")(store) == number
    """)
    command = [sys.executable, "-W", "error", "-c", program, ANSWER, str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    racers = [subprocess.Popen(command, env=environment, stderr=subprocess.PIPE) for _ in range(4)]
    for racer in racers:
        _, errors = racer.communicate(timeout=60)
        assert racer.returncode == 0, errors.decode()
    assert not list((tmp_path / "compiled").glob(".new-*"))


def test_the_users_cache_follows_the_platform(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert user_cache() == tmp_path / ".cache" / "ringfence"
    monkeypatch.setenv("XDG_CACHE_HOME", "/elsewhere")
    assert user_cache() == Path("/elsewhere/ringfence")
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert user_cache() == tmp_path / ".cache" / "ringfence"
