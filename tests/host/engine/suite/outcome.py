"""How a command ends: in exactly one class, and why."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

Class = Literal["passed", "refused", "asynchronous", "failed"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """One command's. `reason` is a stable name (for what the suite wants refused: the stage that does), `detail` a sentence."""

    line: int
    command: str
    result: Class
    reason: str = ""
    detail: str = ""


class Ended(Exception):
    """Why a command did not pass."""

    def __init__(self, result: Class, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.result, self.reason, self.detail = result, reason, detail


def failed(detail: str) -> Ended:
    """The lane does not do what the command demands."""
    return Ended("failed", "", detail)


def tally(outcomes: Iterable[Outcome]) -> dict[str, int]:
    """How many commands ended in which class, those with a reason apart: `{"passed": 3, "refused: gc": 1}`."""
    return dict(sorted(Counter(f"{one.result}: {one.reason}" if one.reason else one.result for one in outcomes).items()))


REASONS: Mapping[str, str] = {
    # What the Decomposer says (docs/core-plan.md, *What is refused*)
    "core-modules": "core modules that are imported, exported or taken from an instance",
    "world": "imports or exports that WIT can't express; the composer reads no world from such a component",
    "translator": "wasmtime-environ 48 can't translate it (50, which the wheel is made of, needs a newer Rust)",
    "features": "its code needs what our engines have switched off: 64-bit memories, GC; on component exceptions, too",
    # What wasmtime has switched off by default, and so the toolchain
    "accessors": "names of getters and setters",
    "custom-descriptors": "custom descriptors in core modules",
    "custom-page-sizes": "custom page sizes in core modules",
    "fixed-length-lists": "lists of a fixed length",
    "gc": "values of the GC proposal in the Canonical ABI",
    "implements": "the annotation `implements`",
    "map": "the type `map`",
    "memory64": "values that cross the border through a 64-bit memory",
    "nested-names": "nested package names",
    "values": "values as imports and exports, and component start functions",
    # The rest
    "uncounted": "component lane: what an instance makes can't be counted, and so not limited",
    "legacy-text": "the script is in a syntax that the libraries read only where an environment variable says so",
}
"""Why a lane may refuse what is valid and synchronous. An entry that nothing is refused for any more must go."""

CONCURRENT = frozenset({"async", "threads"})

_SWITCHED_OFF: Mapping[str, str] = {
    "async": r"(more async builtins|async stackful|model forward|error-context) feature|context\.[gs]et` immediate must be zero",
    "threads": r"component model threading feature|shared-everything-threads",
    "accessors": r"component model accessors feature",
    "custom-descriptors": r"custom descriptors",
    "custom-page-sizes": r"custom page sizes proposal",
    "fixed-length-lists": r"component model fixed-length lists feature",
    "gc": r"`cm-gc` feature",
    "implements": r"`cm-implements` feature",
    "map": r"component model map feature",
    "memory64": r"`cm64` feature|component model 64-bit feature",
    "nested-names": r"expected `/` after package name",
    "values": r"support for component model `value`s is not enabled",
    "legacy-text": r"WAST_STRICT_COMPONENT_INDICES",
}

_ENGINE: Mapping[str, str] = {
    "uncounted": r"memories can't be counted",
    "features": r"exceptions proposal not|gc (proposal|types)|the gc feature|(threads|memory64) must be|function references required",
}


def refused(reasons: Mapping[str, str]) -> Ended:
    """The component is valid, but not for this lane; out of scope where concurrency is all that is against it."""
    result: Class = "asynchronous" if CONCURRENT.issuperset(reasons) else "refused"
    return Ended(result, "" if result == "asynchronous" else "+".join(sorted(reasons)), "; ".join(reasons.values()))


def switched_off(message: str) -> Ended | None:
    """Where the libraries refuse something for a feature that is off as a whole: that. The rule in question was not tested."""
    return _reason(_SWITCHED_OFF, message)


def not_run(message: str) -> Ended:
    """What the component engine has against a component that is valid."""
    return _reason(_ENGINE, message) or failed(message)


def _reason(patterns: Mapping[str, str], message: str) -> Ended | None:
    found = (name for name, pattern in patterns.items() if re.search(pattern, message))
    return next((refused({name: message}) for name in found), None)
