"""The table of types by language and pair of languages (`just types`): measured, and written to docs/types.md."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Container, Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from places import ROOT
from ringfence import Graph

from .gaps import GAPS, gap_of
from .graphs import ALONE, EDGES, MODES, Guests, Way, compose, ways
from .rows import RESOURCES, TYPES, Row, differing

DOCUMENT = ROOT / "docs" / "types.md"
EQUAL, DIFFERS, MISSING = "=", "≠", "–"

INTRODUCTION = """# Types across languages

<!-- written by `just types`; a test holds it against a run -->

A guest in each language gives back every type of WIT; another in each language stands before it and passes on what it is asked and
answered. `=`: each value at the limits of the type came back to the last bit (one NaN is like another), by every way that the column
stands for. Random values are tried by `tests/conformance`, where the guests' sources are, and so is what a value means to them.

"""

CONSEQUENCE = """
A node in Python that hands out many resources should therefore be `fresh`: an instance that is kept grows up to its `memory` limit.
"""


def document(graphs: Iterable[Guests]) -> str:
    """docs/types.md of these graphs, one of each mode. Whatever differs stands in it with what differs first."""
    found = {(guests.mode, row.title): differing(guests, row) for guests in graphs for row in (*TYPES, *RESOURCES)}
    notes = [f"- {title}, {column}, {mode}: {what}\n" for (mode, title), columns in found.items() for column, what in columns.items()]
    differs = {(title, column) for (_, title), columns in found.items() for column in columns}
    parts = [
        INTRODUCTION,
        f"Alone, on the lanes {' and '.join(ALONE)}; in pairs, over edges of the kind {' and '.join(f'`{edge}`' for edge in EDGES)}.\n\n",
        _table("type", TYPES, differs),
        "\n## Resources\n\n",
        _table("what must hold", RESOURCES, differs),
        *(["\n## What differs\n\n", *notes] if notes else ()),
        "\n## Gaps\n\n`–` in the tables, and what is in none of them. Each is proven by a run of its tool.\n\n",
        "| what | why not | tool |\n|---|---|---|\n",
        *(f"| {gap.what} | {gap.reason} | {gap.tool} |\n" for gap in GAPS),
        CONSEQUENCE,
    ]
    return "".join(parts)


def _table(first: str, rows: Sequence[Row], differs: Container[tuple[str, str]]) -> str:
    """A column for each language, and one for each that asks another."""
    columns = (*ways(ALONE[0]), *ways(EDGES[0]))
    head = [first, *(way.column for way in columns)]
    lines = [f"| {' | '.join(head)} |", f"|---|{':-:|' * len(columns)}"]
    lines += [f"| {row.title} | {' | '.join(_cell(row, way, differs) for way in columns)} |" for row in rows]
    return "\n".join(lines) + "\n"


def _cell(row: Row, way: Way, differs: Container[tuple[str, str]]) -> str:
    if not row.applies(way):
        return ""
    if gap_of(row.title, way):
        return MISSING
    return DIFFERS if (row.title, way.column) in differs else EQUAL


def loaded(stack: ExitStack, folder: Path) -> Iterator[Guests]:
    """The graphs of all modes, composed in this folder."""
    for mode in MODES:
        print(f"composing and measuring: {mode}", file=sys.stderr)
        yield Guests(mode, stack.enter_context(Graph.load(compose(mode, folder / mode))))


def proven(folder: Path) -> list[str]:
    """The gaps that are none any more."""
    closed = []
    for number, gap in enumerate(GAPS):
        print(f"proving: {gap.what}", file=sys.stderr)
        (folder / str(number)).mkdir(parents=True)
        if gap.proof(folder / str(number)) is None:
            closed.append(gap.what)
    return closed


def main() -> None:
    """Measure, prove the gaps, and write the document; exit code 1 where a value differs or a gap is closed."""
    with tempfile.TemporaryDirectory(prefix="ringfence-") as scratch, ExitStack() as stack:
        closed = proven(Path(scratch) / "gaps")
        text = document(loaded(stack, Path(scratch)))
    DOCUMENT.write_text(text, "utf-8")
    print(f"wrote {DOCUMENT.relative_to(ROOT)}", file=sys.stderr)
    for what in closed:
        print(f"no gap any more: {what}", file=sys.stderr)
    sys.exit(1 if closed or DIFFERS in text else 0)


if __name__ == "__main__":
    main()
