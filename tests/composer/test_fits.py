"""Whether an export fits an import: the component model's own subtyping, asked of two worlds."""

from __future__ import annotations

import re

import pytest
import wasmtime
from ringfence_composer.errors import InputInvalid
from ringfence_composer.toolchain import Toolchain, Wit
from ringfence_composer.tools import Fit

# A world whose functions need no memory, so that its implementation is three lines.
ADDER = "package acme:adder@1.0.0; interface math { add: func(a: u32, b: u32) -> u32; } world adder { export math; }"
ADDER_CORE = """(module (@custom "version" "3.1") (@producers (language "WAT" "1"))
  (func (export "acme:adder/math@1.0.0#add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))"""


CONSUMER = """
package a:b@0.2.6;
interface dep { resource handle { read: func() -> u32; } record point { x: u32, y: u32 } }
interface api {
    use dep.{handle, point};
    variant shape { dot(point), line(tuple<point, point>), nothing }
    resource cursor { constructor(page: u32); next: func() -> list<shape>; }
    open: func(at: shape) -> result<handle, string>;
    size: func(of: borrow<handle>) -> u64;
}
"""
SIDES = " world consumer { import api; } world provider { export api; } world both { export dep; export api; }"


@pytest.fixture(scope="session")
def toolchain():
    return Toolchain()


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


def fit(toolchain, wit, change=("", ""), *, provider="provider"):
    text = CONSUMER + SIDES
    other = text.replace(*change) if change[0] else text
    assert change[0] in text
    return toolchain.fits(wit(text, "consumer"), wit(other, provider), "a:b/api@0.2.6")


def test_equal_interfaces_fit_and_shared_resources_are_named(toolchain, wit):
    assert fit(toolchain, wit) == Fit(fits=True, shared=("a:b/dep@0.2.6",))


@pytest.mark.parametrize(
    "change",
    [
        ("open: func", "more: func(); open: func"),  # the provider has more
        ("size: func", "type extra = u8; record unused { a: u8 } size: func"),
        ("package a:b@0.2.6", "package a:b@0.2.0"),  # compatible both ways, as wasmtime has it
        ("package a:b@0.2.6", "package a:b@0.2.12"),
        ("use dep.{handle, point};", "use dep.{handle, point as p}; type point = p;"),  # values count by structure
        ("record point { x: u32, y: u32 }", "record point { x: u32, y: u32 } record other { z: u8 }"),
        ("read: func() -> u32;", "read: func() -> string;"),  # functions of another interface are another import
    ],
)
def test_differences_that_do_not_matter(toolchain, wit, change):
    assert fit(toolchain, wit, change).fits


@pytest.mark.parametrize(
    ("change", "item", "expected", "found"),
    [
        (("size: func(of: borrow<handle>) -> u64;", ""), "size", "size: func(of: borrow<handle>) -> u64;", None),
        (("-> u64", "-> u32"), "size", "-> u64", "-> u32"),
        (("(of: borrow<handle>)", "(of: handle)"), "size", "borrow<handle>", "(of: handle)"),
        (("func(of:", "func(what:"), "size", "func(of:", "func(what:"),
        (("size: func(of: borrow<handle>)", "size: func(of: borrow<handle>, x: u8)"), "size", "<handle>) ->", "x: u8) ->"),
        (("{ x: u32, y: u32 }", "{ x: u32, y: s32 }"), "point", "y: u32", "y: s32"),
        (("{ x: u32, y: u32 }", "{ y: u32, x: u32 }"), "point", "x: u32,\n  y: u32", "y: u32,\n  x: u32"),
        ((", nothing }", " }"), "shape", "nothing", "variant shape"),
        ((", nothing }", ", nothing, more }"), "shape", "nothing", "more"),
        (("constructor(page: u32)", "constructor(page: u64)"), "[constructor]cursor", "page: u32", "page: u64"),
        (("next: func() -> list<shape>", "next: func() -> option<shape>"), "[method]cursor.next", "list<shape>", "option<shape>"),
        (("result<handle, string>", "result<handle>"), "open", "result<handle, string>", "result<handle>"),
        (("open: func", "open: async func"), "open", "func", "async func"),
    ],
)
def test_the_first_difference_is_shown_side_by_side(toolchain, wit, change, item, expected, found):
    answer = fit(toolchain, wit, change)
    assert not answer.fits
    assert answer.item == item
    assert expected in answer.expected
    assert answer.found is None if found is None else found in answer.found
    assert answer.reason
    assert "ResourceId" not in answer.reason


def test_a_providers_own_resources_count_where_it_exports_their_interface(toolchain, wit):
    """The consumer then takes both interfaces from it, so that they are the same."""
    assert fit(toolchain, wit, provider="both").fits


def test_resources_of_different_origin_do_not_fit(toolchain, wit):
    """`api` here hands out handles of its own, which look the same and are others."""
    change = ("use dep.{handle, point};", "use dep.{point}; resource handle { read: func() -> u32; }")
    answer = fit(toolchain, wit, change)
    assert not answer.fits
    assert answer.item == "handle"
    assert "different places" in answer.reason


# A component that WIT can't express: `api` speaks of the handles that {0} has, beside an export of `dep`.
DEP = '(export "handle" (type (sub resource)))'
TWO_FACED = """(component
  (import "a:b/dep@0.2.6" (instance $theirs (export "handle" (type (sub resource)))))
  (alias export $theirs "handle" (type $their-handle))
  (core module $m (func (export "open") (result i32) unreachable))
  (core instance $i (instantiate $m))
  (type $own (resource (rep i32)))
  (instance $ours (export "handle" (type $own)))
  (alias export {0} "handle" (type $handle))
  (func $open (result (own $handle)) (canon lift (core func $i "open")))
  (export $dep "a:b/dep@0.2.6" (instance $ours))
  (alias export $dep "handle" (type $exported))
  (instance $api (export "open" (func $open)))
  (export "a:b/api@0.2.6" (instance $api)))"""


# A consumer in WebAssembly, whose `api` has no type but a function that gives one of `dep`.
ASKS = """(component
  (import "a:b/dep@0.2.6" (instance $dep (export "handle" (type (sub resource)))))
  (alias export $dep "handle" (type $handle))
  (import "a:b/api@0.2.6" (instance (alias outer 1 $handle (type $h)) (export "open" (func (result (own $h)))))))"""


@pytest.mark.parametrize(("speaks_of", "fits"), [("$ours", True), ("$theirs", False)])
def test_an_import_does_not_stand_for_an_export_of_the_same_interface(toolchain, component, speaks_of, fits):
    """The consumer's handles are those that the provider exports; those that it imports are others."""
    answer = toolchain.fits(component(ASKS), component(TWO_FACED.format(speaks_of)), "a:b/api@0.2.6")
    assert answer.fits == fits


def test_two_versions_of_one_interface_have_the_same_resources(toolchain, component):
    """Compilers and adapters ask for different patch versions, and one instance serves them all."""

    def text(side):
        return f"""(component
          (import "a:b/dep@0.2.0" (instance $old {DEP})) (alias export $old "handle" (type $old))
          (import "a:b/dep@0.2.6" (instance $new {DEP})) (alias export $new "handle" (type $new)) {side})"""

    function = '(func (param "x" (own {0})) (param "y" (own {1})))'
    consumer = text(f'(import "a:b/api@0.2.6" (instance (alias outer 1 $old (type $a)) (alias outer 1 $new (type $b)) '
                    f'(export "f" {function.format("$a", "$b")})))')  # fmt: skip
    provider = text(f'(import "f" (func $f {function.format("$new", "$old")[6:-1]}))'
                    ' (instance $api (export "f" (func $f))) (export "a:b/api@0.2.6" (instance $api))')  # fmt: skip
    assert toolchain.fits(component(consumer), component(provider), "a:b/api@0.2.6").fits


def test_plain_functions_fit_or_not_as_well(toolchain, wit):
    consumer = wit("package a:b; world c { import f: func(a: u32); }", "c")
    assert toolchain.fits(consumer, wit("package x:y; world p { export f: func(a: u32); }", "p"), "f").fits
    answer = toolchain.fits(consumer, wit("package x:y; world p { export f: func(a: u64); }", "p"), "f")
    assert (answer.fits, answer.item) == (False, None)
    assert (answer.expected, answer.found) == ("f: func(a: u32);", "f: func(a: u64);")


def test_binaries_are_compared_like_sources(toolchain, wit, adder, tmp_path):
    (tmp_path / "adder.wasm").write_bytes(adder)
    binary = Wit(path=tmp_path / "adder.wasm")
    name = "acme:adder/math@1.0.0"
    assert toolchain.fits(wit(ADDER.replace("export", "import")), binary, name).fits
    assert toolchain.fits(wit(ADDER.replace("export", "import")), binary, "acme:adder/math").fits
    assert toolchain.fits(wit(ADDER.replace("export", "import").replace("1.0.0", "1.7.0")), binary, name).fits
    assert not toolchain.fits(wit(ADDER.replace("export", "import").replace("-> u32", "-> u64")), binary, name).fits


@pytest.mark.parametrize(
    ("version", "interface"), [("2.0.0", "acme:adder/math@1.0.0"), ("2.0.0", "acme:adder/math@2.0.0"), ("1.0.0", "acme:adder/maths")]
)
def test_no_such_interface_is_an_error_and_not_a_misfit(toolchain, wit, version, interface):
    provider = wit(ADDER.replace("1.0.0", version))
    with pytest.raises(InputInvalid, match=re.escape(f"no single `{interface}`; it has: acme:adder/math@")):
        toolchain.fits(wit(ADDER.replace("export", "import")), provider, interface)


def test_fits_agrees_with_what_wasmtime_links(toolchain, component):
    """The engine has the last word: it instantiates what fits and refuses what does not."""
    consumer = '(component (import "a:b/i" (instance (export "f" (func (param "x" {0}) (result {1}))))))'
    provider = '(component (import "f" (func $f (param "x" {0}) (result {1}))) (instance (export "a:b/i") (export "f" (func $f))))'
    engine = wasmtime.Engine()
    types = ["u32", "s32", "string", "(list u8)", "(option string)", "(tuple u8 u8)", "(result u8 (error string))", "char"]
    seen = set()
    for wanted in types:
        for given in types:
            answer = toolchain.fits(component(consumer.format(wanted, given)), component(provider.format(given, given)), "a:b/i")
            linked = consumer.format(wanted, given)[11:-1]
            outer = f'(component (import "p" (instance $p (export "f" (func (param "x" {given}) (result {given})))))'
            outer += f' (component $c {linked}) (instance (instantiate $c (with "a:b/i" (instance $p)))))'
            try:
                wasmtime.component.Component(engine, wasmtime.wat2wasm(outer))
                accepted = True
            except wasmtime.WasmtimeError:
                accepted = False
            assert answer.fits == accepted, (wanted, given)
            seen.add(accepted)
    assert seen == {True, False}
