"""What is generated of a library's API holds checked names and nothing else of its text (design §7.8)."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from ringfence_composer.errors import InputInvalid
from ringfence_composer.wrap.api import checked_api
from ringfence_composer.wrap.shim import MODULE, module_names, shim_files
from ringfence_composer.wrap.stubs import stub_files

EVIL = "__import__('os').system('touch owned')"
BREAKING = f'"""\n{EVIL}\n"""'


def api(members=None, functions=None, classes=None, modules=None):
    module = {"doc": BREAKING, "package": True, "all": None, "members": members or {}}
    return {"ringfence_api": 1, "modules": {"thing": module, **(modules or {})}, "functions": functions or {}, "classes": classes or {}}


def signature(*parameters, returns=None):
    return {"parameters": list(parameters), **({"returns": returns} if returns else {})}


def hostile():
    """Evil text in every place of an API that a file could be made of."""
    parameter = {"name": "x", "kind": 1, "annotation": EVIL, "shown": BREAKING}
    method = {"kind": "method", "doc": BREAKING, "signature": signature({"name": "self", "kind": 1}, parameter, returns=EVIL)}
    members = {
        "f": {"kind": "function", "of": "thing:f"},
        EVIL: {"kind": "function", "of": "thing:f"},
        "g": {"kind": "function", "of": EVIL},
        "C": {"kind": "class", "of": "thing:C"},
        "D": {"kind": "class", "of": f"thing:D\n{EVIL}"},
        "constant": {"kind": "constant", "value": BREAKING},
        "class": {"kind": "value"},
        "odd": {"kind": EVIL},
        "ｆ": {"kind": "value"},
        "none": None,
    }
    return api(
        members,
        {"thing:f": {"doc": BREAKING, "signature": signature(parameter, {"name": EVIL, "kind": 1}, returns=EVIL), "async": False}},
        {"thing:C": {"name": "C", "bases": [EVIL, "thing:C()\n", "builtins:print"], "doc": EVIL, "members": {"m": method, EVIL: method}}},
    )


def test_hostile_text_reaches_no_file():
    """Names that are none, docstrings that break out, defaults and annotations that call: nothing of it is left."""
    found = {**shim_files(hostile(), ("thing",), "thing_ringfence"), **stub_files(hostile(), ("thing",))}
    assert set(found) == {"thing/__init__.py", "thing/__init__.pyi", "thing/py.typed"}
    assert found["thing/__init__.py"] == MODULE % b"thing_ringfence"
    stub = found["thing/__init__.pyi"].decode("ascii")
    assert "os" not in stub.replace("for", "").split()
    assert "system" not in stub
    assert "touch" not in stub
    allowed = (ast.Module, ast.ImportFrom, ast.Import, ast.FunctionDef, ast.ClassDef, ast.AnnAssign, ast.Assign, ast.Expr, ast.Constant)
    for node in ast.walk(ast.parse(stub)):
        assert not isinstance(node, ast.Call | ast.Lambda | ast.JoinedStr | ast.Await | ast.NamedExpr)
        assert not isinstance(node, ast.stmt) or isinstance(node, allowed)
        assert not isinstance(node, ast.Constant) or node.value in (..., None)


@pytest.mark.parametrize("name", ["thing.for", "thing.a-b", "thing.../../etc", "thing.ｘ", "thing.", f"thing.{EVIL}"])
def test_a_module_whose_name_no_file_may_have_is_refused(name):
    """File names come of module names, which come of the guest."""
    record = {"doc": None, "package": False, "all": None, "members": {}}
    with pytest.raises(InputInvalid, match="no file of a wheel"):
        module_names(api(modules={name: record}), ("thing",))


def test_modules_of_others_are_not_the_wheels_to_give():
    """A library that says that it has a module `os` would hide the application's."""
    record = {"doc": None, "package": False, "all": None, "members": {}}
    assert module_names(api(modules={"os": record, "pip.evil": record}), ("thing",)) == ["thing"]


LIBRARY = api(
    {
        "load": {"kind": "function", "of": "thing:load"},
        "Node": {"kind": "class", "of": "thing:Node"},
        "Failure": {"kind": "class", "of": "thing.errors:Failure"},
        "LIMIT": {"kind": "constant", "value": "3"},
        "name": {"kind": "constant", "value": '"thing"'},
        "anything": {"kind": "value"},
    },
    {
        "thing:load": {
            "doc": None,
            "async": False,
            "signature": signature(
                {"name": "text", "kind": 0, "annotation": "str | bytes"},
                {"name": "limit", "kind": 1, "annotation": "Optional[int]", "default": "null"},
                {"name": "rest", "kind": 2},
                {"name": "names", "kind": 3, "annotation": "dict[str, list[int]]", "default": "{}"},
                {"name": "more", "kind": 4},
                returns="typing.Sequence[Node]",
            ),
        }
    },
    {
        "thing:Node": {
            "name": "Node",
            "bases": ["builtins:object"],
            "signature": signature({"name": "value", "kind": 1, "annotation": "'str'"}),
            "members": {
                "parent": {"kind": "method", "signature": signature({"name": "self", "kind": 1}, returns="Node")},
                "make": {"kind": "classmethod", "signature": signature({"name": "cls", "kind": 1}, returns="tuple[Node, ...]")},
                "count": {"kind": "staticmethod", "signature": signature(returns="int")},
                "value": {"kind": "value"},
            },
        },
        "thing.errors:Failure": {"name": "Failure", "bases": ["builtins:ValueError"], "signature": None, "members": {}},
    },
    {
        "thing.errors": {
            "doc": None,
            "package": False,
            "all": None,
            "members": {"Failure": {"kind": "class", "of": "thing.errors:Failure"}},
        }
    },
)
USE = """
import thing
from thing import Failure, Node, load

nodes = load("a", None, 1, 2, names={"a": [1]}, other=3)
try:
    first: Node = nodes[0].parent()
except Failure as failure:
    wrong: ValueError = failure
made: tuple[Node, ...] = Node.make()
count: int = thing.LIMIT + Node.count()
length: int = len(thing.name)
thing.anything.whatever()
Node(value="a").whatever()
"""
MISUSE = """
from thing import load

load(3)
load("a", "b")
"""


def checked(folder: Path, text: str) -> subprocess.CompletedProcess[str]:
    (folder / "use.py").write_text(text)
    command = [sys.executable, "-m", "mypy", "--strict", "--no-incremental", "--cache-dir", "/dev/null", "use.py"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_type_checkers_take_the_stubs_and_hold_uses_against_them(tmp_path):
    """An ordinary use passes strict mypy; what is wrong by the annotations is told; the stubs themselves hold."""
    for path, data in stub_files(LIBRARY, ("thing",)).items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_bytes(data)
    good, bad = checked(tmp_path, USE), checked(tmp_path, MISUSE)
    assert good.returncode == 0, good.stdout
    assert bad.stdout.count("error: Argument") == 2, bad.stdout


@pytest.mark.parametrize(
    "content",
    [
        None,
        [],
        {"ringfence_api": 2, "modules": {}, "functions": {}, "classes": {}},
        {"ringfence_api": 1, "modules": [], "functions": {}, "classes": {}},
        {"ringfence_api": 1, "modules": {"thing": {"members": []}}, "functions": {}, "classes": {}},
        {"ringfence_api": 1, "modules": {"thing": {"members": {}, "all": "abc"}}, "functions": {}, "classes": {}},
        {"ringfence_api": 1, "modules": {}, "functions": {"f": {"signature": {"parameters": [1]}}}, "classes": {}},
        {"ringfence_api": 1, "modules": {}, "functions": {}, "classes": {"c": {"bases": 1, "members": {}}}},
        {"ringfence_api": 1, "modules": {}, "functions": {}, "classes": {"c": {"members": {"m": {"signature": "x"}}}}},
    ],
)
def test_an_api_that_is_none_is_refused(content):
    """A guest that lies about itself while it is wrapped meets validation, not a crash."""
    with pytest.raises(InputInvalid, match="what its guest says"):
        checked_api(content, "what its guest says")


def test_an_api_in_its_form_is_taken():
    """The control."""
    assert checked_api(LIBRARY, "it") == LIBRARY
