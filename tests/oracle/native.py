"""The engine's own WASI: a component's function of one string to another, called over a folder as no graph's guest ever is."""

from __future__ import annotations

from pathlib import Path

import wasmtime
from ringfence.contract.names import Digest
from ringfence.engine.cache import compiled
from ringfence.engine.component.compiling import component_kind
from wasmtime.component import Linker


class Native:
    """A component on the engine's own WASI; each call has an instance and files of its own."""

    def __init__(self, component: Path, digest: Digest, streams: Path) -> None:
        self._engine = wasmtime.Engine(wasmtime.Config())
        self._component = compiled(component_kind(self._engine, "oracle"), component, digest, None).code
        self._linker = Linker(self._engine)
        self._linker.add_wasip2()
        self._streams = streams

    def call(
        self, interface: str, function: str, text: str, *, folder: Path, writable: bool, arguments: list[str], variables: dict[str, str]
    ) -> str:
        """What the function answers, with the folder as `/data`.

        Raises:
            wasmtime.Trap, wasmtime.ExitTrap: it gave none.
        """
        store = wasmtime.Store(self._engine)
        wasi = wasmtime.WasiConfig()
        wasi.argv = arguments
        wasi.env = list(variables.items())
        (self._streams / "stdin").touch()
        wasi.stdin_file = str(self._streams / "stdin")
        wasi.stdout_file = str(self._streams / "stdout")
        wasi.stderr_file = str(self._streams / "stderr")
        wasi.preopen_dir(str(folder), "/data", writable)
        store.set_wasi(wasi)
        try:
            instance = self._linker.instantiate(store, self._component)
            place = instance.get_export_index(store, function, instance.get_export_index(store, interface))
            assert place is not None
            found = instance.get_func(store, place)
            assert found is not None
            return str(found(store, text))
        finally:
            store.close()
