"""`args`: the arguments of the program, as a list of texts. Without the grant there are none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from ringfence.contract.grants.base import ALL_PARAMETERS, GrantSyntaxError, OpensAll, shown, syntax_errors


@dataclass(frozen=True, slots=True)
class Args:
    """All arguments, in order. They may hold secrets: not in the representation."""

    values: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class GetArguments:
    """A guest gets the arguments that were granted; WASI gives all at once."""

    kind: ClassVar[str] = "args"
    values: tuple[str, ...] = field(repr=False)

    @property
    def operation(self) -> str:
        return "read"

    @property
    def value(self) -> str:
        return f"{len(self.values)} arguments"


class ArgsKind(OpensAll):
    """Program arguments."""

    name = "args"
    interfaces = frozenset({"wasi:cli/environment"})
    parameters = ALL_PARAMETERS
    denied = "there are no arguments"

    def parse(self, form: Any) -> tuple[Args, ...]:
        if not isinstance(form, list | tuple):
            raise syntax_errors(GrantSyntaxError(f"expected a list, found {shown(form)}", hint='write it as ["--verbose"]'))
        errors = [
            GrantSyntaxError("expected text without a zero character", path=f"[{index}]", hint="put it in quotes")
            for index, item in enumerate(form)
            if not isinstance(item, str) or "\0" in item
        ]
        if errors:
            raise syntax_errors(*errors)
        return (Args(tuple(form)),) if form else ()

    def form(self, grants: Sequence[Args]) -> Any:
        return list(grants[0].values) if grants else []

    def covers(self, grant: Args, other: Args) -> bool:
        return grant == other

    def exactly(self, request: GetArguments) -> Args:
        return Args(request.values)

    def implies(self, grant: Args) -> Mapping[str, Sequence[Any]]:  # noqa: ARG002 -- of the protocol
        return {}

    def wording(self, grant: Args) -> str:
        return f"{len(grant.values)} argument{'s' if len(grant.values) > 1 else ''}"

    def suggest(self, request: GetArguments) -> str:  # noqa: ARG002 -- of the protocol
        return "args: []"


ARGS = ArgsKind()
