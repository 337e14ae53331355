"""A script that failed, kept as a file that the tests play again: the world, the script, what was wrong."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from host.engine.core.hostile.script import Script
from host.engine.core.hostile.world import World
from ringfence.contract import types

FINDS = Path(__file__).parents[1] / "finds"


def dump(world: World, script: Script, wrong: str) -> str:
    """The file's text."""
    document = {"types": repr(world.types), "encodings": world.encodings, "wrong": wrong, "script": json.loads(script.dump())}
    return json.dumps(document, indent=1) + "\n"


def load(text: str) -> tuple[World, Script]:
    """What `dump` wrote."""
    document = json.loads(text)
    kinds = eval(document["types"], {name: getattr(types, name) for name in dir(types) if not name.startswith("_")})
    return World(types=kinds, encodings=tuple(document["encodings"])), Script.load(json.dumps(document["script"]))


def keep(world: World, script: Script, wrong: str, folder: Path = FINDS) -> Path:
    """Write it down; its name comes of what is in it."""
    text = dump(world, script, wrong)
    folder.mkdir(exist_ok=True)
    path = folder / f"hostile-{hashlib.sha256(text.encode()).hexdigest()[:10]}.json"
    path.write_text(text)
    return path
