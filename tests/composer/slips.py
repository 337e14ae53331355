"""Slips of the pen, as hypothesis strategies: documents and texts that are nearly right."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

fuzz = settings(
    # Far more than any of this takes, on a machine that is busy with other things.
    deadline=timedelta(seconds=20),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    max_examples=120,
)

ODD = [None, True, False, 0, -1, 1.5, "", " ", "no", "22:22", "host", "${x}", "${", "$", "\0", "\x1b[31m", "a" * 300, "../..", "x.wasm"]
ODD_TEXT = [
    "&a x",
    "*a",
    "!!str x",
    "<<: {}",
    "? x",
    "- x",
    "{",
    "]",
    "'",
    '"',
    "\t",
    ": :",
    "---",
    "%TAG",
    "0o7",
    "017",
    "1e999",
    ".nan",
    "#",
]
KEYS = [
    *("nodes", "edges", "expose", "parameters", "from", "to", "grant", "calls", "component", "limits", "tcp", "files", "x"),
    *("type", "within", "wit", "source", "module"),
]
odd_values = st.sampled_from([*ODD, [], {}, [[]], {"x": {"x": 1}}]) | st.integers() | st.text(max_size=5)


def places(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of everything in a document, but for the document."""
    for step, inner in data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ():
        yield (*path, step)
        yield from places(inner, (*path, step))


@st.composite
def mutated(draw: st.DrawFn, right: Any) -> Any:
    """The document after a few slips: something dropped, doubled, renamed, of another type, or odd."""
    data = copy.deepcopy(right)
    for _ in range(draw(st.integers(1, 4))):
        paths = list(places(data))
        if not paths:
            break
        *way, last = draw(st.sampled_from(paths))
        holder = data
        for step in way:
            holder = holder[step]
        match draw(st.sampled_from(["drop", "odd", "wrap", "rename", "double"])):
            case "drop":
                del holder[last]
            case "odd":
                holder[last] = copy.deepcopy(draw(odd_values))  # a later slip may change what is in it
            case "wrap":
                holder[last] = draw(st.sampled_from([[holder[last]], {"x": holder[last]}, str(holder[last])]))
            case "rename" if isinstance(holder, dict):
                holder[draw(st.sampled_from(KEYS) | st.text(max_size=4))] = holder.pop(last)
            case _ if isinstance(holder, list):
                holder.insert(0, holder[last])
            case _:
                holder[draw(st.sampled_from(KEYS))] = holder[last]
    return data


@st.composite
def scribbled(draw: st.DrawFn, right: str) -> str:
    """The text after a few slips of the editor: lines gone, doubled, moved in or out, with something odd in them."""
    lines = right.splitlines()
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(lines) - 1))
        match draw(st.sampled_from(["drop", "double", "indent", "odd", "cut"])):
            case "drop" if len(lines) > 1:
                del lines[at]
            case "double":
                lines.insert(at, lines[at])
            case "indent":
                lines[at] = draw(st.sampled_from([" ", "  ", "\t", "- "])) + lines[at]
            case "odd":
                lines[at] += draw(st.sampled_from(ODD_TEXT))
            case _:
                lines[at] = lines[at][: draw(st.integers(0, len(lines[at])))]
    return "\n".join(lines)
