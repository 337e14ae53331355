"""Equal sources make equal components: in another folder, with another home, another cache, and whatever was compiled there before.

For Python that holds of all but the memory of the interpreter that componentize-py has started (its hash seed is random), which is all that
these tests let differ.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import guests
import pytest
from c_guests import with_zig
from places import ROOT
from ringfence.contract.layout import user_cache
from ringfence_composer.builders.base import Artifact, BuildContext
from ringfence_composer.builders.python import PythonBuilder
from ringfence_composer.compose import Workshop, build_folder
from ringfence_composer.new import new_component
from rust_guests import needs_rust

ELSEWHERE = user_cache() / "tests" / "elsewhere"
"""Another cache, in which the Rust crates were once compiled in another place; what is built there is built anew each time."""


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout's components in another folder, for somebody with another home and another cache."""
    for tool in ("CARGO", "RUSTUP"):
        monkeypatch.setenv(f"{tool}_HOME", os.environ.get(f"{tool}_HOME") or str(Path.home() / f".{tool.lower()}"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(user_cache().parent))  # where the toolchain lies, which is part of the installation
    for variable, folder in (("HOME", "another home"), ("TMPDIR", "temporary")):
        (tmp_path / folder).mkdir()
        monkeypatch.setenv(variable, str(tmp_path / folder))
    shutil.copytree(ROOT / "wit", tmp_path / "a" / "deeper" / "wit")
    shutil.copytree(ROOT / "components", tmp_path / "a" / "deeper" / "components", ignore=shutil.ignore_patterns("target"))
    return tmp_path / "a" / "deeper" / "components"


def built_again(component: Path, *, without: str = "build") -> Artifact:
    """The component, as an empty cache makes it; what it was compiled from stays from the last time."""
    with_zig(ELSEWHERE)
    for folder in ("build", without):
        shutil.rmtree(ELSEWHERE / folder, ignore_errors=True)
    return build_folder(component, Workshop(cache=ELSEWHERE))


@needs_rust
def test_a_component_in_rust_is_the_same_wherever_it_is_built(elsewhere: Path, tmp_path: Path) -> None:
    """With wit-bindgen's macro and all its crates."""
    one, two = build_folder(ROOT / "components/pricing", Workshop()), built_again(elsewhere / "pricing")
    assert (one.inputs, one.digest) == (two.inputs, two.digest)
    for path in (Path.home(), tmp_path, ROOT, user_cache()):
        assert str(path).encode() not in one.path.read_bytes() + two.path.read_bytes()


def test_a_component_in_c_is_the_same_wherever_it_is_built(elsewhere: Path, tmp_path: Path) -> None:
    """No path of a source, header or object gets into it, and no time."""
    made = []
    for place in (tmp_path / "c-thing", elsewhere / "c-thing"):
        new_component(place, "c")
        source = place / "src/c_thing.c"
        source.write_text(source.read_text() + 'const char *ringfence_origin(void) { return __FILE__ " " __TIMESTAMP__; }\n')
        os.utime(source, (len(made), len(made)))
        made.append(built_again(place, without="objects"))
    one, two = made
    assert (one.inputs, one.digest) == (two.inputs, two.digest)


def test_a_component_in_python_differs_in_its_interpreters_memory_alone(tmp_path: Path) -> None:
    """Nothing else is left to chance: neither code, types and names, nor their order."""
    files = {"app.py": guests.APP, "inner/__init__.py": b"VALUE = 1\n"}
    one, two = (
        PythonBuilder().build(guests.component(tmp_path / folder, files), BuildContext(cache=cache))
        for folder, cache in (("one", user_cache()), ("deeper/two", tmp_path / "cache"))
    )
    assert one.inputs == two.inputs
    differing = [(kind, part) for kind, part, left, right in pairs(one.path.read_bytes(), two.path.read_bytes()) if left != right]
    assert set(differing) - {(MODULE, MEMORY)} == {(MODULE, GLOBALS), (MODULE, DATA)}, "the memory that was stored, and what points into it"


MODULE, MEMORY, GLOBALS, DATA = 1, 5, 6, 11
"""Numbers of sections: a core module in a component; its memory, which at times is a page larger; its globals, its data."""
_HEADER = 8


def pairs(one: bytes, two: bytes) -> Iterator[tuple[int, int, bytes, bytes]]:
    """The sections of two components beside each other, those of their core modules one by one: kind, kind in the module (0: none)."""
    for (kind, left), (other, right) in zip(sections(one), sections(two), strict=True):
        assert kind == other
        if kind == MODULE:
            for (part, inner), (_, outer) in zip(sections(left), sections(right), strict=True):
                yield kind, part, inner, outer
        else:
            yield kind, 0, left, right


def sections(binary: bytes) -> Iterator[tuple[int, bytes]]:
    """A binary's sections: kind and content."""
    at = _HEADER
    while at < len(binary):
        kind, (size, start) = binary[at], number(binary, at + 1)
        yield kind, binary[start : start + size]
        at = start + size


def number(binary: bytes, at: int) -> tuple[int, int]:
    """An unsigned LEB128 and where it ends."""
    value = shift = 0
    while True:
        byte = binary[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
