"""A library of everything that a library may be made of."""

import collections
import datetime
import enum
import inspect
import logging
import os
import sys
import traceback
import warnings

__version__ = "1.2"
__license__ = "MIT"
__version_info__ = (1, 2)
__when__ = object()
__all__ = ["Animal", "Cat", "Loud", "__when__", "echo", "same"]
LIMIT = 10
state = {"count": 0, "names": ["a"]}


class ZooError(Exception):
    """What the zoo raises."""

    def __init__(self, message, animal=None):
        super().__init__(message)
        self.animal = animal

    def __str__(self):
        return f"zoo: {self.args[0]}"


class Escaped(ZooError, LookupError):
    """An animal is gone."""


class Unfinished(SyntaxError):
    """Of a class that keeps its message beside its arguments, which are no text."""


class Placed(Exception):
    """Has a place of its own for its arguments, and another's error as its cause."""

    __slots__ = ("args", "place")

    def __init__(self, place):
        self.place, self.args = place, ("placed", place)


class Loud(str):
    """Text that shouts."""

    def __add__(self, other):
        return Loud(str.__add__(self, other).upper())

    def shout(self):
        return Loud(self.upper() + "!")


class Number(int):
    def half(self):
        return self // 2


Point = collections.namedtuple("Point", "x y")


LOUD, NUMBER = Loud("loud"), Number(5)


class Colour(enum.Enum):
    RED = 1
    BLUE = 2


class Registry(dict):
    """A dict with a method."""

    def names(self):
        return sorted(self)


def sealed(cls):
    """Derives a class that is called as the one it was given."""
    return type(cls.__name__, (cls,), {"__module__": cls.__module__, "__qualname__": cls.__qualname__, "sealed": True})


@sealed
class Letter:
    def __init__(self, text):
        self.text = text


class Keepers:
    """Gives what it holds by its keys, as graphs and documents do."""

    def __init__(self):
        self._rotas = {"ann": {"days": [1]}}

    def __getitem__(self, name):
        return self._rotas[name]

    def get(self, name):
        return self._rotas[name]

    def __iter__(self):
        return iter([*self._rotas.items()])

    def rota(self, name):
        return self._rotas[name]


class Table(collections.abc.Mapping):
    """Is a mapping, and no dict."""

    def __init__(self):
        self._rows = {}

    def __getitem__(self, key):
        return self._rows[key]

    def __iter__(self):
        return iter(self._rows)

    def __len__(self):
        return len(self._rows)

    def setdefault(self, key, value):
        return self._rows.setdefault(key, value)


class Flock(set):
    """A set with a method."""

    def first(self):
        return min(self)


class Animal:
    """An animal."""

    kind = "animal"
    created = 0

    def __init__(self, name, weight=1.0, *, tags=()):
        self.name, self.weight, self.tags = name, weight, list(tags)
        self.facts = {"name": name}
        self.seen = {1}
        Animal.created += 1

    def speak(self, times=1):
        """What it says."""
        return f"{self.name} says {self.sound()}" * times

    def sound(self):
        return "..."

    @property
    def heavy(self):
        return self.weight > 100

    @heavy.setter
    def heavy(self, value):
        self.weight = 1000 if value else 1

    @classmethod
    def create(cls, name):
        return cls(name)

    @staticmethod
    def add(one, other):
        return one + other

    def __eq__(self, other):
        return isinstance(other, Animal) and other.name == self.name

    def __hash__(self):
        return hash(self.name)

    def __lt__(self, other):
        return self.name < other.name if isinstance(other, Animal) else NotImplemented

    def __add__(self, other):
        return Animal(self.name + other.name) if isinstance(other, Animal) else NotImplemented

    def __len__(self):
        return len(self.name)

    def __getitem__(self, item):
        return self.name[item]

    def __contains__(self, item):
        return item in self.name

    def __iter__(self):
        return iter(self.name)

    def __call__(self, *arguments, **named):
        return arguments, named

    def __enter__(self):
        self.entered = True
        return self

    def __exit__(self, kind, error, trace):
        self.left = kind.__name__ if kind else None
        return kind is not None and issubclass(kind, KeyError)

    def __repr__(self):
        return f"Animal({self.name!r})"


class Cat(Animal):
    """A cat."""

    class Paw:
        side = "left"

    def sound(self):
        return "meow"


class Plain:
    """Equal to itself only."""


class Holder:
    """Keeps one thing."""

    def __init__(self, thing=None):
        self.thing = thing

    def get(self):
        return self.thing

    def is_it(self, other):
        return self.thing is other


class Registered(type):
    made = []

    def __init__(cls, name, bases, space):
        super().__init__(name, bases, space)
        Registered.made.append(name)


class Base(metaclass=Registered):
    def template(self, value):
        return self.step(value) + self.offset

    offset = 10

    def step(self, value):
        return value


def echo(value):
    return value


def same(one, other):
    return one is other


def kind_of(value):
    return type(value).__name__


def call(function, *arguments, **named):
    return function(*arguments, **named)


def attempt(function, *arguments):
    """Swallows what the function raises."""
    try:
        return function(*arguments)
    except Exception as error:
        return type(error).__name__, str(error), [cls.__name__ for cls in type(error).__mro__]


def fail(kind="ZooError", *arguments):
    raise {"ZooError": ZooError, "Escaped": Escaped}[kind](*arguments)


def fail_builtin(name, *arguments):
    raise __builtins__[name](*arguments) if isinstance(__builtins__, dict) else getattr(__builtins__, name)(*arguments)


class Stuffed:
    """Says that it is what it was made of, as proxies of libraries' own do."""

    def __init__(self, inside):
        self._inside = inside

    @property
    def __class__(self):
        return type(self._inside)

    def __str__(self):
        return f"stuffed {self._inside}"


def fail_unfinished():
    error = Unfinished(ValueError("no end"))
    error.lineno = 7
    raise error


def fail_placed(place):
    raise Placed(place)


def fail_import():
    import no_such_module  # noqa: F401


def fail_because():
    try:
        raise KeyError("first")
    except KeyError as error:
        raise ZooError("second", Animal("x")) from error


def count(limit):
    """A generator."""
    got = []
    for number in range(limit):
        sent = yield number
        if sent is not None:
            got.append(sent)
    return got


def forever():
    number = 0
    while True:
        yield number
        number += 1


def pairs(mapping):
    return mapping.items()


def adder(one):
    def add(other):
        return one + other

    return add


async def waits():
    return 1


def warn(text, category=UserWarning):
    warnings.warn(text, category, stacklevel=2)


def log(name, level, text):
    logging.getLogger(name).log(level, text)


def read_all(file, *arguments):
    return file.read(*arguments)


def lines_of(file):
    return list(file)


def write_to(file, text):
    return file.write(text)


def grab(thing, name):
    """Reads any attribute of what it was given."""
    return getattr(thing, name)


def walk(thing):
    """What can be reached from something by the usual ways of who would break out."""
    found = {}
    for name in ("__dict__", "__globals__", "__code__", "__closure__", "__self__", "__func__", "__wrapped__", "f_globals", "gi_frame"):
        try:
            found[name] = getattr(thing, name)
        except (AttributeError, TypeError):
            continue
    return {name: sorted(map(str, value)) if isinstance(value, dict) else str(value) for name, value in found.items() if value is not None}


def listing(path):
    return os.listdir(path)


def now():
    return datetime.datetime(2020, 2, 3, 4, 5, 6, tzinfo=datetime.UTC)


def deep(depth):
    found = []
    for _ in range(depth):
        found = [found]
    return found


def spin():
    while True:
        pass


def leave():
    raise SystemExit(3)


def keep(value, store=[]):  # noqa: B006
    store.append(value)
    return len(store)


def mark(function):
    function.marked = True
    return function


def is_marked(function):
    return getattr(function, "marked", False)


def sort(values, key):
    return sorted(values, key=key)


def join_all(values):
    return "".join(values)


def typed(value, kind):
    return isinstance(value, kind)


def fewer(function, *arguments):
    """Calls with fewer and fewer arguments, until the function takes them; an error from within it is its own."""
    while True:
        try:
            return function(*arguments)
        except TypeError as error:
            if len(traceback.extract_tb(error.__traceback__)) > 1:
                raise
            arguments = arguments[1:]


def shape(function):
    return str(inspect.signature(function)), function.__doc__


def say(text, stream="stdout"):
    print(text, file=getattr(sys, stream))


def text_of(thing):
    return str(thing)


def choices_of(cls, name="CRIMSON"):
    found = [[one.name, one.value] for one in cls]
    return [found, cls[name], next(iter(cls)), len(cls), cls.RED in cls, isinstance(cls.RED, cls)]


def choices_of_its_class(member):
    return [one.name for one in type(member)]


def make_another(member, value):
    return type(member)(value)


def each_of(value):
    return list(value) if isinstance(value, collections.abc.Iterable) else "one"


def inside(value):
    with value as found:
        return found


def truth_of(thing):
    return bool(thing)


def find(path):
    """As loaders of templates do: whether there is a file is asked first, and the error is their own."""
    if not os.path.isfile(path):  # noqa: PTH113 -- as libraries do
        raise ZooError("no such animal")
    return path
