"""A connection to one instance of a library: operations go in, one at a time, and what the library asks meanwhile is answered.

Nobody can enter an instance that is in a call. So when the library calls what the application gave it, and that uses the library, the
operation goes in as the answer to the library's question, and is performed there. The application's code must wait for it in its own
thread; therefore, as long as an instance holds anything of the application's, its calls run in a thread of the connection's, and the
caller's thread waits, runs what is asked for, and hands operations over. Calls of an instance that holds nothing run in the caller's.
"""

from __future__ import annotations

import itertools
import logging
import os
import sys
import threading
import time
import warnings
import weakref
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType, ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from ringfence.call import Call
from ringfence.contract.errors import UsageError
from ringfence.last_words import plain
from ringfence.objects import answering
from ringfence.objects.agreed.terms import Malformed, Uncrossable
from ringfence.objects.crossing import Crossing, Undefined
from ringfence.objects.errors import BorderViolated, StaleObject
from ringfence.objects.given import Given
from ringfence.objects.references import Guest
from ringfence.objects.serving import Conversation, refusal
from ringfence.objects.subclasses import definition_of
from ringfence.objects.talk import PATIENCE, Talk, Worker

if TYPE_CHECKING:
    from ringfence.contract.errors import Denial
    from ringfence.graph import Graph
    from ringfence.objects.library import Library

_warning = threading.local()
_tokens = itertools.count(int.from_bytes(os.urandom(4), "big") << 20)
NOTHING: Mapping[str, Any] = MappingProxyType({})
_CLASSES = 1000
"""Classes of the application's in one operation that the library does not know yet, at most."""
_INSTANCES = 3
"""Instances that an operation is tried with."""
_WARNINGS = 100
"""Of one answer, at most."""
_TOLD = 5
"""Denials that an exception tells of, at most."""
_NESTED = 60
"""Operations and callbacks within each other, at most."""


class Warned(NamedTuple):
    """A warning: about the module of the library in which it is, or, where that is None, about who called the library."""

    text: str
    category: type[Warning]
    module: str | None
    line: int


class Connection:
    """One instance of a library. Safe in threads: their operations queue. A context manager, inside which it is the present one."""

    def __init__(self, library: Library, open_graph: Callable[[], Graph], substitutes: Mapping[str, Any] = NOTHING) -> None:
        self.library, self._open, self.substitutes = library, open_graph, substitutes
        self._logger = logging.getLogger(f"ringfence.{library.name}")
        self._contexts: list[Any] = []
        self.reset()

    def reset(self) -> None:
        """Begin anew, without a look at what was: another process's, after a fork."""
        self._lock = threading.Lock()
        self._owner: int | None = None
        self._graph: Graph | None = None
        self._guest: Guest | None = None
        self._codec: Crossing | None = None
        self._talk: Talk | None = None
        self._worker: Worker | None = None
        self._began = 0.0  # when the present operation was asked for, in monotonic seconds
        self._level = 0
        self._nested = 0
        self._entered = False
        self._warned: list[Warned] = []
        self._refused: Sequence[Denial] = ()
        self.closed = False

    def forked(self) -> None:
        """In a child process: what it was connected to is the parent's."""
        if self._guest is not None:
            self._guest.alive = False
        self.reset()

    # operations

    def perform(self, name: str, *operands: Any) -> Any:
        """What an operation gives; what the library raises is raised.

        Raises:
            StaleObject, ForeignObject: an operand does not live in this instance.
            BorderViolated: the answer is none.
            CapabilityDenied, LimitExceeded, GuestTrap: as `Graph.call`; the instance has ended, and the next operation gets a new one.
        """
        if self._owner == threading.get_ident():
            return self._within(name, operands)
        warned: list[Warned] = []
        lock = self._lock
        if not lock.acquire(False):  # noqa: FBT003
            self._queue(lock)
        try:
            self._owner = threading.get_ident()
            return self._outer(name, operands)
        finally:
            if self._warned:
                warned, self._warned = self._warned, warned
            self._owner = None
            lock.release()
            for one in warned:  # after the operation: a warning is made by its class, which may be the library's
                _warn_once(one, self.library.warned)

    def _queue(self, lock: threading.Lock) -> None:
        """Take the lock; not waited for where the call before has ended and its caller stays away: it may wait for this thread."""
        while not lock.acquire(timeout=PATIENCE):
            talk = self._talk
            if talk is not None and talk.abandoned:
                told = f"{self.library.name}: a call has ended whose thread is still in a function of the application's"
                raise UsageError(told, hint="that function must not wait for another thread which uses the library")

    def _within(self, name: str, operands: tuple[Any, ...]) -> Any:
        """An operation within another of this thread: within its call, or while its answer is read (to hash a key asks the library)."""
        if self._talk is not None:
            return self._inner(name, operands)
        if self._entered:
            raise UsageError(f"{self.library.name} is in a call, and was given nothing that could call it back", hint="call it later")
        return self._outer(name, operands)

    def _outer(self, name: str, operands: tuple[Any, ...]) -> Any:
        codec = self._ready()
        for _ in range(_INSTANCES):
            text = self._operation(codec, name, operands)
            answer = self._exchanged(codec, text)
            if answer != "[2]":
                return self._given(codec, answer)
            self._ended()  # the instance went with an earlier call
            codec = self._ready()
        raise BorderViolated(f"{self.library.name} says of each of its instances that it is another one")

    def _operation(self, codec: Crossing, name: str, operands: tuple[Any, ...]) -> str:
        guest = self._guest or self._present()
        released = guest.released() if guest.dropped else []
        try:
            return self._text(codec, [guest.token, released, name, *operands])
        except BaseException:
            guest.dropped.extend(zip(released[::2], released[1::2], strict=True))  # it was told of none
            raise

    def _inner(self, name: str, operands: tuple[Any, ...]) -> Any:
        """An operation within a call of this connection: handed over as an answer."""
        codec, talk = self._codec, self._talk
        if codec is None or talk is None or talk.ended:
            raise StaleObject(f"the call of {self.library.name} that this was within has ended")
        if self._nested >= _NESTED:
            raise RecursionError(f"{_NESTED} calls of {self.library.name} within each other")
        self._nested += 1
        try:
            found = talk.perform(self._text(codec, [2, name, *operands]))
        finally:
            self._nested -= 1
        return self._result(found)

    def _text(self, codec: Crossing, value: list[Any]) -> str:
        """The text of a value, all the application's classes in it known to the library."""
        for _ in range(_CLASSES):
            try:
                return codec.dumps(value)
            except Undefined as missing:
                self._define(missing.cls)
        raise Uncrossable(f"more than {_CLASSES} classes that the library does not know")

    def _ready(self) -> Crossing:
        """The codec of a living instance."""
        if self.closed:
            raise StaleObject(f"this connection to {self.library.name} is closed")
        if self._codec is None:
            if self._graph is None:
                self._graph = self._open()
            guest = Guest(next(_tokens), self, Given())
            self._guest, self._codec = guest, Crossing(guest, self.library)
            self._level = self._logger.getEffectiveLevel()
            hello = {"api": self.library.has_api, "level": self._level}
            self._given(self._codec, self._exchanged(self._codec, self._codec.dumps([guest.token, [], "hello", hello])))
        elif self._level != (level := self._logger.getEffectiveLevel()):
            self._level = level
            self._given(self._codec, self._exchanged(self._codec, self._codec.dumps([self._present().token, [], "level", level])))
            return self._ready()
        return self._codec

    def _present(self) -> Guest:
        if self._guest is None:
            raise StaleObject(f"the instance of {self.library.name} has ended")
        return self._guest

    # classes of the application's

    def _define(self, cls: type) -> None:
        """Have a class that the application derived from a library's, or mixes into one, defined in the library."""
        operands = definition_of(cls).operands()
        number = self._inner("define", operands) if self._talk is not None else self._outer("define", operands)
        guest = self._present()
        if type(number) is not int or number in guest.classes:
            raise BorderViolated("a class has got no number of its own")
        guest.classes[number], guest.numbers[cls] = cls, number

    # exchange

    def _exchanged(self, codec: Crossing, text: str) -> str:
        """The answer to an operation."""
        guest, graph = self._present(), self._graph
        if not codec.reading:  # else what reading an answer asks has no more time than the call that gave it
            self._began = time.monotonic()
        assert graph is not None  # noqa: S101 -- there is one wherever there is a guest
        try:
            if guest.given:
                return self._talked(graph, codec, text)
            self._entered = True
            root = Conversation(self.library.name, _nobody)
            root.started = self._began
            self._refused = root.denials
            answer: str = graph.call_as(root, self.library.function_name, text)
        except BaseException:
            self._ended()
            raise
        finally:
            self._entered = False
        return answer

    def _talked(self, graph: Graph, codec: Crossing, text: str) -> str:
        if self._worker is None:
            self._worker = Worker(f"ringfence-{self.library.name}")
            weakref.finalize(self, self._worker.stop)
        talk = Talk(self.library.name, codec.loads, self._answer)
        self._talk, self._refused = talk, talk.conversation.denials
        talk.conversation.started = self._began
        try:
            return talk.run(self._worker, lambda: graph.call_as(talk.conversation, self.library.function_name, text))
        finally:
            self._talk = None

    def _answer(self, request: list[Any]) -> str:
        """The text that answers what the library asks for."""
        codec, talk = self._codec, self._talk
        if codec is None or talk is None:
            raise StaleObject(f"the instance of {self.library.name} has ended")
        return answering.answer(codec, self._present().given, request, self._text, talk.urgent)

    def _given(self, codec: Crossing, answer: str) -> Any:
        try:
            found = codec.loads(answer)
        except Malformed as error:
            raise self._violated(str(error)) from error
        return self._result(found)

    def _result(self, found: Any) -> Any:
        """What an answer gives: its value, or its exception."""
        match found:
            case [int() as verdict, value]:
                pass
            case [int() as verdict, value, dict() as extras]:
                self._extras(extras)
            case _:
                raise self._violated("neither a value nor an exception")
        if verdict == 0 and type(verdict) is int:
            return value
        if verdict != 1 or type(verdict) is not int or not isinstance(value, BaseException):
            raise self._violated("an exception that is none")
        if not isinstance(value, Exception) and not (self._talk is not None and self._talk.is_urgent(value)):
            raise RuntimeError(f"the library raised the application's {type(value).__name__} again")
        if self._refused and self._present().given.of(value) is None:
            _explain(value, self.library.name, self._refused)
        raise value

    def _extras(self, extras: dict[str, Any]) -> None:
        """What came beside a value: what the library let go of, and its warnings."""
        released, warned = extras.get("r", []), extras.get("w", [])
        if type(released) is not list or any(type(one) not in (int, str) for one in released) or type(warned) is not list:
            raise self._violated("extras that are none")
        self._present().given.release(released)
        for one in warned[:_WARNINGS]:
            match one:
                case [type() as category, str() as text, module, int() as line] if _may_warn(category, text, module):
                    self._warned.append(Warned(plain(text.encode(errors="backslashreplace")), category, module, line))
                case _:
                    raise self._violated("a warning that is none")

    def _violated(self, what: str) -> BorderViolated:
        """The error for an answer that is none; the instance has ended with it."""
        self._ended()
        return BorderViolated(f"{self.library.name} answered with what is no answer: {what}")

    def _ended(self) -> None:
        """The instance is gone."""
        if self._guest is not None:
            self._guest.alive = False
        self._guest = self._codec = None

    # life

    def load(self) -> None:
        """Read and check what it runs, so that what is wrong is said now and not at the first call."""
        with self._lock:
            if self._graph is None:
                self._graph = self._open()

    def end(self) -> None:
        """End the instance; the next operation gets a new one.

        Raises:
            UsageError: this thread is in a call of it.
        """
        if self._owner == threading.get_ident():
            raise UsageError(f"{self.library.name} is in a call, from within which it cannot be ended")
        with self._lock:
            self._ended()
            if self._graph is not None:
                self._graph.close()
                self._graph = None

    def close(self) -> None:
        """End it for good. Twice is harmless."""
        self.closed = True
        self.end()
        if self._worker is not None:
            self._worker.stop()

    @property
    def denials(self) -> list[Any]:
        """What the library was refused so far, in this connection's present graph."""
        return list(self._graph.all_denials) if self._graph is not None else []

    def __enter__(self) -> Self:
        self._contexts.append(self.library.enter(self))
        return self

    def __exit__(self, *_: object) -> None:
        self.library.leave(self._contexts.pop())

    def __repr__(self) -> str:
        return f"<connection to {self.library.name}{', closed' if self.closed else ''}>"


def _explain(error: BaseException, library: str, refused: Sequence[Denial]) -> None:
    """Note on a library's exception what it was refused in this call: what it makes of that itself rarely says so."""
    for one in refused[:_TOLD]:
        allow = f"; granted, it would be allowed: {' '.join(one.allow.split())}" if one.allow else ""
        note = plain(f"{library}: {one.operation} {one.value} denied: {one.reason}{allow}".encode(errors="backslashreplace"))
        if note not in getattr(error, "__notes__", ()):
            error.add_note(note)


def _nobody(_: Call, __: str) -> str:
    return refusal("PermissionError", "the library was given nothing that it could ask for")


def _may_warn(category: type, text: str, module: Any) -> bool:
    return issubclass(category, Warning) and type(text) is str and (module is None or (type(module) is str and module.isprintable()))


def _warn_once(one: Warned, seen: dict[Any, Any]) -> None:
    """The same, unless this thread is about to issue one: to make a warning asks its class, which may have the next, and so on for ever."""
    if not getattr(_warning, "now", False):
        _warning.now = True
        try:
            _warn(one, seen)
        finally:
            _warning.now = False


def _warn(one: Warned, seen: dict[Any, Any]) -> None:
    """Issue a warning where the application called, whichever of this package's frames lie between; or where it is in the library."""
    if one.module is not None:
        shim = sys.modules.get(one.module)
        file = vars(shim).get("__file__", one.module) if isinstance(shim, ModuleType) else one.module
        warnings.warn_explicit(one.text, one.category, file, one.line, one.module, seen)
        return
    frame, level = sys._getframe(1), 2  # noqa: SLF001 -- as `warnings` itself counts
    while frame is not None and str(frame.f_globals.get("__name__", "")).startswith("ringfence."):
        frame, level = frame.f_back, level + 1  # type: ignore[assignment]
    warnings.warn(one.text, one.category, stacklevel=level)
