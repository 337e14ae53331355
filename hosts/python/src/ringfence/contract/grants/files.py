"""`files`: what lies in a folder, `{ path: data, match: ["*.sqlite3"], as: /data, access: [read, write, create, delete] }`.

`path` leads from the manifest's folder to the one granted. What is left out is the least: `access` is read, `hardlinks` false; `as` is `/`
and the path. `match` narrows the folder that was named, so that without it all of the folder is meant. A folder in which something may
match may be walked through and is seen, whatever else is in it is not.

`lock: ["*.sqlite3"]` names files that the guest may lock, and changes only under a lock that other programs see: SQLite's own, on the
bytes that SQLite locks. A guest takes it by `ringfence:files/lock`, or by making the folder `x.sqlite3.lock` beside the file, which is what
SQLite does where a system has no locks; no folder is made. What such a grant allows is done in that manner, so it covers only grants with
the same `lock`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, TypeAlias, cast, get_args

from ringfence.contract.grants import globs
from ringfence.contract.grants.base import SHOWN, GrantSyntaxError, in_yaml, parse_each, quoted, shown, syntax_errors
from ringfence.contract.grants.globs import Glob

Access: TypeAlias = Literal["read", "write", "create", "delete"]
Reach: TypeAlias = Literal["entry", "way", "tree"]

ACCESS: tuple[Access, ...] = get_args(Access)
READ: frozenset[Access] = frozenset({"read"})
NONE: frozenset[Access] = frozenset()
LOCK = "ringfence:files/lock"
_LONGEST = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """What of one folder a guest may use, how, and under which name. `match` is sorted, no pattern in it covers another.

    `ways` are folders to be walked through only: the least that admits it. No written grant has any.
    """

    path: str
    target: str
    match: tuple[Glob, ...]
    access: frozenset[Access]
    hardlinks: bool = False
    lock: tuple[Glob, ...] = ()
    ways: tuple[str, ...] = ()

    def locks(self, path: str) -> bool:
        """Whether the file of that path is changed only under its lock."""
        return bool(self.lock) and _any_covers(self.lock, globs.literal(path))


@dataclass(frozen=True, slots=True, kw_only=True)
class UseFile:
    """A guest uses something in a granted folder (`path`, which it knows as `target`), by the name it really has there ('': the folder).

    reach: `entry` is the thing of that name, `tree` whatever may lie in it too, `way` a folder of that name on the way to others.
    hardlinks: it is a regular file that other names lead to, too.
    lock: the files that are changed only under their locks there.
    locks: it is locked, for others to wait: against writers (`access` is read), or against all (write).
    """

    kind: ClassVar[str] = "files"
    path: str
    target: str
    name: str
    access: frozenset[Access]
    reach: Reach = "entry"
    hardlinks: bool = False
    lock: tuple[Glob, ...] = ()
    locks: bool = False

    @property
    def operation(self) -> str:
        if self.locks:
            return "lock" if "write" in self.access else "lock for reading"
        if self.reach == "way" and self.access <= READ:
            return "list" if self.access else "walk through"
        return " and ".join(one for one in ACCESS if one in self.access) or "use"

    @property
    def value(self) -> str:
        whole = self.target.rstrip("/") + (f"/{self.name}" if self.name else "") + ("/**" if self.reach == "tree" else "")
        return quoted(whole or "/")


class FilesKind:
    """Files and folders."""

    name = "files"
    interfaces = frozenset({"wasi:filesystem/types", "wasi:filesystem/preopens", LOCK})
    parameters = frozenset({"path"})
    denied = "no folder is there"

    def parse(self, form: Any) -> tuple[Files, ...]:
        grants = parse_each(form, _parse_one, example='[{ path: data, match: ["*.csv"], access: [read] }]')
        errors = [
            GrantSyntaxError(
                f"{quoted(grant.target, 60)} and {quoted(other.target, 60)} are one inside the other", path=f"[{index}].as", hint=_APART
            )
            for index, grant in enumerate(grants)
            for other in grants[:index]
            if _lies_in(grant.target, other.target) or _lies_in(other.target, grant.target)
        ]
        if errors:
            raise syntax_errors(*errors)
        return grants

    def form(self, grants: Sequence[Files]) -> Any:
        return [_form(grant) for grant in grants]

    def covers(self, grant: Files, other: Files) -> bool:
        return (
            (grant.path, grant.target, grant.lock) == (other.path, other.target, other.lock)
            and grant.access >= other.access
            and grant.hardlinks >= other.hardlinks
            and all(_any_covers(grant.match, one) for one in other.match)
            and all(_walks(grant, one) for one in other.ways)
        )

    def exactly(self, request: UseFile) -> Files:
        way, tree = request.reach == "way", request.reach == "tree"
        named = globs.literal(request.name)
        entry = () if way else (named,)
        locked = globs.without_covered((*request.lock, named)) if request.locks else request.lock
        return Files(
            path=request.path,
            target=request.target,
            match=(*entry, globs.inside(request.name)) if tree else entry,
            access=request.access,
            hardlinks=request.hardlinks,
            lock=locked,
            ways=(request.name,) if way else (),
        )

    def opens(self, grant: Files, interface: str) -> bool:
        return interface != LOCK or bool(grant.lock)

    def implies(self, grant: Files) -> Mapping[str, Sequence[Any]]:  # noqa: ARG002 -- of the protocol
        return {}

    def wording(self, grant: Files) -> str:
        what = ", ".join(one.text for one in grant.match)
        how = " and ".join(one for one in ACCESS if one in grant.access)
        links = ", hard links too" if grant.hardlinks else ""
        lock = f", {', '.join(one.text for one in grant.lock)} under lock" if grant.lock else ""
        return f"{how} {what} in {grant.path} as {grant.target}{links}{lock}"

    def suggest(self, request: UseFile) -> str:
        if len(request.name) > SHOWN:
            return f"files: []  # a name of {len(request.name)} characters: match it by a pattern"
        if request.reach == "way":
            match: tuple[Glob, ...] = (globs.inside(request.name) if request.name else globs.parse("**"),)
        else:
            match = self.exactly(request).match
        access, lock = request.access or READ, self.exactly(request).lock
        grant = Files(path=request.path, target=request.target, match=match, access=access, hardlinks=request.hardlinks, lock=lock)
        return f"files: [{{ {', '.join(f'{key}: {_yaml(value)}' for key, value in _form(grant).items())} }}]"


_APART = "give each grant a place of its own with as, such as /data and /reports"


def _lies_in(inner: str, outer: str) -> bool:
    return inner == outer or outer == "/" or inner.startswith(f"{outer}/")


def _any_covers(match: Sequence[Glob], other: Glob) -> bool:
    return any(one.covers(other) for one in match)


def _walks(grant: Files, folder: str) -> bool:
    """Whether a folder lies on the way to something that the grant matches, or is such a thing itself."""
    if any(folder == way or way.startswith(f"{folder}/") or not folder for way in grant.ways):
        return True
    return any(one.passes(folder) for one in grant.match) or (bool(folder) and _any_covers(grant.match, globs.literal(folder)))


def _form(grant: Files) -> dict[str, Any]:
    access = [one for one in ACCESS if one in grant.access]
    form: dict[str, Any] = {"path": grant.path, "match": [one.text for one in grant.match], "as": grant.target, "access": access}
    if grant.hardlinks:
        form["hardlinks"] = True
    if grant.lock:
        form["lock"] = [one.text for one in grant.lock]
    return form


def _yaml(value: Any) -> str:
    """The value in YAML, as graph.yaml takes it."""
    if isinstance(value, list):
        return f"[{', '.join(map(_yaml, value))}]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if value in ACCESS else in_yaml(value)


def _parse_one(item: Any) -> Files:
    if not isinstance(item, Mapping):
        raise GrantSyntaxError(f"expected a mapping, found {shown(item)}", hint="such as { path: data, access: [read] }")
    found: dict[str, Any] = {}
    errors: list[GrantSyntaxError] = []
    for key, written in item.items():
        if key not in _PARSERS:
            errors.append(GrantSyntaxError(f"unknown key {quoted(str(key), 60)}", hint=f"keys are {', '.join(_PARSERS)}"))
            continue
        try:
            found[key] = _PARSERS[key](written)
        except ExceptionGroup as group:
            errors += [one.within(f".{key}") for one in group.exceptions if isinstance(one, GrantSyntaxError)]
        except GrantSyntaxError as error:
            errors.append(error.within(f".{key}"))
    if "path" not in item:
        errors.append(GrantSyntaxError("path is missing", hint="the folder, from where graph.yaml lies"))
    elif "as" not in item and str(found.get("path", "")).startswith("."):
        errors.append(
            GrantSyntaxError(f"as is missing, which {quoted(found['path'], 60)} does not tell", hint="add as: /data, or another place")
        )
    if errors:
        raise syntax_errors(*errors)
    return Files(
        path=found["path"],
        target=found.get("as", f"/{found['path']}"),
        match=found.get("match", (globs.parse("**"),)),
        access=found.get("access", READ),
        hardlinks=found.get("hardlinks", False),
        lock=found.get("lock", ()),
    )


def parse_path(written: Any, hint: str = "a folder, from where graph.yaml lies, such as data or ../data") -> str:
    """A path from where graph.yaml lies, in its shortest form.

    Raises:
        GrantSyntaxError: it is absolute, takes detours, or is no path.
    """
    if not isinstance(written, str) or not written or len(written) > _LONGEST or _has_control(written):
        raise GrantSyntaxError(f"expected a path, found {shown(written)}", hint=hint)
    if written.startswith(("/", "~")) or "\\" in written:
        raise GrantSyntaxError(f"expected a relative path with /, found {quoted(written, 60)}", hint=hint)
    up: list[str] = []
    down: list[str] = []
    for part in written.removesuffix("/").split("/"):
        if part == ".." and not down:
            up.append(part)
        elif part == ".." or (part in ("", ".") and written not in (".", "./")):
            raise GrantSyntaxError(f"{quoted(written, 60)} takes a detour", hint="write the shortest way")
        elif part != ".":
            down.append(part)
    return "/".join([*up, *down]) or "."


def _parse_target(written: Any) -> str:
    right = isinstance(written, str) and written.startswith("/") and len(written) <= _LONGEST and not _has_control(written)
    parts = written[1:].split("/") if right and written != "/" else []
    if not right or any(part in ("", ".", "..") for part in parts):
        hint = "where the guest finds the folder, such as /data"
        raise GrantSyntaxError(f"expected an absolute path in its shortest form, found {shown(written)}", hint=hint)
    return str(written)


def _parse_match(written: Any) -> tuple[Glob, ...]:
    if not isinstance(written, list | tuple) or not written:
        hint = 'such as ["*.sqlite3"]; leave it out for the whole folder'
        raise GrantSyntaxError(f"expected a list of patterns, found {shown(written)}", hint=hint)
    return globs.without_covered(parse_each(written, _parse_pattern, example='["*.sqlite3"]'))


def _parse_pattern(written: Any) -> Glob:
    if not isinstance(written, str):
        raise GrantSyntaxError(f"expected a pattern in quotes, found {shown(written)}")
    return globs.parse(written)


def _parse_access(written: Any) -> frozenset[Access]:
    if not isinstance(written, list | tuple) or not written:
        raise GrantSyntaxError(f"expected a list, found {shown(written)}", hint=f"of {', '.join(ACCESS)}")
    return frozenset(parse_each(written, _parse_class, example="[read]"))


def _parse_class(written: Any) -> Access:
    if written not in ACCESS:
        raise GrantSyntaxError(f"expected {' or '.join(ACCESS)}, found {shown(written)}")
    return cast("Access", written)


def _parse_hardlinks(written: Any) -> bool:
    if not isinstance(written, bool):
        raise GrantSyntaxError(f"expected true or false, found {shown(written)}")
    return written


def _has_control(text: str) -> bool:
    return any(ord(char) < 32 or ord(char) == 127 or 0xD800 <= ord(char) < 0xE000 for char in text)


_PARSERS: Mapping[str, Callable[[Any], Any]] = {
    "path": parse_path,
    "match": _parse_match,
    "as": _parse_target,
    "access": _parse_access,
    "hardlinks": _parse_hardlinks,
    "lock": _parse_match,
}

FILES = FilesKind()
