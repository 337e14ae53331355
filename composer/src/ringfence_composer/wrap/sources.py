"""A source archive's files into what an installation would have of them, by reading alone.

Said by pyproject.toml, setup.cfg, setup.py (`setup_py.py`) and the egg-info that some archives carry; where they are silent, by the tree
itself. Where they differ, the first that is found in the tree counts.
"""

from __future__ import annotations

import configparser
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ringfence_composer.wrap.setup_py import Found, extensions, read_setup

_ROOTS = ("src", "lib3", "lib", "python", "")
_ASIDE = frozenset({"conftest", "noxfile", "fabfile", "setup", "tasks", "versioneer", "tools", "scripts"}) | frozenset(
    {f"{one}{end}" for one in ("test", "doc", "example", "benchmark") for end in ("", "s")} | {"testing"}
)
"""Names beside a project's packages that are none of them, where nothing says which are."""
_COMPILERS = ("maturin", "setuptools_rust", "scikit_build_core", "mesonpy", "sipbuild", "py_build_cmake")
"""Build backends of projects whose modules are compiled, in full or in part."""


class CasedParser(configparser.ConfigParser):
    """One that tells options apart by case, as entry points are."""

    def optionxform(self, optionstr: str) -> str:
        return optionstr


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What was found: `files` as in site-packages; the rest is empty where nothing says it."""

    name: str
    version: str
    files: Mapping[str, bytes]
    requires: tuple[str, ...]
    points: Mapping[str, Mapping[str, str]]
    extensions: tuple[str, ...]


@dataclass(slots=True)
class _Said:
    """What the files that speak of a build say, together."""

    name: str = ""
    version: str = ""
    roots: list[str] = field(default_factory=list)
    packages: list[str] = field(default_factory=list)
    places: dict[str, str] = field(default_factory=dict)
    requires: list[str] = field(default_factory=list)
    points: dict[str, dict[str, str]] = field(default_factory=dict)
    compiled: bool = False


def read_sources(files: Mapping[str, bytes]) -> Sources:
    """The part of a source archive that would be installed. `files` is empty where nothing tells which that is."""
    said = _Said()
    _pyproject(_toml(files.get("pyproject.toml", b"")), said)
    _setup_cfg(_text(files, "setup.cfg"), said)
    _setup_py(read_setup(files.get("setup.py", b"")), said)
    _egg_info(files, said)
    built = extensions(files.get("setup.py", b"")) or ([said.name] if said.compiled else [])
    return Sources(
        name=said.name,
        version=said.version,
        files=_laid_out(files, said),
        requires=tuple(said.requires),
        points=said.points,
        extensions=tuple(built),
    )


def read_points(text: str) -> dict[str, dict[str, str]]:
    """Entry points by group (of entry_points.txt); nothing where it can't be read."""
    parser = CasedParser(delimiters=("=",), interpolation=None, strict=False)
    try:
        parser.read_string(text)
    except configparser.Error:
        return {}
    return {group: dict(parser.items(group)) for group in parser.sections()}


def _laid_out(files: Mapping[str, bytes], said: _Said) -> dict[str, bytes]:
    roots = [*dict.fromkeys([*said.roots, *_ROOTS])]
    names = dict.fromkeys(name.partition(".")[0] for name in said.packages) or dict.fromkeys(_named_like(said.name))
    found: dict[str, bytes] = {}
    for name in filter(str.isidentifier, names):  # whatever else stands there, such as a path, is no package's
        found |= _placed(files, name, roots, said.places.get(name))
    if not found and not said.compiled:  # the packages at the top of the first root that has any
        tops = ({path.removeprefix(f"{root}/" if root else "").partition("/")[0] for path in files if _in(path, root)} for root in roots)
        for root, inside in zip(roots, tops, strict=True):
            for name in sorted(one.removesuffix(".py") for one in inside):
                if name not in _ASIDE and name.isidentifier():
                    found |= _placed(files, name, [root], None, strict=True)
            if found:
                break
    return found


def _in(path: str, root: str) -> bool:
    return not root or path.startswith(f"{root}/")


def _placed(files: Mapping[str, bytes], name: str, roots: list[str], place: str | None, *, strict: bool = False) -> dict[str, bytes]:
    """The files of one top-level package or module, from the first root that has it. `strict`: packages without __init__.py don't count."""
    for folder in [place] if place else [f"{root}/{name}".lstrip("/") for root in roots]:
        inside = {path: data for path, data in files.items() if path.startswith(f"{folder}/")}
        if f"{folder}/__init__.py" in inside or (not strict and any(path.endswith(".py") for path in inside)):
            return {name + path.removeprefix(folder): data for path, data in inside.items()}
        if f"{folder}.py" in files and name not in _ASIDE:
            return {f"{name}.py": files[f"{folder}.py"]}
    return {}


def _named_like(name: str) -> Iterator[str]:
    """The import names that a project's name suggests."""
    plain = re.sub(r"[-.]", "_", name)
    yield from dict.fromkeys(one for one in (plain, plain.lower(), plain.lower().removeprefix("py"), plain.lower().removeprefix("python_")))


def _pyproject(data: Mapping[str, Any], said: _Said) -> None:
    project, tool = _mapping(data.get("project")), _mapping(data.get("tool"))
    said.compiled = str(_mapping(data.get("build-system")).get("build-backend", "")).startswith(_COMPILERS)
    said.name, said.version = str(project.get("name", "")), str(project.get("version", ""))
    said.requires += _strings(project.get("dependencies"))
    _add_points(said, {"console_scripts": project.get("scripts"), "gui_scripts": project.get("gui-scripts")})
    _add_points(said, _mapping(project.get("entry-points")))
    setuptools = _mapping(tool.get("setuptools"))
    _package_dir(setuptools.get("package-dir"), said)
    packages = setuptools.get("packages")
    said.packages += _strings(packages) + _strings(setuptools.get("py-modules"))
    said.roots += _strings(_mapping(_mapping(packages).get("find")).get("where"))
    hatch = _mapping(_mapping(_mapping(_mapping(tool.get("hatch")).get("build")).get("targets")).get("wheel"))
    poetry = _mapping(tool.get("poetry"))
    listed = [_mapping(one) for one in poetry.get("packages", ()) if isinstance(poetry.get("packages"), list)]
    said.roots += [str(one["from"]) for one in listed if "from" in one]
    said.packages += [str(one["include"]).partition("/")[0] for one in listed if "include" in one]
    for path in _strings(hatch.get("packages")):
        root, _, name = path.rpartition("/")
        said.roots.append(root)
        said.packages.append(name)
    flit = str(_mapping(_mapping(tool.get("flit")).get("module")).get("name", ""))
    said.packages += [flit] if flit else []
    said.name, said.version = said.name or str(poetry.get("name", "")), said.version or str(poetry.get("version", ""))


def _setup_cfg(text: str, said: _Said) -> None:
    parser = CasedParser(interpolation=None, strict=False)
    try:
        parser.read_string(text)
    except configparser.Error:
        return

    def lines(section: str, option: str) -> list[str]:
        return [line.strip() for line in parser.get(section, option, fallback="").splitlines() if line.strip()]

    said.name, said.version = said.name or parser.get("metadata", "name", fallback=""), said.version or _plain(parser)
    _package_dir(dict(_pair(line) for line in lines("options", "package_dir") if "=" in line), said)
    packages = lines("options", "packages")
    said.packages += [one for one in packages if not one.startswith("find")] + lines("options", "py_modules")
    said.roots += lines("options.packages.find", "where")
    if not said.requires:
        said.requires += lines("options", "install_requires")
    if parser.has_section("options.entry_points"):
        groups = {
            group: dict(_pair(line) for line in lines("options.entry_points", group) if "=" in line)
            for group in parser.options("options.entry_points")
        }
        _add_points(said, groups)


def _plain(parser: configparser.ConfigParser) -> str:
    """The version of setup.cfg, unless it is read from elsewhere (`attr:`, `file:`)."""
    version = parser.get("metadata", "version", fallback="")
    return "" if ":" in version else version


def _pair(line: str) -> tuple[str, str]:
    name, _, value = line.partition("=")
    return name.strip(), value.strip()


def _setup_py(keywords: Mapping[str, Any], said: _Said) -> None:
    said.name, said.version = said.name or str(keywords.get("name", "")), said.version or str(keywords.get("version", ""))
    _package_dir(keywords.get("package_dir"), said)
    packages = keywords.get("packages")
    if isinstance(packages, Found):
        said.roots.append(packages.where)
    said.packages += _strings(packages) + _strings(keywords.get("py_modules"))
    if not said.requires:
        said.requires += _strings(keywords.get("install_requires"))
    points = keywords.get("entry_points")
    if isinstance(points, dict):
        _add_points(said, {str(group): dict(_pair(line) for line in _strings(lines) if "=" in line) for group, lines in points.items()})


def _egg_info(files: Mapping[str, bytes], said: _Said) -> None:
    """What an earlier build of the archive's author left: it knows the packages by name, what they require, and the entry points."""
    for path in files:
        if path.endswith(".egg-info/entry_points.txt"):
            _add_points(said, read_points(_text(files, path)))
        if path.endswith(".egg-info/top_level.txt"):
            said.packages += _text(files, path).split()
        if path.endswith(".egg-info/requires.txt") and not said.requires:
            said.requires += [line for line in _text(files, path).partition("[")[0].splitlines() if line.strip()]


def _package_dir(value: Any, said: _Said) -> None:
    for name, place in _mapping(value).items():
        if name == "" and isinstance(place, str):
            said.roots.append(place.strip("./"))
        elif isinstance(name, str) and isinstance(place, str):
            said.places[name] = place.removeprefix("./").strip("/")


def _add_points(said: _Said, groups: Mapping[str, Any]) -> None:
    for group, points in groups.items():
        for name, target in _mapping(points).items():
            said.points.setdefault(group, {}).setdefault(str(name), str(target))


def _toml(data: bytes) -> Mapping[str, Any]:
    try:
        return tomllib.loads(data.decode("utf-8", "replace"))
    except (tomllib.TOMLDecodeError, RecursionError):
        return {}


def _text(files: Mapping[str, bytes], path: str) -> str:
    return files.get(path, b"").decode("utf-8", "replace")


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _strings(value: Any) -> list[str]:
    listed = value if isinstance(value, list | tuple) else [value]
    return [one for one in listed if isinstance(one, str)]
