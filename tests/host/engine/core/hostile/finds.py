"""What was found: rounds as files, which the tests play again."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from host.engine.core.hostile.components import Components
from host.engine.core.hostile.game import Document, Game, Round
from host.engine.core.hostile.scripts import Scripts
from host.engine.core.hostile.values import Values

FINDS = Path(__file__).parents[1] / "finds"
GAMES: dict[str, Game] = {game.name: game for game in (Scripts(), Values(), Components())}


def document(game: str, found: Round, wrong: str) -> Document:
    """A round as it is kept."""
    return {"game": game, "wrong": wrong[:3000], **found.find()}


def keep(find: Document, folder: Path = FINDS) -> Path:
    """Write it down; its name comes of what is in it."""
    text = json.dumps(find, indent=1) + "\n"
    folder.mkdir(exist_ok=True)
    path = folder / f"{find['game']}-{hashlib.sha256(text.encode()).hexdigest()[:10]}.json"
    path.write_text(text)
    return path


def kept(path: Path) -> Round:
    """The round of this file."""
    find = json.loads(path.read_text())
    return GAMES[find["game"]].kept(find)
