"""Who may use which instance. A lease is one instance in one store with its WASI state; whoever calls into it holds its lock.

Leases are kept per inbound edge (per node where the graph says `shared`) and act with what that edge gives: `fresh` ones live for one
call, and on until their last exported resource is dropped; `pooled` ones serve one call after another; a `single` one makes its callers
queue.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from ringfence.contract.errors import GuestTrap, LimitExceeded, ShapeError
from ringfence.contract.limits import Limits
from ringfence.contract.lock import Instances
from ringfence.contract.values import Handle
from ringfence.engine.seam import Instance

if TYPE_CHECKING:
    from ringfence.call import Call
    from ringfence.wasi.state import WasiState

_IDLE = 8
"""Idle pooled instances kept per key."""
_PATIENCE = 0.02
"""Seconds between two looks at the deadline while queueing; seconds after which a sweep leaves the rest to the next."""

Opener = Callable[["Call"], Instance]


class Lease:
    """One instance and its state. `alive` from its opening until it traps or ends; it is opened once."""

    def __init__(self, node: str, key: str, state: WasiState, untidied: deque[Lease]) -> None:
        """A lease without an instance yet; `untidied` is told of it when it has something to drop."""
        self.node, self.key, self.state, self._untidied = node, key, state, untidied
        self.lock = threading.Lock()
        self._instance: Instance | None = None
        self._dropped: deque[Handle] = deque()
        self._late = False
        self.limits = Limits()
        self.idle = False  # whether it waits, pooled, for its next call
        self.ended = False

    def open(self, opener: Opener, call: Call) -> None:
        """Make the instance; its start code runs as part of `call`."""
        self.limits = call.limits
        self._instance = opener(call)

    def bind(self, call: Call) -> None:
        """Have a call that holds the lock act with this instance's state, and that state keep to the call's limits."""
        call.state = self.state
        self.state.handles = call.limits.handles

    @property
    def instance(self) -> Instance:
        if self._instance is None or self.ended:
            raise GuestTrap(f"{self.node}: this instance has ended")
        return self._instance

    @property
    def alive(self) -> bool:
        return self._instance is not None and not (self.ended or self._late or self._instance.trapped)

    @property
    def needed(self) -> bool:
        """Whether somebody still holds a resource that lives here."""
        return self.alive and self.instance.lent > 0

    def later(self, handle: Handle) -> None:
        """Note a resource to drop when next nobody is inside. Safe anywhere, a finalizer included."""
        self._dropped.append(handle)
        self._untidied.append(self)

    @property
    def untidy(self) -> bool:
        return bool(self._dropped)

    def tidy(self, new_call: Callable[[], Call]) -> None:
        """Drop what was noted; the caller holds the lock. Destructors run in a call of their own; one that fails traps the instance.

        They share that one call's time, however many there are: where it is over before all have run, the instance is no longer alive.
        """
        call = None
        while self._dropped:
            handle = self._dropped.popleft()
            if self.alive:
                call = call or new_call()
                self.bind(call)
                self._late = not call.remaining()
                with suppress(Exception):  # whatever a destructor met: the instance is gone, and there is no caller to hear of it
                    handle.close(call)

    def end(self) -> None:
        """End the instance and close everything it had open. Twice is harmless."""
        if not self.ended:
            self.ended = True
            if self._instance is not None:
                self._instance.close()
            self.state.close()


class Leases:
    """All leases of one node."""

    def __init__(
        self, node: str, mode: Instances, *, new_state: Callable[[str], WasiState], opener: Opener, new_call: Callable[[], Call]
    ) -> None:
        self._node, self._mode, self._new_state, self._opener, self._new_call = node, mode, new_state, opener, new_call
        self._guard = threading.Lock()
        self._all: set[Lease] = set()
        self._kept: set[Lease] = set()  # those that only their resources keep
        self._untidied: deque[Lease] = deque()
        self._pools: dict[str, deque[Lease]] = {}
        self._singles: dict[str, Lease] = {}
        self._closed = False

    def take(self, key: str, call: Call) -> Lease:
        """A locked, live lease for a call that comes in under `key`; `give_back` ends its use."""
        lease = self._single(key, call) if self._mode == "single" else self._reused(key) or self._fresh(key, call)
        try:
            lease.bind(call)
            if not lease.alive:
                lease.open(self._opener, call)
        except BaseException:
            self.give_back(lease)
            raise
        return lease

    def hold(self, lease: Lease, call: Call) -> Lease:
        """The lease in which a resource lives, locked; `give_back` ends its use."""
        _queue(lease, call)
        if not lease.alive:
            self.give_back(lease)
            raise ShapeError(f"the resource lived in an instance of {self._node} that has ended")
        lease.bind(call)
        return lease

    def give_back(self, lease: Lease) -> None:
        """The end of a call's use of a lease; what finalizers left elsewhere meanwhile is tidied, too."""
        self._settle(lease)
        if self._untidied:
            self._sweep()

    def drop(self, lease: Lease, handle: Handle) -> None:
        """Drop a resource: now where nobody is inside its instance, else when that call has ended."""
        lease.later(handle)
        self._collect(lease)

    def close(self, patience: float = 5.0) -> None:
        """End all leases, without destructors. One that is in a call for longer than `patience` seconds ends when that call returns."""
        self._closed = True
        for lease in list(self._all):
            if lease.lock.acquire(timeout=patience):
                self._settle(lease)

    def __len__(self) -> int:
        return len(self._all)

    def _fresh(self, key: str, call: Call) -> Lease:
        """A locked lease without an instance yet.

        Raises:
            LimitExceeded: resources that somebody holds keep too many instances: each takes memory, and a guest that goes on asking for
                resources must not take all there is.
        """
        if len(self._kept) >= call.limits.handles:
            raise LimitExceeded(self._node, "handles", str(call.limits.handles), "resources keep as many instances of it")
        lease = Lease(self._node, key, self._new_state(key), self._untidied)
        lease.lock.acquire()
        self._all.add(lease)
        if self._closed:  # asked only now: either it is seen here, or `close` sees the lease
            self._all.discard(lease)
            raise GuestTrap(f"{self._node}: the graph is closed")
        return lease

    def _reused(self, key: str) -> Lease | None:
        """A locked, pooled lease. Taking one out and putting it back is one operation each, so no lock is needed."""
        pool = self._pools.get(key)
        while pool:
            try:
                lease = pool.pop()
            except IndexError:  # another thread was quicker
                return None
            if not lease.lock.acquire(blocking=False):  # somebody tidies it just now
                pool.appendleft(lease)
                return None
            if not lease.ended:
                lease.idle = False
                return lease
            lease.lock.release()
        return None

    def _single(self, key: str, call: Call) -> Lease:
        while True:
            lease = self._singles.get(key)
            if lease is None:
                with self._guard:
                    lease = self._singles.get(key)
                    if lease is None:
                        lease = self._singles[key] = self._fresh(key, call)
                        return lease
            _queue(lease, call)
            if not lease.ended:
                return lease
            lease.lock.release()

    def _settle(self, lease: Lease) -> None:
        """Unlock a lease; keep it where its mode or a resource keeps it, else end it."""
        keep = False
        try:
            if lease.untidy and not self._closed:
                lease.tidy(self._new_call)
            if keep := lease.alive and not self._closed and (self._keeps(lease) or lease.needed):
                self._note(lease)
        finally:  # also where Ctrl-C came in between: what is half tidied is not used again
            try:
                if not keep:
                    self._forget(lease)
                    lease.end()
            finally:
                lease.lock.release()
        if lease.untidy and not lease.ended:
            self._collect(lease)

    def _note(self, lease: Lease) -> None:
        if lease.idle or self._mode == "single":
            self._kept.discard(lease)
        else:
            self._kept.add(lease)

    def _forget(self, lease: Lease) -> None:
        self._all.discard(lease)
        self._kept.discard(lease)
        with self._guard:
            if self._singles.get(lease.key) is lease:
                del self._singles[lease.key]

    def _keeps(self, lease: Lease) -> bool:
        """Whether it lives on without a call: in its pool, where it is or there is room, or as the only one."""
        if self._mode == "pooled" and not lease.idle:
            pool = self._pools.get(lease.key)
            if pool is None:
                pool = self._pools.setdefault(lease.key, deque())
            if len(pool) < _IDLE:
                lease.idle = True
                pool.append(lease)
        return lease.idle or self._mode == "single"

    def _collect(self, lease: Lease) -> None:
        if not lease.ended and lease.lock.acquire(blocking=False):
            self._settle(lease)

    def _sweep(self) -> None:
        """Tidy what finalizers have left. After a call, and not for long: other callers' destructors must not use up its time."""
        until = time.monotonic() + _PATIENCE
        while self._untidied and time.monotonic() < until:
            self._collect(self._untidied.popleft())


def _queue(lease: Lease, call: Call) -> None:
    """Wait for a lease that another call uses; the time counts to the deadline."""
    acquire = lease.lock.acquire
    while not (acquire(False) or acquire(timeout=min(_PATIENCE, call.remaining()))):  # noqa: FBT003
        call.check()
