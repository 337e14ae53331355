"""One run's record: it is also the JSON that a run leaves behind, and what the page is made of."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

from compat.figures import Figures, Timed
from compat.reasons import Group


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """The suite's tests: `native` pass natively, of them `passed` against the drop-in; `groups` are the others, `also` pass only there."""

    native: int
    passed: int
    also: int
    groups: Sequence[Group]
    excluded: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """What the wrap report says of the library's API: its members by how they are carried, and the score in percent."""

    score: float
    members: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A library. Where it could not be wrapped, or its suite not be run, `failed` says why, and what was not reached is None."""

    name: str
    version: str
    note: str
    grants: str = ""
    failed: str = ""
    wheel: int = 0
    coverage: Coverage | None = None
    tests: Tally | None = None
    native: Figures | None = None
    fenced: Figures | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Everything one run says."""

    machine: Mapping[str, str]
    versions: Mapping[str, str]
    seconds: float
    rows: Sequence[Row]

    def to_json(self) -> str:
        return json.dumps({"compat": 1, **asdict(self)}, indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Self:
        """What `to_json` wrote.

        Raises:
            ValueError: it is of another form.
        """
        found = json.loads(text)
        if not isinstance(found, dict) or found.pop("compat", None) != 1:
            raise ValueError("not the record of a run, or of another version")
        return cls(**found | {"rows": [_row(one) for one in found["rows"]]})


def _row(found: dict[str, Any]) -> Row:
    tests, coverage = found["tests"], found["coverage"]
    return Row(
        **found
        | {
            "coverage": coverage and Coverage(**coverage),
            "tests": tests and Tally(**tests | {"groups": [Group(**one) for one in tests["groups"]]}),
            "native": _figures(found["native"]),
            "fenced": _figures(found["fenced"]),
        }
    )


def _figures(found: dict[str, Any] | None) -> Figures | None:
    if found is None:
        return None
    return Figures(**found | {"small": Timed(**found["small"]), "large": Timed(**found["large"]) if found["large"] else None})
