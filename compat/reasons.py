"""Errors of failed tests into reasons, by a table of patterns; what no pattern fits stays unexplained and is shown as that."""

from __future__ import annotations

import re
import tomllib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

UNEXPLAINED = "unexplained"
_FILE = Path(__file__).parent / "reasons.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Failed tests of one reason: how many, and one of them with its error."""

    reason: str
    count: int
    test: str
    error: str


def common() -> list[tuple[str, str]]:
    """Patterns and reasons that hold for every library."""
    return [(one["pattern"], one["reason"]) for one in tomllib.loads(_FILE.read_text())["reasons"]]


def groups(errors: Mapping[str, str], patterns: Sequence[tuple[str, str]]) -> list[Group]:
    """The reasons of these errors (by test), the commonest first; each error that no pattern fits counts under its exception's name."""
    found: dict[str, list[str]] = defaultdict(list)
    for test in sorted(errors):
        found[reason_of(errors[test], patterns)].append(test)
    made = [Group(reason=reason, count=len(tests), test=tests[0], error=errors[tests[0]]) for reason, tests in found.items()]
    return sorted(made, key=lambda group: (group.reason.startswith(UNEXPLAINED), -group.count, group.reason))


def reason_of(error: str, patterns: Sequence[tuple[str, str]]) -> str:
    """Why a test failed with this error."""
    for pattern, reason in patterns:
        if re.search(pattern, error):
            return reason
    name = re.match(r"[\w.]+(?=:|$)", error)
    return f"{UNEXPLAINED} ({name[0].rpartition('.')[2] if name else 'no exception'})"
