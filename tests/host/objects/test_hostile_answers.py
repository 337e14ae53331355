"""A library that answers what takes long, leads a terminal, or has the host do more than it was asked for: each with its control."""

from __future__ import annotations

import io
import json
import logging
import random
import sys
import time
import traceback
import warnings
from types import SimpleNamespace

import native_library
import pytest
from native_library import Names, NativeLibrary
from ringfence.contract.errors import DeadlineExceeded
from ringfence.objects import BorderViolated, files, serving
from ringfence.objects.agreed.terms import Malformed
from ringfence.objects.api import MODULE
from ringfence.objects.bounds import spread
from ringfence.objects.proxies import RemoteModule

CLASS = {"name": "X", "qualname": "X", "module": "m", "bases": [{"$": "B", "v": "object"}], "members": {}, "abcs": []}


def lying(*answers):
    """A module of a library that gives these answers in turn, the last one for ever."""
    left = list(answers)

    def perform(text):
        if json.loads(text)[2] == "hello":
            return "[0,null]"
        return left.pop(0) if len(left) > 1 else left[0]

    return Names(NativeLibrary("zoo", ["zoo"], perform=perform), "zoo")


def answer(value):
    return json.dumps([0, value])


def of_class(**changes):
    return {"$": "K", "i": 1, "k": None, "r": {**CLASS, **changes}}


def raising(**changes):
    kind = {"$": "E", "v": "ValueError"}
    return json.dumps([1, {"$": "o", "i": 1, "c": kind, "a": [], "s": "", "t": "", "n": [], "e": None, "d": False, **changes}])


BITS = 14


def hiding(count: int = 9000) -> list[int]:
    """Keys whose search in a dict of 2**BITS places leads through those of the others."""
    size, place, chance = 1 << BITS, 1, random.Random(1)
    used, keys = bytearray(size), {}
    while len(keys) < count * 4 // 5:  # in the order in which a search goes at last
        keys[place], used[place] = None, 1
        place = (5 * place + 1) % size
    while len(keys) < count:
        key = chance.getrandbits(BITS + 3)
        place, perturb = key % size, key
        while used[place] and perturb:
            perturb >>= 5
            place = (5 * place + perturb + 1) % size
        if used[place]:
            keys[key] = None
    return [*sorted(one for one in keys if one < size and used[one]), *(one for one in keys if one >= size)]


@pytest.mark.parametrize("kind", ["d", "s", "z", "k", "O"])
def test_keys_that_hide_each_other_are_refused(kind):
    """Their hashes differ; still the time to build a dict of them grows with their square: hours for what fits into an answer."""
    keys = hiding()
    value = [[one, 1] for one in keys] if kind in "dkO" else keys
    with pytest.raises(BorderViolated, match="hide"):
        lying(answer({"$": kind, "v": value})).echo(1)


@pytest.mark.parametrize("keys", [
    range(20_000), random.Random(2).sample(range(10**6), 20_000),
    [one << 20 for one in range(20_000)], [one << 40 for one in range(20_000)],
    [one * 4096 for one in range(20_000)],
    [one / 7 for one in range(20_000)],
    [-one for one in range(20_000)], [(one, 1) for one in range(20_000)],
    [str(one) for one in range(20_000)],
], ids=["in a row", "random", "shifted", "shifted far", "pages", "floats", "negative", "tuples", "text"])  # fmt: skip
def test_ordinary_keys_are_taken(keys):
    """The control: nothing that programs have for keys is taken for an attack."""
    assert spread([*keys]) == [*keys]


def test_too_many_of_one_hash_are_refused_and_few_are_not():
    same = [1 + one * ((1 << 61) - 1) for one in range(100)]
    with pytest.raises(Malformed, match="same hash"):
        spread(same)
    assert spread(same[:60]) == same[:60]


HASHING = of_class(members={"__hash__": {"kind": "method"}, "__eq__": {"kind": "method"}})


def test_what_reading_an_answer_asks_has_the_time_of_its_call(monkeypatch):
    """A set of objects that hash themselves asks the library for each: all these questions together have the deadline of one call."""
    started = []

    class Timed(native_library.Call):
        def __init__(self, root):
            super().__init__(root)
            started.append(root.started)

    monkeypatch.setattr(native_library, "Call", Timed)
    objects = [HASHING if one == 0 else {"$": "C", "i": 1} for one in range(20)]
    found = {"$": "s", "v": [{"$": "o", "i": 10 + one, "c": cls} for one, cls in enumerate(objects)]}
    zoo = lying(answer(found), *map(answer, range(40)))
    assert len(zoo.echo(1)) == 20
    assert len(set(started[1:22])) == 1, "one time for the operation and all that its answer asks"
    time.sleep(0.01)
    zoo.echo(1)
    assert started[-1] > started[1], "the control: the next operation has its own"


def test_a_question_beyond_the_deadline_ends_the_reading(monkeypatch):
    """The engine ends the call; the instance is gone, and the next operation works."""
    left = [answer({"$": "s", "v": [{"$": "o", "i": 5, "c": HASHING}]}), None]

    def perform(text):
        if json.loads(text)[2] == "hello":
            return "[0,null]"
        if (found := left.pop(0) if left else answer("well")) is None:
            raise DeadlineExceeded("library", "deadline", "1s")
        return found

    zoo = Names(NativeLibrary("zoo", ["zoo"], perform=perform), "zoo")
    with pytest.raises(DeadlineExceeded):
        zoo.echo(1)
    assert zoo.echo(1) == "well"


WARNING = of_class(name="Loud", bases=[{"$": "E", "v": "UserWarning"}])


def test_a_warning_about_a_warning_ends():
    """A warning is made by its class, which is the library's: its answer may hold the next, and so on."""
    asked = []

    def perform(text):
        name = json.loads(text)[2]
        if name == "hello":
            return "[0,null]"
        asked.append(name)
        made = {"$": "o", "i": 70 + len(asked), "c": {"$": "C", "i": 1}, "a": ["loud"], "s": "", "t": "", "n": [], "e": None, "d": False}
        warned = [[WARNING if len(asked) == 1 else {"$": "C", "i": 1}, "loud", *WHERE]]
        return json.dumps([0, made if name == "call" and len(asked) > 1 else 1, {"w": warned}])

    zoo = Names(NativeLibrary("zoo", ["zoo"], perform=perform), "zoo")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert zoo.echo(1) == 1
    assert len(asked) == 2
    assert len(caught) == 1, "the control: the first is issued"


WHERE: list[object] = [None, 0]
"""What a warning has besides class and text."""


@pytest.mark.parametrize("record", [
    "[" * 1_000_000 + "]" * 1_000_000, '{"a":' * 100_000 + "1" + "}" * 100_000, "[30," * 50_000,
    "[30,[[[[]]]],1]", "x" * (2 << 20), "[1,2,3," + "4," * 500 + "5]",
], ids=["lists", "dicts", "open", "nested", "long", "many"])  # fmt: skip
def test_a_log_record_is_bounded_before_it_is_parsed(monkeypatch, caplog, record):
    """The parser uses the host's own stack, of which an application may have allowed it all."""
    monkeypatch.setattr(sys, "setrecursionlimit", sys.setrecursionlimit)
    before = sys.getrecursionlimit()
    call = SimpleNamespace(root=None, node="zoo", spend=lambda _: None)
    sys.setrecursionlimit(100_000_000)
    try:
        serving.log(call, record)
        serving.log(call, json.dumps([logging.WARNING, "inner", "control"]))
    finally:
        sys.setrecursionlimit(before)
    assert [one.levelno for one in caplog.records] == [logging.ERROR, logging.WARNING]
    assert caplog.records[1].getMessage() == "inner: control"


ESCAPES = "a\x1b]0;owned\x07b\rc\u202ed\x9be"
OWN = of_class(name="Failure", bases=[{"$": "E", "v": "ValueError"}], members={"__str__": {"kind": "method"}})


@pytest.mark.parametrize("error", [
    {"c": {"$": "E", "v": "ValueError"}, "a": [ESCAPES]},
    {"c": {"$": "E", "v": "OSError"}, "a": [], "o": ["ENOENT", ESCAPES, ESCAPES]},
    {"c": {"$": "E", "v": "UnicodeDecodeError"}, "a": ["utf-8", {"$": "b", "v": "YQ=="}, 0, 1, ESCAPES]},
    {"c": {"$": "E", "v": "SyntaxError"}, "a": [ESCAPES, {"$": "t", "v": [ESCAPES, 1, 1, ESCAPES]}]},
    {"c": {"$": "E", "v": "SyntaxError"}, "a": ["a"], "f": {"msg": ESCAPES, "text": ESCAPES, "filename": ESCAPES, "lineno": 1}},
    {"c": {"$": "E", "v": "ImportError"}, "a": ["a"], "f": {"msg": ESCAPES}},
    {"c": {"$": "E", "v": "KeyError"}, "a": [ESCAPES]},
    {"c": {"$": "E", "v": "ValueError"}, "a": [ESCAPES, 1]},
    {"c": of_class(name="Plain", bases=[{"$": "E", "v": "ValueError"}]), "a": [ESCAPES]},
    {"c": OWN, "a": []},
], ids=["text", "system", "unicode", "syntax", "fields", "import", "key", "several", "its own", "says itself"])  # fmt: skip
def test_what_an_exception_says_leads_no_terminal(error):
    """A traceback prints it as it stands: the title of the window, a line written over, text that reads backwards."""
    zoo = lying(raising(**error), answer(ESCAPES))
    with pytest.raises(Exception) as caught:
        zoo.echo(1)
    shown = "".join(traceback.format_exception(caught.value))
    assert not {one for one in shown if not one.isprintable()} - {"\n", "\t"}
    assert "owned" in shown


def test_what_an_exception_says_is_as_it_was_else():
    """The control: text of any language, tabs, lines; a key is data, and stays."""
    text = "größer\t\u4e2d\u6587\r\n\U0001f600"
    with pytest.raises(ValueError) as caught:
        lying(raising(a=[text])).echo(1)
    assert caught.value.args == (text,)
    with pytest.raises(KeyError) as caught:
        lying(raising(c={"$": "E", "v": "KeyError"}, a=[ESCAPES])).echo(1)
    assert caught.value.args == (ESCAPES,)


class Endless(io.RawIOBase):
    """A file that never ends, as /dev/zero."""

    given = 0

    def readable(self):
        return True

    def readinto(self, buffer):
        self.given += len(buffer)
        buffer[:] = bytes(len(buffer))
        return len(buffer)


@pytest.mark.parametrize(("name", "arguments"), [
    ("read", [-1]), ("read", []), ("read", [None]), ("read", [1 << 40]), ("readline", [-1]), ("readline", [1 << 40]),
    ("readlines", [-1]), ("readlines", [1 << 40]),
])  # fmt: skip
def test_a_file_is_not_read_without_end(monkeypatch, name, arguments):
    """The library asks; the host would hold all of it, whatever the library's memory is limited to."""
    monkeypatch.setattr(files, "MOST", 3 << 20)
    raw = Endless()
    with pytest.raises(OSError, match="read it in parts"):
        files.operate(io.BufferedReader(raw), name, arguments)
    assert raw.given < 8 << 20


def test_files_are_read_as_they_are(tmp_path):
    """The control: each way of reading gives what it does natively."""
    text = "one\ntwo\n\nlast"
    for make in (lambda: io.StringIO(text), lambda: io.BytesIO(text.encode())):
        for name, arguments in [
            ("read", [-1]),
            ("read", []),
            ("read", [5]),
            ("read", [0]),
            ("readline", [-1]),
            ("readline", [2]),
            ("readlines", [-1]),
            ("readlines", [5]),
        ]:
            file, native = make(), make()
            for _ in range(3):
                assert files.operate(file, name, arguments) == getattr(native, name)(*arguments), (name, arguments)


def test_a_module_is_the_librarys_only_where_its_file_is(tmp_path, monkeypatch):
    """Beside it in site-packages lies everything else that is installed: naming it in api.json would have it imported here."""
    mark = tmp_path / "mark"
    for name in ("neighbour", "impostor"):
        (tmp_path / f"{name}.py").write_text(f"open({str(mark)!r}, 'w')\n")
    (tmp_path / "owned.py").write_bytes(MODULE % b"zoo_ringfence")
    monkeypatch.syspath_prepend(tmp_path)
    library = NativeLibrary("zoo", ["zoo"])
    library._root, library.lock = tmp_path, tmp_path / "zoo_ringfence" / "graph.lock.json"
    for name in ("neighbour", "impostor", "owned", "neighbour.inner"):
        library.api.modules[name] = {"members": {}}
    assert isinstance(library.module("neighbour", None), RemoteModule)
    assert isinstance(library.module("neighbour.inner", None), RemoteModule)
    assert not mark.exists()
    assert library._installed("owned"), "the control"
    assert not library._installed("absent")
