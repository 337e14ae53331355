"""Test doubles for applications that stand on a graph: recorded calls, scripted answers and failures, a clock that only tests turn.

orders = Double[Orders](get_order=in_order(ORDER, OrderErrorUnavailable("no route"), deny("tcp", "10.0.0.1:80"), time_out("2s")))
report(orders.api)                                  where the application takes the interface itself
Graph.load("graph.yaml", substitutes={"vendor": orders})      where it takes a graph
orders.calls == [Called("get_order", ("A-17",)), ...]

The pytest plugin (`ringfence.pytest_plugin`, there wherever ringfence is installed) has a fixture that opens graphs and closes them again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial, update_wrapper
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar, cast

from ringfence.contract.errors import DOUBLE, CapabilityDenied, DeadlineExceeded, Denial, GuestTrap, LimitExceeded

if TYPE_CHECKING:
    from ringfence.graph import Graph

__all__ = [
    "Called",
    "Double",
    "FakeClock",
    "always",
    "assert_nothing_denied",
    "deny",
    "exceed",
    "in_order",
    "time_out",
    "trap",
]

T = TypeVar("T")
Script: TypeAlias = Callable[..., Any]
"""Stands for a function: is called with its arguments."""


@dataclass(frozen=True, slots=True)
class Called:
    """One call of a double's function, before it was answered."""

    function: str
    arguments: tuple[Any, ...] = ()
    named: Mapping[str, Any] = field(default_factory=dict)


class Double(Generic[T]):
    """A test double that remembers how it was called. Safe in threads.

    Scripts, by the functions' Python names, answer first; what has none is asked of `real`, if there is one. `api` is the double as the
    interface that it stands for; the double itself will do wherever types are not checked. `Double[Orders](…)` says which that is.
    """

    def __init__(self, real: T | None = None, /, **scripts: Script) -> None:
        self._real, self._scripts = real, scripts
        self.calls: list[Called] = []

    @property
    def api(self) -> T:
        """The double as its interface, which has that interface's names and no others."""
        return cast("T", _Face(self._function))

    def __getattr__(self, name: str) -> Any:
        return self._function(name)

    def _function(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        found = self._scripts.get(name)
        if found is None:
            if self._real is None:
                raise AttributeError(f"this double has no script for {name}; it has {', '.join(sorted(self._scripts)) or 'none'}")
            found = getattr(self._real, name)
        return update_wrapper(partial(self._call, name, found), found, updated=()) if callable(found) else found

    def _call(self, name: str, script: Script, /, *arguments: Any, **named: Any) -> Any:
        self.calls.append(Called(name, arguments, named))
        return script(*arguments, **named)

    def called(self, function: str) -> list[tuple[Any, ...]]:
        """The arguments of each call of one function."""
        return [one.arguments for one in self.calls if one.function == function]

    def __repr__(self) -> str:
        return f"<double: {len(self.calls)} calls>"


class _Face:
    def __init__(self, function: Callable[[str], Any]) -> None:
        self.__function = function

    def __getattr__(self, name: str) -> Any:
        return self.__function(name)


# Scripts. An answer that is an exception is raised.


def always(answer: Any) -> Script:
    """The same answer each time."""
    return lambda *_arguments, **_named: _given(answer)


def in_order(*answers: Any) -> Script:
    """One answer after the other. A call after the last one is an AssertionError: the test did not expect it."""
    left, guard = list(answers), threading.Lock()

    def script(*_arguments: Any, **_named: Any) -> Any:
        with guard:
            if not left:
                raise AssertionError(f"called more often than the {len(answers)} times that the script has answers for")
            answer = left.pop(0)
        return _given(answer)

    return script


def _given(answer: Any) -> Any:
    if isinstance(answer, BaseException):
        raise answer.with_traceback(None)
    return answer


def deny(kind: str, value: str, *, operation: str = "use") -> CapabilityDenied:
    """The error of a call whose guest was refused something: `deny("tcp", "10.0.0.1:80", operation="connect")`."""
    denial = Denial(
        node=DOUBLE, edge=DOUBLE, kind=kind, operation=operation, value=value, reason="the test says so", allow=f'{kind}: ["{value}"]'
    )
    return CapabilityDenied([denial])


def time_out(deadline: str = "30s") -> DeadlineExceeded:
    """The error of a call that took longer than its deadline, as written in a manifest."""
    return DeadlineExceeded(DOUBLE, "deadline", deadline)


def exceed(limit: str, allowed: str) -> LimitExceeded:
    """The error of a guest that passed another limit: `exceed("memory", "128MiB")`."""
    return LimitExceeded(DOUBLE, limit, allowed)


def trap(message: str = "wasm trap: unreachable instruction executed") -> GuestTrap:
    """The error of a guest that trapped."""
    return GuestTrap(message)


class FakeClock:
    """A clock that goes only as far as a test or a double turns it. In seconds; safe in threads.

    An application that waits takes its `time.sleep` and `time.monotonic` as arguments; a test gives it `clock.sleep` and `clock.monotonic`.
    """

    def __init__(self, now: float = 0.0) -> None:
        self._now, self._guard = now, threading.Lock()
        self.slept: list[float] = []

    def monotonic(self) -> float:
        """The present time."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        if seconds < 0:
            raise ValueError(f"expected seconds to go forward, found {seconds}")
        with self._guard:
            self._now += seconds

    def sleep(self, seconds: float) -> None:
        """Wait: time passes at once, and `slept` has one more."""
        self.slept.append(seconds)
        self.advance(seconds)

    def takes(self, seconds: float, answer: Any, *, deadline: str | None = None) -> Script:
        """A script whose answer takes a while on this clock; where that is longer than the deadline, it times out at the deadline."""
        from ringfence.contract.limits import parse_time

        allowed = float("inf") if deadline is None else parse_time(deadline)

        def script(*_arguments: Any, **_named: Any) -> Any:
            self.advance(min(seconds, allowed))
            return _given(time_out(str(deadline)) if seconds > allowed else answer)

        return script


def assert_nothing_denied(*graphs: Graph) -> None:
    """That no call of these graphs was refused anything, not even one that succeeded, or whose error somebody caught.

    What an edge lists as expected does not count.

    Raises:
        AssertionError: with every denial, and what would allow it.
    """
    __tracebackhide__ = True
    denials = dict.fromkeys(denial for graph in graphs for denial in graph.all_denials if not denial.expected)
    if denials:
        raise AssertionError("calls were denied what they asked for:\n" + "\n".join(str(denial) for denial in denials))
