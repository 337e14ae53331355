"""Every error of the composer; each knows its exit code.

    ComposerError
    ├── InputInvalid        a file the user wrote cannot be used (3)
    │   ├── WitInvalid        … WIT text or a world that is not there
    │   ├── SourceInvalid     … a component's source
    │   └── DigestMismatch    … a file is not what its digest says
    ├── ToolMissing         something that must be installed is not (4)
    ├── ToolFailed          a tool ended in an error, with the end of its output (4)
    ├── BuildFailed         a component could not be built (4)
    ├── BuildsFailed        several could not, each for a reason of its own (4; holds all of them)
    ├── PlanRefused         built components do not fit the graph (1; holds all problems)
    ├── BindingsStale       a file of bindings is not what the graph would give now (1)
    └── InternalError       this program broke (4; made at the edge of the command line only)

What is wrong in graph.yaml or component.yaml is a `ringfence.contract.errors.ManifestError` (3), with every problem's line and column.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import ClassVar

from ringfence.contract.errors import Problem, RingfenceError


class ComposerError(RingfenceError):
    """Base of all errors of this distribution.

    `code` is stable and documented, `exit_code` is what the command ends with, `hint`, where there is one, is the remedy.
    """

    code: ClassVar[str] = "composer"
    exit_code: ClassVar[int] = 4


class InputInvalid(ComposerError):
    """A file the user wrote, or named, cannot be used."""

    code = "input"
    exit_code = 3


class WitInvalid(InputInvalid):
    """WIT text that does not parse or resolve, or a world that is not in it."""

    code = "wit"


class SourceInvalid(InputInvalid):
    """A file of a component's source is wrong. `file` is its path in the source folder, `line` and `column` count from 1 (0: not known).

    `further` are the other errors that were found at once, for whoever raises it to set.
    """

    code = "source"

    def __init__(
        self,
        component: str,
        reason: str,
        *,
        file: str,
        line: int = 0,
        column: int = 0,
        hint: str | None = None,
    ) -> None:
        place = f"{file}:{line}" if line else file
        super().__init__(f"{component}: {place}: {reason}", hint=hint)
        self.component, self.reason, self.file, self.line, self.column = component, reason, file, line, column
        self.further: tuple[SourceInvalid, ...] = ()


def refuse_all(errors: Iterable[SourceInvalid]) -> None:
    """Raises the first of them, where there is one, with all others as its `further`."""
    found = list(errors)
    if found:
        found[0].further = tuple(found[1:])
        raise found[0]


class DigestMismatch(InputInvalid):
    """A file differs from the digest that was written for it; `requirement` is its package's name, where it is that of one."""

    code = "digest"

    def __init__(self, what: str, *, expected: str, found: str, hint: str | None = None, requirement: str = "") -> None:
        super().__init__(f"{what}: expected {expected}, found {found}", hint=hint)
        self.what, self.expected, self.found, self.requirement = what, expected, found, requirement


class ToolMissing(ComposerError):
    """A tool that must be installed is not there; the hint is the one command for it."""

    code = "tool-missing"

    def __init__(self, tool: str, *, hint: str) -> None:
        super().__init__(f"{tool} is not installed", hint=hint)
        self.tool = tool


class ToolFailed(ComposerError):
    """A tool ended in an error. `output` is the end of what it printed (foreign text: escape it before showing it)."""

    code = "tool-failed"

    def __init__(self, tool: str, message: str, *, output: str = "", hint: str | None = None) -> None:
        super().__init__(f"{tool}: {message}", hint=hint)
        self.tool, self.output = tool, output


class BuildFailed(ComposerError):
    """A component could not be built. `component` is its name, `output` the end of what its builder printed (foreign text)."""

    code = "build-failed"

    def __init__(self, component: str, message: str, *, output: str = "", hint: str | None = None) -> None:
        super().__init__(f"{component}: {message}", hint=hint)
        self.component, self.output = component, output


class BuildsFailed(ComposerError):
    """Several components could not be built; `failures` are their errors, in the order in which the graph needs them."""

    code = "builds-failed"

    def __init__(self, failures: Sequence[RingfenceError]) -> None:
        super().__init__("\n".join(str(one) for one in failures))
        self.failures = tuple(failures)


class PlanRefused(ComposerError):
    """Built components do not fit their graph; `problems` holds everything that does not, in reading order."""

    code = "plan"
    exit_code = 1

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


class BindingsStale(ComposerError):
    """A file of bindings is not what the graph would give now; `output` is the difference."""

    code = "stale-bindings"
    exit_code = 1

    def __init__(self, file: Path, difference: str, *, hint: str | None = None) -> None:
        super().__init__(f"{file} is not up to date", hint=hint)
        self.file, self.output = file, difference


class InternalError(ComposerError):
    """Something that nobody expected; `traceback` is the file that it was written to."""

    code = "internal"

    def __init__(self, error: Exception, traceback: str | None) -> None:
        hint = f"this is a defect of compose; please report it with {traceback}" if traceback else "this is a defect of compose"
        super().__init__(f"internal error: {type(error).__name__}: {error}", hint=hint)
        self.traceback = traceback
