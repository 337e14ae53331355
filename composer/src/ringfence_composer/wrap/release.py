"""A release into the content of its wheel: the stages of `compose wrap` in their order."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.specifiers import SpecifierSet
from ringfence.contract.errors import ManifestError
from ringfence.packaged import LIBRARY

from ringfence_composer.compose import Composed, Workshop, compose_file
from ringfence_composer.errors import BuildFailed, InputInvalid
from ringfence_composer.wrap.annotations import annotated
from ringfence_composer.wrap.dependencies import GUEST, with_dependencies
from ringfence_composer.wrap.describe import described
from ringfence_composer.wrap.guest import Authority, importable, lay_out_guest
from ringfence_composer.wrap.index import chosen, fetch, find_release, read_archive
from ringfence_composer.wrap.layout import Distribution, lay_out
from ringfence_composer.wrap.overlay import NO_OVERLAY, Overlay, overlaid
from ringfence_composer.wrap.report import SCRIPTS, WrapReport, reported
from ringfence_composer.wrap.sbom import library_sbom
from ringfence_composer.wrap.shim import data_folder, is_name, module_names, not_ours, shim_files
from ringfence_composer.wrap.stubs import stub_files
from ringfence_composer.wrap.taken import taken
from ringfence_composer.wrap.typed import packed_graph
from ringfence_composer.wrap.wanted import Wanted, meant
from ringfence_composer.wrap.wheel import WheelContent, json_bytes, local_version

_ABSENT = re.compile(
    r"ModuleNotFoundError: No module named '(?P<module>[\w.]+)'"
    r"|ImportError: cannot import name '(?P<part>\w+)' from (?:partially initialized module )?'(?P<package>[\w.]+)'",
    re.ASCII,
)
_POINT = re.compile(r"[A-Za-z0-9_.-]+", re.ASCII)
"""Groups and names of entry points that are carried over: what could end a line of entry_points.txt is not among them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrapped:
    """A wrapped library: what its wheel holds, and what became of its API."""

    content: WheelContent
    report: WrapReport


def wrap_release(wanted: Wanted, authority: Authority, workshop: Workshop, overlay: Overlay = NO_OVERLAY) -> Wrapped:
    """A release, ring-fenced; with an overlay's types where it has some.

    Raises:
        InputInvalid: there is no such release, or it cannot be laid out by reading. BuildFailed: it cannot be imported in a guest.
        ManifestError: the grants are wrong, or the overlay speaks of what the library does not have.
    """
    first, yanked = find(wanted, workshop)
    with tempfile.TemporaryDirectory(prefix="ringfence-wrap-") as scratch:
        work = Path(scratch)
        packed = with_dependencies(first, wanted.extras, work / "resolving", workshop.context)
        manifest = lay_out_guest(packed, authority, work / "guest")
        done = _composed(packed, manifest, workshop)
        workshop.report(f"{first.name}: reading its API in the fence")
        found = described(done.file, first, importable(first), workshop.cache)
        api = annotated(dict(found.api), manifest.parent / LIBRARY / "packages", first.imports)
        api = overlaid(api, overlay, first.imports)
        report = reported(first, api, found.missing, [*_notes(first, yanked), *_inside(packed)])
        workshop.report(f"{first.name}: packing")
        return Wrapped(content=_content(packed, api, report, done, manifest), report=report)


def _composed(packed: Sequence[Distribution], manifest: Path, workshop: Workshop) -> Composed:
    """The library's graph, composed; what fails while its modules are imported is told as the library's own fault."""
    first = packed[0]
    try:
        return compose_file(manifest, workshop)
    except BuildFailed as error:
        message = error.message.removeprefix(f"{error.component}: ").replace("requirements/", "")
        raise BuildFailed(first.name, message, output=error.output.replace('"requirements/', '"'), hint=_remedy(packed, error)) from error
    except ManifestError as error:  # of the graph that was written here: of a file in it, which the library's text is in
        told = "; ".join(one.message for one in error.problems)
        hint = next((one.hint for one in error.problems if one.hint), None)
        raise BuildFailed(first.name, f"no component can be made of it: {told}", hint=hint) from error


def _remedy(packed: Sequence[Distribution], error: BuildFailed) -> str:
    """What whoever wraps a library can do about a module that it cannot import."""
    first = packed[0]
    if absent := _ABSENT.search(error.message):
        name = absent["module"] or f"{absent['package']}.{absent['part']}"
        owner = next((one for one in packed if name.partition(".")[0] in one.imports), None)
        if owner is None and absent["module"]:
            extra = f"{first.name}[EXTRA]=={first.version}"
            return f"nothing that it requires has {name}: wrap it with an extra that does ({extra}), unless that is compiled"
        if owner is not None and not owner.archive.filename.endswith(".whl"):
            return f"{owner.name} has no wheel of Python alone, and is packed without its compiled parts: {name} seems to be one"
    lacking = "a guest has no threads, processes, machine code or TLS, and no file or address while it is built: try another release"
    return error.hint or lacking


def apart(wrapped: Iterable[Wrapped]) -> None:
    """Raises InputInvalid where two wheels would put a file into the same place: two libraries that own one import name."""
    owners: dict[str, str] = {}
    for one in wrapped:
        for path in one.content.files:
            top = path.partition("/")[0].removesuffix(".py").removesuffix(".pyi")
            if owners.setdefault(top, one.content.name) != one.content.name:
                hint = "an environment can have one of them only"
                raise InputInvalid(f"{owners[top]} and {one.content.name} both own the import name {top}", hint=hint)


def find(wanted: Wanted, workshop: Workshop) -> tuple[Distribution, str]:
    """The wanted release, fetched and laid out, and why it was yanked, where it was. Raises InputInvalid, BuildFailed."""
    if wanted.file is not None:
        first, yanked = lay_out(read_archive(wanted)), ""
    else:
        release = find_release(wanted)
        file = chosen(release)
        first, yanked = lay_out(fetch(release.name, file, workshop.context)), file.yanked
    if not first.imports:
        others = ", ".join(one.name for one in first.requires[:5])
        hint = f"it only brings others along: wrap {others}" if others else "there is nothing to wrap in it"
        raise InputInvalid(f"{first.name} {first.version} has no module that could be imported", hint=hint)
    if taken_names := not_ours(first.imports):
        hint = "a wheel that gives such a module would hide Python's, or the runtime's, from every program in its environment"
        raise InputInvalid(f"{first.name} {first.version} owns the import name {taken_names[0]}", hint=hint)
    if first.key in ("ringfence", "ringfence-composer"):
        raise InputInvalid(f"{first.archive.filename}: a wheel called {first.key} would be installed in the place of the real one")
    return first, yanked


def _notes(first: Distribution, yanked: str) -> Iterator[str]:
    if yanked:
        yield f"its release was withdrawn from the index: {yanked}"
    if near := meant(first.name):
        yield f"{first.name} is not {near}: is it the library that you mean?"
    asked = first.metadata.get("Requires-Python", "")
    if asked and not SpecifierSet(asked).contains(GUEST["python_full_version"]):
        yield f"it says that it wants Python {asked}; the guest has {GUEST['python_version']}"


def _inside(packed: Sequence[Distribution]) -> Iterator[str]:
    if names := ", ".join(one.name for one in packed[1:]):
        yield f"packed inside it: {names}; what a program imports of these itself is another copy, whose objects are not the library's"


def _content(packed: Sequence[Distribution], api: Mapping[str, Any], report: WrapReport, done: Composed, manifest: Path) -> WheelContent:
    first = packed[0]
    version, data = local_version(first.version), data_folder(first.name)
    lock = done.lock
    files = {
        **shim_files(api, first.imports, data),
        **stub_files(api, first.imports),
        f"{data}/library.json": json_bytes(_library(first)),
        f"{data}/api.json": json_bytes(api),
        f"{data}/report.json": json_bytes(report.to_dict()),
        f"{data}/packed.json": json_bytes(taken(packed)),
        **{f"{data}/{path}": content for path, content in packed_graph(lock, manifest).items()},
    }
    return WheelContent(
        name=first.name,
        version=version,
        files=files,
        summary=f"{first.name} {first.version}, ring-fenced: {first.metadata.get('Summary', '')}",
        licence=first.licence,
        licences={f"{one.key}/{name}": text for one in packed for name, text in one.licences.items()},
        sboms={f"{first.key}.cdx.json": library_sbom(first.name, version, lock, packed)},
        points=_working(first.points, api, first.imports),
    )


def _library(first: Distribution) -> dict[str, Any]:
    """What the runtime has to know of the library besides its API."""
    return {"ringfence_library": 1, "name": first.name, "version": str(first.version), "node": LIBRARY}


def _working(points: Mapping[str, Mapping[str, str]], api: Mapping[str, Any], tops: tuple[str, ...]) -> dict[str, dict[str, str]]:
    """The entry points that work from outside: those of other programs. A script's arguments and streams would be the guest's own."""
    modules = set(module_names(api, tops))
    kept: dict[str, dict[str, str]] = {}
    for group, named in points.items():
        for name, target in named.items():
            module, _, attribute = target.partition("[")[0].strip().partition(":")
            members = api["modules"].get(module, {}).get("members", {})
            plain = _POINT.fullmatch(group) and _POINT.fullmatch(name) and (not attribute or is_name(attribute))
            own = group in SCRIPTS or group.startswith("ringfence")  # the last: no library is the runtime's composer
            if plain and not own and module in modules and (not attribute or attribute in members):
                kept.setdefault(group, {})[name] = f"{module}:{attribute}" if attribute else module
    return kept
