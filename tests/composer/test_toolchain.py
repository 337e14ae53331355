"""The official WIT and component libraries, run ring-fenced: what they answer, and how they refuse."""

from __future__ import annotations

import hashlib
import os
import random
import re
from pathlib import Path

import pytest
import wasmtime
from ringfence_composer.errors import DigestMismatch, InputInvalid, ToolFailed, WitInvalid
from ringfence_composer.toolchain import Desk, Toolchain, Wit, lay_out_wasi_wit

ROOT = Path(__file__).parents[2]

WORLDS = """
package acme:shop@1.2.3;

/// Prices.
interface prices {
    use types.{money};
    /// The price of an article.
    price: func(sku: string) -> result<money, string>;
    resource basket { constructor(); add: func(sku: string); total: func() -> money; }
}
interface types { record money { amount: s64, currency: string } }

/// A shop.
world shop {
    import log: func(line: string);
    import wasi:clocks/wall-clock@0.2.12;
    export prices;
}
world other {}
"""

# A world whose functions need no memory, so that its implementation is three lines.
ADDER = "package acme:adder@1.0.0; interface math { add: func(a: u32, b: u32) -> u32; } world adder { export math; }"
ADDER_CORE = """(module (@custom "version" "3.1") (@producers (language "WAT" "1"))
  (func (export "acme:adder/math@1.0.0#add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))"""


@pytest.fixture(scope="session")
def toolchain():
    return Toolchain()


@pytest.fixture(scope="session")
def wasi(toolchain, tmp_path_factory):
    """The WIT packages of WASI, in a folder."""
    folder = tmp_path_factory.mktemp("wasi")
    for name, data in toolchain.wasi_wit().items():
        (folder / name).write_bytes(data)
    return folder


@pytest.fixture
def wit(tmp_path):
    """Writes WIT text to a folder of its own."""
    count = iter(range(1000))

    def write(text, world=None, deps=()):
        folder = tmp_path / f"wit-{next(count)}"
        folder.mkdir()
        (folder / "world.wit").write_text(text)
        return Wit(path=folder, world=world, deps=tuple(deps))

    return write


@pytest.fixture
def adder(toolchain, wit):
    """A component that adds."""
    core = toolchain.embed(wit(ADDER, "adder"), toolchain.parse(ADDER_CORE))
    return toolchain.new(core)


@pytest.fixture
def component(toolchain, tmp_path):
    """Makes a component of text, as a source of WIT."""
    count = iter(range(1000))

    def make(text):
        file = tmp_path / f"component-{next(count)}.wasm"
        file.write_bytes(toolchain.parse(text))
        return Wit(path=file)

    return make


# Worlds


def test_a_world_is_told_with_full_names_docs_and_what_it_implies(toolchain, wit, wasi):
    world = toolchain.world(wit(WORLDS, "shop", [wasi / "clocks.wit", wasi / "io.wit"]))
    assert (world.name, world.package, world.docs) == ("shop", "acme:shop@1.2.3", "A shop.")
    imports = {item.name: item for item in world.imports}
    # `types` comes with `prices`, which uses it.
    assert list(imports) == ["wasi:clocks/wall-clock@0.2.12", "acme:shop/types@1.2.3", "log"]
    assert imports["wasi:clocks/wall-clock@0.2.12"].functions == ("now", "resolution")
    assert (imports["log"].kind, imports["log"].functions) == ("function", ("log",))
    [prices] = world.exports
    assert (prices.name, prices.kind, prices.docs) == ("acme:shop/prices@1.2.3", "interface", "Prices.")
    assert prices.functions == ("price", "[constructor]basket", "[method]basket.add", "[method]basket.total")
    assert prices.resources == ("basket",)


def test_a_components_world_is_read_from_its_binary(toolchain, adder, tmp_path):
    (tmp_path / "adder.wasm").write_bytes(adder)
    world = toolchain.world(Wit(path=tmp_path / "adder.wasm"))
    assert world.imports == ()
    assert [(item.name, item.functions) for item in world.exports] == [("acme:adder/math@1.0.0", ("add",))]


@pytest.mark.parametrize(
    "hidden",
    ['(import "m" (core module))', '(import "c" (component))', '(core module $m) (export "m" (core module $m))'],
    ids=["core module imported", "component imported", "core module exported"],
)
def test_what_wit_cannot_express_is_refused_and_not_left_out(toolchain, component, hidden):
    """A plan that leaves an import out would not be total."""
    with pytest.raises(InputInvalid, match=r"nothing that WIT can express|was not a function or instance"):
        toolchain.world(component(f"(component {hidden})"))


def test_one_world_is_found_and_of_several_one_must_be_named(toolchain, wit):
    assert toolchain.world(wit(ADDER)).name == "adder"
    with pytest.raises(WitInvalid, match="multiple worlds"):
        toolchain.world(wit("package a:b; world x {} world y {}"))


def test_the_official_json_keeps_the_order_of_definition(toolchain, wit):
    """Drawings and bindings show things in the order in which their author wrote them."""
    resolved = toolchain.wit(wit("package a:b; interface i { z: func(); a: func(); record r { y: u8, b: u8 } }"))
    assert list(resolved["interfaces"][0]["functions"]) == ["z", "a"]
    assert [field["name"] for field in resolved["types"][0]["kind"]["record"]["fields"]] == ["y", "b"]


def test_wit_text_comes_back_as_wit(toolchain, wit, wasi):
    source = wit(WORLDS, "shop", [wasi / "clocks.wit", wasi / "io.wit"])
    text = toolchain.text(source)
    assert "record money {" in text
    assert "/// The price of an article." in text
    before, after = toolchain.world(source), toolchain.world(wit(text, "shop"))
    # The printer writes resources before functions.
    [(given, printed)] = zip(before.exports, after.exports, strict=True)
    assert sorted(given.functions) == sorted(printed.functions)
    assert after.imports == before.imports


def test_packages_may_lie_in_the_source_beside_it_or_be_linked(toolchain, wit, wasi, tmp_path):
    given = wit(WORLDS, "shop", [wasi / "clocks.wit", wasi / "io.wit"])
    own = wit(WORLDS, "shop")
    (own.path / "deps").symlink_to(wasi)
    assert toolchain.world(given) == toolchain.world(own)
    (tmp_path / "a" / "wit").mkdir(parents=True)
    (tmp_path / "a" / "wit" / "x.wit").write_text("package x:x; interface i { f: func(); }")
    (tmp_path / "b" / "wit").mkdir(parents=True)
    (tmp_path / "b" / "wit" / "y.wit").write_text("package y:y; interface i { f: func(); }")
    both = wit("package a:b; world w { import x:x/i; import y:y/i; }", deps=[tmp_path / "a" / "wit", tmp_path / "b" / "wit"])
    assert len(toolchain.world(both).imports) == 2


# Binaries


def test_a_core_module_becomes_a_component_that_runs(adder):
    engine = wasmtime.Engine()
    store = wasmtime.Store(engine)
    instance = wasmtime.component.Linker(engine).instantiate(store, wasmtime.component.Component(engine, adder))
    interface = instance.get_export_index(store, "acme:adder/math@1.0.0")
    assert instance.get_func(store, instance.get_export_index(store, "add", interface))(store, 40, 2) == 42


def test_an_adapter_serves_an_older_import(toolchain, wit):
    world = wit("package a:b; world w { export f: func() -> u32; }", "w")
    core = '(module (import "old" "g" (func $g (result i32))) (func (export "f") (result i32) (call $g)))'
    core = toolchain.embed(world, toolchain.parse(core))
    adapter = toolchain.embed(
        wit("package a:b; world old {}", "old"), toolchain.parse('(module (func (export "g") (result i32) (i32.const 7)))')
    )
    with pytest.raises(InputInvalid, match="old"):
        toolchain.new(core)
    made = toolchain.new(core, {"old": adapter})
    engine = wasmtime.Engine()
    store = wasmtime.Store(engine)
    instance = wasmtime.component.Linker(engine).instantiate(store, wasmtime.component.Component(engine, made))
    assert instance.get_func(store, "f")(store) == 7


def test_what_the_world_asks_for_and_the_module_lacks_is_named(toolchain, wit):
    core = toolchain.embed(wit(ADDER, "adder"), toolchain.parse("(module)"))
    with pytest.raises(InputInvalid, match=r"acme:adder/math@1\.0\.0"):
        toolchain.new(core)


def test_text_and_binary_turn_into_each_other(toolchain, adder):
    text = toolchain.wat(adder)
    assert "acme:adder/math@1.0.0#add" in text
    assert toolchain.wat(toolchain.parse(text)) == text


SCRIPT = """(component definition $C (core module $m (func (export "é\u202e"))))
(assert_invalid
  (component quote "(export \\"x\\" (func 0))")
  "unknown function")"""


def test_a_test_script_becomes_commands_and_files(toolchain):
    """The suites of the WebAssembly projects are written so; names in confusing letters are among what they test."""
    with Desk(toolchain) as desk:
        found = desk.ask_json("wast", desk.put("script.wast", SCRIPT.encode()), "out", invalid=InputInvalid)["commands"]
        assert [(one["type"], one["line"], one["filename"]) for one in found] == [
            ("module_definition", 1, "script.0.wasm"),
            ("assert_invalid", 3, "script.1.wat"),
        ]
        toolchain.validate(desk.folder / "out" / "script.0.wasm")
        assert desk.take("out/script.1.wat").split() == b'(component(export "x" (func 0)) )'.split()


def test_what_is_wrong_with_a_test_script_is_located(toolchain):
    with Desk(toolchain) as desk, pytest.raises(InputInvalid, match=r"expected a string\n +--> script.wast:2:9"):
        desk.ask_json("wast", desk.put("script.wast", b"(component)\n(invoke 5)"), "out", invalid=InputInvalid)


def test_metadata_is_read_at_every_depth(toolchain, adder):
    found = toolchain.metadata(adder)
    assert (found.kind, found.size) == ("component", len(adder))
    assert found.producers["processed-by"]["wit-component"]
    core = found.children[0]
    assert (core.kind, core.producers["language"], core.annotations) == ("core-module", {"WAT": "1"}, {"version": "3.1"})
    assert [child.kind for child in found.children] == ["core-module", "component"], "wit-component wraps the exports in one of its own"
    assert toolchain.metadata(toolchain.parse("(component $named)")).name == "named"


def test_c_bindings_declare_the_world(toolchain, wit):
    files = toolchain.c(wit(ADDER, "adder"))
    assert sorted(files) == ["adder.c", "adder.h", "adder_component_type.o"]
    assert b"uint32_t exports_acme_adder_math_add(uint32_t a, uint32_t b);" in files["adder.h"]


FEATURES = {
    "implements": '(component (import "x" (implements "a:b/c") (instance)))',
    "map": "(component (type (map string u32)))",
    "async": '(component (import "f" (func async)))',
    "stream": "(component (type (stream u8)))",
    "error-context": "(component (type error-context))",
    "fixed-length lists": "(component (type (list u8 4)))",
    "values": '(component (import "v" (value string)))',
    "wide arithmetic": "(module (func (result i64 i64) (i64.add128 (i64.const 0) (i64.const 1) (i64.const 2) (i64.const 3))))",
    "threads": "(module (memory 1 1 shared))",
    "exceptions": "(module (tag))",
    "gc": "(module (type (struct)))",
    "memory64": "(module (memory i64 1))",
    "custom page sizes": "(module (memory 1 (pagesize 1)))",
    "stack switching": "(module (type $f (func)) (type $c (cont $f)))",
    "shared everything": "(module (type (shared (func))))",
    "compact imports": '(module (import "a" (item "b" (func)) (item "c" (func))))',
    "simd": "(module (func (param v128)))",
}


@pytest.mark.parametrize("feature", FEATURES)
def test_validate_accepts_what_the_engine_does(toolchain, feature):
    """What is composed must run: a binary that our wasmtime refuses by default must not pass, nor the reverse."""
    binary = toolchain.parse(FEATURES[feature])
    kind = wasmtime.component.Component if FEATURES[feature].startswith("(component") else wasmtime.Module
    try:
        kind(wasmtime.Engine(), binary)
    except wasmtime.WasmtimeError:
        with pytest.raises(InputInvalid):
            toolchain.validate(binary)
    else:
        toolchain.validate(binary)


# Refusals


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("package a:b; interface i { f: func(x: nope); }", "1:39", "name `nope` does not exist"),
        ("package a:b;\ninterface i { use x:y/z.{t}; }", "2:19", "package 'x:y' not found"),
        ("package a:b;\n\ninterface i { func", "3:15", "found keyword `func`"),
        ("package a:b; world w { export i; }", "1:31", "`i`"),
    ],
)
def test_errors_in_wit_name_file_line_and_column(toolchain, wit, text, place, message):
    source = wit(text)
    with pytest.raises(WitInvalid) as caught:
        toolchain.world(source)
    assert caught.value.message.startswith(f"{source.path}/world.wit:{place}: ")
    assert message in caught.value.message


def test_errors_in_a_package_beside_it_name_its_file(toolchain, wit, tmp_path):
    (tmp_path / "dep.wit").write_text("package x:y; interface z { f: func(a: nope); }")
    with pytest.raises(WitInvalid, match=re.escape(f"{tmp_path}/dep.wit:1:39: ")):
        toolchain.world(wit("package a:b; world w { import x:y/z; }", deps=[tmp_path / "dep.wit"]))


def damaged(kind, adder):
    return {
        "empty": b"",
        "garbage": bytes(range(256)),
        "text": b"package a:b;",
        "truncated header": adder[:6],
        "truncated": adder[: len(adder) // 2],
        "core module": wasmtime.wat2wasm("(module)"),
    }[kind]


@pytest.mark.parametrize("kind", ["missing", "folder", "empty", "garbage", "text", "truncated header", "truncated", "core module"])
@pytest.mark.parametrize("question", ["world", "wit", "text", "fits"])
def test_what_is_no_component_gets_one_clear_line(toolchain, wit, adder, tmp_path, kind, question):
    file = tmp_path / "x.wasm"
    if kind == "folder":
        file.mkdir()
    elif kind != "missing":
        file.write_bytes(damaged(kind, adder))
    source = Wit(path=file)
    arguments = (wit(ADDER.replace("export", "import")), source, "acme:adder/math@1.0.0") if question == "fits" else (source,)
    with pytest.raises(InputInvalid) as caught:
        getattr(toolchain, question)(*arguments)
    assert caught.value.message.startswith(f"{file}: ")
    assert "\n" not in caught.value.message


@pytest.mark.parametrize("kind", ["empty", "garbage", "text", "truncated header", "truncated"])
@pytest.mark.parametrize("question", ["validate", "metadata", "wat", "new"])
def test_damaged_binaries_are_refused(toolchain, adder, tmp_path, kind, question):
    file = tmp_path / "x.wasm"
    file.write_bytes(damaged(kind, adder))
    with pytest.raises(InputInvalid, match=re.escape(str(file))):
        getattr(toolchain, question)(file)


@pytest.mark.parametrize(
    ("question", "message"),
    [
        (lambda tools, adder: tools.new(adder), "a component, where a core module is expected"),
        (lambda tools, adder: tools.parse(""), "the file is empty"),
        (lambda tools, adder: tools.parse("(component (func $x"), "expected `(`"),
        (lambda tools, adder: tools.validate(Path("nowhere.wasm")), "there is no such file"),
    ],
)
def test_wrong_kinds_of_input_are_said(toolchain, adder, question, message):
    with pytest.raises(InputInvalid, match=re.escape(message)):
        question(toolchain, adder)


def test_hostile_bytes_are_refused_and_never_break_the_tool(toolchain, adder):
    """A library's panic would be ToolFailed. Seeded: a failure can be repeated."""
    dice = random.Random(7)
    refused = 0
    for _ in range(150):
        data = bytearray(adder)
        for _ in range(dice.randint(1, 4)):
            data[dice.randrange(8, len(data))] = dice.randrange(256)
        if dice.random() < 0.3:
            del data[dice.randrange(8, len(data)) :]
        for question in (toolchain.validate, toolchain.metadata, toolchain.wat):
            try:
                question(bytes(data))
            except InputInvalid:
                refused += 1
    assert refused > 100


def test_a_panic_inside_is_the_tools_failure_and_not_the_inputs(toolchain, monkeypatch):
    monkeypatch.setattr(Toolchain, "_run", lambda *_: (1, b"", "internal error: oh (x.rs:1:1)"))
    with pytest.raises(ToolFailed, match="internal error: oh"):
        toolchain.validate(b"x")


def test_the_tool_sees_its_folder_and_nothing_else(toolchain, tmp_path):
    """Its inputs are hostile; a flaw in a library must lead nowhere."""
    (tmp_path / "secret.wit").write_text(ADDER)
    (tmp_path / "desk").mkdir()
    (tmp_path / "desk" / "own.wit").write_text(ADDER)
    (tmp_path / "desk" / "link.wit").symlink_to(tmp_path / "secret.wit")
    run = lambda path: toolchain._run(["world", path], tmp_path / "desk")[0]  # noqa: E731
    assert run("own.wit") == 0, "the control"
    assert run(str(tmp_path / "secret.wit")) == 1
    assert run("../secret.wit") == 1
    assert run("link.wit") == 1


# WASI's own WIT


def test_wasis_wit_is_pinned_and_is_that_of_our_engine(toolchain):
    """Newer WIT than the engine serves would promise what is not there; older would hide what is."""
    files = toolchain.wasi_wit()
    sums = dict(reversed(line.split("  ")) for line in (ROOT / "wit" / "deps.sha256").read_text().splitlines())
    assert {f"deps/{name}": hashlib.sha256(data).hexdigest() for name, data in files.items()} == sums
    [version] = {re.search(rb"^package wasi:[a-z]+@([0-9.]+);", data, re.MULTILINE)[1] for data in files.values()}
    [library] = (file for file in Path(wasmtime.__file__).parent.rglob("*_libwasmtime.*") if file.suffix in {".so", ".dylib", ".dll"})
    assert b"wasi:io/streams@" + version in library.read_bytes()


def test_wasis_wit_is_laid_out_exactly(toolchain, tmp_path):
    (tmp_path / "deps.sha256").write_bytes((ROOT / "wit" / "deps.sha256").read_bytes())
    (tmp_path / "deps").mkdir()
    (tmp_path / "deps" / "io.wit").write_text("changed")
    (tmp_path / "deps" / "old.wit").write_text("left over")
    lay_out_wasi_wit(toolchain, tmp_path)
    assert {file.name: file.read_bytes() for file in (tmp_path / "deps").iterdir()} == toolchain.wasi_wit()


def test_another_wasi_than_the_pinned_one_is_refused(toolchain, tmp_path):
    (tmp_path / "deps.sha256").write_text("0" * 64 + "  deps/io.wit\n")
    with pytest.raises(DigestMismatch):
        lay_out_wasi_wit(toolchain, tmp_path)
    assert not (tmp_path / "deps").exists()


def test_its_digest_is_that_of_its_sources(toolchain):
    assert re.fullmatch("sha256:[0-9a-f]{64}", toolchain.digest)
    binary = toolchain._component.path.read_bytes()
    assert os.fsencode(str(Path.home())) not in binary, "a path of this machine would make each machine's binary another"
    assert os.fsencode(str(ROOT)) not in binary


def test_the_adapter_serves_what_the_c_library_asks_for(tmp_path):
    """A module that speaks WASI preview 1 becomes a component that imports preview 2, and no more of it than it uses."""
    wit = tmp_path / "w.wit"
    wit.write_text("package t:t;\nworld w { export run: func(); }\n")
    text = """(module
      (import "wasi_snapshot_preview1" "fd_write" (func (param i32 i32 i32 i32) (result i32)))
      (memory (export "memory") 1) (func (export "run")))"""
    tools = Toolchain()
    core = tools.embed(Wit(path=wit, world="w"), tools.parse(text))
    with pytest.raises(InputInvalid, match="wasi_snapshot_preview1"):
        tools.new(core)
    component = tmp_path / "c.wasm"
    component.write_bytes(tools.new(core, {"wasi_snapshot_preview1": tools.adapter()}))
    found = {item.name.partition("@")[0] for item in tools.world(Wit(path=component)).imports}
    assert {"wasi:cli/stdout", "wasi:io/streams"} <= found
    assert "wasi:sockets/tcp" not in found
