"""Runs a script on one lane, command by command."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from host.engine.conftest import LANES, Call
from host.engine.suite import wording
from host.engine.suite.outcome import Ended, Outcome, failed, not_run, refused, switched_off
from host.engine.suite.prepared import Script
from host.engine.suite.values import exact, value
from ringfence.contract.errors import GuestTrap, IntegrityError, RingfenceError
from ringfence.contract.limits import Limits
from ringfence.contract.types import ResultOf, Type
from ringfence.contract.values import Err, Ok, WitError
from ringfence.engine.seam import Imports, Instance, Linked, Loaded

Command = dict[str, Any]
_NO_WORLD = frozenset({"core-modules", "world"})


def run_all(scripts: Iterable[Script], lane: str, cache: Path) -> dict[str, list[Outcome]]:
    """The outcomes of every script's commands, in order."""
    return {script.name: _Runner(script, lane, cache).run() for script in scripts}


@dataclass(frozen=True, slots=True)
class _Definition:
    """A component, loaded and linked."""

    loaded: Loaded
    linked: Linked


@dataclass(frozen=True, slots=True)
class _Instance:
    """An instance, and what it is one of."""

    loaded: Loaded
    instance: Instance


@dataclass(slots=True)
class _Runner:
    """One script on one lane. What it defines and instantiates is kept by name, the latest as ''; what was not made, as what ended it."""

    script: Script
    lane: str
    cache: Path
    definitions: dict[str, _Definition | Ended] = field(default_factory=dict)
    instances: dict[str, _Instance | Ended] = field(default_factory=dict)
    opened: ExitStack = field(default_factory=ExitStack)

    def run(self) -> list[Outcome]:
        if self.script.unreadable:
            end = switched_off(self.script.unreadable) or failed(self.script.unreadable)
            return [Outcome(0, "script", end.result, end.reason, end.detail)]
        with self.opened:
            return [self._outcome(command) for command in self.script.commands]

    def _outcome(self, command: Command) -> Outcome:
        kind, line = command["type"], command["line"]
        act: Callable[[Command], str | None] | None = getattr(self, f"_{kind}", None)
        try:
            if act is None:
                raise failed(f"the runner does not know the command {kind}")
            return Outcome(line, kind, "passed", act(command) or "")
        except Ended as end:
            return Outcome(line, kind, end.result, end.reason, end.detail)
        except (AssertionError, LookupError, ValueError) as error:
            return Outcome(line, kind, "failed", "", f"its values do not fit the function: {error!r}")

    # Definitions and instances

    def _module(self, command: Command) -> None:
        made = _attempt(self._instantiate, _attempt(self._define, command["filename"]))
        self._keep(self.instances, command.get("name", ""), made)

    def _module_definition(self, command: Command) -> None:
        self._keep(self.definitions, command.get("name", ""), _attempt(self._define, command["filename"]))

    def _module_instance(self, command: Command) -> None:
        made = _attempt(self._instantiate, self.definitions.get(command.get("module", ""), failed("no such definition")))
        self._keep(self.instances, command.get("instance", ""), made)

    def _keep(self, where: dict[str, Any], name: str, made: Any) -> None:
        where[name] = where[""] = made
        _there(made)

    def _define(self, file: str) -> _Definition:
        answer = self.script.answers[file]
        if answer.refused_by:
            raise switched_off(answer.message) or failed(f"{answer.refused_by}: {answer.message}")
        if answer.reasons and (self.lane == "core" or refused(answer.reasons).result == "asynchronous" or _NO_WORLD & set(answer.reasons)):
            raise refused(answer.reasons)
        engine = LANES[self.lane]()
        try:
            loaded = engine.load(self.script.artifacts(file, self.cache))
        except IntegrityError as error:
            message = f"{error.message}: {error.__cause__}"
            if self.lane == "core":
                raise failed(message) from error
            raise (refused(dict.fromkeys(answer.reasons, message)) if answer.reasons else not_run(message)) from error
        return _Definition(loaded, engine.link(loaded, _nothing(loaded)))

    def _instantiate(self, definition: _Definition | Ended, *, traps: bool = False) -> _Instance:
        definition = _there(definition)
        try:
            instance = definition.linked.instantiate(Limits(), Call())
        except RingfenceError as error:
            if traps and isinstance(error, GuestTrap):
                raise
            raise failed(f"no instance: {type(error).__name__}: {error}") from error
        self.opened.callback(instance.close)
        return _Instance(definition.loaded, instance)

    # Calls

    def _action(self, command: Command) -> None:
        self._call(command["action"])

    def _assert_return(self, command: Command) -> None:
        found, kind = self._call(command["action"])
        expected = [value(one, kind) for one in command["expected"]]
        if [exact(one) for one in expected] != ([] if kind is None else [exact(found)]):
            raise failed(f"expected {expected}, found {found!r}")

    def _assert_trap(self, command: Command) -> None:
        try:
            found, _ = self._call(command["action"], traps=True)
        except GuestTrap as trap:
            _compare(trap, command)
            if not self._named(command["action"]).instance.trapped:
                raise failed("the instance can still be entered after its trap") from trap
            return
        raise failed(f"expected the trap `{command['text']}`, found {found!r}")

    def _assert_uninstantiable(self, command: Command) -> None:
        try:
            self._instantiate(self._define(command["filename"]), traps=True)
        except GuestTrap as trap:
            _compare(trap, command)
            return
        raise failed(f"expected the trap `{command['text']}`, found an instance")

    def _call(self, action: Command, *, traps: bool = False) -> tuple[Any, Type | None]:
        """What the function answers, and its type; a trap is raised only where `traps`."""
        called = self._named(action)
        if action["type"] != "invoke":
            raise failed(f"the runner does not know the action {action['type']}")
        root = called.loaded.exports.get("")
        function = root and root.functions.get(action["field"])
        if function is None:
            raise failed(f"no function {action['field']} at the root")
        arguments = [value(one, kind) for one, (_, kind) in zip(action["args"], function.params, strict=True)]
        try:
            found = called.instance.call(("", action["field"]), arguments, Call())
        except WitError as error:
            return Err(error.value), function.result
        except RingfenceError as error:
            if traps and isinstance(error, GuestTrap):
                raise
            raise failed(f"{type(error).__name__}: {error}") from error
        return (Ok(found) if isinstance(function.result, ResultOf) else found), function.result

    def _named(self, action: Command) -> _Instance:
        return _there(self.instances.get(action.get("module", ""), failed("no such instance")))

    # What must be refused

    def _assert_invalid(self, command: Command) -> str:
        answer, expected = self.script.answers[command["filename"]], command["text"]
        if not answer.refused_by:
            raise failed(f"expected `{expected}`, found nothing wrong")
        if wording.means(wording.REFUSALS, expected, answer.message):
            return answer.refused_by
        raise switched_off(answer.message) or failed(f"expected `{expected}`, found `{answer.message}`")

    _assert_malformed = _assert_invalid


def _compare(trap: GuestTrap, command: Command) -> None:
    if not wording.means(wording.TRAPS, command["text"], trap.message):
        raise failed(f"expected the trap `{command['text']}`, found `{trap.message}`") from trap


def _attempt(make: Callable[[Any], Any], of: Any) -> Any:
    """What is made of this, or what ended that."""
    try:
        return make(of)
    except Ended as end:
        return end


def _there(found: Any) -> Any:
    """What was made; raises what ended it, where it was not."""
    if isinstance(found, Ended):
        raise found
    return found


def _nothing(loaded: Loaded) -> Imports:
    """Host functions for all imports: what imports functions is only defined in the scripts, or does not call them."""

    def called(*_: object) -> None:
        raise failed("an import is called, which nothing serves")

    return {(interface, name): called for interface, kind in loaded.imports.items() for name in kind.functions}
