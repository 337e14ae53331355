"""Denials to a change of graph.yaml that would allow them (or list them as expected), for a person to read before anything is written.

What is added comes from the denials' remedies, each read as YAML, held against its kind, and written anew: no text of a guest gets into the
file as it is. After each addition the text is read again: where it does not hold exactly what was meant, for an odd layout perhaps, the
addition is left to the person.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ringfence.contract import grants
from ringfence.contract.errors import Denial
from ringfence.contract.files import read_regular, why
from ringfence.contract.grants import Policy
from ringfence.contract.grants.delegation import excess
from ringfence.contract.lock import EDGE, HOST
from ringfence.contract.parameters import substitute
from ringfence.contract.wording import usual_values

from ringfence_composer.compose import Workshop, plan_file
from ringfence_composer.errors import InputInvalid
from ringfence_composer.manifest.additions import Additions, Section, data_of
from ringfence_composer.manifest.grants import CALLS
from ringfence_composer.manifest.graph import read_graph
from ringfence_composer.manifest.source import MAX_BYTES, Problems
from ringfence_composer.replace import replace_file


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """A change of a graph.yaml. `left` are the denials that it does not allow, each with the reason; `notes` say what else it does."""

    file: Path
    before: str
    after: str
    left: tuple[tuple[Denial, str], ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def difference(self) -> str:
        """The change as a unified diff; '' where there is none."""
        before, after = self.before.splitlines(keepends=True), self.after.splitlines(keepends=True)
        return "".join(_ended(difflib.unified_diff(before, after, str(self.file), str(self.file))))


def _ended(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


def fix_file(manifest: Path, denials: Iterable[Denial], workshop: Workshop, *, section: Section = "grant") -> Fix:
    """The change of a graph.yaml under which none of the denials that are not expected would come again; nothing is written.

    Raises:
        ManifestError, ComposerError: the graph does not hold, before or after the change.
    """
    try:
        raw = read_regular(manifest, MAX_BYTES)
    except OSError as error:
        raise InputInvalid(f"cannot read {manifest}: {why(error)}") from error
    problems = Problems()
    graph = read_graph(manifest, problems, show_as=str(manifest), raw=raw)
    problems.raise_any()
    editor = _Editor(raw.decode(), graph.document.data, usual_values(graph.parameters), section)
    left = [(one, reason) for one in dict.fromkeys(denials) if not one.expected and (reason := editor.allow(one))]
    if editor.text != raw.decode():
        plan_file(manifest, workshop, raw=editor.text.encode())
    return Fix(file=manifest, before=raw.decode(), after=editor.text, left=tuple(left), notes=tuple(dict.fromkeys(editor.notes)))


def write_fix(fix: Fix) -> None:
    """Put the changed graph.yaml in the place of the old one.

    Raises:
        InputInvalid: it is not what it was when the change was made, or it can't be written; it is as it was then.
    """
    target = fix.file.resolve()
    try:
        if read_regular(target, MAX_BYTES) != fix.before.encode():
            raise InputInvalid(f"{fix.file} was changed meanwhile", hint="run compose fix again")
        replace_file(target, fix.after.encode(), mode=target.stat().st_mode & 0o777)
    except OSError as error:
        raise InputInvalid(f"cannot write {fix.file}: {why(error)}") from error


class _Editor:
    """The text of a graph.yaml that grows, with the data that is in it."""

    def __init__(self, text: str, data: Any, usual: Mapping[str, str], section: Section) -> None:
        self.text, self._data, self._usual, self._section = text, data, usual, section
        self.notes: tuple[str, ...] = ()

    def allow(self, denial: Denial) -> str:
        """Add what the denial's remedy says; '', or the reason why not."""
        if denial.node not in self._data["nodes"]:
            return f"the graph has no node {denial.node[:60]!r}"
        remedy = data_of(denial.allow) if denial.allow else None
        if not isinstance(remedy, Mapping) or not all(remedy.values()):
            return "no grant would allow it" if not denial.allow else "what would allow it is for a person to write"
        return next((reason for kind, form in remedy.items() if (reason := self._add(denial, kind, form))), "")

    def _add(self, denial: Denial, kind: str, form: Any) -> str:
        section = self._section
        if kind == CALLS:
            if section == "expected" or denial.provider == HOST or not isinstance(form, list):
                return "calls are listed on the edge between the two nodes"
        elif kind not in grants.KINDS:
            return f"nothing can enforce a grant of the kind {kind[:60]!r}"
        wanted = Policy() if kind == CALLS else _policy({kind: form}, {})
        if wanted is None:
            return f"what would allow it is no {kind} grant"
        ends = self._edge(denial, wanted)
        if kind != CALLS and any(self._covers(self._data, *edge, wanted) for edge in _acted_by(denial)):
            return ""
        added = Additions(self.text, deepcopy(self._data), self._usual)
        added.add(*ends, section, kind, form)
        if added.stuck or not added.hold():
            return added.stuck or "the file is laid out in a way that this program does not change"
        if kind != CALLS and not self._covers(added.data, *ends, section, wanted):
            return f"it cannot stand beside the {kind} that is written there"
        self.text, self._data, self.notes = added.text, added.data, (*self.notes, *added.notes)
        return ""

    def _edge(self, denial: Denial, wanted: Policy) -> tuple[str, str]:
        """Where to add it: the node's own edge, or, where its caller passes things on to it and has this one too, that of the call."""
        caller = denial.edge.partition(EDGE)[0]
        passing = self._section == "grant" and (_section(self._data, caller, denial.node, "grant") or {}).keys() - {CALLS}
        if denial.provider == HOST and passing and self._covers(self._data, caller, HOST, "grant", wanted):
            return caller, denial.node
        return denial.node, denial.provider

    def _covers(self, data: Any, consumer: str, provider: str, section: Section, wanted: Policy) -> bool:
        """Whether what an edge has in this section covers that."""
        written = _section(data, consumer, provider, section) or {}
        held = _policy({kind: form for kind, form in written.items() if kind != CALLS}, self._usual)
        return held is not None and not [*excess(held, wanted)]


def _acted_by(denial: Denial) -> tuple[tuple[str, str, Section], ...]:
    """Where what the call asked for may be given, or expected."""
    caller = denial.edge.partition(EDGE)[0]
    return (denial.node, HOST, "grant"), (denial.node, HOST, "expected"), (caller, denial.node, "grant")


def _section(data: Any, consumer: str, provider: str, section: Section) -> Any:
    return next((one.get(section) for one in data.get("edges") or [] if (one["from"], one["to"]) == (consumer, provider)), None)


def _policy(forms: Mapping[str, Any], values: Mapping[str, str]) -> Policy | None:
    """The policy of these forms; None where they make none."""
    try:
        return Policy.bind(substitute(forms, values))
    except (ExceptionGroup, ValueError, KeyError):
        return None
