"""From files to nodes: finds the lock of a graph, checks it and every artifact, and makes the nodes with their edges."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from ringfence.contract.errors import IntegrityError, ManifestError, Problem, RingfenceError, StaleLock
from ringfence.contract.grants import Policy
from ringfence.contract.grants.base import GrantSyntaxError
from ringfence.contract.grants.files import Files
from ringfence.contract.layout import LOCK_SUFFIX, artifact_path, lock_path
from ringfence.contract.lock import HOST, Lane, Lock, LockedEdge, LockedExpose, LockedNode, Role
from ringfence.contract.names import Digest, digest_of
from ringfence.contract.parameters import settle, substitute
from ringfence.engine.seam import Artifacts, Engine
from ringfence.instance import Inbound, Node, edge_function
from ringfence.wasi.filesystem.folders import NoFolder, open_folders
from ringfence.wasi.state import Folder


def compose_now(manifest: Path) -> None:
    """Have the composer bring the lock up to date. It is no dependency of this runtime, so it is found by its entry point.

    Raises:
        RingfenceError: it is not installed, or what it raises.
    """
    found = next(iter(entry_points(group="ringfence.compose")), None)
    if found is None:
        raise RingfenceError("compose=True needs the build tool", hint="run: pip install ringfence-composer")
    found.load()(manifest)


def read_lock(path: Path, lock_digest: str | None) -> tuple[Lock, Path]:
    """The checked lock of a graph.yaml or of a lock file, and where it lies.

    Raises:
        ManifestError: there is no such graph.yaml.
        StaleLock: the lock is missing, or made from another graph.yaml.
        IntegrityError: not the digest asked for, changed by hand, or of an unknown form.
    """
    is_lock = path.name.endswith(LOCK_SUFFIX)
    file = path if is_lock else lock_path(path)
    remedy = f"run: compose {path if not is_lock else path.with_name(path.name.removesuffix(LOCK_SUFFIX) + '.yaml')}"
    if not is_lock and not path.is_file():
        raise ManifestError([Problem(file=str(path), message="there is no such file")])
    try:
        data = file.read_bytes()
    except FileNotFoundError:
        raise StaleLock(f"{file}: there is no lock", hint=remedy) from None
    if lock_digest is not None and digest_of(data) != lock_digest:
        raise IntegrityError(f"{file}: expected digest {lock_digest}, found {digest_of(data)}")
    lock = _parse(file, data, remedy)
    if not is_lock and lock.inputs["manifest"] != digest_of(path.read_bytes()):
        raise StaleLock(f"{file} was not made from {path.name} as it is now", hint=remedy)
    return lock, file


def _parse(file: Path, data: bytes, remedy: str) -> Lock:
    import jsonschema

    from ringfence.contract.schemas import schema

    try:
        content = json.loads(data)
        jsonschema.Draft202012Validator(schema("lock")).validate(content)
        lock = Lock.from_dict(content)
    except (ValueError, RecursionError) as error:
        raise IntegrityError(f"{file}: not a lock: {error}", hint=remedy) from error
    except jsonschema.ValidationError as error:
        raise IntegrityError(f"{file}: {error.json_path}: {error.message}", hint=remedy) from error
    if lock.to_bytes() != data:  # what a reader sees and what is read must be one: no duplicate keys, no other encoding
        raise IntegrityError(f"{file}: not in the form that compose writes: it was changed afterwards", hint=remedy)
    return lock


def check_artifacts(lock: Lock, file: Path, cache: Path | None) -> dict[str, Artifacts]:
    """Every node's artifacts, each checked against its digest.

    Raises:
        IntegrityError: one is missing or changed; names them all.
    """
    wrong: list[str] = []
    files: dict[tuple[str, Role], tuple[Path, Digest]] = {}
    for artifact in lock.artifacts:
        path = artifact_path(file, artifact.digest)
        try:
            info = path.stat()
            if not stat.S_ISREG(info.st_mode) or info.st_size != artifact.size:  # a pipe has no end, and may have no beginning
                wrong.append(f"{artifact.node}: {path}: not a file of {artifact.size} bytes")
                continue
            actual = digest_of(path.read_bytes())
        except OSError as error:
            wrong.append(f"{artifact.node}: {path}: {error.strerror}")
            continue
        if actual != artifact.digest:
            wrong.append(f"{artifact.node}: {path}: its content has digest {actual}")
        files[artifact.node, artifact.role] = (path, artifact.digest)
    if not wrong:
        roles: Mapping[Lane, tuple[Role, ...]] = {"component": ("component",), "core": ("component", "core-module", "core-plan")}
        needed = [(node.name, role) for node in lock.nodes for role in roles[node.lane]]
        wrong = [f"{name}: the lock has no {role} for it" for name, role in needed if (name, role) not in files]
    if wrong:
        raise IntegrityError("artifacts are not what the lock says:\n  " + "\n  ".join(wrong), hint=f"run: compose {lock.manifest}")
    return {node.name: _artifacts(files, node.name, cache) for node in lock.nodes}


def _artifacts(files: Mapping[tuple[str, Role], tuple[Path, Digest]], node: str, cache: Path | None) -> Artifacts:
    component, digest = files[node, "component"]
    module, module_digest = files.get((node, "core-module"), (None, None))
    plan, plan_digest = files.get((node, "core-plan"), (None, None))
    return Artifacts(
        component=component, digest=digest, cache=cache, module=module, module_digest=module_digest, plan=plan, plan_digest=plan_digest
    )


@contextmanager
def sound(file: Path) -> Iterator[None]:
    """What reads a lock's content, whose schema holds no more than its shape: names of nothing, limits that are none, broken references.

    Raises:
        IntegrityError: for whatever of that comes up inside.
    """
    try:
        yield
    except (KeyError, ValueError, ExceptionGroup) as error:
        reason = f"{error} is not there" if isinstance(error, KeyError) else str(error)
        raise IntegrityError(f"{file}: it contradicts itself: {reason}", hint="compose again") from error


def make_nodes(
    lock: Lock,
    file: Path,
    artifacts: Mapping[str, Artifacts],
    engines: Mapping[Lane, Callable[[], Engine]],
    parameters: Mapping[str, object],
) -> dict[str, Node]:
    """The nodes with their policies bound and their edges joined.

    Raises:
        ManifestError: parameters that are wrong, or grants that are with these parameters.
        IntegrityError: the lock contradicts itself or the binaries.
    """
    values = settle(lock.parameters, parameters)
    nodes = {}
    for one in lock.nodes:
        if one.lane not in engines:
            raise IntegrityError(
                f"{file}: nodes.{one.name}: this version has no {one.lane} engine", hint="update ringfence, or compose again"
            )
        host_edge = next((edge for edge in lock.edges if edge.consumer == one.name and edge.provider == HOST), None)
        where = f"{lock.manifest}:{host_edge.line if host_edge else one.line}"
        policy = _policy(one, host_edge, values, where)
        folders = _folders(one, policy, file.parent, where)
        nodes[one.name] = Node(one, engine=engines[one.lane](), artifacts=artifacts[one.name], policy=policy, where=where, folders=folders)
    for edge in lock.edges:
        if edge.provider != HOST:
            _join(nodes, edge, file)
    return nodes


def _policy(node: LockedNode, edge: LockedEdge | None, values: Mapping[str, str], where: str) -> Policy:
    """What the node may do: its runtime's needs, and its edge to the host, parameters in their places."""
    grant: Mapping[str, Any] = edge.grant if edge else {}
    try:
        return Policy.bind(substitute({**node.runtime, **grant}, values))
    except ExceptionGroup as group:
        problems = [
            Problem(file=where, path=f"{node.name} -> {HOST}: grant{one.path}", message=one.message, hint=one.hint)
            for one in _leaves(group)
        ]
        raise ManifestError(problems) from group


def _folders(node: LockedNode, policy: Policy, beside: Path, where: str) -> Mapping[Files, Folder]:
    try:
        return open_folders(policy, beside)
    except ExceptionGroup as group:
        path = f"{node.name} -> {HOST}: grant.files"
        missing = [one for one in group.exceptions if isinstance(one, NoFolder)]
        problems = [Problem(file=where, path=path, message=str(one), hint=one.hint) for one in missing]
        raise ManifestError(problems) from group


def _leaves(group: ExceptionGroup[Exception]) -> list[GrantSyntaxError]:
    leaves: list[GrantSyntaxError] = []
    for one in group.exceptions:
        if isinstance(one, ExceptionGroup):
            leaves.extend(_leaves(one))
        elif isinstance(one, GrantSyntaxError):
            leaves.append(one)
        else:
            raise one
    return leaves


def _join(nodes: Mapping[str, Node], edge: LockedEdge, file: Path) -> None:
    """Put the provider's functions behind the consumer's imports."""
    consumer, provider = nodes.get(edge.consumer), nodes.get(edge.provider)
    if consumer is None or provider is None:
        raise IntegrityError(f"{file}: an edge from {edge.consumer} to {edge.provider}: there is no such node")
    inbound = Inbound(
        name=f"{edge.consumer} -> {edge.provider}",
        limits=provider.narrowed(edge.limits),
        calls=None if edge.calls is None else frozenset(edge.calls),
    )
    for wanted, given in edge.interfaces.items():
        exported = provider.loaded.exports.get(given)
        imported = consumer.loaded.imports.get(wanted)
        if exported is None or imported is None:
            raise IntegrityError(f"{file}: {inbound.name}: the components have no {wanted} to join with {given}")
        for function in imported.functions:
            if function not in exported.functions:
                raise IntegrityError(f"{file}: {inbound.name}: {given} has no function {function}")
            consumer.providers[wanted, function] = edge_function(provider, inbound, (given, function))


def exposed(nodes: Mapping[str, Node], expose: tuple[LockedExpose, ...]) -> dict[str, tuple[Node, Inbound]]:
    """The nodes the application may call, each with its edge from the application."""
    return {
        one.node: (
            nodes[one.node],
            Inbound(
                name=f"application -> {one.node}",
                limits=nodes[one.node].narrowed(one.limits),
                calls=None if one.calls is None else frozenset(one.calls),
            ),
        )
        for one in expose
    }
