"""What a grant kind is: one file beside this one each, and this protocol is all that plan, gate and ratchet know of it.

There is one definition of a grant's meaning: `admits(kind, grant, request) = covers(grant, exactly(request))`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Protocol, TypeAlias, TypeVar

SHOWN = 200
"""How many characters of a guest's text a message shows at most."""

ALL_PARAMETERS = frozenset({"endpoint", "host", "port", "int", "path", "text"})


class GrantSyntaxError(ValueError):
    """A written grant is wrong: `path` leads to the place inside the kind's form (`[0]`, `.frozen`), `hint` is the remedy."""

    def __init__(self, message: str, *, path: str = "", hint: str | None = None) -> None:
        super().__init__(message)
        self.message, self.path, self.hint = message, path, hint

    def within(self, step: str) -> GrantSyntaxError:
        """The same error seen from one level further out; `step` is `.name` or `[index]`."""
        return GrantSyntaxError(self.message, path=step + self.path, hint=self.hint)


class Grant(Protocol):
    """A frozen record of one capability."""


class Request(Protocol):
    """A frozen record of what a guest asks for now; `operation` and `value` word it for denials and profiles.

    Both are safe to show: text that a guest made has passed `quoted`.
    """

    kind: ClassVar[str]

    @property
    def operation(self) -> str: ...
    @property
    def value(self) -> str: ...


G = TypeVar("G")
R_contra = TypeVar("R_contra", contravariant=True)


class Kind(Protocol[G, R_contra]):
    """One kind: its name in a manifest, the interfaces it opens, its syntax, meaning and wording.

    `parameters` names the parameter types that may stand in its form. A form is plain JSON data, as written in graph.yaml, after parameters
    were put in their places.
    """

    name: str
    interfaces: frozenset[str]  # without versions, e.g. wasi:sockets/tcp
    parameters: frozenset[str]
    denied: str  # what a guest meets without a grant, in a few plain words

    def parse(self, form: Any) -> tuple[G, ...]:
        """The grants written in `form`, equal ones once.

        Raises:
            ExceptionGroup: of every GrantSyntaxError in it.
        """

    def form(self, grants: Sequence[G]) -> Any:
        """The canonical form of the grants: `parse(form(g)) == g`."""

    def covers(self, grant: G, other: G) -> bool:
        """Whether everything `other` allows, `grant` allows (a partial order)."""

    def exactly(self, request: R_contra) -> G:
        """The least grant that admits the request."""

    def opens(self, grant: G, interface: str) -> bool:
        """Whether this grant opens this one of `interfaces`."""

    def implies(self, grant: G) -> Mapping[str, Sequence[Any]]:
        """Grants of other kinds, by kind, that this one brings along."""

    def wording(self, grant: G) -> str:
        """The grant in a few plain words, for a plan."""

    def suggest(self, request: R_contra) -> str:
        """YAML that, put under `grant:`, would admit the request."""


class OpensAll:
    """What most kinds are: each of their grants opens all of their interfaces."""

    def opens(self, grant: Any, interface: str) -> bool:  # noqa: ARG002 -- of the protocol
        return True


GrantKind: TypeAlias = Kind[Any, Any]
"""Any kind, as plan, gate and ratchet handle it."""


def parse_each(form: Any, parse_one: Callable[[Any], G], *, example: str) -> tuple[G, ...]:
    """What each item of a list means, equal ones once; `parse_one` raises a GrantSyntaxError, or a group of them.

    Raises:
        ExceptionGroup: of the GrantSyntaxErrors of all items, each with its index.
    """
    if not isinstance(form, list | tuple):
        raise syntax_errors(GrantSyntaxError(f"expected a list, found {shown(form)}", hint=f"write it as {example}"))
    parsed: dict[G, None] = {}
    errors: list[GrantSyntaxError] = []
    for index, item in enumerate(form):
        try:
            parsed[parse_one(item)] = None
        except ExceptionGroup as group:
            errors += [one.within(f"[{index}]") for one in group.exceptions if isinstance(one, GrantSyntaxError)]
        except GrantSyntaxError as error:
            errors.append(error.within(f"[{index}]"))
    if errors:
        raise syntax_errors(*errors)
    return tuple(parsed)


def syntax_errors(*errors: GrantSyntaxError) -> ExceptionGroup[GrantSyntaxError]:
    """The group in which a kind reports what is wrong in its form."""
    return ExceptionGroup("a grant is wrong", errors)


def shown(form: Any) -> str:
    """What was found in the place of something else: short text and numbers as they are, of anything else its type only."""
    if isinstance(form, str):
        return quoted(form, 60)
    if form is None:
        return "nothing"
    if isinstance(form, bool | int | float):
        return str(form).lower()[:60]
    return "a mapping" if isinstance(form, Mapping) else "a list" if isinstance(form, list | tuple) else type(form).__name__


def quoted(text: str, limit: int = SHOWN) -> str:
    """Text of anyone's making, fit for a terminal, a log or a page: in quotes, printable ASCII only, of bounded length."""
    tail = "" if len(text) <= limit else f" and {len(text) - limit} more characters"
    return ascii(text[:limit]) + tail


def in_yaml(text: str) -> str:
    """The text in YAML that is ASCII, as graph.yaml takes it: a dollar sign is written twice there."""
    return '"' + "".join(map(_yaml_char, text)) + '"'


def _yaml_char(char: str) -> str:
    if char in '"\\':
        return f"\\{char}"
    if char == "$":
        return "$$"
    if " " <= char <= "~":
        return char
    return f"\\u{ord(char):04x}" if ord(char) < 0x10000 else f"\\U{ord(char):08x}"
