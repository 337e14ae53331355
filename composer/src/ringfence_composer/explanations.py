"""What each error of both distributions means: the composer's half of the table, and the look-up by code or name."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass

from ringfence.contract.errors import RingfenceError, UsageError
from ringfence.contract.explanations import EXPLANATIONS as HOST_EXPLANATIONS
from ringfence.contract.explanations import Explanation
from ringfence.objects.explanations import EXPLANATIONS as BORDER_EXPLANATIONS

from ringfence_composer.errors import (
    BindingsStale,
    BuildFailed,
    BuildsFailed,
    ComposerError,
    DigestMismatch,
    InputInvalid,
    InternalError,
    PlanRefused,
    SourceInvalid,
    ToolFailed,
    ToolMissing,
    WitInvalid,
)

EXPLANATIONS: Mapping[type[RingfenceError], Explanation] = {
    **HOST_EXPLANATIONS,
    **BORDER_EXPLANATIONS,
    ComposerError: Explanation(
        meaning="The composer could not do its work.",
        cause="What the message says.",
        remedy="Do what the hint says; compose doctor looks at the installation.",
    ),
    InputInvalid: Explanation(
        meaning="A file that was named or written cannot be used.",
        cause="It is not there, cannot be read or written, is of another kind, or breaks a rule of its format.",
        remedy="Correct it or name another. compose inspect says what a file is.",
    ),
    WitInvalid: Explanation(
        meaning="WIT text does not parse or resolve, or has no such world.",
        cause="A slip in the text, a package that wit_deps does not name, or world: in component.yaml that names another.",
        remedy="Correct the line that the message quotes, or add the package's folder to wit_deps.",
    ),
    SourceInvalid: Explanation(
        meaning="A file of a component's source is wrong; the message names it and, where it is known, its line.",
        cause="A slip in the code, an export without an implementation, or a method that is missing.",
        remedy="Correct the file; the world in the component's WIT says what must be there.",
    ),
    DigestMismatch: Explanation(
        meaning="A file differs from the digest that was written for it.",
        cause="Another version was fetched or built, the digest was copied wrongly, or somebody exchanged the file.",
        remedy="Find out which of the two is right before you write the new digest.",
    ),
    ToolMissing: Explanation(
        meaning="A tool that this step needs is not installed.",
        cause="A fresh machine, or an installation that lost a part.",
        remedy="Run the command in the hint; compose doctor names everything that is missing.",
    ),
    ToolFailed: Explanation(
        meaning="A tool that the composer runs ended in an error; the end of what it printed comes with it.",
        cause="A package index that cannot be reached, a full disk, or a defect of the tool.",
        remedy="Read the tool's own words. Run it again where the network was at fault.",
    ),
    BuildFailed: Explanation(
        meaning="A component could not be built from its sources.",
        cause="A module that cannot be imported in the guest, or a requirement that is not pure Python.",
        remedy="Correct what the message names in the component's source or component.yaml.",
    ),
    BuildsFailed: Explanation(
        meaning="Several components could not be built; the errors of all are told, one after the other.",
        cause="Each message says its own: compose explain knows the codes that they begin with.",
        remedy="Correct them in any order. What was built meanwhile is kept.",
    ),
    InternalError: Explanation(
        meaning="This program broke: it met something that nobody expected.",
        cause="A defect of ours, or a machine that ran out of memory or disk.",
        remedy="Report it, with the file that the hint names; compose doctor looks at the installation.",
    ),
    PlanRefused: Explanation(
        meaning="The built components do not fit their graph, so there is no plan, and no lock was written.",
        cause="A binary imports what nothing satisfies or knows, a lane that cannot carry it, or two programs read it differently.",
        remedy="Correct what each problem names; compose inspect shows what a binary imports.",
    ),
    BindingsStale: Explanation(
        meaning="A file that compose bindings wrote is not what it would write for the graph as it is now.",
        cause="The WIT, what the graph exposes, or this program changed since, or somebody edited the file.",
        remedy="Run compose bindings graph.yaml -o FILE, and see with your type checker what that means for the application.",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """An error class by its code and name, explained."""

    code: str
    name: str
    explanation: Explanation


def explained(word: str) -> Explained:
    """The error of this code (`denied`) or name (`CapabilityDenied`, `capability-denied`), explained.

    Raises:
        UsageError: there is none; did you mean …?
    """
    spellings = {spelling: one for one in EXPLANATIONS for spelling in (one.code, one.__name__.lower(), _kebab(one.__name__))}
    if word.lower() in spellings:
        return _explained(spellings[word.lower()])
    near = difflib.get_close_matches(word.lower(), spellings, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]}?" if near else "compose explain lists all codes"
    if word.endswith((".yaml", ".yml")):
        hint = f"for what a line means, name it: {word}:1"
    raise UsageError(f"there is no error code {word[:60]!r}", hint=hint)


def all_explained() -> tuple[Explained, ...]:
    """Every error, in the order of the two trees."""
    return tuple(_explained(one) for one in EXPLANATIONS)


def _explained(error: type[RingfenceError]) -> Explained:
    return Explained(code=error.code, name=error.__name__, explanation=EXPLANATIONS[error])


def _kebab(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower()
