"""The wheel's library, bound without the wheel's Python: the version, the prototypes and the layouts are those of the wheel."""

from __future__ import annotations

import ctypes
import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
import wasmtime
from places import ROOT
from ringfence.engine import library
from ringfence.engine.component import ffi as component_ffi
from ringfence.engine.core import configuration, ffi, machine
from wasmtime import _bindings, _ffi

BOUND = {
    name: value
    for module in (library, ffi, machine, component_ffi)
    for name, value in vars(module).items()
    if isinstance(value, ctypes._CFuncPtr) and value.__name__.startswith("wasm")
}


def test_the_version_is_the_one_the_distribution_asks_for():
    wanted = tomllib.loads((ROOT / "hosts" / "python" / "pyproject.toml").read_text())["project"]["dependencies"]
    assert f"wasmtime=={library.VERSION}" in wanted
    assert version("wasmtime") == library.VERSION


def test_the_library_is_the_very_one_that_the_wheel_loads():
    """Two copies in one process would be two engines that know nothing of each other."""
    assert library._dll._handle == _ffi.dll._handle


@pytest.mark.parametrize("name", BOUND)
def test_a_prototype_has_the_wheels_sizes(name):
    """A number too narrow or one argument too few is undefined behaviour, and may work for years."""
    ours = BOUND[name]
    theirs = getattr(_bindings, f"_{ours.__name__}")
    if name != "_call":  # whose arguments are C objects already
        assert [size(one) for one in ours.argtypes] == [size(one) for one in theirs.argtypes]
    assert size(ours.restype) == size(theirs.restype)


def size(kind):
    return 0 if kind is None else ctypes.sizeof(kind)


@pytest.mark.parametrize("name", [*configuration._SWITCHES, "memory_reservation", "max_wasm_stack", "async_stack_size"])
def test_an_option_is_there_and_takes_what_the_wheel_says(name):
    _, value = getattr(_bindings, f"_wasmtime_config_{name}_set").argtypes
    assert size(value) == (1 if name in configuration._SWITCHES else 8)


@pytest.mark.parametrize(
    "ours, theirs",
    [
        (library.Vector, _ffi.wasm_byte_vec_t),
        (library.Vector, _ffi.wasm_name_t),
        (library.Vector, _ffi.wasm_frame_vec_t),
        (library.Vector, _ffi.wasm_valtype_vec_t),
        (ffi.Item, _ffi.wasmtime_extern_t),
        (ffi.GlobalValue, _ffi.wasmtime_val_t),
        (ffi.RawInstance, _ffi.wasmtime_instance_t),
    ],
)
def test_a_structure_has_the_wheels_layout(ours, theirs):
    assert ctypes.sizeof(ours) == ctypes.sizeof(theirs)
    assert ctypes.alignment(ours) >= ctypes.alignment(theirs)


def test_fields_lie_where_the_wheel_has_them():
    assert (library.Vector.size.offset, library.Vector.data.offset) == (_ffi.wasm_name_t.size.offset, _ffi.wasm_name_t.data.offset)
    assert (ffi.Item.kind.offset, ffi.ITEM) == (_ffi.wasmtime_extern_t.kind.offset, _ffi.wasmtime_extern_t.of.offset)
    assert ffi.GlobalValue.i32.offset == _ffi.wasmtime_val_t.of.offset + _ffi.wasmtime_valunion_t.i32.offset
    assert ctypes.sizeof(_ffi.wasmtime_val_raw_t) == 16
    kinds = (_ffi.WASMTIME_EXTERN_FUNC, _ffi.WASMTIME_EXTERN_GLOBAL, _ffi.WASMTIME_EXTERN_TABLE, _ffi.WASMTIME_EXTERN_MEMORY)
    assert tuple(kind.value for kind in kinds) == (ffi.FUNCTION, ffi.GLOBAL, ffi.TABLE, ffi.MEMORY)
    numbers = {"i32": _ffi.WASM_I32, "i64": _ffi.WASM_I64, "f32": _ffi.WASM_F32, "f64": _ffi.WASM_F64}
    assert {name: kind.value for name, kind in numbers.items()} == machine._KINDS


def other_wheel(tmp_path, metadata):
    package = tmp_path / "wasmtime"
    package.mkdir()
    (package / "__init__.py").write_text("")
    if metadata:
        info = tmp_path / f"wasmtime-{metadata}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: wasmtime\nVersion: {metadata}\n")


def test_another_version_is_refused(tmp_path):
    other_wheel(tmp_path, "49.0.0")
    assert "is written for wasmtime 50.0.1, found 49.0.0" in importing("ringfence.engine.library", tmp_path)


def test_a_missing_wheel_is_told(tmp_path):
    assert "ringfence needs the package wasmtime" in importing("ringfence.engine.library", tmp_path)


def importing(what, first):
    """The last words of a process that imports this, with `first` on its path, this package, and nothing that is installed."""
    program = f"import sys; sys.path[:0] = [{str(first)!r}, {str(Path(library.__file__).parents[2])!r}]; import {what}"
    return subprocess.run([sys.executable, "-S", "-c", program], capture_output=True, text=True, check=False).stderr.strip()


def test_code_that_is_none_is_refused_in_wasmtimes_words():
    engine = machine.Engine(switches={}, sizes={})
    with pytest.raises(machine.Refused, match="wasm|magic|WebAssembly"):
        machine.Module.compile(engine, b"none")
    with pytest.raises(machine.Refused):
        machine.Module.deserialize(engine, b"none")
    code = machine.Module.compile(engine, bytes(wasmtime.wat2wasm("(module)"))).serialize()
    assert machine.Module.deserialize(engine, code).serialize() == code
