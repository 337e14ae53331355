"""What a shell may complete: graph files, and of a composed graph its functions and parameters. It never fails."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import click
from click.shell_completion import CompletionItem
from ringfence.contract.errors import RingfenceError
from ringfence.contract.files import read_regular
from ringfence.contract.layout import LOCK_SUFFIX, artifact_path, lock_path
from ringfence.contract.lock import Lock, LockedExpose
from ringfence.contract.names import parse_interface

from ringfence_composer.manifest.paths import COMPONENT
from ringfence_composer.resolve import short_name
from ringfence_composer.toolchain import Toolchain, Wit

WORDS = "ringfence.words"
"""Where a context keeps the words of the command line, the command's name first."""
_MAX_LOCK = 8 << 20
"""Bytes: who presses Tab does not want to wait for more."""


def graphs(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Graph files; where there are none, the shell's own completion of files."""
    return graph_files(incomplete) or [CompletionItem(incomplete, type="file")]


def graph_files(incomplete: str) -> list[CompletionItem]:
    """Graph files by what was typed of their path."""
    typed = Path(incomplete)
    folder = typed if incomplete.endswith("/") or not incomplete else typed.parent
    with suppress(OSError):
        files = sorted(one for one in folder.iterdir() if one.suffix in (".yaml", ".yml") and one.name != COMPONENT and one.is_file())
        return [CompletionItem(str(one)) for one in files if str(one).startswith(incomplete)]
    return []


def functions(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """`node.function` of each that the application may call, as the lock of the graph on the command line says."""
    with suppress(OSError, ValueError, LookupError, TypeError, RingfenceError):
        file, lock = _lock(ctx)
        names = sorted(f"{one.node}.{name}" for one in lock.expose for name in _functions(lock, file, one))
        return [CompletionItem(name) for name in names if name.startswith(incomplete)]
    return []


def parameters(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """`name=` of each parameter of the graph on the command line."""
    with suppress(OSError, ValueError, LookupError, TypeError, RingfenceError):
        names = [f"{one.name}=" for one in _lock(ctx)[1].parameters]
        return [CompletionItem(name) for name in names if name.startswith(incomplete)]
    return []


def _lock(ctx: click.Context) -> tuple[Path, Lock]:
    words = ctx.meta.get(WORDS, [""])[1:]  # where an option still lacks its value, click has parsed no arguments
    graph = Path(ctx.params.get("graph") or next(word for word in words if not word.startswith("-")))
    file = graph if graph.name.endswith(LOCK_SUFFIX) else lock_path(graph)
    return file, Lock.from_dict(json.loads(read_regular(file, _MAX_LOCK)))


def _functions(lock: Lock, file: Path, exposed: LockedExpose) -> Iterator[str]:
    """The names of a node's functions, each as short as it can be told from the others."""
    if exposed.calls is not None:
        yield from exposed.calls
        return
    exports = list(_exports(lock, file, exposed.node))
    count = Counter(name for _, name in exports)
    for interface, name in exports:
        parsed = parse_interface(interface)
        yield name if count[name] == 1 or parsed is None else f"{parsed.name}.{name}"


def _exports(lock: Lock, file: Path, node: str) -> Iterator[tuple[str, str]]:
    """Interface and function of each export, from the core lane's plan where there is one: reading the component takes longer."""
    group = next((one for one in lock.groups if node in one.nodes), None)
    if group is not None:
        found = _exports_of(lock, file, group.name)
        return ((group.exports[outer][1], name) for outer, name in found if group.exports.get(outer, ("",))[0] == node)
    return _exports_of(lock, file, node)


def _exports_of(lock: Lock, file: Path, unit: str) -> Iterator[tuple[str, str]]:
    digests = {one.role: one.digest for one in lock.artifacts if one.node == unit}
    if "core-plan" in digests:
        plan = json.loads(read_regular(artifact_path(file, digests["core-plan"]), _MAX_LOCK))
        yield from ((one["interface"] or "", short_name(function["name"])) for one in plan["exports"] for function in one["functions"])
    else:
        world = Toolchain(report=lambda _: None).world(Wit(path=artifact_path(file, digests["component"])))
        yield from ((one.name, short_name(function)) for one in world.exports for function in one.functions)
