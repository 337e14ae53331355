"""What edges between nodes pass on, held against what their callers have (design §4, "Authority"), and denials that are expected.

The proof is `covers` of the grant kinds, which the gate decides by, too: nothing passes here that the caller itself could not do. A grant
with parameters must hold for every value within their ranges, or stand in the caller's grant as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ringfence.contract import grants
from ringfence.contract.errors import Problem
from ringfence.contract.grants import Policy
from ringfence.contract.grants.base import GrantSyntaxError
from ringfence.contract.grants.delegation import Excess, exceeding, joined
from ringfence.contract.lock import HOST
from ringfence.contract.parameters import references, substitute
from ringfence.contract.span import items, span
from ringfence.contract.wording import usual_values

from ringfence_composer.manifest.graph import EdgeManifest, GraphManifest
from ringfence_composer.manifest.source import PathSteps

_SILENT = frozenset({"env", "args", "stdin", "stdout", "stderr"})
"""Kinds of which nothing is refused where they are not granted: WASI hands over what there is."""
_SHOWN = 3
"""Grants that a message lists at most."""


def authority_problems(manifest: GraphManifest) -> Iterator[Problem]:
    """Everything that an edge passes on though its caller does not have it, or that the callee cannot act with."""
    ledger = _Ledger(manifest)
    for edge in manifest.edges:
        if edge.provider == HOST:
            yield from ledger.in_vain(edge)
        elif edge.grant:
            yield from ledger.excesses(edge)
            yield from ledger.conflicts(edge)


class _Ledger:
    """Who has which grants."""

    def __init__(self, manifest: GraphManifest) -> None:
        self._manifest, self._document = manifest, manifest.document
        self._to_host = {edge.consumer: edge for edge in manifest.edges if edge.provider == HOST}
        self._usual = usual_values(manifest.parameters)

    def excesses(self, edge: EdgeManifest) -> Iterator[Problem]:
        """What the edge passes on beyond what its consumer has, each with the part that exceeds."""
        giver = self._to_host.get(edge.consumer)
        held, fixed = self._held(giver.grant if giver else {})
        for kind, index, form in items(edge.grant):
            if (kind, _key(form)) in held:
                continue
            path = (*edge.path, "grant", kind, index)
            spanned = span(kind, form, self._manifest.parameters)
            if spanned is None:
                yield self._open_ended(edge, giver, path, kind)
            for grant in spanned or ():
                if found := exceeding(kind, grant, fixed.of(kind)):
                    yield self._excess(edge, giver, fixed, path, found)

    def _held(self, forms: Mapping[str, Any]) -> tuple[set[tuple[str, str]], Policy]:
        """Every single grant as it is written, and the policy of those without parameters."""
        single = list(items(forms))
        fixed: dict[str, Any] = {}
        for kind, _, form in single:
            if not references(form):
                fixed[kind] = [*fixed.get(kind, []), *form] if isinstance(form, list) else form
        return {(kind, _key(form)) for kind, _, form in single}, Policy.bind(substitute(fixed, {}))

    def _excess(self, edge: EdgeManifest, giver: EdgeManifest | None, fixed: Policy, path: PathSteps, found: Excess) -> Problem:
        kind = grants.KINDS[found.kind]
        message = f"{edge.provider} would get more than {edge.consumer} has: {kind.wording(found.grant)}"
        if found.nearest is None:
            if of_kind := fixed.of(found.kind):
                has = [*map(kind.wording, of_kind[:_SHOWN]), *(["more"] if len(of_kind) > _SHOWN else [])]
                message += f"; {edge.consumer} has {' and '.join(has)}"
            return self._document.problem(self._place(path), message, hint=self._remedy(edge, giver, found.kind))
        texts = {part.field: sorted(str(getattr(one, "text", one)) for one in part.items) for part in found.parts}
        beyond = " and ".join(f"{field} {', '.join(items)}".strip() for field, items in texts.items())
        message += f"; what exceeds is {beyond}: {edge.consumer} has {kind.wording(found.nearest)}"
        return self._document.problem(self._part(path, texts), message, hint=self._remedy(edge, giver, found.kind))

    def _part(self, path: PathSteps, texts: Mapping[str, list[str]]) -> PathSteps:
        """Where the first part that exceeds is written, as far as it is written by itself."""
        field, items = next(iter(texts.items()))
        written = self._value((*path, field))
        if items and isinstance(written, list):
            return (*path, field, next((at for at, one in enumerate(written) if one in items), 0))
        return self._place((*path, field))

    def _open_ended(self, edge: EdgeManifest, giver: EdgeManifest | None, path: PathSteps, kind: str) -> Problem:
        message = f"it is not certain that {edge.consumer} has this for every value of the parameter: no grant of its own is written alike"
        return self._document.problem(self._place(path), message, hint=self._remedy(edge, giver, kind))

    def _remedy(self, edge: EdgeManifest, giver: EdgeManifest | None, kind: str) -> str:
        gets = any(one.provider == edge.consumer and kind in one.grant for one in self._manifest.edges)
        if gets:
            return (
                f"what {edge.consumer} gets through an edge is not its own to pass on: grant it to {edge.consumer}, or to {edge.provider}"
            )
        line = f" (line {self._document.mark(giver.path).line})" if giver else ""
        return f"grant it on the edge from {edge.consumer} to {HOST}{line}, too, or pass on less"

    def _place(self, path: PathSteps) -> PathSteps:
        """The path, or as much of it as is written."""
        while path not in self._document.marks:
            path = path[:-1]
        return path

    def _value(self, path: PathSteps) -> Any:
        value: Any = self._document.data
        for step in path:
            try:
                value = value[step]
            except (KeyError, IndexError, TypeError):
                return None
        return value

    def conflicts(self, edge: EdgeManifest) -> Iterator[Problem]:
        """Why the provider could not act with what the edge passes on."""
        callee = self._manifest.node(edge.provider)
        if callee.shared:
            path = (*edge.path, "grant")
            hint = f"leave out shared: true of {edge.provider}, or grant it what it needs on its own edge to {HOST}"
            yield self._document.problem(path, f"instances of {edge.provider} are shared by edges, so they would all get this", hint=hint)
        own = self._to_host.get(edge.provider)
        try:
            Policy.bind(joined(substitute(own.grant if own else {}, self._usual), substitute(edge.grant, self._usual)))
        except ExceptionGroup as group:
            for error in group.exceptions:
                if isinstance(error, GrantSyntaxError):
                    kind = error.path.removeprefix(".").partition("[")[0].partition(".")[0]
                    message = f"{error.message} (with the own grants of {edge.provider})"
                    yield self._document.problem(self._place((*edge.path, "grant", kind)), message, hint=error.hint)

    def in_vain(self, edge: EdgeManifest) -> Iterator[Problem]:
        """Denials that are expected and never come: of something that is granted, or that nobody is refused."""
        held, fixed = self._held(edge.grant)
        for kind in edge.expected.keys() & _SILENT:
            hint = "leave it out: there is nothing to hear of"
            path = (*edge.path, "expected", kind)
            yield self._document.problem(path, f"{kind} is never denied: where it is not granted, {grants.KINDS[kind].denied}", hint=hint)
        for kind, index, form in items({kind: form for kind, form in edge.expected.items() if kind not in _SILENT}):
            spanned = span(kind, form, self._manifest.parameters) or ()
            granted = bool(spanned) and not any(exceeding(kind, one, fixed.of(kind)) for one in spanned)
            if (kind, _key(form)) in held or granted:
                path = self._place((*edge.path, "expected", kind, index))
                yield self._document.problem(path, "it is granted, so it cannot be denied", hint="leave it out here, or under grant")


def _key(form: Any) -> str:
    """Equal for equal forms."""
    return repr(form)
