"""Patches apply exactly, or not at all."""

from __future__ import annotations

import difflib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ringfence_composer.builders.patches import PatchRefused, patched

lines = st.lists(st.sampled_from(["a\n", "b\n", "-- c\n", "++ d\n", "\n", " e\n"]), max_size=12).map("".join)


def diff(old: str, new: str, context: int = 3) -> str:
    return "".join(
        difflib.unified_diff(old.splitlines(keepends=True), new.splitlines(keepends=True), "a/f.c\t2020", "b/f.c\t2021", n=context)
    )


@given(lines, lines, st.integers(0, 4))
def test_what_a_diff_says_is_what_a_patch_does(old: str, new: str, context: int) -> None:
    if old != new:
        assert patched({"f.c": old.encode()}, diff(old, new, context)) == {"f.c": new.encode()}


@given(lines, lines, lines)
def test_a_patch_for_another_file_is_refused_or_finds_all_it_speaks_of(old: str, new: str, other: str) -> None:
    """It never lands in another place, or on something nearly like it."""
    try:
        found = patched({"f.c": other.encode()}, diff(old, new, context=99))
    except PatchRefused:
        return
    assert old == new or found["f.c"].decode() == other.replace(old, new, 1)


def test_a_last_line_without_an_end_is_kept_or_given_one() -> None:
    patch = "--- a/f\n+++ b/f\n@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+b\n"
    assert patched({"f": b"a"}, patch) == {"f": b"b\n"}
    assert patched({"f": b"a\n"}, "--- a/f\n+++ b/f\n@@ -1 +1 @@\n-a\n+b\n\\ No newline at end of file\n") == {"f": b"b"}


@pytest.mark.parametrize(
    ("patch", "reason", "line"),
    [
        ("", "there is no change in it", 1),
        ("--- a/g\n+++ b/g\n@@ -1 +1 @@\n-a\n+b\n", "there is no file g", 1),
        ("--- a/f\n+++ b/f\n@@ -1,2 +1,2 @@\n-a\n+b\n", "the change ends too early", 3),
        ("x\n--- a/f\n+++ b/f\n@@ -1 +1 @@\n-z\n+b\n", "it no longer applies", 4),
        ("--- a/f\n+++ b/f\n@@ -2 +2 @@\n-a\n+b\n", "it no longer applies", 3),
    ],
)
def test_what_does_not_apply_is_told_with_the_patchs_line(patch: str, reason: str, line: int) -> None:
    with pytest.raises(PatchRefused, match=reason) as caught:
        patched({"f": b"a\n"}, patch)
    assert caught.value.line == line


def test_bytes_that_are_no_text_survive() -> None:
    assert patched({"f": b"\xff\na\n"}, "--- a/f\n+++ b/f\n@@ -2 +2 @@\n-a\n+b\n") == {"f": b"\xff\nb\n"}
