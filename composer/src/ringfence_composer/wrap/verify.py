"""A wheel to whether it is what its own data give: files by RECORD, the lock by its digest, artifacts by the lock, Python made anew.

So nobody has to trust who built it for more than what its component may do, which the fence sees to.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import re
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name
from packaging.version import Version
from ringfence.contract.errors import RingfenceError
from ringfence.contract.names import digest_of
from ringfence.packaged import LOCK

from ringfence_composer.builders.snapshot import write_tree
from ringfence_composer.compose import Workshop
from ringfence_composer.doctor import Finding
from ringfence_composer.errors import ComposerError
from ringfence_composer.wrap.describe import told_again
from ringfence_composer.wrap.packed import PackedWheel, read_packed
from ringfence_composer.wrap.shim import not_ours, shim_files
from ringfence_composer.wrap.stubs import stub_files
from ringfence_composer.wrap.typed import INTERFACES, python_files
from ringfence_composer.wrap.wheel import RUNTIME, json_bytes, local_version, not_as_written

_CODE = (".py", ".pyi", ".pth", ".so", ".pyd", ".dll", ".dylib", ".pyc")
_LIBRARY_DATA = (LOCK, "library.json", "api.json", "report.json", "packed.json")
_KINDS = ("modules", "functions", "classes")
_ANNOTATIONS = frozenset({"annotation", "returns"})
_GROUP = re.compile(r"\[([A-Za-z0-9_.-]+)\]", re.ASCII)
_POINT = re.compile(r"[A-Za-z0-9_.-]+ = ([A-Za-z0-9_.]+)(?::[A-Za-z0-9_]+)?", re.ASCII)
_AGAIN = "do not install it; make it anew with compose wrap"


def verify(file: Path, workshop: Workshop) -> list[Finding]:
    """What was looked at in a wheel, and what is wrong with it.

    Raises:
        InputInvalid: it is no wheel of ours at all.
    """
    workshop.report(f"reading {file.name}")
    wheel = read_packed(file)
    workshop.report(f"making the code of {file.name} anew")
    found = [_archive(wheel), _record(wheel), _lock(wheel), _artifacts(wheel), _code(wheel), _others(wheel)]
    found += [_name(wheel), _requires(wheel), _points(wheel), _sbom(wheel)]
    if wheel.library and not any(one.state == "wrong" for one in found):  # what is wrong already need not run
        workshop.report(f"asking {file.name} for its API, in the fence")
        found.append(_api(wheel, workshop))
    return found


def _finding(name: str, wrong: list[str], well: str) -> Finding:
    shown = "; ".join(wrong[:5]) + (f"; and {len(wrong) - 5} more" if len(wrong) > 5 else "")
    return Finding(name=name, state="wrong" if wrong else "ok", found=shown or well, remedy=_AGAIN if wrong else None)


def _archive(wheel: PackedWheel) -> Finding:
    return _finding("archive", not_as_written(wheel.file.read_bytes()), "entries as compose wrap writes them, and nothing between")


def _record(wheel: PackedWheel) -> Finding:
    """Every file stands in RECORD as it is, and nothing else does."""
    path = f"{wheel.info}/RECORD"
    written = {row[0]: row[1:] for row in csv.reader(io.StringIO(wheel.files.get(path, b"").decode("utf-8", "replace"))) if row}
    wrong = [f"{one} is not in it" for one in sorted(wheel.files.keys() - written.keys())]
    wrong += [f"{one} is not there" for one in sorted(written.keys() - wheel.files.keys())]
    for one in sorted((wheel.files.keys() & written.keys()) - {path}):
        digest = base64.urlsafe_b64encode(hashlib.sha256(wheel.files[one]).digest()).rstrip(b"=").decode()
        if written[one] != [f"sha256={digest}", str(len(wheel.files[one]))]:
            wrong.append(f"{one} is another file")
    return _finding("RECORD", wrong, f"{len(wheel.files)} files, each as it says")


def _lock(wheel: PackedWheel) -> Finding:
    return _finding("lock", [], f"{wheel.lock.graph}, {wheel.lock.to_dict()['digest']}")


def _artifacts(wheel: PackedWheel) -> Finding:
    """The lock's artifacts are there, and no other file lies beside them."""
    store = f"{wheel.folder}/.ringfence/sha256/"
    named = {f"{store}{one.digest.removeprefix('sha256:')}": one for one in wheel.lock.artifacts}
    wrong = [f"{one.node}: its {one.role} is not there" for path, one in sorted(named.items()) if path not in wheel.files]
    wrong += [
        f"{one.node}: its {one.role} is another file"
        for path, one in sorted(named.items())
        if path in wheel.files and digest_of(wheel.files[path]) != one.digest
    ]
    wrong += [f"{path} belongs to nothing" for path in sorted(wheel.files) if path.startswith(store) and path not in named]
    return _finding("artifacts", wrong, f"{len(named)}, each as the lock says")


def _code(wheel: PackedWheel) -> Finding:
    """All Python in the wheel is what its data give, and there is no other code in it."""
    try:
        wanted = _wanted(wheel)
    except (ComposerError, LookupError, TypeError, AttributeError, ValueError) as error:
        return _finding("code", [f"it cannot be made anew: {error}"], "")
    found = {path: data for path, data in wheel.files.items() if path.endswith(_CODE)}
    wrong = [f"{path} is not what its data give" for path in sorted(found.keys() & wanted.keys()) if found[path] != wanted[path]]
    wrong += [f"{path} is code that nothing gives" for path in sorted(found.keys() - wanted.keys())]
    wrong += [f"{path} is missing" for path in sorted(path for path in wanted.keys() - found.keys() if path.endswith(_CODE))]
    return _finding("code", wrong, f"{len(found)} files, made anew and found the same")


def _wanted(wheel: PackedWheel) -> Mapping[str, bytes]:
    if not wheel.library:
        return python_files(wheel.folder.rpartition("/")[0], wheel.lock, wheel.files)
    tops = _tops(wheel)
    if taken := not_ours(tops):
        raise ValueError(f"no library may own the import name {taken[0]}")
    return {**shim_files(wheel.api, tops, wheel.folder), **stub_files(wheel.api, tops)}


def _tops(wheel: PackedWheel) -> tuple[str, ...]:
    return tuple(sorted({name.partition(".")[0] for name in wheel.api["modules"]}))


def _others(wheel: PackedWheel) -> Finding:
    """Beside code and artifacts only what a wheel of ours has: an installer puts a `.data` folder's files among programs, and more."""
    data = {f"{wheel.folder}/{one}" for one in (_LIBRARY_DATA if wheel.library else (LOCK, INTERFACES))}
    known = data | {f"{wheel.info}/{one}" for one in ("METADATA", "WHEEL", "RECORD", "entry_points.txt")}
    folders = (f"{wheel.folder}/.ringfence/sha256/", f"{wheel.info}/licenses/", f"{wheel.info}/sboms/")
    tops = _tops(wheel) if wheel.library else (wheel.folder.rpartition("/")[0],)
    known |= {f"{top}/py.typed" for top in tops}
    others = (path for path in wheel.files if path not in known and not path.endswith(_CODE) and not path.startswith(folders))
    wrong = [f"{path} belongs to nothing" for path in sorted(others)]
    wrong += [f"{path} is not empty" for path in sorted(wheel.files) if path.endswith("/py.typed") and wheel.files[path]]
    for path in sorted(data & wheel.files.keys()) if wheel.library else ():
        if path.rpartition("/")[2] != LOCK and json_bytes(json.loads(wheel.files[path])) != wheel.files[path]:
            wrong.append(f"{path} is not in the form that compose wrap writes")
    return _finding("other files", wrong, "none but those that compose wrap writes")


def _name(wheel: PackedWheel) -> Finding:
    """It is called everywhere what it is called where a policy file is looked into: else no policy would hold for it."""
    called, version = str(wheel.metadata.get("Name", "")), str(wheel.metadata.get("Version", ""))
    own = str(wheel.library.get("name", "") if wheel.library else wheel.folder.rpartition("/")[0])
    wrong = [] if canonicalize_name(called) == canonicalize_name(own) else [f"{called} calls itself {own} inside"]
    if wheel.library and version != str(local_version(Version(str(wheel.library.get("version", ""))))):
        wrong.append(f"{version} is not made of {wheel.library.get('version')}")
    stem = f"{canonicalize_name(called).replace('-', '_')}-{version}"
    wrong += [
        f"{found} is not {stem}" for found in (wheel.info, wheel.file.name) if not found.startswith((f"{stem}.dist-info", f"{stem}-py3-"))
    ]
    return _finding("name", wrong, f"{called} {version}")


def _requires(wheel: PackedWheel) -> Finding:
    found = wheel.metadata.get_all("Requires-Dist", [])
    wrong = [] if found == [RUNTIME] else [f"it requires {', '.join(found) or 'nothing'}"]
    return _finding("requirements", wrong, f"{RUNTIME} and nothing else")


def _points(wheel: PackedWheel) -> Finding:
    """Entry points lead into the wheel's own modules, and none of them is a script."""
    text = wheel.files.get(f"{wheel.info}/entry_points.txt", b"").decode("utf-8", "replace")
    lines = [line for line in text.splitlines() if line.strip()]
    wrong = []
    for line in lines:
        group, point = _GROUP.fullmatch(line), _POINT.fullmatch(line)
        if group is not None:
            wrong += [line] if group[1] in ("console_scripts", "gui_scripts") or group[1].startswith("ringfence") else []
        elif point is None or not any(f"{point[1].replace('.', '/')}{end}" in wheel.files for end in (".py", "/__init__.py")):
            wrong.append(f"{line} leads out of it")
    return _finding("entry points", wrong, f"{len(lines)} lines, all of its own modules" if lines else "none")


def _sbom(wheel: PackedWheel) -> Finding:
    """Its SBOM tells of exactly the archives and the components that are in it, by their digests."""
    try:
        told, wanted = set(_told_by_sbom(wheel)), set(_inside(wheel))
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        return _finding("SBOM", [f"it cannot be read: {type(error).__name__}"], "")
    wrong = [f"nothing of {one}" for one in sorted(wanted - told)] + [f"{one}, which is not in it" for one in sorted(told - wanted)]
    return _finding("SBOM", wrong, f"{len(wanted)} archives and components, each by its digest")


def _inside(wheel: PackedWheel) -> Iterator[str]:
    yield from (f"node:{one.node} {one.digest.removeprefix('sha256:')}" for one in wheel.lock.artifacts if one.role == "component")
    for one in json.loads(wheel.files[f"{wheel.folder}/packed.json"])["archives"] if wheel.library else ():
        yield ascii(f"packed:{canonicalize_name(one['name'])} {one['version']} {one['sha256']}")[1:-1]


def _told_by_sbom(wheel: PackedWheel) -> Iterator[str]:
    for path in (one for one in wheel.files if one.startswith(f"{wheel.info}/sboms/")):
        for one in json.loads(wheel.files[path])["components"]:
            digests = [each["content"] for each in one.get("hashes", ()) if each["alg"] == "SHA-256"]
            if one["bom-ref"].startswith("node:") or (wheel.library and one["bom-ref"].startswith("packed:")):
                yield ascii(" ".join([one["bom-ref"], *([one["version"]] if "version" in one else []), *digests]))[1:-1]


def _api(wheel: PackedWheel, workshop: Workshop) -> Finding:
    """What stands in api.json is what the component says of itself; it may have annotations besides, which its sources had."""
    tops = _tops(wheel)
    with tempfile.TemporaryDirectory(prefix="ringfence-verify-") as scratch:
        inside = {path.removeprefix(f"{wheel.folder}/"): data for path, data in wheel.files.items() if path.startswith(f"{wheel.folder}/")}
        write_tree(inside, Path(scratch))
        try:
            told = told_again(Path(scratch) / LOCK, str(wheel.library["name"]), tops, workshop.cache)
        except (ComposerError, RingfenceError) as error:
            return _finding("API", [f"its component does not tell any: {error}"], "")
    wrong = [f"{kind} {ascii(key)[:80]} is another one" for kind in _KINDS for key in _differing(wheel.api[kind], told[kind])]
    return _finding("API", wrong, "what its component says of itself")


def _differing(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> list[str]:
    """The keys under which there is another thing in the one than in the other, annotations that only the first has left aside."""
    return sorted(key for key in ours.keys() | theirs.keys() if key not in ours or key not in theirs or not _same(ours[key], theirs[key]))


def _same(ours: Any, theirs: Any) -> bool:
    match ours, theirs:
        case dict(), dict():
            return theirs.keys() <= ours.keys() <= theirs.keys() | _ANNOTATIONS and all(_same(ours[key], theirs[key]) for key in theirs)
        case list(), list():
            return len(ours) == len(theirs) and all(map(_same, ours, theirs))
    return type(ours) is type(theirs) and bool(ours == theirs)
