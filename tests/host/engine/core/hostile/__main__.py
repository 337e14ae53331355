"""A process that plays scripts on both engines: random ones of one world after another, or those of files.

    python -m host.engine.core.hostile run SEED SCRIPTS SECONDS PROGRESS     one line of JSON at the end
    python -m host.engine.core.hostile replay FILE…                          one line of JSON for each

What runs is in PROGRESS before it does: whoever started this process knows what killed it.
"""

from __future__ import annotations

import faulthandler
import json
import random
import struct
import sys
import time
import traceback
from collections import Counter
from pathlib import Path

from host.engine.core.hostile.finds import dump, load
from host.engine.core.hostile.script import Scribe, Script
from host.engine.core.hostile.stage import Stage, shrunk, with_exceptions
from host.engine.core.hostile.world import World

NOTE = struct.Struct("<qq")
"""A world's seed and a script's."""


def drawn(world: World, seed: int) -> Script:
    """The script of this seed."""
    return Scribe(world, seed).script()


def run(seed: int, scripts: int, seconds: float, progress: Path) -> dict[str, object]:
    """Play so many scripts a world, one world after another, until the time is up: how many of what, and what failed."""
    until, draw = time.monotonic() + seconds, random.Random(seed)
    outcomes: Counter[str] = Counter()
    runs, worlds, found = 0, 0, []
    with progress.open("wb", buffering=0) as note:
        while time.monotonic() < until:
            of_world = draw.getrandbits(40)
            world, worlds = World.of(of_world), worlds + 1
            stage = Stage(world)
            for _ in range(scripts):
                of_script = draw.getrandbits(40)
                note.seek(0)
                note.write(NOTE.pack(of_world, of_script))
                script = drawn(world, of_script)
                runs += 1
                try:
                    outcomes += stage.play(script)
                except Exception as error:
                    found.append(_found(stage, script, error))
                if time.monotonic() >= until or len(found) > 5:
                    return {"runs": runs, "worlds": worlds, "outcomes": outcomes, "found": found}
    return {"runs": runs, "worlds": worlds, "outcomes": outcomes, "found": found}


def _found(stage: Stage, script: Script, error: Exception) -> str:
    """A find, as small as it goes; as it was where it fails no longer."""
    wrong = "".join(traceback.format_exception(error)[-6:])
    smaller = shrunk(stage, script) if stage.fails(script) else script
    return dump(stage.world, smaller, (stage.fails(smaller) or wrong)[:3000])


def replay(path: Path) -> dict[str, object]:
    """Play a kept script: what is wrong with it."""
    world, script = load(path.read_text())
    return {"file": path.name, "wrong": Stage(world).fails(script)}


def main(command: str, *arguments: str) -> None:
    """See the module."""
    faulthandler.enable()
    with_exceptions()
    if command == "run":
        seed, scripts, seconds, progress = arguments
        print(json.dumps(run(int(seed), int(scripts), float(seconds), Path(progress))))
    else:
        for path in arguments:
            print(json.dumps(replay(Path(path))), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
