"""What of a library works behind its wheel, API by API, and why the rest does not: found while wrapping, from its sources and its guest.

How each part crosses: *typed* (all of its parameters and its result are annotated), *dynamic* (values cross in the self-describing form),
*proxied* (a class whose instances stay inside, or a value that is read inside each time), *refused* (it cannot work, and why).
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from ringfence_composer.wrap.layout import Distribution
from ringfence_composer.wrap.shim import module_names

SCRIPTS = ("console_scripts", "gui_scripts")
"""Groups of entry points that are commands."""
How = Literal["typed", "dynamic", "proxied", "refused"]
_NEEDS: Mapping[str, str] = {
    "threading": "threads: a guest has one, starting another raises RuntimeError",
    "multiprocessing": "processes: a guest cannot start any",
    "subprocess": "processes: a guest cannot start any",
    "concurrent.futures": "threads: a guest has one, starting another raises RuntimeError",
    "ctypes": "machine code: there is none in a guest",
    "ssl": "TLS: a guest has none",
    "socket": "the network: only with grants of tcp, udp or dns",
    "sqlite3": "files: only with grants of files",
    **dict.fromkeys(("sys._getframe", "inspect.currentframe", "inspect.stack"), "its caller's frames: it sees none of the application's"),
}
"""What modules and functions that a library uses may need, and a guest lacks, or has with grants only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One part of the API, by its name in Python; `why` is empty unless it is refused."""

    name: str
    kind: str
    how: How
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WrapReport:
    """What became of a library. `left_out` are its compiled parts, `notes` what is worth knowing before it is used."""

    library: str
    version: str
    entries: tuple[Entry, ...]
    left_out: tuple[str, ...]
    notes: tuple[str, ...]

    def count(self, how: How) -> int:
        """How many parts cross in this way."""
        return sum(one.how == how for one in self.entries)

    @property
    def score(self) -> int:
        """The share of the API that works, in percent, rounded down."""
        return 100 * (len(self.entries) - self.count("refused")) // len(self.entries) if self.entries else 0

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON data."""
        counts = {how: self.count(how) for how in ("typed", "dynamic", "proxied", "refused")}
        return {"ringfence_report": 1, "score": self.score, "counts": counts, **asdict(self)}


def reported(first: Distribution, api: Mapping[str, Any], missing: Mapping[str, str], notes: Sequence[str] = ()) -> WrapReport:
    """The report on a library whose guest tells this API; `missing` are modules that cannot be imported there, and what that raises."""
    refused = [Entry(name=name, kind="module", how="refused", why=why) for name, why in sorted(missing.items())]
    return WrapReport(
        library=first.name,
        version=str(first.version),
        entries=(*_entries(api, first.imports), *refused),
        left_out=first.left_out,
        notes=(*notes, *_needs(first), *_scripts(first), *_shared()),
    )


def _shared() -> Iterator[str]:
    yield "one instance serves all callers in a process, one call after another; ringfence.objects.configure and connect give others"


def _entries(api: Mapping[str, Any], tops: tuple[str, ...]) -> Iterator[Entry]:
    """The public parts of the API: modules, and what is defined in them."""
    for module in module_names(api, tops):
        about = api["modules"][module]
        yield Entry(name=module, kind="module", how="proxied")
        public = set(about.get("all") or ())
        for name, member in sorted(about.get("members", {}).items()):
            if (name.startswith("_") and name not in public) or not isinstance(member, dict):
                continue
            yield from _member(api, f"{module}.{name}", module, member)


def _member(api: Mapping[str, Any], path: str, module: str, member: Mapping[str, Any]) -> Iterator[Entry]:
    kind, key = member.get("kind"), str(member.get("of", ""))
    if kind in ("function", "class") and key.partition(":")[0] != module:
        return  # told where it is defined
    if kind == "function":
        about = api["functions"].get(key, {})
        yield _function(path, "function", about)
    elif kind == "class":
        about = api["classes"].get(key, {})
        yield Entry(name=path, kind="class", how="proxied")
        for name, inner in sorted(about.get("members", {}).items()):
            if isinstance(inner, dict) and str(inner.get("kind", "")).endswith("method") and not name.startswith("_"):
                yield _function(f"{path}.{name}", "method", inner)
    elif kind in ("constant", "value"):
        yield Entry(name=path, kind="value", how="typed" if kind == "constant" else "proxied")


def _function(path: str, kind: str, about: Mapping[str, Any]) -> Entry:
    if about.get("async"):
        return Entry(name=path, kind=kind, how="refused", why="a coroutine function: its event loop would be inside")
    signature = about.get("signature")
    typed = isinstance(signature, dict) and "returns" in signature and all(_annotated(one) for one in signature.get("parameters", ()))
    return Entry(name=path, kind=kind, how="typed" if typed else "dynamic")


def _annotated(parameter: Mapping[str, Any]) -> bool:
    return "annotation" in parameter or parameter.get("name") in ("self", "cls")


def _scripts(first: Distribution) -> Iterator[str]:
    """Its commands, which the wheel does not have."""
    named = sorted({name for group in SCRIPTS for name in first.points.get(group, {})})
    if named:
        told = "a command's arguments, streams and files would be those of the guest, and it would end the process; call its API"
        yield f"its commands are not carried ({', '.join(named[:10])}): {told}"


def _needs(first: Distribution) -> Iterator[str]:
    """What the sources import that a guest lacks, once each, with the first module that does."""
    found: dict[str, str] = {}
    for path, content in sorted(first.files.items()):
        if path.endswith(".py"):
            for name in _used(content):
                need = next((text for module, text in _NEEDS.items() if name == module or name.startswith(f"{module}.")), None)
                if need:
                    found.setdefault(need, f"{path} uses {name}, which may need {need}")
    yield from found.values()


def _used(content: bytes) -> Iterator[str]:
    """What is imported, and attributes of plain names (`sys._getframe`)."""
    try:
        with warnings.catch_warnings(action="ignore"):
            tree = ast.parse(content)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield f"{node.value.id}.{node.attr}"
