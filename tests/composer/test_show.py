"""`compose show`: a graph seen before and after it is built."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner, Result
from ringfence.contract.layout import lock_path
from ringfence_composer import compose as stages
from ringfence_composer.cli import compose
from ringfence_composer.compose import compose_file

ROOT = Path(__file__).parents[2]
LAYERS = str(ROOT / "tests" / "cases" / "right-layers" / "graph.yaml")


def show(*words: str) -> Result:
    return CliRunner().invoke(compose, ["show", *words], catch_exceptions=False)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """The shop's graph and sources in a folder of their own, not composed."""
    for part in ("components", "wit"):
        shutil.copytree(ROOT / part, tmp_path / part)
    (tmp_path / "manifests").mkdir()
    shutil.copytree(
        ROOT / "manifests" / "shop", tmp_path / "manifests" / "shop", ignore=shutil.ignore_patterns(".ringfence", "*.lock.json")
    )
    return tmp_path / "manifests" / "shop" / "graph.yaml"


def test_nothing_is_built_for_a_picture(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that it answers at once, also where no tool for a language is installed."""
    monkeypatch.setattr(stages, "build", lambda *_: pytest.fail("it builds"))
    result = show(str(shop))
    assert result.exit_code == 0
    assert "lane" not in result.stdout
    assert "ringfence:json/decoder@0.1.0  graph.yaml:28" in result.stdout
    assert "+ connect to 127.0.0.1, port 8017 (parameter vendor)  graph.yaml:33" in result.stdout
    assert "+ variable VENDOR_TOKEN, the host's value  graph.yaml:34" in result.stdout
    assert "lanes are known after compose graph.yaml" in result.stderr
    assert not lock_path(shop).exists()


def test_the_lock_of_this_graph_adds_what_a_build_knows(shop: Path) -> None:
    compose_file(shop)
    nodes = json.loads(show(str(shop), "--json").stdout)["nodes"]
    assert nodes["vendor"]["lane"] == "core"
    assert nodes["vendor"]["language"] == "python"
    assert nodes["vendor"]["imports"]["linked"] == 2, "decoder and calculator"
    assert "python · core lane · pooled" in show(str(shop)).stdout
    assert show(str(shop)).stderr == ""


@pytest.mark.parametrize("spoil", ["# another graph now\n", None], ids=["of another graph.yaml", "changed by hand"])
def test_a_lock_that_is_not_of_this_graph_says_nothing(shop: Path, spoil: str | None) -> None:
    compose_file(shop)
    if spoil:
        shop.write_text(shop.read_text() + spoil)
    else:
        lock_path(shop).write_text(lock_path(shop).read_text().replace('"core"', '"component"'))
    assert "lane" not in json.loads(show(str(shop), "--json").stdout)["nodes"]["vendor"]


def test_an_svg_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    file = tmp_path / "graph.svg"
    file.write_text("an older picture")
    assert show(LAYERS, "--svg", str(file)).stdout == f"{file}\n"
    assert ET.fromstring(file.read_text()).tag == "{http://www.w3.org/2000/svg}svg"
    assert [one.name for one in tmp_path.iterdir()] == ["graph.svg"]
    failed = show(LAYERS, "--svg", str(tmp_path / "no-such-folder" / "graph.svg"))
    assert (failed.exit_code, failed.stdout) == (3, "")
    assert "No such file or directory" in failed.stderr


def test_mermaid_goes_to_stdout_alone() -> None:
    result = show(LAYERS, "--mermaid")
    assert result.stdout.startswith("flowchart LR\n")
    assert result.stderr == ""


@pytest.mark.parametrize("words", [["--mermaid", "--svg", "x.svg"], ["--json", "--svg", "x.svg"]])
def test_two_forms_at_once_are_a_usage_error(words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert show(LAYERS, *words).exit_code == 2
    assert not list(tmp_path.iterdir())


def test_a_graph_with_problems_is_not_drawn() -> None:
    result = show(str(ROOT / "tests" / "cases" / "cycle" / "graph.yaml"))
    assert (result.exit_code, result.stdout) == (3, "")
    assert "circle" in result.stderr
