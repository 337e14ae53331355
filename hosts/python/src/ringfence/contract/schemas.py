"""The JSON Schemas of our files. They stand once, in `manifests/`, and are package data of the built wheel."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import Any


def schema_bytes(name: str, package: str = "ringfence") -> bytes:
    """The file of the schema of this name in `package`."""
    file = f"{name}.schema.json"
    packaged = Path(import_module(package).__path__[0]) / "schemas" / file
    source = packaged if packaged.is_file() else Path(__file__).parents[5] / "manifests" / file
    return source.read_bytes()


def schema(name: str, package: str = "ringfence") -> dict[str, Any]:
    """The schema of this name in `package`, as JSON data."""
    data: dict[str, Any] = json.loads(schema_bytes(name, package))
    return data
