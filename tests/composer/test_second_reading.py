"""Every binary's imports are read by two programs that share nothing; a difference fails the plan."""

from __future__ import annotations

import re
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import pytest
from click.testing import CliRunner
from ringfence.contract.names import digest_of
from ringfence_composer.cli import compose
from ringfence_composer.compose import Workshop, compose_file, plan_file
from ringfence_composer.errors import PlanRefused
from ringfence_composer.second_reading import Unreadable, differences, imports_of
from ringfence_composer.toolchain import Toolchain, Wit
from ringfence_composer.tools import World

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SECOND = f"wasm-tools {version('wasm-tools')}"
RANDOM, ENVIRONMENT = "wasi:random/random@0.2.6", "wasi:cli/environment@0.2.6"
ASKS = f"""(component
  (import "{RANDOM}" (instance (export "get-random-u64" (func (result u64)))))
  (import "{ENVIRONMENT}" (instance (export "get-arguments" (func (result (list string)))))))
"""


@pytest.fixture(scope="session")
def toolchain() -> Toolchain:
    return Toolchain()


@pytest.fixture(scope="session")
def asks(toolchain: Toolchain) -> bytes:
    """A component with two imports."""
    return toolchain.parse(ASKS)


def first_reading(toolchain: Toolchain, binary: bytes, folder: Path) -> World:
    (folder / "read.wasm").write_bytes(binary)
    return toolchain.world(Wit(path=folder / "read.wasm"))


def graph_of(folder: Path, binary: bytes) -> Path:
    (folder / "asks.wasm").write_bytes(binary)
    node = f'{{ component: asks.wasm, digest: "{digest_of(binary)}" }}'
    (folder / "graph.yaml").write_text(f"ringfence: 1\ngraph: asks\nnodes:\n  one: {node}\n  two: {node}\n")
    return folder / "graph.yaml"


@pytest.mark.parametrize("name", ["composed", "resources", "greet", "starts", "twice"])
def test_both_agree_on_components_of_other_makes(name: str, toolchain: Toolchain, tmp_path: Path) -> None:
    """Also where components are nested, whose own imports are nobody's business outside."""
    binary = toolchain.parse((HERE / "decompose" / f"{name}.wat").read_text())
    assert differences(first_reading(toolchain, binary, tmp_path), binary) is None


def test_both_agree_on_every_node_of_the_shop() -> None:
    """One each in CPython, Rust and C; the plan has passed the second reading, and holds what it found."""
    planned = plan_file(ROOT / "manifests" / "shop" / "graph.yaml", Workshop())
    for node in planned.nodes:
        binary = planned.built.nodes[node.name].path.read_bytes()
        assert {name for _, name in imports_of(binary)} == {one.name for one in node.imports}
        known = {"pricing": {"wasi:io/streams@0.2.6"}, "vendor": {"wasi:sockets/tcp@0.2.9"}}.get(node.name, set())
        assert known <= {one.name for one in node.imports}, "the control: of a Rust guest, of a CPython guest; the one in C has none"


def test_a_difference_is_told_with_what_each_side_reads(toolchain: Toolchain, asks: bytes, tmp_path: Path) -> None:
    """A doctored copy: one import bears another name than the one that the first program read."""
    world = first_reading(toolchain, asks, tmp_path)
    assert differences(world, asks) is None
    found = differences(world, asks.replace(b"wasi:random/random@", b"wasi:random/ransom@"))
    assert found == f"the toolchain alone reads interface {RANDOM}; {SECOND} alone reads interface wasi:random/ransom@0.2.6"


def test_a_name_of_another_kind_is_a_difference(toolchain: Toolchain, asks: bytes, tmp_path: Path) -> None:
    world = first_reading(toolchain, asks, tmp_path)
    lied = replace(world, imports=tuple(replace(item, kind="type") for item in world.imports))
    assert "alone reads type" in (differences(lied, asks) or "")


@pytest.mark.parametrize(
    ("binary", "why"),
    [
        (b"\0asm\x01\0\0\0", "not a component binary"),
        (b"\0asm\x0d\0\x01\0\x0a\x03\x01\0\x09", "section 0 (Import)"),
        (b"", "not a component"),
    ],
    ids=["a core module", "a torn list of imports", "nothing"],
)
def test_what_the_second_program_cannot_read_is_a_difference(
    binary: bytes, why: str, toolchain: Toolchain, asks: bytes, tmp_path: Path
) -> None:
    """A reading that fails must not pass for one that agrees."""
    with pytest.raises(Unreadable, match=re.escape(why)):
        imports_of(binary)
    assert f"{SECOND} cannot read its imports" in (differences(first_reading(toolchain, asks, tmp_path), binary) or "")


def test_an_import_hidden_from_one_program_fails_the_plan(asks: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The threat itself: a reviewer would read a plan that lacks an import. Every node is named, and nothing is written."""
    manifest = graph_of(tmp_path, asks)
    compose_file(manifest).file.unlink()  # positive control: read honestly, the same graph is composed
    honest = Toolchain.world

    def blind(self: Toolchain, source: Wit) -> World:
        world = honest(self, source)
        return replace(world, imports=tuple(item for item in world.imports if item.name != RANDOM))

    monkeypatch.setattr(Toolchain, "world", blind)
    with pytest.raises(PlanRefused) as refused:
        compose_file(manifest)
    assert [(one.path, one.line) for one in refused.value.problems] == [("nodes.one", 4), ("nodes.two", 5)]
    told = CliRunner().invoke(compose, ["plan", str(manifest)], catch_exceptions=False)
    assert (told.exit_code, told.stdout) == (1, "")
    assert f"{SECOND} alone reads interface {RANDOM}" in told.stderr
    assert not (tmp_path / "graph.lock.json").exists()
