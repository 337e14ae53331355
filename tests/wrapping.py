"""Libraries in components made by the ordinary builder, for tests: fetched by digest, never committed, composed once per content."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from places import ROOT
from ringfence.contract.layout import user_cache
from ringfence_composer.builders.archives import archive_files
from ringfence_composer.builders.base import Archive, BuildContext, ComponentSource
from ringfence_composer.builders.snapshot import write_tree

BRIDGE = ROOT / "components" / "object-bridge" / "src"
AGREED = ROOT / "hosts" / "python" / "src" / "ringfence" / "objects" / "agreed"
PYYAML = ("PyYAML", "5.3", "e9f45bd5b92c7974e59bcd2dcc8631a6b6cc380a904725fce7bc08872e691615", "lib3/")

COMPONENT = """
ringfence: 1
component: library
language: python
wit: wit
world: wrapped
source: src
module: ringfence_guest
"""

GRAPH = """
ringfence: 1
graph: library
nodes:
  library: {{ component: component, limits: {{ {limits} }}, instances: single }}
edges: [{{ from: library, to: host, grant: {{ {grant} }} }}]
expose: [library]
"""


def archive(name: str, version: str, sha256: str, under: str) -> dict[str, bytes]:
    """The Python files below a folder of a source archive on PyPI."""
    one = Archive(registry="pypi", name=name, version=version, sha256=sha256)
    source = ComponentSource(name="library", language="python", wit=Path(), world="", source=Path())
    files = archive_files(source, one, BuildContext(cache=user_cache()))
    return {path.removeprefix(under): content for path, content in files.items() if path.startswith(under) and path.endswith(".py")}


def pyyaml() -> dict[str, bytes]:
    """PyYAML 5.3, whose `yaml.load` executes code."""
    return {path: content for path, content in archive(*PYYAML).items() if path != "yaml/cyaml.py"}


def modules_of(files: Mapping[str, bytes]) -> list[str]:
    """The modules that files are."""
    names = [path.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for path in files if path.endswith(".py")]
    return sorted(name for name in names if all(part.isidentifier() for part in name.split(".")) and "__main__" not in name)


def bridged(files: Mapping[str, bytes], modules: list[str] | None = None) -> dict[str, bytes]:
    """A library's files together with the bridge's."""
    bridge = {path.relative_to(BRIDGE).as_posix(): path.read_bytes() for path in BRIDGE.rglob("*.py")}
    listed = f"MODULES = {tuple(modules or modules_of(files))!r}\n".encode()
    shared = {f"ringfence_bridge/agreed/{file.name}": file.read_bytes() for file in AGREED.glob("*.py")}
    return {**files, **bridge, **shared, "ringfence_library.py": listed}


def write(folder: Path, files: Mapping[str, bytes], *, grant: str = "application: values", limits: str = "deadline: 20s") -> Path:
    """A component and its graph in a folder; the graph.yaml."""
    write_tree(bridged(files), folder / "component" / "src")
    write_tree({"objects.wit": (ROOT / "wit" / "objects" / "objects.wit").read_bytes()}, folder / "component" / "wit")
    (folder / "component" / "component.yaml").write_text(COMPONENT)
    (folder / "graph.yaml").write_text(GRAPH.format(grant=grant, limits=limits))
    return folder / "graph.yaml"


def digest(files: Mapping[str, bytes]) -> str:
    """A name for files by their content."""
    found = hashlib.sha256()
    for path, content in sorted(files.items()):
        found.update(f"{path} {len(content)} ".encode() + content)
    return found.hexdigest()[:16]
