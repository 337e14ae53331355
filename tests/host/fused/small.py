"""Graphs of small components: core modules in text with a world in WIT, made into components by the official tools."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from ringfence import Graph
from ringfence.contract.names import digest_of
from ringfence_composer.compose import Composed, Workshop, compose_file
from ringfence_composer.toolchain import Toolchain, Wit

MEMORY = """(memory (export "memory") 1) (global $top (mut i32) (i32.const 4096))
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (global.set $top (i32.and (i32.add (global.get $top) (i32.const 7)) (i32.const -8)))
    (global.get $top) (global.set $top (i32.add (global.get $top) (local.get 3))))"""
TOOLS = Toolchain()


def component(folder: Path, wit: str, core: str, *deps: Path) -> bytes:
    """A component of the world `it`."""
    folder.mkdir()
    (folder / "it.wit").write_text(wit)
    source = Wit(path=folder / "it.wit", deps=deps, world="it")
    return TOOLS.new(TOOLS.embed(source, TOOLS.parse(f"(module {core})")))


@dataclass
class Bench:
    """A graph of small components in a folder."""

    folder: Path
    lane: str
    mode: str
    lines: list[str] = field(default_factory=list)

    def node(self, name: str, wit: str, core: str, *deps: Path, keys: str = "") -> None:
        self.add(name, component(self.folder / f"{name}.wit", wit, core, *deps), keys)

    def add(self, name: str, binary: bytes, keys: str = "") -> None:
        (self.folder / f"{name}.wasm").write_bytes(binary)
        more = f", {keys}" if keys else ""
        self.lines.append(f'  {name}: {{ component: {name}.wasm, digest: "{digest_of(binary)}", lane: {self.lane}{more} }}')

    def compose(self, edges: str, expose: str, *, fused: bool | None = None) -> Composed:
        joined = self.mode == "fused" if fused is None else fused
        head = f"ringfence: 1\ngraph: small\nfused: {str(joined).lower()}\nnodes:\n"
        (self.folder / "graph.yaml").write_text(head + "\n".join(self.lines) + f"\nedges: [{edges}]\nexpose: [{expose}]\n")
        return compose_file(self.folder / "graph.yaml", Workshop())

    def graph(self, edges: str, expose: str, **given: object) -> Graph:
        return Graph.load(self.compose(edges, expose).file, **given)


def edge(consumer: str, provider: str, more: str = "") -> str:
    return f"{{ from: {consumer}, to: {provider}{more} }}"


ADDER = '(func (export "{name}#add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))'
ASKER = """(import "{name}" "add" (func $add (param i32 i32) (result i32)))
  (func (export "test:asker/asking#ask") (param i32 i32) (result i32) (call $add (local.get 0) (local.get 1)))"""
ASKING = "package test:asker; interface asking {{ ask: func(a: u32, b: u32) -> u32; }} world it {{ import {name}; export asking; }}"


def sums(package: str, more: str = "") -> str:
    return f"package {package}; interface sums {{ add: func(a: u32, b: u32) -> u32; {more} }} world it {{ export sums; }}"
