"""What wants a native library: refused before anything runs, or told by name, place and way out where it got further."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from ringfence_composer.builders.base import ComponentSource
from ringfence_composer.errors import BuildFailed, ComposerError, SourceInvalid
from rust_guests import LOCKED, MANIFEST, build, component, needs_rust

pytestmark = needs_rust
LIBZ_SYS = {  # name: version, SHA-256, what it needs
    "cc": ("1.11.3", "02f0e023adb368345ce0ca6cdfc0f24a06554468d0e8503e14a0841de79bfa69", ["find-msvc-tools", "shlex"]),
    "find-msvc-tools": ("0.1.15", "1c66915cc5391097de7a2b0b972e8505aa33c0df401fd3a6811dbdb32881ba48", []),
    "libc": ("0.2.191", "65cd87c9a6d60536580b316ad985726104730a5151c99845f2490428ef91240a", []),
    "libz-sys": ("1.1.31", "ff20308ecabd635a2dc1dd5834a86c462cca20efba1d5d3ddab1f8aea3455cb2", ["cc", "libc", "pkg-config", "vcpkg"]),
    "pkg-config": ("0.3.34", "f6b464fbc74e149a392436b17d523f769e057cb6877f6a5c4618bc6f11800548", []),
    "shlex": ("2.0.1", "f8fadd59c855ef2080decdef8ff161eb6661b86933c9d82e5ba29dc602a55aba", []),
    "vcpkg": ("0.2.15", "accd4ea62f7bb7a82fe23066fb0957d48ef677f6eeb8215f372f52e48bb32426", []),
}
OUTSIDE = 'unsafe extern "C" {\n    fn zlibVersion() -> *const u8;\n}\n'
CALLS = '#[unsafe(no_mangle)]\npub extern "C" fn version() -> *const u8 { unsafe { zlibVersion() } }\n'


def with_libz(folder: Path) -> ComponentSource:
    """A component that uses zlib by way of the crate that everybody does it by."""
    wanted = '[dependencies]\nlibz-sys = { version = "1", default-features = false, features = ["libc"] }\n'
    manifest = MANIFEST.replace("[workspace]", f"{wanted}[workspace]")
    source = 'source = "registry+https://github.com/rust-lang/crates.io-index"'
    lock = LOCKED.rstrip() + '\ndependencies = [\n "libz-sys",\n]\n'
    for name, (version, digest, needs) in LIBZ_SYS.items():
        needed = "".join(f' "{one}",\n' for one in needs)
        lock += f'\n[[package]]\nname = "{name}"\nversion = "{version}"\n{source}\nchecksum = "{digest}"\n'
        lock += f"dependencies = [\n{needed}]\n" if needs else ""
    return component(folder, Cargo_toml=manifest, Cargo_lock=lock)


def test_a_crate_for_a_native_library_is_refused_with_the_library_and_what_to_do_before_anything_runs(tmp_path: Path) -> None:
    with pytest.raises(SourceInvalid) as caught:
        build(with_libz(tmp_path / "one"), tmp_path / "cache")
    told = {one.reason.partition(":")[0]: one for one in (caught.value, *caught.value.further)}
    crate = told["libz-sys 1.1.31 (it is there for the native library z)"]
    assert crate.file == "Cargo.lock"
    assert with_libz(tmp_path / "two").source.joinpath("Cargo.lock").read_text().splitlines()[crate.line - 1] == 'name = "libz-sys"'
    for way in ("a crate in pure Rust", "a component in C", "`build: trusted`"):
        assert way in (crate.hint or "")
    assert "as part of the build script of libz-sys" in told["cc 1.11.3"].reason
    assert not list(tmp_path.glob("cache/crates/*/target"))


def test_a_build_script_that_finds_no_library_is_told_by_the_crate_and_the_library(tmp_path: Path) -> None:
    """Trusted, it runs, and looks for what no guest has; cargo's own words are a page of variables."""
    trusted = dataclasses.replace(with_libz(tmp_path / "one"), trusted=True)
    with pytest.raises(BuildFailed) as caught:
        build(trusted, tmp_path / "cache")
    assert "libz-sys 1.1.31: its build script failed; it is there for the native library z" in str(caught.value)
    assert "a crate in pure Rust" in (caught.value.hint or "")
    assert "cargo:rerun" not in caught.value.output


def test_a_library_that_the_component_itself_links_is_told_with_its_line(tmp_path: Path) -> None:
    text = '// zlib\n#[link(name = "z", kind = "dylib")]\n' + OUTSIDE + CALLS
    with pytest.raises(SourceInvalid) as caught:
        build(component(tmp_path, src__lib_rs=text), tmp_path / "cache")
    assert (caught.value.file, caught.value.line, caught.value.reason) == ("src/lib.rs", 2, "it links the native library z")


def test_a_function_from_nowhere_is_told_by_name(tmp_path: Path) -> None:
    with pytest.raises(ComposerError, match="nothing defines zlibVersion, which its code or a crate's calls") as caught:
        build(component(tmp_path, src__lib_rs=OUTSIDE + CALLS), tmp_path / "cache")
    assert "a crate in pure Rust" in (caught.value.hint or "")
