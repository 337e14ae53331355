"""A library's API, as its guest tells it, with the annotations that its sources and stub files have besides: griffe reads them."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import griffe

_LONGEST = 1000
"""Characters of an annotation that are kept."""


def annotated(api: dict[str, Any], packages: Path, tops: tuple[str, ...]) -> dict[str, Any]:
    """The API with the annotations of the sources in `packages`, where the guest told none. What can't be read changes nothing."""
    with _quiet():
        loader = griffe.GriffeLoader(search_paths=[packages], allow_inspection=False)
        for top in tops:
            try:
                module = loader.load(top, try_relative_path=False)
            except (griffe.GriffeError, ImportError, SyntaxError, ValueError, LookupError, RecursionError):
                continue
            if isinstance(module, griffe.Module):
                for path, function in _functions(module, top):
                    _annotate(told_of(api, path), function)
    return api


@contextmanager
def _quiet() -> Iterator[None]:
    """Griffe tells its log of all that it cannot resolve, which is usual."""
    logger = logging.getLogger("griffe")
    before, logger.disabled = logger.disabled, True
    try:
        yield
    finally:
        logger.disabled = before


def _functions(module: griffe.Object, key: str) -> Iterator[tuple[str, griffe.Function]]:
    """Every function and method below, by its key in the API: `module:qualified.name`."""
    for name, member in module.members.items():
        if member.is_alias:
            continue
        if isinstance(member, griffe.Module):
            yield from _functions(member, f"{key}.{name}")
        elif isinstance(member, griffe.Class):
            yield from _functions(member, f"{key}.{name}" if ":" in key else f"{key}:{name}")
        elif isinstance(member, griffe.Function):
            yield (f"{key}.{name}" if ":" in key else f"{key}:{name}"), member


def told_of(api: Mapping[str, Any], key: str) -> dict[str, Any] | None:
    """What the guest told of a function or method, by its key; its `signature` is in there where it has one."""
    if key in api["functions"]:
        found = api["functions"][key]
    else:
        owner, _, name = key.rpartition(".")
        found = api["classes"].get(owner, {}).get("members", {}).get(name)
    return found if isinstance(found, dict) else None


def _annotate(told: dict[str, Any] | None, function: griffe.Function) -> None:
    signature = told.get("signature") if told else None
    if isinstance(signature, dict):
        written = {one.name: str(one.annotation) for one in function.parameters if one.annotation is not None}
        fill(signature, written, None if function.returns is None else str(function.returns))


def fill(signature: dict[str, Any], written: Mapping[str, str], returns: str | None, *, instead: bool = False) -> None:
    """Put annotations of parameters, by their names, and of the result into a signature: where it has none, or `instead` of those."""
    for one in signature.get("parameters", ()):
        if one.get("name") in written and (instead or "annotation" not in one):
            one["annotation"] = written[one["name"]][:_LONGEST]
    if returns is not None and (instead or "returns" not in signature):
        signature["returns"] = returns[:_LONGEST]
