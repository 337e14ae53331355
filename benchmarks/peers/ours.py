"""Our two engines. Most cases call at the engine's seam, below `Graph`; those that need a graph say so in their titles."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import wasmtime
from ringfence import Graph
from ringfence.contract.lock import Lane
from ringfence.contract.names import digest_of
from ringfence.contract.values import Fill
from ringfence.dbapi.sqlite import module
from ringfence.engine.component import ComponentEngine
from ringfence.engine.core import CoreEngine
from ringfence.engine.seam import Artifacts, Engine, FunctionName, HostFunction, Linked
from ringfence_composer.compose import Workshop, compose_file
from ringfence_composer.decompose import Decomposed, decompose
from ringfence_composer.toolchain import Toolchain

from benchmarks.databases import WORKLOADS
from benchmarks.peers import graphs
from benchmarks.peers.base import Line, Peer
from benchmarks.peers.seam import Seam
from benchmarks.traffic_server import TrafficServer
from benchmarks.work import Place, SitsOut, Work, busy, guest, python
from benchmarks.wrapped import Importable, fenced

HOST, CALLS = "bench:guest/host@0.1.0", "bench:guest/calls@0.1.0"


class Ours(Peer):
    """What both engines do alike."""

    lane: ClassVar[Lane]
    engine_class: ClassVar[Callable[[], Engine]]
    most: ClassVar[int] = 1 << 30
    """The most bytes that anybody would wait for."""

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self._opened: list[Any] = []
        self._folders: dict[Path, Graph] = {}
        self._file = -1

    def close(self) -> None:
        for one in [*self._folders.values(), *reversed(self._opened)]:
            one.close()
        self._folders.clear()
        self._opened.clear()

    def afresh(self) -> None:
        """Load what is called anew when it is asked for next: what was compiled and composed is kept."""
        self.close()
        for name in ("linked", "calls", "graph", "network", "libraries", "database_module"):
            vars(self).pop(name, None)

    # What is called

    @cached_property
    def cache(self) -> Path:
        return self.place.new_folder()

    def artifacts(self, name: str) -> Artifacts:
        """A guest's component with what the toolchain makes of it."""
        component, module, plan = (self.cache / f"{name}.{kind}" for kind in ("wasm", "module", "plan"))
        if not plan.exists():
            component.write_bytes(bytes(wasmtime.wat2wasm(guest(name))))
            made = decompose(Toolchain(), component)
            if not isinstance(made, Decomposed):
                raise TypeError(f"{name}: {made}")
            module.write_bytes(made.module)
            plan.write_bytes(made.plan)
        digests = [digest_of(path.read_bytes()) for path in (component, module, plan)]
        return Artifacts(
            component=component,
            digest=digests[0],
            cache=self.cache,
            module=module,
            module_digest=digests[1],
            plan=plan,
            plan_digest=digests[2],
        )

    @cached_property
    def engine(self) -> Engine:
        return type(self).engine_class()

    @cached_property
    def linked(self) -> Linked:
        imports: dict[FunctionName, HostFunction] = {
            (HOST, "nothing"): lambda _context: None,
            (HOST, "add"): lambda _context, a, b: (a + b) & 0xFFFFFFFF,
            (HOST, "read"): lambda _context, count: Fill(count, lambda view: os.preadv(self._file, [view], 0)),
        }
        return self.engine.link(self.engine.load(self.artifacts("calls")), imports)

    @cached_property
    def calls(self) -> Seam:
        seam = Seam(self.linked, CALLS)
        self._opened.append(seam)
        return seam

    @cached_property
    def manifest(self) -> Path:
        """A graph of two guests with an edge between them; composed."""
        return self._pair(fused=False)

    def _pair(self, *, fused: bool) -> Path:
        folder = self.place.new_folder()
        digests = {}
        for name in ("calls", "helper"):
            binary = bytes(wasmtime.wat2wasm(guest(name)))
            (folder / f"{name}.wasm").write_bytes(binary)
            digests[name] = digest_of(binary)
        manifest = folder / "graph.yaml"
        manifest.write_text(graphs.GRAPH.format(**digests, fused=str(fused).lower()))
        compose_file(manifest, Workshop(lane=self.lane))
        return manifest

    @cached_property
    def graph(self) -> Graph:
        graph = Graph.load(self.manifest)
        self._opened.append(graph)
        return graph

    @cached_property
    def decoder(self) -> Path:
        """The manifest of a graph with nothing but a JSON decoder, a CPython guest; composed."""
        folder = self.place.new_folder()
        manifest = folder / "graph.yaml"
        component = os.path.relpath(self.place.root / "tests" / "components" / "json_in_python", folder)
        manifest.write_text(graphs.DECODER.format(folder=component))
        compose_file(manifest, Workshop(lane=self.lane))
        return manifest

    # The workloads

    def add(self) -> Work:
        call = self.calls
        return Work(run=lambda: call("add", 1, 2))

    def through_graph(self) -> Work:
        graph = self.graph
        return Work(run=lambda: graph.call("helper.add", 1, 2))

    def text(self, text: str) -> Work:
        call = self.calls
        return Work(run=lambda: call("text", text))

    def data(self, data: bytes) -> Work:
        if len(data) > self.most:
            raise SitsOut("a list<u8> is a value a byte there: seconds")
        call = self.calls
        return Work(run=lambda: call("data", data))

    def lines(self, lines: list[Line]) -> Work:
        call = self.calls
        records = call("lines", lines)
        return Work(run=lambda: call("lines", records), per=len(lines))

    def dicts(self, lines: list[Line]) -> Work:
        call = self.calls
        return Work(run=lambda: call("lines", lines), per=len(lines))

    def shown(self, line: Any) -> Line:
        return {"sku": line.sku, "quantity": line.quantity, "unit-price": line.unit_price}

    def method(self) -> Work:
        call = self.calls
        counter = call("[constructor]counter", 5)
        return Work(run=lambda: call("[method]counter.get", counter), close=counter.close)

    def callback(self, times: int) -> Work:
        call = self.calls
        return Work(run=lambda: call("callback", times), per=times)

    def edge(self, times: int) -> Work:
        graph = self.graph
        return Work(run=lambda: graph.call("calls.edge", times), per=times)

    def fused_edge(self, times: int) -> Work:
        graph = Graph.load(self._pair(fused=True))
        return Work(run=lambda: graph.call("calls.edge", times), per=times, close=graph.close)

    def read(self, file: int, size: int, times: int) -> Work:
        call, self._file = self.calls, file
        return Work(run=lambda: call("read", size, times), per=times)

    @cached_property
    def network(self) -> Graph:
        """A graph of a CPython guest that may connect to loopback."""
        folder = self.place.new_folder()
        manifest = folder / "graph.yaml"
        manifest.write_text(graphs.NETWORK.format(folder=os.path.relpath(self.place.root / "benchmarks" / "guests" / "network", folder)))
        compose_file(manifest, Workshop(lane=self.lane))
        graph = Graph.load(manifest)
        self._opened.append(graph)
        return graph

    def round_trips(self, times: int) -> Work:
        graph, server = self.network, TrafficServer()
        return Work(run=lambda: graph.call("network.round-trips", server.port, times), per=times, close=server.close)

    def fetch(self, count: int) -> Work:
        if count > 4 * self.most:
            raise SitsOut("a list<u8> is a value a byte there: seconds")
        graph, server = self.network, TrafficServer()
        return Work(run=lambda: graph.call("network.fetch", server.port, count), close=server.close)

    def _on_files(self, folder: Path) -> Graph:
        """A graph whose guest reads the files of a folder."""
        if folder not in self._folders:
            place = self.place.new_folder()
            binary = bytes(wasmtime.wat2wasm(guest("files")))
            (place / "files.wasm").write_bytes(binary)
            granted = os.path.relpath(folder, place)
            (place / "graph.yaml").write_text(graphs.FILES.format(digest=digest_of(binary), lane=self.lane, folder=granted))
            compose_file(place / "graph.yaml")
            self._folders[folder] = Graph.load(place / "graph.yaml")
        return self._folders[folder]

    def pieces(self, folder: Path, size: int) -> Work:
        whole = (folder / "file").stat().st_size
        if whole > self.most:
            raise SitsOut("a list<u8> is a value a byte there: seconds")
        graph = self._on_files(folder)
        return Work(run=lambda: graph.call("files.read-in-pieces", size), per=-(-whole // size))

    def opened(self, folder: Path, times: int) -> Work:
        graph = self._on_files(folder)
        return Work(run=lambda: graph.call("files.open-often", times), per=times)

    def looked_at(self, folder: Path, times: int) -> Work:
        graph = self._on_files(folder)
        return Work(run=lambda: graph.call("files.stat-often", times), per=times)

    @cached_property
    def database_module(self) -> Any:
        """The module `sqlite3` on a graph of the fenced SQLite."""
        folder = self.place.new_folder()
        (folder / "data").mkdir()
        manifest = folder / "graph.yaml"
        manifest.write_text(graphs.DATABASE.format(folder=os.path.relpath(self.place.root / "components" / "sqlite-client", folder)))
        compose_file(manifest, Workshop(lane=self.lane))
        graph = Graph.load(manifest)
        self._opened.append(graph)
        return module(graph["sqlite"])

    def database(self, workload: str, rows: int) -> Work:
        if rows * 100 > self.most:
            raise SitsOut("a list<u8> is a value a byte there: seconds")
        return WORKLOADS[workload](self.database_module, f"/data/{workload}.sqlite3", rows)

    @cached_property
    def libraries(self) -> Graph:
        """A graph of two C libraries."""
        folder = self.place.new_folder()
        manifest = folder / "graph.yaml"
        manifest.write_text(graphs.LIBRARIES.format(components=os.path.relpath(self.place.root / "components", folder)))
        compose_file(manifest, Workshop(lane=self.lane))
        graph = Graph.load(manifest)
        self._opened.append(graph)
        return graph

    def markdown(self, text: str) -> Work:
        graph = self.libraries
        return Work(run=lambda: graph.call("markdown.to-html", text, ["tables"]))

    def json(self, text: str) -> Work:
        call = self.libraries.call

        def run() -> tuple[int, list[str]]:
            nodes = call("json.decode", text).nodes
            return len(nodes), [node.value for node in nodes if node.name == "text"]

        return Work(run=run)

    def json_values(self, text: str) -> Work:
        graph = self.libraries
        return Work(run=lambda: graph.call("json.decode", text))

    @cached_property
    def yaml(self) -> Importable:
        found = fenced(self.place, self.lane)
        self._opened.append(found)
        return found

    def fresh(self) -> Work:
        linked = self.engine.link(self.engine.load(self.artifacts("helper")), {})

        def run() -> Any:
            call = Seam(linked, HOST)
            found = call("add", 1, 2)
            call.close()
            return found

        return Work(run=run)

    def fresh_python(self) -> Work:
        graph = Graph.load(self.decoder)
        return Work(run=lambda: graph.call("json.decode", "[1]").root, close=graph.close)

    def load(self, *, cached: bool) -> Work:
        artifacts = self.artifacts("helper")

        def run() -> None:
            cache = self.cache if cached else self.place.new_folder()
            one = artifacts._replace(cache=cache)
            engine = type(self).engine_class()
            engine.link(engine.load(one), {})

        run()
        return Work(run=run)

    def load_python(self, *, cached: bool) -> Work:
        manifest = self.decoder
        _decoded(manifest, None)
        return Work(run=lambda: _decoded(manifest, None if cached else self.place.new_folder()))

    @cached_property
    def shop(self) -> Path:
        """The manifest of the shop graph, in this lane; composed."""
        source = self.place.root / "manifests" / "shop" / "graph.yaml"
        folder = self.place.new_folder()
        components = os.path.relpath(self.place.root / "components", folder)
        manifest = folder / "graph.yaml"
        manifest.write_text(source.read_text().replace("../../components", components))
        compose_file(manifest, Workshop(lane=self.lane))
        return manifest

    def imported(self) -> Work:
        return python("import ringfence")

    def load_shop(self) -> Work:
        Graph.load(self.shop).close()
        return python(f"from ringfence import Graph; Graph.load({str(self.shop)!r})")

    def first_answer(self) -> Work:
        _decoded(self.decoder, None)
        return python(f"from ringfence import Graph; Graph.load({str(self.decoder)!r}).call('json.decode', '[1]')")

    def alone(self, *, long: bool) -> Work:
        call = Seam(self.linked, CALLS)
        if not long:
            return Work(run=lambda: call("add", 1, 2), close=call.close)
        count = busy(lambda count: call("spin", count), self.place.seconds)
        return Work(run=lambda: call("spin", count), close=call.close)


def _decoded(manifest: Path, cache: Path | None) -> int:
    """The decoder's graph loaded, called once, and closed."""
    with Graph.load(manifest, cache=cache) as graph:
        found: int = graph.call("json.decode", "[1]").root
        return found


class Core(Ours):
    """The engine that runs a graph's nodes."""

    name, title, lane, engine_class = "core", "core lane", "core", CoreEngine
    about = "Ringfence's own engine: components on one core module each, the canonical ABI done in Python on linear memory."


class Reference(Ours):
    """The reference engine."""

    name, title, lane, engine_class = "component", "component lane", "component", ComponentEngine
    about = "Ringfence's reference engine: the wheel's component interface, its C functions called with prepared value plans."
    most = 1 << 20
