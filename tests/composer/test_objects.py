"""Of a C component only the sources that changed are compiled; what comes of it is what an empty cache makes."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from c_guests import ASK, build, component, with_zig

FILES = {
    "a.c": '#include "inner.h"\nint twice(int);\n' + ASK.replace("number + 1", "twice(number) + INNER"),
    "b.c": "int twice(int x) { return x + x; }\n",
    "c.c": '#if __has_include("switch.h")\n#include "switch.h"\n#endif\n#include "part.inc"\nint other(void) { return PART; }\n',
    "inner.h": "#define INNER 1\n",
    "part.inc": "#define PART 2\n",
}
SOURCES = ("a.c", "b.c", "c.c")


@pytest.fixture
def edited(tmp_path: Path, cache: Path):
    """Builds the component with these files changed; tells how many sources were compiled, and the digest."""
    number = 0

    def make(folder: Path = cache, **changes: str) -> tuple[int, str]:
        nonlocal number
        number += 1
        files = FILES | {name.replace("_", "."): text for name, text in changes.items()}
        said: list[str] = []
        made = build(component(tmp_path / f"it-{number}", files, sources=SOURCES), folder, said=said)
        return sum(int(line.split()[2]) for line in said if " compiling " in line), made.digest

    return make


def test_a_source_is_compiled_anew_only_where_something_it_was_made_of_has_changed(edited, cache: Path, tmp_path: Path) -> None:
    count, first = edited()
    assert count == len(SOURCES) + 3, "the control: with the bindings and the guards of memory"
    changes = {"b_c": FILES["b.c"].replace("x + x", "3 * x")}
    count, second = edited(**changes)
    assert (count, first != second) == (1, True)
    assert edited(with_zig(tmp_path / "empty"), **changes) == (len(SOURCES) + 3, second)


@pytest.mark.parametrize(
    ("changes", "compiled"),
    [
        ({"inner_h": "#define INNER 7\n"}, 1),
        ({"part_inc": "#define PART 8\n"}, 1),
        ({"b_c": FILES["b.c"] + "static int more;\n"}, 2),
    ],
    ids=["a header", "a part of a source", "a source that another includes"],
)
def test_what_is_included_counts(changes: dict[str, str], compiled: int, edited) -> None:
    including = {"c_c": '#define twice twice_again\n#include "b.c"\n' + FILES["c.c"]}
    edited(**including)
    assert edited(**including)[0] == 0, "the control"
    assert edited(**including, **changes)[0] == compiled


def test_a_header_that_comes_or_goes_counts_though_nothing_named_it_before(edited) -> None:
    """It may stand before the one that was found, or be asked for by its mere being there."""
    edited()
    assert edited(switch_h="#define SWITCH 1\n")[0] > 0
    assert edited()[0] == 0, "and what was compiled without it is still there"


def test_warnings_are_told_again(tmp_path: Path, cache: Path) -> None:
    """They are what is wrong with the source, compiled now or before."""
    told: list[list[str]] = [[], []]
    for number in range(2):
        text = ASK + "int f(char *a) { return a == 5; }\n"
        build(component(tmp_path / str(number), {"a.c": text, "b.c": f"int b{number};\n"}), cache, told[number])
    assert told[0] == told[1]
    assert "comparison between pointer and integer" in told[0][0]


@pytest.mark.parametrize("damage", [b"", b"nonsense"])
def test_a_damaged_object_is_compiled_anew(damage: bytes, edited, cache: Path) -> None:
    first = edited()
    for entry in (cache / "objects").glob("*/*"):
        entry.write_bytes(damage or entry.read_bytes()[:-1])
    shutil.rmtree(cache / "build")
    assert edited() == first


def test_the_date_of_a_build_is_no_part_of_it(tmp_path: Path, cache: Path) -> None:
    """Libraries put it into their version; two builds of the same sources would differ."""
    text = ASK.replace("return", 'static const char at[] = __DATE__ " " __TIME__; return at[number % 8] +')
    made = build(component(tmp_path, {"a.c": text}), cache)
    assert b"Jan  1 1970 00:00:00" in made.path.read_bytes()
