"""Objects of a library as its user sees them: of its classes, with attributes, methods and operators; gone when nobody needs them.

Each runs with the library in this process and in a component.
"""

from __future__ import annotations

import collections.abc
import copy
import errno
import gc
import inspect
import json
import pickle
import threading
import weakref
from unittest import mock

import pytest
from native_library import Names, NativeLibrary
from ringfence.objects import ForeignObject, NotCarried, StaleObject, SubclassRefused


@pytest.fixture(params=["here", "fenced"])
def zoo(request):
    """The zoo, both ways."""
    if request.param == "here":
        return Names(NativeLibrary("zoo", ["zoo"]), "zoo")
    return request.getfixturevalue("wrapped_zoo").module("zoo")


def held(zoo):
    """How many objects the library keeps for this side."""
    gc.collect()
    return zoo._library.perform("held")


def test_an_object_is_of_its_class(zoo):
    cat = zoo.Cat("Tom", 3.5, tags=["a"])
    assert type(cat) is zoo.Cat
    assert isinstance(cat, zoo.Animal)
    assert issubclass(zoo.Cat, zoo.Animal)
    assert (cat.name, cat.weight, cat.kind, cat.heavy, cat.tags) == ("Tom", 3.5, "animal", False, ["a"])
    assert cat.speak(times=2) == "Tom says meow" * 2
    assert zoo.Cat.__doc__ == "A cat."
    assert zoo.Cat.__module__ == "zoo"
    assert zoo.Cat.Paw.side == "left"
    assert zoo.Cat.create("U").name == "U"
    assert zoo.Cat.add(1, 2) == cat.add(1, 2) == 3
    assert "speak" in dir(cat)
    assert "facts" in dir(cat)
    assert cat.__dict__["name"] == "Tom"


def test_attributes_are_set_and_deleted_in_the_library(zoo):
    cat = zoo.Cat("Tom")
    cat.heavy = True
    assert cat.weight == 1000
    cat.new = (1, 2)
    assert cat.new == (1, 2)
    del cat.new
    with pytest.raises(AttributeError):
        cat.new  # noqa: B018
    zoo.Animal.kind = "beast"
    assert cat.kind == "beast"
    assert zoo.Animal.kind == "beast"
    zoo.Animal.kind = "animal"


def test_operators_are_the_librarys(zoo):
    one, other = zoo.Cat("a"), zoo.Animal("b")
    assert one == zoo.Cat("a")
    assert one != other
    assert hash(one) == hash(zoo.Cat("a"))
    assert one < other
    assert sorted([other, one]) == [one, other]
    assert (one + other).name == "ab"
    assert len(one) == 1
    assert one[0] == "a"
    assert "a" in one
    assert list(zoo.Cat("xyz")) == ["x", "y", "z"]
    assert one(1, b=2) == ((1,), {"b": 2})
    assert repr(one) == "Animal('a')"
    assert one != object()
    assert (one == "a") is False
    with pytest.raises(TypeError):
        one + 1
    with pytest.raises(TypeError):
        one < 1  # noqa: B015


def test_objects_can_be_keys(zoo):
    """Their hashes and equality are the library's, also while its answer is read."""
    one, other = zoo.Cat("a"), zoo.Cat("b")
    assert zoo.echo({one: 1, other: 2})[zoo.Cat("b")] == 2
    assert zoo.echo({one, other}) == {zoo.Cat("a"), zoo.Cat("b")}
    assert zoo.call(lambda found: found == {one}, {one})
    assert zoo.call(lambda: zoo.echo({one: {other}}))[one] == {other}


def test_an_object_without_equality_is_itself_only(zoo):
    one, other = zoo.Plain(), zoo.Plain()
    assert one == one
    assert one != other
    assert len({one, other, one}) == 2


def test_one_object_is_one_object(zoo):
    cat = zoo.Cat("a")
    holder = zoo.Holder(cat)
    assert holder.thing is cat
    assert holder.get() is cat
    assert holder.is_it(cat)
    assert zoo.echo([cat, {"k": cat}])[1]["k"] is cat


def test_a_context_manager_gets_the_error(zoo):
    with zoo.Cat("a") as cat:
        assert cat.entered
        raise KeyError(1)
    assert cat.left == "KeyError"
    with pytest.raises(ValueError), cat:
        raise ValueError


def test_text_of_a_class_of_its_own_is_text(zoo):
    """As `markupsafe.Markup` is."""
    text = zoo.Loud("ab")
    assert type(text) is zoo.Loud
    assert isinstance(text, str)
    assert text == "ab"
    separator = "-"
    assert separator.join([text, text]) == "ab-ab"
    assert type(text + "c") is zoo.Loud
    assert text + "c" == "ABC"
    assert text.shout() == "AB!"
    assert repr(text) == "'ab'"
    assert zoo.typed(text, zoo.Loud)
    assert zoo.Number(7).half() == 3
    assert zoo.Number(7) + 1 == 8


def test_a_named_tuple_is_a_tuple(zoo):
    point = zoo.Point(1, y=2)
    assert point == (1, 2)
    x, y = point
    assert (x, y, point.x, point.y) == (1, 2, 1, 2)
    assert point._replace(x=5) == (5, 2)
    assert zoo.typed(point, zoo.Point)


def test_an_enum_has_its_members(zoo):
    assert zoo.Colour.RED.value == 1
    assert zoo.Colour(1) is zoo.Colour.RED
    assert zoo.Colour["BLUE"] is zoo.Colour.BLUE
    assert list(zoo.Colour) == [zoo.Colour.RED, zoo.Colour.BLUE]
    assert len(zoo.Colour) == 2
    assert isinstance(zoo.Colour.RED, zoo.Colour)
    assert {zoo.Colour.RED: 1}[zoo.Colour.RED] == 1


def test_containers_read_from_an_object_are_its_own(zoo):
    cat = zoo.Cat("Tom", tags=["a"])
    cat.tags.append("b")
    cat.tags[0] = "c"
    cat.tags += ["d"]
    assert cat.tags == ["c", "b", "d"]
    assert cat.tags[1:] == ["b", "d"]
    extra = ["x"]
    assert extra + cat.tags == ["x", "c", "b", "d"]
    assert cat.tags + extra == ["c", "b", "d", "x"]
    assert isinstance(cat.tags, list)
    assert cat.tags is cat.tags
    cat.facts["deep"] = {"a": []}
    cat.facts["deep"]["a"].append(1)
    assert cat.facts == {"name": "Tom", "deep": {"a": [1]}}
    assert dict(cat.facts) == {"name": "Tom", "deep": {"a": [1]}}
    assert cat.facts.get("none", 5) == 5
    assert list(cat.facts) == ["name", "deep"]
    assert "name" in cat.facts
    assert {**cat.facts}["name"] == "Tom"
    cat.seen |= {2}
    assert cat.seen == {1, 2}
    assert zoo.state["names"] == ["a"]
    assert copy.copy(cat.tags) == ["c", "b", "d"]
    assert pickle.loads(pickle.dumps(cat.tags)) == ["c", "b", "d"]
    with pytest.raises(KeyError):
        cat.facts["none"]
    registry = zoo.Registry(b=1)
    registry["a"] = 2
    assert isinstance(registry, dict)
    assert registry == {"b": 1, "a": 2}
    assert registry.names() == ["a", "b"]


def test_what_is_got_by_a_key_is_the_librarys_own_as_well(zoo):
    """`graph["a"]["b"]["weight"] = 5`, `node["classes"].append("x")`: of a copy that would be lost without a word."""
    keepers = zoo.Keepers()
    keepers["ann"]["days"].append(2)
    keepers["ann"]["since"] = 1999
    assert keepers.rota("ann") == {"days": [1, 2], "since": 1999}
    for name, rota in keepers:
        rota["name"] = name
    assert keepers.rota("ann")["name"] == "ann", "of what is in a tuple as well"

    class Night(zoo.Keepers):
        def __getitem__(self, name):
            return super().__getitem__(name.lower())

    night = Night()
    night["ANN"]["days"].append(3)
    assert night.rota("ann") == {"days": [1, 3]}
    table = zoo.Table()
    table.setdefault("a", []).append(1)
    table.get("a").append(2)
    assert dict(table) == {"a": [1, 2]}


def test_a_class_may_derive_from_one_of_its_own_name(zoo):
    """Decorators make such (`dns.name.Name`): its base was looked for under its own key, for ever."""
    letter = zoo.Letter("hi")
    assert (letter.text, letter.sealed, type(letter).__name__, isinstance(letter, zoo.Letter)) == ("hi", True, "Letter", True)


def test_what_a_call_returns_is_a_copy(zoo):
    value = zoo.echo({"a": [1]})
    assert type(value) is dict
    assert type(value["a"]) is list
    keepers = zoo.Keepers()
    keepers.rota("ann")["days"].append(2)
    keepers.get("ann")["days"].append(2)
    assert keepers.rota("ann") == {"days": [1]}, "`get` of what is no mapping may be anything"


def test_code_in_c_sees_what_a_container_of_the_librarys_holds(zoo):
    """It looks into objects of classes that derive from `set` and `dict` without asking them: it found nothing, and nobody was told."""
    cat = zoo.Cat("Tom")
    seen, facts, registry = cat.seen, cat.facts, zoo.Registry(a=1)
    assert isinstance(seen, set)
    assert [set(seen), frozenset(seen), {0}.union(seen), {0} | seen, {1, 2} - seen, {1, 2} & seen] == [{1}, {1}, {0, 1}, {0, 1}, {2}, {1}]
    assert ({1}.issubset(seen), {1, 2}.issuperset(seen), {2}.isdisjoint(seen), {1, 2}.difference(seen)) == (True, True, True, {2})
    assert ({1} == seen, {1} <= seen, {1, 2} > seen) == (True, True, True)
    assert (json.dumps(facts), json.dumps({"a": facts}), json.dumps(registry)) == ('{"name": "Tom"}', '{"a": {"name": "Tom"}}', '{"a": 1}')
    facts.clear()
    assert (json.dumps(facts), len(facts), dict(facts), list(facts), facts == {}, bool(facts)) == ("{}", 0, {}, [], True, False)
    assert (json.dumps(cat.tags), [*cat.tags], tuple(cat.tags)) == ("[]", [], ())
    flock = zoo.Flock([1, 2])
    flock.add(3)
    assert (set(flock), flock.first(), {0} | flock, len(flock), flock) == ({1, 2, 3}, 1, {0, 1, 2, 3}, 3, {1, 2, 3})
    assert type(flock) is flock.__class__ is zoo.Flock


def test_an_iterator_is_pulled(zoo):
    counting = zoo.forever()
    assert [next(counting) for _ in range(3)] == [0, 1, 2]
    generator = zoo.count(3)
    assert next(generator) == 0
    assert generator.send("x") == 1
    assert next(generator) == 2
    with pytest.raises(StopIteration) as end:
        next(generator)
    assert end.value.value == ["x"]
    assert list(zoo.count(2)) == [0, 1]
    generator = zoo.count(5)
    next(generator)
    generator.close()
    assert list(generator) == []


def test_a_function_that_came_back_is_called(zoo):
    add = zoo.adder(2)
    assert add(3) == 5
    assert zoo.call(add, 4) == 6
    assert zoo.call(zoo.echo, 7) == 7
    assert zoo.call(zoo.Cat("a").speak) == "a says meow"
    assert zoo.echo(zoo.echo) is zoo.echo
    assert zoo.echo(zoo.Cat) is zoo.Cat
    assert dict(zoo.pairs({1: 2})) == {1: 2}


def test_exceptions_are_of_their_classes(zoo):
    with pytest.raises(zoo.ZooError) as caught:
        zoo.fail("Escaped", "gone", zoo.Cat("Tom"))
    error = caught.value
    assert type(error) is zoo.Escaped
    assert isinstance(error, LookupError)
    assert str(error) == "zoo: gone"
    assert error.args == ("gone",)
    assert error.animal.name == "Tom"
    assert any("in fail" in note for note in error.__notes__)
    with pytest.raises(zoo.ZooError) as caught:
        zoo.fail_because()
    assert isinstance(caught.value.__cause__, KeyError)
    assert caught.value.__cause__.args == ("first",)
    with pytest.raises(zoo.ZooError, match="made here"):
        raise zoo.ZooError("made here")


@pytest.mark.parametrize(
    ("name", "arguments"),
    [("ValueError", ("a", 1)), ("KeyError", ("k",)), ("UnicodeDecodeError", ("utf-8", b"\xff", 0, 1, "bad")),
     ("StopIteration", (5,)), ("ZeroDivisionError", ()), ("ImportError", ("x",)), ("RecursionError", ("deep",)), ("AssertionError", ())],
)  # fmt: skip
def test_builtin_exceptions_are_the_builtin_ones(zoo, name, arguments):
    with pytest.raises(Exception) as caught:
        zoo.fail_builtin(name, *arguments)
    native = getattr(__builtins__, name, None) or __builtins__[name]
    assert type(caught.value) is type(native(*arguments))
    assert caught.value.args == native(*arguments).args


@pytest.mark.parametrize("inside", ["text", 3, (1, 2), [1], {"a": 1}, ValueError("no"), len, int])
def test_an_object_that_says_it_is_another_stays_what_it_is(zoo, inside):
    """Werkzeug's `LocalProxy`: `__class__` is a claim, by which nothing is taken apart."""
    found = zoo.Stuffed(inside)
    assert type(found) is zoo.Stuffed
    assert str(found) == f"stuffed {inside}"
    assert zoo.same(found, found)


def test_exceptions_keep_what_they_have_beside_their_arguments(zoo):
    """`except ImportError as error: error.name`; of a syntax error the message is no argument at all."""
    with pytest.raises(SyntaxError) as caught:
        zoo.fail_unfinished()
    assert (str(caught.value), caught.value.lineno) == ("no end (line 7)", 7)
    with pytest.raises(ModuleNotFoundError) as missing:
        zoo.fail_import()
    assert missing.value.name == "no_such_module"
    with pytest.raises(Exception, match="placed") as placed:
        zoo.fail_placed(3)
    assert (placed.value.args, placed.value.place) == (("placed", 3), 3)


def test_an_error_of_the_system_has_this_systems_number(zoo):
    """WASI counts errors otherwise than this host."""
    with pytest.raises(FileNotFoundError) as caught:
        zoo.listing("/nowhere")
    assert (caught.value.errno, caught.value.filename) == (errno.ENOENT, "/nowhere")

    def fail():
        raise FileNotFoundError(errno.ENOENT, "gone", "f")

    assert zoo.attempt(fail)[0] == "FileNotFoundError"


def test_an_exit_does_not_end_the_program(zoo):
    with pytest.raises(RuntimeError, match="SystemExit"):
        zoo.leave()


def test_what_nobody_holds_is_freed(zoo):
    cats = [zoo.Cat(str(number)) for number in range(50)]
    before = held(zoo)
    assert before >= 50
    gone = weakref.ref(cats[0])
    del cats
    assert gone() is None
    zoo.echo(1)
    assert held(zoo) <= before - 50


def test_an_object_can_be_copied_and_an_iterator_not_pickled(zoo):
    cat = zoo.Cat("Tom")
    other = copy.copy(cat)
    assert other == cat
    assert other is not cat
    assert copy.deepcopy(cat).facts == {"name": "Tom"}
    with pytest.raises(NotCarried, match="pickled"):
        pickle.dumps(iter(cat))


def test_coroutines_are_refused(zoo):
    with pytest.raises(TypeError, match="asynchronous"):
        zoo.waits()

    async def own():
        pass

    waiting = own()
    with pytest.raises(NotCarried, match="asynchronous"):
        zoo.echo(waiting)
    waiting.close()


def test_signatures_and_docstrings_are_there(zoo):
    assert str(inspect.signature(zoo.Animal)) == "(name, weight=1.0, *, tags=())"
    assert str(inspect.signature(zoo.Cat("a").speak)) == "(times=1)"
    assert str(inspect.signature(zoo.sort)) == "(values, key)"
    assert zoo.Cat.speak.__doc__ == "What it says."
    assert zoo.count.__doc__ == "A generator."
    assert zoo.count.__module__ == "zoo"


def test_abstract_classes_hold_where_the_library_says_so(zoo):
    assert isinstance(zoo.Registry(), collections.abc.MutableMapping)
    assert isinstance(zoo.Cat("a"), collections.abc.Iterable)
    assert not isinstance(zoo.Plain(), collections.abc.Iterable)


def test_a_subclass_of_the_applications_is_one_in_the_library(zoo):
    class Dog(zoo.Animal):
        kind = "dog"

        def __init__(self, name):
            super().__init__(name, 20.0)
            self.bark = "woof"

        def sound(self):
            return self.bark

        @property
        def twice(self):
            return self.bark * 2

        @classmethod
        def named(cls, name):
            return cls(name)

        @staticmethod
        def legs():
            return 4

        def speak(self, times=1):
            return super().speak(times).upper()

    dog = Dog("Rex")
    assert type(dog) is Dog
    assert dog.weight == 20.0
    assert zoo.Animal.speak(dog) == "Rex says woof"
    assert dog.speak() == "REX SAYS WOOF"
    assert dog.twice == "woofwoof"
    assert Dog.named("x").name == "x"
    assert dog.legs() == 4
    assert (Dog.kind, dog.kind) == ("dog", "dog")
    dog.kind = "hound"
    assert (Dog.kind, dog.kind) == ("dog", "hound")
    assert zoo.echo(dog) is dog
    assert zoo.echo(Dog) is Dog
    assert zoo.typed(dog, zoo.Animal)

    class Puppy(Dog):
        def sound(self):
            return super().sound() + "?"

    assert zoo.Animal.speak(Puppy("P")) == "P says woof?"


def test_a_template_method_is_filled_in(zoo):
    class Own(zoo.Base):
        offset = 5

        def step(self, value):
            return super().step(value) * 2

    assert Own().template(4) == 13
    assert zoo._library.perform("get", zoo.Base, "made")[-1] == "Own"


def test_a_mixin_of_the_applications_is_mixed_in(zoo):
    class Shouting:
        def sound(self):
            return "HEY"

    class Loudest(Shouting, zoo.Animal):
        pass

    assert zoo.Animal.speak(Loudest("L")) == "L says HEY"


def test_an_exception_of_the_applications_may_derive_from_the_librarys(zoo):
    class Own(zoo.ZooError):
        pass

    def fail():
        raise Own("mine")

    with pytest.raises(Own, match="zoo: mine") as caught:
        zoo.call(fail)
    assert isinstance(caught.value, zoo.ZooError)
    assert zoo.attempt(fail)[2][:3] == ["Own", "ZooError", "Exception"]


@pytest.mark.parametrize("name", ["__new__", "__getattribute__", "__del__", "__reduce__"])
def test_what_a_subclass_cannot_carry_is_refused_when_it_is_made(zoo, name):
    with pytest.raises(SubclassRefused, match=name):
        type(zoo.Animal)("Bad", (zoo.Animal,), {name: lambda self: None})


def test_objects_of_one_instance_are_not_given_to_another(zoo):
    library = zoo._library
    cat = zoo.Cat("a")
    with library.connect() as other:
        stranger = zoo.Cat("b")
        with pytest.raises(ForeignObject):
            zoo.echo(cat)
        assert zoo.echo(stranger) is stranger
    with pytest.raises(ForeignObject):
        zoo.echo(stranger)
    other.close()
    with pytest.raises(StaleObject):
        stranger.name  # noqa: B018
    assert cat.name == "a"


def test_after_its_instance_an_object_is_stale(zoo):
    cat = zoo.Cat("a")
    with pytest.raises(zoo.ZooError) as caught:
        zoo.fail("Escaped", "gone")
    zoo.keep(1)
    zoo._library.end()
    assert str(caught.value) == "zoo: gone"  # an exception says what it said
    for use in (lambda: cat.name, lambda: cat.speak(), lambda: zoo.echo(cat), lambda: len(cat)):
        with pytest.raises(StaleObject):
            use()
    assert zoo.Cat("b").speak() == "b says meow"
    if not isinstance(zoo._library, NativeLibrary):
        assert zoo.keep(1) == 1  # what the library kept went with it


def test_an_object_of_a_frozen_class_stays_the_same_one(zoo):
    """Libraries tell their own tuples and texts apart by identity (`token.ttype is Keyword`), and so do their users."""
    assert zoo.LOUD is zoo.LOUD
    assert zoo.NUMBER is zoo.NUMBER


def test_a_subclass_is_known_in_the_library_by_the_name_of_its_module(zoo):
    """Libraries write that name into what they make (YAML's tags), and look by it for what was registered."""

    class Own(zoo.Animal):
        pass

    assert zoo.grab(Own, "__module__") == __name__


def test_a_subclass_outlives_instances(zoo):
    class Own(zoo.Base):
        def step(self, value):
            return value * 3

    assert Own().template(1) == 13
    zoo._library.end()
    assert Own().template(2) == 16


def test_threads_share_an_instance_and_queue(zoo):
    holder, found = zoo.Holder([]), []

    def work(number):
        for step in range(10):
            found.append(zoo.call(lambda pair: zoo.echo(pair), (number, step)))
            holder.thing.append(number)

    threads = [threading.Thread(target=work, args=[number]) for number in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(30)
    assert sorted(found) == sorted((number, step) for number in range(4) for step in range(10))
    assert len(holder.thing) == 40


def test_what_a_test_patches_in_a_module_that_is_not_the_librarys_is_undone(zoo):
    """`mock.patch` deletes what it set, and sets what was there."""
    before = inspect.cleandoc
    with mock.patch.object(zoo.inspect, "cleandoc", return_value="patched"):
        assert zoo.inspect.cleandoc(" a") == "patched"
    assert zoo.inspect.cleandoc(" a") == "a"
    assert inspect.cleandoc is before
