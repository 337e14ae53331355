"""What the distribution carries besides its modules: the JSON Schema of locks, which stands in the checkout's `manifests/`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_FILE = "lock.schema.json"


class PackageData(BuildHookInterface[Any]):
    """Adds it to a wheel or a source distribution; one that is built from a source distribution finds it in its place."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Put it in its place."""
        root = Path(self.root)
        if version == "editable" or (root / "src" / "ringfence" / "schemas").is_dir():
            return
        target = "ringfence" if self.target_name == "wheel" else "src/ringfence"
        build_data["force_include"][str(root.parents[1] / "manifests" / _FILE)] = f"{target}/schemas/{_FILE}"
