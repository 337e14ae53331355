"""What the border does with what both sides have of the standard library: real libraries stand on it everywhere."""

from __future__ import annotations

import collections
import dataclasses
import datetime as dt
import decimal
import hashlib
import ipaddress
import json
import pickle
import sys
import time
import types
import urllib.parse
import warnings
import xml.parsers.expat
from collections.abc import Iterator
from xml.etree import ElementTree as ET

import pytest
from native_library import Names, NativeLibrary
from ringfence.objects.errors import BorderViolated, NotCarried


@pytest.fixture
def stall() -> Iterator[Names]:
    """The stall's module, its instance in this process."""
    library = NativeLibrary("stall", ["stall"])
    yield Names(library, "stall")
    library.end()


def lying(answer: str) -> Names:
    """A library whose every answer after the greeting is this."""
    made = NativeLibrary("stall", ["stall"], perform=lambda text: "[0,null]" if '"hello"' in text else answer)
    return Names(made, "stall")


# exceptions


def test_an_exception_of_the_standard_library_is_raised_as_the_very_class(stall):
    """`except json.JSONDecodeError` is what applications write; a class that only looks like it would pass them by."""
    with pytest.raises(json.JSONDecodeError) as caught:
        stall.parse('{"a": ')
    assert type(caught.value) is json.JSONDecodeError
    assert (caught.value.msg, caught.value.pos, caught.value.lineno, caught.value.doc) == ("Expecting value", 6, 1, '{"a": ')
    with pytest.raises(xml.parsers.expat.ExpatError, match="no element found") as caught:
        stall.markup("")
    assert (caught.value.code, caught.value.lineno) == (3, 1)


def test_a_librarys_exception_derives_from_that_of_the_standard_library(stall):
    with pytest.raises(json.JSONDecodeError, match="Expecting value: line 1") as caught:
        stall.order("?")
    assert type(caught.value).__name__ == "BadOrder"
    assert caught.value.pos == 0
    assert issubclass(stall.BadOrder, json.JSONDecodeError)
    assert type(caught.value.__cause__) is json.JSONDecodeError


def test_a_library_catches_the_applications_exception_by_its_standard_class(stall):
    assert stall.catches(lambda: json.loads("?")) == ["caught", "Expecting value"]
    assert stall.catches(lambda: 5) == 5


@pytest.mark.parametrize("name", ["os:_Environ", "subprocess:Popen", "json:decoder", "nowhere:Error", "antigravity:fly"])
def test_only_listed_exceptions_are_looked_up(name):
    """A name must not make this side import or build anything else."""
    before = set(sys.modules)
    said = {"$": "o", "i": 1, "c": {"$": "E", "v": name}, "a": [], "s": "", "t": "", "n": [], "e": None, "d": False, "v": {}}
    with pytest.raises(BorderViolated):
        lying(json.dumps([1, said])).parse("1")
    assert "antigravity" not in set(sys.modules) - before


def test_attributes_that_come_with_an_exception_are_plain_names():
    said = {"$": "o", "i": 1, "c": {"$": "E", "v": "json:JSONDecodeError"}, "a": ["m"], "s": "", "t": "", "n": [], "e": None, "d": False}
    with pytest.raises(json.JSONDecodeError) as caught:
        lying(json.dumps([1, {**said, "v": {"__class__": 1, "pos": 3, "a b": 1}}])).parse("1")
    assert vars(caught.value) == {"pos": 3, "__notes__": caught.value.__notes__} if hasattr(caught.value, "__notes__") else {"pos": 3}
    with pytest.raises(BorderViolated, match="attributes"):
        lying(json.dumps([1, {**said, "v": 5}])).parse("1")


# time zones


def test_a_librarys_time_zone_is_one_of_the_applications_datetimes(stall):
    """`datetime(..., tzinfo=tz.gettz("Europe/Berlin"))` is what such libraries are for."""
    zone = stall.Zone("Bern")
    assert isinstance(zone, dt.tzinfo)
    winter, summer = (dt.datetime(2020, month, 1, tzinfo=zone) for month in (1, 8))
    assert (winter.utcoffset(), summer.utcoffset()) == (dt.timedelta(hours=1), dt.timedelta(hours=2))
    assert summer.tzname() == "Bern"
    assert winter.astimezone(dt.UTC).hour == 23
    assert stall.zone_of(winter) is zone


def test_a_datetime_keeps_the_librarys_time_zone(stall):
    """By its offset alone it would be wrong after the next `+ timedelta(days=200)`."""
    opening = stall.opening(1)
    assert opening.tzinfo is stall.BERLIN
    assert opening.utcoffset() != (opening + dt.timedelta(days=200)).utcoffset()
    assert {opening: 1}[stall.opening(1)] == 1


def test_what_is_no_time_zone_is_none_of_a_datetimes():
    with pytest.raises(BorderViolated, match="time zone"):
        lying('[0,{"$":"T","v":[2020,1,1,0,0,0,0],"f":0,"z":5}]').opening(1)


# values


@pytest.mark.parametrize(
    "value",
    [
        *(ipaddress.ip_address("10.0.0.1"), ipaddress.ip_address("fe80::1%eth0"), ipaddress.ip_network("10.0.0.0/8")),
        *(ipaddress.ip_interface("10.0.0.1/8"), ipaddress.ip_network("2001:db8::/32"), ipaddress.ip_interface("::1/128")),
        *(time.gmtime(0), time.localtime(10**9), time.strptime("2020", "%Y"), time.struct_time(range(9))),
        *(urllib.parse.urlsplit("http://u@x.org:80/a?b#c"), urllib.parse.urlparse(b"//x/;p"), urllib.parse.urldefrag("a#b")),
    ],
    ids=repr,
)
def test_a_value_of_the_standard_library_is_one_on_both_sides(stall, value):
    """Applications and libraries ask for `isinstance`, call its methods, pickle it."""
    there = stall.same(value)
    assert type(there) is type(value)
    assert there == value
    assert hash(there) == hash(value)
    assert repr(there) == repr(value)
    assert pickle.loads(pickle.dumps(there)) == value
    if isinstance(value, time.struct_time):
        assert (there.tm_zone, there.tm_gmtoff) == (value.tm_zone, value.tm_gmtoff)


def test_a_value_of_the_standard_library_is_the_librarys_as_well(stall):
    assert stall.is_private(ipaddress.ip_address("10.0.0.1")) is True
    assert stall.port_of(urllib.parse.urlsplit("http://x.org:8080/")) == 8080
    assert stall.day_of(0) == time.gmtime(0)
    assert {stall.split("http://x.org"): 1}[urllib.parse.urlsplit("http://x.org")] == 1
    odd = stall.Odd("10.0.0.1")
    assert type(odd) is stall.Odd, "an object of a class of the library's stays in it"
    assert odd.is_loopback is False
    strange = time.struct_time([[1], *range(8)])
    assert stall.same(strange)[0] == [1], "what is no such value crosses as what it holds"


@pytest.mark.parametrize(
    "said",
    [
        {"n": "ipaddress:IPv4Address", "v": [5]},
        {"n": "ipaddress:IPv4Address", "v": ["10.0.0.1", "2"]},
        {"n": "ipaddress:IPv4Address", "v": ["no address"]},
        {"n": "ipaddress:IPv4Address", "v": "1"},
        {"n": "ipaddress:collapse_addresses", "v": ["1"]},
        {"n": "time:struct_time", "v": [1, 2]},
        {"n": "time:struct_time", "v": [1.5] * 9},
        {"n": "time:struct_time", "v": {"$": "r", "v": [0, 9, 1]}},
        {"n": "time:sleep", "v": [1]},
        {"n": "urllib.parse:SplitResult", "v": ["a"]},
        {"n": "os:system", "v": ["true"]},
        {"n": ["ipaddress:IPv4Address"], "v": []},
        {"n": {"$": "f", "i": 1, "n": ""}, "v": []},
    ],
)
def test_a_value_that_is_none_is_refused(said):
    with pytest.raises(BorderViolated):
        lying(json.dumps([0, {"$": "V", **said}])).same(1)


# XML


def test_a_tree_that_a_function_returns_is_the_applications(stall):
    """Functions in C (`SubElement`, `fromstring`'s own class) take real elements only."""
    tree = stall.catalogue("<shop a='1'>x<item>tea</item>y</shop>")
    assert type(tree) is ET.Element
    ET.SubElement(tree, "more").text = "z"
    assert ET.tostring(tree, "unicode") == '<shop a="1">x<item>tea</item>y<more>z</more></shop>'
    assert isinstance(stall.whole("<a/>"), ET.ElementTree)


def test_a_tree_that_is_given_is_copied(stall):
    tree = ET.fromstring("<a b='c'>d<e/>f</a>")
    tree.extend([ET.Comment("g"), ET.ProcessingInstruction("h", "i")])
    assert stall.text_of(tree) == '<a b="c">d<e />f<!--g--><?h i?></a>'
    assert stall.text_of(ET.ElementTree(tree)) == stall.text_of(tree)


def test_a_tree_that_the_library_keeps_is_changed_in_place(stall):
    """A callback that gets a tree is meant to change it."""

    def price(root):
        for item in root.iter("item"):
            item.set("price", "3")
        new = ET.Element("item")
        new.text = "milk"
        root.append(new)

    assert stall.Shop().each(price) == '<shop><item n="1" price="3">tea</item><item>milk</item></shop>'


def test_trees_may_be_as_deep_as_they_like(stall):
    """Markup of strangers is; containers are bounded to 200."""
    tree = stall.deep(5000)
    assert sum(1 for _ in tree.iter()) == 5001
    assert stall.size_of(tree) == 5001


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [["a", None, None, {}, 1]],
        [["a", None, None, {}, 0], ["b", None, None, {}, 0]],
        [["a", None, None, {}, -1]],
        [["a", None, None, {}, True]],
        [["a", 5, None, {}, 0]],
        [["a", None, None, {"b": 5}, 0]],
        [[7, None, None, {}, 0]],
        [["a", None, None, [], 0]],
        [["a", None]],
        [["a", None, None, None, 0]],
        [{"$": "i", "i": 1, "g": False}],
        {"$": "i", "i": 1, "g": False},
        [5],
        5,
    ],
)
def test_a_tree_that_is_none_is_refused(rows):
    with pytest.raises(BorderViolated):
        lying(json.dumps([0, {"$": "G", "v": rows, "w": False}])).catalogue("<a/>")


# modules and generators


def test_a_module_that_both_sides_have_can_be_given(stall):
    assert stall.named(ET) == "xml.etree.ElementTree"
    with pytest.raises(NotCarried, match="functions that it needs"):
        stall.named(sys)


@pytest.mark.parametrize("name", ["md5", "sha1", "sha256", "sha512", "sha3_256", "blake2b"])
def test_a_hash_function_is_the_librarys_own(stall, name):
    """`hashfunc=hashlib.sha256`: CPython calls it `_hashlib.openssl_sha256`, and what it makes the library could not read."""
    function = getattr(hashlib, name)
    assert stall.digest(function, b"tea") == function(b"tea").hexdigest()
    asked = []
    with pytest.raises(TypeError, match="hexdigest: the application gave its"):
        stall.digest(lambda content: asked.append(content) or function(content), b"tea")
    assert asked == [b"tea"], "a function of the application's is asked"


def test_an_encoder_of_json_can_be_given(stall):
    """`json_encoder=MyEncoder` is what libraries take that write JSON. They may have it encode, and see nothing else of it."""

    class Encoder(json.JSONEncoder):
        secret = 5

        def default(self, value):
            return f"{value}!" if isinstance(value, decimal.Decimal) else super().default(value)

    class Decoder(json.JSONDecoder):
        def decode(self, text):
            return [super().decode(text)]

    assert stall.to_json({"price": decimal.Decimal("1.50")}, Encoder) == '{"price": "1.50!"}'
    with pytest.raises(TypeError, match="not JSON serializable"):
        stall.to_json({"price": 1j}, Encoder)
    assert stall.from_json('{"a": 1}', Decoder) == [{"a": 1}]
    with pytest.raises(AttributeError, match="secret: the application gave its 'Encoder' without it"):
        stall.read(Encoder(), "secret")


def test_a_generator_is_one_on_both_sides(stall):
    assert stall.is_generator(one for one in [1])
    assert not stall.is_generator(iter([1]))
    assert isinstance(stall.counting(3), types.GeneratorType)
    closed = []

    def steps():
        try:
            yield (yield 1)
        finally:
            closed.append(True)

    assert stall.drive(steps()) == [1, 5]
    assert closed == [True]


def test_what_a_callback_changes_in_a_container_is_changed_in_the_library(stall):
    """Markdown's block processors take what they have read out of the list that they get; it would give them the same block for ever."""

    def change(lines, table, *, seen):
        first = lines.pop(0)
        lines += ["d", first]
        del table["b"]
        table["c"] = 3
        seen.add(7)

    lines, table, seen, *same = stall.lends(change)
    assert (lines[:3], [key for key, _ in table], table[1], seen) == (["b", "c", "d"], ["a", "c"], ("c", 3), [1, 2, 7])
    assert same == [True, True], "what was not changed is still the library's own object"
    assert stall.lends(lambda *_, seen: None)[0][1:] == ["b", "c"]
    assert stall.lends(lambda lines, table, seen: (lines.clear(), table.clear(), seen.clear()))[:3] == [[], [], []]


def test_an_iterator_may_end_by_an_exception_of_its_own(stall):
    """`yield from` takes the value out of whatever StopIteration there is; where none was ever set, that ended the process."""

    class Done(StopIteration):
        pass

    def ends():
        return (yield from stall.Ends())

    class Steps:
        def __iter__(self):
            return self

        def __next__(self):
            raise Done

    assert list(ends()) == []
    assert list(stall.passes_on(iter([1, 2]))) == [1, 2]
    assert list(stall.passes_on(Steps())) == []


def test_a_dict_that_makes_what_is_missing_does_so_in_the_library(stall):
    assert stall.missing(collections.defaultdict(lambda: "made", a=1), "b") == "made"
    assert stall.missing(collections.defaultdict(list), "b") == []
    with pytest.raises(KeyError):
        stall.missing(collections.defaultdict(None, a=1), "b")


def test_an_iterator_of_a_derived_class_is_of_that_class(stall):
    class Loud(stall.Ticker):
        def __next__(self):
            return f"{super().__next__()}!"

    loud = Loud(3)
    assert next(loud) == "1!"
    assert loud.left() == 2
    assert list(loud) == ["2!", "3!"]


# what is refused rather than done wrongly


@pytest.mark.parametrize("how", ["make_over", "derive"])
def test_a_library_that_makes_over_a_class_is_told_that_it_cannot(stall, how):
    """The methods would be missing where the objects live, and `@define` would seem to have worked."""

    class Thing:
        pass

    with pytest.raises(TypeError, match="cannot (change|make over)"):
        getattr(stall, how)(Thing)
    assert stall.mark(Thing) is True, "data of its own it may leave"


@dataclasses.dataclass
class Item:
    name: str


def test_the_text_of_an_object_is_refused_where_it_would_be_another(stall):
    """A dataclass has no `__str__`: its `__repr__` is its text, and a table of the border's own text would be a silent mistake."""
    with pytest.raises(TypeError, match=r"register\(Item, methods=\["):
        stall.written(Item("tea"))


# pickles


def made_anew(value):
    """As `pickle` does it; in this process the library's own module has the name that the package would have."""
    make, arguments, state, _, _, set_state = value.__reduce_ex__(4)
    made = make(*arguments)
    if state is not None:
        set_state(made, state)
    return made


def test_an_object_is_pickled_as_the_library_would(stall):
    """By its class and state; it is made anew in the instance of who reads the pickle."""
    basket = stall.Basket("tea", [1])
    basket.owner = stall.Slotted("Ann")
    other = made_anew(basket)
    assert other == basket
    assert other is not basket
    assert (type(other), other.things, other.owner.name) == (stall.Basket, ["tea", [1]], "Ann")
    assert made_anew(basket.owner).name == "Ann"


def test_a_pickle_names_nothing_but_the_library(stall):
    """Reading a pickle calls what it names."""
    called = []
    with pytest.raises(NotCarried, match="pickled"):
        pickle.dumps(stall.Forged(called.append))
    with pytest.raises(TypeError, match="something else"):
        sys.modules["ringfence.objects.pickling"]._made(False, called.append, ("x",))
    assert called == []


# warnings


def warned(module, category="DeprecationWarning"):
    return json.dumps([0, None, {"w": [[{"$": "E", "v": category}, "old", module, 3]]}])


def test_a_warning_is_about_the_module_that_it_is_in():
    """The default filters show deprecations in the application's own code, and hide those within libraries."""
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("ignore")
        warnings.filterwarnings("default", category=DeprecationWarning, module=r".*test_standard_library")
        lying(warned("stall.inner")).old()
        assert seen == []
        lying(warned(None)).old_use()
        assert [one.filename for one in seen] == [__file__]
        warnings.filterwarnings("default", category=DeprecationWarning, module="stall.inner")
        library = lying(warned("stall.inner"))
        library.old(), library.old()
        assert [one.filename for one in seen[1:]] == ["stall.inner"], "once for each place"


@pytest.mark.parametrize("module", [5, "a\nb", ["x"]])
def test_a_warning_of_no_module_is_none(module):
    with pytest.raises(BorderViolated, match="warning"):
        lying(warned(module)).old()
