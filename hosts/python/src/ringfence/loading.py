"""From files to nodes: finds the lock of a graph, checks it and every artifact, and makes the nodes with their edges."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from ringfence.contract.errors import IntegrityError, ManifestError, Problem, RingfenceError, StaleLock, UsageError
from ringfence.contract.files import read_regular, why
from ringfence.contract.grants import Policy
from ringfence.contract.grants.base import GrantSyntaxError, quoted, shown
from ringfence.contract.layout import LOCK_SUFFIX, artifact_path, lock_path, store_path
from ringfence.contract.lock import HOST, VERSION, Lane, Lock, LockedEdge, LockedExpose, LockedNode, Role
from ringfence.contract.names import Digest, digest_of, is_digest
from ringfence.contract.parameters import settle, substitute
from ringfence.engine.seam import Artifacts, Engine
from ringfence.instance import Callee, Inbound, Node, edge_function

MAX_LOCK = 64 << 20
"""Bytes of a lock or a graph.yaml that are read at most; what compose writes and reads is far smaller."""


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
        IntegrityError: it can't be read, is not the digest asked for, was changed by hand, or is of an unknown form.
        UsageError: what was asked for is no digest.
    """
    if lock_digest is not None and not is_digest(lock_digest):
        hint = "that of the lock's bytes, as sha256sum prints it"
        raise UsageError(f"lock_digest: expected sha256: and 64 hexadecimal digits, found {shown(lock_digest)}", hint=hint)
    is_lock = path.name.endswith(LOCK_SUFFIX)
    manifest = None if is_lock else _manifest_digest(path)
    file = path if is_lock else lock_path(path)
    again = remedy(path, path.name.removesuffix(LOCK_SUFFIX) + ".yaml" if is_lock else path.name)
    try:
        data = read_regular(file, MAX_LOCK)
    except FileNotFoundError:
        raise StaleLock(f"{file}: there is no lock", hint=again) from None
    except OSError as error:
        raise IntegrityError(f"{file}: cannot read the lock: {why(error)}", hint=again) from error
    if lock_digest is not None and digest_of(data) != lock_digest:
        raise IntegrityError(f"{file}: expected digest {lock_digest}, found {digest_of(data)}", hint="read what changed before you pin it")
    lock = _parse(file, data, again)
    if manifest is not None and lock.inputs["manifest"] != manifest:
        raise StaleLock(f"{file} was not made from {path.name} as it is now", hint=again)
    return lock, file


def _manifest_digest(path: Path) -> Digest:
    try:
        return digest_of(read_regular(path, MAX_LOCK))
    except OSError as error:
        inner = path / "graph.yaml"
        hint = f"did you mean {inner}?" if inner.is_file() else None
        if isinstance(error, FileNotFoundError) and not path.is_absolute():
            hint = "the path is taken from the folder in which this program runs"
        raise ManifestError([Problem(file=str(path), message=f"cannot read the graph: {why(error)}", hint=hint)]) from error


def _parse(file: Path, data: bytes, again: str) -> Lock:
    import jsonschema

    from ringfence.contract.schemas import schema

    try:
        content = json.loads(data)
        _check_version(content)
        jsonschema.Draft202012Validator(schema("lock")).validate(content)
        lock = Lock.from_dict(content)
    except IntegrityError as error:
        raise IntegrityError(f"{file}: {error.message}", hint=error.hint or again) from error
    except json.JSONDecodeError as error:
        raise IntegrityError(f"{file}:{error.lineno}:{error.colno}: not a whole lock: {error.msg}", hint=again) from error
    except (ValueError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else "it holds what no lock has, or is not UTF-8"
        raise IntegrityError(f"{file}: not a lock: {reason}", hint=again) from error
    except jsonschema.ValidationError as error:
        raise IntegrityError(f"{file}: not in the form of a lock: {_misfit(error)}", hint=again) from error
    if lock.to_bytes() != data:  # what a reader sees and what is read must be one: no duplicate keys, no other encoding
        raise IntegrityError(f"{file}: not in the form that compose writes: it was changed afterwards", hint=again)
    return lock


def _misfit(error: Any) -> str:
    """Where a lock differs from its schema, in a few words: what is in it may be anything, and large."""
    where = error.json_path.removeprefix("$").removeprefix(".") or "the whole"
    match error.validator:
        case "required":
            return f"{where} lacks {', '.join(name for name in error.validator_value if name not in error.instance)}"
        case "additionalProperties":
            return f"{where} has the unknown key {quoted(next(key for key in error.instance if key not in error.schema['properties']), 60)}"
        case rule:
            return f"{where}: expected {rule} {error.validator_value}, found {shown(error.instance)}"


def remedy(file: Path, manifest: str) -> str:
    """How to make a lock anew, by the path that it was found at."""
    return f"run: compose {file.with_name(manifest)}"


def _check_version(content: Any) -> None:
    found = content.get("ringfence") if isinstance(content, dict) else None
    if type(found) is int and found > VERSION:
        message = f"version {found} of the lock's form is newer than this program knows ({VERSION})"
        raise IntegrityError(message, hint="upgrade ringfence here, or compose with the version that is here")


def check_artifacts(lock: Lock, file: Path, cache: Path | None) -> dict[str, Artifacts]:
    """Every node's artifacts, each checked against its digest.

    Raises:
        IntegrityError: one is missing or changed; names them all.
    """
    again = remedy(file, lock.manifest)
    if lock.artifacts and not store_path(file).is_dir():
        hint = f"take it along with the lock, or {again}"
        raise IntegrityError(f"{file}: the folder {store_path(file)} with the lock's artifacts is not there", hint=hint)
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
            wrong.append(f"{artifact.node}: {path}: {why(error)}")
            continue
        if actual != artifact.digest:
            wrong.append(f"{artifact.node}: {path}: its content has digest {actual}")
        files[artifact.node, artifact.role] = (path, artifact.digest)
    if not wrong:
        roles: Mapping[Lane, tuple[Role, ...]] = {"component": ("component",), "core": ("component", "core-module", "core-plan")}
        needed = [(node.name, role) for node in lock.nodes for role in roles[node.lane]]
        wrong = [f"{name}: the lock has no {role} for it" for name, role in needed if (name, role) not in files]
    if wrong:
        raise IntegrityError(f"{file}: artifacts are not what the lock says:\n  " + "\n  ".join(wrong), hint=again)
    return {node.name: _artifacts(files, node.name, cache) for node in lock.nodes}


def _artifacts(files: Mapping[tuple[str, Role], tuple[Path, Digest]], node: str, cache: Path | None) -> Artifacts:
    component, digest = files[node, "component"]
    module, module_digest = files.get((node, "core-module"), (None, None))
    plan, plan_digest = files.get((node, "core-plan"), (None, None))
    return Artifacts(
        component=component, digest=digest, cache=cache, module=module, module_digest=module_digest, plan=plan, plan_digest=plan_digest
    )


@contextmanager
def sound(file: Path, manifest: str) -> Iterator[None]:
    """What reads a lock's content, whose schema holds no more than its shape: names of nothing, limits that are none, broken references.

    Raises:
        IntegrityError: for whatever of that comes up inside.
    """
    try:
        yield
    except (KeyError, ValueError, ExceptionGroup) as error:
        reason = f"{error} is not there" if isinstance(error, KeyError) else str(error)
        raise IntegrityError(f"{file}: it contradicts itself: {reason}", hint=remedy(file, manifest)) from error
    except IntegrityError as error:
        raise IntegrityError(error.message, hint=error.hint or remedy(file, manifest)) from error


def make_nodes(
    lock: Lock,
    file: Path,
    artifacts: Mapping[str, Artifacts],
    engines: Mapping[Lane, Callable[[], Engine]],
    parameters: Mapping[str, object],
    standing: Mapping[str, Callee],
) -> dict[str, Node]:
    """The nodes with their policies bound and their edges joined, to each other and to the doubles that are `standing` in for others.

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
        line = host_edge.line if host_edge else one.line
        where, policy = f"{lock.manifest}:{line}", _policy(one, host_edge, values, lock.manifest, line)
        nodes[one.name] = Node(one, engine=engines[one.lane](), artifacts=artifacts[one.name], policy=policy, where=where)
    for edge in lock.edges:
        if edge.provider != HOST:
            _join(nodes.get(edge.consumer), {**standing, **nodes}.get(edge.provider), edge, file)
    return nodes


def _policy(node: LockedNode, edge: LockedEdge | None, values: Mapping[str, str], manifest: str, line: int) -> Policy:
    """What the node may do: its runtime's needs, and its edge to the host, parameters in their places."""
    grant: Mapping[str, Any] = edge.grant if edge else {}
    try:
        return Policy.bind(substitute({**node.runtime, **grant}, values))
    except ExceptionGroup as group:
        problems = [
            Problem(file=manifest, line=line, path=f"{node.name} -> {HOST}: grant{one.path}", message=one.message, hint=one.hint)
            for one in _leaves(group)
        ]
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


def _join(consumer: Node | None, provider: Callee | None, edge: LockedEdge, file: Path) -> None:
    """Put the provider's functions behind the consumer's imports."""
    if consumer is None or provider is None:
        raise IntegrityError(f"{file}: an edge from {edge.consumer} to {edge.provider}: there is no such node")
    inbound = Inbound(
        name=f"{edge.consumer} -> {edge.provider}",
        limits=provider.narrowed(edge.limits),
        calls=None if edge.calls is None else frozenset(edge.calls),
    )
    for wanted, given in edge.interfaces.items():
        exported = provider.exports.get(given)
        imported = consumer.loaded.imports.get(wanted)
        if exported is None or imported is None:
            raise IntegrityError(f"{file}: {inbound.name}: the components have no {wanted} to join with {given}")
        for function in imported.functions:
            if function not in exported.functions:
                raise IntegrityError(f"{file}: {inbound.name}: {given} has no function {function}")
            consumer.providers[wanted, function] = edge_function(provider, inbound, (given, function))


def exposed(nodes: Mapping[str, Callee], expose: tuple[LockedExpose, ...]) -> dict[str, tuple[Callee, Inbound]]:
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
