"""What a component's binary says of itself, and what is refused before anything runs."""

import pytest
import wasmtime
from hypothesis import given
from hypothesis import strategies as st
from ringfence.contract.errors import IntegrityError
from ringfence.contract.names import digest_of
from ringfence.contract.types import Borrow, FunctionType, Own, Primitive, ResourceName
from ringfence.engine.component import ComponentEngine
from ringfence.engine.footprint import PAGE, Footprint, footprint
from ringfence.engine.seam import Artifacts

CONN = ResourceName("acme:db/store", "conn")


@pytest.fixture
def load(tmp_path, cache):
    def loaded(binary: bytes):
        path = tmp_path / "component.wasm"
        path.write_bytes(binary)
        return ComponentEngine().load(Artifacts(component=path, digest=digest_of(binary), cache=cache))

    return loaded


def test_types_are_read_from_the_binary(load, text):
    loaded = load(bytes(wasmtime.wat2wasm(text("store"))))
    store, use = loaded.imports["acme:db/store"], loaded.imports["acme:db/use"]
    assert store.resources == ("conn", "other")
    assert store.functions["[method]conn.size"] == FunctionType(params=(("self", Borrow(CONN)),), result=Primitive("u32"))
    assert use.resources == ("conn",)
    assert use.functions["total"].params[0][1] == Borrow(CONN), "a resource is named by the interface that defines it"
    assert loaded.exports[""].functions["give-back"] == FunctionType(params=(), result=Own(CONN))
    assert not CONN.guest


def test_a_resource_that_the_component_defines_says_so(load, text):
    api = load(bytes(wasmtime.wat2wasm(text("things")))).exports["acme:api/things@1.2.0"]
    assert api.resources == ("thing", "other")
    made = api.functions["[constructor]thing"].result
    assert isinstance(made, Own)
    assert made.resource.guest
    assert made.resource == ResourceName("acme:api/things@1.2.0", "thing")


def test_an_imported_and_an_exported_resource_of_one_name_are_two(start, new_call):
    """A component may import and export the same interface, as a wrapper does."""
    code = """(component
      (import "acme:db/store" (instance $in (export "conn" (type $c (sub resource))) (export "open" (func (result (own $c))))))
      (core func $open (canon lower (func $in "open")))
      (core func $drop (canon resource.drop (type $in "conn")))
      (type $mine (resource (rep i32)))
      (core func $new (canon resource.new $mine))
      (core module $m (import "" "open" (func $open (result i32))) (import "" "new" (func $new (param i32) (result i32)))
        (func (export "open") (result i32) (call $new (call $open))))
      (core instance $i (instantiate $m (with "" (instance (export "open" (func $open)) (export "new" (func $new))))))
      (func $opens (result (own $mine)) (canon lift (core func $i "open")))
      (component $shim
        (import "conn" (type $c (sub resource))) (import "open" (func $open (result (own $c))))
        (export $x "conn" (type $c)) (export "open" (func $open) (func (result (own $x)))))
      (instance $out (instantiate $shim (with "conn" (type $mine)) (with "open" (func $opens))))
      (export "acme:db/store" (instance $out)))"""

    class Conn:
        closed = 0

        def close(self):
            Conn.closed += 1

    instance = start(code, {("acme:db/store", "open"): lambda _: Conn()})
    handle = instance.call(("acme:db/store", "open"), (), new_call())
    assert instance.owns(handle)
    assert not isinstance(handle, Conn)
    instance.close()
    assert Conn.closed == 1


def test_every_missing_import_is_named(link, text):
    with pytest.raises(LookupError) as caught:
        link(text("store"), {("acme:db/store", "open"): lambda _: None})
    missing = "acme:db/store.[method]conn.size, acme:db/store.[method]other.size, acme:db/store.consume, acme:db/use.total"
    assert str(caught.value) == f"no host function for {missing}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("(module)", "no component that this engine can run"),
        ('(component (import "m" (core module)))', "it is no function, type or resource"),
        ('(component (import "i" (instance (export "j" (instance)))))', "it is no function, type or resource"),
    ],
)
def test_what_cannot_be_run_is_refused_when_loaded(load, text, message):
    with pytest.raises(IntegrityError, match=message):
        load(bytes(wasmtime.wat2wasm(text)))


@pytest.mark.parametrize("binary", [b"", b"\0asm", b"\0asm\x0d\0\1\0\xff\xff", b"hello" * 100])
def test_garbage_is_refused_when_loaded(load, binary):
    with pytest.raises(IntegrityError):
        load(binary)


@given(
    st.lists(st.tuples(st.integers(0, 50), st.integers(0, 200), st.integers(1, 4)), max_size=6),
    st.integers(0, 1000),
)
def test_memories_together_stay_within_their_bound(memories, pages):
    made = Footprint()
    for minimum, more, count in memories:
        made.memories[minimum, minimum + more] += count
    bound = made.bound(pages * PAGE)

    def reached(each):
        return sum(min(maximum, each) * count for (_, maximum), count in made.memories.items())

    if bound is None:
        floor = max(minimum for minimum, _ in made.memories)
        assert reached(floor) > pages, "refused only where the smallest bound they need is too much"
    else:
        assert reached(bound // PAGE) <= pages
        assert all(minimum <= bound // PAGE for minimum, _ in made.memories)
        assert reached(bound // PAGE + 1) > pages or bound // PAGE >= max((most for _, most in made.memories), default=0)


def test_memories_are_counted_however_they_come_about():
    """Nested, aliased, exported, made twice."""
    code = """(component
      (core module $a (memory 1 3) (table 1 funcref))
      (core module $b (import "x" "y" (memory 1)) (memory 2))
      (component $c
        (core instance $i (instantiate $a)) (alias outer 1 $b (core module $d))
        (export $e "m" (core module $d))
        (core instance (instantiate $d (with "x" (instance (export "y" (memory $i "z"))))))
        (core instance (instantiate $e (with "x" (instance (export "y" (memory $i "z")))))))
      (component $unused (core module $n (memory 100)) (core instance (instantiate $n)))
      (instance (instantiate $c)) (instance (instantiate $c)))""".replace("(memory 1 3)", '(memory (export "z") 1 3)')
    made = footprint(memoryview(bytes(wasmtime.wat2wasm(code))))
    assert made.memories == {(1, 3): 2, (2, 65536): 4}
    assert (made.tables, made.instances) == (2, 6)


def test_many_instances_of_instances_are_counted_without_making_them():
    nested = "(core module $m (memory 1)) (core instance (instantiate $m))"
    for _ in range(12):
        nested = f"(component $c {nested}) (instance (instantiate $c)) (instance (instantiate $c))"
    made = footprint(memoryview(bytes(wasmtime.wat2wasm(f"(component {nested})"))))
    assert sum(made.memories.values()) == 2**12
