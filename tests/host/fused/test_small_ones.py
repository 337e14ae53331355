"""Small components joined, each made for one rule: handles that are guessed, versions, names, roots, re-exports, refusals.

They are core modules in text with a world in WIT, made into components by the official tools.
"""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from host.fused.small import ADDER, ASKER, ASKING, MEMORY, TOOLS, Bench, component, edge, sums
from places import ROOT
from ringfence import CapabilityDenied, Graph, GuestTrap, IntegrityError, SubstituteError, UsageError
from ringfence.contract.lock import _canonical
from ringfence.contract.names import digest_of
from ringfence.engine.component import ComponentEngine
from ringfence.engine.seam import Artifacts
from ringfence_composer.compose import Composed
from ringfence_composer.errors import PlanRefused
from ringfence_composer.toolchain import Wit

# The attack: a handle that is another node's

HOLDER_WIT = """package test:holder;
interface holding { hold: func(); held: func() -> u32; }
world it { import wasi:cli/stdout@0.2.12; export holding; }"""
HOLDER = f"""(import "wasi:cli/stdout@0.2.12" "get-stdout" (func $get (result i32)))
  {MEMORY} (global $held (mut i32) (i32.const 0))
  (func (export "test:holder/holding#hold") (global.set $held (call $get)))
  (func (export "test:holder/holding#held") (result i32) (global.get $held))"""
THIEF_WIT = """package test:thief;
interface stealing { steal: func(handle: u32); honest: func(); number: func() -> u32; }
world it { import test:holder/holding; import wasi:cli/stdout@0.2.12; import wasi:io/streams@0.2.12; export stealing; }"""
THIEF = f"""
  (import "test:holder/holding" "hold" (func $hold))
  (import "test:holder/holding" "held" (func $held (result i32)))
  (import "wasi:cli/stdout@0.2.12" "get-stdout" (func $get (result i32)))
  (import "wasi:io/streams@0.2.12" "[method]output-stream.blocking-write-and-flush" (func $write (param i32 i32 i32 i32)))
  (import "wasi:io/streams@0.2.12" "[resource-drop]output-stream" (func $drop (param i32)))
  {MEMORY} (data (i32.const 64) "stolen")
  (func (export "test:thief/stealing#steal") (param i32)
    (call $hold) (call $write (local.get 0) (i32.const 64) (i32.const 6) (i32.const 128)))
  (func (export "test:thief/stealing#number") (result i32) (call $hold) (call $held))
  (func (export "test:thief/stealing#honest") (local i32) (local.set 0 (call $get))
    (call $write (local.get 0) (i32.const 64) (i32.const 6) (i32.const 128)))"""


def heist(bench: Bench, to_thief: str = "") -> Graph:
    """The holder may write to a file and has it open; the thief, in the same component, knows the handle's number."""
    holder, wasi = bench.folder / "holder.wit", ROOT / "wit" / "deps"
    packages = [wasi / name for name in ("cli.wit", "io.wit", "clocks.wit", "filesystem.wit", "sockets.wit", "random.wit")]
    bench.node("holder", HOLDER_WIT, HOLDER, *packages)
    bench.node("thief", THIEF_WIT, THIEF, holder, *packages)
    grant = "{ from: holder, to: host, grant: { stdout: { file: out.txt } } }"
    return bench.graph(", ".join(filter(None, [edge("thief", "holder"), grant, to_thief])), "thief")


def test_a_handle_of_one_node_is_nothing_in_another(bench):
    """Every number that could be meant is tried: none is the thief's."""
    with heist(bench) as graph:
        number = graph.call("thief.number")
        for guess in {*range(6), number}:
            with pytest.raises(GuestTrap) as trap:
                graph.call("thief.steal", guess)
            assert "handle" in str(trap.value)
    assert not (bench.folder / "out.txt").exists() or (bench.folder / "out.txt").read_text() == ""


def test_what_a_node_prints_goes_where_its_own_grant_says(bench):
    """The positive control, and its contrary: with a grant of its own the thief writes to its own file, without one to nowhere."""
    with heist(bench, "{ from: thief, to: host, grant: { stdout: { file: mine.txt } } }") as graph:
        graph.call("thief.honest")
    assert (bench.folder / "mine.txt").read_text() == "stolen"


def test_without_a_grant_the_other_nodes_is_not_used(bench):
    with heist(bench) as graph:
        graph.call("thief.honest")
    assert not (bench.folder / "out.txt").exists() or (bench.folder / "out.txt").read_text() == ""


# Lies about memory, by either side of a border that no host watches

LYING = "interface lying { echo: func(data: list<u8>) -> string; words: func(numbers: list<u32>) -> u32; }"
ASKS = "interface asking { echo: func(at: u32, length: u32) -> list<u8>; words: func(at: u32, length: u32) -> u32; }"


def liars(bench: Bench, answer: str, realloc: str = "(i32.const 1024)") -> Graph:
    """The callee answers `echo` with the string of these two words, `words` with a sum; the caller passes any range as its list."""
    callee = f"""(memory (export "memory") 1) (data (i32.const 256) "its own\\ff")
      (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) {realloc})
      (func (export "test:liar/lying#echo") (param i32 i32) (result i32)
        (i64.store (i32.const 16) (i64.or (i64.extend_i32_u (i32.const {answer.split()[0]}))
          (i64.shl (i64.extend_i32_u (i32.const {answer.split()[1]})) (i64.const 32)))) (i32.const 16))
      (func (export "test:liar/lying#words") (param i32 i32) (result i32) (i32.load (local.get 0)))"""
    bench.node("callee", f"package test:liar; {LYING} world it {{ export lying; }}", callee)
    caller = f"""(import "test:liar/lying" "echo" (func $echo (param i32 i32 i32)))
      (import "test:liar/lying" "words" (func $words (param i32 i32) (result i32)))
      {MEMORY} (data (i32.const 256) "secret of the caller")
      (func (export "test:asker/asking#echo") (param i32 i32) (result i32)
        (call $echo (local.get 0) (local.get 1) (i32.const 64)) (i32.const 64))
      (func (export "test:asker/asking#words") (param i32 i32) (result i32) (call $words (local.get 0) (local.get 1)))"""
    wit = f"package test:asker; {ASKS} world it {{ import test:liar/lying; export asking; }}"
    bench.node("caller", wit, caller, bench.folder / "callee.wit")
    return bench.graph(edge("caller", "callee"), "caller")


def test_what_is_true_passes(bench):
    """The positive control."""
    with liars(bench, "256 7") as graph:
        assert graph.call("caller.echo", 256, 6) == b"its own"
        assert graph.call("caller.words", 256, 1) == int.from_bytes(b"secr", "little")


@pytest.mark.parametrize(("at", "length"), [(65536, 1), (65535, 2), (0xFFFFFFFF, 1), (16, 0xFFFFFFFF), (0x80000000, 0x80000000)])
def test_a_list_that_is_not_in_the_callers_memory_passes_nothing(bench, at, length):
    with liars(bench, "256 7") as graph, pytest.raises(GuestTrap):
        graph.call("caller.echo", at, length)


@pytest.mark.parametrize("at", [257, 65533])
def test_a_list_that_is_not_aligned_or_leads_out_is_refused(bench, at):
    with liars(bench, "256 7") as graph, pytest.raises(GuestTrap):
        graph.call("caller.words", at, 1)


@pytest.mark.parametrize("answer", ["65536 1", "65530 7", "4294967295 1", "16 4294967295", "256 8"])
def test_an_answer_that_is_no_text_in_the_callees_memory_passes_nothing(bench, answer):
    """Out of memory, or not UTF-8: the last."""
    with liars(bench, answer) as graph, pytest.raises(GuestTrap):
        graph.call("caller.echo", 256, 6)


@pytest.mark.parametrize("realloc", ["(i32.const 65536)", "(i32.const -1)", "(i32.const 65530)"])
def test_room_that_the_callee_does_not_have_is_not_written_to(bench, realloc):
    with liars(bench, "256 7", realloc) as graph, pytest.raises(GuestTrap):
        graph.call("caller.echo", 256, 20)


# Names and versions


def asker(bench: Bench, name: str, package: str, *, node: str = "asker", more: str = "") -> None:
    dep = bench.folder / f"{node}-dep.wit"
    dep.write_text(sums(package, more))
    bench.node(node, ASKING.format(name=name), ASKER.format(name=name), dep)


def test_a_compatible_newer_version_serves(bench):
    """With more functions than are asked for, as a newer version may have."""
    name = "test:sums/sums@0.2.6"
    core = ADDER.format(name=name) + f'(func (export "{name}#sub") (param i32 i32) (result i32) (i32.sub (local.get 0) (local.get 1)))'
    bench.node("adder", sums("test:sums@0.2.6", "sub: func(a: u32, b: u32) -> u32;"), core)
    asker(bench, "test:sums/sums@0.2.0", "test:sums@0.2.0")
    with bench.graph(edge("asker", "adder"), "asker") as graph:
        assert graph.call("asker.ask", 40, 2) == 42


def test_names_that_would_be_one_in_the_whole_stay_two(bench):
    """`a-b:c` and `a:b-c` are written alike behind a node's name."""
    for index, package in enumerate(["a-b:c", "a:b-c"]):
        name = f"{package}/sums"
        core = ADDER.format(name=name).replace("i32.add", "i32.add" if index else "i32.mul")
        bench.node(f"adder-{index}", sums(package), core)
    pair = "func(a: u32, b: u32) -> tuple<u32, u32>;"
    wit = f"package test:both; interface asking {{ ask: {pair} }} world it {{ import a-b:c/sums; import a:b-c/sums; export asking; }}"
    core = f"""(import "a-b:c/sums" "add" (func $one (param i32 i32) (result i32)))
      (import "a:b-c/sums" "add" (func $two (param i32 i32) (result i32))) {MEMORY}
      (func (export "test:both/asking#ask") (param i32 i32) (result i32)
        (i32.store (i32.const 16) (call $one (local.get 0) (local.get 1)))
        (i32.store (i32.const 20) (call $two (local.get 0) (local.get 1))) (i32.const 16))"""
    deps = []
    for package in ("a-b:c", "a:b-c"):
        deps.append(bench.folder / f"{package.replace(':', '_')}.wit")
        deps[-1].write_text(sums(package))
    bench.node("asker", wit, core, *deps)
    bench.node("beside", sums("z:z"), ADDER.format(name="z:z/sums"))
    wanted = f"package test:top; interface top {{ go: {pair} }} world it {{ import test:both/asking; import z:z/sums; export top; }}"
    top = f"""(import "test:both/asking" "ask" (func $ask (param i32 i32 i32)))
      (import "z:z/sums" "add" (func (param i32 i32) (result i32))) {MEMORY}
      (func (export "test:top/top#go") (param i32 i32) (result i32)
        (call $ask (local.get 0) (local.get 1) (i32.const 32)) (i32.const 32))"""
    zed = bench.folder / "zed.wit"
    zed.write_text(sums("z:z"))
    bench.node("top", wanted, top, bench.folder / "asker.wit", *deps, zed)
    # Here the asker's two imports lead out of the group, each under a name of its own.
    apart = ", fused: false"
    edges = [edge("asker", f"adder-{index}", apart) for index in (0, 1)] + [edge("top", "asker"), edge("top", "beside")]
    with bench.graph(", ".join(edges), "top") as graph:
        assert tuple(graph.call("top.go", 6, 7)) == (42, 13)


def test_functions_at_the_root_of_a_world_are_called_by_their_nodes_name(bench):
    name = "test:sums/sums"
    core = ADDER.format(name=name) + '(func (export "sub") (param i32 i32) (result i32) (i32.sub (local.get 0) (local.get 1)))'
    wit = sums("test:sums").replace("export sums;", "export sums; export sub: func(a: u32, b: u32) -> u32;")
    bench.node("adder", wit, core)
    asker(bench, name, "test:sums")
    with bench.graph(edge("asker", "adder"), "asker, adder") as graph:
        assert (graph.call("adder.sub", 5, 3), graph.call("adder.add", 5, 3), graph.call("asker.ask", 5, 3)) == (2, 8, 8)


def test_a_node_may_offer_what_it_takes_from_another(bench):
    """A layer: it imports and exports one interface. Two of them in a row, of one component."""
    name = "test:sums/sums"
    dep = bench.folder / "dep.wit"
    dep.write_text(sums("test:sums"))
    layer = f"""(import "{name}" "add" (func $add (param i32 i32) (result i32)))
      (func (export "{name}#add") (param i32 i32) (result i32) (call $add (local.get 0) (i32.add (local.get 1) (i32.const 100))))"""
    wit = "package test:layer; world it { import test:sums/sums; export test:sums/sums; }"
    bench.node("adder", sums("test:sums"), ADDER.format(name=name))
    binary = component(bench.folder / "layer.wit", wit, layer, dep)
    bench.add("one", binary)
    bench.add("two", binary)
    with bench.graph(f"{edge('two', 'one')}, {edge('one', 'adder')}", "two, adder") as graph:
        assert (graph.call("two.add", 1, 1), graph.call("adder.add", 1, 1)) == (202, 2)


def test_a_type_that_holds_another_nodes_resource_passes(bench):
    """A record, used by an interface that does not name the resource in it: only the interface of its owner does."""
    types = """package test:lend; interface loans { resource loan; record slip { loan: loan, days: u32 } lend: func() -> slip; }
      interface desk { use loans.{slip}; ask: func() -> slip; }"""
    for name, world, core in (
        ("owner", "export loans;", f"""{MEMORY} (func (export "test:lend/loans#lend") (result i32)
            (i32.store (i32.const 16) (call $new (i32.const 7))) (i32.store (i32.const 20) (i32.const 30)) (i32.const 16))
          (func (export "test:lend/loans#[dtor]loan") (param i32))"""),
        ("desk", "import loans; export desk;", f"""(import "test:lend/loans" "lend" (func $lend (param i32))) {MEMORY}
          (func (export "test:lend/desk#ask") (result i32) (call $lend (i32.const 64)) (i32.const 64))"""),
    ):  # fmt: skip
        new = '(import "[export]test:lend/loans" "[resource-new]loan" (func $new (param i32) (result i32))) ' if name == "owner" else ""
        bench.node(name, f"{types} world it {{ {world} }}", new + core)
    with bench.graph(edge("desk", "owner"), "desk") as graph:
        slip = graph.call("desk.ask")
        assert (slip.days, repr(slip.loan)) == (30, "<resource loan of owner>")
        slip.loan.close()
        with pytest.raises(UsageError):
            graph.call("owner.lend")


# The joined component itself


def adding(bench: Bench) -> None:
    bench.node("adder", sums("test:sums"), ADDER.format(name="test:sums/sums"))
    asker(bench, "test:sums/sums", "test:sums")


def lock_of(composed: Composed) -> dict:
    return json.loads(composed.file.read_bytes())


def test_the_group_is_an_ordinary_component(fused):
    """The official validator takes it, the wheel's own component interface loads it, and it is equal each time."""
    adding(fused)
    composed = fused.compose(edge("asker", "adder"), "asker")
    lock = lock_of(composed)
    artifact = next(one for one in lock["artifacts"] if one["role"] == "component")
    file = composed.file.parent / ".ringfence/sha256" / artifact["digest"].removeprefix("sha256:")
    TOOLS.validate(file)
    world = TOOLS.world(Wit(path=file))
    exports = ["adder:test-sums/sums", "asker:test-asker/asking"]
    assert ([item.name for item in world.imports], [item.name for item in world.exports]) == ([], exports)
    loaded = ComponentEngine().load(Artifacts(component=file, digest=artifact["digest"]))
    assert list(loaded.exports) == exports
    assert {one["node"] for one in lock["artifacts"]} == set(lock["groups"]) == {"asker+adder"}
    assert lock_of(fused.compose(edge("asker", "adder"), "asker")) == lock


def test_a_graph_without_fused_edges_has_a_lock_as_before(bench):
    adding(bench)
    lock = lock_of(bench.compose(edge("asker", "adder"), "asker", fused=False))
    assert "groups" not in lock
    assert all("fused" not in one for one in lock["edges"])


# What must be refused


def test_calls_that_a_binary_makes_and_the_edge_leaves_out_are_refused(fused):
    """Inside a group nobody could refuse the call itself."""
    core = ADDER.format(name="test:sums/sums")
    both = core + core.replace("#add", "#sub").replace("i32.add", "i32.sub")
    fused.node("adder", sums("test:sums", "sub: func(a: u32, b: u32) -> u32;"), both)
    asker(fused, "test:sums/sums", "test:sums")
    with pytest.raises(PlanRefused, match=r"asker imports add of test:sums/sums, which these calls leave out") as refused:
        fused.compose(edge("asker", "adder", ", grant: { calls: [sub] }"), "asker")
    assert "fused: false" in str(refused.value)


def test_calls_that_are_listed_are_linked(bench):
    adding(bench)
    with bench.graph(edge("asker", "adder", ", grant: { calls: [add] }"), "asker") as graph:
        assert graph.call("asker.ask", 1, 2) == 3


def test_a_double_for_a_part_of_a_group_is_refused_and_for_all_of_it_works(fused):
    """A component cannot be had in part."""

    class Asker:
        def ask(self, a, b):
            return a * b

    adding(fused)
    file = fused.compose(edge("asker", "adder"), "asker").file
    with pytest.raises(SubstituteError, match="compose --edges store"):
        Graph.load(file, substitutes={"adder": object()})
    with Graph.load(file, substitutes={"asker": Asker()}) as graph:
        assert graph.call("asker.ask", 6, 7) == 42


OTHER = {"asker:test-other/asking": ["asker", "test:other/asking"]}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda lock: lock["edges"][0].update(limits={"deadline": "1s"}), "neither grants nor limits"),
        (lambda lock: lock["nodes"]["adder"].update(instances="single"), "differ in lane, instances or shared"),
        (lambda lock: lock["groups"]["asker+adder"]["exports"].update(OTHER), "does not export"),
        (lambda lock: lock["groups"].update({"one+two": {"nodes": ["asker", "adder"]}}), "groups are not made of its nodes"),
        (lambda lock: lock["edges"][0].pop("fused"), "the components have no test:sums/sums to join with"),
        (lambda lock: lock["groups"]["asker+adder"].update(nodes=["adder", "nobody"]), "groups are not made of its nodes"),
    ],
)
def test_a_lock_that_asks_of_a_group_what_none_has_is_refused(fused, change: Callable, told: str):
    """The host trusts no lock to have been made by this composer."""
    adding(fused)
    file = fused.compose(edge("asker", "adder"), "asker").file
    lock = lock_of(Composed(plan=None, lock=None, file=file))
    change(lock)
    body = {key: value for key, value in lock.items() if key != "digest"}
    file.write_bytes(_canonical(body | {"digest": digest_of(_canonical(body))}))
    with pytest.raises(IntegrityError, match=told), Graph.load(file) as graph:
        graph.call("asker.ask", 1, 2)


def test_a_store_edge_out_of_a_group_is_the_nodes_own(bench):
    """Its calls are refused in that node's name, though the call came in by another's."""
    name = "test:sums/sums"
    core = ADDER.format(name=name)
    more = "sub: func(a: u32, b: u32) -> u32;"
    bench.node("adder", sums("test:sums", more), core + core.replace("#add", "#sub"))
    asker(bench, name, "test:sums", more=more)
    top = """(import "test:asker/asking" "ask" (func $ask (param i32 i32) (result i32)))
      (func (export "test:top/top#go") (param i32 i32) (result i32) (call $ask (local.get 0) (local.get 1)))"""
    wit = "package test:top; interface top { go: func(a: u32, b: u32) -> u32; } world it { import test:asker/asking; export top; }"
    bench.node("top", wit, top, bench.folder / "asker.wit", bench.folder / "asker-dep.wit")
    with bench.graph(f"{edge('top', 'asker')}, {apart('add')}", "top") as graph:
        assert graph.call("top.go", 1, 2) == 3
    with bench.graph(f"{edge('top', 'asker')}, {apart('sub')}", "top") as graph:
        with pytest.raises(CapabilityDenied) as denied:
            graph.call("top.go", 1, 2)
        assert (denied.value.denials[0].node, denied.value.denials[0].edge) == ("asker", "top -> asker")


def apart(calls: str) -> str:
    """The edge that stays one between stores."""
    return edge("asker", "adder", f", fused: false, grant: {{ calls: [{calls}] }}")
