"""Wrapped libraries for tests: in this process, and in a component."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import wrapping
from native_library import Names, NativeLibrary
from ringfence import Graph
from ringfence.objects.api import MODULE, Api
from ringfence.objects.library import Library
from ringfence_composer.compose import compose_file


@pytest.fixture
def library() -> Iterator[NativeLibrary]:
    """The zoo, its instance in this process."""
    made = NativeLibrary("zoo", ["zoo"])
    yield made
    if made._shared is not None:
        made._shared.close()


@pytest.fixture
def zoo(library: NativeLibrary) -> Names:
    """The module `zoo` of that."""
    return Names(library, "zoo")


class Wrapped:
    """A library composed into a component, and laid out as an installed package. `folder` goes onto sys.path."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.name, self.data = folder, name, folder / f"{name}_ringfence"

    def library(self, **options: Any) -> Library:
        """The library, not as a package: for names that this process has otherwise."""
        made = Library(self.name, "1", "library", self.data / "graph.lock.json", Api.read(self.data / "api.json"))
        made.options = options
        return made

    def module(self, name: str, **options: Any) -> Names:
        return Names(self.library(**options), name)


@pytest.fixture(scope="session")
def wrap(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Wrapped]:
    """Makes such a library of files; each once a session."""
    done: dict[tuple[str, str, str], Wrapped] = {}

    def wrapped(name: str, files: dict[str, bytes], grant: str = "application: values", limits: str = "deadline: 20s") -> Wrapped:
        key = (wrapping.digest(files), grant, limits)
        if key not in done:
            done[key] = _laid_out(tmp_path_factory.mktemp(name), name, files, grant, limits)
        return done[key]

    return wrapped


def _laid_out(folder: Path, name: str, files: dict[str, bytes], grant: str, limits: str) -> Wrapped:
    graph = wrapping.write(folder / "built", files, grant=grant, limits=limits)
    compose_file(graph)
    with Graph.load(graph, grants={"library": {}}) as loaded:
        loaded.call("library.perform", '[1,[],"hello",{"api":false,"level":30}]')
        api = json.loads(loaded.call("library.perform", '[1,[],"describe"]'))[1]
    made = Wrapped(folder / "site", name)
    made.data.mkdir(parents=True)
    shutil.copy(graph.with_name("graph.lock.json"), made.data)
    shutil.copytree(graph.with_name(".ringfence"), made.data / ".ringfence")
    (made.data / "api.json").write_text(json.dumps(api))
    (made.data / "library.json").write_text(json.dumps({"ringfence_library": 1, "name": name, "version": "1", "node": "library"}))
    for module, record in api["modules"].items():
        path = made.folder.joinpath(*module.split("."))
        file = path / "__init__.py" if record["package"] else path.with_suffix(".py")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(MODULE % made.data.name.encode())
    return made


TOYS = Path(__file__).parent / "toys"


@pytest.fixture(scope="session")
def wrapped_zoo(wrap: Callable[..., Wrapped]) -> Wrapped:
    """The zoo in a component."""
    return wrap("zoo", {"zoo.py": (TOYS / "zoo.py").read_bytes()})


@pytest.fixture(scope="session")
def wrapped_yaml(wrap: Callable[..., Wrapped]) -> Wrapped:
    """PyYAML 5.3 in a component that is granted nothing but the application's values."""
    return wrap("pyyaml", wrapping.pyyaml())
