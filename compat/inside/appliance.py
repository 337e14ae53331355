"""PyYAML 5.3's own runner, driven test by test: its collections, its rule which data goes with which function, our lines.

Runs in the tree's root, where its `tests/data` lies. Arguments are names of functions, all of them where there is none.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from lines import Lines, TookTooLong, limited, told

sys.path.insert(0, "tests/lib3")


def main(wanted: Sequence[str]) -> None:
    """Run what was not run before."""
    lines = Lines()
    try:
        import test_appliance  # type: ignore[import-not-found]
        import test_yaml  # type: ignore[import-not-found]
    except Exception as error:  # noqa: BLE001 -- whatever keeps the suite from being imported is its result
        lines.broken("tests/lib3", told(error))
        return
    for function, files in _tests(test_appliance, test_yaml, wanted):
        name = lines.unique(f"{function.__name__}({', '.join(os.path.basename(file) for file in files)})")  # noqa: PTH119 -- as the suite does
        if name not in lines.done:
            lines.begin(name)
            lines.end(name, *_outcome(function, files))


def _outcome(function: Callable[..., Any], files: Sequence[str]) -> tuple[str, str]:
    try:
        with limited():
            function(*files, verbose=False)
    except TookTooLong as error:
        return "failed", f"RuntimeError: took too long: {error}"
    except Exception as error:  # noqa: BLE001 -- a test fails by any
        return "failed", told(error)
    return "passed", ""


def _tests(appliance: Any, collection: Any, wanted: Sequence[str]) -> Iterator[tuple[Callable[..., Any], list[str]]]:
    """As the suite's `run` pairs functions and files."""
    data = appliance.find_test_filenames(appliance.DATA)
    for function in appliance.find_test_functions(collection):
        if wanted and function.__name__ not in wanted:
            continue
        if not function.unittest:
            yield function, []
            continue
        for base, endings in data:
            if set(function.unittest) <= set(endings) and not set(getattr(function, "skip", [])) & set(endings):
                yield function, [os.path.join(appliance.DATA, base + ending) for ending in function.unittest]  # noqa: PTH118 -- as the suite does


if __name__ == "__main__":
    main(sys.argv[1:])
