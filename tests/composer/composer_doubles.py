"""Test doubles of the composer's stages: worlds without WIT, and graphs without folders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from ringfence.contract.names import digest_of
from ringfence_composer.build import BuiltGraph, BuiltNode
from ringfence_composer.errors import WitInvalid
from ringfence_composer.manifest.graph import GraphManifest, NodeManifest, read_graph
from ringfence_composer.manifest.source import Problems
from ringfence_composer.resolve import ResolvedGraph, resolve
from ringfence_composer.tools import Fit, Item, World


def world(imports: Sequence[str] = (), exports: Mapping[str, Sequence[str]] | None = None) -> World:
    """A world that imports and exports interfaces with functions."""
    return World(
        name="it",
        package="demo:it",
        imports=tuple(Item(name=name, kind="interface", functions=("ask",)) for name in imports),
        exports=tuple(Item(name=name, kind="interface", functions=tuple(functions)) for name, functions in (exports or {}).items()),
    )


class FakeFacts:
    """Worlds by node; everything fits, unless `misfits` says why not."""

    def __init__(self, worlds: Mapping[str, World], misfits: Mapping[str, Fit] | None = None) -> None:
        self.worlds, self.misfits = worlds, misfits or {}

    def world(self, node: NodeManifest) -> World:
        if node.name not in self.worlds:
            raise WitInvalid(f"{node.name} has no world")
        return self.worlds[node.name]

    def fits(self, consumer: NodeManifest, provider: NodeManifest, interface: str) -> Fit:
        return self.misfits.get(interface, Fit(fits=True))


def manifest(folder: Path, nodes: Mapping[str, str], rest: str = "") -> tuple[GraphManifest, Problems]:
    """A graph.yaml in `folder`, read: nodes by name with their further keys (`instances: single`), each a little .wasm of its own."""
    lines = ["ringfence: 1", "graph: test", "nodes:"]
    for name, keys in nodes.items():
        data = f"not really wasm: {name}".encode()
        (folder / f"{name}.wasm").write_bytes(data)
        more = f", {keys}" if keys else ""
        lines.append(f'  {name}: {{ component: {name}.wasm, digest: "{digest_of(data)}"{more} }}')
    file = folder / "graph.yaml"
    file.write_text("\n".join(lines) + "\n" + rest)
    problems = Problems()
    return read_graph(file, problems, show_as="graph.yaml"), problems


def resolved(folder: Path, worlds: Mapping[str, World], rest: str = "", keys: Mapping[str, str] | None = None) -> ResolvedGraph:
    """A graph of these worlds, resolved without a problem."""
    found, problems = manifest(folder, {name: (keys or {}).get(name, "") for name in worlds}, rest)
    graph = resolve(found, FakeFacts(worlds), problems)
    problems.raise_any()
    return graph


def built(graph: ResolvedGraph, needs: Mapping[str, frozenset[str]] | None = None) -> BuiltGraph:
    """The same with each node's file as its binary."""
    nodes = {}
    for node in graph.manifest.nodes:
        file = graph.manifest.folder / f"{node.name}.wasm"
        digest = digest_of(file.read_bytes())
        needed = (needs or {}).get(node.name, frozenset())
        nodes[node.name] = BuiltNode(path=file, digest=digest, inputs=digest, size=file.stat().st_size, runtime_needs=needed, by="test 1")
    return BuiltGraph(resolved=graph, nodes=nodes)
