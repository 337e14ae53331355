"""The wheel's own component layer, as its documentation shows it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import wasmtime
from ringfence_composer.compose import Workshop, build_folder
from wasmtime import Engine, Store, WasiConfig
from wasmtime.component import Component, Linker, Record

from benchmarks.peers.base import Line, Peer
from benchmarks.work import SitsOut, Work, busy, guest, python

HOST, CALLS, DECODER = "bench:guest/host@0.1.0", "bench:guest/calls@0.1.0", "ringfence:json/decoder@0.1.0"
FILES = "bench:guest/files@0.1.0"
_MOST = 1 << 20
_IMPORTS = "from wasmtime import Engine, Store, WasiConfig; from wasmtime.component import Component, Linker; engine = Engine()"
_FIRST_CALL = (
    "linker, store = Linker(engine), Store(engine); linker.add_wasip2(); store.set_wasi(WasiConfig()); "
    "instance = linker.instantiate(store, component); "
    f"index = instance.get_export_index(store, 'decode', instance.get_export_index(store, {DECODER!r})); "
    "instance.get_func(store, index)(store, '[1]').payload.root"
)


class Instance:
    """An instance of a component in a store of its own; its functions are looked up once."""

    def __init__(self, store: Store, linker: Linker, component: Component, interface: str) -> None:
        self.store = store
        self._instance = linker.instantiate(store, component)
        self._interface = self._instance.get_export_index(store, interface)
        self._functions: dict[str, Any] = {}

    def __call__(self, name: str, *arguments: Any) -> Any:
        function = self._functions.get(name)
        if function is None:
            function = self._functions[name] = self._found(name)
        return function(self.store, *arguments)

    def _found(self, name: str) -> Any:
        index = self._instance.get_export_index(self.store, name, self._interface)
        if index is None:
            raise LookupError(name)
        return self._instance.get_func(self.store, index)


def _record(line: Line) -> Record:
    found = Record()
    vars(found).update(line)
    return found


class Stock(Peer):
    """wasmtime-py's `wasmtime.component`."""

    name, title = "stock", "wasmtime-py"
    about = "The `wasmtime` wheel's own component interface, stock; host functions in Python, its built-in WASI for CPython."

    @cached_property
    def engine(self) -> Engine:
        return Engine()

    def component(self, name: str) -> Component:
        return Component(self.engine, wasmtime.wat2wasm(guest(name)))

    def _made(self, functions: Mapping[str, Any] | None = None) -> Instance:
        linker = Linker(self.engine)
        given = {"nothing": lambda _: None, "add": lambda _, a, b: (a + b) & 0xFFFFFFFF, "read": lambda _, n: bytes(n), **(functions or {})}
        with linker.root() as root, root.add_instance(HOST) as host:
            for name, function in given.items():
                host.add_func(name, function)
        return Instance(Store(self.engine), linker, self._calls, CALLS)

    @cached_property
    def _calls(self) -> Component:
        return self.component("calls")

    @cached_property
    def calls(self) -> Instance:
        return self._made()

    def add(self) -> Work:
        call = self.calls
        return Work(run=lambda: call("add", 1, 2))

    def text(self, text: str) -> Work:
        call = self.calls
        return Work(run=lambda: call("text", text))

    def data(self, data: bytes) -> Work:
        if len(data) > _MOST:
            raise SitsOut("a list<u8> is a Python object a byte there: half a minute")
        call = self.calls
        return Work(run=lambda: call("data", data))

    def lines(self, lines: list[Line]) -> Work:
        call, records = self.calls, [_record(line) for line in lines]
        return Work(run=lambda: call("lines", records), per=len(lines))

    def shown(self, line: Any) -> Line:
        return dict(vars(line))

    def method(self) -> Work:
        call = self.calls
        counter = call("[constructor]counter", 5)
        return Work(run=lambda: call("[method]counter.get", counter))

    def callback(self, times: int) -> Work:
        call = self.calls
        return Work(run=lambda: call("callback", times), per=times)

    def edge(self, times: int) -> Work:
        other = Instance(Store(self.engine), Linker(self.engine), self.component("helper"), HOST)
        call = self._made({"add": lambda _, a, b: other("add", a, b)})
        return Work(run=lambda: call("edge", times), per=times)

    def read(self, file: int, size: int, times: int) -> Work:
        call = self._made({"read": lambda _, count: os.pread(file, count, 0)})
        return Work(run=lambda: call("read", size, times), per=times)

    def _on_files(self, folder: Path) -> Instance:
        """A guest that reads the files of a folder by the engine's own WASI."""
        linker, store, wasi = Linker(self.engine), Store(self.engine), WasiConfig()
        linker.add_wasip2()
        wasi.preopen_dir(str(folder), "/data", fs_mutable=False)
        store.set_wasi(wasi)
        return Instance(store, linker, self.component("files"), FILES)

    def pieces(self, folder: Path, size: int) -> Work:
        call = self._on_files(folder)
        return Work(run=lambda: call("read-in-pieces", size), per=-(-(folder / "file").stat().st_size // size))

    def opened(self, folder: Path, times: int) -> Work:
        call = self._on_files(folder)
        return Work(run=lambda: call("open-often", times), per=times)

    def looked_at(self, folder: Path, times: int) -> Work:
        call = self._on_files(folder)
        return Work(run=lambda: call("stat-often", times), per=times)

    def fresh(self) -> Work:
        component, linker = self.component("helper"), Linker(self.engine)
        return Work(run=lambda: Instance(Store(self.engine), linker, component, HOST)("add", 1, 2))

    @cached_property
    def decoder(self) -> Path:
        """The component of the JSON decoder in Python, built."""
        return build_folder(self.place.root / "tests" / "components" / "json_in_python", Workshop()).path

    @cached_property
    def compiled(self) -> Path:
        file = self.place.new_folder() / "decoder.cwasm"
        file.write_bytes(Component.from_file(self.engine, str(self.decoder)).serialize())
        return file

    def _decoded(self, component: Component) -> Any:
        linker, store = Linker(self.engine), Store(self.engine)
        linker.add_wasip2()
        store.set_wasi(WasiConfig())
        return Instance(store, linker, component, DECODER)("decode", "[1]").payload.root

    def fresh_python(self) -> Work:
        component = Component.deserialize_file(self.engine, str(self.compiled))
        return Work(run=lambda: self._decoded(component))

    def load(self, *, cached: bool) -> Work:
        binary = wasmtime.wat2wasm(guest("helper"))
        file = self.place.new_folder() / "helper.cwasm"
        file.write_bytes(Component(self.engine, binary).serialize())

        def run() -> None:
            if cached:
                Component.deserialize_file(self.engine, str(file))
            else:
                Component(self.engine, binary)

        return Work(run=run)

    def load_python(self, *, cached: bool) -> Work:
        if cached:
            file = str(self.compiled)
            return Work(run=lambda: self._decoded(Component.deserialize_file(self.engine, file)))
        return Work(run=lambda: self._decoded(Component.from_file(self.engine, str(self.decoder))))

    def imported(self) -> Work:
        return python("import wasmtime")

    def load_shop(self) -> Work:
        return python(f"{_IMPORTS}; {self._one}{self._one}pass")

    def first_answer(self) -> Work:
        return python(f"{_IMPORTS}; {self._one}{_FIRST_CALL}")

    @property
    def _one(self) -> str:
        return f"component = Component.deserialize_file(engine, {str(self.compiled)!r}); "

    def alone(self, *, long: bool) -> Work:
        call = self._made()
        if not long:
            return Work(run=lambda: call("add", 1, 2))
        count = busy(lambda count: call("spin", count), self.place.seconds)
        return Work(run=lambda: call("spin", count))
