"""The native code of one node's binary, for each build that its calls ask for. Both engines keep it so."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

from ringfence.contract.errors import IntegrityError
from ringfence.contract.limits import ENDLESS, Limits
from ringfence.engine.cache import Compiled, Kind, compiled, stored

_C = TypeVar("_C", bound=Compiled)


class Build(NamedTuple):
    """What of its limits a guest's code and engine depend on: bytes of stack, and whether its instructions are counted, as fuel."""

    stack: int
    metered: bool

    @classmethod
    def of(cls, limits: Limits) -> Build:
        """The build that these limits need."""
        return cls(limits.stack, limits.fuel < ENDLESS)


USUAL = Build.of(Limits())


class Code(Generic[_C]):
    """Compiled once, whatever the stack, and once more where fuel is counted.

    `note` is the cache's. `cached`: whether the cache had all of it; `kept`: the files in which it is now, None for what is in none.
    """

    def __init__(self, kind: Callable[[Build], Kind[_C]], binary: Path, digest: str, cache: Path | None) -> None:
        """`kind(build)` compiles for that build.

        Raises:
            IntegrityError: the binary is not the one of this digest, or none that this engine can run.
        """
        self._kind, self._binary, self._digest, self._cache = kind, binary, digest, cache
        self._lock = threading.Lock()
        usual = kind(USUAL)
        try:
            made = compiled(usual, binary, digest, cache)
        except usual.refusal as error:
            reason = str(error).splitlines()[0]
            raise IntegrityError(f"{binary.name} is no {usual.name} that this engine can run: {reason}") from error
        self.note: Any = made.note
        self.cached, self.kept = made.cached, [made.kept]
        self._made = {USUAL: made.code}

    def of(self, build: Build) -> _C:
        """For this build.

        Raises:
            IntegrityError: it must be compiled, and the binary is no longer the one of the digest.
        """
        with self._lock:
            found = self._made.get(build)
            if found is None:
                found = self._made[build] = self._metered(build) if build.metered else self._restacked(build)
            return found

    def _metered(self, build: Build) -> _C:
        made = compiled(self._kind(build), self._binary, self._digest, self._cache)
        self.cached = self.cached and made.cached
        self.kept.append(made.kept)
        return made.code

    def _restacked(self, build: Build) -> _C:
        """The usual code once more: it does not depend on the stack."""
        kind = self._kind(build)
        kept = stored(kind, self._digest, self._cache)
        return kind.revive(self._made[USUAL].serialize()) if kept is None else kept.code
