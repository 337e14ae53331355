"""Grants: the kinds that can be enforced, a node's policy made from its grant forms, and the one question that is asked of it.

    policy = Policy.bind({"tcp": ["127.0.0.1:8017"], "clocks": ["monotonic", "wall"]})     # kind -> form, parameters in their places
    admits(policy, Connect(IPv4Address("127.0.0.1"), 8017))

A kind is a file beside this one and a line here. A language runtime's needs are grants like any others: the plan puts them into the
forms.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from types import MappingProxyType
from typing import Any

from ringfence.contract.grants.base import GrantKind, GrantSyntaxError, Request, syntax_errors

_PLACES: Mapping[str, str] = {
    "files": "files",
    "tcp": "tcp",
    "udp": "udp",
    "listen": "listen",
    "dns": "dns",
    "env": "env",
    "args": "args",
    "stdin": "stdio",
    "stdout": "stdio",
    "stderr": "stdio",
    "clocks": "clocks",
    "random": "random",
    "application": "application",
}
"""The files of the kinds; each kind stands there under its name in capitals."""


class _Kinds(Mapping[str, GrantKind]):
    """The kinds by their names, each imported when it is first asked for: a start needs a few, and all would take a fifth of it."""

    def __init__(self) -> None:
        self._found: dict[str, GrantKind] = {}

    def __getitem__(self, name: str) -> GrantKind:
        found = self._found.get(name)
        if found is None:
            module = import_module(f"{__name__}.{_PLACES[name]}")
            found = self._found[name] = getattr(module, name.upper())
        return found

    def __contains__(self, name: object) -> bool:
        return name in _PLACES

    def __iter__(self) -> Iterator[str]:
        return iter(_PLACES)

    def __len__(self) -> int:
        return len(_PLACES)


KINDS: Mapping[str, GrantKind] = _Kinds()
"""Every kind that this version can enforce. A form of any other kind is an error: a grant nothing can enforce."""

INERT = frozenset(
    {
        "wasi:io/error",
        "wasi:io/poll",
        "wasi:io/streams",
        "wasi:clocks/timezone",
        "wasi:cli/exit",
        "wasi:cli/terminal-input",
        "wasi:cli/terminal-output",
        "wasi:cli/terminal-stdin",
        "wasi:cli/terminal-stdout",
        "wasi:cli/terminal-stderr",
        "wasi:sockets/network",
        "wasi:sockets/instance-network",
    }
)
"""Interfaces that carry no authority of their own: they act on what others gave, end the guest, hand out an empty token, or say
what is the same everywhere."""


def kinds_of(interface: str) -> tuple[str, ...]:
    """The kinds that open an interface (named without its version), in the order of KINDS.

    Empty for INERT interfaces and for those this version does not know.
    """
    return tuple(kind.name for kind in KINDS.values() if interface in kind.interfaces)


def kind_of(interface: str) -> str | None:
    """The first of `kinds_of`; None where the interface is INERT or unknown."""
    return next(iter(kinds_of(interface)), None)


@dataclass(frozen=True, slots=True)
class Policy:
    """What a node may do: its grants by kind, those brought along by others included. Its representation shows kinds only."""

    grants: Mapping[str, tuple[Any, ...]] = field(default_factory=dict, repr=False)
    _admitted: set[Request] = field(default_factory=set, init=False, repr=False, compare=False)

    @classmethod
    def bind(cls, forms: Mapping[str, Any]) -> Policy:
        """The policy written in these forms: kind name to plain JSON data, parameters in their places.

        Raises:
            ExceptionGroup: of every GrantSyntaxError in them, the kind first in its path (`.tcp[0]`).
        """
        errors: list[GrantSyntaxError] = []
        grants: dict[str, dict[Any, None]] = {}
        for name, form in forms.items():
            if name not in KINDS:
                hint = f"kinds are {', '.join(KINDS)}"
                errors.append(GrantSyntaxError("a grant nothing can enforce", path=f".{name}", hint=hint))
                continue
            try:
                for grant in KINDS[name].parse(form):
                    grants.setdefault(name, {})[grant] = None
                    for other, implied in KINDS[name].implies(grant).items():
                        grants.setdefault(other, {}).update(dict.fromkeys(implied))
            except ExceptionGroup as group:
                errors.extend(one.within(f".{name}") for one in group.exceptions if isinstance(one, GrantSyntaxError))
        if errors:
            raise syntax_errors(*errors)
        return cls(MappingProxyType({name: tuple(bound) for name, bound in grants.items()}))

    def of(self, kind: str) -> tuple[Any, ...]:
        """The grants of one kind."""
        return self.grants.get(kind, ())

    def opens(self, interface: str) -> bool:
        """Whether a grant opens the interface (named without its version)."""
        return any(KINDS[kind].opens(grant, interface) for kind in kinds_of(interface) for grant in self.of(kind))

    def __repr__(self) -> str:
        return f"Policy({', '.join(f'{name}: {len(grants)}' for name, grants in self.grants.items())})"


_REMEMBERED = 512


def admits(policy: Policy, request: Request) -> bool:
    """Whether a grant of the policy covers exactly what is asked for. What it admitted lately is remembered: guests ask again and again."""
    known = policy._admitted  # noqa: SLF001 -- this function's own
    if request in known:
        return True
    kind = KINDS[request.kind]
    wanted = kind.exactly(request)
    admitted = any(kind.covers(grant, wanted) for grant in policy.of(request.kind))
    if admitted:
        if len(known) >= _REMEMBERED:
            known.clear()
        known.add(request)
    return admitted
