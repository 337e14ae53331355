"""Where each microsecond of a call goes: parts of the core engine's path, timed one at a time, the rest by subtraction.

Each time is the best of many short runs: what noise adds would not add up.
"""

from __future__ import annotations

import timeit
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from benchmarks.cases import lines
from benchmarks.peers.ours import Core
from benchmarks.probes import Probe, cost, watching
from benchmarks.results import Breakdown, Part
from benchmarks.work import Seconds, Work

_RUNS = 40
"""Short runs, of which the best counts: some of them fall between what else the machine does."""

_ENGINE = "ringfence.engine.core"
PROBES = {
    "find": Probe(where="ringfence.directory:Directory.find"),
    "defer": Probe(where="ringfence.running:defer"),
    "undefer": Probe(where="ringfence.running:undefer"),
    "invoke": Probe(where="ringfence.instance:Node.invoke"),
    "record": Probe(where="ringfence.instance:Node._call"),
    "take": Probe(where="ringfence.leases:Leases.take"),
    "give": Probe(where="ringfence.leases:Leases.give_back"),
    "seam": Probe(where=f"{_ENGINE}.instance:CoreInstance.call"),
    "room": Probe(where="ringfence.engine.exclusive:leave_room"),
    "fit": Probe(where=f"{_ENGINE}.apart:compile_arguments", kind="maker"),
    "run": Probe(where=f"{_ENGINE}.functions:Call.run"),
    "put": Probe(where=f"{_ENGINE}.lower:compile_flat_store", kind="maker"),
    "alloc": Probe(where=f"{_ENGINE}.memory:Border.alloc"),
    "wasm": Probe(where=f"{_ENGINE}.ffi:caller", kind="maker"),
    "look": Probe(where=f"{_ENGINE}.memory:Border.refresh"),
    "lift": Probe(where=f"{_ENGINE}.lift:compile_load", kind="maker"),
    "after": Probe(where=f"{_ENGINE}.functions:Call._after"),
    "serve": Probe(where=f"{_ENGINE}.trampolines:CFunction", kind="taker", place=1),
    "answer": Probe(where=f"{_ENGINE}.functions:ImportPlan.answer"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A part by what is added and taken off: probes by name, `probe@outer` for one inside another only."""

    title: str
    plus: tuple[str, ...]
    minus: tuple[str, ...] = ()


GRAPH = (
    Share(title="`Directory`: the name to a function", plus=("find",)),
    Share(title="`Graph`: Ctrl-C set aside and back", plus=("defer", "undefer")),
    Share(title="`Graph`: the application's call, its denials", plus=("total",), minus=("find", "defer", "undefer", "invoke")),
    Share(title="`Node`: the call's limits and deadline", plus=("record",)),
    Share(title="`Leases`: an instance taken, given back", plus=("take", "give")),
    Share(title="`Node`: the function's mappers, errors named", plus=("invoke",), minus=("record", "take", "give", "seam")),
)
SEAM = (
    Share(title="room on Python's stack", plus=("room",)),
    Share(title="the instance entered and left: lock, state, deadline, clock", plus=("seam",), minus=("room", "fit", "run")),
    Share(title="arguments fitted to their types", plus=("fit",)),
    Share(title="lowering", plus=("put",), minus=("alloc",)),
    Share(title="the guest's allocator: checks around it", plus=("alloc",), minus=("wasm@alloc",)),
    Share(title="the guest's allocator: ctypes and wasm", plus=("wasm@alloc",)),
    Share(title="the function: ctypes and wasm", plus=("wasm",), minus=("wasm@alloc", "wasm@after")),
    Share(title="memory looked at anew", plus=("look",)),
    Share(title="lifting", plus=("lift",)),
    Share(title="post-return: may-leave set and reset", plus=("after",), minus=("wasm@after",)),
    Share(title="post-return: ctypes and wasm", plus=("wasm@after",)),
)
CALLBACK = (
    Share(title="out of wasm and back: wasmtime, cffi", plus=("wasm",), minus=("serve",)),
    Share(title="the store found, exceptions kept", plus=("serve",), minus=("answer",)),
    Share(title="checks, parameters, the function, its result", plus=("answer",)),
)


Make = Callable[[Core], Work]
PATHS: tuple[tuple[str, Make, tuple[Share, ...]], ...] = (
    ("a small call at the engine's seam", lambda core: core.add(), SEAM),
    ("the same through Graph.call", lambda core: core.through_graph(), GRAPH + SEAM),
    ("one record there and back, at the seam", lambda core: core.lines(lines(1)), SEAM),
    ("a host callback", lambda core: core.callback(1000), CALLBACK),
)


def breakdowns(core: Core, seconds: Seconds = 0.003, report: Callable[[str], None] = lambda _: None) -> list[Breakdown]:
    """All paths. `seconds` is spent on each of the runs of each probe."""
    each = cost()
    found = []
    for title, make, shares in PATHS:
        report(f"where the time goes: {title}")
        found.append(_breakdown(core, title, make, shares, seconds, each))
    return found


def _breakdown(core: Core, title: str, make: Make, shares: Sequence[Share], seconds: Seconds, each: float) -> Breakdown:
    missing: list[str] = []
    times = {"total": _total(core, make, seconds)}
    for name in dict.fromkeys(name for share in shares for name in (*share.plus, *share.minus) if name != "total"):
        try:
            times[name] = _probed(core, make, name, seconds, each)
        except LookupError as error:
            missing.append(str(error))
            times[name] = 0.0
    return broken_down(title, times, shares, tuple(missing))


def broken_down(title: str, times: dict[str, Seconds], shares: Sequence[Share], missing: tuple[str, ...] = ()) -> Breakdown:
    """The parts of a path, given the seconds of `total` and of each probe; what no part covers comes last."""
    parts = [Part(title=share.title, seconds=_sum(times, share.plus) - _sum(times, share.minus)) for share in shares]
    shown = [part for part in parts if part.seconds > 0.005 * times["total"]]
    rest = times["total"] - sum(part.seconds for part in shown)
    return Breakdown(
        title=title,
        total=times["total"],
        parts=(*shown, Part(title="Python in between, and what was not timed", seconds=rest)),
        missing=missing,
    )


def _sum(times: dict[str, Seconds], names: Sequence[str]) -> Seconds:
    return sum(times[name] for name in names)


@contextmanager
def _fresh(core: Core, make: Make, seconds: Seconds) -> Iterator[tuple[Work, int]]:
    """The path's work, made anew so that probes are in it, and how often it runs in so many seconds."""
    core.afresh()
    work = make(core)
    work.run()
    yield work, max(1, int(seconds / max(min(timeit.repeat(work.run, number=1, repeat=5)), 1e-9)))
    work.close()


def _total(core: Core, make: Make, seconds: Seconds) -> Seconds:
    with _fresh(core, make, seconds) as (work, number):
        return min(timeit.repeat(work.run, number=number, repeat=_RUNS)) / number / work.per


def _probed(core: Core, make: Make, name: str, seconds: Seconds, each: float) -> Seconds:
    """Seconds of a call that pass in a probed function. Raises LookupError."""
    inner, _, outer = name.partition("@")
    with watching(PROBES[inner], PROBES[outer] if outer else None) as watch, _fresh(core, make, seconds) as (work, number):
        taken = []
        for _ in range(_RUNS):
            watch.count = watch.taken = 0
            timeit.timeit(work.run, number=number)
            taken.append((watch.taken - watch.count * each) / number / work.per)
    return max(0.0, min(taken)) / 1e9
