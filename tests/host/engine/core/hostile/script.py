"""Scripts: what the two guests of a world do at which event, and what the host calls and does when called. At random, kept as JSON."""

from __future__ import annotations

import json
import random
import struct
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from host.engine.core.hostile.image import ENDS, Image, flat_lie
from host.engine.core.hostile.world import ACTIONS, BODY, DTOR, HEAP, LAST, POST, REALLOC, RESOURCES, SCRIPT_MOST, SLOTS, World, cores
from host.engine.relay import flat
from host.engine.test_any_type import Maker
from ringfence.contract.types import ListOf, Primitive
from ringfence.engine.component.lift import memory_size

EVENTS = 32
GUESTS = ("one", "two", "far_one", "far_two")
DATA = 0x1000
OUTSIDE = (0x20000 + (30 << 16), 0x7FFFFFFF, 0x80000000, 0xFFFFFFF0, 0xFFFFFFF8, 0xFFFFFFFC, 0xFFFFFFFE, 0xFFFFFFFF)
"""Beyond a guest's memory, however much it grows. Where texts are not in UTF-8 on both sides of a border, the engines do not ask for memory
equally often for one of them: there an allocator that lies answers nothing but these."""
BEGINNINGS = (2, 4, 5, 6, 9, 10, 11)

Action = list[Any]
"""`[name, n, x, y]`, see `ACTIONS`; `n` may have `LAST` added."""


@dataclass
class Told:
    """What one guest is told: its actions by event, and bytes on its desk from `DATA` on."""

    events: dict[str, list[Action]] = field(default_factory=dict)
    data: str = ""
    slots: int = 0
    ended: bool = False

    def add(self, event: int, *actions: Action) -> None:
        """More actions at this event."""
        self.events.setdefault(str(event), []).extend(actions)

    def put(self, data: bytes) -> int:
        """Bytes for the desk; their address on it."""
        have = bytes.fromhex(self.data)
        have += bytes(-len(have) % 8)
        self.data = (have + data).hex()
        return DATA + len(have)

    def slot(self) -> int:
        """A place of 4 KiB that nothing else is told of."""
        if self.slots == (HEAP - SLOTS) >> 12:
            raise OverflowError
        self.slots += 1
        return SLOTS + (self.slots - 1 << 12)

    def script(self) -> bytes:
        """What the guest reads."""
        heads, records = [0] * EVENTS, b""
        for event, actions in self.events.items():
            heads[int(event)] = EVENTS * 4 + len(records)
            for name, n, x, y in [*actions, ["end", 0, 0, 0]]:
                records += struct.pack("<IIQQ", ACTIONS.index(name), n, x & 0xFFFFFFFFFFFFFFFF, y & 0xFFFFFFFFFFFFFFFF)
        found = struct.pack(f"<{EVENTS}I", *heads) + records
        if len(found) > DATA:
            raise OverflowError
        found = found.ljust(DATA, b"\0") + bytes.fromhex(self.data)
        if len(found) > SCRIPT_MOST:
            raise OverflowError
        return found


@dataclass
class Step:
    """One call by the host. `arguments` is an expression of Python, in which `H(n)` is a handle that the host has got; `host` what the host
    does each time it is called, in turn (`play.Side`). The far ones are the guests of a second instance, where there are edges."""

    guest: str
    function: str
    arguments: str
    one: Told = field(default_factory=Told)
    two: Told = field(default_factory=Told)
    far_one: Told = field(default_factory=Told)
    far_two: Told = field(default_factory=Told)
    host: list[list[Any]] = field(default_factory=list)


@dataclass
class Script:
    """What happens from an instance's start to its end. Where there is a `far` guest, calls of the host are carried on to it, but for those
    on things: it is one of a second instance, whose host is the host. `begin`: what the guests' start does, in the order of instantiation.
    """

    begin: list[int] = field(default_factory=lambda: [0, 0])
    far: str = ""
    seconds: float = 20.0
    output: int = 1 << 30
    overlaps: bool = False
    steps: list[Step] = field(default_factory=list)

    def dump(self) -> str:
        """As JSON."""
        return json.dumps(asdict(self), indent=1)

    @classmethod
    def load(cls, text: str) -> Script:
        """From JSON."""
        document = json.loads(text)
        steps = [Step(**{**step, **{which: Told(**step[which]) for which in GUESTS}}) for step in document.pop("steps")]
        return cls(**document, steps=steps)


def expression(value: Any) -> str:
    """A value as an expression, records as dictionaries."""
    if hasattr(value, "__wit__"):
        return "{" + ", ".join([f"{name!r}: {expression(part)}" for name, part in zip(value.__wit__, value._values(), strict=True)]) + "}"
    if isinstance(value, frozenset):
        return f"frozenset({sorted(value)!r})"
    if isinstance(value, (list, tuple)):
        inner = ", ".join([expression(part) for part in value])
        return f"[{inner}]" if isinstance(value, list) else f"({inner},)" if value else "()"
    if isinstance(value, float) and value in (float("inf"), -float("inf")):
        return f"float('{value}')"
    for name in ("Case", "Some", "Ok", "Err"):
        if type(value).__name__ == name:
            return f"Case({value.name!r}, {expression(value.value)})" if name == "Case" else f"{name}({expression(value.value)})"
    return "object()" if type(value) is object else repr(value)


class Scribe:
    """Makes scripts for one world."""

    def __init__(self, world: World, seed: int) -> None:
        self.world, self.pick, self.maker = world, random.Random(seed), Maker(seed)
        self._params = [len(params) for _, params, _, _ in cores(world)]
        self._overlaps, self._far = False, ""
        self.names = [f"f{index}" for index in range(len(world.types))] + [name for name, _, _ in RESOURCES]

    def script(self) -> Script:
        """A random one."""
        pick, script = self.pick, Script()
        script.far = self._far = pick.choice(["one", "two"]) if pick.random() < 0.25 else ""
        if pick.random() < 0.04:
            script.begin[pick.randrange(2)] = pick.choice(BEGINNINGS)
        if pick.random() < 0.08 and set(self.world.encodings) == {"utf8"}:  # elsewhere the engines count other bytes
            script.output = pick.choice([0, 8, 40, 200])
        script.overlaps = self._overlaps = pick.random() < 0.05
        script.steps = list(self._steps())
        told = [actions for step in script.steps for which in GUESTS for actions in getattr(step, which).events.values()]
        loops = any(action[0] == "loop" for actions in told for action in actions) or 10 in script.begin
        if loops or any(action[0] == "late" for step in script.steps for action in step.host):
            script.seconds = 0.06
        return script

    def _steps(self) -> Iterator[Step]:
        if self.pick.random() < 0.3:
            yield self._on_things("make", self.pick.choice(["one", "two"]))
        for _ in range(self.pick.choice([1, 1, 2, 2, 3, 5])):
            try:
                step = self._step()
                for which in GUESTS:
                    getattr(step, which).script()
            except OverflowError:  # too much for the desk, or too many places
                continue
            yield step

    def _step(self) -> Step:
        pick = self.pick
        guest = pick.choice(["one", "two"])
        if pick.random() < 0.3:
            step = self._on_things(pick.choice(RESOURCES)[0], guest)
        else:
            index = pick.randrange(len(self.world.types))
            step = Step(guest, f"f{index}", "(" + expression(self.maker.value(self.world.types[index])) + ",)")
        reached = {"one", guest}
        if self._far and step.function[1:].isdigit():
            reached |= {"far_one", f"far_{self._far}"}
        encodings = {which: self.world.encodings[which.endswith("two")] for which in reached}
        exact = set(encodings.values()) == {"utf8"}
        for which, encoding in sorted(encodings.items()):
            if pick.random() < (0.75 if len(reached) < 3 else 0.5):
                self._lies(getattr(step, which), self.names.index(step.function), encoding, exact=exact)
        while pick.random() < 0.25:
            step.host.append(self._host(step.function))
        return step

    def _on_things(self, name: str, guest: str) -> Step:
        """A function on things, called with handles that the host has got, in every combination."""
        pick = self.pick
        handles = [f"H({pick.randrange(3)})" for _ in range(4)]
        given = {"make": str(pick.getrandbits(32)), "mix": f"({handles[0]}, {handles[1]}, [{', '.join(handles[2 : pick.randint(2, 4)])}])"}
        return Step(guest, name, f"({given.get(name, handles[0])},)")

    # What a guest does

    def _lies(self, told: Told, index: int, encoding: str, *, exact: bool) -> None:
        pick = self.pick
        for _ in range(pick.choice([1, 1, 1, 2, 3])):
            kind = pick.choice(["result", "result", "call", "call", "call", "realloc", "realloc", "post", "dtor", "mischief", "handles"])
            if kind == "result":
                self._result(told, index, encoding)
            elif kind == "call":
                self._call(told, BODY + index, pick.randrange(len(self.names)), encoding)
                if pick.random() < 0.3:
                    self._result(told, index, encoding)
            elif kind == "realloc":
                for _ in range(pick.randint(1, 3)):
                    if pick.random() < 0.3:
                        told.add(REALLOC, *self._mischief(encoding, told))
                    place = self._place(told) if exact else pick.choice(OUTSIDE)
                    told.add(REALLOC, ["give", 0, place | pick.choice([0, 0xF00D << 32]), 0])
            elif kind in ("post", "dtor", "mischief"):
                told.add({"post": POST, "dtor": DTOR}.get(kind, BODY + index), *self._mischief(encoding, told))
            else:
                told.add(BODY + index, *self._handles())

    def _pointer(self) -> int:
        """Any."""
        pick = self.pick
        return pick.choice([pick.choice(ENDS), pick.randrange(0x1000, 0x10000), pick.randrange(0x1000, 0x10000) & ~7, pick.getrandbits(64)])

    def _place(self, told: Told) -> int:
        """Where values are to be written: good, unaligned, at the end of memory (once), outside; anywhere where places may overlap."""
        pick = self.pick
        how = pick.random()
        if self._overlaps:
            return self._pointer()
        if how < 0.15 and not told.ended:
            told.ended = True
            return pick.choice([0x1FFF8, 0x1FFFC, 0x1FFFD, 0x1FFFE, 0x1FFFF])
        if how < 0.5:
            return pick.choice(OUTSIDE)
        return told.slot() + (pick.choice([1, 2, 4]) if how < 0.65 else 0)

    def _value(self, index: int, encoding: str, *, memory: bool) -> tuple[Image, list[int]]:
        """A value of a function's type as it lies in memory: its address; or flat."""
        image = Image(encoding)
        if index >= len(self.world.types):
            return image, self._words_of_things(self.names[index], image, memory=memory)
        kind = self.world.types[index]
        value = self.maker.value(kind)
        if not memory and len(flat(kind)) <= 16:
            return image, image.flat(kind, value)
        at = image.place(*memory_size(kind))
        image.store(kind, value, at)
        return image, [at]

    def _words_of_things(self, name: str, image: Image, *, memory: bool) -> list[int]:
        """Parameters (or a result in memory) of functions on things: handles that exist, perhaps."""
        pick = self.pick
        handles = [pick.choice([1, 1, 2, 2, 3, 4, 5]) for _ in range(4)]
        if name == "mix" or memory:
            at = image.place(4 * len(handles), 4)
            for index, handle in enumerate(handles):
                image.put("I", at + 4 * index, handle)
                image.words.append(at + 4 * index)
            if not memory:
                return [handles[0], handles[pick.randrange(2)], at, pick.choice([0, 1, 2, 4])]
            pair = image.place(8, 4)
            image.put("I", pair, at)
            image.put("I", pair + 4, pick.choice([0, 1, 2, 3]))
            image.words += [pair, pair + 4]
            return [pair]
        return [handles[0]]

    def _result(self, told: Told, index: int, encoding: str) -> None:
        """It returns a value that it has made itself, with lies in it."""
        pick = self.pick
        kind = self.world.types[index] if index < len(self.world.types) else None
        memory = len(flat(kind)) > 1 if kind is not None else self.names[index] == "pair"
        image, words = self._value(index, encoding, memory=memory)
        for _ in range(pick.choice([0, 1, 1, 2])):
            image.lie(pick)
        if pick.random() < 0.25:
            words = flat_lie(words, pick)
        self._write(told, BODY + index, image)
        told.add(BODY + index, ["give", 0, words[0] | pick.choice([0, 0xDEADBEEF00000000]) if len(words) == 1 else words[0], 0])

    def _write(self, told: Told, event: int, image: Image) -> None:
        if image.data:
            told.add(event, ["write", len(image.data), 0x1000, told.put(bytes(image.data))])

    def _call(self, told: Told, event: int, index: int, encoding: str) -> None:
        """It calls an import with a value that it has made itself, with lies in it."""
        pick = self.pick
        image, words = self._value(index, encoding, memory=False)
        for _ in range(pick.choice([0, 1, 1, 2])):
            image.lie(pick)
        if pick.random() < 0.25:
            words = flat_lie(words, pick)
        returned = told.slot() if pick.random() < 0.8 else self._place(told)
        self._write(told, event, image)
        garbage = [word | pick.choice([0, 0xBAADF00D00000000]) if word < 1 << 32 and self._narrow(index) else word for word in words]
        told.add(event, ["call", index, told.put(struct.pack(f"<{len(words) + 1}Q", *garbage, returned & 0xFFFFFFFF)), 0])
        told.add(event, *pick.choice([[], [], [["note", 0, returned, 0]], [["give", LAST, 0, 0]], [["give", 0, returned, 0]]]))

    def _narrow(self, index: int) -> bool:
        """Whether all its core values have 32 bits, so that more than these are garbage: of things, always."""
        return index >= len(self.world.types) or all(core == "i32" for core in flat(self.world.types[index]))

    def _handles(self) -> Iterator[Action]:
        pick = self.pick
        for _ in range(pick.randint(1, 4)):
            last = pick.choice([0, 0, LAST])
            index = pick.choice([0, 1, 1, 2, 2, 3, 4, pick.choice(ENDS)])
            yield pick.choice([
                ["new", 0, pick.choice([0, 1, 2, 7, 0xFFFFFFFF]), 0], ["drop", last, index, 0], ["drop", last + 1, index, 0],
                ["rep", last, index, 0], ["rep", 0, index, 0],
            ])  # fmt: skip
        if pick.random() < 0.3:
            yield ["give", pick.choice([0, LAST]), pick.choice([1, 2, 3]), 0]

    def _mischief(self, encoding: str, told: Told) -> list[Action]:
        pick = self.pick
        what = pick.choice(["grow", "grow", "fill", "handles", "call", "call", "trap", "throw", "guard", "recurse", "loop", "store"])
        if what == "loop" and pick.random() < 0.7:
            what = "grow"
        if what == "handles":
            return list(self._handles())
        if what == "call":
            index = pick.randrange(len(self.names))
            words = [self._pointer() for _ in range(18)]
            words[self._params[index]] = self._place(told)
            return [["call", index, told.put(struct.pack("<18Q", *[word & 0xFFFFFFFFFFFFFFFF for word in words])), 0]]
        if what == "guard":
            return [["guard", 0, 0, 0], pick.choice([["throw", 0, 0, 0], *self._handles(), ["trap", 0, 0, 0], ["end", 0, 0, 0]])]
        operands = {
            "grow": (0, pick.choice([0, 1, 1, 2, 5, 30]), 0),
            "fill": (pick.choice([16, 4096, 0x5000]), 0x1000, pick.choice([0, 255, 0x80])),
            "store": (0, pick.choice([0x1000, 0x1008, 0x1030, 0x20000 + (30 << 16), 0xFFFFFFFC]), pick.getrandbits(64)),
        }.get(what, (0, 0, 0))
        return [[what, *operands]]

    # What the host does

    def _host(self, function: str) -> list[Any]:
        pick = self.pick
        what = pick.choice(
            ["honest", "answer", "raise", "wit", "wrong", "reenter", "interrupt", "close", "late", "fill", "sibling", "drop"]
        )
        if what == "late" and pick.random() < 0.6:
            what = "answer"
        plain = [kind for kind in self.world.types if kind != ListOf(Primitive("u8"))]
        if what in ("answer", "wit"):
            index = int(function[1:]) if function[0] == "f" and function[1:].isdigit() and pick.random() < 0.8 else None
            kind = pick.choice(plain) if index is None else self.world.types[index]
            return [what, expression(self.maker.value(kind))]
        if what == "fill":
            return [what, pick.choice([0, 1, 5, 4096, 70000]), pick.choice([0, 1, 5, -1, 99999])]
        return [what]
