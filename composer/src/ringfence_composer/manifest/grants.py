"""The parameters and grants written in graph.yaml, checked by the kinds themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ringfence.contract import grants
from ringfence.contract.grants.base import GrantKind, GrantSyntaxError
from ringfence.contract.lock import LockedParameter
from ringfence.contract.parameters import SAMPLES, TYPES, checked, is_within, references, substitute
from ringfence.contract.wording import usual_values

from ringfence_composer.manifest.shape import closest
from ringfence_composer.manifest.source import Document, PathSteps, Problems, Step, quoted

CALLS = "calls"

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_REFERENCE = re.compile(r"\$\{(?P<name>[^{}]*)\}")


@dataclass(frozen=True, slots=True)
class _Use:
    """One `${name}` in a grant."""

    name: str
    path: PathSteps


class GrantReader:
    """Reads the parameters of a graph at once, and the grants of its edges as they come."""

    def __init__(self, document: Document, problems: Problems) -> None:
        self._document, self._problems = document, problems
        self._faulty: set[Step] = set()
        data = document.data.get("parameters")
        self._declared: Mapping[str, Any] = data if isinstance(data, Mapping) else {}
        self.parameters = tuple(one for name in self._declared if (one := self._parameter(name)))
        self._by_name = {one.name: one for one in self.parameters}
        self._report_unused()

    def _say(self, path: PathSteps, message: str, hint: str | None = None, *, at_key: bool = False) -> None:
        if path[0] == "parameters":
            self._faulty.add(path[1])
        self._problems.add_unless_known(self._document.problem(path, message, hint=hint, at_key=at_key))

    def _report_unused(self) -> None:
        """A right parameter that nothing refers to: whoever gives it a value believes that it does something."""
        used = {found["name"] for _, text in _texts((), self._document.data.get("edges")) for found in _REFERENCE.finditer(text)}
        for name in self._by_name:
            if name not in used and name not in self._faulty and _NAME.fullmatch(name):
                self._say(("parameters", name), "no grant refers to it", f"write ${{{name}}} in a grant, or remove it", at_key=True)

    def _parameter(self, name: str) -> LockedParameter | None:
        data, path = self._declared[name], ("parameters", name)
        kind = data.get("type") if isinstance(data, Mapping) else None
        if kind not in TYPES:
            return None
        written = data.get("within", [])
        listed = written if isinstance(written, list) else [written]
        within = tuple(str(one) for one in listed if isinstance(one, str | int) and not isinstance(one, bool))
        ranged = self._ranges_hold((*path, "within"), kind, within)
        default = data.get("default")
        if isinstance(default, bool) or not isinstance(default, str | int):
            return LockedParameter(name=name, type=kind, within=within)
        try:
            value = checked(kind, default)
            if ranged and not is_within(kind, value, within):
                self._say((*path, "default"), f"expected a value within {' or '.join(within)}, found {quoted(default)}")
        except ValueError as error:
            self._say((*path, "default"), str(error))
            return LockedParameter(name=name, type=kind, within=within)
        return LockedParameter(name=name, type=kind, default=str(default), within=within)

    def _ranges_hold(self, path: PathSteps, kind: str, within: tuple[str, ...]) -> bool:
        good = True
        for index, one in enumerate(within):
            try:
                is_within(kind, SAMPLES[kind], (one,))
            except (ValueError, ExceptionGroup) as error:
                place = (*path, index) if (*path, index) in self._document.marks else path
                self._say(place, f"not a range of {kind}s: {_first(error)}")
                good = False
        return good

    def calls(self, grant: Mapping[str, Any]) -> tuple[str, ...] | None:
        """The functions that an edge between nodes allows; None: all."""
        listed = grant.get(CALLS)
        return tuple(one for one in listed if isinstance(one, str)) if isinstance(listed, list) else None

    def to_host(self, path: PathSteps, grant: Mapping[str, Any]) -> Mapping[str, Any]:
        """The grants of an edge to the host that are written right, by kind, in their written forms."""
        if CALLS in grant:
            hint = "name what the node may reach: files, tcp, dns, env, …"
            self._say((*path, CALLS), "the host has no functions to choose from", hint, at_key=True)
        return self.to_node(path, grant)

    def to_node(self, path: PathSteps, grant: Mapping[str, Any]) -> Mapping[str, Any]:
        """What an edge between nodes passes on, as far as it is written right, by kind, in the written forms."""
        kinds = ((name, grants.KINDS[name], form) for name, form in grant.items() if name in grants.KINDS)
        return {name: form for name, kind, form in kinds if self._form_holds((*path, name), kind, form)}

    def _form_holds(self, path: PathSteps, kind: GrantKind, form: Any) -> bool:
        uses, good = [], True
        for place, text in _texts(path, form):
            try:
                uses += [_Use(name, place) for name in references(text)]
            except ValueError as error:
                self._say(place, str(error))
                good = False
        held = [self._use_holds(kind, use) for use in uses]  # all of them, so that each can report
        good = all(held) and good
        if not good:
            return False
        try:
            kind.parse(substitute(form, usual_values(self.parameters)))
        except ExceptionGroup as group:
            for leaf in _leaves(group):
                self._say((*path, *_steps(leaf.path)), leaf.message, leaf.hint)
            return False
        return True

    def _use_holds(self, kind: GrantKind, use: _Use) -> bool:
        if use.name not in self._declared:
            hint = (
                closest(use.name, self._declared)
                or f'declare it: parameters: {{ {use.name}: {{ type: endpoint, within: "127.0.0.1:*" }} }}'
            )
            self._say(use.path, f"there is no parameter {quoted(use.name)}", hint)
            return False
        parameter = self._by_name.get(use.name)
        if parameter is None:
            return False
        if parameter.type not in kind.parameters:
            allowed = ", ".join(sorted(kind.parameters)) or "none"
            message = f"a parameter of type {parameter.type} cannot stand in a {kind.name} grant"
            self._say(use.path, message, f"types that can: {allowed}")
            return False
        if not parameter.within and "within" not in self._declared[use.name]:
            hint = "add within: the values that reviewers agree to"
            self._say(("parameters", use.name), "it stands in a grant, so its range must be written", hint, at_key=True)
        return True


def _texts(path: PathSteps, form: Any) -> Iterator[tuple[PathSteps, str]]:
    if isinstance(form, str):
        yield path, form
    elif isinstance(form, Mapping):
        for key, one in form.items():
            yield from _texts((*path, key), one)
    elif isinstance(form, list):
        for index, one in enumerate(form):
            yield from _texts((*path, index), one)


def _steps(path: str) -> PathSteps:
    """`[0].frozen` as steps."""
    found = re.finditer(r"\[(?P<index>\d+)\]|\.?(?P<key>[^.\[\]]+)", path)
    return tuple(int(one["index"]) if one["index"] else one["key"] for one in found)


def _leaves(group: ExceptionGroup[Any]) -> Iterator[GrantSyntaxError]:
    for error in group.exceptions:
        if isinstance(error, ExceptionGroup):
            yield from _leaves(error)
        elif isinstance(error, GrantSyntaxError):
            yield error
        else:
            raise error


def _first(error: BaseException) -> str:
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return error.message if isinstance(error, GrantSyntaxError) else str(error)
