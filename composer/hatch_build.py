"""What the distribution carries besides its modules: the JSON Schemas, and the toolchain component, so that who installs it needs no Rust.

In a checkout they stand elsewhere or are built; a source distribution carries them in their places. An editable installation needs neither.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_SCHEMAS = ("graph", "component")


class PackageData(BuildHookInterface[Any]):
    """Adds the files to a wheel or a source distribution."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Put them in their places."""
        root = Path(self.root)
        package = root / "src" / "ringfence_composer"
        if version == "editable" or (package / "data").is_dir():
            return
        target = "ringfence_composer" if self.target_name == "wheel" else "src/ringfence_composer"
        included = build_data["force_include"]
        for name in _SCHEMAS:
            file = f"{name}.schema.json"
            included[str(root.parent / "manifests" / file)] = f"{target}/schemas/{file}"
        included[str(self._package_data(root))] = f"{target}/data"

    def _package_data(self, root: Path) -> Path:
        """A folder with the package's data, which lasts as long as this process."""
        sys.path[:0] = [str(root / "src"), str(root.parent / "hosts" / "python" / "src")]
        from ringfence_composer.package_data import write_package_data

        self._folder = tempfile.TemporaryDirectory(prefix="ringfence-")
        write_package_data(Path(self._folder.name))
        return Path(self._folder.name)
