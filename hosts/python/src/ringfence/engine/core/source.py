"""Writes Python functions: lines of code in which every name is made here and every value of a plan is a constant beside the code.

No text of a guest or of a plan is ever part of a line: field names, labels, types reach the code as objects of its namespace.
"""

from __future__ import annotations

import itertools
import linecache
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

_numbers = itertools.count()


class Source:
    """The body of one function while it is written."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._depth = 1
        self._names = itertools.count()
        self._space: dict[str, Any] = {}
        self._known: dict[int, str] = {}

    def add(self, line: str) -> None:
        """One more line, at the present depth."""
        self._lines.append("    " * self._depth + line)

    def first(self, line: str) -> None:
        """One more line, before all others."""
        self._lines.insert(0, f"    {line}")

    def fresh(self) -> str:
        """A local name that nothing else has."""
        return f"v{next(self._names)}"

    def put(self, expression: str) -> str:
        """A fresh local with this value."""
        name = self.fresh()
        self.add(f"{name} = {expression}")
        return name

    def constant(self, value: object) -> str:
        """The name under which the code finds this object."""
        name = self._known.get(id(value))
        if name is None:
            name = f"k{len(self._space)}"
            self._known[id(value)] = name
            self._space[name] = value
        return name

    @contextmanager
    def block(self, head: str) -> Iterator[None]:
        """What is added inside stands under this head."""
        self.add(head)
        self._depth += 1
        before = len(self._lines)
        yield
        if len(self._lines) == before:
            self.add("pass")
        self._depth -= 1

    def function(self, *parameters: str) -> Callable[..., Any]:
        """The function, compiled; tracebacks show its lines."""
        text = f"def made({', '.join(parameters)}):\n" + "\n".join(self._lines or ["    pass"]) + "\n"
        name = f"<canonical abi {next(_numbers)}>"
        exec(compile(text, name, "exec"), self._space)  # noqa: S102 (the text is made of names and numbers from here, see above)
        linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
        made: Callable[..., Any] = self._space.pop("made")
        weakref.finalize(made, linecache.cache.pop, name, None).atexit = False
        return made


def packing(slots: list[tuple[int, str, str]], size: int) -> tuple[str, list[str]]:
    """The `struct` format and the names, in order, of values at offsets in a block of this size; what lies between is padding."""
    at, codes, names = 0, ["<"], []
    for offset, code, name in sorted(slots):
        if offset > at:
            codes.append(f"{offset - at}x")
        codes.append(code)
        names.append(name)
        at = offset + _SIZES[code]
    if size > at:
        codes.append(f"{size - at}x")
    return "".join(codes), names


_SIZES = {"?": 1, "b": 1, "B": 1, "h": 2, "H": 2, "i": 4, "I": 4, "q": 8, "Q": 8, "f": 4, "d": 8}
