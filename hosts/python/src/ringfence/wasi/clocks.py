"""wasi:clocks: the monotonic and the wall clock. Denied, they trap: a false time would be an answer. No time zone but UTC.

Source: wasi:clocks@0.2.12. The monotonic clock starts near zero with each instance: how long the host has been up is nobody's business.
"""

from __future__ import annotations

import time

from ringfence.call import Call
from ringfence.contract.grants.clocks import ClockName, ReadClock
from ringfence.contract.values import Record, record_class
from ringfence.gate import Permit, permit
from ringfence.wasi.io import Interest, Pollable
from ringfence.wasi.state import WasiState
from ringfence.wasi.tables import Table

_DATETIME = record_class(("seconds", "nanoseconds"))
_DISPLAY = record_class(("utc-offset", "name", "in-daylight-saving-time"))
_NANO = 1_000_000_000


def _permit(call: Call, clock: ClockName) -> Permit:
    return permit(call, ReadClock(clock, call.state.frozen))


def _elapsed(permit: Permit) -> int:
    """Nanoseconds on the instance's monotonic clock."""
    state = permit.call.state
    return time.monotonic_ns() - state.started if state.frozen is None else state.waited


class Timer:
    """Ready from a time on. Under a frozen clock it takes that long, too, and moves the clock there."""

    def __init__(self, state: WasiState, instant: int, now: int) -> None:
        self._state, self._instant = state, instant
        self._until = time.monotonic() + max(0, instant - now) / _NANO

    def ready(self) -> bool:
        if time.monotonic() < self._until:
            return False
        self._state.waited = max(self._state.waited, self._instant)
        return True

    def interest(self) -> Interest:
        return Interest(until=self._until)


def now(call: Call) -> int:
    """The monotonic clock, in nanoseconds."""
    return _elapsed(_permit(call, "monotonic"))


def resolution(call: Call) -> int:
    """The monotonic clock's, in nanoseconds."""
    _permit(call, "monotonic")
    return 1


def subscribe_instant(call: Call, when: int) -> Pollable:
    """A pollable for a time on the monotonic clock."""
    return Pollable(call.state, Timer(call.state, when, now(call)))


def subscribe_duration(call: Call, when: int) -> Pollable:
    """A pollable for a time from now on."""
    start = now(call)
    return Pollable(call.state, Timer(call.state, start + when, start))


def _wall(permit: Permit) -> int:
    frozen = permit.call.state.frozen
    return time.time_ns() if frozen is None else frozen.microseconds * 1000


def wall_now(call: Call) -> Record:
    """The wall clock."""
    return _DATETIME(*divmod(max(0, _wall(_permit(call, "wall"))), _NANO))


def wall_resolution(call: Call) -> Record:
    """The wall clock's."""
    _permit(call, "wall")
    return _DATETIME(0, 1)


def display(_: Call, __: Record) -> Record:
    """UTC's, whenever it is: where the host stands is nobody's business."""
    return _DISPLAY(0, "UTC", False)  # noqa: FBT003 -- a record of WIT


def utc_offset(_: Call, __: Record) -> int:
    """UTC's."""
    return 0


FUNCTIONS: dict[str, Table] = {
    "wasi:clocks/monotonic-clock": {
        "now": now,
        "resolution": resolution,
        "subscribe-instant": subscribe_instant,
        "subscribe-duration": subscribe_duration,
    },
    "wasi:clocks/wall-clock": {"now": wall_now, "resolution": wall_resolution},
    "wasi:clocks/timezone": {"display": display, "utc-offset": utc_offset},
}
