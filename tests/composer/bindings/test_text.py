"""Generated code holds names that were checked and docs as string literals, and type checkers have nothing to say about it."""

import ast
import inspect
import json
import subprocess
import sys

import pytest
from composer.bindings import worlds
from hypothesis import given
from hypothesis import strategies as st
from ringfence_composer.bindings.merge import merge
from ringfence_composer.bindings.module import module
from ringfence_composer.bindings.quoting import docstring, identifier, literal, wit_name
from ringfence_composer.bindings.read import read_node
from ringfence_composer.errors import InputInvalid

HOSTILE = [
    '"""\nimport os\nos.system("touch owned")\n"""',
    '\\"""\nimport os',
    'ends with a quote"',
    "ends with a backslash\\",
    '""" + __import__("os").getcwd() + """',
    "a\r\nb\x0cc\x1bd\u2028e",
    "reads otherwise \u202eexec",
    "# coding: utf-7",
    "\t\ttabs\n\n\n   and spaces   \n",
    "{graph} %s {0}",
]
CALLED = {"dataclass", "raises", "_raises", "bind", "substitute"}
"""Everything that a generated module calls."""


def read(line):
    """A docstring as Python reads it, and cleaned as its readers do."""
    return inspect.cleandoc(ast.literal_eval("\n".join(docstring(line, "    ")).strip()))


@given(st.text().filter(str.strip))
@pytest.mark.parametrize("fixed", [None, *HOSTILE])
def test_docs_are_literals_that_say_exactly_what_the_wit_says(fixed, text):
    text = fixed or text
    try:
        text.encode()
    except UnicodeEncodeError:
        return  # no WIT holds surrogates
    shown = "\n".join(docstring(text, "    "))
    assert all(char.isprintable() for char in shown.replace("\n", ""))
    assert read(text) == inspect.cleandoc("\n".join(line.rstrip() for line in text.strip().split("\n")))


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_docs_change_no_code(bench, text):
    """The same module but for its docstrings: parsed, and compared node by node."""
    source = bench.source(worlds.KEYWORDS)
    document, world = bench.toolchain.wit(source), bench.toolchain.world(source)

    def written(docs):
        hostile = json.loads(json.dumps(document), object_hook=lambda one: one | {"docs": {"contents": docs}} if "name" in one else one)
        return module(merge("shop", [read_node("vendor", hostile, (world.package, world.name), lambda _: True)]))

    assert bare(written(text)) == bare(written("quiet"))


def bare(text):
    """A module without its docstrings."""
    tree = ast.parse(text)
    for one in ast.walk(tree):
        if isinstance(one, (ast.Module, ast.ClassDef, ast.FunctionDef)):
            one.body = [line for line in one.body if not (isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant))]
    return ast.dump(tree)


@pytest.mark.parametrize("name", worlds.ALL)
def test_a_module_calls_nothing_but_its_own_few_functions(bench, name):
    tree = ast.parse(bench.text(vendor=worlds.ALL[name]))
    calls = {one.func.id for one in ast.walk(tree) if isinstance(one, ast.Call)}
    assert calls <= CALLED
    assert {"bind", "substitute"} <= calls
    kinds = {type(one) for one in ast.walk(tree)}
    assert not kinds & {ast.Lambda, ast.Import, ast.JoinedStr, ast.Await, ast.Try, ast.For, ast.Delete, ast.Global}


@pytest.mark.parametrize("name", ["a b", "a;b", "é", "1a", "", "class", "a\n", "x = 1"])
def test_what_is_no_identifier_is_never_written(name):
    with pytest.raises(ValueError):
        identifier(name)


@pytest.mark.parametrize("name", ['a"b', "a\\b", "a\nb", "a b", "é", "{x}"])
def test_what_no_wit_name_holds_is_never_written(name):
    for write in (literal, wit_name):
        with pytest.raises(ValueError):
            write(name)


@pytest.mark.parametrize("place", ["fields", "labels", "function", "param", "type", "interface", "package", "world"])
def test_a_hostile_name_anywhere_stops_the_writing(bench, place):
    """Names come from tools that check them. Should one fail to, there must be no file rather than a bad one."""
    wit = "package p:q; interface i { record r { f: u8 } enum e { l } g: func(p: r) -> e; } world w { export i; }"
    source = bench.source(wit)
    document = bench.toolchain.wit(source)
    evil = 'x"\nimport os #'
    interface = document["interfaces"][0]
    record, enum = document["types"]
    match place:
        case "fields":
            record["kind"]["record"]["fields"][0]["name"] = evil
        case "labels":
            enum["kind"]["enum"]["cases"][0]["name"] = evil
        case "function":
            interface["functions"]["g"]["name"] = evil
            interface["functions"] = {evil: interface["functions"]["g"]}
        case "param":
            interface["functions"]["g"]["params"][0]["name"] = evil
        case "type":
            record["name"] = evil
        case "interface":
            interface["name"] = evil
        case "package":
            document["packages"][0]["name"] = evil
        case "world":
            document["worlds"][0]["name"] = evil
            document["worlds"][0]["exports"] = {"h": {"function": {"name": "h", "kind": "freestanding", "params": []}}}
    world = (document["packages"][0]["name"], document["worlds"][0]["name"])
    with pytest.raises(ValueError):
        module(merge("shop", [read_node("vendor", document, world, lambda _: True)]))


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        ("f: async func();", "f is async"),
        ("f: func(x: stream<u8>);", "it uses streams"),
        ("f: func() -> future<u8>;", "it uses futures"),
        ("f: func() -> error-context;", "it uses error-context"),
        ("f: func(x: list<u8, 4>);", "it uses lists of a fixed length"),
        ("f: func(x: map<string, u8>);", "it uses maps"),
    ],
)
def test_what_bindings_cannot_say_is_refused(bench, function, reason):
    with pytest.raises(InputInvalid, match=f"{reason}, for which there are no bindings yet"):
        bench.text(vendor=f"package a:b; interface i {{ {function} }} world w {{ export i; }}")


def test_type_checkers_have_nothing_to_say(bench, tmp_path):
    """mypy as strict as it gets, and pyright's strict mode, on every world and on what an application does with one."""
    for name, wit in worlds.ALL.items():
        (tmp_path / f"{name}_api.py").write_text(bench.text(vendor=wit))
    (tmp_path / "right.py").write_text(RIGHT)
    (tmp_path / "pyrightconfig.json").write_text('{"typeCheckingMode": "strict", "pythonVersion": "3.11"}')
    assert checked(tmp_path, "mypy", "--strict", "--python-version=3.11", "--cache-dir=.mypy", ".") == (0, [])
    assert checked(tmp_path, "basedpyright") == (0, [])


def test_type_checkers_find_what_is_wrong(bench, tmp_path):
    """The positive control: each marked line is an error to both."""
    (tmp_path / "tree_api.py").write_text(bench.text(vendor=worlds.TREE))
    (tmp_path / "wrong.py").write_text(WRONG)
    (tmp_path / "pyrightconfig.json").write_text('{"typeCheckingMode": "strict", "pythonVersion": "3.11"}')
    marked = [number for number, line in enumerate(WRONG.splitlines(), 1) if line.endswith("# wrong")]
    for tool in (["mypy", "--strict", "--cache-dir=.mypy", "."], ["basedpyright"]):
        code, lines = checked(tmp_path, *tool)
        assert code == 1
        assert sorted({int(line.split("wrong.py:")[1].split(":")[0]) for line in lines if "wrong.py:" in line}) == marked, lines


def checked(folder, tool, *arguments):
    """A checker's exit code and its findings."""
    command = [sys.executable, "-m", tool, *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    return done.returncode, [
        line for line in done.stdout.splitlines() if ": error:" in line or " - error:" in line or " - warning:" in line
    ]


RIGHT = """
import asyncio

from ringfence import Graph, acall
from ringfence.testing import Double, always
from tree_api import Branch, Cause, CauseSaw, CauseWind, Fault, FaultFailure, Leaf, LeafDry, LeafGreen, Tree, Twig, Vendor


class FakeBranch(Branch):
    def twigs(self) -> list[Twig]:
        return [Twig(of=self, leaf=LeafGreen([])), Twig(of=self)]

    def fork(self, into: list[Branch]) -> tuple[Branch, Branch]:
        return (self, into[0])


class FakeTree:
    def branch(self, parent: Branch | None) -> Branch:
        return FakeBranch()

    def branch_grow(self, count: int) -> list[Branch]:
        raise FaultFailure(Fault(cause=CauseWind(1.5)))

    def cut(self, branch: Branch, whole: bool) -> Branch | None:
        return None


def said(cause: Cause) -> str:
    match cause:
        case CauseWind(value=speed):
            return f"{speed:.1f}"
        case CauseSaw((letter, _)):
            return letter


def colour(leaf: Leaf | None) -> str:
    match leaf:
        case LeafGreen():
            return "green"
        case LeafDry() | None:
            return "brown"


def walk(tree: Tree) -> list[str]:
    with tree.branch(None) as branch:
        try:
            tree.branch_grow(count=2)
        except FaultFailure as failure:
            return [said(failure.value.cause)]
        return [colour(twig.leaf) for twig in branch.twigs()]


async def beside(tree: Tree) -> int:
    grown = await acall(tree.branch_grow, 3)
    return len(grown)


def main() -> None:
    walk(FakeTree())
    walk(Double[Tree](branch=always(FakeBranch())).api)
    with Graph.load("graph.yaml", substitutes={"vendor": Vendor.substitute(tree=FakeTree())}) as graph:
        walk(Vendor(graph).tree)
        asyncio.run(beside(Vendor(graph).tree))
"""

WRONG = """
from ringfence import Graph, acall
from tree_api import Branch, CauseWind, Fault, LeafGreen, Tree, Twig, Vendor


class Lacking:
    def branch(self, parent: Branch | None) -> Branch:
        raise NotImplementedError


def wrong(tree: Tree, graph: Graph) -> None:
    tree.branch("x")  # wrong
    tree.cutt()  # wrong
    Fault(cause=3)  # wrong
    Fault()  # wrong
    LeafGreen("dry")  # wrong
    CauseWind(1.0).value = 2.0  # wrong
    Twig(of=tree.branch(None)).leaf.value  # wrong
    Vendor.substitute(tree=Lacking())  # wrong
    Vendor(graph).trees  # wrong


async def beside(tree: Tree) -> str:
    return await acall(tree.branch_grow, 3)  # wrong


async def other(tree: Tree) -> None:
    await acall(tree.branch_grow, "x")  # wrong
"""
