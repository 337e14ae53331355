"""What the three ways to look for trouble have in common: rounds that are drawn, played, and kept where something is wrong.

A round is known by a *note*, from which it can be drawn again when the process that played it has died; a *find* is a round as it is kept
in a file, with all that it takes to play it again.
"""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator
from typing import Any, ClassVar

Document = dict[str, Any]
"""What JSON can hold."""


class Round(ABC):
    """One thing to try."""

    note: Document

    @abstractmethod
    def play(self) -> Counter[str]:
        """How often each outcome came.

        Raises:
            Exception: something is wrong.
        """

    @abstractmethod
    def find(self) -> Document:
        """The round as it is kept."""

    def smaller(self) -> Round:
        """This round with nothing in it that could be left out, where that can be done."""
        return self

    def wrong(self) -> str:
        """What is wrong with it; nothing where nothing is."""
        try:
            self.play()
        except Exception as error:
            return f"{type(error).__name__}: {error}"
        return ""


class Game(ABC):
    """A way to look for trouble."""

    name: ClassVar[str]

    @abstractmethod
    def rounds(self, draw: random.Random) -> Iterator[Round]:
        """Rounds without end."""

    @abstractmethod
    def noted(self, note: Document) -> Round:
        """The round of a note."""

    @abstractmethod
    def kept(self, find: Document) -> Round:
        """The round of a find."""
