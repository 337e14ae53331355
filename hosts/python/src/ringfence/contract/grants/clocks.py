"""`clocks`: `[monotonic, wall]`, or `{ frozen: 2026-01-01T00:00:00Z }`. Time-outs of polls count as the monotonic clock.

Frozen, the wall clock stands at that time, and the monotonic one moves only as far as the guest has waited for timers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, TypeAlias

from ringfence.contract.grants.base import GrantSyntaxError, OpensAll, parse_each, shown, syntax_errors

ClockName: TypeAlias = Literal["monotonic", "wall"]

_RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Clock:
    """A real clock."""

    name: ClockName


@dataclass(frozen=True, slots=True)
class Frozen:
    """Both clocks, standing still: microseconds since 1970 of the wall clock."""

    microseconds: int

    def __str__(self) -> str:
        from datetime import UTC, datetime  # -- for clocks that stand still, as few do

        seconds, rest = divmod(self.microseconds, 1_000_000)
        whole = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
        return f"{whole.rjust(19, '0')}{f'.{rest:06}'.rstrip('0') if rest else ''}Z"


@dataclass(frozen=True, slots=True)
class ReadClock:
    """A guest reads a clock or sets a timer; `frozen` where its grant is that."""

    kind: ClassVar[str] = "clocks"
    name: ClockName
    frozen: Frozen | None = None

    @property
    def operation(self) -> str:
        return "read"

    @property
    def value(self) -> str:
        return f"the {self.name} clock"


class ClocksKind(OpensAll):
    """The clocks."""

    name = "clocks"
    interfaces = frozenset({"wasi:clocks/monotonic-clock", "wasi:clocks/wall-clock"})
    parameters = frozenset({"text"})
    denied = "reading a clock or waiting for it traps, unless the language's runtime needs it"

    def parse(self, form: Any) -> tuple[Clock | Frozen, ...]:
        if isinstance(form, Mapping):
            return (_parse_frozen(form),)
        return parse_each(form, _parse_one, example="[monotonic, wall]")

    def form(self, grants: Sequence[Clock | Frozen]) -> Any:
        for grant in grants:
            if isinstance(grant, Frozen):
                return {"frozen": str(grant)}
        return [grant.name for grant in grants if isinstance(grant, Clock)]

    def covers(self, grant: Clock | Frozen, other: Clock | Frozen) -> bool:
        return grant == other

    def exactly(self, request: ReadClock) -> Clock | Frozen:
        return request.frozen or Clock(request.name)

    def implies(self, grant: Clock | Frozen) -> Mapping[str, Sequence[Any]]:  # noqa: ARG002 -- of the protocol
        return {}

    def wording(self, grant: Clock | Frozen) -> str:
        return f"clocks frozen at {grant}" if isinstance(grant, Frozen) else f"{grant.name} clock"

    def suggest(self, request: ReadClock) -> str:
        return f"clocks: [{request.name}]"


def _parse_one(item: Any) -> Clock | Frozen:
    if item == "monotonic":
        return Clock("monotonic")
    if item == "wall":
        return Clock("wall")
    raise GrantSyntaxError(f"expected monotonic or wall, found {shown(item)}")


def _parse_frozen(form: Mapping[Any, Any]) -> Frozen:
    example = "{ frozen: 2026-01-01T00:00:00Z }"
    unknown = [GrantSyntaxError(f"unknown key {shown(key)}", hint=f"write it as {example}") for key in form if key != "frozen"]
    if unknown or "frozen" not in form:
        raise syntax_errors(*unknown or [GrantSyntaxError("expected the key frozen", hint=f"write it as {example}")])
    text = form["frozen"]
    wrong = GrantSyntaxError(f"expected a time in UTC, found {shown(text)}", path=".frozen", hint="such as 2026-01-01T00:00:00Z")
    if not isinstance(text, str) or not _RFC3339.fullmatch(text):
        raise syntax_errors(wrong)
    from datetime import UTC, datetime

    try:
        since = datetime.fromisoformat(text) - datetime(1970, 1, 1, tzinfo=UTC)
    except ValueError:
        raise syntax_errors(wrong) from None
    microseconds = (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
    if microseconds < 0:
        raise syntax_errors(GrantSyntaxError("expected a time not before 1970", path=".frozen"))
    return Frozen(microseconds)


CLOCKS = ClocksKind()
