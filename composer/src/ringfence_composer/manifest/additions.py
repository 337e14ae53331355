"""What is added to the edges of a graph.yaml: to its text and, in step, to the data that the text holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

from ringfence.contract.errors import ManifestError
from ringfence.contract.grants.files import ACCESS, FILES, Files
from ringfence.contract.parameters import substitute

from ringfence_composer.manifest.edit import flow, with_item, with_key
from ringfence_composer.manifest.source import PathSteps, parse_document

Section: TypeAlias = Literal["grant", "expected"]


class Additions:
    """A text and its data that grow together. `stuck`: why an addition can't be made; `notes`: what else it allows."""

    def __init__(self, text: str, data: Any, usual: Mapping[str, str]) -> None:
        """`usual` are values of the parameters."""
        self.text, self.data, self._usual = text, data, usual
        self.stuck, self.notes = "", list[str]()

    def hold(self) -> bool:
        """Whether the text says what the data do."""
        return bool(data_of(self.text) == self.data)

    def add(self, consumer: str, provider: str, section: Section, kind: str, form: Any) -> None:
        """Add a form of this kind to an edge's section."""
        edges = self.data.get("edges") or []
        index = next((at for at, one in enumerate(edges) if (one["from"], one["to"]) == (consumer, provider)), None)
        if index is None:
            self._edge({"from": consumer, "to": provider, section: {kind: form}})
        elif section not in edges[index]:
            self._key(("edges", index), section, {kind: form})
        elif kind not in (edges[index][section] or {}):
            self._key(("edges", index, section), kind, form)
        elif isinstance(edges[index][section][kind], list) and isinstance(form, list):
            for item in form:
                self._add_item(("edges", index, section, kind), item)
        else:
            self.stuck = f"{kind} is written there already, as something else"

    def _add_item(self, path: PathSteps, item: Any) -> None:
        written = self._get(path)
        if item in written:
            return
        for index, one in enumerate(written if path[-1] == FILES.name else ()):
            old, new = (FILES.parse([substitute(form, self._usual)])[0] for form in (one, item))
            if (old.path, old.target) == (new.path, new.target):  # there can't be two grants of one place
                self._widen((*path, index), one, old, new)
                return
        self._item(path, item)

    def _widen(self, path: PathSteps, written: Mapping[str, Any], old: Files, new: Files) -> None:
        """Have the grant of a folder cover another one of it."""
        patterns = [one.text for one in new.match if not any(wide.covers(one) for wide in old.match)]
        more: dict[str, list[str]] = {"match": patterns, "access": [one for one in ACCESS if one in new.access - old.access]}
        if new.hardlinks and not old.hardlinks:
            self.stuck = "that files with hard links may be used is for a person to say"
        if new.lock != old.lock:
            self.stuck = "that files may be locked, and are changed only so from then on, is for a person to say"
        others = [one for one in old.match if not any(wide.covers(one) for wide in new.match)]
        if (others and new.access - old.access) or (patterns and old.access - new.access):
            self.notes.append(f"{old.path} as {old.target} is one grant: whatever it matches gets all of its access")
        for key, items in more.items():
            if key in written:
                for item in items:
                    self._item((*path, key), item)
            elif items:
                self._key(path, key, ["read", *items])  # access: all of the folder is matched where no pattern is written

    def _edge(self, edge: Mapping[str, Any]) -> None:
        if "edges" in self.data:
            self._item(("edges",), edge)
            return
        newline = "\r\n" if "\r\n" in self.text else "\n"
        ended = self.text if self.text.endswith("\n") else self.text + newline
        self.text = f"{ended}edges:{newline}  - {flow(edge)}{newline}"
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


def data_of(text: str) -> Any:
    """What a YAML text holds; None where it is not well-formed, or not in the way that graph.yaml must be."""
    try:
        document = parse_document(text.encode(), "it")
    except ManifestError:
        return None
    return None if document.problems else document.data
