"""The game of hostile scripts: `SCRIPTS` random ones for each random world."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterator

from host.engine.core.hostile.game import Document, Game, Round
from host.engine.core.hostile.script import Scribe, Script
from host.engine.core.hostile.stage import Stage, shrunk
from host.engine.core.hostile.world import World
from ringfence.contract import types

SCRIPTS = 250


class ScriptRound(Round):
    """One script."""

    def __init__(self, stage: Stage, script: Script, note: Document) -> None:
        self.note, self._stage, self._script = note, stage, script

    def play(self) -> Counter[str]:
        return self._stage.play(self._script)

    def find(self) -> Document:
        world = self._stage.world
        return {"types": repr(world.types), "encodings": world.encodings, "script": json.loads(self._script.dump())}

    def smaller(self) -> Round:
        return ScriptRound(self._stage, shrunk(self._stage, self._script), self.note)


class Scripts(Game):
    """Guests that lie; see `world.py` and `script.py`."""

    name = "scripts"

    def rounds(self, draw: random.Random) -> Iterator[Round]:
        while True:
            of_world = draw.getrandbits(40)
            stage = Stage(World.of(of_world))
            for _ in range(SCRIPTS):
                note = {"world": of_world, "script": draw.getrandbits(40)}
                yield ScriptRound(stage, Scribe(stage.world, note["script"]).script(), note)

    def noted(self, note: Document) -> Round:
        stage = Stage(World.of(note["world"]))
        return ScriptRound(stage, Scribe(stage.world, note["script"]).script(), note)

    def kept(self, find: Document) -> Round:
        kinds = eval(find["types"], {name: getattr(types, name) for name in dir(types) if not name.startswith("_")})
        stage = Stage(World(types=kinds, encodings=tuple(find["encodings"])))
        return ScriptRound(stage, Script.load(json.dumps(find["script"])), {})
