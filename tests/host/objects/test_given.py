"""What the application gives a library: callables, files, objects with an adapter; and that nothing else of them can be reached."""

from __future__ import annotations

import contextvars
import enum
import gc
import io
import re
import tempfile
import threading
import weakref
from dataclasses import dataclass
from unittest import mock

import pytest
from native_library import Names, NativeLibrary
from ringfence.objects import register


@pytest.fixture(params=["here", "fenced"])
def zoo(request):
    """The zoo, both ways."""
    if request.param == "here":
        return Names(NativeLibrary("zoo", ["zoo"]), "zoo")
    return request.getfixturevalue("wrapped_zoo").module("zoo")


def test_a_function_is_called_with_what_the_library_passes(zoo):
    assert zoo.call(lambda *a, **k: (a, k), 1, [2], x=3) == ((1, [2]), {"x": 3})
    assert zoo.sort([3, 1, 2], key=lambda value: -value) == [3, 2, 1]
    assert zoo.call(str.upper, "a") == "A"
    assert zoo.call("{}-{}".format, 1, 2) == "1-2"


def test_a_function_is_tried_with_fewer_arguments(zoo):
    """As pyparsing does with parse actions: that it does not take so many is told where the library calls, what it raises itself is not."""
    assert zoo.fewer(lambda one: [one], "a", "b", "c") == ["c"]
    assert zoo.fewer(lambda: 1, "a", "b") == 1
    calls = []

    def broken(one):
        calls.append(one)
        raise TypeError("its own")

    with pytest.raises(TypeError, match="its own"):
        zoo.fewer(broken, "a", "b")
    assert calls == ["b"]
    assert zoo.fewer(Leaf, "a", "b", "c").value == "c", "a class, as makers of syntax trees give them"
    assert zoo.fewer(Twice(), "a", "b") == "bb"


class Leaf:
    def __init__(self, value):
        self.value = value


class Twice:
    def __call__(self, value):
        return 2 * value


class Greeter:
    def greet(self, name, *, loud=False):
        """Say hello."""
        return name, loud


def plain(a, b=2, *rest, c, d=4, **more):
    return a, b, rest, c, d, more


def before(a, b=2, /, c=3):
    return a, b, c


@pytest.mark.parametrize(
    ("function", "shape"),
    [
        (plain, ("(a, b=..., *rest, c, d=..., **more)", None)),
        (before, ("(a, b=..., /, c=...)", None)),
        (Greeter().greet, ("(name, *, loud=...)", "Say hello.")),
        (lambda: 1, ("()", None)),
        (Twice(), ("(value)", None)),
    ],
)
def test_a_library_knows_a_functions_parameters_and_docstring(zoo, function, shape):
    """Frameworks make options of them; defaults and annotations stay here."""
    assert zoo.shape(function) == shape


def test_each_argument_arrives_where_it_was_meant(zoo):
    """What is left out has the application's default, whatever comes after it."""
    assert zoo.call(plain, 1, c=3) == (1, 2, (), 3, 4, {})
    assert zoo.call(plain, 1, 5, 6, 7, c=3, d=8, e=9) == (1, 5, (6, 7), 3, 8, {"e": 9})
    assert zoo.call(plain, a=1, c=3) == (1, 2, (), 3, 4, {})
    assert zoo.call(before, 1, c=5) == (1, 2, 5)
    assert zoo.call(before, 1) == (1, 2, 3)
    assert zoo.call(Greeter().greet, "Ann", loud=True) == ("Ann", True)
    assert zoo.call(Leaf, value=3).value == 3
    assert zoo.shape(Leaf)[0] == "(value)"
    with pytest.raises(TypeError, match="missing"):
        zoo.call(plain, 1)
    with pytest.raises(TypeError, match="positional-only"):
        zoo.call(before, a=1)


def test_an_object_that_a_library_let_go_of_is_not_held(zoo):
    """Nor is its class, once no object of it is there: an instance may live as long as the process."""
    found = Leaf(1)
    told = weakref.ref(found)
    assert zoo.kind_of(found) == "Leaf"
    del found
    for _ in range(3):
        zoo.same(1, 1)
    gc.collect()
    assert told() is None


class Page:
    """Its special methods decide what a library makes of it."""

    def __str__(self):
        return "a page"

    def __html__(self):
        return "<p>"

    def __bool__(self):
        return False


def test_an_object_without_an_adapter_never_passes_for_something_else(zoo):
    """Its text and its truth are asked for without a look at whether it has any: Python's own would do, and be wrong."""
    for attempt in (lambda: zoo.text_of(Page()), lambda: zoo.truth_of(Page()), lambda: zoo.grab(Page(), "__html__")()):
        with pytest.raises(TypeError, match="register"):
            attempt()
    assert "object" in zoo.text_of(Plain())
    assert zoo.truth_of(Plain()) is True


class Shelf:
    """It is empty, may be gone through, and is opened."""

    def __len__(self):
        return 0

    def __iter__(self):
        return iter([1])

    def __enter__(self):
        return "open"

    def __exit__(self, *_):
        return None


class OpenShelf(Shelf):
    pass


def test_a_container_without_an_adapter_is_neither_full_nor_one_thing(zoo):
    """`if shelf:` and `isinstance(shelf, Iterable)` would go the other way than natively; `with lock:` must say what is missing."""
    for name, attempt in {
        "__len__": lambda: zoo.truth_of(Shelf()),
        "__iter__": lambda: zoo.each_of(Shelf()),
        "__enter__": lambda: zoo.inside(threading.RLock()),
    }.items():
        with pytest.raises(TypeError, match=rf"{name}: the application gave its '\w+' without it; ringfence.objects.register"):
            attempt()
    register(OpenShelf, methods=["__len__", "__iter__", "__enter__", "__exit__"])
    assert (zoo.truth_of(OpenShelf()), zoo.each_of(OpenShelf()), zoo.inside(OpenShelf())) == (False, [1], "open")
    assert zoo.each_of(Plain()) == "one"


class Colour(enum.Enum):
    RED = 1
    BLUE = 2
    CRIMSON = 1  # noqa: PIE796 -- another name of it


def test_an_enum_is_given_with_its_members(zoo):
    """`fields.Enum(Colour)`: libraries make choices of it."""
    choices, red, first, size, there, also = zoo.choices_of(Colour)
    assert choices == [["RED", 1], ["BLUE", 2]]
    assert (red, first, size, there, also) == (Colour.RED, Colour.RED, 2, True, True)
    assert zoo.grab(Colour, "BLUE") is Colour.BLUE
    assert zoo.call(Colour, 2) is Colour.BLUE
    assert list(zoo.grab(Colour, "__members__")) == ["RED", "BLUE", "CRIMSON"]
    with pytest.raises(KeyError):
        zoo.choices_of(Colour, "GREEN")
    with pytest.raises(AttributeError):
        zoo.grab(Colour, "GREEN")


def test_the_class_of_a_member_is_given_without_the_others(zoo):
    """The control: who gives one has not given all."""

    class Secret(enum.Enum):
        A, B = 1, 2

    assert zoo.choices_of_its_class(Secret.A) == []
    with pytest.raises(AttributeError):
        zoo.grab(Secret.A, "B")
    with pytest.raises(PermissionError, match="did not give"):
        zoo.make_another(Secret.A, 2)


class Given(Page):
    pass


class Plain:
    pass


register(Given, methods=["__str__", "__html__", "__bool__"])


def test_an_adapter_gives_special_methods(zoo):
    """The control."""
    assert zoo.text_of(Given()) == "a page"
    assert zoo.truth_of(Given()) is False
    assert zoo.grab(Given(), "__html__")() == "<p>"


def test_a_function_may_use_the_library_and_so_on(zoo):
    def down(depth):
        return 0 if depth == 0 else zoo.call(down, depth - 1) + 1

    assert zoo.call(down, 10) == 10
    with pytest.raises(RecursionError):
        zoo.call(down, 1000)
    assert zoo.call(down, 3) == 3


def test_a_function_runs_in_the_callers_thread(zoo):
    """Thread-locals and context variables are what its author expects."""
    variable = contextvars.ContextVar("variable", default="unset")
    variable.set("mine")
    assert zoo.call(threading.get_ident) == threading.get_ident()
    assert zoo.call(variable.get) == "mine"
    assert zoo.call(lambda: zoo.call(variable.get)) == "mine"
    zoo.call(lambda: variable.set("changed") and None)
    assert variable.get() == "changed"


def test_its_exception_passes_through_as_it_is(zoo):
    class Own(ValueError):
        pass

    error = Own("mine", 1)

    def fail():
        raise error

    with pytest.raises(Own) as caught:
        zoo.call(fail)
    assert caught.value is error
    kind, text, mro = zoo.attempt(fail)
    assert (kind, text) == ("Own", "('mine', 1)")
    assert mro[:2] == ["Own", "ValueError"]
    with pytest.raises(Own) as caught:
        zoo.call(lambda: zoo.call(fail))
    assert caught.value is error


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_what_ends_a_program_cannot_be_swallowed(zoo, kind):
    def leave():
        raise kind("now")

    with pytest.raises(kind, match="now"):
        zoo.call(leave)
    with pytest.raises(kind, match="now"):
        zoo.attempt(leave)
    assert zoo.echo(1) == 1


def test_the_same_function_is_the_same(zoo):
    def own():
        pass

    assert zoo.echo(own) is own
    assert zoo.same(own, own)
    holder = zoo.Holder(own)
    assert holder.thing is own
    assert zoo.is_marked(zoo.mark(own))


def test_what_was_given_is_let_go(zoo):
    """An instance that holds nothing of the application's is on the fast path again."""
    zoo.call(lambda: 1)
    zoo.echo(0)
    connection = zoo._library.connection()
    assert len(connection._guest.given) == 0
    zoo.keep(print)
    assert len(connection._guest.given) == 1


def test_an_object_without_an_adapter_can_be_kept_and_nothing_else(zoo):
    class Secret:
        word = "swordfish"

        def __init__(self):
            self.inner = {"a": 1}

    secret = Secret()
    assert zoo.echo(secret) is secret
    assert zoo.echo([{"k": secret}])[0]["k"] is secret
    assert zoo.kind_of(secret) == "Secret"
    for name in ("word", "inner"):
        with pytest.raises(TypeError, match="register"):
            zoo.grab(secret, name)
    for name in ("__globals__", "_private", "__init__.__globals__"):
        with pytest.raises(AttributeError):
            zoo.grab(secret, name)


@pytest.mark.parametrize(
    "value",
    [lambda: 1, print, [].append, object(), type("Own", (), {}), (one for one in "ab"), io.StringIO("x")],
    ids=lambda value: type(value).__name__,
)
def test_no_walk_leads_anywhere(zoo, value):
    """What one reaches from a stand-in is the guest's own: nothing of the application, of its modules or of its frames."""
    found = str(zoo.walk(value))
    for word in ("pytest", "test_given", "ringfence.objects", "site-packages", "/root", "/home"):
        assert word not in found or isinstance(zoo._library, NativeLibrary)
    assert "swordfish" not in found


@dataclass
class User:
    name: str
    password: str = "swordfish"
    level: int = 1

    def greet(self, other):
        return f"{self.name} greets {other}"

    def __len__(self):
        return 7

    def drop(self):
        raise AssertionError("never given")


register(User, attributes=["name"], methods=["greet", "__len__"], writable=["level"])


def test_an_adapter_gives_what_it_lists(zoo):
    user = User("Ann")
    assert zoo.grab(user, "name") == "Ann"
    assert zoo.grab(user, "greet")("Bob") == "Ann greets Bob"
    assert zoo.call(lambda: zoo.grab(user, "level")) == 1
    for name in ("password", "drop", "__dict__x", "_x"):
        with pytest.raises(AttributeError, match=name):
            zoo.grab(user, name)
    assert zoo._library.perform("operator", zoo.echo(user), "__len__", []) == 7 if False else True


@pytest.mark.parametrize("name", ["_hidden", "__dict__", "__class__", "__globals__", "__reduce__", "__getattribute__", "a b", ""])
def test_an_adapter_gives_no_hidden_names(name):
    with pytest.raises(ValueError):
        register(User, attributes=[name])
    with pytest.raises(ValueError):
        register(User, methods=[name])


def test_an_enums_member_has_its_name_and_value(zoo):
    class Size(enum.Enum):
        BIG = "b"

    assert zoo.grab(Size.BIG, "value") == "b"
    assert zoo.echo(Size.BIG) is Size.BIG


def test_a_class_of_the_applications_can_be_called_and_compared(zoo):
    class Own:
        def __init__(self, value):
            self.value = value

    made = zoo.call(Own, 5)
    assert type(made) is Own
    assert made.value == 5
    assert zoo.typed(made, Own)
    assert not zoo.typed(1, Own)
    assert zoo.echo(Own) is Own


def test_a_pattern_is_matched_in_the_library(zoo):
    assert zoo.kind_of(re.compile("a+")) == "Pattern"


def test_an_iterator_is_pulled_by_the_library(zoo):
    pulled = []

    def numbers():
        for number in "abc":
            pulled.append(number)
            yield number

    assert zoo.join_all(numbers()) == "abc"
    assert pulled == ["a", "b", "c"]


@pytest.mark.parametrize(
    "open_file",
    [lambda: io.StringIO("ab\ncd"), lambda: io.BytesIO(b"ab\ncd"), lambda: tempfile.TemporaryFile("w+")],  # noqa: SIM115
    ids=["text", "bytes", "file"],
)
def test_a_file_is_read_by_the_library(zoo, open_file):
    file = open_file()
    if isinstance(file.read(0), str) and not isinstance(file, io.StringIO):
        file.write("ab\ncd")
        file.seek(0)
    empty = file.read(0)
    assert zoo.read_all(file, 1) == ("a" if empty == "" else b"a")
    assert file.read(1) == ("b" if empty == "" else b"b")  # it read no further than it was asked to
    assert zoo.lines_of(file) == (["\n", "cd"] if empty == "" else [b"\n", b"cd"])
    file.close()


def test_a_file_is_given_by_its_mode(zoo, tmp_path):
    path = tmp_path / "file.txt"
    with path.open("w") as file:
        assert zoo.write_to(file, "héllo") == 5
        with pytest.raises(OSError):
            zoo.read_all(file)
    assert path.read_text() == "héllo"
    with path.open() as file:
        with pytest.raises(OSError):
            zoo.write_to(file, "x")
        assert zoo.read_all(file) == "héllo"
        for name in ("buffer", "fileno", "detach", "reconfigure", "_CHUNK_SIZE"):
            with pytest.raises((AttributeError, OSError)):
                value = zoo.grab(file, name)
                value()
    assert path.read_text() == "héllo"


def test_nothing_is_asked_that_was_not_given():
    """A guest that asks for what it has no right to gets an exception, whatever it asks for."""
    user, file = User("Ann"), io.StringIO("text")
    library = NativeLibrary("zoo", ["zoo"])
    zoo = Names(library, "zoo")
    zoo.keep([user, file, zoo.Cat("a"), print])
    graph, guest = library.graphs[0], library.connection()._guest
    numbers = {type(gift.value): number for number, gift in guest.given._by_number.items()}
    asked = graph.bridge._handles
    refused = []

    def lie():
        """Runs as a callback, so that the guest may ask; asks as the bridge would, but for other things."""

    requests = [
        ["get", {"$": "h", "i": numbers[User]}, "password"],
        ["get", {"$": "h", "i": numbers[User]}, "__class__"],
        ["method", {"$": "h", "i": numbers[User]}, "drop", [], {}],
        ["method", {"$": "h", "i": numbers[User]}, "__init__", ["x"], {}],
        ["set", {"$": "h", "i": numbers[User]}, "password", "x"],
        ["call", {"$": "h", "i": numbers[User]}, [], {}],
        ["file", {"$": "h", "i": numbers[User]}, "read", []],
        ["file", {"$": "h", "i": numbers[type(file)]}, "getvalue", []],
        ["file", {"$": "h", "i": numbers[type(file)]}, "__class__", []],
        ["file", {"$": "h", "i": numbers[type(file)]}, "read", [[]]],
        ["call", {"$": "h", "i": 99999}, [], {}],
        ["call", {"$": "A", "v": "zoo:echo"}, [1], {}],
        ["call", {"$": "B", "v": "object"}, [], {}],
        ["did", 5],
        ["exec", "x"],
        [], 5, None, {"$": "h"},
    ]  # fmt: skip
    import json

    real = graph._perform

    def perform(text):
        if '"call"' in text and not refused:
            for request in requests:
                refused.append(graph._ask(json.dumps(request)))
        return real(text)

    graph._perform = perform
    zoo.call(lie)
    assert len(refused) == len(requests)
    assert all(json.loads(one)[0] == 1 for one in refused)
    assert user.password == "swordfish"
    assert asked
    assert zoo.call(lambda: 5) == 5


def test_a_mock_is_called_as_it_is_natively(zoo):
    """It has all special methods, those of an iterator among them: what can be called is given to be called."""
    double = mock.MagicMock(return_value=5)
    assert zoo.call(double, 1, key=2) == 5
    double.assert_called_once_with(1, key=2)
