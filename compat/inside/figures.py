"""What importing a library and calling it takes, told as JSON on stdout. What to do comes as JSON on stdin.

Asked for: `import` (a statement), and `calls`, each with `setup`, `statement`, and `answer`, an expression that has to be true.
Nothing is imported before the library but what the interpreter has imported anyway, and `json` and `time`.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable

_SAMPLES = 7
_LONG_ENOUGH = 0.05  # seconds of a sample


def _memory() -> int:
    """Bytes of physical memory that this process has for itself; pages that it shares with others by their share."""
    with open("/proc/self/smaps_rollup") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("Pss:"))


def _timed(statement: str, names: dict[str, object], clock: Callable[[], float] = time.perf_counter) -> float:
    code = compile(statement, "call", "exec")
    begun = clock()
    exec(code, names)
    return clock() - begun


def _call(call: dict[str, str]) -> dict[str, float]:
    """Seconds of the first call, and the median of later ones in processor time, which what else runs on a machine bears on less."""
    names: dict[str, object] = {}
    exec(call["setup"], names)
    first = _timed(call["statement"], names)
    if not eval(call["answer"], names):
        raise AssertionError(f"{call['statement']} gave {names.get('answer')!r:.300}")
    count = max(1, int(_LONG_ENOUGH / first))
    loop = f"for _ in range({count}):\n    {call['statement']}"
    samples = sorted(_timed(loop, names, time.process_time) / count for _ in range(_SAMPLES if first < 1 else 2))
    return {"first": first, "later": samples[len(samples) // 2]}


def main() -> None:
    """Answer one question."""
    asked = json.loads(sys.stdin.read())
    before = _memory()
    names: dict[str, object] = {}
    seconds = _timed(asked["import"], names)
    calls = [_call(call) for call in asked["calls"]]
    print(json.dumps({"import": seconds, "calls": calls, "memory": _memory() - before}))


if __name__ == "__main__":
    main()
