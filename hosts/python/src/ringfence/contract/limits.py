"""Limits of a node or an edge: records, their written form, and which of two counts."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

_SIZE = re.compile(r"(?P<count>[1-9][0-9]{0,15})(?P<unit>B|KiB|MiB|GiB)")
_TIME = re.compile(r"(?P<count>[0-9]{1,6}(\.[0-9]{1,3})?)(?P<unit>ms|s|min)")
_COUNT = re.compile(r"(?P<count>[1-9][0-9]{0,17})(?P<unit>[kMG]?)")
_FACTORS = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9}
_UNITS = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
_SECONDS = {"ms": 0.001, "s": 1.0, "min": 60.0}


ENDLESS = 1 << 62
"""As much fuel as nobody uses, and as many calls as nobody makes: none are counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What an instance and a call may use. Sizes in bytes, times in seconds.

    memory: linear memory of one instance in total. deadline: wall time of a call, host functions, queues and callees included.
    output: bytes a call may give back or print: its result's strings and lists, and what it writes to stdout and stderr.
    stack: depth of the wasm stack.
    fuel: wasm instructions of a call, roughly, those of its callees not counted; `ENDLESS` counts none, and costs nothing.
    written: bytes a call may write to files; each entry it makes counts as ENTRY.
    handles: resources of the host that an instance may hold at once.
    concurrent: calls under way at once, those included that wait for an instance; `ENDLESS` counts none.
    """

    memory: int = 256 << 20
    deadline: float = 30.0
    output: int = 16 << 20
    stack: int = 512 << 10
    fuel: int = ENDLESS
    written: int = 256 << 20
    handles: int = 1024
    concurrent: int = ENDLESS

    def smaller(self, other: Limits) -> Limits:
        """Each limit the smaller of the two."""
        return Limits(**{f.name: min(getattr(self, f.name), getattr(other, f.name)) for f in fields(self)})

    def binds_like(self, other: Limits) -> bool:
        """Whether an instance that was made under these limits can pass none of the other's that hold for an instance as such."""
        return all(getattr(self, name) <= getattr(other, name) for name in OF_INSTANCE)

    def narrowed(self, written: Mapping[str, str]) -> Limits:
        """These limits with the written ones in the place of theirs; what is written has passed `parse_limit`."""
        values: dict[str, Any] = {name: parse_limit(name, text) for name, text in written.items()}
        return replace(self, **values)


def of_group(entry: Mapping[str, str], reached: Collection[Mapping[str, str]], others: Collection[Mapping[str, str]]) -> Limits:
    """The limits of calls that enter a fused group by a node with the limits `entry`, as all are written.

    What an instance is made with does not depend on who is called first, for others may call into it next: memory and stack are the sums of
    all nodes', fuel the smallest that is written for any. Of a call, the smallest counts that is written for any node that it can reach:
    nobody's promise is broken. Handles and written bytes stay each node's own.
    """
    own, inside = Limits().narrowed(entry), [Limits().narrowed(one) for one in reached]
    beside = [Limits().narrowed(one) for one in others]
    bound = {name: [*reached, *others] if name in OF_INSTANCE else reached for name in OF_CALLS}
    smallest = {name: min([getattr(own, name), *(parse_limit(name, one[name]) for one in bound[name] if name in one)]) for name in OF_CALLS}
    return replace(
        own,
        memory=sum(one.memory for one in (own, *inside, *beside)),
        stack=min(STACK_MAX, sum(one.stack for one in (own, *inside, *beside))),
        **smallest,
    )


ENTRY = 4 << 10
"""What a file, folder or link that is made counts as: it takes about that much of a disk, however little is in it."""

HANDLES_MAX = CONCURRENT_MAX = 65536
_COUNTED = {"fuel": ENDLESS - 1, "handles": HANDLES_MAX, "concurrent": CONCURRENT_MAX}
"""Limits that are written as a number, and the most that each can be."""
OF_INSTANCE = ("memory", "stack", "fuel", "handles")
"""Limits that an instance is made with: they do not change from call to call."""
OF_CALLS = ("deadline", "output", "fuel")
"""Limits of a call that, inside a fused group, hold for the whole group."""
STACK_MAX = 4 << 20
"""Beyond this a guest could overflow the native stack of the calling thread (8 MiB on Linux)."""


def parse_limit(name: str, text: str) -> int | float:
    """A limit as written (`128MiB`, `2s`, `50M`) in bytes or seconds, or a number.

    Raises:
        ValueError: no such limit, or not a size, time or number; the message says what was expected.
    """
    if name == "deadline":
        return parse_time(text)
    if name in _COUNTED:
        return parse_count(text, _COUNTED[name])
    if name not in ("memory", "output", "stack", "written"):
        raise ValueError(f"unknown limit {name!r}; limits are deadline, memory, output, stack, written, fuel, handles, concurrent")
    size = parse_size(text)
    if name == "stack" and size > STACK_MAX:
        raise ValueError(f"expected at most {show_size(STACK_MAX)}, found {text!r}")
    return size


def parse_size(text: str) -> int:
    """`128MiB` in bytes."""
    found = _SIZE.fullmatch(text)
    if not found:
        raise ValueError(f"expected a size such as 128MiB, found {text!r}")
    return int(found["count"]) * _UNITS[found["unit"]]


def parse_time(text: str) -> float:
    """`2s`, `500ms` or `1.5min` in seconds."""
    found = _TIME.fullmatch(text)
    if not found or float(found["count"]) == 0:
        raise ValueError(f"expected a time such as 2s or 500ms, found {text!r}")
    return float(found["count"]) * _SECONDS[found["unit"]]


def parse_count(text: str, most: int) -> int:
    """`50000000` or `50M` as a number; units are thousands."""
    found = _COUNT.fullmatch(text)
    if not found:
        raise ValueError(f"expected a count such as 200 or 50M, found {text!r}")
    count = int(found["count"]) * _FACTORS[found["unit"]]
    if count > most:
        raise ValueError(f"expected at most {most}, found {text!r}")
    return count


def show_limit(name: str, value: float) -> str:
    """A limit as it is written."""
    if name == "deadline":
        return show_time(value)
    return show_count(int(value)) if name in _COUNTED else show_size(int(value))


def show_count(count: int) -> str:
    """A number in the largest unit that divides it."""
    for unit, factor in reversed(_FACTORS.items()):
        if count % factor == 0:
            return f"{count // factor}{unit}"
    return str(count)


def show_size(count: int) -> str:
    """Bytes in the largest unit that divides them."""
    for unit, size in reversed(_UNITS.items()):
        if count % size == 0:
            return f"{count // size}{unit}"
    return f"{count}B"


def show_time(seconds: float) -> str:
    """Seconds as written in a manifest."""
    return f"{seconds:g}s" if seconds >= 1 else f"{seconds * 1000:g}ms"
