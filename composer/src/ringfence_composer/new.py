"""Folders that work at once, for a new component or a new graph: a template with its name put in.

A template is a folder beside this file with its files as they would work under the name `new-thing` (`new-graph`); a language is one more
such folder, of the language's name, with what differs from `component`: all do the same, so that WIT and test are the same.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from ringfence.contract.errors import UsageError
from ringfence.contract.lock import HOST

from ringfence_composer.builders.snapshot import read_tree, write_tree
from ringfence_composer.errors import InputInvalid
from ringfence_composer.manifest.graph import APPLICATION

_TEMPLATES = Path(__file__).parent / "templates"
_GRAPH, _COMPONENT, _FIRST_NODE = "graph", "component", "hello"
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_LONGEST = 63
_WORDS = """
    as async bool borrow char constructor enum error-context export f32 f64 flags from func future import include interface list map
    option own package record resource result s16 s32 s64 s8 static stream string tuple type u16 u32 u64 u8 use variant with world
"""
WIT_WORDS = frozenset(_WORDS.split())
"""What no package or world can be called; the official parser refuses each (a test asks it)."""
_RUSTS = """
    abstract as async await become box break const continue crate do dyn else enum extern false final fn for gen if impl in let loop macro
    match mod move mut override priv pub ref return self static struct super trait true try type typeof unsafe unsized use virtual where
    while yield
"""
RUST_WORDS = frozenset(_RUSTS.split())
"""What no module of Rust can be called, as the bindings of a package are; the compiler refuses each (a test asks it)."""
_INTERFACE = "greetings"
"""What the template's interface is called."""


def languages() -> tuple[str, ...]:
    """The languages there is a template for."""
    return tuple(sorted(one.name for one in _TEMPLATES.iterdir() if one.is_dir() and one.name not in (_GRAPH, _COMPONENT)))


def new_component(target: Path, language: str) -> Path:
    """Write a component's folder, with source, WIT and a test; its name is the folder's.

    Raises:
        UsageError: no component can be called so.
        InputInvalid: there is something already, or it can't be written. Nothing is left then.
    """
    name = _checked(target)
    _refuse_taken(name, language)
    return _write(target, _component(name, language))


def new_graph(target: Path, language: str) -> Path:
    """Write a graph's folder with one component and a test. Raises like `new_component`."""
    files = _filled(_GRAPH, "new-graph", _checked(target))
    inner = {f"{_FIRST_NODE}/{path}": content for path, content in _component(_FIRST_NODE, language).items()}
    return _write(target, files | inner)


def _checked(target: Path) -> str:
    name = target.name
    if not _NAME.fullmatch(name) or len(name) > _LONGEST:
        hint = f"at most {_LONGEST} characters, lower case with hyphens, such as json-decoder"
        raise UsageError(f"expected a name, found {name[:80]!r}", hint=hint)
    if name in WIT_WORDS:
        raise UsageError(f"{name} is a word of WIT, so nothing can be called that", hint="choose another name")
    if name in (HOST, APPLICATION):
        raise UsageError(f"the name {name} is taken in every graph", hint="choose another name")
    return name


def _refuse_taken(name: str, language: str) -> None:
    """Raises UsageError where something else in what would be written has this name already."""
    locked = (_TEMPLATES / "rust" / "crate" / "Cargo.lock").read_text("utf-8")
    taken = None
    if name == _INTERFACE:
        taken = "is what the interface in it will be called"
    elif language == "rust" and name in RUST_WORDS:
        taken = "is a word of Rust, so no component in Rust can be called that"
    elif language == "rust" and f'name = "{name}"\n' in locked and name != "new-thing":
        taken = "is a crate that a component in Rust is built with"
    if taken:
        raise UsageError(f"{name} {taken}", hint="choose another name")


def _component(name: str, language: str) -> dict[str, bytes]:
    return _filled(_COMPONENT, "new-thing", name) | _filled(language, "new-thing", name)


def _filled(template: str, placeholder: str, name: str) -> dict[str, bytes]:
    """The files of a template by relative path, the placeholder in paths and text replaced, in both its spellings."""
    files = read_tree(_TEMPLATES / template, what=f"the template {template}")
    # Under its own name, .gitignore would hide parts of the template itself.
    named = {re.sub(r"(^|/)gitignore$", r"\1.gitignore", path): content for path, content in files.items()}
    return {_named(path, placeholder, name): _named(named[path].decode(), placeholder, name).encode() for path in sorted(named)}


def _named(text: str, placeholder: str, name: str) -> str:
    return text.replace(placeholder, name).replace(placeholder.replace("-", "_"), name.replace("-", "_"))


def _write(target: Path, files: Mapping[str, bytes]) -> Path:
    """The folder, whole or not at all."""
    if target.exists() or target.is_symlink():
        raise InputInvalid(f"{target}: there is something of that name already", hint="choose another name, or remove it first")
    try:
        beside = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".new", dir=target.parent))
        try:
            write_tree(dict(files), beside / "whole")
            (beside / "whole").rename(target)  # replaces nothing but an empty folder that has come since
        finally:
            shutil.rmtree(beside, ignore_errors=True)
    except OSError as error:
        raise InputInvalid(f"{target}: cannot write it: {error.strerror}") from error
    return target
