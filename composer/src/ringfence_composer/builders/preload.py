"""Python sources into the entry module that imports, while building, all that they may import later.

A CPython guest has no files. So the generated entry module imports every module of the source and of each requirement, what their code
imports anywhere (inside functions, too), what the standard library's own modules import lazily, and what the codec machinery looks up by
name. All else that may be imported or read is packed (`stand_ins/ringfence_shelf.py`), and what such a guest lacks is stood in for by
modules that can be imported, and say so when they are used (`stand_ins/`).
"""

from __future__ import annotations

import ast
import re
import sys
import warnings
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from pathlib import Path

ENTRY_MODULE = "ringfence_entry"
"""The generated module's name."""

SKIPPED_FILE = "skipped"
"""The file beside the generated module into which it writes the modules it had to leave out, one a line."""

LACKING = "ringfence: the exports lack "
"""How the generated module's error begins where exports lack something; `module:Class:method` of each follows, a class's with no method.

Of a method that can't be called as its WIT says, `:given:wanted` follow: the names of its parameters and of those in the bindings.
"""

RESERVED = frozenset(
    {
        ENTRY_MODULE,
        "ringfence_gap",
        "ringfence_shelf",
        "wit_world",
        "componentize_py_types",
        "componentize_py_runtime",
        "componentize_py_async_support",
        "poll_loop",
    }
)
"""Names that componentize-py or this module take."""

# What CPython looks up by name at run time, so that no import statement shows it.
_ALWAYS = (
    "_strptime",
    "encodings.ascii",
    "encodings.charmap",
    "encodings.cp1252",
    "encodings.idna",
    "encodings.latin_1",
    "encodings.punycode",
    "encodings.raw_unicode_escape",
    "encodings.unicode_escape",
    "encodings.utf_16",
    "encodings.utf_16_be",
    "encodings.utf_16_le",
    "encodings.utf_32",
    "encodings.utf_8",
    "encodings.utf_8_sig",
    "linecache",
    "stringprep",
    "traceback",
    "unicodedata",
)
# Importing these does something: opens a window or a browser, prints, starts a test run.
_NEVER = frozenset({"antigravity", "idlelib", "lib2to3", "pip", "test", "this", "tkinter", "turtle", "turtledemo"})
_SUITES = frozenset({"test", "tests"})
"""Folders with a library's own tests. A module called so is no such thing: `werkzeug.test` is what applications test themselves with."""
_LOADERS = frozenset({"import_module", "__import__"})
# For files whose syntax is newer than the Python that runs this.
_IMPORT_LINE = re.compile(r"^[ \t]*(?:from[ \t]+([\w.]+)[ \t]+import\b|import[ \t]+([\w.]+))", re.MULTILINE)

_TEMPLATE = '''\
"""Generated: imports all that may be imported later, then stands in for {entry!r}."""

import importlib
import inspect
import os
import re
import sys

sys.dont_write_bytecode = True  # nobody reads it again, and the time of its writing would stay in this interpreter's memory
sys.path.insert(0, os.path.dirname(__file__))  # what stands in for a module comes before it

import ringfence_gap
import ringfence_shelf

_ENTRY = {entry!r}
_REQUIRED = {required!r}
_OPTIONAL = {optional!r}
_SILENT = {silent!r}
_NEVER = {never!r}
_LAZY = re.compile(r"^[ \\t]+(?:from[ \\t]+([\\w.]+)[ \\t]+import\\b|import[ \\t]+([\\w.]+))", re.MULTILINE)


def _require(name):
    try:
        importlib.import_module(name)
    except SystemExit as end:
        raise ImportError(f"{{name}} ends the interpreter when it is imported") from end


def _attempt(name, package=None):
    try:
        importlib.import_module(name, package)
    except BaseException:
        return False
    return True


def _lazy_imports():
    """What the standard library's modules, as far as they are loaded, import inside functions."""
    found = set()
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None) or ""
        if not file.startswith("/python/"):
            continue
        try:
            with open(file, encoding="utf-8") as source:
                text = source.read()
        except (OSError, UnicodeError):
            continue
        package = name if hasattr(module, "__path__") else name.rpartition(".")[0]
        found.update((match[1] or match[2], package) for match in _LAZY.finditer(text))
    return sorted(found)


def _preload():
    for name in _REQUIRED:
        _require(name)
    skipped = [name for name in _OPTIONAL if not _attempt(name)]
    for name in _SILENT:
        _attempt(name)
    for name, package in _lazy_imports():
        if name.partition(".")[0] not in _NEVER:
            _attempt(name, package)
    with open(os.path.join(os.path.dirname(__file__), {skipped_file!r}), "w", encoding="utf-8") as file:
        file.write("\\n".join(skipped))


def _asked():
    """The protocols of all exports, each with the module in which componentize-py looks for the class that implements it."""
    import wit_world

    yield getattr(wit_world, "WitWorld", None), _entry
    if not _attempt("wit_world.exports"):
        return
    for value in list(vars(sys.modules["wit_world.exports"]).values()):
        yield value, _entry
        if isinstance(value, type(sys)):  # an interface's types: its resources among them
            yield from ((one, sys.modules.get(value.__name__.rpartition(".")[2])) for one in list(vars(value).values()))


def _lacking():
    """Classes and methods of exports that nobody wrote, and methods that can't be called as their WIT says.

    componentize-py tells the first missing class, and all else at its call only.
    """
    for protocol, module in _asked():
        if module is None or not getattr(protocol, "_is_protocol", False) or not protocol.__module__.startswith("wit_world"):
            continue
        given = getattr(module, protocol.__name__, None)
        wanted = [name for name, method in vars(protocol).items() if getattr(method, "__isabstractmethod__", False)]
        if given is None and wanted:
            yield f"{{module.__name__}}:{{protocol.__name__}}:"
        elif given is not None:
            for name in wanted:
                method = getattr(given, name, None)
                missing = method is None or getattr(method, "__isabstractmethod__", False)
                if missing or (unfit := _unfit(protocol, given, name)):
                    yield f"{{module.__name__}}:{{protocol.__name__}}:{{name}}" + ("" if missing else unfit)


def _unfit(protocol, given, name):
    """The parameters of a method and those of its WIT, where it can't be called with so many; else nothing."""
    asked = vars(protocol)[name]
    of_class = isinstance(asked, classmethod)
    code = (asked.__func__ if of_class else asked).__code__
    names = code.co_varnames[: code.co_argcount]
    method = getattr(given, name)
    # A plain function gets the instance besides, a static or class method is bound already.
    plain = inspect.isfunction(inspect.getattr_static(given, name)) and not of_class
    try:
        signature = inspect.signature(method)
    except (TypeError, ValueError):
        return ""
    try:
        signature.bind(*names[0 if plain else 1 :])
    except TypeError:
        return ":" + ",".join(signature.parameters) + ":" + ",".join(names)
    return ""


ringfence_gap.prepare()
os.environ["USER"] = "nobody"  # some libraries ask for it when they are imported
with ringfence_gap.no_network():
    _preload()
del os.environ["USER"]
ringfence_shelf.fill(("/0", "/1", "/2"))
_entry = sys.modules[_ENTRY]
if _missing := list(_lacking()):
    raise LookupError({lacking!r} + " ".join(_missing))


def __getattr__(name):
    return getattr(_entry, name)
'''


def entry_module(
    entry: str,
    source: Mapping[str, bytes],
    requirements: Mapping[str, bytes],
    preload: Iterable[str],
) -> str:
    """The text of the entry module for a component whose own entry module is `entry`.

    Its import fails where `entry`, a module of `source` or one named in `preload` cannot be imported. What cannot be imported of the
    requirements and the standard library is left out: there it is usual (optional speed-ups, other platforms).
    """
    own = modules_of(source)
    required = [entry, *sorted(own - {entry}), *sorted(set(preload) - own)]
    theirs = modules_of(without_suites(requirements))
    tops = {name.partition(".")[0] for name in own | theirs}
    modules, members = (
        {name for name in names if name.partition(".")[0] not in tops | _NEVER}
        for names in _imported({**{f"requirements/{path}": content for path, content in requirements.items()}, **source})
    )
    return _TEMPLATE.format(
        entry=entry,
        required=tuple(required),
        optional=(*sorted(theirs), *sorted(modules)),
        silent=(*_ALWAYS, *sorted(members)),
        never=tuple(sorted(_NEVER)),
        skipped_file=SKIPPED_FILE,
        lacking=LACKING,
    )


def stand_ins() -> dict[str, bytes]:
    """The files that go beside the entry module: modules that stand in for those which the guest's interpreter lacks."""
    folder = Path(__file__).parent / "stand_ins"
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*.py"))}


def modules_of(files: Mapping[str, bytes]) -> AbstractSet[str]:
    """The names of all modules and packages in these files, `__main__` modules left out."""
    return {name for path in files if (name := _module_name(path)) is not None}


def without_suites(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """These files but for the libraries' own tests."""
    return {path: data for path, data in files.items() if not _in_suite(path)}


def _in_suite(path: str) -> bool:
    *folders, name = path.split("/")
    return name == "conftest.py" or not _SUITES.isdisjoint(folders)


def shadowed(files: Mapping[str, bytes]) -> list[str]:
    """Top-level modules that could never be imported, or would hide componentize-py's: standard library and reserved names."""
    tops = {name.partition(".")[0] for name in modules_of(files)}
    return sorted(tops & (sys.stdlib_module_names | RESERVED))


def _module_name(path: str) -> str | None:
    parts = path.split("/")
    if not parts[-1].endswith(".py"):
        return None
    parts[-1] = parts[-1].removesuffix(".py")
    if parts[-1] == "__init__":
        parts.pop()
    if not parts or parts[-1] == "__main__" or not all(part.isidentifier() for part in parts):
        return None
    return ".".join(parts)


def _imported(files: Mapping[str, bytes]) -> tuple[AbstractSet[str], AbstractSet[str]]:
    """What these files import absolutely, anywhere in their code: modules, and names taken from modules, which may be submodules."""
    modules: set[str] = set()
    members: set[str] = set()
    for path, content in files.items():
        if path.endswith(".py"):
            _collect(content, modules, members)
    return modules, members - modules


def _collect(content: bytes, modules: set[str], members: set[str]) -> None:
    try:
        with warnings.catch_warnings(action="ignore"):
            tree = ast.parse(content)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        text = content.decode("utf-8", "replace")
        modules.update(name for match in _IMPORT_LINE.finditer(text) if not (name := match[1] or match[2]).startswith("."))
        return
    for node in _executed(tree):
        if isinstance(node, ast.Import):
            modules.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            modules.add(node.module)
            members.update(f"{node.module}.{alias.name}" for alias in node.names if alias.name != "*")
        elif isinstance(node, ast.Call):
            modules.update(_literal_import(node))


def _executed(tree: ast.AST) -> Iterator[ast.AST]:
    """All nodes but those that only type checkers read."""
    pending = [tree]
    while pending:
        node = pending.pop()
        yield node
        typing_only = isinstance(node, ast.If) and ast.unparse(node.test).rpartition(".")[2] == "TYPE_CHECKING"
        pending.extend(node.orelse if isinstance(node, ast.If) and typing_only else ast.iter_child_nodes(node))


def _literal_import(call: ast.Call) -> Iterator[str]:
    """The module that `importlib.import_module("name")` or `__import__("name")` names."""
    function = call.func
    name = function.attr if isinstance(function, ast.Attribute) else function.id if isinstance(function, ast.Name) else ""
    first = call.args[0] if name in _LOADERS and call.args else None
    literal = first.value if isinstance(first, ast.Constant) else None
    if isinstance(literal, str) and all(part.isidentifier() for part in literal.split(".")):
        yield literal
