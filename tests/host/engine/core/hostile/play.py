"""A script played on both engines: equal answers or equal kinds of failure, and nothing but those kinds."""

from __future__ import annotations

from collections import Counter
from typing import Any

from host.engine.conftest import Call
from host.engine.core.hostile.script import Script, Step
from host.engine.core.hostile.world import HEAP, RESOURCES, World
from ringfence.contract.errors import DeadlineExceeded, GuestTrap, LimitExceeded, ShapeError
from ringfence.contract.limits import Limits
from ringfence.contract.types import ResultOf
from ringfence.contract.values import Case, Err, Fill, Ok, Record, Some, WitError
from ringfence.engine.seam import Edge, Parts

LIMITS = Limits(memory=16 << 20)


class Planned(Exception):
    """What a host function raises because the script says so."""


class Thing:
    """The host's own resource."""

    def __init__(self, number: int) -> None:
        self.number, self.closed = number, 0

    def close(self) -> None:
        self.closed += 1

    def __repr__(self) -> str:
        return f"Thing({self.number})"


def plain(value: Any) -> Any:
    """A value in a form that can be compared: no handles, no order of flags, one NaN."""
    if isinstance(value, (list, tuple)):
        return type(value).__name__, [plain(part) for part in value]
    if isinstance(value, frozenset):
        return "flags", sorted(value)
    if hasattr(value, "__wit__"):
        return "record", [plain(part) for part in value._values()]
    if isinstance(value, (Some, Ok, Err)):
        return type(value).__name__, plain(value.value)
    if isinstance(value, Case):
        return "case", value.name, plain(value.value)
    if type(value).__name__ == "GuestHandle":
        return f"handle of {value.resource.interface}"
    return repr(value)


def one_nan(value: Any) -> Any:
    """The same value with only one kind of NaN: which bits it has, the core engine forgets at once, the reference when it must."""
    match value:
        case float():
            return value if value == value else float("nan")
        case list() | tuple():
            return type(value)([one_nan(part) for part in value])
        case Record():
            return type(value)(*[one_nan(part) for part in value._values()])
        case Case():
            return Case(value.name, one_nan(value.value))
        case Some() | Ok() | Err():
            return type(value)(one_nan(value.value))
    return value


def outcome_of(error: BaseException) -> tuple[Any, ...]:
    """The kind of a failure; one that must not happen is `alien`."""
    match error:
        case DeadlineExceeded():
            return ("deadline",)
        case LimitExceeded():
            return "limit", error.limit
        case GuestTrap():
            return ("trap",)
        case ShapeError():
            return ("shape",)
        case WitError():
            return "wit", plain(error.value)
        case Planned():
            return "planned", str(error)
    return "alien", repr(error)


class Side:
    """One engine's instance of a world, while a script is played."""

    def __init__(self, engine: Any, artifacts: Any, world: World) -> None:
        self.world, self._sibling = world, None
        loaded = engine.load(artifacts)
        imports: dict[tuple[str, str], Any] = {("", "begin"): lambda _: self.beginnings.pop(0) if self.beginnings else 0}
        for index, kind in enumerate(world.types):
            imports["h:host/api", f"f{index}"] = self._host(lambda _, value, kind=kind: self._echo(kind, value), kind)
        for name, _, _ in RESOURCES:
            imports["h:host/api", name] = self._host(getattr(self, "_" + name), None)
        self._linked = engine.link(loaded, imports)
        self._edged = {}
        for far in ("one", "two"):
            edges = {}
            for index in range(len(world.types)):
                name = f"f{index}"
                edges["h:host/api", name] = Edge(self._carry((f"h:{far}/api", name)), loaded, (f"h:{far}/api", name))
            self._edged[far] = engine.link(loaded, imports | edges)

    def begin(self, script: Script) -> tuple[Any, ...]:
        """A fresh instance; what its start ends in."""
        self.script, self.beginnings, self.things, self.handles, self.seen = script, list(script.begin), [], [], []
        self.actions: list[list[Any]] = []
        self.instance: Any = None
        self._far: Any = None
        self.carried = 0  # calls that passed from guest to guest as parts
        try:
            if script.far:
                self._far = self._linked.instantiate(LIMITS, self._call())
            self.instance = (self._edged[script.far] if script.far else self._linked).instantiate(LIMITS, self._call())
        except Exception as error:
            return outcome_of(error)
        return ("value", None)

    def _call(self) -> Call:
        return Call(self.script.seconds, self.script.output)

    def play(self, step: Step) -> tuple[Any, ...]:
        """One step: what it ends in, whether the instance is dead, what the host and the guests saw."""
        self.seen = []
        try:
            for which, instance in self._guests():
                script = getattr(step, which).script()
                instance.call(("", f"load-{which.removeprefix('far_')}"), (script,), Call())
            self.actions = [list(action) for action in step.host]
            names = {"H": self._handle, "Case": Case, "Some": Some, "Ok": Ok, "Err": Err}
            arguments = eval(step.arguments, names)
            value = self.instance.call((f"h:{step.guest}/api", step.function), arguments, self._call())
            self._keep(value)
            outcome: tuple[Any, ...] = ("value", plain(value))
        except Exception as error:
            outcome = outcome_of(error)
        self.actions = []
        return outcome, [instance.trapped for instance in self._instances()], self.seen

    def _instances(self) -> list[Any]:
        return [instance for instance in (self.instance, self._far) if instance is not None]

    def _guests(self) -> list[tuple[str, Any]]:
        far = [("far_one", self._far), ("far_two", self._far)] if self._far is not None else []
        return [("one", self.instance), ("two", self.instance), *far]

    def _carry(self, name: tuple[str, str]) -> Any:
        def carry(context: Call, *arguments: Any) -> Any:
            if type(arguments[0]) is not Parts:
                return self._far.call(name, arguments, context)
            self.carried += 1
            return self._far.call(name, arguments[0], context)

        return carry

    def log(self) -> Any:
        """What the guests saw: the raw parameters, results of imports, requests for memory."""
        try:
            return [instance.call(("", f"log-{which.removeprefix('far_')}"), (), Call()) for which, instance in self._guests()]
        except GuestTrap:
            return None  # closed by the host, or dead

    def end(self) -> tuple[Any, ...]:
        """Close; how often each of the host's things was closed."""
        self.away()
        if self.instance is not None:
            dead = [handle for handle in self.handles if handle.alive]
            assert not dead, "a handle outlives its instance"
        assert all(thing.closed <= 1 for thing in self.things), "a thing was closed twice"
        return tuple((thing.number, thing.closed) for thing in self.things)

    def away(self) -> None:
        """Close what a script that failed has left open."""
        for instance in self._instances():
            instance.close()

    def _keep(self, value: Any) -> None:
        for part in value if isinstance(value, list) else [value]:
            if type(part).__name__ == "GuestHandle":
                self.handles.append(part)

    def _handle(self, index: int) -> Any:
        return self.handles[index] if index < len(self.handles) else None

    # The host's functions

    def _host(self, honest: Any, kind: Any) -> Any:
        def function(context: Call, *arguments: Any) -> Any:
            self.seen.append(plain(arguments))
            action, *operands = self.actions.pop(0) if self.actions else ["honest"]
            if action == "honest":
                return honest(context, *arguments)
            return getattr(self, f"_do_{action}")(context, honest, arguments, *operands)

        return function

    def _echo(self, kind: Any, value: Any) -> Any:
        value = one_nan(value)
        if isinstance(kind, ResultOf):
            if isinstance(value, Err):
                raise WitError(value.value)
            return value.value
        return value

    def _thing(self, number: int) -> Thing:
        self.things.append(Thing(number))
        return self.things[-1]

    def _make(self, _: Call, number: int) -> Thing:
        return self._thing(number)

    def _eat(self, _: Call, thing: Thing) -> int:
        thing.close()
        return thing.number

    def _peek(self, _: Call, thing: Thing) -> int:
        assert not thing.closed, "a thing that was closed is lent"
        return thing.number

    def _mix(self, _: Call, things: Any) -> int:
        lent, owned, more = things
        assert not any(thing.closed for thing in (lent, owned, *more)), "a thing that was closed is lent"
        owned.close()
        return (lent.number + owned.number + sum(thing.number for thing in more)) & 0xFFFFFFFF

    def _pair(self, _: Call, thing: Thing) -> list[Thing]:
        return [thing, self._thing(thing.number + 1 & 0xFFFFFFFF)]

    # What they do instead

    def _do_answer(self, _context: Call, _honest: Any, _arguments: Any, expression: str) -> Any:
        return eval(expression, {"Case": Case, "Some": Some, "Ok": Ok, "Err": Err})

    def _do_wit(self, _context: Call, _honest: Any, _arguments: Any, expression: str) -> Any:
        raise WitError(eval(expression, {"Case": Case, "Some": Some, "Ok": Ok, "Err": Err}))

    def _do_raise(self, *_: Any) -> Any:
        raise Planned("raised")

    def _do_wrong(self, *_: Any) -> Any:
        return object()

    def _do_reenter(self, context: Call, *_: Any) -> Any:
        return self.instance.call(("", "log-one"), (), context)

    def _do_interrupt(self, context: Call, honest: Any, arguments: Any) -> Any:
        self.instance.interrupt(Planned("interrupted"))
        return honest(context, *arguments)

    def _do_close(self, context: Call, honest: Any, arguments: Any) -> Any:
        self.instance.close()
        return honest(context, *arguments)

    def _do_late(self, context: Call, honest: Any, arguments: Any) -> Any:
        context.until = 0.0
        return honest(context, *arguments)

    def _do_fill(self, _context: Call, _honest: Any, _arguments: Any, length: int, written: int) -> Fill:
        def fill(view: memoryview) -> int:
            view[:] = b"F" * len(view)
            return written

        return Fill(length, fill)

    def _do_sibling(self, context: Call, honest: Any, arguments: Any) -> Any:
        """Another instance of the same component is called meanwhile, and answers rightly."""
        beginnings, actions, seen, self.beginnings, self.actions = self.beginnings, self.actions, self.seen, [], []
        if self._sibling is None:
            self._sibling = self._linked.instantiate(LIMITS, Call())
        found = self._sibling.call(("", "log-two"), (), Call())
        assert isinstance(found, list), found
        self.beginnings, self.actions, self.seen = beginnings, actions, seen
        return honest(context, *arguments)

    def _do_drop(self, context: Call, honest: Any, arguments: Any) -> Any:
        for handle in self.handles:
            handle.close(context)
        return honest(context, *arguments)


class Difference(AssertionError):
    """The two engines do not agree, or one did what none may do."""


def same(world: World, script: Script, sides: tuple[Side, Side]) -> Counter[str]:
    """Play a script on both; how often each kind of outcome came.

    Raises:
        Difference: where, and what each found.
    """
    counts: Counter[str] = Counter()
    reference, core = (side.begin(script) for side in sides)
    late = reference != core and ("deadline",) in (reference, core) and script.seconds < 1  # a slow machine's deadline strikes anywhere
    if not late:
        _equal("start", reference, core, counts)
    if core[0] == "value" and not late:
        for number, step in enumerate(script.steps):
            reference, core = (side.play(step) for side in sides)
            if ("deadline",) in (reference[0], core[0]) and script.seconds < 1:
                counts["deadline"] += 1
                break
            if script.overlaps:
                _possible(f"step {number}", core, counts)
                break
            _equal(f"step {number}", reference, core, counts, interrupted=["interrupt"] in step.host)
            if any(core[1]):
                break
            if not any(action[0] == "fill" for action in step.host):
                _equal_logs(number, sides, exact=set(world.encodings) == {"utf8"})
    if sides[1].carried:
        counts["carried as parts"] += sides[1].carried
    reference, core = (side.end() for side in sides)
    if reference != core and not (script.overlaps or late or counts["deadline"]):
        raise Difference(f"things closed: component {reference}, core {core}")
    return counts


DOUBLE_FAULTS = ({"trap", "shape"}, {"trap", "limit"}, {"shape", "limit"}, {"trap", "wit"}, {"limit"})
"""Where a guest lies about memory in which the host's wrong answer, or one that is too much, is to be put: either may be found first."""


def _equal(where: str, reference: Any, core: Any, counts: Counter[str], *, interrupted: bool = False) -> None:
    first, other = (one[0] if isinstance(one[0], tuple) else one for one in (core, reference))
    both = {first[0], other[0]}
    if (
        reference != core
        and (both in DOUBLE_FAULTS or (interrupted and len(both) == 2 and ("planned", "interrupted") in (first, other)))
        and core[1:] == reference[1:]
        and any(core[1])
    ):
        counts["double fault"] += 1
        return
    counts[first[0] if first[0] != "limit" else f"limit {first[1]}"] += 1
    if reference != core or first[0] == "alien":
        raise Difference(f"{where}\n  component {reference}\n  core      {core}")


def _noted(logs: Any, *, exact: bool) -> Any:
    """What was noted, with no difference between bits that are NaNs: those that come from the host are all the same one."""
    return [[_NAN if _is_nan(value) else _BLOCK if not exact and _is_block(value) else value for value in log] for log in logs]


_NAN, _BLOCK = -1, -2


def _is_block(value: int) -> bool:
    return HEAP <= value < 0x20000 + (30 << 16) and value % 1024 == 0


def _is_nan(bits: int) -> bool:
    return (bits >> 32 == 0 and bits & 0x7FFFFFFF > 0x7F800000) or bits & (1 << 63) - 1 > 0x7FF << 52


def _possible(where: str, core: Any, counts: Counter[str]) -> None:
    """Where the guest's places overlap, what is in them is as either engine likes; but nothing alien happens."""
    counts["overlapping"] += 1
    if core[0][0] == "alien":
        raise Difference(f"{where}\n  core      {core}")


def _equal_logs(number: int, sides: tuple[Side, Side], *, exact: bool) -> None:
    """Where texts are not all in UTF-8 the engines ask for other sizes, so that large blocks may lie elsewhere; else `exact`."""
    reference, core = (side.log() for side in sides)
    if reference != core and _noted(reference, exact=exact) != _noted(core, exact=exact):
        raise Difference(f"step {number}: the guests saw other things\n  component {reference}\n  core      {core}")
