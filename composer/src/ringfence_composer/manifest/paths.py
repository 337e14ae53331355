"""What a path that somebody gave leads to, where it is not what was asked for, and what may have been meant."""

from __future__ import annotations

import os
from collections.abc import Callable
from itertools import islice
from pathlib import Path

from ringfence.contract.errors import ManifestError, Problem
from ringfence.contract.layout import LOCK_SUFFIX

from ringfence_composer.manifest.shape import nearest

GRAPH, COMPONENT = "graph.yaml", "component.yaml"
_YAML = (".yaml", ".yml")
_HIGHEST = 5
"""How many folders up a hint looks."""
_LOOKED_AT = 500
"""How many entries of a folder are looked at for a hint."""


def is_file(path: Path) -> bool:
    """Like `Path.is_file`, but False also for what can't be asked about: in another user's folder, of too long a name."""
    return os.path.isfile(path)


def is_folder(path: Path) -> bool:
    """Like `is_file`, for a folder."""
    return os.path.isdir(path)


def exists(path: Path) -> bool:
    """Like `is_file`, for anything, a broken link included."""
    return os.path.lexists(path)


def refuse_other_than_graph(file: Path, shown: str) -> None:
    """Let a path pass that may be a graph's, or at least a file's of which nothing is known yet.

    Raises:
        ManifestError: it is something else, or nothing; with what was probably meant.
    """
    if file.name.endswith(LOCK_SUFFIX):
        graphs = [one for end in _YAML if (one := file.with_name(file.name.removesuffix(LOCK_SUFFIX) + end)).is_file()]
        hint = f"name its graph: {_beside(shown, graphs[0].name)}" if graphs else "name the graph that it was made from"
        raise _problem(shown, "this is a lock, which compose writes", hint)
    if file.name == COMPONENT and exists(file):
        raise _problem(shown, "this describes a component, not a graph", f"to build it, run: compose build {Path(shown).parent}")
    if is_folder(file):
        raise _problem(shown, "expected a graph's file, found a folder", _inside(file, shown))
    if not exists(file):
        raise _problem(shown, "cannot read it: there is no such file", _meant(file, shown))
    if not file.name.isprintable():
        raise _problem(shown, "its name has unprintable characters", "rename it")


def refuse_other_than_component(folder: Path, shown: str) -> None:
    """The same for a folder that should hold a component."""
    if exists(folder / COMPONENT):
        return
    if is_file(folder / GRAPH):
        raise _problem(shown, "this folder holds a graph, not a component", f"to compose it, run: compose {_under(shown, GRAPH)}")
    if is_folder(folder):
        raise _problem(shown, f"there is no {COMPONENT} in this folder", None)
    if exists(folder):
        raise _problem(shown, "expected a component's folder, found a file", f"name the folder that holds its {COMPONENT}")
    near = nearest(folder.name, [one for one in _entries(folder.parent) if is_file(folder.parent / one / COMPONENT)])
    raise _problem(shown, "cannot read it: there is no such folder", near and f"did you mean {_beside(shown, near)}?")


def meant(file: str, base: Path, written: str, fits: Callable[[Path], bool]) -> str:
    """A hint for a path that leads nowhere: what fits by another number of `..` before it, or by nearly the same name.

    `file` is the manifest that it stands in, `base` its folder.
    """
    tail = [part for part in written.split("/") if part not in ("", ".", "..")]
    for up in range(_HIGHEST):
        candidate = "/".join([*[".."] * up, *tail])
        if tail and candidate != written and fits(base / candidate):
            return f"did you mean {candidate}?"
    target = Path(os.path.normpath(base / written))
    near = nearest(target.name, [one for one in _entries(target.parent) if one != target.name and fits(target.parent / one)])
    if near:
        return f"did you mean {Path(written).parent.as_posix()}/{near}?" if "/" in written.rstrip("/") else f"did you mean {near}?"
    return f"paths are taken from the folder of {file}"


def _problem(shown: str, message: str, hint: str | None) -> ManifestError:
    return ManifestError([Problem(file=shown, message=message, hint=hint)])


def _inside(folder: Path, shown: str) -> str | None:
    if is_file(folder / COMPONENT):
        return f"it holds a component; to build that, run: compose build {shown}"
    graphs = [one for one in _entries(folder) if one.endswith(_YAML)]
    choices = [GRAPH] if GRAPH in graphs else graphs
    return f"did you mean {_under(shown, choices[0])}?" if len(choices) == 1 else None


def _meant(file: Path, shown: str) -> str | None:
    """The graph that was meant: one beside it that is spelled nearly so, else those named graph.yaml below and above."""
    names = _entries(file.parent)
    if near := nearest(file.name, [name for name in names if name.endswith(_YAML)]):
        return f"did you mean {_beside(shown, near)}?"
    folders = [".", *names, "..", "../.."]
    graphs = [_beside(shown, f"{folder}/{GRAPH}") for folder in folders if is_file(file.parent / folder / GRAPH)]
    if len(graphs) == 1:
        return f"did you mean {graphs[0]}?"
    return f"there are: {', '.join(graphs[:8])}" if graphs else None


def _entries(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as found:
            return sorted(one.name for one in islice(found, _LOOKED_AT) if one.name.isprintable())
    except OSError:
        return []


def _beside(shown: str, name: str) -> str:
    return os.path.normpath(Path(shown).parent / name)


def _under(shown: str, name: str) -> str:
    return os.path.normpath(Path(shown) / name)
