"""Extism's Python SDK: bytes in, bytes out; typed values as JSON, which is what its plug-in kits do."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from functools import cached_property
from struct import Struct
from typing import Any

import extism
import wasmtime
from extism.extism import CompiledPlugin

from benchmarks.peers.base import Line, Peer
from benchmarks.work import Place, Work, busy, guest, python

_PAIR, _NUMBER = Struct("<II"), Struct("<I")
_I64 = extism.ValType.I64


class Extism(Peer):
    """Plug-ins made of one compiled one."""

    name, title = "extism", "Extism"
    about = (
        "Extism's Python SDK with a hand-written plug-in that hands bytes on in the kernel's memory without reading them; "
        "records travel as JSON that only this side encodes and decodes."
    )

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        os.environ["EXTISM_CACHE_CONFIG"] = ""  # no cache, but where a case asks for one
        self._file, self._other = -1, None

    @cached_property
    def binary(self) -> bytes:
        return bytes(wasmtime.wat2wasm(guest("extism")))

    @cached_property
    def functions(self) -> list[Any]:
        """What the plug-in imports."""

        def nothing(_plugin: Any, _params: Any, _results: Any, *_: Any) -> None:
            pass

        def total(_plugin: Any, params: Any, results: Any, *_: Any) -> None:
            results[0].value = self._sum(params[0].value, params[1].value)

        def read(plugin: Any, params: Any, results: Any, *_: Any) -> None:
            memory = plugin.alloc(params[0].value)
            os.preadv(self._file, [plugin.memory(memory)], 0)
            results[0].value = memory.offset

        return [
            extism.host_fn(name="nothing", signature=([], []))(nothing),
            extism.host_fn(name="sum", signature=([_I64, _I64], [_I64]))(total),
            extism.host_fn(name="read", signature=([_I64], [_I64]))(read),
        ]

    def _sum(self, a: int, b: int) -> int:
        found: int = _NUMBER.unpack(self.other.call("add", _PAIR.pack(a, b)))[0]
        return found

    @cached_property
    def compiled(self) -> Any:
        return CompiledPlugin(self.binary, functions=self.functions)

    @cached_property
    def plugin(self) -> Any:
        return extism.Plugin(self.compiled)

    @cached_property
    def other(self) -> Any:
        return extism.Plugin(self.compiled)

    def _add(self, plugin: Any) -> Callable[[], int]:
        return lambda: _NUMBER.unpack(plugin.call("add", _PAIR.pack(1, 2)))[0]

    def add(self) -> Work:
        return Work(run=self._add(self.plugin))

    def text(self, text: str) -> Work:
        plugin = self.plugin
        return Work(run=lambda: plugin.call("echo", text.encode(), lambda found: str(found, "utf-8")))

    def data(self, data: bytes) -> Work:
        plugin = self.plugin
        return Work(run=lambda: plugin.call("echo", data))

    def lines(self, lines: list[Line]) -> Work:
        plugin = self.plugin
        return Work(run=lambda: json.loads(plugin.call("echo", json.dumps(lines).encode())), per=len(lines))

    def callback(self, times: int) -> Work:
        plugin, given = self.plugin, _PAIR.pack(times, 0)
        return Work(run=lambda: plugin.call("callback", given) or None, per=times)

    def edge(self, times: int) -> Work:
        plugin, given = self.plugin, _PAIR.pack(times, 0)
        return Work(run=lambda: _NUMBER.unpack(plugin.call("edge", given))[0], per=times)

    def read(self, file: int, size: int, times: int) -> Work:
        plugin, given, self._file = self.plugin, _PAIR.pack(size, times), file
        return Work(run=lambda: plugin.call("read", given), per=times)

    def fresh(self) -> Work:
        compiled = self.compiled
        return Work(run=lambda: self._add(extism.Plugin(compiled))())

    def load(self, *, cached: bool) -> Work:
        kept = self.place.new_folder()

        def run() -> None:
            folder = kept if cached else self.place.new_folder()
            settings = folder / "cache.toml"
            settings.write_text(f'[cache]\ndirectory = "{folder}"\n')
            os.environ["EXTISM_CACHE_CONFIG"] = str(settings)
            try:
                CompiledPlugin(self.binary, functions=self.functions)
            finally:
                os.environ["EXTISM_CACHE_CONFIG"] = ""

        run()
        return Work(run=run)

    def imported(self) -> Work:
        return python("import extism")

    def alone(self, *, long: bool) -> Work:
        plugin = extism.Plugin(self.compiled)
        if not long:
            return Work(run=self._add(plugin))
        count = busy(lambda count: plugin.call("spin", _PAIR.pack(count, 0)), self.place.seconds)
        return Work(run=lambda: plugin.call("spin", _PAIR.pack(count, 0)))
