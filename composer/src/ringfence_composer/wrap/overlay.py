"""Types that somebody wrote for a library which has none: stub files beside it, read and never run, held against its API.

    types/yaml/__init__.pyi     def safe_load(stream: str | bytes) -> Any: ...

An overlay says of functions and methods what their parameters and results are. It is no second API: what the library does not have is an
error, but for names with an underscore, which stubs use for themselves. Where a function is overloaded nothing is taken, as a signature
has room for one.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ringfence.contract.errors import Problem

from ringfence_composer.builders.snapshot import read_tree
from ringfence_composer.errors import InputInvalid
from ringfence_composer.manifest.shape import closest
from ringfence_composer.manifest.source import Problems
from ringfence_composer.wrap.annotations import fill, told_of

_SUFFIX = ".pyi"
_Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlay:
    """The modules of a folder of stub files: of each, where it lies and what it holds."""

    modules: Mapping[str, tuple[str, ast.Module]]


NO_OVERLAY = Overlay(modules={})


def read_overlay(folder: Path | None) -> Overlay:
    """The stub files of a folder, by the names of their modules; none where there is no folder.

    Raises:
        InputInvalid: it cannot be read, or has no stub file. ManifestError: some are no Python, all at once.
    """
    if folder is None:
        return NO_OVERLAY
    modules: dict[str, tuple[str, ast.Module]] = {}
    problems = Problems()
    for path, content in sorted(read_tree(folder, what="types").items()):
        if path.endswith(_SUFFIX):
            shown = str(folder / path)
            name = path.removesuffix(_SUFFIX).removesuffix("/__init__").replace("/", ".")
            try:
                modules[name] = shown, ast.parse(content, path)
            except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
                line, column = (error.lineno or 0, error.offset or 0) if isinstance(error, SyntaxError) else (0, 0)
                problems.add(Problem(f"no Python: {getattr(error, 'msg', error)}", shown, line, column))
    problems.raise_any()
    if not modules:
        hint = "such as yaml/__init__.pyi, or six.pyi: the library's own import names"
        raise InputInvalid(f"there is no stub file in {folder}", hint=hint)
    return Overlay(modules=modules)


def overlaid(api: dict[str, Any], overlay: Overlay, tops: tuple[str, ...]) -> dict[str, Any]:
    """The API with an overlay's types in place of all others.

    Raises:
        ManifestError: it speaks of what the library does not have, all of it at once.
    """
    if not overlay.modules:
        return api
    found, problems = deepcopy(api), Problems()
    for name, (file, module) in overlay.modules.items():
        if name.partition(".")[0] not in tops:
            problems.add(Problem(f"the library has no module {name}", file, hint=f"its files are called by {' and '.join(tops)}"))
            continue
        for path, function in _functions(module.body, ""):
            for line, message, hint in _typed(found, name, path, function):
                problems.add(Problem(message, file, line, hint=hint))
    problems.raise_any()
    return found


def _functions(body: list[ast.stmt], before: str) -> Iterator[tuple[str, _Function]]:
    """Functions and methods by their qualified names; what stands under a condition as well."""
    overloaded = {one.name for one in body if isinstance(one, _Function) and "overload" in _decorators(one)}
    for one in body:
        if isinstance(one, ast.ClassDef):
            yield from _functions(one.body, f"{before}{one.name}.")
        elif isinstance(one, ast.If):
            yield from _functions([*one.body, *one.orelse], before)
        elif isinstance(one, _Function) and one.name not in overloaded:
            yield f"{before}{one.name}", one


def _decorators(function: _Function) -> set[str]:
    return {ast.unparse(one).rpartition(".")[2] for one in function.decorator_list}


def _typed(api: Mapping[str, Any], module: str, path: str, function: _Function) -> Iterator[tuple[int, str, str | None]]:
    """Put a function's types into the API; what of it is wrong there, by line, with a remedy."""
    told = _told(api, module, path)
    if told is None:
        if not any(part.startswith("_") for part in path.split(".")):
            known = api["modules"].get(module, {}).get("members", {})
            hint = closest(path, [one for one, about in known.items() if about.get("kind") in ("function", "class")])
            yield function.lineno, f"{module} has no {path}", hint
        return
    signature = told.get("signature")
    if not isinstance(signature, dict):  # a property, or code in C
        return
    names = [one["name"] for one in signature.get("parameters", ())]
    every = function.args
    written = {
        one.arg: (one.lineno, ast.unparse(one.annotation))
        for one in (*every.posonlyargs, *every.args, *every.kwonlyargs, every.vararg, every.kwarg)
        if one is not None and one.annotation is not None
    }
    annotations = {name: annotation for name, (_, annotation) in written.items()}
    fill(signature, annotations, None if function.returns is None else ast.unparse(function.returns), instead=True)
    for name, (line, _) in written.items():
        if name not in names:
            yield line, f"{path} has no parameter {name}", f"it has {', '.join(names) or 'none'}"


def _told(api: Mapping[str, Any], module: str, path: str) -> dict[str, Any] | None:
    """What the guest told of a function or method, wherever it is defined that a module has by this name."""
    first, _, rest = path.partition(".")
    member = api["modules"].get(module, {}).get("members", {}).get(first, {})
    key = str(member.get("of", "")) or f"{module}:{first}"
    return told_of(api, f"{key}.{rest}" if rest else key)
