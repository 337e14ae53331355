"""A library that stands on the standard library: its exceptions, XML, time zones, modules and generators."""

import datetime
import inspect
import ipaddress
import json
import time
import urllib.parse
import warnings
from xml.dom import minidom
from xml.etree import ElementTree
from xml.parsers import expat


class BadOrder(json.JSONDecodeError):
    """An order that is no JSON."""


def parse(text):
    return json.loads(text)


def order(text):
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise BadOrder(error.msg, error.doc, error.pos) from error


def markup(text):
    expat.ParserCreate().Parse(text, True)


def catches(function):
    try:
        return function()
    except json.JSONDecodeError as error:
        return ["caught", error.msg]


class Zone(datetime.tzinfo):
    """Summer time from July on."""

    def __init__(self, name):
        self.name = name

    def utcoffset(self, moment):
        return datetime.timedelta(hours=1) + self.dst(moment)

    def dst(self, moment):
        return datetime.timedelta(hours=moment.month >= 7)

    def tzname(self, moment):
        return self.name


BERLIN = Zone("Berlin")


def opening(month):
    return datetime.datetime(2020, month, 1, 12, tzinfo=BERLIN)


def zone_of(moment):
    return moment.tzinfo


class Shop:
    """Keeps a tree."""

    def __init__(self):
        self.root = ElementTree.fromstring("<shop><item n='1'>tea</item></shop>")

    def each(self, function):
        function(self.root)
        return ElementTree.tostring(self.root, "unicode")


def catalogue(text):
    return ElementTree.fromstring(text)


def document(text):
    return minidom.parseString(text)


def text_of(tree):
    return ElementTree.tostring(tree.getroot() if isinstance(tree, ElementTree.ElementTree) else tree, "unicode")


def whole(text):
    return ElementTree.ElementTree(ElementTree.fromstring(text))


def deep(levels):
    root = place = ElementTree.Element("a")
    for _ in range(levels):
        place = ElementTree.SubElement(place, "a")
    return root


def size_of(tree):
    return sum(1 for _ in tree.iter())


def named(module):
    return module.__name__


def read(target, name):
    return getattr(target, name)


def same(value):
    return value


def port_of(address):
    return address.port


def is_private(address):
    return isinstance(address, ipaddress.IPv4Address) and address.is_private


def day_of(moment):
    return time.gmtime(moment)


def split(address):
    return urllib.parse.urlsplit(address)


class Odd(ipaddress.IPv4Address):
    """No value that both sides have."""


def to_json(value, encoder):
    return json.dumps(value, cls=encoder)


def from_json(text, decoder):
    return json.loads(text, cls=decoder)


def digest(make, content):
    return make(content).hexdigest()


def is_generator(value):
    return inspect.isgenerator(value)


def counting(end):
    got = 0
    while got < end:
        got += (yield got) or 1


def drive(generator):
    found = [next(generator), generator.send(5)]
    generator.close()
    return found


def written(value):
    return f"{value}"


def lends(function):
    """Gives a list, a dict and a set away to be changed, as parsers give the lines that are left."""
    first = Basket("first")
    lines, table, seen = [first, "b", "c"], {"a": first, "b": 2}, {1, 2}
    function(lines, table, seen=seen)
    return [lines, list(table.items()), sorted(seen), first in lines[-1:], table.get("a") is first]


def passes_on(iterator):
    yield from iterator


class Enough(StopIteration):
    """Ends an iterator, and says so."""


class Ends:
    def __iter__(self):
        return self

    def __next__(self):
        raise Enough


def missing(table, key):
    return table[key]


class Ticker:
    """An iterator that has more than items."""

    def __init__(self, end):
        self.now, self.end = 0, end

    def __iter__(self):
        return self

    def __next__(self):
        if self.now == self.end:
            raise StopIteration
        self.now += 1
        return self.now

    def left(self):
        return self.end - self.now


def make_over(cls):
    """As libraries do that write methods into the classes they are given."""
    cls.__init__ = lambda self, name: None
    return cls


def derive(cls):
    return type(cls)(cls.__name__, cls.__bases__, {"extra": 1})


def mark(cls):
    cls.seen = True
    return cls.seen


class Basket:
    """Is pickled by its state."""

    def __init__(self, *things):
        self.things, self.owner = list(things), None

    def __eq__(self, other):
        return isinstance(other, Basket) and self.things == other.things

    __hash__ = None


class Slotted:
    __slots__ = ("name",)

    def __init__(self, name):
        self.name = name


class Remade:
    """Is pickled by what makes it."""

    def __init__(self, name):
        self.name = name

    def __reduce__(self):
        return remake, (self.name,)


def remake(name):
    return Remade(name)


class Forged:
    """Says that a pickle of it is made by the application's function."""

    def __init__(self, function):
        self.function = function

    def __reduce__(self):
        return self.function, ("x",)


def old():
    warnings.warn("stall.old is old", DeprecationWarning, stacklevel=1)


def old_use():
    warnings.warn("do not use that", DeprecationWarning, stacklevel=2)
