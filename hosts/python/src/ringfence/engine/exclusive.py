"""An instance that one call at a time may enter, on whichever thread: what both engines' instances are.

An exception may strike in any line (a signal's handler that raises, wherever a function is called or has just returned), and the books must
hold all the same: a turn that was taken is given back, the clock does not tick for nobody, and no other store is taken for the running one.
So what is begun is undone in one `finally` in which nothing is called before the turn is given back.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

from ringfence.contract.errors import DeadlineExceeded, GuestTrap, ShapeError
from ringfence.contract.limits import show_time
from ringfence.engine.callbacks import current
from ringfence.engine.room import leave_room
from ringfence.engine.seam import Context
from ringfence.engine.stack import leave_stack
from ringfence.engine.store import BaseStore
from ringfence.engine.ticker import ticker, ticking

_T = TypeVar("_T")
BUSY = "cannot enter the instance: it is in a call already"


class Unfit(Exception):
    """An argument that does not fit: the one failure of a call that leaves the instance as it was."""

    def __init__(self, error: ShapeError) -> None:
        super().__init__(error)
        self.error = error


class DropContext:
    """Stands in for a call while a handle is dropped outside any: the guest's destructor has as long as a call would have."""

    def __init__(self, seconds: float) -> None:
        self._seconds, self._until = seconds, time.monotonic() + seconds

    def check(self) -> None:
        """Raise DeadlineExceeded when the time is up."""
        if time.monotonic() >= self._until:
            raise DeadlineExceeded("", "deadline", show_time(self._seconds), "in a resource's destructor")

    def spend(self, count: int) -> None:
        """A destructor gives nothing back."""

    def interrupt(self, reason: BaseException) -> None:
        """Nothing here waits."""


class Exclusive:
    """A store and whose turn it is."""

    def __init__(self, store: BaseStore) -> None:
        self._entered = store
        self._turn: Any = threading.RLock()  # for it knows whether this thread has it; a second turn of it is refused before
        self._ending = False

    @property
    def trapped(self) -> bool:
        return self._entered.trapped

    def _alone(self, work: Callable[[], _T], context: Context | None, guard: Context) -> _T:
        """Do what enters wasm while nobody else does; whatever goes wrong, but for arguments that do not fit, ends the instance."""
        store, turn, outer = self._entered, self._turn, current.store
        begun = inside = False
        if store.guard is not None:
            raise GuestTrap(BUSY)
        try:
            inside = turn.acquire(False)  # noqa: FBT003
            self._begin(inside, context, guard)
            begun = True
            result = work()
            if store.reason is not None:  # it came too late to end the guest, and must not be lost
                raise store.reason
        except Unfit as unfit:
            raise unfit.error from None
        except BaseException:
            store.trapped = store.trapped or begun
            raise
        else:
            return result
        finally:
            if inside or turn._is_owned():
                store.running = store.guard = None
                current.store = outer
                if store in ticking:
                    del ticking[store]
                turn.release()
                if self._ending:
                    self._afterwards()

    def _begin(self, inside: bool, context: Context | None, guard: Context) -> None:  # noqa: FBT001
        """From here on this thread alone runs wasm in the store, and the clock ticks; `finally`, as above, undoes it.

        Raises:
            GuestTrap: it is somebody else's turn, or the instance has ended.
            RecursionError: there is no room for the guest's calls.
            LimitExceeded: the thread has no such stack left.
            BaseException: what the guard raises.
        """
        store = self._entered
        if not inside:
            raise GuestTrap(BUSY)
        if store.trapped or store.freed:
            raise GuestTrap("cannot enter the instance: " + ("it was closed" if store.freed else "it has trapped before"))
        store.reason = store.pending = None
        store.running, store.guard = context, guard
        guard.check()
        leave_room()
        waiting, wanted = current.store, store.limits.stack
        if waiting is not None or wanted > current.most:
            leave_stack(current, wanted, waiting and waiting.at)
        if store.metered:
            store.refuel()
        current.store = store
        ticking[store] = store.engine
        if ticker.asleep:
            ticker.wake()

    def interrupt(self, reason: BaseException) -> None:
        """See `seam.Instance.interrupt`. The next tick of the clock raises it."""
        if self._entered.guard is not None:
            self._entered.reason = reason

    def close(self) -> None:
        """See `seam.Instance.close`. Inside a call, even from another thread, it takes effect when that call has ended."""
        self._ending = True
        self._afterwards()

    def _afterwards(self) -> None:
        store = self._entered
        if not store.freed and store.guard is None and self._turn.acquire(False):  # noqa: FBT003
            try:
                held = store.end()
            finally:
                self._turn.release()
            close_all(held)


def close_all(held: list[Any]) -> None:
    """Close each, whatever the others raise; then raise the first of that."""
    first: BaseException | None = None
    for value in held:
        try:
            value.close()
        except BaseException as error:  # noqa: BLE001 (raised below)
            first = first or error
    if first is not None:
        raise first
