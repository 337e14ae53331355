"""The JSON Schemas of our files. They stand once, in `manifests/`, and are package data of the built wheel."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import Any


def schema(name: str, package: str = "ringfence") -> dict[str, Any]:
    """The schema of this name in `package`, as JSON data."""
    file = f"{name}.schema.json"
    packaged = resources.files(package) / "schemas" / file
    source = packaged if packaged.is_file() else Path(__file__).parents[5] / "manifests" / file
    data: dict[str, Any] = json.loads(source.read_text(encoding="utf-8"))
    return data
