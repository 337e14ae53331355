"""`application: values`: a wrapped library may call what the application passes to it, while the application is in a call of it.

Passing it is the application's act, each time; what of a value may be called, the host's `objects` decide. Without the grant a library gets
plain values only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, TypeAlias

from ringfence.contract.grants.base import GrantSyntaxError, OpensAll, shown, syntax_errors

Operation: TypeAlias = Literal["call", "get", "set", "method", "file"]


@dataclass(frozen=True, slots=True)
class Application:
    """What the application passes may be called."""


@dataclass(frozen=True, slots=True)
class UseValue:
    """A library asks for something of a value that the application passed to it."""

    kind: ClassVar[str] = "application"
    operation: Operation = "call"

    @property
    def value(self) -> str:
        return "what the application passes"


class ApplicationKind(OpensAll):
    """The application's own values."""

    name = "application"
    interfaces = frozenset({"ringfence:objects/application"})
    parameters: frozenset[str] = frozenset()
    denied = "functions, files and objects cannot be passed to it, plain values can"

    def parse(self, form: Any) -> tuple[Application, ...]:
        if form == "values":
            return (Application(),)
        hint = "write application: values"
        raise syntax_errors(GrantSyntaxError(f"expected values, found {shown(form)}", hint=hint))

    def form(self, grants: Sequence[Application]) -> Any:  # noqa: ARG002 -- there is one only
        return "values"

    def covers(self, grant: Application, other: Application) -> bool:
        return grant == other

    def exactly(self, request: UseValue) -> Application:  # noqa: ARG002 -- there is one only
        return Application()

    def implies(self, grant: Application) -> Mapping[str, Sequence[Any]]:  # noqa: ARG002 -- of the protocol
        return {}

    def wording(self, grant: Application) -> str:  # noqa: ARG002 -- there is one only
        return "may call what the application passes"

    def suggest(self, request: UseValue) -> str:  # noqa: ARG002 -- there is one only
        return "application: values"


APPLICATION = ApplicationKind()
