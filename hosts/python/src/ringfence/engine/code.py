"""The native code of one node's binary, for each stack size that its calls ask for. Both engines keep it so."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Generic, TypeVar

from ringfence.contract.errors import IntegrityError
from ringfence.contract.limits import Limits
from ringfence.engine.cache import Compiled, Kind, compiled, stored

_C = TypeVar("_C", bound=Compiled)
_USUAL_STACK = Limits().stack


class Code(Generic[_C]):
    """Compiled once, whatever the stack. `note`, `cached` and `kept` are the cache's."""

    def __init__(self, kind: Callable[[int], Kind[_C]], binary: Path, digest: str, cache: Path | None) -> None:
        """`kind(stack)` compiles for guests with that much stack.

        Raises:
            IntegrityError: the binary is not the one of this digest, or none that this engine can run.
        """
        self._kind, self._digest, self._cache = kind, digest, cache
        self._lock = threading.Lock()
        usual = kind(_USUAL_STACK)
        try:
            made = compiled(usual, binary, digest, cache)
        except usual.refusal as error:
            reason = str(error).splitlines()[0]
            raise IntegrityError(f"{binary.name} is no {usual.name} that this engine can run: {reason}") from error
        self.note: Any = made.note
        self.cached, self.kept = made.cached, made.kept
        self._made = {_USUAL_STACK: made.code}

    def of(self, stack: int) -> _C:
        """For guests with this much stack."""
        with self._lock:
            found = self._made.get(stack)
            if found is None:
                kind = self._kind(stack)
                kept = stored(kind, self._digest, self._cache)
                found = kind.revive(self._made[_USUAL_STACK].serialize()) if kept is None else kept.code
                self._made[stack] = found
            return found
