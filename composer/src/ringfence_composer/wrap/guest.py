"""Distributions into the folder of a component and its graph: the bridge as the source, the library and what it requires as packages.

<folder>/graph.yaml               one node, `library`, and its edge to the host with the maximum grants
<folder>/library/component.yaml   Python, the world `ringfence:objects/wrapped`
<folder>/library/wit, src         the border's WIT; the bridge, and the list of modules that it serves
<folder>/library/packages         the distributions, as in site-packages
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

import yaml
from ringfence.packaged import LIBRARY

from ringfence_composer.builders.preload import modules_of, without_suites
from ringfence_composer.builders.snapshot import read_tree, write_tree
from ringfence_composer.package_data import border
from ringfence_composer.wrap.layout import Distribution
from ringfence_composer.wrap.wheel import entry_points

APPLICATION = {"application": "values"}
"""What every library may: call what the application passes to it. It opens nothing of the outside world."""

_LIBRARY = '''\
"""Generated: the modules that the bridge serves, as far as they can be imported here."""

import importlib

_NEEDED = {needed!r}
_OTHERS = {others!r}


def _importable(name):
    try:
        importlib.import_module(name)
    except BaseException:
        return False
    return True


for _name in _NEEDED:
    importlib.import_module(_name)
MODULES = tuple(_name for _name in (*_NEEDED, *_OTHERS) if _name in _NEEDED or _importable(_name))
'''


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """The most that a wrapped library may do: grant forms by kind, the parameters in them, and limits as written."""

    grant: Mapping[str, Any] = field(default_factory=lambda: dict(APPLICATION))
    parameters: Mapping[str, Any] = field(default_factory=dict)
    limits: Mapping[str, str] = field(default_factory=lambda: {"memory": "1GiB", "deadline": "60s", "stack": "4MiB"})


def lay_out_guest(packed: Sequence[Distribution], authority: Authority, folder: Path) -> Path:
    """The graph.yaml of the library, whose distribution is the first, in a folder that is made."""
    library = folder / LIBRARY
    write_tree(_bridge(packed), library / "src")
    write_tree(_wit(), library / "wit")
    write_tree({path: data for one in packed for path, data in (*one.files.items(), *_told(one))}, library / "packages")
    _write(library / "component.yaml", _component())
    _write(folder / "graph.yaml", _graph(packed[0], authority))
    return folder / "graph.yaml"


def _told(one: Distribution) -> Iterator[tuple[str, bytes]]:
    """What `importlib.metadata` tells of a distribution: libraries ask for their own version there, and for their own extensions."""
    folder = f"{one.key.replace('-', '_')}-{one.version}.dist-info"
    headers = {"Metadata-Version": "2.1", "Name": one.name, "Version": str(one.version), **one.metadata}
    lines = [f"{name}: {value}" for name, value in headers.items()] + [f"Requires-Dist: {wanted}" for wanted in one.requires]
    yield f"{folder}/METADATA", "\n".join([*lines, ""]).encode()
    if one.points:
        yield f"{folder}/entry_points.txt", entry_points(one.points)


def _component() -> dict[str, Any]:
    return {
        "ringfence": 1,
        "component": LIBRARY,
        "language": "python",
        "wit": "wit",
        "world": "wrapped",
        "source": "src",
        "packages": "packages",
        "module": "ringfence_guest",
    }


def _graph(first: Distribution, authority: Authority) -> dict[str, Any]:
    return {
        "ringfence": 1,
        "graph": graph_name(first),
        **({"parameters": dict(authority.parameters)} if authority.parameters else {}),
        "nodes": {LIBRARY: {"component": LIBRARY, "limits": dict(authority.limits), "instances": "single"}},
        "edges": [{"from": LIBRARY, "to": "host", "grant": dict(authority.grant)}] if authority.grant else [],
        "expose": [LIBRARY],
    }


def graph_name(first: Distribution) -> str:
    """The name of the library's graph: the distribution's, normalised, as far as graphs may be called so."""
    name = first.key[:50].strip("-")
    return name if name[:1].isalpha() else f"library-{name}"


def _write(file: Path, data: Mapping[str, Any]) -> None:
    file.write_text(yaml.safe_dump(dict(data), sort_keys=False, allow_unicode=False), encoding="ascii")


def _bridge(packed: Sequence[Distribution]) -> dict[str, bytes]:
    """The guest's half of the border, with the list of modules."""
    agreed = resources.files("ringfence.objects.agreed").iterdir()
    shared = {f"ringfence_bridge/agreed/{file.name}": file.read_bytes() for file in agreed if file.name.endswith(".py")}
    listed = _LIBRARY.format(needed=tuple(packed[0].imports), others=tuple(_others(packed)))
    found = read_tree(border("components/object-bridge/src"), what="the bridge")
    return {**found, **shared, "ringfence_library.py": listed.encode("ascii")}


def _others(packed: Sequence[Distribution]) -> Iterator[str]:
    """Further modules of the distributions that an import statement can name; the library's own first."""
    needed = set(packed[0].imports)
    for one in packed:
        yield from sorted(importable(one) - needed)


def importable(one: Distribution) -> set[str]:
    """The modules of a distribution, its tests left out."""
    return {name for name in modules_of(without_suites(one.files)) if name.isascii()}


def _wit() -> dict[str, bytes]:
    return read_tree(border("wit/objects"), what="the border's WIT")
