"""The schemas are what an editor completes and explains from: nothing in them may be without a word, and no example wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from places import ROOT
from ringfence.contract.limits import ENDLESS, Limits, parse_limit
from ringfence.contract.schemas import schema
from ringfence_composer.manifest.component import load_component
from ringfence_composer.manifest.graph import read_graph
from ringfence_composer.manifest.source import Problems

AUTHORED = {name: schema(name, "ringfence_composer") for name in ("graph", "component")}
ALL = {**AUTHORED, "lock": schema("lock")}
LINE = "# yaml-language-server: $schema="


def parts(one: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every subschema with its path."""
    yield path, one
    inner = {f"{key}/{name}": part for key in ("properties", "$defs") for name, part in one.get(key, {}).items()}
    inner |= {key: one[key] for key in ("items", "additionalProperties", "propertyNames") if isinstance(one.get(key), dict)}
    inner |= {f"anyOf/{index}": part for index, part in enumerate(one.get("anyOf", ()))}
    for name, part in inner.items():
        yield from parts(part, f"{path}/{name}")


def resolved(whole: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    """A subschema with what its $ref leads to; its own words win, as editors have it."""
    target = part.get("$ref")
    return {**whole["$defs"][target.rpartition("/")[2]], **part} if target else part


def properties(name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    whole = ALL[name]
    for path, part in parts(whole):
        for key, inner in part.get("properties", {}).items():
            yield f"{path}/{key}", resolved(whole, inner)


@pytest.mark.parametrize("name", ALL)
def test_every_key_is_explained(name: str) -> None:
    assert [path for path, one in properties(name) if not one.get("description", "").endswith(".")] == []


@pytest.mark.parametrize("name", AUTHORED)
def test_every_key_that_a_person_writes_is_shown(name: str) -> None:
    assert [path for path, one in properties(name) if not one.get("examples")] == []


@pytest.mark.parametrize("name", AUTHORED)
def test_examples_and_defaults_are_valid_where_they_stand(name: str) -> None:
    whole = AUTHORED[name]
    for _, part in parts(whole):
        one = {**resolved(whole, part), "$defs": whole["$defs"]}
        for value in [*one.get("examples", ()), *([one["default"]] if "default" in one else ())]:
            jsonschema.Draft202012Validator(one).validate(value)


@pytest.mark.parametrize("name", AUTHORED)
def test_every_key_that_may_be_left_out_says_what_counts_then(name: str) -> None:
    """Except where nothing does: what is not written is not there, or depends on the component."""
    none = {"digest", "lane", "random", "clocks", "type", "calls", "within", "default", "from", "to", "node", "component", "world", "fuel"}
    none |= {"concurrent", "fused", "packages"}
    kinds = set(AUTHORED["graph"]["$defs"]["grant"]["properties"])
    named = {"graph", "nodes", "name", "version", "sha256"}
    lacking = {path.rpartition("/")[2] for path, one in properties(name) if "default" not in one}
    assert lacking <= none | kinds | named


def test_the_default_limits_are_those_of_the_host() -> None:
    written = AUTHORED["graph"]["$defs"]["limits"]["properties"]
    defaults = {name: parse_limit(name, str(one["default"])) if "default" in one else ENDLESS for name, one in written.items()}
    assert defaults == {name: getattr(Limits(), name) for name in Limits.__slots__}


@pytest.mark.parametrize("kind", AUTHORED["graph"]["$defs"]["grant"]["properties"])
def test_examples_of_grants_are_grants(kind: str, tmp_path: Path) -> None:
    """The schema leaves the forms of grants to the kinds themselves, so the kinds have to read the examples."""
    examples = AUTHORED["graph"]["$defs"]["grant"]["properties"][kind].get("examples", [])
    for example in examples:
        edge = {"from": "a", "to": "host", "grant": {kind: example}}
        graph = {"ringfence": 1, "graph": "g", "nodes": {"a": {"component": "a"}}, "edges": [edge]}
        graph["parameters"] = {"vendor": {"type": "endpoint", "within": "127.0.0.1:*"}}
        (tmp_path / "graph.yaml").write_text(yaml.safe_dump(graph))
        problems = Problems()
        read_graph(tmp_path / "graph.yaml", problems)
        wrong = [one.message for one in problems.in_order() if "grant" in one.path]
        assert all("nothing can enforce" in one or "functions to choose from" in one for one in wrong), wrong


FILES = sorted([*(ROOT / "manifests").glob("*/*.yaml"), *(ROOT / "components").glob("*/component.yaml")])


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_every_example_names_its_schema_for_editors(file: Path) -> None:
    """The first line, by the path from the file: what an editor with the YAML language server looks for."""
    first = file.read_text().splitlines()[0]
    assert first.startswith(LINE)
    target = file.parent / first.removeprefix(LINE)
    expected = "component" if file.name == "component.yaml" else "graph"
    assert json.loads(target.read_text())["$id"] == f"urn:ringfence:{expected}:1"


def test_examples_are_read_as_they_are() -> None:
    """The positive control: files with that line are valid."""
    for file in FILES:
        if file.name == "component.yaml":
            load_component(file.parent)
        else:
            problems = Problems()
            read_graph(file, problems)
            assert not problems
