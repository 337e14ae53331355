"""What clang and wasm-ld say into errors with their places, and into warnings, in the compiler's own words."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ringfence_composer.builders.base import ComponentSource
from ringfence_composer.builders.foreign import escaped, shown
from ringfence_composer.errors import BuildFailed, ComposerError, SourceInvalid, ToolFailed

_PLACED = re.compile(r"^(?P<file>[^\s:][^:]*):(?P<line>\d+):(?P<column>\d+): (?P<level>fatal error|error|warning|note): (?P<message>.*)$")
_INCLUDED = re.compile(r"^(?:In file included from |\s+from )(?P<file>[^:]+):(?P<line>\d+)")
_UNDEFINED = re.compile(r"undefined symbol: (?P<name>\S+)")
_TWICE = re.compile(r"duplicate symbol: (?P<name>.+)\n>>> defined in .*?(?P<one>\d+)\.o\n>>> defined in .*?(?P<two>\d+)\.o")
_MISMATCH = re.compile(r"function signature mismatch: (?P<name>\S+)")

_JUMPS = ("setjmp", "_setjmp", "__sigsetjmp", "sigsetjmp", "longjmp", "_longjmp", "siglongjmp")
_THREADS = ("pthread_create", "thrd_create")
_LOADING = ("dlopen", "dlsym", "dlclose")
_PROCESSES = ("fork", "vfork", "system", "popen", "posix_spawn", "posix_spawnp", "execl", "execlp", "execv", "execve", "execvp", "waitpid")
_THROWING = ("__cxa_throw", "__cxa_allocate_exception", "__cxa_begin_catch")
LACKING = {
    **dict.fromkeys(_JUMPS, "setjmp and longjmp"),
    **dict.fromkeys(_THREADS, "threads"),
    **dict.fromkeys(_LOADING, "dynamic loading"),
    **dict.fromkeys(_PROCESSES, "processes"),
    **dict.fromkeys(_THROWING, "C++ exceptions"),
}
"""What a guest has not, by the functions that a source would call for it. The C library has stand-ins for some, which fail at run time."""

_SAID = {
    "Setjmp/longjmp support requires": "setjmp and longjmp",
    "__builtin_setjmp is not supported": "setjmp and longjmp",
    "__builtin_longjmp is not supported": "setjmp and longjmp",
    "with exceptions disabled": "C++ exceptions",
    **{
        f"named '{name}' in namespace 'std'": "threads"
        for name in ("thread", "jthread", "async", "mutex", "recursive_mutex", "shared_mutex", "condition_variable", "this_thread")
    },
}
_UNDECLARED = re.compile(r"call to undeclared (?:library )?function '(?P<name>\w+)'")
_EMULATED = re.compile(r"_WASI_EMULATED_[A-Z_]+")
_NO_CODE = re.compile(rb'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)
"""Comments and literals."""
_HEADERS = (".h", ".hh", ".hpp", ".hxx", ".inc", ".inl")
_WITHOUT = "a guest has none: leave that part of the library out, by its own switches (defines) or by a patch"


@dataclass(slots=True)
class _Told:
    """One message of the compiler: where, how bad, what, and all lines of it."""

    file: str
    line: int
    column: int
    level: str
    message: str
    text: list[str]


def diagnostics(output: str) -> list[_Told]:
    """The compiler's messages. One in a header of the compiler's own stands where a source includes it."""
    found: list[_Told] = []
    included: re.Match[str] | None = None
    for line in output.splitlines():
        if inclusion := _INCLUDED.match(line):
            included = inclusion
        elif one := _PLACED.match(line):
            if one["level"] == "note" and found:
                found[-1].text.append(line)
                continue
            foreign = Path(one["file"]).is_absolute() and included
            file, number, column = (
                (included["file"], included["line"], "1") if foreign and included else one.group("file", "line", "column")
            )
            level = "error" if "error" in one["level"] else one["level"]
            found.append(_Told(os.path.normpath(file), int(number), int(column), level, one["message"], [line]))
            included = None
        elif found and line.startswith((" ", "\t")):
            found[-1].text.append(line)
    return found


def warnings(output: str) -> list[str]:
    """The warnings, as the compiler wrote them."""
    return [shown(one.text) for one in diagnostics(output) if one.level == "warning"]


def compile_error(component: ComponentSource, error: ToolFailed) -> ComposerError:
    """All errors of a source, each with its place."""
    found = []
    for one in diagnostics(error.output):
        if one.level == "error":
            lacks = _lacks(one.message)
            reason = f"it uses {lacks}" if lacks else escaped(one.message)
            hint = _WITHOUT if lacks else "\n  ".join(shown(one.text[1:]).splitlines()) or None
            if emulated := _EMULATED.search(one.message):
                hint = f"write {emulated[0]} under `defines:` for what the C library has in its place; nothing else is to be linked"
            found.append(SourceInvalid(component.name, reason, file=one.file, line=one.line, column=one.column, hint=hint))
    if not found:
        return BuildFailed(component.name, f"the compiler failed: {error.message}", output=shown(error.output.splitlines()))
    found[0].further = tuple(found[1:])
    return found[0]


def _lacks(message: str) -> str | None:
    """What a guest has not, if it is that what the compiler says."""
    if (found := _UNDECLARED.search(message)) and found["name"] in LACKING:
        return f"{LACKING[found['name']]} ({found['name']})"
    return next((what for sign, what in _SAID.items() if sign in message), None)


def link_error(component: ComponentSource, error: ToolFailed, sources: Sequence[str]) -> ComposerError:
    """Why the parts do not join: an export that nobody wrote, one of another signature, a function from nowhere or from two places.

    `sources` are what the objects were made of, which are called by number.
    """
    names = list(dict.fromkeys(found["name"] for found in _UNDEFINED.finditer(error.output)))
    exports = [name for name in names if name.startswith("exports_")]
    output = shown(error.output.splitlines())
    if exports:
        hint = "its header, which the build writes from the WIT, declares them"
        return BuildFailed(component.name, f"its sources lack what its world exports: {', '.join(map(escaped, exports))}", hint=hint)
    if found := _MISMATCH.search(error.output):
        hint = "include the header that the build writes from the WIT, then the compiler says where they differ"
        return BuildFailed(component.name, f"{escaped(found['name'])} has another signature than its WIT says", output=output, hint=hint)
    twice = [(one["name"], int(one["one"]), int(one["two"])) for one in _TWICE.finditer(error.output)]
    if twice and max(max(one, two) for _, one, two in twice) < len(sources):
        told = "; ".join(f"{escaped(name)} is defined in {sources[one]} and in {sources[two]}" for name, one, two in twice)
        return BuildFailed(component.name, told, hint="leave one of them out of `sources:`, or rename what is in it")
    if names:
        hint = "add the source that defines it to `sources:`, or leave out what calls it"
        return BuildFailed(component.name, f"nothing defines {', '.join(map(escaped, names))}", output=output, hint=hint)
    return BuildFailed(component.name, f"linking failed: {error.message}", output=output)


def lacking(component: ComponentSource, source: str, files: Mapping[str, bytes], compiled: bytes) -> list[SourceInvalid]:
    """What a source uses that a guest has not, with the first line of code that names it: its own, or a header's among `files`.

    `compiled` is the object made of it.
    """
    found = []
    for name, what in LACKING.items():
        # How an object asks for a function: an import of that name from the module env.
        if b"\x03env" + bytes([len(name)]) + name.encode() + b"\x00" in compiled:
            places = ((file, _line_of(name, files[file])) for file in (source, *sorted(files)) if file == source or file.endswith(_HEADERS))
            file, line = next(((file, line) for file, line in places if line), (source, 0))
            found.append(SourceInvalid(component.name, f"it uses {what} ({name})", file=file, line=line, hint=_WITHOUT))
    return found


def _line_of(name: str, content: bytes) -> int:
    """The first line in which code names it; 0 where none does."""
    if name.encode() not in content:
        return 0
    code = _NO_CODE.sub(lambda found: b"\n" * found[0].count(b"\n") or b" ", content)
    at = re.search(rf"\b{name}\b".encode(), code)
    return code[: at.start()].count(b"\n") + 1 if at else 0
