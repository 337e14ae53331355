"""From WIT to a module of bindings, written and imported."""

import importlib.util
import itertools
import sys
from pathlib import Path

import pytest
from ringfence_composer.bindings.merge import merge
from ringfence_composer.bindings.module import module
from ringfence_composer.bindings.read import read_node
from ringfence_composer.toolchain import Toolchain, Wit

_numbers = itertools.count()


class Bench:
    """Reads WIT and writes bindings for it."""

    def __init__(self, folder: Path):
        self.folder, self.toolchain = folder, Toolchain()

    def source(self, wit: str | bytes) -> Wit:
        """A file of this text or binary."""
        file = self.folder / f"world-{next(_numbers)}.{'wit' if isinstance(wit, str) else 'wasm'}"
        file.write_bytes(wit.encode() if isinstance(wit, str) else wit)
        return Wit(path=file)

    def types(self, name, wit, allows=lambda function: True):
        """What one node exports."""
        source = self.source(wit)
        world = self.toolchain.world(source)
        return read_node(name, self.toolchain.wit(source), (world.package, world.name), allows)

    def text(self, *nodes, graph="shop", **named) -> str:
        """The source of the bindings of nodes, given as (name, WIT) or by keyword."""
        return module(merge(graph, [self.types(*node) for node in [*nodes, *named.items()]]))

    def load(self, text: str):
        """The module of this source, imported."""
        name = f"bindings_{next(_numbers)}"
        file = self.folder / f"{name}.py"
        file.write_text(text)
        spec = importlib.util.spec_from_file_location(name, file)
        loaded = sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(loaded)
        return loaded


@pytest.fixture(scope="session")
def bench(tmp_path_factory):
    return Bench(tmp_path_factory.mktemp("bindings"))
