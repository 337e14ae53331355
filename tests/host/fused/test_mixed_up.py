"""Two nodes of one component in one group have equal names for their resources, and one's is still none of the other's."""

from __future__ import annotations

import pytest
from host.fused.small import ADDER, ASKER, ASKING, Bench, edge, sums
from places import ROOT
from ringfence import CapabilityDenied, Graph, LimitExceeded, ShapeError

PENS = """package test:pens;
interface pens { resource pen { ink: func() -> u32; } make: func(ink: u32) -> pen; empty: func(pen: pen) -> u32; }
world it { export pens; }"""
PEN = """
  (import "[export]test:pens/pens" "[resource-new]pen" (func $new (param i32) (result i32)))
  (import "[export]test:pens/pens" "[resource-rep]pen" (func $rep (param i32) (result i32)))
  (func (export "test:pens/pens#make") (param i32) (result i32) (call $new (local.get 0)))
  (func (export "test:pens/pens#[method]pen.ink") (param i32) (result i32) (local.get 0))
  (func (export "test:pens/pens#empty") (param i32) (result i32) (call $rep (local.get 0)))"""
DESK = """package test:{0}; interface desk {{ use test:pens/pens.{{pen}}; look: func(pen: borrow<pen>) -> u32; mine: func() -> pen; }}
world it {{ import test:pens/pens; {1} export desk; }}"""
DESK_CORE = """
  (import "test:pens/pens" "make" (func $make (param i32) (result i32)))
  (import "test:pens/pens" "[method]pen.ink" (func $ink (param i32) (result i32)))
  (import "test:pens/pens" "[resource-drop]pen" (func $drop (param i32)))
  {1}
  (func (export "test:{0}/desk#look") (param i32) (result i32) (call $ink (local.get 0)) (call $drop (local.get 0)))
  (func (export "test:{0}/desk#mine") (result i32) (call $make (i32.const {2})))"""
ADD = "package z:z; interface sums { add: func() -> u32; } world it { export sums; }"


def two(bench: Bench) -> Graph:
    """left -> near, right -> far; near and far are one component, left and right joined by a call between them."""
    keys = "instances: single"
    bench.node("near", PENS, PEN, keys=keys)
    bench.node("far", PENS, PEN, keys=f"{keys}, limits: {{ handles: 40 }}")
    deps = bench.folder / "near.wit"
    z = bench.folder / "z.wit"
    z.write_text(ADD)
    wit = DESK.format("right", "").replace("export desk;", "export desk; export z:z/sums;")
    bench.node(
        "right", wit, DESK_CORE.format("right", "", 200) + '(func (export "z:z/sums#add") (result i32) (i32.const 7))', deps, z, keys=keys
    )
    core = DESK_CORE.format("left", '(import "z:z/sums" "add" (func $add (result i32)))', 100)
    bench.node("left", DESK.format("left", "import z:z/sums;"), core, deps, z, keys=keys)
    return bench.graph(", ".join([edge("left", "near"), edge("right", "far"), edge("left", "right")]), "near, far, left, right")


def test_what_is_one_nodes_is_used_with_it(bench):
    """The positive control; with a pen that came by another node, too, whose own handles are not those of the pen's node."""
    with two(bench) as graph:
        near, far = graph.call("near.make", 1), graph.call("far.make", 2)
        assert (near.ink(), far.ink()) == (1, 2)
        assert (graph.call("left.look", near), graph.call("right.look", far)) == (1, 2)
        assert (graph.call("left.look", graph.call("left.mine")), graph.call("right.mine").ink()) == (100, 200)
        assert (graph.call("near.empty", near), graph.call("far.empty", far)) == (1, 2)


@pytest.mark.parametrize("function", ["far.empty", "right.look", "far.pen.ink"])
@pytest.mark.parametrize("maker", ["near.make", "left.mine"])
def test_a_resource_of_one_of_two_nodes_is_none_of_the_other(bench, function, maker):
    """Its number would be taken for the other's own."""
    with two(bench) as graph:
        mine = graph.call(maker, *([1] if maker == "near.make" else []))
        with pytest.raises(ShapeError, match="pen"):
            graph["far"].pen.ink(mine) if function == "far.pen.ink" else graph.call(function, mine)
        assert mine.ink() in (1, 100)


SPINNER = """(import "test:sums/sums" "add" (func $add (param i32 i32) (result i32)))
  (func (export "test:asker/asking#ask") (param i32 i32) (result i32)
    (loop $again (br_if $again (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
    (call $add (local.get 0) (local.get 1)))"""


@pytest.mark.parametrize("first", ["asker.ask", "adder.add"])
def test_fuel_is_counted_whoever_was_called_first(bench, first):
    """The instance that all edges share is made for the first call, which may be of a node without any."""
    name, keys = "test:sums/sums", "instances: single, shared: true"
    bench.node("adder", sums("test:sums"), ADDER.format(name=name), keys=keys)
    (bench.folder / "dep.wit").write_text(sums("test:sums"))
    wit = ASKING.format(name=name)
    bench.node("asker", wit, SPINNER, bench.folder / "dep.wit", keys=f"{keys}, limits: {{ fuel: 100k }}")
    with bench.graph(edge("asker", "adder"), "asker, adder") as graph:
        assert graph.call(first, 10, 7) in (7, 17)
        assert graph.call("asker.ask", 10, 7) == 7
        with pytest.raises(LimitExceeded, match="fuel of 100k"):
            graph.call("asker.ask", 1_000_000, 7)
        assert graph.call("adder.add", 1, 1) == 2


GIVING = """package test:sums; interface sums { add: func(a: u32, b: u32) -> u32; }
interface giving {
  use wasi:io/streams@0.2.12.{output-stream}; give: func() -> output-stream; refuse: func() -> result<u32, output-stream>; }
world it { import wasi:cli/stdout@0.2.12; export sums; export giving; }"""
GIVER = """(import "wasi:cli/stdout@0.2.12" "get-stdout" (func $get (result i32))) (memory (export "memory") 1)
  (func (export "test:sums/giving#give") (result i32) (call $get))
  (func (export "test:sums/giving#refuse") (result i32)
    (i32.store (i32.const 16) (i32.const 1)) (i32.store (i32.const 20) (call $get)) (i32.const 16))""" + ADDER.format(name="test:sums/sums")


@pytest.mark.parametrize("function", ["give", "refuse"])
def test_what_the_host_made_for_a_node_stays_there(bench, function):
    """A stream is the authority to write to it. However often it is tried, no handle is left behind."""
    packages = [ROOT / "wit/deps" / f"{name}.wit" for name in ("cli", "io", "clocks", "filesystem", "sockets", "random")]
    bench.node("giver", GIVING, GIVER, *packages, keys="instances: single, limits: { handles: 8 }")
    (bench.folder / "dep.wit").write_text(sums("test:sums"))
    wit, keys = ASKING.format(name="test:sums/sums"), "instances: single"
    bench.node("asker", wit, ASKER.format(name="test:sums/sums"), bench.folder / "dep.wit", keys=keys)
    with bench.graph(edge("asker", "giver"), "asker, giver") as graph:
        for _ in range(20):
            with pytest.raises(CapabilityDenied, match="giver: hand on output-stream of wasi:io/streams@0.2.12 denied"):
                graph.call(f"giver.{function}")
        assert graph.call("giver.add", 1, 2) == 3
