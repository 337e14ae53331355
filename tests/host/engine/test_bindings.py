"""Values of generated classes through a real component and back: types and values made at random, from fixed seeds."""

import dataclasses
import enum

import pytest
import wasmtime
from composer.bindings.conftest import Bench
from host.engine.conftest import Call, echo_text
from host.engine.test_any_type import SHAPES, Maker
from ringfence import GuestError, UsageError
from ringfence.bindings import Failure
from ringfence.contract.canonical import canonical
from ringfence.contract.types import (
    EnumOf,
    FunctionType,
    InterfaceType,
    ListOf,
    OptionOf,
    Primitive,
    RecordOf,
    ResultOf,
    TupleOf,
    VariantOf,
)
from ringfence.contract.values import Case, Err, Label, Ok, Record, Some, WitError


class Node:
    def __init__(self, exports):
        self.name, self.exports = "node", exports


class Target:
    def __init__(self, node, name):
        self.node, self.function, self.name = node, ("", name), f"node.{name}"
        self.type = node.exports[""].functions[name]


class OneFunction:
    """As much of a graph as a client asks for, around one instance of an echo component."""

    name = "echo"

    def __init__(self, start, kind):
        self.instance = start(echo_text(kind), {("", "host"): lambda _, value: answered(value) if isinstance(kind, ResultOf) else value})
        exports = InterfaceType(functions={"echo": FunctionType(params=(("x", kind),), result=kind)})
        self.target = Target(Node({"": exports}), "echo")

    def __iter__(self):
        return iter([self.target])

    def call(self, _name, *arguments):
        try:
            return self.instance.call(("", "echo"), arguments, Call())
        except WitError as error:
            raise GuestError("node.echo", error.value) from None


def answered(result):
    """What a host function does to answer with this result."""
    if isinstance(result, Err):
        raise WitError(result.value)
    return result.value


@pytest.fixture(scope="session")
def bench(tmp_path_factory):
    return Bench(tmp_path_factory.mktemp("bindings"))


@pytest.fixture
def client(bench, start):
    """`client(kind)`: the generated client of an echo component for this type, and its module."""

    def made(kind):
        binary = bytes(wasmtime.wat2wasm(echo_text(kind)))
        loaded = bench.load(bench.text(node=binary))
        return vars(loaded.Node(OneFunction(start, kind)))["root"], loaded

    return made


def plain_ones(value):
    """The plain WIT values that are left inside a value of generated classes."""
    if isinstance(value, (Record, Case, Label)):
        yield value
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        for field in dataclasses.fields(value):
            yield from plain_ones(getattr(value, field.name))
    elif isinstance(value, (list, tuple, frozenset)):
        for one in value:
            yield from plain_ones(one)


@pytest.mark.parametrize("seed", range(45))
def test_any_value_comes_back_in_the_declared_classes_and_goes_in_as_such(client, seed):
    maker = Maker(seed)
    kind = maker.type(3, SHAPES[seed % len(SHAPES)])
    run, _ = client(kind)
    check = canonical(kind, None)
    for _ in range(12):
        value = maker.value(kind)
        if isinstance(kind, ResultOf) and isinstance(value, Err):
            with pytest.raises(Failure) as failed:
                run.echo(value)
            assert [*plain_ones(failed.value.value)] == []
            again, value = Err(failed.value if hasattr(failed.value, "__case__") else failed.value.value), check(value, ())
        else:
            found = run.echo(value)
            assert [*plain_ones(found)] == []
            again, value = Ok(found) if isinstance(kind, ResultOf) else found, check(value, ())
            assert run.echo(again) == found, "what came out goes in, and comes out equal"
        assert check(again, ()) == value, "nothing was lost on the way"


def test_each_shape_arrives_as_what_it_is_declared(client):
    kind = RecordOf(
        (
            ("state", EnumOf(("on", "half-off"))),
            ("leaf", VariantOf((("dry", None), ("wet", Primitive("f32"))))),
            ("deep", OptionOf(OptionOf(Primitive("u8")))),
            ("tried", ResultOf(Primitive("string"), None)),
            ("data", ListOf(Primitive("u8"))),
        )
    )
    run, loaded = client(kind)
    found = run.echo({"state": "half-off", "leaf": Case("wet", 1.5), "deep": Some(None), "tried": Err(), "data": b"x"})
    state, leaf = (type(getattr(found, name)) for name in ("state", "leaf"))
    assert issubclass(state, enum.StrEnum)
    assert found.state is state.HALF_OFF
    assert dataclasses.is_dataclass(leaf)
    assert found.leaf.value == 1.5
    assert (found.deep, found.tried, found.data) == (Some(None), Err(None), b"x")
    assert type(found) in vars(loaded).values()
    assert run.echo(x=found) == found


def test_bindings_of_other_types_are_refused_before_the_first_call(bench, start):
    """Else the first wrong answer would be an AttributeError deep inside, or a wrong value."""
    changes = [
        (Primitive("u8"), Primitive("string"), "echo of Root has other types, at x"),
        (ListOf(Primitive("u8")), ListOf(Primitive("s8")), "at x"),
        (RecordOf((("a", Primitive("u8")),)), RecordOf((("b", Primitive("u8")),)), "at x"),
        (RecordOf((("a", Primitive("u8")),)), RecordOf((("a", Primitive("char")),)), "at x.a"),
        (EnumOf(("a", "b")), EnumOf(("b", "a")), "at x"),
        (VariantOf((("a", None),)), VariantOf((("a", Primitive("u8")),)), "at x.a"),
        (OptionOf(Primitive("u8")), Primitive("u8"), "at x"),
        (TupleOf((Primitive("u8"),)), TupleOf((Primitive("u8"),) * 2), "at x"),
        (ResultOf(None, Primitive("u8")), ResultOf(None, Primitive("string")), "at x"),
        (OptionOf(OptionOf(Primitive("u8"))), OptionOf(Primitive("u8")), "at x"),
    ]
    for declared, found, place in changes:
        loaded = bench.load(bench.text(node=bytes(wasmtime.wat2wasm(echo_text(declared)))))
        loaded.Node(OneFunction(start, declared))
        with pytest.raises(UsageError, match=f"not of the graph as it is: .*{place}\n  run: compose bindings"):
            loaded.Node(OneFunction(start, found))
