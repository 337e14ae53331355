"""Guests outside WebAssembly: their sources, with componentize-py's generated bindings in place of the host."""

from __future__ import annotations

import dataclasses
import enum
import importlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from places import ROOT
from ringfence import Graph
from ringfence.contract.layout import user_cache
from ringfence_composer.build import BUILDERS, source_of
from ringfence_composer.builders import python, requirements
from ringfence_composer.builders.base import Artifact, BuildContext, ComponentSource
from ringfence_composer.builders.snapshot import write_tree
from ringfence_composer.manifest.component import load_component

from .releases import composed

JSON_IN_PYTHON = "../tests/components/json_in_python"
"""The decoder that components/json-decoder replaced, by CPython's own `json`."""


def component(name: str) -> ComponentSource:
    """What components/NAME/component.yaml says."""
    return source_of(load_component((ROOT / "components" / name).resolve()))


def build(name: str) -> Artifact:
    """The built component; taken from the user's cache where its sources are unchanged."""
    source = component(name)
    return BUILDERS[source.language].build(source, BuildContext(cache=user_cache()))


NativeGuest = dict[str, Any]
"""A guest's modules, by name, imported into this process."""


def native_guest(name: str, scratch: Path) -> NativeGuest:
    """Imports a component's source natively.

    Its modules have common names (`app`, `errors`, `wit_world`), so they do not stay in `sys.modules`.
    """
    source = component(name)
    bindings, packages = scratch / "bindings", scratch / "packages"
    _generate_bindings(source, scratch, bindings)
    write_tree(requirements.fetch_requirements(source, python.GUEST_PYTHON, scratch, BuildContext(cache=scratch)), packages)
    before, paths = dict(sys.modules), [str(source.source), str(bindings), str(packages)]
    sys.path[:0] = paths
    try:
        importlib.import_module(source.module)
        return {added: module for added, module in sys.modules.items() if added not in before}
    finally:
        for path in paths:
            sys.path.remove(path)
        for added in set(sys.modules) - set(before):
            if (getattr(sys.modules[added], "__file__", None) or "").startswith(tuple(paths)):
                del sys.modules[added]


def _generate_bindings(source: ComponentSource, scratch: Path, target: Path) -> None:
    write_tree(python._read_wit(source), scratch / "wit")
    script = "import sys; from componentize_py import script; sys.exit(script())"
    command = [sys.executable, "-I", "-c", script, "-q", "-d", "wit", "-w", source.world, "bindings", str(target)]
    subprocess.run(command, cwd=scratch, env={"PATH": os.defpath}, check=True, timeout=60)


@pytest.fixture(scope="session")
def json_guest(tmp_path_factory: pytest.TempPathFactory) -> NativeGuest:
    """The modules of the JSON decoder in Python."""
    return native_guest(JSON_IN_PYTHON, tmp_path_factory.mktemp("json-in-python"))


@pytest.fixture(scope="session")
def vendor_guest(tmp_path_factory: pytest.TempPathFactory, json_guest: NativeGuest) -> NativeGuest:
    """The vendor client's modules: its JSON import satisfied by the source of the decoder in Python, the calculator by a few lines."""
    guest = native_guest("vendor-client", tmp_path_factory.mktemp("vendor-client"))
    imported = guest["wit_world.imports.decoder"]
    decoder = json_guest["app"].Decoder()
    failure = json_guest["componentize_py_types"].Err

    def decode(text: str) -> Any:
        try:
            return translated(decoder.decode(text), imported)
        except failure as error:
            raise guest["componentize_py_types"].Err(translated(error.value, imported)) from None

    imported.decode = decode
    calculator = guest["wit_world.imports.calculator"]

    def total(lines: list[Any], discounts: list[Any]) -> Any:
        assert not discounts
        amount = sum(line.quantity * line.unit_price for line in lines)
        if amount not in range(-(2**63), 2**63):
            raise guest["componentize_py_types"].Err(calculator.PricingError_Overflow())
        return calculator.OrderTotal(subtotal=amount, discounted=0, total=amount)

    calculator.total = total
    return guest


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The markdown component, and the same sources on an old release: a graph, composed."""
    return composed(tmp_path_factory.mktemp("rendered"))


@pytest.fixture(scope="module")
def graph(folder: Path) -> Iterator[Graph]:
    """The graph of both releases."""
    with Graph.load(folder / "graph.yaml") as graph:
        yield graph
        assert not graph.all_denials, "it asks for nothing"


def translated(value: Any, module: ModuleType) -> Any:
    """A value of one side's generated classes as the other side's, which have the same names."""
    if isinstance(value, list):
        return [translated(item, module) for item in value]
    target = getattr(module, type(value).__name__, None)
    if target is None:
        return value
    if isinstance(value, enum.Enum):
        return target[value.name]
    return target(**{field.name: translated(getattr(value, field.name), module) for field in dataclasses.fields(value)})
