"""A composed library into what it says of itself, in the fence and without any grant: its API, and why modules are missing in it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ringfence.contract.errors import RingfenceError
from ringfence.graph import Graph
from ringfence.packaged import LIBRARY

from ringfence_composer.errors import BuildFailed, InputInvalid
from ringfence_composer.wrap.api import checked_api
from ringfence_composer.wrap.layout import Distribution

_TOKEN = 0
_HELLO = json.dumps([_TOKEN, [], "hello", {"api": False, "level": 50}])
_DESCRIBE = json.dumps([_TOKEN, [], "describe"])
_SHOWN = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """A library's API as its guest tells it (foreign data), and by module what its import raises there."""

    api: Mapping[str, Any]
    missing: Mapping[str, str]


def described(lock: Path, library: Distribution, modules: Iterable[str], cache: Path) -> Described:
    """What the guest of this lock says. `modules` are those that the library's sources have; those of what it requires stay inside.

    Raises:
        BuildFailed: it says nothing that can be used.
    """
    wanted, name = set(modules), library.name
    with Graph.load(lock, grants={LIBRARY: {}}, cache=cache) as graph:
        api, all_modules = _told(graph, name, library.imports)
        absent = sorted(wanted - all_modules)
        return Described(api=api, missing={module: _reason(graph, module) for module in absent})


def told_again(lock: Path, name: str, tops: tuple[str, ...], cache: Path) -> Mapping[str, Any]:
    """What the guest of a wheel's lock says of its API now, below these import names. Raises BuildFailed."""
    with Graph.load(lock, grants={LIBRARY: {}}, cache=cache) as graph:
        return _told(graph, name, tops)[0]


def _told(graph: Graph, name: str, tops: tuple[str, ...]) -> tuple[dict[str, Any], set[str]]:
    """The API with the modules below these import names, and the names of all that there are."""
    _asked(graph, name, _HELLO)
    try:
        api = checked_api(_asked(graph, name, _DESCRIBE), "what its guest says")
    except InputInvalid as error:
        raise BuildFailed(name, error.message) from error
    own = {module: about for module, about in api["modules"].items() if module.partition(".")[0] in tops}
    return {**api, "modules": own}, set(api["modules"])


def _asked(graph: Graph, name: str, operation: str) -> Any:
    """The value that an operation gives."""
    try:
        answer = json.loads(graph.call(f"{LIBRARY}.perform", operation))
    except (RingfenceError, ValueError, RecursionError) as error:
        raise BuildFailed(name, f"its guest cannot be asked for its API: {error}") from error
    if not isinstance(answer, list) or not answer or answer[0] != 0:
        raise BuildFailed(name, "its guest failed to tell its API", output=json.dumps(answer)[:2000])
    return answer[1]


def _reason(graph: Graph, module: str) -> str:
    """What a module's import raises in the guest, in a line."""
    try:
        answer = json.loads(graph.call(f"{LIBRARY}.perform", json.dumps([_TOKEN, [], "import", module])))
        error = answer[1]
        told = f"{error['c']['v']}: {', '.join(str(one) for one in error.get('a', ()))}"
    except (RingfenceError, ValueError, RecursionError, LookupError, TypeError, AttributeError):
        told = "it cannot be imported in the guest"
    return "".join(char if char.isprintable() else " " for char in told)[:_SHOWN]
