"""Patches apply exactly, or not at all."""

from __future__ import annotations

import difflib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ringfence_composer.builders.patches import PatchRefused, patched

# A form feed, a lone carriage return and Unicode's separators end no line of a patch.
lines = st.lists(
    st.sampled_from(["a\n", "b\n", "-- c\n", "++ d\n", "\n", " e\n", "\f\n", "g\fh\n", "\u2028\n", "\r\n", "i\rj\n"]), max_size=12
).map("".join)


def split(text: str) -> list[str]:
    return re.findall("[^\n]*\n", text)


def diff(old: str, new: str, context: int = 3) -> str:
    return "".join(difflib.unified_diff(split(old), split(new), "a/f.c\t2020", "b/f.c\t2021", n=context))


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
        ("--- a/f\n+++ b/f\n@@ -9,0 +9 @@\n+b\n", "it no longer applies", 3),
        ("--- f\n+++ f\n@@ -1 +1 @@\n-a\n+b\n", "expected the names of files after a/ and b/", 1),
    ],
)
def test_what_does_not_apply_is_told_with_the_patchs_line(patch: str, reason: str, line: int) -> None:
    with pytest.raises(PatchRefused, match=reason) as caught:
        patched({"f": b"a\n"}, patch)
    assert caught.value.line == line


def test_bytes_that_are_no_text_survive() -> None:
    assert patched({"f": b"\xff\na\n"}, "--- a/f\n+++ b/f\n@@ -2 +2 @@\n-a\n+b\n") == {"f": b"\xff\nb\n"}


@pytest.mark.parametrize(
    ("damaged", "line"),
    [
        ("--- a/f\n+++ b/f\n", 3),
        ("--- a/f\n+++ b/f\n@@ -1 +1 @\n-a\n+b\n", 3),
        ("--- a/f\n+++ b/f\n@@ -1 +1 @@\n-a\n+b\n@@ -2 +2\n-b\n+c\n", 6),
        ("--- a/f\n+++ b/f\n@@ -1 +1 @@\n-a\n+b\n+c\n", 6),
        ("--- a/f\n+++ b/f\n@@ -1 +1 @@\n-a\n+b\n-b\n", 6),
        ("--- a/f\n+++ b/f\n--- a/f\n+++ b/f\n@@ -1 +1 @@\n-a\n+b\n", 3),
        ("rename from g\nrename to h\n--- a/f\n+++ b/f\n@@ -1 +1 @@\n-a\n+b\n", 1),
        ("--- a/f\n+++ b/f\n@@ -1 +1 @@\n-a\n+b\nBinary files a/g and b/g differ\n", 6),
    ],
)
def test_no_part_of_a_patch_is_passed_over(damaged: str, line: int) -> None:
    """A fix that was not applied, and nobody told, leaves the library as vulnerable as it was."""
    with pytest.raises(PatchRefused) as caught:
        patched({"f": b"a\nb\n", "g": b""}, damaged)
    assert caught.value.line == line


def test_what_git_writes_around_changes_is_none() -> None:
    head = "From 1\nSubject: [PATCH] b\n---\n f | 2 +-\n\ndiff --git a/f b/f\nindex 1..2 100644\n"
    whole = f"{head}--- a/f\n+++ b/f\n@@ -1 +1 @@ x\n-a\n+b\n-- \n2.30\n\n"
    assert patched({"f": b"a\n"}, whole + whole.replace("-a", "-b").replace("+b", "+c")) == {"f": b"c\n"}
