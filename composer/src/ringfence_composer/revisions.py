"""A revision of a graph, named on a command line, to what it lets whom do: a graph.yaml, a lock, or either as it was in git.

Nothing is built for it. What a language's runtime gets is taken from the language, as the plan does.
"""

from __future__ import annotations

import json
import os
import re
import tarfile
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import jsonschema
from ringfence.contract.errors import IntegrityError
from ringfence.contract.files import read_regular, why
from ringfence.contract.layout import LOCK_SUFFIX
from ringfence.contract.lock import HOST, Lock, LockedExpose, LockedNode
from ringfence.contract.schemas import schema
from ringfence.loading import MAX_LOCK
from ringfence.picture.model import GrantPlace

from ringfence_composer.build import BUILDERS
from ringfence_composer.compose import locked_edge
from ringfence_composer.errors import InputInvalid, ToolFailed
from ringfence_composer.manifest.component import ComponentManifest
from ringfence_composer.manifest.graph import GraphManifest, NodeManifest, read_graph
from ringfence_composer.manifest.source import Problems
from ringfence_composer.plan import runtime_forms
from ringfence_composer.show import grant_lines
from ringfence_composer.tools import find, run

_GIT_TIMEOUT = 60.0
_REVISION = re.compile(r"(?P<revision>[A-Za-z0-9_@][^:]*):(?P<path>.+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """A graph as it is, or was. `lock` has all of its authority, whether it was composed or not; `lines` are those of single grants."""

    name: str
    lock: Lock
    lines: Mapping[GrantPlace, int] = field(default_factory=dict)


def read_revision(word: str) -> Revision:
    """The graph at a path, or at `REVISION:PATH` as git has it: the path from the repository's top, or from here if it begins with a dot.

    Raises:
        ManifestError: the graph.yaml, or a component's file, is wrong. InputInvalid: there is no such revision or file, or no lock in it.
    """
    found = _REVISION.fullmatch(word)
    if found is None or Path(word).exists():
        return _read(Path(word), word)
    with tempfile.TemporaryDirectory(prefix="ringfence-") as folder:
        top = _git(Path.cwd(), "rev-parse", "--show-toplevel").strip()
        path = os.path.normpath(os.path.relpath(found["path"], top) if found["path"].startswith(".") else found["path"])
        if path.startswith(("..", "/")):
            raise InputInvalid(f"{word}: this path leads out of the repository")
        archive = Path(folder, "archive.tar")
        _git(Path(top), "archive", "--format=tar", f"--output={archive}", found["revision"])
        with tarfile.open(archive) as members:
            members.extractall(Path(folder, "tree"), filter=_inside)  # noqa: S202 -- what would lie outside is left out
        return _read(Path(folder, "tree", path), word)


def _inside(member: tarfile.TarInfo, folder: str) -> tarfile.TarInfo | None:
    """What is laid out of a tree: not what would lie, or lead, outside, as a link may."""
    try:
        return tarfile.data_filter(member, folder)
    except tarfile.FilterError:
        return None


def _git(cwd: Path, *words: str) -> str:
    environment = {name: os.environ[name] for name in ("HOME", "PATH", "XDG_CONFIG_HOME") if name in os.environ}
    try:
        return run([find("git"), *words], cwd=cwd, env={**environment, "LC_ALL": "C"}, timeout=_GIT_TIMEOUT)
    except ToolFailed as error:
        raise InputInvalid(f"git {words[0]}: {error.output.strip() or error.message}", hint="expected REVISION:PATH") from error


def _read(file: Path, name: str) -> Revision:
    if file.name.endswith(LOCK_SUFFIX):
        return Revision(name=name, lock=_lock(file, name))
    problems = Problems()
    manifest = read_graph(file, problems, show_as=name)
    problems.raise_any()
    return Revision(name=name, lock=draft(manifest), lines=grant_lines(manifest))


def _lock(file: Path, name: str) -> Lock:
    try:
        return parse_lock(read_regular(file, MAX_LOCK), name)
    except OSError as error:
        raise InputInvalid(f"cannot read {name}: {why(error)}") from error


def parse_lock(data: bytes, name: str) -> Lock:
    """The lock that a file holds; `name` is the file's in messages. Raises InputInvalid where it is none."""
    try:
        content = json.loads(data)
        jsonschema.Draft202012Validator(schema("lock")).validate(content)
        return Lock.from_dict(content)
    except (ValueError, RecursionError, jsonschema.ValidationError, IntegrityError) as error:
        reason = error.message if isinstance(error, IntegrityError | jsonschema.ValidationError) else "it is not JSON"
        raise InputInvalid(f"{name} is no lock: {reason.splitlines()[0][:200]}", hint="compose writes them") from error


def draft(manifest: GraphManifest) -> Lock:
    """The lock of a graph as far as it is known before a build: all of its authority, none of its artifacts."""
    return Lock(
        graph=manifest.name,
        manifest=manifest.file.name,
        inputs={},
        parameters=manifest.parameters,
        nodes=tuple(_node(manifest, node) for node in manifest.nodes),
        edges=tuple(locked_edge(manifest, (), edge) for edge in manifest.edges),
        expose=tuple(
            LockedExpose(node=one.node, calls=one.calls, limits=one.limits, line=manifest.document.mark(one.path).line)
            for one in manifest.expose
        ),
    )


def _node(manifest: GraphManifest, node: NodeManifest) -> LockedNode:
    component = node.component
    needs = BUILDERS[component.language].runtime_needs if isinstance(component, ComponentManifest) else frozenset()
    granted = {kind for edge in manifest.edges if edge.consumer == node.name and edge.provider == HOST for kind in edge.grant}
    runtime = {kind: form for kind, form in runtime_forms(needs, node.withdrawn).items() if kind not in granted}
    return LockedNode(name=node.name, world="", lane="core", reason="", runtime=runtime)
