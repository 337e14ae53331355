"""The command `ringfence`, of machines that run graphs: `ringfence warm GRAPH...`.

Results go to stdout, progress and errors to stderr. Exit codes: 0 done, 1 a check failed, 2 usage, 3 invalid input, 4 a tool failed.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from ringfence import IntegrityError, ManifestError, RingfenceError, StaleLock, __version__

_INTERRUPTED = 130  # as shells have it for SIGINT
_DESCRIPTION = """Compile and link every node of composed graphs, so that no later start has to: for the build of an image.

Prints a line for each node: its name, the digest of what was compiled, whether it was compiled or cached already, and the seconds it took.
"""


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """The console script. Whatever is expected ends in a message and an exit code, never in a traceback."""
    given = _parser().parse_args(arguments)
    try:
        sys.exit(max([_warm(path, given.cache, as_json=given.json) for path in given.graphs]))
    except KeyboardInterrupt:
        _progress_done()
        sys.exit(_INTERRUPTED)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="ringfence", description="Run graphs of ring-fenced components.")
    parser.add_argument("--version", action="version", version=f"ringfence {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    warm = commands.add_parser(
        "warm", help="fill the compile cache", description=_DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    warm.add_argument("graphs", nargs="+", type=Path, metavar="GRAPH", help="a graph.yaml that was composed, or a graph.lock.json")
    warm.add_argument("--cache", type=Path, metavar="DIR", help="the folder of the caches (default: this user's)")
    warm.add_argument("--json", action="store_true", help="print a JSON object for each node")
    return parser


def _warm(path: Path, cache: Path | None, *, as_json: bool) -> int:
    """The exit code of one graph; the others are warmed all the same."""
    from ringfence.warming import warm  # it brings the engine

    try:
        for one in warm(path, cache, _progress):
            _progress_done()
            state = "cached" if one.cached else "compiled"
            seconds = round(one.seconds, 3)
            data = {"graph": one.graph, "node": one.node, "digest": one.digest, "state": state, "seconds": seconds}
            text = json.dumps(data) if as_json else f"{one.graph}.{one.node} {one.digest} {state} {seconds:.3f} s"
            sys.stdout.write(f"{text}\n")
            sys.stdout.flush()
    except RingfenceError as error:
        _progress_done()
        sys.stderr.write(f"error: {error} [{error.code}]\n")
        return 3 if isinstance(error, ManifestError | StaleLock) else 1 if isinstance(error, IntegrityError) else 4
    return 0


def _progress(node: str, number: int, count: int) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[Kwarming {node} ({number} of {count})")
        sys.stderr.flush()


def _progress_done() -> None:
    if sys.stderr.isatty():
        sys.stderr.write("\r\x1b[K")
        sys.stderr.flush()


if __name__ == "__main__":
    main()
