"""A library that asks for what it was not given: classes it only heard of, names that say of themselves that they are others."""

from __future__ import annotations

import io
import json
import logging
import subprocess
from dataclasses import dataclass

import pytest
from native_library import Names, NativeLibrary
from ringfence.objects import register

TEXT = {
    "$": "K",
    "i": 1,
    "k": None,
    "r": {
        "name": "X",
        "qualname": "X",
        "module": "m",
        "bases": [{"$": "B", "v": "str"}],
        "members": {"__hash__": {"kind": "method"}, "__eq__": {"kind": "method"}},
        "abcs": [],
    },
}
"""A class derived from text whose objects equal whatever the library says."""


def asking(question):
    """A library whose every function asks once, with the request that `question` makes of its argument's JSON; then it is told a lie."""
    library = NativeLibrary("zoo", ["zoo"])

    def perform(text):
        _, _, name, *operands = json.loads(text)
        if name == "hello":
            return "[0,null]"
        ask = library.graphs[-1]._ask
        found = ask(json.dumps(question(operands[1][0])))
        while (asked := json.loads(found))[0] == 2:
            found = ask(json.dumps(["did", [0, hash("name") if asked[3] == "__hash__" else True]]))
        return json.dumps([0, asked[0] == 1, {}])

    library.perform_instead = perform
    return Names(library, "zoo")


@dataclass
class User:
    name: str
    password: str = "swordfish"


register(User, attributes=["name"], methods=["__str__"], writable=["name"])


def given(told):
    return {"$": "h", "i": told["i"]}


@pytest.mark.parametrize("at", [lambda told: told["c"], lambda told: told["c"]["b"][0]], ids=["its class", "a base of that"])
def test_the_class_of_what_was_given_cannot_be_called(tmp_path, at):
    """Else whoever gives a log's handler gives every file: a handler is made of a path, which it opens for writing."""
    made = tmp_path / "made"
    handler = logging.FileHandler(tmp_path / "log", delay=True)
    assert asking(lambda told: ["call", given(at(told)), [str(made), "w"], {}]).echo(handler)
    assert not made.exists()


def test_the_base_of_a_class_that_was_given_cannot_be_called():
    class Quiet(subprocess.Popen):
        pass

    assert asking(lambda told: ["call", given(told["b"][0]), [["true"]], {}]).echo(Quiet)


def test_a_class_that_was_given_can_be_called():
    """The control; also where an object of it was given before."""
    assert not asking(lambda told: ["call", given(told), ["Ann"], {}]).echo(User)
    assert not asking(lambda told: ["call", given(told["v"][1]) if "v" in told else given(told[1]), ["Ann"], {}]).echo([User("Ann"), User])


@pytest.mark.parametrize("request_of", [
    lambda user, name: ["get", user, name],
    lambda user, name: ["set", user, name, 1],
    lambda user, name: ["method", user, name, [], {}],
])  # fmt: skip
def test_a_name_that_says_what_it_equals_is_no_name(request_of):
    """An object of a library's class may derive from `str`, and the library decides what it equals: its text is what would be looked up."""
    user = User("Ann")
    zoo = asking(lambda told: request_of(given(told), {"$": "v", "i": 50, "c": TEXT, "v": "password"}))
    assert zoo.echo(user)
    assert user == User("Ann")
    assert not asking(lambda told: ["get", given(told), "name"]).echo(user)


def test_a_files_operation_that_says_what_it_equals_is_none():
    zoo = asking(lambda told: ["file", given(told), {"$": "v", "i": 50, "c": TEXT, "v": "__init__"}, ["x"]])
    file = io.StringIO("kept")
    assert zoo.echo(file)
    assert file.read() == "kept"
