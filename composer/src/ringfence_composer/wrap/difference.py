"""Two wheels of ours to what changed between them: the API, the authority, and what the components import."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ringfence_composer.growth import Growth, growth
from ringfence_composer.revisions import Revision
from ringfence_composer.wrap.packed import PackedWheel, read_packed


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What is new in the second wheel, gone from the first, and other than it was. `imports` are interfaces of the components."""

    old: str
    new: str
    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]
    authority: Growth
    imports_added: tuple[str, ...]
    imports_removed: tuple[str, ...]

    @property
    def grew(self) -> bool:
        """Whether the second may do, or ask for, anything that the first could not."""
        return bool(self.authority.grew or self.imports_added)


def difference(old: Path, new: Path) -> Difference:
    """What changed from one wheel to the other. Raises InputInvalid where one is none of ours."""
    before, after = read_packed(old), read_packed(new)
    first, second = dict(_api(before)), dict(_api(after))
    had, has = _imports(before), _imports(after)
    return Difference(
        old=old.name,
        new=new.name,
        added=tuple(sorted(second.keys() - first.keys())),
        removed=tuple(sorted(first.keys() - second.keys())),
        changed=tuple(sorted(name for name in first.keys() & second.keys() if first[name] != second[name])),
        authority=growth(Revision(name=old.name, lock=before.lock), Revision(name=new.name, lock=after.lock)),
        imports_added=tuple(sorted(has - had)),
        imports_removed=tuple(sorted(had - has)),
    )


def _imports(wheel: PackedWheel) -> set[str]:
    return {f"{node.name}: {one.name} ({one.decision})" for node in wheel.lock.nodes for one in node.imports}


def _api(wheel: PackedWheel) -> Iterator[tuple[str, Any]]:
    """Each public part of a library's API by its name, with what makes it what it is: its kind and its signature."""
    for module, about in _mapping(wheel.api.get("modules")).items():
        yield module, "module"
        for name, member in _mapping(_mapping(about).get("members")).items():
            kind, key = _mapping(member).get("kind"), str(_mapping(member).get("of", ""))
            if name.startswith("_") or kind == "module":
                continue
            yield f"{module}.{name}", (kind, _signature(_mapping(wheel.api.get("functions")).get(key)))
            if kind == "class" and key.partition(":")[0] == module:
                yield from _methods(f"{module}.{name}", _mapping(_mapping(wheel.api.get("classes")).get(key)))


def _methods(path: str, about: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, member in _mapping(about.get("members")).items():
        if not name.startswith("_"):
            yield f"{path}.{name}", (_mapping(member).get("kind"), _signature(member))


def _signature(about: Any) -> Any:
    """A signature as far as callers can tell: names, kinds, and whether there is a default."""
    parameters = _mapping(_mapping(about).get("signature")).get("parameters")
    if not isinstance(parameters, list):
        return None
    return [(one.get("name"), one.get("kind"), "default" in one or "shown" in one) for one in map(_mapping, parameters)]


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
