"""A library that lies: whatever its component answers, the host says that it is no answer, ends the instance, and goes on.

Each answer here is one that an attacker would choose. What must not happen: a crash, a hang, an object of a class of the attacker's choice,
code that runs.
"""

from __future__ import annotations

import inspect
import json
import pickle
import time
import typing

import pytest
from native_library import Names, NativeLibrary
from ringfence.objects import BorderViolated
from ringfence.objects.agreed.terms import Malformed
from ringfence.objects.bounds import BoundedCodec, Bounds


def lying(*answers, hello="[0,null]"):
    """A function of a library that gives these answers in turn, the last one for ever."""
    left = list(answers)

    def perform(text):
        if json.loads(text)[2] == "hello":
            return hello
        return left.pop(0) if len(left) > 1 else left[0]

    return Names(NativeLibrary("zoo", ["zoo"], perform=perform), "zoo")


def answer(value):
    return json.dumps([0, value])


CLASS = {
    "$": "K",
    "i": 1,
    "k": None,
    "r": {"name": "X", "qualname": "X", "module": "m", "bases": [{"$": "B", "v": "object"}], "members": {}, "abcs": []},
}


def of_class(**changes):
    return {**CLASS, "r": {**CLASS["r"], **changes}}


MERSENNE = (1 << 61) - 1
CHAIN = [*({"$": "t", "v": [{"$": "@", "i": one + 1}]} for one in range(50_000)), []]
ONE_HASH = [{"$": "n", "v": f"{one * MERSENNE:x}"} for one in range(20_000)]
LAUGHS = {"$": "R", "v": [*({"$": "t", "v": [{"$": "@", "i": one + 1}] * 2} for one in range(45)), []], "x": {"$": "@", "i": 0}}
"""A tuple that holds another twice, and so on: small to write, endless to hash or to look at."""
LAUGHING_LIST = {"$": "R", "v": [*([{"$": "@", "i": one + 1}] * 2 for one in range(45)), []], "x": {"$": "@", "i": 0}}
FOREVER = {"$": "i", "i": 9, "g": False}
SET_OF_ONE_HASH = json.dumps({"$": "s", "v": ONE_HASH})


def method_with(signature):
    return of_class(members={"f": {"kind": "method", "signature": signature}})


def raising(**changes):
    kind = {"$": "E", "v": "ValueError"}
    return json.dumps([1, {"$": "o", "i": 1, "c": kind, "a": [], "s": "", "t": "", "n": [], "e": None, "d": False, **changes}])


LIES = {
    "nothing": "",
    "no JSON": "[0,",
    "no list": "5",
    "a verdict of its own": "[7,1]",
    "a verdict that is none": '["0",1]',
    "true for a verdict": "[true,1]",
    "an answer that is too long": "[0,1,{},4]",
    "an exception that is none": "[1,5]",
    "extras that are none": "[0,1,5]",
    "a warning that is none": '[0,1,{"w":5}]',
    "a warning of no class": '[0,1,{"w":[5]}]',
    "an unknown kind": answer({"$": "?"}),
    "a kind that is no text": answer({"$": []}),
    "a kind that is null": answer({"$": None}),
    "a dict's list for a key": answer({"$": "d", "v": [[[1], 2]]}),
    "a dict's item of three": answer({"$": "d", "v": [[1, 2, 3]]}),
    "a set of lists": answer({"$": "s", "v": [[1]]}),
    "a tuple of text": answer({"$": "t", "v": "abc"}),
    "an int that is none": answer({"$": "n", "v": "zz"}),
    "an int of ten million digits": '[0,' + "9" * 10_000_000 + "]",
    "a Decimal with a monstrous exponent": answer({"$": "N", "v": "1e999999999"}),
    "a Decimal that is none": answer({"$": "N", "v": "one"}),
    "a Fraction by zero": answer({"$": "F", "v": [1, 0]}),
    "a Fraction that takes for ever": answer({"$": "F", "v": [{"$": "n", "v": "f" * 400_000}, {"$": "n", "v": "e" * 400_000}]}),
    "bytes that are none": answer({"$": "b", "v": "!!"}),
    "a date that is none": answer({"$": "Y", "v": [0, 0, 0]}),
    "a date of a float": answer({"$": "Y", "v": [1.5, 1, 1]}),
    "a time zone that is a class": answer({"$": "T", "v": [2020, 1, 1], "f": 0, "z": {"$": "B", "v": "int"}}),
    "a timedelta beyond all": answer({"$": "L", "v": [10**10, 0, 0]}),
    "a UUID that is none": answer({"$": "U", "v": "x"}),
    "a range of text": answer({"$": "r", "v": ["a", "b", "c"]}),
    "a range without a step": answer({"$": "r", "v": [0, 1, 0]}),
    "an unknown built-in": answer({"$": "B", "v": "eval"}),
    "a class for a built-in": answer({"$": "B", "v": "os"}),
    "an unknown exception": answer({"$": "E", "v": "eval"}),
    "a number of nobody's": answer({"$": "h", "i": 12345}),
    "a class that never came": answer({"$": "C", "i": 5}),
    "an object of no class": answer({"$": "o", "i": 1, "c": 5}),
    "an object of a built-in class": answer({"$": "o", "i": 1, "c": {"$": "B", "v": "list"}}),
    "an object of type": answer({"$": "o", "i": 1, "c": {"$": "B", "v": "type"}}),
    "an object whose number is text": answer({"$": "o", "i": "1", "c": CLASS}),
    "a value that does not fit its class": answer({"$": "v", "i": 3, "c": of_class(bases=[{"$": "B", "v": "str"}]), "v": 5}),
    "a value of a class that holds none": answer({"$": "v", "i": 3, "c": CLASS, "v": 5}),
    "a class twice": answer([CLASS, CLASS]),
    "a class whose name is no text": answer(of_class(name=["X"])),
    "a class with a hostile member": answer(of_class(members={"a b": {"kind": "method"}})),
    "a class with a member of no kind": answer(of_class(members={"a": {"kind": "exec"}})),
    "a class whose base is no class": answer(of_class(bases=[5])),
    "a class of bases that quarrel": answer(of_class(bases=[{"$": "B", "v": "int"}, {"$": "B", "v": "str"}])),
    "a class with fields that are none": answer(of_class(fields=[5])),
    "an unknown container": answer({"$": "w", "i": 1, "k": "eval"}),
    "a function of the API that is not there": answer({"$": "A", "v": "os:system"}),
    "a function's key that is a list": answer({"$": "A", "v": []}),
    "a module without a name": answer({"$": "m", "v": []}),
    "a view of unhashable keys": answer({"$": "y", "k": "keys", "v": [[]]}),
    "a table's entry outside": answer({"$": "R", "v": [], "x": {"$": "@", "i": 0}}),
    "a table's negative entry": answer({"$": "R", "v": [[1]], "x": {"$": "@", "i": -1}}),
    "a tuple that contains itself": answer({"$": "R", "v": [{"$": "t", "v": [{"$": "@", "i": 0}]}], "x": {"$": "@", "i": 0}}),
    "a node that is no container": answer({"$": "R", "v": [5], "x": {"$": "@", "i": 0}}),
    "lists without end": "[0," + "[" * 100_000 + "]" * 100_000 + "]",
    "dicts without end": "[0," + '{"a":' * 100_000 + "1" + "}" * 100_000 + "]",
    "tuples without end": "[0," + '{"$":"t","v":[' * 2000 + "1" + "]}" * 2000 + "]",
    "a chain of tuples, to be hashed": answer({"$": "R", "v": CHAIN, "x": {"$": "@", "i": 0}}),
    "keys with one hash": answer({"$": "d", "v": [[one, 1] for one in ONE_HASH]}),
    "a set of one hash": answer({"$": "s", "v": ONE_HASH}),
    "a key that is endless to hash": answer({"$": "s", "v": [LAUGHS]}),
    "a key of a named tuple's class, endless to hash": answer(
        {"$": "s", "v": [{"$": "v", "i": 1, "c": of_class(bases=[{"$": "B", "v": "tuple"}]), "v": LAUGHS}]}
    ),
    "a kind that is endless to hash": answer({"$": LAUGHS}),
    "a built-in's name that is endless to hash": answer({"$": "B", "v": LAUGHS}),
    "a function's key that is endless to hash": answer({"$": "A", "v": LAUGHS}),
    "a number that is endless to hash": answer({"$": "h", "i": LAUGHS}),
    "a note that is endless to look at": raising(n=[LAUGHING_LIST]),
    "numbers of objects with one hash": answer(
        [CLASS, *({"$": "o", "i": one * MERSENNE, "c": {"$": "C", "i": 1}} for one in range(40_000))]
    ),
    "a default of keys with one hash": answer(method_with({"parameters": [{"name": "a", "kind": 1, "default": SET_OF_ONE_HASH}]})),
    "parameters without end": answer(method_with({"parameters": FOREVER})),
    "bases without end": answer(of_class(bases=FOREVER)),
    "fields without end": answer(of_class(fields=FOREVER)),
    "abstract classes without end": answer(of_class(abcs=FOREVER)),
    "a factory that is the library's": answer({"$": "D", "v": [], "f": CLASS}),
    "a set of tuples of one hash": answer({"$": "s", "v": [{"$": "t", "v": [one]} for one in ONE_HASH]}),
}  # fmt: skip


def test_a_class_whose_name_is_code_is_a_class_without_a_name():
    """Libraries make classes of any name (`type("my class", …)`), so that it is no lie; here it becomes a word."""
    found = lying(answer({"$": "o", "i": 3, "c": of_class(name="X): import os #")})).echo(1)
    assert type(found).__name__ == "unnamed"


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_what_is_no_answer_is_refused(lie):
    """And quickly: nothing of it is built, and the next call gets a new instance."""
    zoo = lying(lie, answer("well"))
    began = time.monotonic()
    with pytest.raises(BorderViolated):
        zoo.echo(1)
    assert time.monotonic() - began < 5
    assert zoo.echo(1) == "well"


def test_more_values_than_are_allowed_are_refused():
    codec = BoundedCodec()
    codec.bounds = Bounds(values=1000)
    with pytest.raises(Malformed, match="values"):
        codec.loads(json.dumps(list(range(2000))))
    assert codec.loads(json.dumps("," * 5000)) == "," * 5000  # commas in text are no values


def test_depth_is_bounded_whatever_the_recursion_limit(monkeypatch):
    """An application that raised its limit must not be made to overflow its stack."""
    import sys

    monkeypatch.setattr(sys, "setrecursionlimit", sys.setrecursionlimit)
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(10_000_000)
    try:
        with pytest.raises(Malformed):
            BoundedCodec().loads("[" * 1_000_000 + "]" * 1_000_000)
    finally:
        sys.setrecursionlimit(before)


@pytest.mark.parametrize("name", ["SystemExit", "KeyboardInterrupt", "GeneratorExit", "BaseException"])
def test_what_ends_programs_is_not_raised_on_its_word(name):
    """Neither the built-in ones nor a class that claims to derive from one."""
    error = {"$": "o", "i": 1, "c": {"$": "E", "v": name}, "a": [1], "s": "", "t": "", "n": [], "e": None, "d": False}
    with pytest.raises(RuntimeError, match=name):
        lying(json.dumps([1, error])).echo(1)
    derived = {**error, "c": of_class(name="Bye", bases=[{"$": "E", "v": name}])}
    with pytest.raises(Exception) as caught:
        lying(json.dumps([1, derived])).echo(1)
    assert isinstance(caught.value, Exception)
    assert not isinstance(caught.value, SystemExit | KeyboardInterrupt)


def test_special_methods_are_those_that_cross():
    """A class can't bring what Python would call behind everybody's back."""
    hostile = [
        "__getattribute__",
        "__del__",
        "__class__",
        "__reduce__",
        "__init_subclass__",
        "__new__",
        "__set_name__",
        "__fspath__",
        "_ringfence_",
    ]
    zoo = lying(answer({"$": "o", "i": 1, "c": of_class(members={name: {"kind": "method"} for name in [*hostile, "__len__"]})}))
    found = zoo.echo(1)
    assert "__len__" in type(found).__dict__
    assert not {name for name in hostile if name in type(found).__dict__ and type(found).__dict__[name].__class__.__name__ == "function"}


def test_a_class_is_no_way_to_import_a_module():
    """Pickling a class by its name imports the module that it says it is of."""
    found = lying(answer(of_class(module="antigravity"))).echo(1)
    with pytest.raises(TypeError, match="pickled"):
        pickle.dumps(found)


def test_annotations_are_nothing_that_anybody_evaluates(library):
    """Frameworks evaluate the text of an annotation."""
    code = "__import__('os').abort()"
    library.api.functions["zoo:echo"]["signature"] = {"parameters": [{"name": "value", "kind": 1, "annotation": code}], "returns": code}
    echo = library.function("zoo:echo")
    assert typing.get_type_hints(echo) == {}
    found = inspect.signature(echo, eval_str=True)
    assert not isinstance(found.parameters["value"].annotation, str)
    assert not isinstance(found.return_annotation, str)
    assert code in str(found)


def test_a_wrong_length_is_pythons_own_error():
    zoo = lying(
        answer(
            {
                "$": "o",
                "i": 1,
                "c": of_class(members={"__len__": {"kind": "method"}, "__repr__": {"kind": "method"}, "__hash__": {"kind": "method"}}),
            }
        ),
        answer(-1),
    )
    found = zoo.echo(1)
    with pytest.raises(ValueError):
        len(found)
    with pytest.raises(TypeError):
        repr(found)


@pytest.mark.parametrize("step", [[[], False, None], [[1]], 5, [5, False, None], [[1], 1, None]])
def test_an_iterator_that_gives_what_none_gives_is_refused(step):
    """An iterator that neither gives anything nor ends would have its reader ask for ever."""
    zoo = lying(answer({"$": "i", "i": 1, "g": False}), answer(step))
    with pytest.raises(BorderViolated):
        list(zoo.echo(1))


def test_an_instance_that_is_always_another_one_is_refused():
    """`[2]` says that the instance is new; one that says so for ever would have the host greet it for ever."""
    with pytest.raises(BorderViolated):
        lying("[2]").echo(1)


def test_an_instance_may_release_what_it_never_had():
    assert lying('[0,1,{"r":[1,2,3,"x",-5]}]').echo(print) == 1
    with pytest.raises(BorderViolated):
        lying('[0,1,{"r":[[]]}]').echo(print)
    with pytest.raises(BorderViolated):
        lying('[0,1,{"r":5}]').echo(print)


def test_what_ends_programs_is_shown_without_a_look_at_all_of_it():
    with pytest.raises(RuntimeError, match=r"SystemExit\(<list>\)"):
        lying(raising(c={"$": "E", "v": "SystemExit"}, a=[LAUGHING_LIST])).echo(1)


def test_a_class_says_nothing_to_a_terminal():
    """Tracebacks and `repr` print a class's module and name as they are."""
    found = lying(answer(of_class(module="m\x1b]0;x\x07", qualname="X\nTraceback: forged\u202e"))).echo(1)
    assert repr(found).isprintable()


def test_a_hash_that_is_endless_is_none():
    found = lying(answer({"$": "f", "i": 1, "n": "x"}), answer(LAUGHS)).echo(1)
    with pytest.raises(TypeError):
        hash(found)


def test_what_is_no_key_may_be_shared_as_often_as_it_likes():
    """The control: values that hold others many times cross as they are."""
    found = lying(answer(LAUGHS)).echo(1)
    assert found[0] is found[1]
    assert lying(answer({"$": "d", "v": [[{"$": "t", "v": [1, {"$": "t", "v": [2]}]}, 3]]})).echo(1) == {(1, (2,)): 3}


class Hashed:
    """What stands for an object of the library: to hash it asks that."""

    def __hash__(self) -> int:
        raise AssertionError("it was hashed")


def test_what_names_a_kind_is_never_asked_anything():
    """To look it up among the kinds would hash it, and an object of the library's is hashed by the library, while its answer is read."""
    codec = BoundedCodec()
    codec.kinds["hashed"] = lambda _: Hashed()
    assert type(codec.loads('{"$":"hashed"}')) is Hashed
    with pytest.raises(Malformed, match="a Hashed in the place of a kind"):
        codec.loads('{"$":{"$":"hashed"}}')


@pytest.mark.parametrize("text", ["1 2", "[] ", " []", "[]]", '{}{"$":"n"}', ""])
def test_a_text_is_one_value_and_nothing_beside_it(text):
    """What is left over would be read by nobody, and checked by nobody."""
    with pytest.raises(Malformed):
        BoundedCodec().loads(text)
