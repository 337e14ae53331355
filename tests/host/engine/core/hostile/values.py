"""The game of honest guests and values of all kinds: right and wrong ones, as arguments and as answers, of random types."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

from host.engine.conftest import Call
from host.engine.core.hostile.game import Document, Game, Round
from host.engine.core.hostile.play import outcome_of, plain
from host.engine.core.hostile.script import expression
from host.engine.core.hostile.stage import artifacts
from host.engine.core.test_same_answers import spoiled
from host.engine.relay import echo_text
from host.engine.test_any_type import SHAPES, Maker
from ringfence.contract import types
from ringfence.contract.limits import Limits
from ringfence.contract.types import ResultOf, TupleOf
from ringfence.contract.values import Case, Err, Ok, Some, WitError
from ringfence.engine.component import ComponentEngine
from ringfence.engine.core import CoreEngine

VALUES = 60
NAMES = {"Case": Case, "Some": Some, "Ok": Ok, "Err": Err, "object": object, "float": float}
"""What stands in the expressions of values."""


class Echo:
    """Both engines' instances of an echo component for one type."""

    def __init__(self, kind: Any) -> None:
        self.kind, self.answer, made = kind, None, artifacts(echo_text(kind))
        self._linked = []
        for engine in (ComponentEngine(), CoreEngine()):
            self._linked.append(engine.link(engine.load(made), {("", "host"): self._host}))
        self._instances = [linked.instantiate(Limits(), Call()) for linked in self._linked]
        self.seen: list[Any] = []

    def _host(self, _context: Call, value: Any) -> Any:
        self.seen.append(plain(value))
        return value if self.answer is None else self.answer

    def outcome(self, side: int, given: Any) -> tuple[Any, ...]:
        """What a call ends in, and what the host saw."""
        self.seen = []
        try:
            found: tuple[Any, ...] = ("value", plain(self._instances[side].call(("", "echo"), (given,), Call())))
        except Exception as error:
            found = *outcome_of(error), "" if isinstance(error, WitError) else str(error)
        dead = self._instances[side].trapped
        if dead:
            self._instances[side].close()
            self._instances[side] = self._linked[side].instantiate(Limits(), Call())
        return found, dead, self.seen


class ValueRound(Round):
    """One value given, and what the host answers: None stands for what it got."""

    def __init__(self, echo: Echo, given: Any, answer: Any, note: Document) -> None:
        self.note, self._echo, self._given, self._answer = note, echo, given, answer

    def play(self) -> Counter[str]:
        self._echo.answer = self._answer
        reference, core = (self._echo.outcome(side, self._given) for side in range(2))
        if repr(reference) != repr(core) or core[0][0] == "alien":
            raise AssertionError(f"\n  component {reference}\n  core      {core}")
        return Counter([core[0][0]])

    def find(self) -> Document:
        answer = None if self._answer is None else expression(self._answer)
        return {"type": repr(self._echo.kind), "given": expression(self._given), "answer": answer}


class Values(Game):
    """Types and values by `Maker`."""

    name = "values"

    def rounds(self, draw: random.Random) -> Iterator[Round]:
        while True:
            yield from self._of_type(draw.getrandbits(40))

    def _of_type(self, seed: int) -> Iterator[Round]:
        maker = Maker(seed)
        kind = maker.type(4, SHAPES[seed % len(SHAPES)])
        echo = Echo(TupleOf((kind,)) if isinstance(kind, ResultOf) else kind)
        for number in range(VALUES):
            value, bad = maker.value(echo.kind), spoiled(maker, maker.value(echo.kind))
            given, answer = [(value, None), (bad, None), (value, bad)][number % 3]
            yield ValueRound(echo, given, answer, {"type": seed, "number": number})

    def noted(self, note: Document) -> Round:
        return next(one for one in self._of_type(note["type"]) if one.note["number"] == note["number"])

    def kept(self, find: Document) -> Round:
        kind = eval(find["type"], {name: getattr(types, name) for name in dir(types) if not name.startswith("_")})
        given, answer = (None if find[name] is None else eval(find[name], dict(NAMES)) for name in ("given", "answer"))
        return ValueRound(Echo(kind), given, answer, {})
