"""`env`: variables of the environment. `[PGPASSWORD]` passes the host's value, `[{ TZ: UTC }]` sets one; all others are absent.

Values may be secrets: no representation, error or denial carries one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from ringfence.contract.grants.base import ALL_PARAMETERS, GrantSyntaxError, OpensAll, parse_each, quoted, shown, syntax_errors

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,255}")


@dataclass(frozen=True, slots=True)
class Env:
    """A variable; its value, or None for the host's at load."""

    name: str
    value: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Variable:
    """A guest gets one of the variables of its environment. WASI hands over all at once, so only granted ones are ever asked for."""

    kind: ClassVar[str] = "env"
    name: str
    set_to: str | None = field(default=None, repr=False)

    @property
    def operation(self) -> str:
        return "read the variable"

    @property
    def value(self) -> str:
        return quoted(self.name)


class EnvKind(OpensAll):
    """The environment."""

    name = "env"
    interfaces = frozenset({"wasi:cli/environment"})
    parameters = ALL_PARAMETERS
    denied = "the variable is absent"

    def parse(self, form: Any) -> tuple[Env, ...]:
        items = parse_each(form, _parse_item, example="[PGPASSWORD, { TZ: UTC }]")
        parsed = tuple(dict.fromkeys(grant for item in items for grant in item))
        names = [grant.name for grant in parsed]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise syntax_errors(*(GrantSyntaxError(f"the variable {name} is given twice") for name in twice))
        return parsed

    def form(self, grants: Sequence[Env]) -> Any:
        return [grant.name if grant.value is None else {grant.name: grant.value} for grant in grants]

    def covers(self, grant: Env, other: Env) -> bool:
        return grant == other

    def exactly(self, request: Variable) -> Env:
        return Env(request.name, request.set_to)

    def implies(self, grant: Env) -> Mapping[str, Sequence[Any]]:  # noqa: ARG002 -- of the protocol
        return {}

    def wording(self, grant: Env) -> str:
        return f"variable {grant.name}, the host's value" if grant.value is None else f"variable {grant.name}, set in the graph"

    def suggest(self, request: Variable) -> str:
        return f"env: [{request.name}]"


def _parse_item(item: Any) -> tuple[Env, ...]:
    if isinstance(item, Mapping) and item:
        return tuple(_parse_set(name, value) for name, value in item.items())
    return (Env(_checked(item)),)


def _parse_set(name: Any, value: Any) -> Env:
    variable = _checked(name)
    if not isinstance(value, str):
        raise GrantSyntaxError(f"expected text as the value of {variable}", hint="put it in quotes", path=f".{variable}")
    if "\0" in value:
        raise GrantSyntaxError(f"the value of {variable} holds a zero character", path=f".{variable}")
    return Env(variable, value)


def _checked(name: Any) -> str:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        hint = "NAME passes the host's value, { NAME: value } sets one"
        if isinstance(name, str) and "=" in name:
            name, hint = name.partition("=")[0] + "=…", f"write {{ {name.partition('=')[0]}: … }} to set it"
        raise GrantSyntaxError(f"expected a variable's name, found {shown(name)}", hint=hint)
    return name


ENV = EnvKind()
