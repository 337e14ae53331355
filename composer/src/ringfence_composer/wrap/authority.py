"""What a command line says that a wrapped library may do at most: a file of grants, and limits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ringfence.contract import grants
from ringfence.contract.errors import Problem
from ringfence.contract.limits import Limits, parse_limit

from ringfence_composer.errors import InputInvalid
from ringfence_composer.manifest.grants import GrantReader
from ringfence_composer.manifest.shape import closest
from ringfence_composer.manifest.source import Document, PathSteps, Problems, read_document
from ringfence_composer.wrap.guest import APPLICATION, Authority

_SECTIONS = ("grant", "parameters")


def read_authority(file: Path | None, limits: Iterable[str]) -> Authority:
    """The authority of a file of grants (as on an edge to host; or `grant:` beside `parameters:`), and limits (`name=value`).

    Raises:
        ManifestError: the file is wrong, everything in it at once. InputInvalid: a limit is none.
    """
    base = Authority()
    merged = {**base.limits, **dict(_limits(limits))}
    if file is None:
        return replace(base, limits=merged)
    document = read_document(file, show_as=str(file))
    problems = Problems()
    problems.extend(document.problems)
    grant, parameters = _sections(document, problems)
    placed = _placed(document, grant, parameters)
    read = GrantReader(placed, problems).to_host(("grant",), grant)
    problems.extend(_unknown(placed, grant))
    problems.raise_any()
    return Authority(grant={**APPLICATION, **read}, parameters=parameters, limits=merged)


def _sections(document: Document, problems: Problems) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """The grants and the parameters of a file."""
    data = document.data
    if not isinstance(data, Mapping):
        problems.add(document.problem((), "expected a mapping of grants", hint='such as env: [TZ], or tcp: ["127.0.0.1:8017"]'))
        return {}, {}
    if not set(data) <= set(_SECTIONS):
        return data, {}
    for name in _SECTIONS:
        if not isinstance(data.get(name, {}), Mapping):
            problems.add(document.problem((name,), "expected a mapping"))
    grant, parameters = (data.get(name) for name in _SECTIONS)
    return grant if isinstance(grant, Mapping) else {}, parameters if isinstance(parameters, Mapping) else {}


def _placed(document: Document, grant: Mapping[str, Any], parameters: Mapping[str, Any]) -> Document:
    """The document as the reader of grants looks at it, each place where it was."""
    bare = grant is document.data

    def moved(places: Mapping[PathSteps, Any]) -> dict[PathSteps, Any]:
        return {("grant", *path) if bare else path: place for path, place in places.items()}

    data = {"parameters": parameters, "edges": [grant], "grant": grant}
    return replace(document, data=data, marks=moved(document.marks), keys=moved(document.keys), texts=moved(document.texts))


def _unknown(document: Document, grant: Mapping[str, Any]) -> Iterator[Problem]:
    for name in grant:
        if name not in grants.KINDS:
            yield document.problem(("grant", name), "a grant nothing can enforce", hint=closest(str(name), grants.KINDS), at_key=True)


def _limits(written: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Limits as they were written: `memory=256MiB`, several apart by commas."""
    for word in (part.strip() for one in written for part in one.split(",")):
        name, equals, value = word.partition("=")
        if not equals or name not in Limits.__slots__:
            known = ", ".join(Limits.__slots__)
            raise InputInvalid(f"--limits {word!a}: not a limit", hint=f"write memory=256MiB,deadline=5s; limits are {known}")
        try:
            parse_limit(name, value)
        except ValueError as error:
            raise InputInvalid(f"--limits {word!a}: {error}") from error
        yield name, value
