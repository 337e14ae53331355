"""A process that plays rounds of one game, or those of files.

    python -m host.engine.core.hostile play GAME SEED SECONDS NOTE     one line of JSON at the end
    python -m host.engine.core.hostile again FILE…                     one line of JSON for each

What is played is in the file NOTE before it is: whoever started this process knows what killed it.
"""

from __future__ import annotations

import faulthandler
import json
import random
import sys
import time
import traceback
from collections import Counter
from pathlib import Path

from host.engine.core.hostile.finds import GAMES, document, kept
from host.engine.core.hostile.game import Document, Round
from host.engine.core.hostile.stage import with_exceptions

MOST = 5
"""Finds after which a process ends: there is something to mend."""


def play(game: str, seed: int, seconds: float, noted: Path) -> Document:
    """Play until the time is up: how many rounds with how many of which outcomes, and what was found."""
    until, outcomes, runs = time.monotonic() + seconds, Counter[str](), 0
    found: list[Document] = []
    with noted.open("wb", buffering=0) as note:
        for one in GAMES[game].rounds(random.Random(seed)):
            if time.monotonic() >= until or len(found) == MOST:
                break
            note.seek(0)
            note.write(json.dumps(one.note).encode() + b"\n")
            runs += 1
            try:
                outcomes += one.play()
            except Exception as error:
                found.append(_found(game, one, error))
    return {"runs": runs, "outcomes": outcomes, "found": found}


def _found(game: str, one: Round, error: Exception) -> Document:
    """A find, as small as it goes; as it was where it fails no longer."""
    smaller = one.smaller() if one.wrong() else one
    return document(game, smaller, smaller.wrong() or "once only: " + "".join(traceback.format_exception(error)[-6:]))


def main(command: str, *arguments: str) -> None:
    """See the module."""
    faulthandler.enable()
    with_exceptions()
    if command == "play":
        game, seed, seconds, note = arguments
        print(json.dumps(play(game, int(seed), float(seconds), Path(note))))
    else:
        for path in arguments:
            print(json.dumps({"file": Path(path).name, "wrong": kept(Path(path)).wrong()}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
