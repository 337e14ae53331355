"""What a grant kind is: one file beside this one each, and this protocol is all that plan, gate and ratchet know of it.

There is one definition of a grant's meaning: `admits(kind, grant, request) = covers(grant, exactly(request))`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Protocol


class GrantSyntaxError(ValueError):
    """A written grant is wrong: `path` leads to the place inside the kind's form (`[0]`, `.frozen`), `hint` is the remedy."""

    def __init__(self, message: str, *, path: str = "", hint: str | None = None) -> None:
        super().__init__(message)
        self.message, self.path, self.hint = message, path, hint


class Grant(Protocol):
    """A frozen record of one capability."""


class Request(Protocol):
    """A frozen record of what a guest asks for now; `operation` and `value` word it for denials and profiles."""

    kind: ClassVar[str]

    @property
    def operation(self) -> str: ...
    @property
    def value(self) -> str: ...


class GrantKind(Protocol):
    """One kind: its name in a manifest, the interfaces it opens, its syntax, meaning and wording.

    `parameters` names the parameter types that may stand in its form. A form is plain JSON data, as written in graph.yaml, after parameters
    were put in their places.
    """

    name: str
    interfaces: frozenset[str]  # without versions, e.g. wasi:sockets/tcp
    parameters: frozenset[str]

    def parse(self, form: Any) -> tuple[Grant, ...]:
        """The grants written in `form`.

        Raises:
            ExceptionGroup: of every GrantSyntaxError in it.
        """

    def form(self, grants: Sequence[Grant]) -> Any:
        """The canonical form of the grants: `parse(form(g)) == g`."""

    def covers(self, grant: Grant, other: Grant) -> bool:
        """Whether everything `other` allows, `grant` allows (a partial order)."""

    def exactly(self, request: Request) -> Grant:
        """The least grant that admits the request."""

    def wording(self, grant: Grant) -> str:
        """The grant in a few plain words, for a plan."""

    def suggest(self, request: Request) -> str:
        """YAML that, put under `grant:`, would admit the request."""
