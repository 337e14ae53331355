"""The Rust builder: what is refused before anything is compiled, what the compiler says and where, and that equal sources build equally.

Most guests here have no crates and export nothing, so that one takes a second; components/pricing and `compose new` stand for real ones.
"""

from __future__ import annotations

import dataclasses
import json
import tomllib
from pathlib import Path

import pytest
from places import ROOT
from ringfence.contract.layout import user_cache
from ringfence_composer.builders import crates
from ringfence_composer.builders.base import ComponentSource
from ringfence_composer.builders.crates import LOCK, host_crates, refuse_unreviewed
from ringfence_composer.builders.rust import RustBuilder, _named
from ringfence_composer.builders.snapshot import write_tree
from ringfence_composer.errors import BuildFailed, ComposerError, InputInvalid, SourceInvalid, ToolMissing
from rust_guests import LOCKED, MANIFEST, PANICS, build, component, needs_rust

TEMPLATE = ROOT / "composer/src/ringfence_composer/templates/rust"


@pytest.mark.parametrize(
    ("files", "message", "hint"),
    [
        ({"Cargo_toml": ""}, "there is no Cargo.toml in the source folder", "source:"),
        ({"Cargo_lock": ""}, "there is no Cargo.lock beside Cargo.toml", "cargo generate-lockfile"),
        ({"Cargo_toml": MANIFEST.replace("cdylib", "rlib")}, "no library of the type cdylib", "crate-type"),
        ({"Cargo_toml": '[package]\nname = "a\n'}, "Cargo.toml:2", None),
        ({"Cargo_lock": "version = \n"}, "Cargo.lock:1", None),
    ],
)
def test_what_can_be_seen_without_a_compiler_is_said_before_one_is_run(
    tmp_path: Path, files: dict[str, str], message: str, hint: str | None
) -> None:
    with pytest.raises(InputInvalid) as caught:
        RustBuilder().check(component(tmp_path, **files))
    assert message in str(caught.value)
    assert hint is None or hint in (caught.value.hint or "")


def test_what_lies_beside_the_library_is_no_part_of_it(tmp_path: Path) -> None:
    """`cargo test` in the folder writes thousands of files, some of them links."""
    one = component(tmp_path / "one")
    (one.source / "target/debug").mkdir(parents=True)
    (one.source / "target/debug/link").symlink_to("/etc/passwd")
    RustBuilder().check(one)
    (one.source / "src/target").symlink_to("/etc/passwd")
    with pytest.raises(InputInvalid, match="symbolic link"):
        RustBuilder().check(one)


@needs_rust
def test_equal_sources_make_equal_components_in_whatever_folder(tmp_path: Path) -> None:
    """Else a lock that somebody else made could never be checked. A panic's message holds a path, so that would show."""
    one = build(component(tmp_path / "one"), tmp_path / "cache-one")
    two = build(component(tmp_path / "a" / "deeper" / "two"), tmp_path / "another-cache")
    assert (one.inputs, one.digest) == (two.inputs, two.digest)
    content = one.path.read_bytes()
    assert b"src/lib.rs" in content, "the control: it does hold the path of the source"
    assert str(tmp_path).encode() not in content
    assert str(Path.home()).encode() not in content
    changed = component(tmp_path / "two", src__lib_rs=PANICS + "\n")
    assert build(changed, tmp_path / "cache-one").inputs != one.inputs


@needs_rust
def test_all_compile_errors_come_with_their_places_and_the_compilers_words(tmp_path: Path) -> None:
    source = component(tmp_path, src__lib_rs="mod inner;\npub fn a() -> u8 { true }\n", src__inner_rs='\npub fn b() { missing("x") }\n')
    with pytest.raises(SourceInvalid) as caught:
        build(source, tmp_path / "cache")
    found = sorted((one.file, one.line, one.reason) for one in (caught.value, *caught.value.further))
    assert found[0][:2] == ("src/inner.rs", 2)
    assert "missing" in found[0][2]
    assert any("^^^" in (one.hint or "") for one in (caught.value, *caught.value.further))
    only = component(tmp_path / "b", src__lib_rs="pub fn a() -> u8 { true }\n")
    with pytest.raises(SourceInvalid, match=r"src/lib\.rs:1: mismatched types"):
        build(only, tmp_path / "cache")


@needs_rust
def test_warnings_are_shown_as_the_compiler_wrote_them(tmp_path: Path) -> None:
    notes: list[str] = []
    build(component(tmp_path, src__lib_rs=PANICS + "fn unused() {}\n"), tmp_path / "cache", notes)
    assert len(notes) == 1
    assert "function `unused` is never used" in notes[0]
    assert "--> src/lib.rs:3:4" in notes[0]


@needs_rust
def test_a_file_of_the_developers_is_not_compiled_in(tmp_path: Path) -> None:
    """A crate could otherwise carry `include_bytes!("/home/…/.ssh/id_rsa")`, and the component would know it."""
    secret = tmp_path / "secret.txt"
    secret.write_text("s3cret")
    text = PANICS + '#[unsafe(no_mangle)] pub extern "C" fn s(i: usize) -> u8 { include_bytes!("FILE")[i] }\n'
    with pytest.raises(BuildFailed, match=r"secret\.txt was compiled in"):
        build(component(tmp_path / "one", src__lib_rs=text.replace("FILE", str(secret))), tmp_path / "cache")
    allowed = component(tmp_path / "two", src__lib_rs=text.replace("FILE", "own.txt"))
    (allowed.source / "src/own.txt").write_text("public")
    build(allowed, tmp_path / "cache")  # the control


@needs_rust
def test_nothing_of_the_developers_environment_reaches_the_compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RINGFENCE_TEST_SECRET", "s3cret")
    monkeypatch.setenv("RUSTC_WRAPPER", "/nowhere")
    monkeypatch.setenv("CARGO_PROFILE_RELEASE_STRIP", "false")
    text = 'pub const FOUND: Option<&str> = option_env!("RINGFENCE_TEST_SECRET");\nconst _: () = assert!(FOUND.is_none());\n'
    build(component(tmp_path, src__lib_rs=text), tmp_path / "cache")


@needs_rust
def test_a_build_script_needs_trust(tmp_path: Path) -> None:
    """It is a program that runs with all that the developer may do."""
    proof = tmp_path / "it-ran"
    script = f'fn main() {{ std::fs::write("{proof}", "x").unwrap(); }}'
    source = component(tmp_path / "one", build_rs=script)
    with pytest.raises(SourceInvalid) as caught:
        build(source, tmp_path / "cache")
    assert (caught.value.file, caught.value.line) == (LOCK, 4)
    assert "guest 0.1.0: its build script would run on this machine" in caught.value.reason
    assert "build: trusted" in (caught.value.hint or "")
    assert not proof.exists()
    build(dataclasses.replace(source, trusted=True), tmp_path / "cache")
    assert proof.exists(), "the control: trusted, it does run"


@needs_rust
def test_a_lock_that_does_not_fit_the_manifest_is_said(tmp_path: Path) -> None:
    wanting = MANIFEST.replace("[workspace]", '[dependencies]\nmemchr = "2"\n[workspace]')
    with pytest.raises(ComposerError) as caught:
        build(component(tmp_path, Cargo_toml=wanting), tmp_path / "cache")
    assert "Cargo.lock: it does not fit Cargo.toml" in str(caught.value)
    assert "cargo generate-lockfile" in (caught.value.hint or "")


OTHER_LOCKED = '[[package]]\nname = "other"\nversion = "0.1.0"\n'


@needs_rust
@pytest.mark.parametrize(
    ("added", "line"),
    [
        ('[dependencies]\nother = { path = "../other" }\n[workspace]', 8),
        ('[workspace]\n[dependencies.other]\npath = "../other"', 8),
    ],
)
def test_a_crate_outside_the_source_folder_is_told_with_its_line(tmp_path: Path, added: str, line: int) -> None:
    """cargo says where it did not find it, which is a folder of ours that is gone by then. In the developer's folder it is there."""
    other = {
        "Cargo.toml": MANIFEST.replace("guest", "other").replace("cdylib", "rlib").replace("[workspace]\n", "").encode(),
        "src/lib.rs": b"",
    }
    locked = f'{LOCKED}dependencies = [\n "other",\n]\n\n{OTHER_LOCKED}'
    source = component(tmp_path, Cargo_toml=MANIFEST.replace("[workspace]", added), Cargo_lock=locked)
    write_tree(other, tmp_path / "other")
    with pytest.raises(SourceInvalid) as caught:
        build(source, tmp_path / "cache")
    assert (caught.value.file, caught.value.line) == ("Cargo.toml", line)
    assert caught.value.reason == "the crate other is not in the source folder"
    write_tree(other, tmp_path / "crate/other")
    manifest = MANIFEST.replace("[workspace]", added.replace("../other", "other"))
    assert build(component(tmp_path, Cargo_toml=manifest, Cargo_lock=locked), tmp_path / "cache"), "the control"


@needs_rust
def test_what_comes_from_a_workspace_outside_the_source_folder_is_told_with_its_line(tmp_path: Path) -> None:
    write_tree({"Cargo.toml": b'[workspace]\nmembers = ["crate"]\n[workspace.package]\nversion = "0.1.0"\n'}, tmp_path / "mine")
    manifest = MANIFEST.replace('version = "0.1.0"', "version.workspace = true").replace("[workspace]\n", "")
    with pytest.raises(SourceInvalid, match="it takes version from a workspace, which is no part of the source folder") as caught:
        build(component(tmp_path / "mine", Cargo_toml=manifest), tmp_path / "cache")
    assert (caught.value.file, caught.value.line) == ("Cargo.toml", 3)


@needs_rust
def test_a_component_without_an_export_of_its_world_is_refused(tmp_path: Path) -> None:
    source = component(tmp_path, world="interface greetings { greet: func(); }\nworld guest { export greetings; }")
    with pytest.raises(BuildFailed, match="its world exports test:guest/greetings, the component does not: it exports nothing"):
        build(source, tmp_path / "cache")


def test_a_missing_target_is_one_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Building never downloads anything behind the user's back but the crates that are pinned."""
    monkeypatch.setattr("ringfence_composer.builders.rust.has_target", lambda: False)
    with pytest.raises(ToolMissing) as caught:
        build(component(tmp_path), tmp_path / "cache")
    assert "rustup target add wasm32-wasip2" in (caught.value.hint or "")


def package(name: str, kind: str = "lib", links: str | None = None) -> dict[str, object]:
    return {"id": name, "name": name, "version": "1.0.0", "links": links, "targets": [{"kind": ["lib"]}, {"kind": [kind]}]}


def node(name: str, **needs: list[str]) -> dict[str, object]:
    deps = [
        {"pkg": other, "dep_kinds": [{"kind": None if kind == "normal" else kind}]} for kind, others in needs.items() for other in others
    ]
    return {"id": name, "deps": deps}


def test_what_is_linked_into_a_build_script_or_macro_runs_too(tmp_path: Path) -> None:
    """A reviewed macro is worth nothing where the parser beneath it is somebody else's."""
    metadata = {
        "packages": [
            package("root"),
            package("macro", "proc-macro"),
            package("parser"),
            package("zlib-sys", "custom-build", "z"),
            package("cc"),
            package("test"),
        ],
        "resolve": {
            "root": "root",
            "nodes": [
                node("root", normal=["macro", "zlib-sys"], dev=["test"]),
                node("macro", normal=["parser"]),
                node("zlib-sys", build=["cc"]),
                *map(node, ("parser", "cc", "test")),
            ],
        },
    }
    found = {one.name: one.how for one in host_crates(metadata, metadata)}
    assert found == {
        "macro": "as a procedural macro",
        "parser": "as part of the procedural macro macro",
        "zlib-sys": "its build script",
        "cc": "as part of the build script of zlib-sys",
    }
    lock = b"".join(f'[[package]]\nname = "{name}"\nversion = "1.0.0"\n\n'.encode() for name in ("cc", "macro", "zlib-sys", "parser"))
    with pytest.raises(SourceInvalid) as caught:
        refuse_unreviewed(component(tmp_path), metadata, metadata, lock)
    told = {one.reason.split(":")[0]: one.line for one in (caught.value, *caught.value.further)}
    assert told == {"cc 1.0.0": 2, "macro 1.0.0": 6, "zlib-sys 1.0.0 (it is there for the native library z)": 10, "parser 1.0.0": 14}


def with_crates(folder: Path, **crates: str) -> ComponentSource:
    """A component whose crates lie in its folder: of each the end of its Cargo.toml. All but the root have a build script."""
    ends = {
        name: f'[package]\nname = "{name}"\nversion = "0.1.0"\nedition = "2024"\n{end}' for name, end in crates.items() if name != "guest"
    }
    locked = ["version = 4"]
    for name, end in sorted(crates.items()):
        needs = "".join(f' "{other}",\n' for other in sorted(crates) if f"{other} = {{ path" in end)
        locked.append(f'[[package]]\nname = "{name}"\nversion = "0.1.0"\n' + (f"dependencies = [\n{needs}]\n" if needs else ""))
    source = component(folder, Cargo_toml=MANIFEST + crates["guest"], Cargo_lock="\n".join(locked))
    for name, end in ends.items():
        files = {"Cargo.toml": end, "src/lib.rs": "", "build.rs": "fn main() { panic!() }\n"}
        write_tree({path: text.encode() for path, text in files.items()}, folder / "crate" / name)
    return source


@needs_rust
def test_a_crate_for_another_platform_than_the_guests_does_not_run_and_needs_no_trust(tmp_path: Path) -> None:
    """Much asks for libc on unix; a guest is none, so that libc's build script is never compiled."""
    unix = "[target.'cfg(unix)'.dependencies]\nlow = { path = \"low\" }\n"
    assert build(with_crates(tmp_path / "one", guest=unix, low=""), tmp_path / "cache").digest
    with pytest.raises(SourceInvalid, match=r"low 0\.1\.0: its build script would run"):
        build(with_crates(tmp_path / "two", guest=unix.replace("unix", 'target_os = "wasi"'), low=""), tmp_path / "cache")


@needs_rust
@pytest.mark.parametrize("kind", ["dependencies", "build-dependencies"])
def test_what_runs_here_is_asked_for_by_this_machine(kind: str, tmp_path: Path) -> None:
    """A macro's crates, and those of a build script, are compiled for this machine: there the guest's platform is not the measure."""
    low = f"[target.'cfg(unix)'.{kind}]\nlow = {{ path = \"../low\" }}\n"
    macro = "[lib]\nproc-macro = true\n" if kind == "dependencies" else ""
    crates = {"guest": '[dependencies]\nupper = { path = "upper" }\n', "upper": macro + low, "low": ""}
    with pytest.raises(SourceInvalid) as caught:
        build(with_crates(tmp_path, **crates), tmp_path / "cache")
    told = [one.reason.partition(" 0.1.0")[0] for one in (caught.value, *caught.value.further)]
    assert told == ["low", "upper"]


@pytest.mark.parametrize("crate", [TEMPLATE / "crate", ROOT / "components/pricing/crate"], ids=["new", "pricing"])
def test_the_reviewed_list_has_what_our_own_components_need(crate: Path) -> None:
    """By digest: a crate of the same name and version from elsewhere is another crate."""
    packages = tomllib.loads((crate / LOCK).read_text())["package"]
    assert {(one["name"], one["version"], one["checksum"]) for one in packages if "checksum" in one} <= crates._reviewed()


def test_a_list_for_make_is_read_with_its_spaces() -> None:
    listing = "/w/a\\ b.d: src/lib.rs /home/my\\ keys/id\n\nsrc/lib.rs:\n# env-dep:X=a: b\n"
    assert _named(listing) == ["src/lib.rs", "/home/my keys/id"]


def test_settings_of_the_developers_cargo_do_not_count(tmp_path: Path) -> None:
    """`.cargo/config.toml` names programs to run; names that begin with a dot are never part of a build."""
    source = component(tmp_path)
    (source.source / ".cargo").mkdir()
    (source.source / ".cargo/config.toml").write_text(json.dumps("nonsense"))
    RustBuilder().check(source)


ASKS = """interface probe { ask: func(number: u32, text: string) -> u32; }
world guest { export probe; }
world other { export further: interface { ask: func(); } }"""
ANSWERS = """use exports::test::guest::probe::Guest;
wit_bindgen::generate!({ path: "../wit", world: "guest" });
struct Component;
impl Guest for Component {
    fn ask(number: u32, text: String) -> u32 { number + text.len() as u32 }
}
export!(Component);
"""
OTHER = """wit_bindgen::generate!({ path: "../wit", world: "other" });
struct Component;
impl exports::further::Guest for Component { fn ask() {} }
export!(Component);
"""


@needs_rust
@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("number: u32, text: String", "number: u64, text: String"), r"src/lib\.rs:5: method `ask` has an incompatible type for trait"),
        (
            ("number: u32, text: String) -> u32 { number +", "text: String) -> u32 {"),
            r"src/lib\.rs:5: method `ask` has 1 parameter but .* has 2",
        ),
        (
            ("    fn ask(", "    fn aks("),
            r"src/lib\.rs:(4|5): (not all trait items implemented, missing: `ask`|method `aks` is not a member)",
        ),
        (('world: "guest"', 'world: "gest"'), r"src/lib\.rs:2: failed to select world.*|src/lib\.rs:2: .*gest"),
        ((ANSWERS, OTHER), "its world exports test:guest/probe, the component does not: it exports further"),
    ],
    ids=["type", "number of parameters", "missing", "no such world", "other world"],
)
def test_a_crate_that_is_written_for_another_wit_is_told_where(tmp_path: Path, change: tuple[str, str], told: str) -> None:
    """With the crates that components/pricing needs, which are compiled once."""
    pricing = ROOT / "components/pricing/crate"
    files = {"Cargo_toml": (pricing / "Cargo.toml").read_text(), "Cargo_lock": (pricing / LOCK).read_text()}
    text = ANSWERS.replace(*change)
    assert text != ANSWERS
    with pytest.raises(ComposerError, match=told):
        build(component(tmp_path, world=ASKS, src__lib_rs=text, **files), user_cache())


ITS_OWN = """wit_bindgen::generate!({{ inline: "
package test:guest; world guest {{ type t = {0}; export ask: func(number: t); export sub: interface {{ ask: func(number: {1}); }} }}" }});
struct Component;
impl Guest for Component {{ fn ask(_number: T) {{}} }}
impl exports::sub::Guest for Component {{ fn ask(_number: {1}) {{}} }}
export!(Component);
"""
DIRECTLY = "world guest { type t = u32; export ask: func(number: t); export sub: interface { ask: func(number: u32); } }"


@needs_rust
@pytest.mark.parametrize(("first", "second", "told"), [("u64", "u32", "ask"), ("u32", "u64", "sub, ask"), ("u32", "u32", None)])
def test_what_a_world_exports_without_an_interface_is_held_to_its_types_too(
    tmp_path: Path, first: str, second: str, told: str | None
) -> None:
    """A crate may name a WIT of its own in the macro, so that the compiler finds nothing wrong."""
    pricing = ROOT / "components/pricing/crate"
    files = {"Cargo_toml": (pricing / "Cargo.toml").read_text(), "Cargo_lock": (pricing / LOCK).read_text()}
    source = component(tmp_path, world=DIRECTLY, src__lib_rs=ITS_OWN.format(first, second), **files)
    if told is None:
        assert build(source, user_cache()).digest
        return
    with pytest.raises(BuildFailed, match=f"it exports {told} with other types than its WIT: .*expected .*u32.* found .*u64"):
        build(source, user_cache())


@needs_rust
def test_the_crate_that_is_spoilt_is_right(tmp_path: Path) -> None:
    pricing = ROOT / "components/pricing/crate"
    files = {"Cargo_toml": (pricing / "Cargo.toml").read_text(), "Cargo_lock": (pricing / LOCK).read_text()}
    assert build(component(tmp_path, world=ASKS, src__lib_rs=ANSWERS, **files), user_cache()).digest
