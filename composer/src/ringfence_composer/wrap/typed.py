"""A typed graph into a wheel: its client, its lock with the maximum grants, its artifacts and its SBOM, under one import name."""

from __future__ import annotations

import json
import keyword
import re
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from packaging.version import InvalidVersion, Version
from ringfence.bindings import Connection
from ringfence.contract.layout import artifact_path, lock_path
from ringfence.contract.lock import Lock
from ringfence.contract.names import snake
from ringfence.packaged import LOCK

from ringfence_composer.bindings.file import Exposed, exposed_of, model_of
from ringfence_composer.bindings.model import Model
from ringfence_composer.bindings.module import module, node_classes
from ringfence_composer.bindings.quoting import identifier
from ringfence_composer.compose import Composed, Workshop, compose_file
from ringfence_composer.errors import InputInvalid
from ringfence_composer.manifest.component import ComponentManifest
from ringfence_composer.wrap.sbom import Part, graph_sbom
from ringfence_composer.wrap.wheel import WheelContent

DATA = "_ringfence"
"""The folder, in the package that a graph becomes, in which its lock lies."""
INTERFACES = "interfaces.json"
"""The file in that folder with the WIT of the exposed nodes, of which the client is made."""
_REGISTRIES = {"pypi": "pypi", "crates": "cargo", "npm": "npm"}
"""Registries, as package URLs name them."""
_PACKAGE = re.compile(r"[a-z_][a-z0-9_]*")

_INIT = '''\
"""The graph `{graph}`, ring-fenced: `connect` gives its exposed nodes, typed.

Written by `compose wrap`; edits are lost. `compose inspect --verify` tells whether it is what its lock gives.
"""

# ruff: noqa
# fmt: off

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ringfence.bindings import Connection
from {package}.bindings import *
from {package}.bindings import {classes}


class Client(Connection):
    """The graph `{graph}` with its exposed nodes. A context manager; safe to call from many threads."""

{annotations}


def connect(
    *,
    parameters: Mapping[str, object] | None = None,
    grants: Mapping[str, Mapping[str, Any]] | None = None,
    substitutes: Mapping[str, object] | None = None,
    base: str | Path | None = None,
) -> Client:
    """The graph, loaded.

    `parameters` are its places; `grants` takes authority away, by node, and never adds any; `substitutes` puts doubles in the places of
    nodes (`{first}.substitute(...)`). Relative paths in grants start at `base`, by default where the application runs.
    """
    return Client(Path(__file__).parent / "{data}", "{name}", {nodes}, parameters, grants, substitutes, base)
'''


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageName:
    """What a typed graph's wheel is called, checked: its import name, and its version."""

    package: str
    version: Version


def read_package(package: str, version: str) -> PackageName:
    """The names of a wheel as they were written.

    Raises:
        InputInvalid: no module can be so called, or it would hide one of Python's; or it is no version.
    """
    if not _PACKAGE.fullmatch(package) or keyword.iskeyword(package):
        raise InputInvalid(f"--package {package!a}: not a package's name", hint="write it as an import statement does: acme_vendor")
    if package in sys.stdlib_module_names or package in ("ringfence", "ringfence_composer"):
        raise InputInvalid(f"--package {package}: it would hide a module of that name", hint="choose another, such as acme_vendor")
    try:
        return PackageName(package=package, version=Version(version))
    except InvalidVersion as error:
        raise InputInvalid(f"--version {version!a}: not a version", hint="such as 1.0 (PEP 440)") from error


def pack_graph(manifest: Path, name: PackageName, workshop: Workshop) -> WheelContent:
    """The content of the wheel of a graph, which is composed for it. Raises like `compose_file` and `exposed_of`."""
    graph, exposed = exposed_of(manifest, workshop)
    done = compose_file(manifest, workshop)
    workshop.report(f"packing {manifest.name}")
    files = {
        **_python(name.package, done.lock, model_of(graph, exposed)),
        f"{name.package}/{DATA}/{INTERFACES}": json.dumps([asdict(one) for one in exposed]).encode("ascii"),
        f"{name.package}/py.typed": b"",
        **{f"{name.package}/{DATA}/{path}": data for path, data in packed_graph(done.lock, manifest).items()},
    }
    return WheelContent(
        name=name.package.replace("_", "-"),
        version=name.version,
        files=files,
        summary=f"The graph {done.lock.graph}, ring-fenced",
        sboms={f"{name.package}.cdx.json": graph_sbom(name.package.replace("_", "-"), name.version, done.lock, parts_of(done))},
    )


def parts_of(done: Composed) -> dict[str, list[Part]]:
    """The archives that are built into each node, as its component.yaml pins them."""
    found: dict[str, list[Part]] = {}
    for node in done.plan.manifest.nodes:
        if isinstance(node.component, ComponentManifest):
            component = node.component
            found[node.name] = [
                *(Part(registry="pypi", name=one.name, version=one.version, sha256=one.sha256) for one in component.requirements),
                *(
                    Part(registry=_REGISTRIES[one.registry], name=one.name, version=one.version, sha256=one.sha256)
                    for one in component.archives
                ),
            ]
    return found


def _attribute(node: str) -> str:
    """The name of a node in its connection, which has some of its own."""
    name = identifier(snake(node))
    return f"{name}_" if hasattr(Connection, name) or name == "graph" else name


def python_files(package: str, lock: Lock, files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The Python of a graph's wheel, made anew of the interfaces that lie in it.

    Raises:
        InputInvalid, LookupError, TypeError, ValueError: they are none that bindings could be made of.
    """
    exposed = [
        Exposed(
            node=one["node"],
            document=one["document"],
            world=(one["world"][0], one["world"][1]),
            calls=None if one["calls"] is None else tuple(one["calls"]),
        )
        for one in json.loads(files[f"{package}/{DATA}/{INTERFACES}"])
    ]
    return _python(package, lock, model_of(lock.graph, exposed))


def _python(package: str, lock: Lock, model: Model) -> dict[str, bytes]:
    classes = node_classes(model)
    nodes = {_attribute(node): class_name for node, class_name in classes.items()}
    init = _INIT.format(
        graph=lock.graph,
        package=package,
        classes=", ".join(sorted(classes.values())),
        annotations="\n".join(f"    {attribute}: {one}" for attribute, one in nodes.items()),
        first=next(iter(classes.values())),
        nodes="{" + ", ".join(f'"{attribute}": {one}' for attribute, one in nodes.items()) + "}",
        data=DATA,
        name=package.replace("_", "-"),
    )
    return {f"{package}/__init__.py": init.encode(), f"{package}/bindings.py": module(model).encode()}


def packed_graph(lock: Lock, manifest: Path) -> dict[str, bytes]:
    """A composed graph as it lies in a wheel: its lock, and its artifacts beside that."""
    file = lock_path(manifest)
    store = {artifact_path(file, one.digest).relative_to(file.parent).as_posix(): one.digest for one in lock.artifacts}
    return {LOCK: lock.to_bytes(), **{path: (file.parent / path).read_bytes() for path in store}}
