"""`stdin`, `stdout`, `stderr`: where the standard streams lead. Without the grant stdin is empty, and output goes nowhere.

`inherit` is the host's own stream, `log` the logger `ringfence.<node>` line by line, `discard` takes everything and keeps nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, TypeAlias, get_args

from ringfence.contract.grants.base import GrantSyntaxError, shown, syntax_errors

StreamName: TypeAlias = Literal["stdin", "stdout", "stderr"]
Target: TypeAlias = Literal["inherit", "log", "discard"]


@dataclass(frozen=True, slots=True)
class Stream:
    """A standard stream and where it leads."""

    stream: StreamName
    target: Target


@dataclass(frozen=True, slots=True)
class UseStdin:
    """A guest reads the host's standard input."""

    kind: ClassVar[str] = "stdin"
    target: Target = "inherit"

    @property
    def operation(self) -> str:
        return "read"

    @property
    def value(self) -> str:
        return "stdin"


@dataclass(frozen=True, slots=True)
class UseStdout:
    """A guest writes to where its stdout leads."""

    kind: ClassVar[str] = "stdout"
    target: Target

    @property
    def operation(self) -> str:
        return "write to"

    @property
    def value(self) -> str:
        return "stdout"


@dataclass(frozen=True, slots=True)
class UseStderr:
    """A guest writes to where its stderr leads."""

    kind: ClassVar[str] = "stderr"
    target: Target

    @property
    def operation(self) -> str:
        return "write to"

    @property
    def value(self) -> str:
        return "stderr"


UseStream: TypeAlias = UseStdin | UseStdout | UseStderr


class StdioKind:
    """One of the three standard streams."""

    parameters: frozenset[str] = frozenset()

    def __init__(self, stream: StreamName, targets: Sequence[Target]) -> None:
        self.name: str = stream
        self._stream: StreamName = stream
        self._targets = tuple(targets)
        self.interfaces = frozenset({f"wasi:cli/{stream}"})
        self.denied = "it is empty" if stream == "stdin" else "what is written goes nowhere"

    def parse(self, form: Any) -> tuple[Stream, ...]:
        for target in self._targets:
            if form == target and isinstance(form, str):
                return (Stream(self._stream, target),)
        hint = "files come with a later version" if isinstance(form, Mapping) else None
        raise syntax_errors(GrantSyntaxError(f"expected {' or '.join(self._targets)}, found {shown(form)}", hint=hint))

    def form(self, grants: Sequence[Stream]) -> Any:
        return grants[0].target

    def covers(self, grant: Stream, other: Stream) -> bool:
        return grant == other

    def exactly(self, request: UseStream) -> Stream:
        return Stream(self._stream, request.target)

    def implies(self, grant: Stream) -> Mapping[str, Sequence[Any]]:  # noqa: ARG002 -- of the protocol
        return {}

    def wording(self, grant: Stream) -> str:
        return {"inherit": "the host's {}", "log": "{} to the log", "discard": "{}, thrown away"}[grant.target].format(self.name)

    def suggest(self, request: UseStream) -> str:
        return f"{self.name}: {request.target}"


STDIN = StdioKind("stdin", ("inherit",))
STDOUT = StdioKind("stdout", get_args(Target))
STDERR = StdioKind("stderr", get_args(Target))
