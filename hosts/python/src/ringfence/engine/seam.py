"""The seam every engine stands behind: load, link, instantiate, call. No ctypes or wasmtime object passes it.

engine.load(artifacts) -> Loaded            imports, exports and types, read from the binary
engine.link(loaded, imports) -> Linked      once per node; every import must be there
linked.instantiate(limits) -> Instance
instance.call(function, arguments, context) one call at a time; interrupt(reason) from any thread; close()
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from ringfence.contract.names import Digest

if TYPE_CHECKING:
    from ringfence.contract.limits import Limits
    from ringfence.contract.types import InterfaceType

FunctionName = tuple[str, str]
"""(interface as the binary spells it, version included; function's WIT name). A function at the root of a world has interface ''."""

HostFunction = Callable[..., Any]
"""`f(context, *arguments)`: returns the ok value or raises WitError(err). Any other exception traps the guest and is raised again outside.

`context` is the running call's, from a stack per thread; it is None where an import runs outside any call (a start function).
"""

Imports = Mapping[FunctionName, HostFunction]


class Parts:
    """Values on their way from one guest to another of the same engine: checked, and for nobody else to look at."""

    __slots__ = ("values",)

    def __init__(self, values: Any) -> None:
        self.values = values


class Edge:
    """A host function that hands a call on to a function of another component.

    Where both run on one engine and their types are the same, that engine may pass `Parts`: one in place of all arguments, another as the
    result, the err case included.
    """

    __slots__ = ("carry", "function", "loaded")

    def __init__(self, carry: HostFunction, loaded: Loaded, function: FunctionName) -> None:
        self.carry, self.loaded, self.function = carry, loaded, function

    def __call__(self, context: Any, *arguments: Any) -> Any:
        return self.carry(context, *arguments)


class Context(Protocol):
    """What an engine needs of a running call. The host's `Call` is one; tests may bring a smaller one."""

    def check(self) -> None:
        """Raise DeadlineExceeded or Interrupted when the call must end; an engine asks at least every 20 ms while wasm runs."""

    def interrupt(self, reason: BaseException) -> None:
        """End the call soon, from any thread or signal handler: whatever waits on its behalf raises `reason`, and so does `check`."""

    def spend(self, count: int) -> None:
        """Count `count` bytes of output made by the guest (strings and lists lifted from it). Raises LimitExceeded."""


class Artifacts(NamedTuple):
    """The files of one node: its component, and the digest the lock gives it (checked by the caller before loading).

    What the Decomposer made of it, its merged core module and its plan, is there where the core engine is to run it.
    """

    component: Path
    digest: Digest
    cache: Path | None = None
    module: Path | None = None
    module_digest: Digest | None = None
    plan: Path | None = None
    plan_digest: Digest | None = None


class Loaded(Protocol):
    """A component ready to link; types as records of the contract, keyed by the names in the binary."""

    @property
    def imports(self) -> Mapping[str, InterfaceType]: ...
    @property
    def exports(self) -> Mapping[str, InterfaceType]: ...
    @property
    def cached(self) -> bool:
        """Whether all native code that was asked for so far was in the compile cache already."""

    @property
    def kept(self) -> Sequence[Path | None]:
        """The files of the compile cache in which it is; None for what could not be kept."""


class Instance(Protocol):
    """One instance in its own store. Not thread-safe: one call at a time, from any thread; only `interrupt` may come beside it."""

    @property
    def trapped(self) -> bool:
        """Whether a trap, an interrupt or a host error ended it: it is never entered again."""

    @property
    def lent(self) -> int:
        """How many of the guest's own resources the host still holds handles of."""

    def call(self, function: FunctionName, arguments: Sequence[Any] | Parts, context: Context) -> Any:
        """The function's result (the ok value where it is a `result`).

        Raises:
            ShapeError: an argument does not fit; nothing ran.
            WitError: the err case.
            GuestTrap: the guest trapped.
            Exception: what a host function or the context raised, unchanged.
        """

    def owns(self, handle: object) -> bool:
        """Whether this is a live handle of a resource of this very instance."""

    def interrupt(self, reason: BaseException) -> None:
        """End the running call soon; it raises `reason`. Nothing happens where none runs."""

    def close(self) -> None:
        """Free the store. Every host resource the guest still held is closed. Twice is harmless."""


class Linked(Protocol):
    """A component with its imports; instances are made from it."""

    def prepare(self, limits: Limits) -> None:
        """Have ready what instances with these limits need: a first call's deadline is no time to compile."""

    def instantiate(self, limits: Limits, context: Context) -> Instance:
        """A fresh instance. Its start code runs under `context`.

        Raises:
            LimitExceeded: it needs more than its limits allow.
        """


class Engine(Protocol):
    """One way to run components."""

    def load(self, artifacts: Artifacts) -> Loaded: ...
    def link(self, loaded: Loaded, imports: Imports, *, arrays: bool = False) -> Linked:
        """The component with these imports; `arrays`: lists of numbers in results are `array.array`, other lists `list`.

        Raises:
            LookupError: there are imports that `imports` lacks; names them all.
        """
