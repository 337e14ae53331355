"""Every error an application can meet.

RingfenceError
├── ManifestError        a file or parameter that a person wrote is wrong (holds all its problems)
├── StaleLock            there is no lock, or it does not belong to this graph.yaml
├── IntegrityError       a lock or an artifact is not what its digest says
├── SubstituteError      a test double does not fit the node it stands for (holds all its problems)
├── UsageError           a call that the graph has no function for (also LookupError)
├── ShapeError           a value that does not fit its WIT type (also TypeError)
├── CapabilityDenied     a guest asked for what no grant names (also PermissionError)
├── LimitExceeded        a guest passed one of its limits
│   └── DeadlineExceeded   … its deadline (also TimeoutError)
├── Interrupted          the call was cancelled from outside
├── GuestError           the guest answered with the err case of a WIT result
│   └── Failure            … in a class of generated bindings
└── GuestTrap            the guest's code trapped; its instance is gone
└── GuestExit          … by calling exit

The records in them are named tuples: `import ringfence` needs no dataclass, whose making takes as long as all the rest of it.
"""

from __future__ import annotations

import reprlib
from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple

DOUBLE = "double"
"""The node that an error names which a test double raised: where it stands, only the graph knows, which puts its node's name there."""


class _Brief(reprlib.Repr):
    """Values as a message shows them: a guest's may be as large as its output limit."""

    def __init__(self) -> None:
        super().__init__()
        self.maxstring = self.maxother = self.maxlong = 300

    def repr_bytes(self, value: bytes, _: int) -> str:
        return f"{len(value)} bytes"

    def repr_Case(self, value: Any, level: int) -> str:  # noqa: N802 -- reprlib's way to name a type
        return f"Case(name={value.name!r}, value={self.repr1(value.value, level - 1)})"

    def repr_record(self, value: Any, level: int) -> str:
        if level <= 0:
            return "record(...)"
        fields = (f"{name}={self.repr1(getattr(value, name), level - 1)}" for name in value.__fields__[: self.maxdict])
        return f"record({', '.join(fields)}{', ...' if len(value.__fields__) > self.maxdict else ''})"

    def repr_Some(self, value: Any, level: int) -> str:  # noqa: N802
        return f"{type(value).__name__}(value={self.repr1(value.value, level - 1)})"

    repr_Ok = repr_Err = repr_Some  # noqa: N815


_brief = _Brief()


class RingfenceError(Exception):
    """Base of all errors of this distribution.

    `code` is stable and documented; `hint`, where there is one, is the remedy in one sentence.
    """

    code: ClassVar[str] = "error"

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n  {self.hint}" if self.hint else self.message


class Problem(NamedTuple):
    """One thing wrong in one document: where (file, 1-based line and column, path inside it), what, and the remedy."""

    message: str
    file: str = ""
    line: int = 0
    column: int = 0
    path: str = ""
    hint: str | None = None

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line, self.column) if part)
        text = ": ".join(part for part in (place, self.path, self.message) if part)
        return f"{text}\n  {self.hint}" if self.hint else text


class ManifestError(RingfenceError):
    """A document or parameter is wrong; `problems` holds everything that is, in reading order."""

    code = "manifest"

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


class StaleLock(RingfenceError):
    """The lock is missing or was made from another graph.yaml; compose again."""

    code = "stale-lock"


class IntegrityError(RingfenceError):
    """A lock or an artifact differs from its digest, or is not what the lock says it is."""

    code = "integrity"


class SubstituteError(RingfenceError):
    """Test doubles do not fit the nodes they stand for; `problems` holds everything that does not."""

    code = "substitute"

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


class UsageError(RingfenceError, LookupError):
    """There is no such node or function, or its short name is ambiguous."""

    code = "usage"

    __str__ = RingfenceError.__str__


class ShapeError(RingfenceError, TypeError):
    """A value does not fit its WIT type; `path` leads into the value (`lines[2].quantity`)."""

    code = "shape"

    def __init__(self, message: str, *, path: str = "", hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.path = path

    def within(self, step: str) -> ShapeError:
        """The same error seen from one level further out; `step` is a field name or `[index]`."""
        joined = step + (self.path if not self.path or self.path.startswith("[") else f".{self.path}")
        return ShapeError(self.message, path=joined, hint=self.hint)

    def __str__(self) -> str:
        text = RingfenceError.__str__(self)
        return f"{self.path}: {text}" if self.path else text


class Denial(NamedTuple):
    """One request that no grant covers: who asked (node, inbound edge), for what, and what would allow it.

    `allow` is what would have to be written under the `grant:` of the node's edge to `provider`, '' where nothing can allow it. Values of
    variables never stand here. `expected`: that edge lists it as something the node tries in vain.
    """

    node: str
    edge: str
    kind: str
    operation: str
    value: str
    reason: str
    allow: str
    where: str = ""
    provider: str = "host"
    expected: bool = False

    @property
    def brief(self) -> str:
        """Who was refused what, and why, in one line."""
        return f"{self.node}: {self.operation} {self.value} denied: {self.reason}"

    def __str__(self) -> str:
        if not self.allow:
            return self.brief
        add = "\n".join(f"      {line}" for line in self.allow.splitlines())
        place = f" ({self.where})" if self.where else ""
        return f"{self.brief}\n  to allow it, add to the edge from {self.node} to {self.provider}{place}:\n    grant:\n{add}"


class CapabilityDenied(RingfenceError, PermissionError):
    """A call failed after the guest was refused something; the guest's own error, if any, is the cause.

    `denials` are all that the call met, in order, without those that were expected.
    """

    code = "denied"

    def __init__(self, denials: Sequence[Denial]) -> None:
        RingfenceError.__init__(self, "\n".join(str(denial) for denial in denials))
        self.denials = tuple(denials)

    __str__ = RingfenceError.__str__


class LimitExceeded(RingfenceError):
    """A guest passed a limit: `limit` is its name in the manifest, `allowed` its value as written there."""

    code = "limit"

    def __init__(self, node: str, limit: str, allowed: str, detail: str = "") -> None:
        tail = f": {detail}" if detail else ""
        super().__init__(f"{node}: limits.{limit} of {allowed} exceeded{tail}")
        self.node, self.limit, self.allowed = node, limit, allowed


class DeadlineExceeded(LimitExceeded, TimeoutError):
    """A call took longer than its deadline allows, time in host functions and queues included."""

    code = "deadline"

    __str__ = RingfenceError.__str__


class Interrupted(RingfenceError):
    """The call was cancelled from outside (`acall` cancelled, graph closed)."""

    code = "interrupted"


class GuestError(RingfenceError):
    """The guest returned the err case; `value` is the WIT value of it, of which the message shows no more than a few words."""

    code = "guest-error"

    value: Any

    def __init__(self, function: str, value: object) -> None:
        super().__init__(f"{function}: {_brief.repr(value)}")
        self.function, self.value = function, value


class Failure(GuestError):
    """The err case in the class that generated bindings declare for it; `value` is what the guest gave with it.

    They derive a class for each type of error, and where that is a variant one for each of its cases (`__case__`). A test double raises
    them to answer with that error. They are compared by class and value. Raised as it is where an err case has no value.
    """

    code = "failure"

    value: Any = None

    def __init__(self) -> None:
        self.__post_init__()

    def __post_init__(self) -> None:  # dataclasses below have an __init__ of their own
        self.tell(type(self).__name__)

    def tell(self, function: str) -> None:
        """Say in the message which function failed."""
        value, case = self.value, getattr(type(self), "__case__", None)
        GuestError.__init__(self, function, value)
        self.args = (value,) if getattr(self, "__dataclass_fields__", None) else ()
        if case is not None:
            self.message = f"{function}: {case}" + (f"({_brief.repr(value)})" if self.args else "")

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and isinstance(other, Failure) and self.value == other.value

    def __hash__(self) -> int:
        return hash(type(self))


class GuestTrap(RingfenceError):
    """The guest trapped and its instance was thrown away.

    `node` is the one that trapped, `backtrace` names its wasm frames, innermost first. `last_words` is the end of what the instance wrote
    to stderr, control characters escaped: the guest's own text, which may hold anything the guest knew. So it is no part of the message,
    nor is `source`, the line of the guest's source in which it failed (`app.py:113`), where its last words tell that. `part` is which of
    the components it happened in that are nested in the one that ran, where that is known.
    """

    code = "trap"

    def __init__(self, message: str, *, backtrace: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.backtrace = tuple(backtrace)
        self.node = self.last_words = self.source = ""
        self.part: int | None = None


class GuestExit(GuestTrap):
    """The guest called exit; `status` is what it said (0 or 1)."""

    code = "exit"

    def __init__(self, status: int) -> None:
        super().__init__(f"the guest called exit with status {status}")
        self.status = status
