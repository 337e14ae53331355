"""What one instance has of the world: its policy, its environment, the names it looked up, and everything it has open."""

from __future__ import annotations

import errno
import hashlib
import os
import socket
import struct
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from functools import cached_property
from typing import Any, Protocol

from ringfence.contract.errors import LimitExceeded
from ringfence.contract.grants import Policy
from ringfence.contract.grants.clocks import Frozen
from ringfence.contract.grants.files import Files
from ringfence.contract.grants.hosts import Address
from ringfence.contract.grants.stdio import Stream
from ringfence.contract.limits import Limits
from ringfence.folders import Folder, Folders

HANDLES = Limits().handles
"""Resources an instance may hold at once, where its node says nothing else: files, streams, pollables, sockets, errors."""
SOCKETS = 64
"""Sockets an instance may have open at once."""
FILES = 256
"""Descriptors of files and folders an instance may have open at once: the host's own number of them is bounded, too."""
NAME_LIFETIME = 60.0
"""Seconds for which a looked-up name leads to its addresses. The system's resolver tells no time to live."""
_NAMES = 256


class Descriptors:
    """Counts those that all instances of this process have open: it may have so many itself, and needs others."""

    def __init__(self) -> None:
        self._open, self._guard = 0, threading.Lock()

    def take(self) -> None:
        """Count one more.

        Raises:
            OSError: EMFILE, as the system itself would say: half of what it allows are open.
        """
        with self._guard:
            if self._open >= _most_descriptors() // 2:
                raise OSError(errno.EMFILE, "guests have too many files open")
            self._open += 1

    def give_back(self) -> None:
        with self._guard:
            self._open -= 1


_ENDLESS = 1 << 20


def _most_descriptors() -> int:
    try:
        import resource
    except ImportError:  # Windows, where no grant of files is kept to
        return FILES
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return _ENDLESS if most == resource.RLIM_INFINITY else most


DESCRIPTORS = Descriptors()


class Held:
    """A resource a guest holds: counted by its instance's state, closed when dropped or with the instance, once."""

    def __init__(self, state: WasiState) -> None:
        state.hold(self)
        self.state = state
        self.closed = False

    def close(self) -> None:
        """Let go of it. Twice is harmless."""
        if not self.closed:
            self.closed = True
            self.state.let_go(self)
            self.release()

    def release(self) -> None:
        """Free what lies behind it; runs once."""


class Lingering(Protocol):
    """Output on its way out behind the guest's back, as a kernel goes on sending after a close."""

    def serve(self) -> bool:
        """Send what goes now; whether nothing is left to do."""

    @property
    def source(self) -> socket.socket:
        """What becomes writable when more goes."""

    def close(self) -> None:
        """Give up."""


class Names:
    """Which granted names led to which addresses, for a while."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[float, tuple[Address, ...]]] = {}

    def remember(self, name: str, addresses: tuple[Address, ...]) -> None:
        """Note the answer of a look-up; the oldest answers make room."""
        self._known.pop(name, None)
        while len(self._known) >= _NAMES:
            del self._known[next(iter(self._known))]
        self._known[name] = (time.monotonic() + NAME_LIFETIME, addresses)

    def get(self, name: str) -> tuple[Address, ...] | None:
        """The addresses of a name that was looked up not long ago."""
        until, addresses = self._known.get(name, (0.0, ()))
        return addresses if time.monotonic() < until else None

    def of(self, address: Address, *, stale: bool = False) -> tuple[str, ...]:
        """The names that lead to an address: those still good, or (`stale`) those no longer."""
        now = time.monotonic()
        return tuple(name for name, (until, addresses) in self._known.items() if address in addresses and (now >= until) == stale)


class Randomness:
    """Random bytes: the system's, or for a seed always the same ones."""

    def __init__(self, seed: str | None) -> None:
        self.seed = seed
        self._key = hashlib.sha256(b"ringfence seeded random\0" + (seed or "").encode(errors="surrogatepass")).digest()
        self._counter = 0

    @cached_property
    def hash_seed(self) -> tuple[int, int]:
        """Two random numbers that stay the same."""
        one, other = struct.unpack("<QQ", self.bytes(16))
        return one, other

    def bytes(self, length: int) -> bytes:
        """The next bytes."""
        if self.seed is None:
            return os.urandom(length)
        self._counter += 1
        return hashlib.shake_256(self._key + self._counter.to_bytes(16, "big")).digest(length)


class WasiState:
    """One instance's. Not thread-safe: the instance is in one call at a time.

    `environment` is the host's, from which `env` grants pass variables; the process's own by default. `where` is the place in graph.yaml
    to which denials point, `expected` holds those that nobody has to hear of. `folders` holds what grants of files and streams name,
    opened; `handles` is how many resources a guest may hold.
    """

    def __init__(
        self,
        *,
        policy: Policy,
        expected: Policy = Policy(),  # noqa: B008 -- it never changes
        node: str,
        where: str = "",
        environment: Mapping[str, str] | None = None,
        folders: Folders | None = None,
        handles: int = HANDLES,
    ) -> None:
        self.policy, self.expected, self.node, self.where = policy, expected, node, where
        self._shared = {grant: one.share() for grant, one in (folders or {}).items()}
        self.folders: Mapping[Files, Folder] = {grant: one for grant, one in self._shared.items() if isinstance(grant, Files)}
        self.streams: Mapping[Stream, Folder] = {grant: one for grant, one in self._shared.items() if isinstance(grant, Stream)}
        self.handles = handles
        self.files = 0
        self.locked: dict[tuple[int, int], object] = {}  # files by device and inode, and what holds SQLite's lock on them
        self.locks = 0  # on ranges of bytes
        self.variables = _variables(policy, os.environ if environment is None else environment)
        self.frozen: Frozen | None = next((grant for grant in policy.of("clocks") if isinstance(grant, Frozen)), None)
        self.started = time.monotonic_ns()
        self.waited = 0  # nanoseconds the frozen monotonic clock has moved
        self.randomness = Randomness(next((grant.seed for grant in policy.of("random")), None))
        self.names = Names()
        self.last_words = b""  # the end of what went to stderr; a language runtime says there why it stops
        self.sinks: dict[str, Any] = {}  # of the standard streams, by name; see stdio
        self.sockets = 0
        self.lingering: list[Lingering] = []  # what was written and let go before the system had taken it
        self._held: dict[int, Held] = {}
        self._closed = False

    def hold(self, resource: Held) -> None:
        """Count a resource.

        Raises:
            LimitExceeded: the instance holds too many.
        """
        self._check_room(self.handles)
        if self._closed:
            raise RuntimeError("the instance has ended")
        self._held[id(resource)] = resource

    def hold_lock(self, most: int) -> None:
        """Count a lock on a range of bytes, which the system keeps for the guest as it keeps what a resource stands for.

        Raises:
            LimitExceeded: the instance has so many handles, resources and locks together.
        """
        self._check_room(min(most, self.handles))
        self.locks += 1

    def _check_room(self, most: int) -> None:
        if len(self._held) + self.locks >= most:
            raise LimitExceeded(self.node, "handles", str(most))

    def let_go(self, resource: Held) -> None:
        """Count it no longer."""
        self._held.pop(id(resource), None)

    def serve(self) -> list[socket.socket]:
        """Send on what lingers; what to wait for to send more."""
        if self.lingering:
            self.lingering = [one for one in self.lingering if not one.serve()]
        return [one.source for one in self.lingering]

    @property
    def held(self) -> int:
        """How many resources the guest holds."""
        return len(self._held)

    def close(self) -> None:
        """Close everything that is open. Twice is harmless."""
        shared = () if self._closed else self._shared.values()
        self._closed = True
        for resource in list(self._held.values()):
            with suppress(OSError):
                resource.close()
        self.serve()
        for lingering in self.lingering:
            lingering.close()
        self.lingering.clear()
        for sink in self.sinks.values():
            sink.close()
        self.sinks.clear()
        for one in shared:
            one.close()

    def __repr__(self) -> str:
        return f"<WASI state of {self.node}, {len(self._held)} resources, {self.policy!r}>"


def _variables(policy: Policy, environment: Mapping[str, str]) -> dict[str, str]:
    """The granted variables; one that the host lacks is absent. What is no text (surrogates) cannot cross and is absent, too."""
    found = {grant.name: environment.get(grant.name) if grant.value is None else grant.value for grant in policy.of("env")}
    return {name: value for name, value in found.items() if value is not None and _is_text(value)}


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
