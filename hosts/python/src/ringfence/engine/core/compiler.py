"""The compiled lifts and lowers of one plan, made at first use: one set per string encoding and direction."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ringfence.contract.types import ListOf, Type
from ringfence.engine.core import apart, lift, lower, transit
from ringfence.engine.core.plan import Encoding
from ringfence.engine.core.strings import ENCODE, TEXT


class Compiler:
    """`lift.Lifter`, `apart.Fitter` and `lower.Lowerer`. A function may be made twice by two threads; either will do."""

    def __init__(self, encoding: Encoding, *, filled: bool, arrays: bool) -> None:
        """For values in this encoding.

        `filled`: a Fill may stand for bytes, which host functions return. `arrays`: lists of numbers are lifted as arrays.
        """
        self.arrays = arrays
        self.text, self.encode = TEXT[encoding], ENCODE[encoding]
        self._filled = filled
        self._made: dict[tuple[str, Type, bool], Any] = {}

    def _once(self, what: str, kind: Type, way: bool, make: Callable[[], Any]) -> Any:  # noqa: FBT001
        key = (what, kind, way)
        found = self._made.get(key)
        if found is None:
            found = self._made[key] = make()
        return found

    def load(self, kind: Type, *, flat: bool) -> lift.Load:
        """Reads one value."""
        found: lift.Load = self._once("load", kind, flat, lambda: lift.compile_load(self, kind, flat=flat))
        return found

    def loads(self, kind: Type) -> Callable[[Any, int, int], Any]:
        """Reads a list of such values."""
        found: Callable[[Any, int, int], Any] = self._once("loads", kind, False, lambda: lift.compile_loads(self, kind))  # noqa: FBT003
        return found

    def parts(self, kind: Type, *, flat: bool) -> lift.Load:
        """Reads the parts of one value."""
        found: lift.Load = self._once("parts", kind, flat, lambda: transit.compile_parts(self, kind, flat=flat))
        return found

    def parts_list(self, kind: Type) -> Callable[[Any, int, int], Any]:
        """Reads the parts of a list's elements."""
        found: Callable[[Any, int, int], Any] = self._once("parts_list", kind, False, lambda: transit.compile_list(self, kind))  # noqa: FBT003
        return found

    def fits(self, kind: Type) -> apart.Parts:
        """Takes one value apart."""

        def make() -> apart.Parts:
            if isinstance(kind, ListOf) and not apart.bulk(kind.element):
                return apart.compile_list_fit(self, kind.element, filled=self._filled)
            return apart.compile_fit(self, kind, filled=self._filled)

        found: apart.Parts = self._once("fits", kind, False, make)  # noqa: FBT003
        return found

    def store(self, kind: Type, *, flat: bool) -> lower.Store:
        """Writes one value's parts."""
        found: lower.Store = self._once("store", kind, flat, lambda: lower.compile_store(self, kind, flat=flat))
        return found

    def stores(self, kind: Type) -> Callable[[Any, int, Any], None]:
        """Writes the parts of a list's elements."""
        found: Callable[[Any, int, Any], None] = self._once("stores", kind, False, lambda: lower.compile_list_store(self, kind))  # noqa: FBT003
        return found
