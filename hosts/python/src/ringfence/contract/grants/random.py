"""`random`: `secure`, or `{ seeded: 42 }`: the same bytes for every instance, said openly because nothing secret may rest on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from ringfence.contract.grants.base import GrantSyntaxError, OpensAll, shown, syntax_errors


@dataclass(frozen=True, slots=True)
class Random:
    """Random bytes; with a seed, predictable ones."""

    seed: str | None = None


@dataclass(frozen=True, slots=True)
class GetRandom:
    """A guest asks for random bytes; `seed` is that of its grant."""

    kind: ClassVar[str] = "random"
    seed: str | None = None

    @property
    def operation(self) -> str:
        return "read"

    @property
    def value(self) -> str:
        return "random bytes"


class RandomKind(OpensAll):
    """Randomness."""

    name = "random"
    interfaces = frozenset({"wasi:random/random", "wasi:random/insecure", "wasi:random/insecure-seed"})
    parameters = frozenset({"int", "text"})
    denied = "asking for random bytes traps, unless the language's runtime needs them"

    def parse(self, form: Any) -> tuple[Random, ...]:
        if form == "secure":
            return (Random(),)
        seed = form.get("seeded") if isinstance(form, Mapping) and len(form) == 1 else None
        if isinstance(seed, str | int) and not isinstance(seed, bool):
            return (Random(str(seed)),)
        hint = "a seed stands with it: { seeded: 42 }" if form == "seeded" else None
        raise syntax_errors(GrantSyntaxError(f"expected secure or {{ seeded: SEED }}, found {shown(form)}", hint=hint))

    def form(self, grants: Sequence[Random]) -> Any:
        return "secure" if grants[0].seed is None else {"seeded": grants[0].seed}

    def covers(self, grant: Random, other: Random) -> bool:
        return grant == other

    def exactly(self, request: GetRandom) -> Random:
        return Random(request.seed)

    def implies(self, grant: Random) -> Mapping[str, Sequence[Any]]:  # noqa: ARG002 -- of the protocol
        return {}

    def wording(self, grant: Random) -> str:
        return "random bytes" if grant.seed is None else "random bytes from a seed (predictable)"

    def suggest(self, request: GetRandom) -> str:  # noqa: ARG002 -- of the protocol
        return "random: secure"


RANDOM = RandomKind()
