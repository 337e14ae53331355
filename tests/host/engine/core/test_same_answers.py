"""Both engines, the same components, random types and values, right and wrong: equal answers, equal refusals in equal words."""

from pathlib import Path

import pytest
from host.engine.conftest import LANES, echo_text
from host.engine.suite.values import exact
from host.engine.test_any_type import SHAPES, Maker
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ringfence.contract.types import ListOf, Primitive, ResultOf, TupleOf
from ringfence.contract.values import Case, Err, Ok, Some

CASES = Path(__file__).parents[3] / "composer" / "decompose"
WRONG = [None, True, -1, 1 << 70, 1.5, "x", "\ud800", b"\0", [], {}, (), {"a"}, Case("x"), Case(3), Some(1), Ok(), Err(5), object()]
PROPERTY = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


def spoiled(maker, value, depth=0):
    """The value with something wrong in it, perhaps deep inside."""
    pick = maker.random
    if depth < 4 and pick.random() < 0.7:
        if isinstance(value, (list, tuple)) and value:
            at = pick.randrange(len(value))
            return type(value)([*value[:at], spoiled(maker, value[at], depth + 1), *value[at + 1 :]])
        if hasattr(value, "__wit__"):
            fields = dict(zip(value.__wit__, value._values(), strict=True))
            name = pick.choice(value.__wit__)
            if pick.random() < 0.2:
                del fields[name]
                return fields
            return fields | {name: spoiled(maker, fields[name], depth + 1)}
        if isinstance(value, Case):
            return Case(value.name, spoiled(maker, value.value, depth + 1))
        if isinstance(value, (Some, Ok, Err)):
            return type(value)(spoiled(maker, value.value, depth + 1))
    return pick.choice(WRONG)


def imports(side):
    def host(_context, value):
        side.seen.append(value)
        return side.answer if hasattr(side, "answer") else value

    return {("", "host"): host}


@PROPERTY
@given(seed=st.integers(0, 1 << 40))
def test_random_values_of_random_types(sides, seed):
    maker = Maker(seed)
    kind = maker.type(3, SHAPES[seed % len(SHAPES)])
    kind = TupleOf((kind,)) if isinstance(kind, ResultOf) else kind
    pair = sides(echo_text(kind), imports)
    for _ in range(12):
        value = maker.value(kind)
        good, bad = value, spoiled(maker, value)
        for given_value in (good, bad):
            outcomes = [side.outcome("echo", given_value) for side in pair]
            assert outcomes[0] == outcomes[1]
            assert repr(pair[0].seen) == repr(pair[1].seen)
            assert not any(side.instance.trapped for side in pair)
            if given_value is good:
                assert (outcomes[0][0], exact(outcomes[0][1])) == ("value", exact(good)), "both may be wrong alike"
    for side in pair:
        side.answer = bad
    outcomes = [side.outcome("echo", good) for side in pair]
    assert outcomes[0] == outcomes[1], "a host function's wrong answer"
    for side in pair:
        side.instance.close()


@pytest.mark.parametrize("name", sorted(path.stem for path in CASES.glob("*.wat")))
def test_types_are_the_same(assemble, name):
    """The plan's types against those that wasmtime reads from the binary."""
    artifacts = assemble((CASES / f"{name}.wat").read_text())
    component, core = (engine().load(artifacts) for engine in LANES.values())
    assert dict(core.imports) == dict(component.imports)
    assert dict(core.exports) == dict(component.exports)
    assert list(core.exports) == list(component.exports)


class Blob:
    def __init__(self, size):
        self.size, self.closed = size, 0

    def close(self):
        self.closed += 1


def everything(side):
    """Host functions for all the cases of the Decomposer's tests."""
    note = side.seen.append
    return {
        ("", "note"): lambda _, digit: note(digit),
        ("test:host/store", "[constructor]blob"): lambda _, size: Blob(size),
        ("test:host/store", "[method]blob.size"): lambda _, blob: blob.size,
        ("test:host/store", "consume"): lambda _, blob: blob.size,
    }


STRINGS = ["", "a", "héllo", "漢字" * 20, "é" * 40, "😀", "a" * 100 + "é" * 100 + "漢" * 100, "a" * 50 + "😀", "\0\x7f\x80\xff\u0100\uffff"]


def test_strings_pass_between_instances_in_every_pair_of_encodings(sides):
    """All twelve transcoders, each with texts that take its every way."""
    pair = sides((CASES / "composed.wat").read_text())
    names = [name for name, kind in pair[0].loaded.exports["test:composed/user"].functions.items() if kind.result == Primitive("string")]
    assert len(names) == 9
    for name in names:
        for text in STRINGS:
            found = [side.outcome(("test:composed/user", name), text) for side in pair]
            assert found[0] == found[1] == ("value", text, False), name
    for side in pair:
        side.renew()
        assert side.outcome(("test:composed/user", "list"), [(1, "a"), (2, "é😀")]) == ("value", [(1, "a"), (2, "é😀")], False)


@pytest.mark.parametrize("name", ["bad-char", "bad-string", "fail"])
def test_traps_between_instances_mean_the_same(sides, name):
    (kind, component, trapped), (other, core, also) = [
        side.outcome(("test:composed/user", name)) for side in sides((CASES / "composed.wat").read_text())
    ]
    assert (kind, other, trapped, also) == ("GuestTrap", "GuestTrap", True, True)
    assert set(component.lower().replace("`", "").split()) & set(core.lower().replace("`", "").split()), (component, core)


def test_a_resource_passes_between_instances(sides):
    for side in sides((CASES / "composed.wat").read_text()):
        assert side.outcome(("test:composed/user", "resource"), 3) == ("value", 4003 if not side.seen else None, False)


def test_start_code_runs_in_the_components_order(sides):
    first, second = sides((CASES / "starts.wat").read_text(), everything)
    assert first.seen == second.seen != []
    assert [first.outcome("get", at) for at in range(16)] == [second.outcome("get", at) for at in range(16)]


def test_a_module_that_is_instantiated_twice_has_two_states(sides):
    first, second = sides((CASES / "twice.wat").read_text())
    for name in "abab":
        assert first.outcome(name) == second.outcome(name)


def test_resources_of_both_kinds(sides):
    pair = sides((CASES / "resources.wat").read_text(), everything)
    counters = "test:guest/counters"
    for side in pair:
        one, two = (side.outcome((counters, "[constructor]counter"), number)[1] for number in (5, 7))
        merged = side.outcome((counters, "[method]counter.merge"), one, two)[1]
        side.seen.append(side.outcome((counters, "[method]counter.value"), merged))
        side.seen.append(side.outcome((counters, "take"), merged))
        side.seen.append(side.outcome((counters, "dropped")))
        side.seen += [side.outcome("measure", 33), side.outcome("lent", Blob(3))]
        blob = Blob(4)
        assert side.outcome("own", blob)[1] is blob
        side.seen.append(side.outcome("kept", Blob(3))[0])
    assert pair[0].seen == pair[1].seen
    assert pair[1].seen[-1] == "GuestTrap"


@pytest.mark.parametrize("bits", [0x7FF8000000000000, 0x7FF0000000000001, 0xFFFFFFFFFFFFFFFF])
def test_every_nan_is_the_canonical_one(core, bits):
    """*Loading*, `canonicalize_nan64`: which bits a NaN had can't be told afterwards."""
    import struct

    text = f"""(component (core module $m (memory (export "m") 1)
        (func (export "f") (result f64) (f64.reinterpret_i64 (i64.const {bits})))
        (func (export "l") (result i32) (i64.store (i32.const 32) (i64.const {bits})) (i32.store (i32.const 8) (i32.const 32))
          (i32.store (i32.const 12) (i32.const 1)) (i32.const 8)))
      (core instance $i (instantiate $m))
      (func (export "f") (result f64) (canon lift (core func $i "f")))
      (func (export "l") (result (list f64)) (canon lift (core func $i "l") (memory (core memory $i "m")))))"""
    from host.engine.conftest import Call

    instance = core(text)
    for value in (instance.call(("", "f"), (), Call()), *instance.call(("", "l"), (), Call())):
        assert struct.pack("<d", value) == bytes.fromhex("000000000000f87f")


def test_what_is_wrong_with_a_list_of_numbers(sides):
    for name in ("u16", "s64", "f32", "f64", "bool"):
        pair = sides(echo_text(ListOf(Primitive(name))), imports)
        for value in ([True], [1], [1.5], [1 << 80], [-1], [1e39], [None], (), "ab", b"ab", 5, [1, True], [float("inf"), float("-inf")]):
            outcomes = [side.outcome("echo", value) for side in pair]
            assert outcomes[0] == outcomes[1], (name, value)
