"""`stdin`, `stdout`, `stderr`: where the standard streams lead. Without the grant stdin is empty, and output goes nowhere.

`inherit` is the host's own stream, `log` the logger `ringfence.<node>` line by line, `discard` takes everything and keeps nothing.
`{ file: PATH }` is a regular file, from where graph.yaml lies: read from its beginning by each instance, or written to at its end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, TypeAlias

from ringfence.contract.grants.base import GrantSyntaxError, OpensAll, in_yaml, quoted, shown, syntax_errors
from ringfence.contract.grants.files import parse_path

_HINT = "a file, from where graph.yaml lies, such as { file: in.txt }"

StreamName: TypeAlias = Literal["stdin", "stdout", "stderr"]
Target: TypeAlias = Literal["inherit", "log", "discard", "file"]


@dataclass(frozen=True, slots=True)
class Stream:
    """A standard stream and where it leads; `file` is the path of a file."""

    stream: StreamName
    target: Target
    file: str = ""


@dataclass(frozen=True, slots=True)
class UseStdin:
    """A guest reads from where its stdin leads."""

    kind: ClassVar[str] = "stdin"
    target: Target = "inherit"
    file: str = ""

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
    file: str = ""

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
    file: str = ""

    @property
    def operation(self) -> str:
        return "write to"

    @property
    def value(self) -> str:
        return "stderr"


UseStream: TypeAlias = UseStdin | UseStdout | UseStderr


class StdioKind(OpensAll):
    """One of the three standard streams."""

    parameters = frozenset({"path"})

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
        if isinstance(form, Mapping) and set(form) == {"file"}:
            try:
                return (Stream(self._stream, "file", parse_path(form["file"], _HINT)),)
            except GrantSyntaxError as error:
                raise syntax_errors(error.within(".file")) from None
        raise syntax_errors(GrantSyntaxError(f"expected {', '.join(self._targets)} or {{ file: PATH }}, found {shown(form)}", hint=_HINT))

    def form(self, grants: Sequence[Stream]) -> Any:
        return {"file": grants[0].file} if grants[0].target == "file" else grants[0].target

    def covers(self, grant: Stream, other: Stream) -> bool:
        return grant == other

    def exactly(self, request: UseStream) -> Stream:
        return Stream(self._stream, request.target, request.file)

    def implies(self, grant: Stream) -> Mapping[str, Sequence[Any]]:  # noqa: ARG002 -- of the protocol
        return {}

    def wording(self, grant: Stream) -> str:
        if grant.target == "file":
            return f"{self.name} {'from' if self.name == 'stdin' else 'to'} the file {quoted(grant.file)}"
        return {"inherit": "the host's {}", "log": "{} to the log", "discard": "{}, thrown away"}[grant.target].format(self.name)

    def suggest(self, request: UseStream) -> str:
        target = f"{{ file: {in_yaml(request.file)} }}" if request.target == "file" else request.target
        return f"{self.name}: {target}"


STDIN = StdioKind("stdin", ("inherit",))
STDOUT = StdioKind("stdout", ("inherit", "log", "discard"))
STDERR = StdioKind("stderr", ("inherit", "log", "discard"))
