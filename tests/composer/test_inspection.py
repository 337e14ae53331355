"""`compose inspect`: what a file is, and what it could ask for at most, before anybody runs it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from ringfence_composer import inspection
from ringfence_composer.cli import compose
from ringfence_composer.compose import Workshop, plan_file
from ringfence_composer.inspection import Inspection, inspect
from ringfence_composer.toolchain import Toolchain

ROOT = Path(__file__).parents[2]
RANDOM = '(import "wasi:random/random@0.2.6" (instance (export "get-random-u64" (func (result u64)))))'
Assemble = Callable[[str], Path]


@pytest.fixture(scope="session")
def toolchain() -> Toolchain:
    return Toolchain()


@pytest.fixture
def assemble(toolchain: Toolchain, tmp_path: Path) -> Assemble:
    """The file of a binary, from its text."""

    def assembled(text: str) -> Path:
        (tmp_path / "it.wasm").write_bytes(toolchain.parse(text))
        return tmp_path / "it.wasm"

    return assembled


def looked_at(path: Path) -> Inspection:
    return inspect(path, Workshop())


def command(*words: str | Path) -> Result:
    return CliRunner().invoke(compose, ["inspect", *map(str, words)], catch_exceptions=False)


def test_every_import_is_told_by_what_it_could_ask_for(assemble: Assemble) -> None:
    """An import that opens two kinds names both; one that nothing knows is not passed over."""
    about = looked_at(
        assemble(
            f"""(component {RANDOM}
            (import "wasi:cli/environment@0.2.6" (instance (export "get-arguments" (func (result (list string))))))
            (import "wasi:cli/exit@0.2.6" (instance))
            (import "wasi:filesystem/preopens@0.2.6" (instance))
            (import "wasi:keyvalue/store@0.2.6" (instance))
            (import "acme:shop/prices@1.0.0" (instance (export "price" (func (param "sku" string) (result u32))))))"""
        )
    )
    assert {one.name.partition("@")[0]: (one.asks, one.kinds) for one in about.imports} == {
        "wasi:random/random": ("grant", ("random",)),
        "wasi:cli/environment": ("grant", ("env", "args")),
        "wasi:cli/exit": ("inert", ()),
        "wasi:filesystem/preopens": ("grant", ("files",)),
        "wasi:keyvalue/store": ("unknown", ()),
        "acme:shop/prices": ("node", ()),
    }
    assert "price: func(sku: string) -> u32;" in about.wit
    assert "package wasi:" not in about.wit


def test_what_could_be_asked_for_is_what_the_plan_decides() -> None:
    """One definition: an import that inspect calls inert is granted without a line, one that needs a kind is granted by it or denied."""
    planned = plan_file(ROOT / "manifests" / "shop" / "graph.yaml", Workshop())
    decided = {one.name: one for one in planned.nodes[0].imports}
    about = looked_at(ROOT / "components" / "vendor-client")
    assert set(decided) == {one.name for one in about.imports}
    for one in about.imports:
        by = decided[one.name].by
        assert (one.asks == "inert") == (by == "no authority of its own")
        assert (one.asks == "node") == (decided[one.name].decision == "linked")
        assert not by.startswith("vendor -> host: ") or by.rpartition(" ")[2] in one.kinds
    assert about.built_by == ("componentize-py 0.25.1", "CPython 3.14")
    assert about.lane == planned.nodes[0].lane == "core"
    assert [one.name for one in about.exports if one.functions] == ["exports", "acme:vendor/orders"]


def test_the_lane_comes_with_its_reasons(assemble: Assemble) -> None:
    about = looked_at(assemble(f"(component {RANDOM} (core module (memory 1 1 shared)))"))
    assert (about.lane, about.lane_reasons) == ("component", ("a module in it has a shared memory",))
    assert "component (core can't carry it: a module in it has a shared memory)" in command(about.file).stdout
    assert looked_at(assemble(f"(component {RANDOM})")).lane == "core"  # positive control


def test_a_world_that_wit_cannot_say_is_no_reason_to_say_nothing(assemble: Assemble) -> None:
    result = command(assemble('(component (import "c" (component)))'), "--json")
    data = json.loads(result.stdout)
    assert (result.exit_code, data["kind"], data["lane"]) == (0, "component", None)
    assert data["world_fault"]
    assert "it can't be told" in command(assemble('(component (import "c" (component)))')).stdout


def test_a_second_reading_that_differs_is_shown(assemble: Assemble, monkeypatch: pytest.MonkeyPatch) -> None:
    file = assemble(f"(component {RANDOM})")
    assert "wasm-tools reads the same" in command(file).stdout
    monkeypatch.setattr(inspection, "differences", lambda *_: "only one has it")
    assert "two programs differ: only one has it" in command(file).stdout


def test_a_core_module_is_called_that(assemble: Assemble) -> None:
    file = assemble('(module (@producers (language "WAT" "1")))')
    result = command(file)
    assert (result.exit_code, f"{file}: a core module, not a component" in result.stdout) == (0, True)
    assert "WAT 1" in result.stdout
    assert json.loads(command(file, "--json").stdout)["imports"] == []


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "an empty file"),
        (b"\0asm\x07\0\x01\0", "WebAssembly of a version that this program does not know (0x07000100)"),
        (b"\x7fELF\x02\x01", "machine code (ELF)"),
        (b"PK\x03\x04rest", "a ZIP archive"),
        (b"\x1f\x8b\x08", "a gzip archive"),
        (b";; a comment\n  (component)", "a component as WebAssembly text"),
        (b"(module)", "a core module as WebAssembly text"),
        (b"/// Docs.\npackage a:b;\n", "WIT text"),
        (b"# graph\n\nringfence: 1\n", "one of our manifests"),
        (b"hello\x1b[31m\n", r"text that begins with 'hello\\x1b[31m'"),
        (b"\xff\xfe\0\1", "a file that begins with the bytes ff fe 00 01"),
    ],
)
def test_a_file_that_is_no_binary_is_told_by_what_it_is(content: bytes, what: str, tmp_path: Path) -> None:
    (tmp_path / "it").write_bytes(content)
    result = command(tmp_path / "it")
    assert (result.exit_code, result.stdout) == (3, "")
    assert f"not a WebAssembly binary, but {what.replace(chr(92) * 2, chr(92))}" in result.stderr


@pytest.mark.parametrize("name", ["no-such-file", "folder", "pipe"])
def test_what_cannot_be_read_is_an_error(name: str, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    assert command(tmp_path / name).exit_code == 3


def test_a_broken_binary_is_an_error_not_a_report(tmp_path: Path) -> None:
    (tmp_path / "it.wasm").write_bytes(b"\0asm\x0d\0\x01\0\x0a\xff\xff")
    result = command(tmp_path / "it.wasm")
    assert (result.exit_code, result.stdout) == (3, "")


def test_a_folder_is_built_for_it_and_its_errors_are_its_own() -> None:
    """A component.yaml that is wrong is reported like in a graph."""
    result = command(ROOT / "tests" / "cases" / "_components" / "wrong-manifest")
    assert result.exit_code == 3
    assert "component.yaml:" in result.stderr
