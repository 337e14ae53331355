"""What a component costs by the language that it is written in: its size, the memory of an instance, the time of its build.

JSON decoders in C and in Python, which do the same, and what computes prices in Rust. A build is cold where the build cache is an empty
folder: all that the builders keep there (the C library, crates compiled, archives fetched) is made anew, but what cargo and pip keep of
their registries is not fetched again. Memory is measured in a process of its own: what it grows by for each further instance that has
answered a call.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from ringfence_composer.compose import Workshop, build_folder, compose_file

from benchmarks.results import Language
from benchmarks.work import Place

COMPONENTS = (
    ("C", "components/json-decoder", "decode", '"[1]"'),
    ("Rust", "components/pricing", "total", "[], []"),
    ("Python", "tests/components/json_in_python", "decode", '"[1]"'),
)
_FIRST, _MORE = 4, 16
_HELD = """
import gc, json, sys
from ringfence import Graph

def resident():
    gc.collect()
    return int(next(line for line in open("/proc/self/status") if line.startswith("VmRSS")).split()[1]) << 10

with Graph.load(sys.argv[1]) as graph:
    for number in range({first}):
        graph.call(f"n{{number}}.{function}", {arguments})
    before = resident()
    for number in range({first}, {first} + {more}):
        graph.call(f"n{{number}}.{function}", {arguments})
    print(json.dumps((resident() - before) // {more}))
"""

Say = Callable[[str], None]


def languages(place: Place, say: Say) -> Iterator[Language]:
    """A record for each language; builds take minutes."""
    for language, folder, function, arguments in COMPONENTS:
        component = place.root / folder
        size = build_folder(component, Workshop()).path.stat().st_size
        say(f"instances in {language}")
        memory = _memory(component, place.new_folder(), function, arguments)
        say(f"a build in {language}, nothing cached")
        cache = Workshop(cache=place.new_folder())
        cold, cached = (_taken(component, cache) for _ in range(2))
        yield Language(language=language, component=folder, size=size, memory=memory, cold=cold, cached=cached)


def _taken(component: Path, workshop: Workshop) -> float:
    begun = time.perf_counter()
    build_folder(component, workshop)
    return time.perf_counter() - begun


def _memory(component: Path, folder: Path, function: str, arguments: str) -> int | None:
    """Bytes for each further instance; None where the system does not tell."""
    if not Path("/proc/self/status").exists():
        return None
    path = os.path.relpath(component, folder)
    nodes = "".join(f"  n{number}: {{ component: {path}, instances: pooled }}\n" for number in range(_FIRST + _MORE))
    exposed = ", ".join(f"n{number}" for number in range(_FIRST + _MORE))
    (folder / "graph.yaml").write_text(f"ringfence: 1\ngraph: held\nnodes:\n{nodes}expose: [{exposed}]\n")
    compose_file(folder / "graph.yaml")
    program = _HELD.format(first=_FIRST, more=_MORE, function=function, arguments=arguments)
    command = [sys.executable, "-c", program, str(folder / "graph.yaml")]
    found: int = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return found
