"""From files to what a graph is made of: finds its lock, checks it and every artifact, and binds what each node may do.

Nothing here needs an engine; a start that finds everything as it was imports none.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ringfence.authorities import authorities
from ringfence.checks import Checks
from ringfence.contract.authority import Authority
from ringfence.contract.errors import IntegrityError, ManifestError, Problem, RingfenceError, StaleLock, UsageError
from ringfence.contract.files import read_regular, why
from ringfence.contract.grants.base import quoted, shown
from ringfence.contract.layout import LOCK_SUFFIX, artifact_path, lock_path, store_path
from ringfence.contract.lock import HOST, VERSION, Lane, Lock, Role
from ringfence.contract.names import Digest, digest_of, is_digest
from ringfence.contract.parameters import settle
from ringfence.contract.schemas import schema_bytes
from ringfence.contract.shape import Misfit, misfit
from ringfence.engine.seam import Artifacts

if TYPE_CHECKING:
    from ringfence.contract.grants.files import Files
    from ringfence.contract.grants.stdio import Stream
    from ringfence.folders import Folder, Folders

MAX_LOCK = 64 << 20
"""Bytes of a lock or a graph.yaml that are read at most; what compose writes and reads is far smaller."""


def compose_now(manifest: Path) -> None:
    """Have the composer bring the lock up to date. It is no dependency of this runtime, so it is found by its entry point.

    Raises:
        RingfenceError: it is not installed, or what it raises.
    """
    from importlib.metadata import entry_points

    found = next(iter(entry_points(group="ringfence.compose")), None)
    if found is None:
        raise RingfenceError("compose=True needs the build tool", hint="run: pip install ringfence-composer")
    found.load()(manifest)


class LockFile(NamedTuple):
    """A checked lock, where it lies, and what was found right before of what belongs to it."""

    lock: Lock
    path: Path
    checks: Checks


class Composed(NamedTuple):
    """What a graph is made of, checked: its lock, the part of that which runs, the files of each node or group, and what each node may do.

    `places` are the lines of graph.yaml that the nodes' denials name; `folders` are what the grants of each node name, opened; `cache` is
    the folder of the caches, where it was named.
    """

    file: LockFile
    runs: Lock
    artifacts: Mapping[str, Artifacts]
    authorities: Mapping[str, Authority]
    places: Mapping[str, str]
    folders: Mapping[str, Folders]
    cache: Path | None


def parts_of(file: LockFile, runs: Lock, parameters: Mapping[str, object], cache: Path | None, beside: Path | None = None) -> Composed:
    """What the part of a lock that runs is made of, with these parameters. Relative paths in grants start at `beside`, or at the lock.

    Raises:
        ManifestError: parameters are wrong, or grants are with them, or granted folders cannot be opened: all of them.
        IntegrityError: artifacts were changed, all of them; or the lock contradicts itself.
    """
    artifacts = check_artifacts(file, runs, cache)
    with sound(file):
        may, places = authorities(runs, settle(runs.parameters, parameters))
    return Composed(file, runs, artifacts, may, places, _folders(may, places, file, cache, beside or file.path.parent), cache)


@contextmanager
def sound(file: LockFile) -> Iterator[None]:
    """What reads a lock's content, whose schema holds no more than its shape: names of nothing, limits that are none, broken references.

    Raises:
        IntegrityError: for whatever of that comes up inside.
    """
    try:
        yield
    except (KeyError, ValueError, ExceptionGroup) as error:
        reason = f"{error} is not there" if isinstance(error, KeyError) else str(error)
        again = remedy(file.path, file.lock.manifest)
        raise IntegrityError(f"{file.path}: it contradicts itself: {reason}", hint=again) from error
    except IntegrityError as error:
        raise IntegrityError(error.message, hint=error.hint or remedy(file.path, file.lock.manifest)) from error


def remedy(file: Path, manifest: str) -> str:
    """How to make a lock anew, by the path that it was found at."""
    return f"run: compose {file.with_name(manifest)}"


# The lock


def read_lock(path: Path, lock_digest: str | None, cache: Path | None = None) -> LockFile:
    """The checked lock of a graph.yaml or of a lock file.

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
    data = _lock_bytes(file, again)
    digest = digest_of(data)
    if lock_digest is not None and digest != lock_digest:
        raise IntegrityError(f"{file}: expected digest {lock_digest}, found {digest}", hint="read what changed before you pin it")
    checks = Checks(digest, cache)
    lock = _parse(file, data, again, checks)
    if manifest is not None and lock.inputs["manifest"] != manifest:
        raise StaleLock(f"{file} was not made from {path.name} as it is now", hint=again)
    return LockFile(lock, file, checks)


def _manifest_digest(path: Path) -> Digest:
    try:
        return digest_of(read_regular(path, MAX_LOCK))
    except OSError as error:
        inner = path / "graph.yaml"
        hint = f"did you mean {inner}?" if inner.is_file() else None
        if isinstance(error, FileNotFoundError) and not path.is_absolute():
            hint = "the path is taken from the folder in which this program runs"
        raise ManifestError([Problem(file=str(path), message=f"cannot read the graph: {why(error)}", hint=hint)]) from error


def _lock_bytes(file: Path, again: str) -> bytes:
    try:
        return read_regular(file, MAX_LOCK)
    except FileNotFoundError:
        raise StaleLock(f"{file}: there is no lock", hint=again) from None
    except OSError as error:
        raise IntegrityError(f"{file}: cannot read the lock: {why(error)}", hint=again) from error


def _parse(file: Path, data: bytes, again: str, checks: Checks) -> Lock:
    try:
        content = json.loads(data)
        _check_version(content)
        _check_shape(content, checks)
        lock = Lock.from_dict(content)
    except IntegrityError as error:
        raise IntegrityError(f"{file}: {error.message}", hint=error.hint or again) from error
    except json.JSONDecodeError as error:
        raise IntegrityError(f"{file}:{error.lineno}:{error.colno}: not a whole lock: {error.msg}", hint=again) from error
    except (ValueError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else "it holds what no lock has, or is not UTF-8"
        raise IntegrityError(f"{file}: not a lock: {reason}", hint=again) from error
    if lock.to_bytes() != data:  # what a reader sees and what is read must be one: no duplicate keys, no other encoding
        raise IntegrityError(f"{file}: not in the form that compose writes: it was changed afterwards", hint=again)
    return lock


def _check_version(content: Any) -> None:
    found = content.get("ringfence") if isinstance(content, dict) else None
    if type(found) is int and found > VERSION:
        message = f"version {found} of the lock's form is newer than this program knows ({VERSION})"
        raise IntegrityError(message, hint="upgrade ringfence here, or compose with the version that is here")


def _check_shape(content: Any, checks: Checks) -> None:
    """Refuse what its schema does not accept, unless it is remembered that it did."""
    schema = schema_bytes("lock")
    if checks.fits(digest_of(schema)):
        return
    if found := misfit(content, json.loads(schema)):
        raise IntegrityError(f"not in the form of a lock: {_told(found)}")
    checks.add_fit(digest_of(schema))


def _told(found: Misfit) -> str:
    """Where a lock differs from its schema, in a few words: what is in it may be anything, and large."""
    where = found.where or "the whole"
    match found.keyword:
        case "required":
            return f"{where} lacks {', '.join(found.expected)}"
        case "additionalProperties":
            return f"{where} has the unknown key {quoted(found.found, 60)}"
        case rule:
            return f"{where}: expected {rule} {found.expected}, found {shown(found.found)}"


# Its artifacts


def check_artifacts(found: LockFile, lock: Lock, cache: Path | None) -> dict[str, Artifacts]:
    """The artifacts of the nodes and groups in this part of a lock, each checked against its digest, unless it was before.

    Raises:
        IntegrityError: one is missing or changed; names them all.
    """
    file = found.path
    again = remedy(file, lock.manifest)
    if lock.artifacts and not store_path(file).is_dir():
        hint = f"take it along with the lock, or {again}"
        raise IntegrityError(f"{file}: the folder {store_path(file)} with the lock's artifacts is not there", hint=hint)
    files: dict[tuple[str, Role], tuple[Path, Digest]] = {}
    wrong: list[str] = []
    for artifact in lock.artifacts:
        path = artifact_path(file, artifact.digest)
        if fault := found.checks.wrong(path, artifact):
            wrong.append(f"{artifact.node}: {path}: {fault}")
        files[artifact.node, artifact.role] = (path, artifact.digest)
    if not wrong:
        roles: Mapping[Lane, tuple[Role, ...]] = {"component": ("component",), "core": ("component", "core-module", "core-plan")}
        needed = [(name, role) for name, node in lock.units.items() for role in roles[node.lane]]
        wrong = [f"{name}: the lock has no {role} for it" for name, role in needed if (name, role) not in files]
    if wrong:
        raise IntegrityError(f"{file}: artifacts are not what the lock says:\n  " + "\n  ".join(wrong), hint=again)
    return {name: _artifacts(files, name, cache) for name in lock.units}


def _artifacts(files: Mapping[tuple[str, Role], tuple[Path, Digest]], node: str, cache: Path | None) -> Artifacts:
    component, digest = files[node, "component"]
    module, module_digest = files.get((node, "core-module"), (None, None))
    plan, plan_digest = files.get((node, "core-plan"), (None, None))
    return Artifacts(
        component=component, digest=digest, cache=cache, module=module, module_digest=module_digest, plan=plan, plan_digest=plan_digest
    )


# The folders that its nodes may use

_OPENED = ("files", "stdin", "stdout", "stderr")
"""Kinds whose grants may name something to be opened; without any of them, nothing of what opens is imported."""


def _folders(
    nodes: Mapping[str, Authority], places: Mapping[str, str], file: LockFile, cache: Path | None, beside: Path
) -> dict[str, Folders]:
    """The folders and files that the grants of each node name, those included that edges pass on to it, opened from `beside`.

    Raises:
        ManifestError: some cannot be, or their grants would let a guest change what is kept; all of them.
    """
    if not any(policy.of(kind) for one in nodes.values() for policy in one.policies for kind in _OPENED):
        return {name: {} for name in nodes}
    from ringfence.contract.kept import kept_files
    from ringfence.folders import NoFolder, named, open_granted

    wanted = {name: dict.fromkeys(grant for policy in one.policies for grant in named(policy)) for name, one in nodes.items()}
    found: dict[str, Folders] = {}
    digests = [one.digest for one in file.lock.artifacts]
    kept = kept_files(file.path, file.path.with_name(file.lock.manifest), cache, digests) if any(wanted.values()) else []
    problems = []
    for name, grants in wanted.items():
        opened: dict[Files | Stream, Folder] = {}
        for grant in grants:
            try:
                opened[grant] = open_granted(beside, grant, kept)
            except NoFolder as error:
                manifest, _, line = places[name].rpartition(":")
                path = f"{name} -> {HOST}: grant.{getattr(grant, 'stream', 'files')}"
                problems.append(Problem(file=manifest, line=int(line), path=path, message=str(error), hint=error.hint))
        found[name] = opened
    if problems:
        raise ManifestError(problems)
    return found
