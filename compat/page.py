"""The run as the page `docs/compat.md`."""

from __future__ import annotations

from collections.abc import Iterator

from compat.results import Row, Run


def page(run: Run) -> str:
    """Markdown."""
    parts = (_beginning(run), _tests(run), _figures(run), _reasons(run), _again())
    return "\n".join(line for part in parts for line in part)


def _beginning(run: Run) -> Iterator[str]:
    machine = run.machine
    yield "# Which libraries work wrapped"
    yield ""
    yield "This page is written by `just compat --write-docs`; nothing in it is edited by hand."
    yield ""
    yield (
        "Each library's own test suite, from its source archive, runs twice: natively, and on the host side against the drop-in wheel that "
        "`compose wrap` makes, in an environment that has the wheel and the runtime and nothing else of ours. Nothing is granted but where "
        "it is said. The tests are not changed; many reach for what no application uses (private names, patched internals, subclasses with "
        "metaclass tricks)."
    )
    yield ""
    yield (
        f"One run, {run.seconds / 60:.0f} minutes, on {machine['processor']}, {machine['cores']} cores, {machine['system']}, "
        f"{machine['python']}, load: {machine['load']}. Versions: "
        + ", ".join(f"{name} {version}" for name, version in run.versions.items())
        + "."
    )
    yield ""


def _tests(run: Run) -> Iterator[str]:
    yield "## Tests and coverage"
    yield ""
    yield "| library | its own tests passed, of those passing natively | API coverage | wheel |"
    yield "|---|---|---|---|"
    for row in run.rows:
        yield (
            f"| {row.name} {row.version} | {_passed(row)} | {_coverage(row)} | {row.wheel / 1e6:.1f} MB |"
            if row.wheel
            else f"| {row.name} {row.version} | – | – | – |"
        )
    yield ""
    for row in run.rows:
        if row.note:
            yield f"- {row.name} {row.version}: {row.note}."
        if row.grants:
            yield f"- {row.name}: its suite reads and writes files, so that its wheel was granted the suite's own folder."
        if row.failed:
            yield f"- **{row.name}: not done**: {_text(row.failed, 600)}"
    yield ""


def _passed(row: Row) -> str:
    tests = row.tests
    if tests is None or not tests.native:
        return "–"
    return f"**{tests.passed:,}** of {tests.native:,} ({_percent(tests.passed, tests.native)})"


def _percent(part: int, whole: int) -> str:
    """Rounded down: 100% is all of them."""
    return f"{int(1000 * part / whole) / 10:.1f}%"


def _coverage(row: Row) -> str:
    if row.coverage is None:
        return "–"
    return f"{row.coverage.score:.0f}% (" + ", ".join(f"{count:,} {kind}" for kind, count in row.coverage.members.items() if count) + ")"


def _figures(run: Run) -> Iterator[str]:
    yield "## Times and memory"
    yield ""
    yield (
        "Native and fenced by turns in fresh processes of one run; medians. *Cold* is the first process after installing, which "
        "compiles the component: `ringfence warm` pays that when an image is built. The first call starts the library's instance; later "
        "calls are in processor time. Memory is what the library adds to the process (pages shared with other processes by their share)."
    )
    yield ""
    yield "| library | import, warm | first call, warm | import and first call, cold | a small call | a large call | memory |"
    yield "|---|---|---|---|---|---|---|"
    for row in run.rows:
        if row.native and row.fenced:
            yield f"| {row.name} | " + " | ".join(_figure_cells(row)) + " |"
    yield ""
    for row in run.rows:
        calls = [call.title for call in (row.native.small, row.native.large) if call] if row.native else []
        if calls:
            yield f"- {row.name}: " + "; ".join(f"`{call}`" if "(" in call else call for call in calls)
    yield ""


def _figure_cells(row: Row) -> Iterator[str]:
    native, fenced = row.native, row.fenced
    assert native is not None and fenced is not None  # noqa: PT018 -- asked above
    yield f"{_time(fenced.imported)} (natively {_time(native.imported)})"
    yield _time(fenced.small.first)
    yield _time(fenced.cold + fenced.cold_first)
    yield f"{_time(fenced.small.later)}, {fenced.small.later / native.small.later:.1f}x"
    yield f"{_time(fenced.large.later)}, {fenced.large.later / native.large.later:.1f}x" if native.large and fenced.large else "–"
    yield f"{fenced.memory / 1e6:.0f} MB (natively {native.memory / 1e6:.0f} MB)"


def _time(seconds: float) -> str:
    if seconds < 1e-3:
        return f"{seconds * 1e6:.0f} µs"
    return f"{seconds * 1e3:.{0 if seconds >= 0.01 else 1}f} ms" if seconds < 1 else f"{seconds:.1f} s"


def _reasons(run: Run) -> Iterator[str]:
    yield "## Why tests fail"
    yield ""
    yield "By the error of each failed test; *unexplained* are those that no known reason fits."
    yield ""
    for row in run.rows:
        if row.tests and row.tests.groups:
            yield f"### {row.name}"
            yield ""
            yield "| tests | reason | for instance |"
            yield "|---|---|---|"
            for group in row.tests.groups:
                yield f"| {group.count} | {group.reason} | `{_text(group.test, 80)}`: {_text(group.error, 160)} |"
            yield ""


def _text(text: str, longest: int) -> str:
    """Foreign text in a table's cell: printable, on one line, and nothing that Markdown or a browser reads."""
    shown = "".join(char if char.isprintable() else " " for char in " ".join(text.split()))
    cut = shown if len(shown) <= longest else shown[:longest] + "…"
    return "".join(f"&#{ord(char)};" if char in "|<>&*_`[]\\" else char for char in cut)


def _again() -> Iterator[str]:
    yield "## Again, on your machine"
    yield ""
    yield (
        "`just compat` wraps every library of `compat/libraries/`, runs all of this in about half an hour, and leaves this page and "
        "`results.json` in `build/compat/`; `just compat --library simpleeval` does one. Another library is one more file in that folder: "
        "its release, the digest of its source archive, and how its suite is run."
    )
    yield ""
