"""Crates are compiled once: what they became is used again, by one build at a time, and changes no component."""

from __future__ import annotations

import dataclasses
import threading
from pathlib import Path

import pytest
from ringfence_composer.builders.base import ComponentSource
from ringfence_composer.builders.snapshot import write_tree
from ringfence_composer.errors import BuildFailed, SourceInvalid
from rust_guests import LOCKED, MANIFEST, build, component, needs_rust

pytestmark = needs_rust
ITOA = """
[[package]]
name = "itoa"
version = "1.0.19"
source = "registry+https://github.com/rust-lang/crates.io-index"
checksum = "3bd1574e617a9a6c1f8f8181bd7e841e1f20e4277607ef28945765188d6284d4"
"""
USES = """#[unsafe(no_mangle)]
pub extern "C" fn digits(number: u64) -> usize { itoa::Buffer::new().format(number).len() + EXTRA }
const EXTRA: usize = 0;
"""


def with_itoa(folder: Path, text: str = USES, **files: str) -> ComponentSource:
    """A component that uses the crate itoa, which takes a second to compile."""
    manifest = MANIFEST.replace("[workspace]", '[dependencies]\nitoa = "1"\n[workspace]')
    lock = LOCKED.rstrip() + '\ndependencies = [\n "itoa",\n]\n' + ITOA
    return component(folder, Cargo_toml=manifest, Cargo_lock=lock, src__lib_rs=text, **files)


def compiled(said: list[str]) -> set[str]:
    """The crates that cargo said it compiled."""
    return {line.split()[2] for line in said if " Compiling " in line}


def test_an_edit_compiles_the_components_own_crate_alone_and_makes_what_an_empty_cache_makes(tmp_path: Path) -> None:
    first: list[str] = []
    one = build(with_itoa(tmp_path / "one"), tmp_path / "cache", said=first)
    assert compiled(first) == {"itoa", "guest"}, "the control: it is seen what is compiled"
    edited = USES.replace("usize = 0", "usize = 17")
    again: list[str] = []
    two = build(with_itoa(tmp_path / "elsewhere/two", edited), tmp_path / "cache", said=again)
    assert compiled(again) == {"guest"}
    afresh = build(with_itoa(tmp_path / "three", edited), tmp_path / "empty")
    assert two.digest == afresh.digest != one.digest
    assert not list(tmp_path.glob("cache/crates/*/tree")), "no source is left behind"


def test_builds_at_once_with_the_same_crates_do_not_mix(tmp_path: Path) -> None:
    """Two terminals, or two components of a graph: each gets its own code, as if it had been alone."""
    texts = [USES.replace("usize = 0", f"usize = {number}") for number in range(3)]
    made: dict[int, str] = {}

    def make(number: int) -> None:
        made[number] = build(with_itoa(tmp_path / str(number), texts[number]), tmp_path / "cache").digest

    threads = [threading.Thread(target=make, args=[number]) for number in range(3)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    alone = {number: build(with_itoa(tmp_path / f"alone-{number}", text), tmp_path / "another").digest for number, text in enumerate(texts)}
    assert made == alone
    assert len(set(made.values())) == 3


def test_a_file_of_the_developers_is_refused_each_time(tmp_path: Path) -> None:
    """What was compiled before it was looked at must not be taken for good by the next build."""
    secret = tmp_path / "secret.txt"
    secret.write_text("s3cret")
    source = with_itoa(tmp_path / "one", USES + f'pub const S: &[u8] = include_bytes!("{secret}");\n')
    for _ in range(2):
        with pytest.raises(BuildFailed, match=r"secret\.txt was compiled in"):
            build(source, tmp_path / "cache")
    build(with_itoa(tmp_path / "two"), tmp_path / "cache")


def test_what_another_component_became_there_is_out_of_reach(tmp_path: Path) -> None:
    """Two projects that lock the same crates are compiled in one place, and are nobody's business of each other."""
    build(with_itoa(tmp_path / "one"), tmp_path / "cache")
    (made,) = tmp_path.glob("cache/crates/*/target/wasm32-wasip2/release/*.wasm")
    other = MANIFEST.replace('"guest"', '"other"').replace("[workspace]", '[dependencies]\nitoa = "1"\n[workspace]')
    lock = LOCKED.replace('"guest"', '"other"').rstrip() + '\ndependencies = [\n "itoa",\n]\n' + ITOA
    text = USES + f'#[unsafe(no_mangle)] pub extern "C" fn s(i: usize) -> u8 {{ include_bytes!("{made}")[i] }}\n'
    with pytest.raises(BuildFailed, match=r"guest\.wasm was compiled in"):
        build(component(tmp_path / "two", Cargo_toml=other, Cargo_lock=lock, src__lib_rs=text), tmp_path / "cache")


def test_what_a_killed_build_left_is_no_part_of_the_next(tmp_path: Path) -> None:
    clean = build(with_itoa(tmp_path / "one"), tmp_path / "cache")
    place = next(one for one in (tmp_path / "cache/crates").iterdir() if one.is_dir())
    write_tree({"crate/src/main.rs": b"compile_error!()", "crate/build.rs": b"fn main() { panic!() }"}, place / "tree")
    (tmp_path / "cache/build").rename(tmp_path / "cache/before")
    assert build(with_itoa(tmp_path / "two"), tmp_path / "cache").digest == clean.digest


def test_what_was_compiled_for_a_trusted_component_is_for_it_alone(tmp_path: Path) -> None:
    """Its build scripts may have written anything beside the crates that others would take for compiled."""
    trusted = dataclasses.replace(with_itoa(tmp_path / "one", build_rs="fn main() {}"), trusted=True)
    build(trusted, tmp_path / "cache")
    said: list[str] = []
    build(with_itoa(tmp_path / "two"), tmp_path / "cache", said=said)
    assert compiled(said) == {"itoa", "guest"}


def test_a_crate_that_is_no_longer_on_the_list_is_refused_though_it_was_compiled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The review is asked each time, before anything runs; what lies in the cache says nothing."""
    source = with_itoa(tmp_path / "one", build_rs="fn main() {}")
    monkeypatch.setattr("ringfence_composer.builders.rust.refuse_unreviewed", lambda *_: None)
    build(source, tmp_path / "cache")
    monkeypatch.undo()
    with pytest.raises(SourceInvalid, match="its build script would run"):
        build(with_itoa(tmp_path / "two", USES + "\n", build_rs="fn main() {}"), tmp_path / "cache")
