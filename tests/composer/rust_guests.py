"""Small Rust guests for the builder's tests: without crates, and without exports, they take a second."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from ringfence_composer.builders.base import Artifact, BuildContext, ComponentSource
from ringfence_composer.builders.crates import LOCK
from ringfence_composer.builders.rust import RustBuilder
from ringfence_composer.builders.snapshot import write_tree

needs_rust = pytest.mark.skipif(shutil.which("cargo") is None, reason="cargo is not installed")
MANIFEST = """[package]
name = "guest"
version = "0.1.0"
edition = "2024"
[lib]
crate-type = ["cdylib"]
[workspace]
"""
LOCKED = 'version = 4\n\n[[package]]\nname = "guest"\nversion = "0.1.0"\n'
PANICS = """#[unsafe(no_mangle)]
pub extern "C" fn at(place: usize) -> u8 { std::env::args().next().unwrap().as_bytes()[place] }
"""


def component(folder: Path, *, world: str = "world guest {}", **files: str) -> ComponentSource:
    """A Rust component in a folder of its own; `files` are its crate's, with `__` for `/` and `_toml` and `_rs` for the ending."""
    crate = {"Cargo.toml": MANIFEST, LOCK: LOCKED, "src/lib.rs": PANICS}
    crate |= {
        name.replace("__", "/").replace("_rs", ".rs").replace("_toml", ".toml").replace("_lock", ".lock"): text
        for name, text in files.items()
    }
    write_tree({name: text.encode() for name, text in crate.items() if text}, folder / "crate")
    write_tree({"world.wit": f"package test:guest;\n{world}\n".encode()}, folder / "wit")
    return ComponentSource(name="guest", language="rust", wit=folder / "wit", world="guest", source=folder / "crate")


def build(source: ComponentSource, cache: Path, notes: list[str] | None = None, said: list[str] | None = None) -> Artifact:
    """Its artifact; warnings go to `notes`, what is told of the work to `said`."""
    report, note = (said if said is not None else []).append, (notes if notes is not None else []).append
    return RustBuilder().build(source, BuildContext(cache=cache, report=report, note=note))
