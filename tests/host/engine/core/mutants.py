"""Each safety check of the core engine taken away in turn: what tests it must fail, or the check has no test.

    python tests/host/engine/core/mutants.py [word…]          those whose check has such a word in its name; all without
    python tests/host/engine/core/mutants.py --seek [word…]   which test finds it, of all in this folder; for `by`

The mutants are in `mutants.toml`, which says how to keep them. Each is tried in a process of its own, two at a time, that has the changed
module in place of the real one; a process that dies, or does not end, has found it, too. Before that all the tests must pass on the
engine as it is. The exit status is 1 where a mutant was not found, 2 where one does not fit the source any more.
"""

from __future__ import annotations

import faulthandler
import os
import random
import signal
import sys
import tempfile
import time
import tomllib
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[3]
PACKAGE = ROOT / "hosts" / "python" / "src" / "ringfence" / "engine"
SEEK = [
    *("core/test_lies.py", "core/test_core_only.py", "core/test_transit.py", "core/test_same_answers.py", "test_host_resources.py"),
    *("test_guest_resources.py", "test_hostile.py", "test_exceptions.py", "core/test_room.py", "test_leaks.py", "test_values.py"),
]
"""Where a test for a mutant may be."""
LONGEST = 20
"""Seconds of one mutant at most."""
AT_ONCE = 2


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """A check, and how to take it away: `old` becomes `new` in this file of the engine, behind the text `after` where that is given."""

    check: str
    file: str
    old: str
    new: str
    by: list[str]
    after: str = ""

    def source(self) -> str:
        """The changed module.

        Raises:
            LookupError: it does not fit the source.
        """
        text = (PACKAGE / self.file).read_text()
        start = text.find(self.after)
        if start < 0:
            raise LookupError(f"{self.check}: {self.file} has no {self.after!r}")
        head, tail = text[:start], text[start:]
        found = tail.count(self.old)
        if not found or (found > 1 and not self.after):
            raise LookupError(f"{self.check}: {self.file} has {found} times {self.old!r}")
        return head + tail.replace(self.old, self.new, 1)


class _Changed(MetaPathFinder, SourceFileLoader):
    """Loads one module from another text."""

    def __init__(self, mutant: Mutant) -> None:
        super().__init__("ringfence.engine." + mutant.file.removesuffix(".py").replace("/", "."), str(PACKAGE / mutant.file))
        self._text = mutant.source()

    def find_spec(self, name: str, *_: object) -> ModuleSpec | None:
        return spec_from_file_location(name, self.path, loader=self) if name == self.name else None

    def get_code(self, name: str) -> object:
        return compile(self._text, self.path, "exec")


def passes(tests: Sequence[str]) -> bool:
    """Whether these tests of the engine's folder pass, and so many hostile scripts of a seed (`scripts:SEED`)."""
    import pytest

    games = [test for test in tests if test.startswith("scripts:")]
    nodes = [str(HERE.parent / test) for test in tests if test not in games]
    if not all(_plays(int(game.partition(":")[2])) for game in games):
        return False
    quiet = ["-q", "-x", "-p", "no:cacheprovider", "--no-header", "--tb=short", "-W", "ignore:Module already imported"]
    return not nodes or pytest.main([*quiet, *nodes]) == 0


def _plays(seed: int) -> bool:
    from host.engine.core.hostile.finds import GAMES
    from host.engine.core.hostile.stage import with_exceptions

    with_exceptions()
    rounds = GAMES["scripts"].rounds(random.Random(seed))
    for _ in range(ROUNDS):
        if wrong := next(rounds).wrong():
            print(wrong)
            return False
    return True


ROUNDS = 700


def tried(work: Callable[[], bool], output: Path, longest: int = LONGEST) -> int:
    """A process in which this is done; its status is 0 where it succeeded."""
    process = os.fork()
    if process:
        return process
    status = 1
    try:
        with output.open("w") as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.alarm(longest)
        status = 0 if work() else 1
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def with_mutant(mutant: Mutant, tests: Sequence[str]) -> bool:
    """Whether these tests pass although the check is gone."""
    changed = _Changed(mutant)
    sys.meta_path.insert(0, changed)
    import_module(changed.name)  # before pytest, which would load it itself
    return passes(tests)


def warm() -> None:
    """Import what all the processes need, and nothing of the engine; wasmtime's handlers of signals must come after Python's."""
    faulthandler.enable()
    import cffi  # noqa: F401
    import hypothesis.strategies  # noqa: F401
    import pytest  # noqa: F401
    import wasmtime.component  # noqa: F401

    assert not any(name.startswith("ringfence.engine") for name in sys.modules)


def try_all(mutants: Sequence[Mutant], tests: Callable[[Mutant], Sequence[str]], told: Callable[[Mutant, bool, Path, float], None]) -> int:
    """Try each; how many were not found."""
    lost, waiting, running = 0, list(reversed(mutants)), {}
    with tempfile.TemporaryDirectory() as folder:
        while waiting or running:
            while waiting and len(running) < AT_ONCE:
                mutant = waiting.pop()
                output = Path(folder) / str(len(waiting))
                running[tried(lambda one=mutant: with_mutant(one, tests(one)), output)] = mutant, output, time.monotonic()
            process, status = os.wait()
            mutant, output, began = running.pop(process)
            lost += status == 0
            told(mutant, status != 0, output, time.monotonic() - began)
    return lost


def read(words: Sequence[str]) -> list[Mutant]:
    """The mutants of `mutants.toml`."""
    document = tomllib.loads((HERE / "mutants.toml").read_text())
    found = [Mutant(**one) for one in document["mutant"]]
    return [mutant for mutant in found if not words or any(word in mutant.check for word in words)]


def main(arguments: Sequence[str]) -> int:
    """See the module."""
    seek, words = "--seek" in arguments, [word for word in arguments if word != "--seek"]
    sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "manifests" / "shop")]
    os.chdir(ROOT)
    mutants = read(words)
    try:
        for mutant in mutants:
            mutant.source()
    except LookupError as error:
        print(error.args[0])
        return 2
    warm()

    def told(mutant: Mutant, found: bool, output: Path, seconds: float) -> None:
        lines = output.read_text(errors="replace").splitlines()
        how = next((line for line in lines if line.startswith(("FAILED", "ERROR", "Difference", "Fatal"))), "")
        print(f"{'found' if found else 'NOT FOUND':10}{seconds:5.1f} s  {mutant.check}{f'  {how}' if seek else ''}", flush=True)

    if seek:
        return int(try_all(mutants, lambda _: SEEK, told) > 0)
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "output"
        _, status = os.waitpid(tried(lambda: passes(sorted({test for mutant in mutants for test in mutant.by})), output, 15 * LONGEST), 0)
        if status:
            print(output.read_text() + "\nthe tests do not pass without a mutant")
            return 1
    lost = try_all(mutants, lambda mutant: mutant.by, told)
    print(f"{len(mutants) - lost} of {len(mutants)} mutants found")
    return int(lost > 0)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
