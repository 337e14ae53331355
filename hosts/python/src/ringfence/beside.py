"""Plain functions beside an event loop: what calls a graph is written once, and called from both worlds.

order = orders.get_order("A-17")                    in any thread
order = await acall(orders.get_order, "A-17")       in a coroutine

It is not one function that is awaited but whatever runs in it: a whole piece of work with many calls, on graphs or test doubles.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar, copy_context
from functools import lru_cache, partial
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from ringfence.call import Root
from ringfence.contract.errors import Interrupted

if TYPE_CHECKING:
    import asyncio
    from concurrent.futures import Executor, ThreadPoolExecutor

P = ParamSpec("P")
T = TypeVar("T")

_THREADS = 64
"""Calls at once in one pool; more wait, and the wait of a graph's own `acall` counts to the deadline."""


class Errand:
    """The calls into graphs that run on behalf of one `acall`, and the one switch that ends them all."""

    def __init__(self) -> None:
        self._roots: set[Root] = set()
        self._reason: BaseException | None = None

    def enter(self, root: Root) -> None:
        """A call begins; where the errand was ended already, it ends at once."""
        self._roots.add(root)  # first: either `interrupt` finds it, or it finds the reason
        if self._reason is not None:
            root.interrupt(self._reason)

    def leave(self, root: Root) -> None:
        """A call is over."""
        self._roots.discard(root)

    def interrupt(self, reason: BaseException) -> None:
        """End all calls soon, and those that are still to come."""
        self._reason = reason
        for root in list(self._roots):
            root.interrupt(reason)

    def start(self, threads: Executor, work: Callable[[], T]) -> asyncio.Future[T]:
        """Have the work done in one of these threads."""
        import asyncio  # whoever awaits has it already

        context = copy_context()
        context.run(ERRAND.set, self)
        return asyncio.get_running_loop().run_in_executor(threads, context.run, work)

    async def end(self, future: asyncio.Future[T], name: str) -> T:
        """What the work returns or raises. Cancelling this interrupts it; `name` is what the message calls it."""
        import asyncio

        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            self.interrupt(Interrupted(f"{name} was cancelled"))
            await asyncio.wait([future])
            future.exception()  # seen: it is the interruption, or came too late to matter
            raise


ERRAND: ContextVar[Errand | None] = ContextVar("errand", default=None)
"""The errand that this thread is on."""


async def acall(function: Callable[P, T], /, *arguments: P.args, **named: P.kwargs) -> T:
    """What the function returns or raises; it runs in a thread, and the event loop goes on meanwhile.

    Cancelling it interrupts every guest that the function is calling, or would call; Python code of its own runs on to its next call.
    """
    errand = Errand()
    future = errand.start(_shared_threads(), partial(function, *arguments, **named))
    return await errand.end(future, getattr(function, "__qualname__", type(function).__name__))


@lru_cache(maxsize=1)
def _shared_threads() -> ThreadPoolExecutor:
    return threads("ringfence")


def threads(name: str) -> ThreadPoolExecutor:
    """A pool of threads with this name."""
    from concurrent.futures import ThreadPoolExecutor

    return ThreadPoolExecutor(_THREADS, thread_name_prefix=name)
