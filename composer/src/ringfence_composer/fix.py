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
from typing import Any, Literal, TypeAlias

from ringfence.contract import grants
from ringfence.contract.errors import Denial, ManifestError
from ringfence.contract.files import read_regular, why
from ringfence.contract.grants import Policy
from ringfence.contract.grants.delegation import excess, joined
from ringfence.contract.lock import HOST
from ringfence.contract.parameters import substitute
from ringfence.contract.wording import usual_values

from ringfence_composer.compose import Workshop, plan_file
from ringfence_composer.errors import InputInvalid
from ringfence_composer.manifest.edit import flow, with_item, with_key
from ringfence_composer.manifest.grants import CALLS
from ringfence_composer.manifest.graph import read_graph
from ringfence_composer.manifest.source import MAX_BYTES, PathSteps, Problems, parse_document
from ringfence_composer.replace import replace_file

Section: TypeAlias = Literal["grant", "expected"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """A change of a graph.yaml. `left` are the denials that it does not allow, each with the reason."""

    file: Path
    before: str
    after: str
    left: tuple[tuple[Denial, str], ...] = ()

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
    return Fix(file=manifest, before=raw.decode(), after=editor.text, left=tuple(left))


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

    def allow(self, denial: Denial) -> str:
        """Add what the denial's remedy says; '', or the reason why not."""
        if denial.node not in self._data["nodes"]:
            return f"the graph has no node {denial.node[:60]!r}"
        remedy = _data(denial.allow) if denial.allow else None
        if not isinstance(remedy, Mapping) or not all(remedy.values()):
            return "no grant would allow it" if not denial.allow else "what would allow it is for a person to write"
        return next((reason for kind, form in remedy.items() if (reason := self._add(denial, kind, form))), "")

    def _add(self, denial: Denial, kind: str, form: Any) -> str:
        if kind == CALLS:
            if self._section == "expected" or denial.provider == HOST or not isinstance(form, list):
                return "calls are listed on the edge between the two nodes"
        elif reason := self._unfit(denial, kind, form):
            return "" if reason == "held" else reason
        edits = _Edits(self.text, deepcopy(self._data))
        edits.add(denial.node, denial.provider, self._section if kind != CALLS else "grant", kind, form)
        if edits.stuck or not edits.hold():
            return edits.stuck or "the file is laid out in a way that this program does not change"
        self.text, self._data = edits.text, edits.data
        return ""

    def _unfit(self, denial: Denial, kind: str, form: Any) -> str:
        """`held` where it is granted, or expected, already; why it can't be, or ''."""
        edges = [one for one in self._data.get("edges") or [] if (one["from"], one["to"]) == (denial.node, HOST)]
        granted, expected = (substitute(edges[0].get(one) or {}, self._usual) if edges else {} for one in ("grant", "expected"))
        if kind not in grants.KINDS:
            return f"nothing can enforce a grant of the kind {kind[:60]!r}"
        try:
            wanted = Policy.bind(substitute({kind: form}, {}))
        except (ExceptionGroup, ValueError, KeyError):
            return f"what would allow it is no {kind} grant"
        try:
            if any(not [*excess(Policy.bind(forms), wanted)] for forms in (granted, expected)):
                return "held"
            Policy.bind(joined(granted if self._section == "grant" else expected, substitute({kind: form}, {})))
        except ExceptionGroup:
            return f"it cannot stand beside the {kind} that is written there"
        return ""


def _data(text: str) -> Any:
    """What a YAML text holds; None where it is not well-formed, or not in the way that graph.yaml must be."""
    try:
        document = parse_document(text.encode(), "it")
    except ManifestError:
        return None
    return None if document.problems else document.data


class _Edits:
    """One addition: the same to a text and to its data."""

    def __init__(self, text: str, data: Any) -> None:
        self.text, self.data, self.stuck = text, data, ""

    def hold(self) -> bool:
        """Whether the text says what the data do."""
        return bool(_data(self.text) == self.data)

    def add(self, consumer: str, provider: str, section: Section, kind: str, form: Any) -> None:
        """Add a form of this kind to what the edge grants."""
        edges = self.data.get("edges") or []
        index = next((at for at, one in enumerate(edges) if (one["from"], one["to"]) == (consumer, provider)), None)
        if index is None:
            self._edge({"from": consumer, "to": provider, section: {kind: form}})
            return
        path: PathSteps = ("edges", index)
        if section not in edges[index]:
            self._key(path, section, {kind: form})
        elif kind not in (edges[index][section] or {}):
            self._key((*path, section), kind, form)
        elif isinstance(edges[index][section][kind], list) and isinstance(form, list):
            for item in form:
                if item not in edges[index][section][kind]:
                    self._item((*path, section, kind), item)
        else:
            self.stuck = f"{kind} is written there already, as something else"

    def _edge(self, edge: Mapping[str, Any]) -> None:
        if "edges" in self.data:
            self._item(("edges",), edge)
        else:
            newline = "\r\n" if "\r\n" in self.text else "\n"
            self.text = f"{self.text.rstrip()}{newline}edges:{newline}  - {flow(edge)}{newline}"
            self.data["edges"] = [edge]

    def _key(self, path: PathSteps, key: str, value: Any) -> None:
        self.text = with_key(self.text, path, key, value)
        self._put(path, {**(self._get(path) or {}), key: value})

    def _item(self, path: PathSteps, item: Any) -> None:
        self.text = with_item(self.text, path, item)
        self._put(path, [*(self._get(path) or []), item])

    def _get(self, path: PathSteps) -> Any:
        value = self.data
        for step in path:
            value = value[step]
        return value

    def _put(self, path: PathSteps, value: Any) -> None:
        self._get(path[:-1])[path[-1]] = value
