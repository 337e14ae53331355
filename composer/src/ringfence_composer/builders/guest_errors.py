"""What componentize-py prints when it fails, into an error that says what to change.

Its output is foreign text: much of it comes from the guest. Only single lines of it reach a message, escaped; the rest goes along as
`output`.
"""

from __future__ import annotations

import ast
import re
from contextlib import suppress
from textwrap import dedent

from ringfence_composer.builders.base import ComponentSource
from ringfence_composer.builders.foreign import escaped, shown
from ringfence_composer.builders.preload import ENTRY_MODULE, LACKING
from ringfence_composer.errors import BuildFailed, ComposerError, SourceInvalid, ToolFailed, WitInvalid

_FRAME = re.compile(r'  File "/(?P<mount>[0-9]+)/(?P<path>[^"]+)", line (?P<line>[0-9]+)')
_SOURCE = "1"
_MOUNTS = {_SOURCE: "source", "2": "requirements"}
_SYNTAX = ("SyntaxError:", "IndentationError:", "TabError:")
_NO_MODULE = re.compile(r"ModuleNotFoundError: No module named '(?P<name>[\w.]+)'")
_NO_ATTRIBUTE = re.compile(r"AttributeError: module '(?P<module>[\w.]+)' has no attribute '(?P<name>\w+)'")
_LACKING = re.compile(rf"LookupError: {re.escape(LACKING)}(?P<names>[\w.:, ]+)$")
_WORLD = re.compile(r'^    "(?P<world>[^"\n]+)",$', re.MULTILINE)


def explained(component: ComponentSource, error: ToolFailed) -> ComposerError:
    """The error that `component`'s author can act on."""
    output = _essence(error.output)
    if "Unable to resolve `Some(" in output:
        return _no_world(component, output)
    if "parsing WIT" in output or "failed to parse package" in output:
        return _bad_wit(component, output)
    if "wasm backtrace" in output:
        return BuildFailed(
            component.name,
            "the Python interpreter crashed while the component's modules were imported",
            output=shown(output.splitlines()),
            hint="a module ends the process, uses all memory or recurses without end when it is imported",
        )
    inside = any((frame := _FRAME.match(line)) and frame["mount"] in _MOUNTS for line in output.splitlines())
    if not inside and (found := _NO_ATTRIBUTE.search(output.rpartition("\n")[2])):
        return _no_export(component, found["module"], found["name"])
    if output.startswith("ModuleNotFoundError:") and (missing := _NO_MODULE.match(output)):
        # Without a traceback it is componentize-py that looks for it: the module with the resources of an exported interface.
        return _no_export(component, missing["name"], None)
    if found := _LACKING.search(output):
        return _lacking(component, [one.split(":") for one in found["names"].split()])
    if "Traceback (most recent call last)" in output or "Error:" in output:
        return _not_imported(component, output)
    return BuildFailed(
        component.name,
        f"componentize-py failed: {error.message}",
        output=shown(output.splitlines()),
        hint=None if output else "where it took too long, a module loops when it is imported",
    )


def _essence(output: str) -> str:
    """What follows the tool's own traceback; the cause it repeats at the end is cut off, unless it is all there is."""
    text = output.partition("AssertionError: ")[2] or output
    head, _, _ = text.partition("\n\n\nCaused by:")
    return head.strip("\n") or text.strip("\n")


def _no_world(component: ComponentSource, output: str) -> WitInvalid:
    worlds = [found["world"] for found in _WORLD.finditer(output.partition("WIT paths")[0])]
    names = ", ".join(escaped(world) for world in worlds)
    hint = f"set `world:` in component.yaml to one of these: {names}" if worlds else "there is no world at all in its WIT folder"
    return WitInvalid(f"{component.name}: there is no world {component.world!r} in its WIT", hint=hint)


def _bad_wit(component: ComponentSource, output: str) -> WitInvalid:
    place = re.search(r"--> (\S+)", output)
    reason = next((line for line in reversed(output.splitlines()) if re.match(r"\s+(\d+: )?[a-z].*[^:\]]$", line)), "")
    reason = re.sub(r"^\s*\d+: ", "", reason).strip()
    where = f" {escaped(place[1])}:" if place else ""
    missing = re.search(r"package '([^']+)' not found", output)
    hint = f"name the folder of {escaped(missing[1])} in component.yaml, `wit_deps:`" if missing else None
    return WitInvalid(f"{component.name}:{where} {escaped(missing[0] if missing else reason)}", hint=hint)


def _no_export(component: ComponentSource, module: str, name: str | None) -> SourceInvalid:
    missing = f"{module} does not define {name}" if name else f"there is no module {module}"
    return SourceInvalid(
        component.name,
        f"an export of the world {component.world!r} is missing: {missing}",
        file=_file_of(component, module if name else component.module),
        hint=(
            "an exported interface is a class of that name in the entry module, "
            "its resources are classes in a module that is named after the interface"
        ),
    )


def _lacking(component: ComponentSource, told: list[list[str]]) -> SourceInvalid:
    """All classes and methods that the world's exports ask for and nobody wrote, or wrote with other parameters."""
    found = [_unfit(component, *one) for one in told if len(one) != 3]
    if missing := [one for one in told if len(one) == 3]:
        found.insert(0, _missing(component, missing))
    found[0].further = tuple(found[1:])
    return found[0]


def _missing(component: ComponentSource, missing: list[list[str]]) -> SourceInvalid:
    """What nobody wrote, told at the first class of it."""
    methods: dict[tuple[str, str], list[str]] = {}
    for module, name, method in missing:
        methods.setdefault((module, name), []).append(method)
    told = [f"class {name} lacks {', '.join(found)}" if found[0] else f"there is no class {name}" for (_, name), found in methods.items()]
    file = _file_of(component, missing[0][0])
    return SourceInvalid(
        component.name,
        f"the world {component.world!r} exports what is not here: {'; '.join(told)}",
        file=file,
        line=next(filter(None, (_line_of(component, file, name) for _, name in methods)), 0),
        hint="an exported interface is a class of that name in the entry module, with a method for each function: def name(self, …)",
    )


def _unfit(component: ComponentSource, module: str, name: str, method: str, given: str, wanted: str) -> SourceInvalid:
    """A method that can't be called as its WIT says; the parameters are names with commas between."""
    file = _file_of(component, module)
    first, _, others = wanted.partition(",")
    called = others if first == "cls" else wanted
    return SourceInvalid(
        component.name,
        f"{name}.{method} takes ({given.replace(',', ', ')}), where its WIT has it called with ({called.replace(',', ', ')})",
        file=file,
        line=_line_of(component, file, name, method),
        hint=f"write {'@classmethod and ' if first == 'cls' else ''}def {method}({wanted.replace(',', ', ')})",
    )


def _file_of(component: ComponentSource, module: str) -> str:
    path = module.replace(".", "/")
    return f"{path}/__init__.py" if (component.source / path).is_dir() else f"{path}.py"


def _line_of(component: ComponentSource, file: str, name: str, method: str = "") -> int:
    """The line in which a class begins, or its method where that is written in it; 0 where that can't be told."""
    with suppress(OSError, SyntaxError, ValueError):
        tree = ast.parse((component.source / file).read_bytes())
        classes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef) and node.name == name]
        inside = [one.lineno for node in classes for one in node.body if isinstance(one, ast.FunctionDef) and one.name == method]
        return next(iter([*inside, *(node.lineno for node in classes)]), 0)
    return 0


def _bad_syntax(component: ComponentSource, lines: list[str], file: str, line: int) -> SourceInvalid:
    """What Python says, with the line that it shows."""
    excerpt = dedent("\n".join([escaped(one) for one in lines[:-1] if one.startswith("    ")][-2:])).splitlines()
    return SourceInvalid(component.name, escaped(lines[-1]), file=file, line=line, hint="\n  ".join(excerpt) or None)


def _not_imported(component: ComponentSource, output: str) -> ComposerError:
    """The last line says what happened, the last frame of the component's own code where."""
    lines = [line for line in output.splitlines() if line.strip()]
    frames = [found for line in lines if (found := _FRAME.match(line)) and found["mount"] in _MOUNTS]
    if frames and frames[-1]["mount"] == _SOURCE and lines[-1].startswith(_SYNTAX):
        return _bad_syntax(component, lines, frames[-1]["path"], int(frames[-1]["line"]))
    where = f" ({_MOUNTS[frames[-1]['mount']]}/{escaped(frames[-1]['path'])}, line {frames[-1]['line']})" if frames else ""
    missing = _NO_MODULE.search(lines[-1])
    hint = "only modules that can be imported in the guest can be built in: CPython without threads, processes, machine code or TLS"
    if missing:
        hint = f"add the package with {missing['name']} to `requirements:`, unless it is compiled, which the guest cannot load"
    return BuildFailed(
        component.name,
        f"a module cannot be imported{where}: {escaped(lines[-1])}",
        output=shown(_without_scaffolding(lines)),
        hint=hint,
    )


def _without_scaffolding(lines: list[str]) -> list[str]:
    """A traceback without the frames of the generated entry module and of importlib, mounts called what they are."""
    kept: list[str] = []
    skipping = False
    for line in lines:
        if line.startswith('  File "'):
            skipping = f"/{ENTRY_MODULE}.py" in line or "importlib" in line
        elif not line.startswith("    "):
            skipping = False
        if not skipping:
            kept.append(re.sub(r'^  File "/([12])/', lambda mount: f'  File "{_MOUNTS[mount[1]]}/', line))
    return kept
