"""What a files grant means: how it is written, which paths its patterns match, and which patterns lie in which."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ringfence.contract.grants import KINDS, Policy, admits, globs
from ringfence.contract.grants.base import GrantSyntaxError
from ringfence.contract.grants.files import FILES, UseFile
from ringfence.contract.parameters import substitute

steady = settings(deadline=None)
NAMES = ["a", "b", "ab", "ba", "aab", "sub", "a.db", "b.db"]
NAME = st.sampled_from(NAMES) | st.text("ab.*[?", min_size=1, max_size=4).filter(lambda one: one not in (".", ".."))
PATH = st.lists(NAME, min_size=1, max_size=4).map("/".join)
PART = st.sampled_from(["*", "**", "a", "b", "sub", "a*", "*b", "*a*", "a*b", "*.db", "*a*b*"])
GLOB = st.lists(PART, min_size=1, max_size=5).map("/".join).filter(lambda one: one.count("**") < 5)


def oracle(pattern, path):
    """The pattern matches the path: told by recursion over names and, in a name, by a plain regular expression."""

    def names(parts, left):
        if not parts:
            return not left
        if parts[0] == "**":
            if all(one == "**" for one in parts):
                return bool(left)
            return any(names(parts[1:], left[skip:]) for skip in range(len(left) + 1))
        return bool(left) and name(parts[0], left[0]) and names(parts[1:], left[1:])

    def name(part, text):
        return re.fullmatch("".join(".*" if one == "*" else re.escape(one) for one in part), text, re.DOTALL) is not None

    return names(pattern.split("/"), path.split("/"))


def matches(pattern, path):
    return globs.parse(pattern).covers(globs.literal(path))


@pytest.mark.parametrize(
    ("pattern", "right", "wrong"),
    [
        ("*.sqlite3", ["a.sqlite3", ".sqlite3"], ["a.sqlite3x", "d/a.sqlite3", "a.SQLITE3", "a.sqlite3-journal"]),
        ("**/*.csv", ["a.csv", "x/y/a.csv"], ["a.csv/b"]),
        ("**", ["a", "a/b/c"], []),
        ("a/**", ["a/b", "a/b/c"], ["a", "ab", "b/a"]),
        ("a/**/b", ["a/b", "a/x/b", "a/x/y/b"], ["b", "a", "a/b/c"]),
        ("*", ["a", "*"], ["a/b"]),
        ("a*a", ["aa", "aba"], ["a", "ab"]),
        ("x[*]", ["x*"], ["xy", "x[*]"]),
        ("é", ["é"], ["e\u0301", "E"]),
    ],
)
def test_a_star_stops_at_a_slash_and_two_cross_it(pattern, right, wrong):
    assert all(matches(pattern, one) for one in right)
    assert not any(matches(pattern, one) for one in wrong)


@settings(deadline=None, max_examples=1000)
@given(GLOB, PATH)
def test_matching_agrees_with_an_oracle(pattern, path):
    assert matches(pattern, path) == oracle(pattern, path)


@settings(deadline=None, max_examples=1000)
@given(GLOB, GLOB, PATH)
def test_a_pattern_that_covers_another_matches_all_that_it_matches(wide, narrow, path):
    """The order is sound: a delegated or ratcheted grant can't match what its source does not."""
    if globs.parse(wide).covers(globs.parse(narrow)) and oracle(narrow, path):
        assert oracle(wide, path)


@settings(deadline=None, max_examples=500)
@given(GLOB, GLOB)
def test_what_is_told_to_be_no_cover_mostly_has_a_witness(wide, narrow):
    """Names by themselves are decided exactly; only `**` beside `*` is told cautiously."""
    one, other = globs.parse(wide), globs.parse(narrow)
    if "**" in wide + narrow or one.covers(other):
        return
    witness = narrow.replace("*", "\N{GREEK SMALL LETTER OMEGA}")
    assert oracle(narrow, witness)
    assert not oracle(wide, witness)


@settings(deadline=None, max_examples=1000)
@given(GLOB, PATH)
def test_a_folder_is_passed_if_something_in_it_may_match(pattern, path):
    glob, parts = globs.parse(pattern), path.split("/")
    if oracle(pattern, path):
        assert all(glob.passes("/".join(parts[:depth])) for depth in range(len(parts)))
    if "**" not in pattern and len(parts) >= len(pattern.split("/")):
        assert not glob.passes(path)


@steady
@given(st.text(max_size=12))
def test_any_text_is_a_pattern_or_a_located_error(text):
    try:
        glob = globs.parse(text)
    except GrantSyntaxError as error:
        message = error.message
    else:
        message = ""
        assert globs.parse(glob.text) == glob
    assert message.isascii()
    assert not message or message.isprintable()


@steady
@given(PATH)
def test_a_path_as_a_pattern_matches_itself_alone(path):
    glob = globs.parse(globs.literal(path).text)
    assert glob == globs.literal(path)
    assert glob.covers(globs.literal(path))
    assert not glob.covers(globs.literal(path + "x"))
    assert not glob.covers(globs.literal(path + "/x"))
    assert globs.inside(path).covers(globs.literal(path + "/x"))


def test_no_pattern_and_path_take_long():
    """A guest chooses the path: it must not be able to hold the host up."""
    began = time.monotonic()
    assert not matches("**/a/**/a/**/a/**/b", "/".join("a" * 2000))
    assert not matches("**/*a*a*a*/**/*a*a*a*b", "/".join(["a" * 200] * 20))
    assert not matches("*a*a*a*a*a*a*a*b", "a" * 4000)
    assert time.monotonic() - began < 2


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ({"path": "data"}, {"path": "data", "match": ["**"], "as": "/data", "access": ["read"]}),
        ({"path": "data/"}, {"path": "data", "match": ["**"], "as": "/data", "access": ["read"]}),
        (
            {"path": "../x", "as": "/", "match": ["*.b", "a", "*.b", "*"], "access": ["delete", "read"], "hardlinks": True},
            {"path": "../x", "match": ["*"], "as": "/", "access": ["read", "delete"], "hardlinks": True},
        ),
        ({"path": ".", "as": "/here", "hardlinks": False}, {"path": ".", "match": ["**"], "as": "/here", "access": ["read"]}),
        ({"path": "a", "match": ["**/**/x"]}, {"path": "a", "match": ["**/x"], "as": "/a", "access": ["read"]}),
    ],
)
def test_a_grant_is_kept_in_one_spelling(written, canonical):
    assert FILES.form(FILES.parse([written])) == [canonical]


@pytest.mark.parametrize(
    ("written", "path", "remedy"),
    [
        ("data", "", "such as { path: data"),
        ({}, "", "path is missing"),
        ({"path": "data", "mach": ["*"]}, "", "keys are path, match"),
        ({"path": "/etc"}, ".path", "from where graph.yaml lies"),
        ({"path": "~/x"}, ".path", "from where graph.yaml lies"),
        ({"path": "a\\b"}, ".path", "with /"),
        ({"path": "a/../b"}, ".path", "shortest"),
        ({"path": "a//b"}, ".path", "shortest"),
        ({"path": "./a"}, ".path", "shortest"),
        ({"path": ""}, ".path", "such as data"),
        ({"path": "a\0"}, ".path", "such as data"),
        ({"path": 3}, ".path", "found 3"),
        ({"path": "../x"}, "", "add as"),
        ({"path": "."}, "", "add as"),
        ({"path": "a", "as": "data"}, ".as", "such as /data"),
        ({"path": "a", "as": "/a/"}, ".as", "such as /data"),
        ({"path": "a", "as": "/a/../b"}, ".as", "such as /data"),
        ({"path": "a", "match": "*.x"}, ".match", "list of patterns"),
        ({"path": "a", "match": []}, ".match", "leave it out"),
        ({"path": "a", "match": ["x", "../y"]}, ".match[1]", "no . and .."),
        ({"path": "a", "match": ["/y"]}, ".match[0]", "relative to path"),
        ({"path": "a", "match": ["y/"]}, ".match[0]", "relative to path"),
        ({"path": "a", "match": ["a**"]}, ".match[0]", "stands alone"),
        ({"path": "a", "match": ["a?b"]}, ".match[0]", "write [?]"),
        ({"path": "a", "match": ["[ab]"]}, ".match[0]", "write [[]"),
        ({"path": "a", "match": ["{a,b}"]}, ".match[0]", "several patterns"),
        ({"path": "a", "match": ["**/a/**/b/**/c/**/d/**/e"]}, ".match[0]", "several patterns"),
        ({"path": "a", "match": [3]}, ".match[0]", "found 3"),
        ({"path": "a", "access": "read"}, ".access", "read, write"),
        ({"path": "a", "access": []}, ".access", "read, write"),
        ({"path": "a", "access": ["reed"]}, ".access[0]", "read or write"),
        ({"path": "a", "hardlinks": "yes"}, ".hardlinks", "true or false"),
    ],
)
def test_a_wrong_grant_says_what_to_write(written, path, remedy):
    with pytest.raises(ExceptionGroup) as wrong:
        FILES.parse([{"path": "fine"}, written])
    (error,) = wrong.value.exceptions
    assert error.path == f"[1]{path}"
    assert remedy in f"{error.message} | {error.hint}"


@pytest.mark.parametrize(("one", "other"), [("/data", "/data"), ("/data", "/data/in"), ("/", "/data"), ("/a/b", "/a")])
def test_no_place_of_a_guest_is_granted_twice(one, other):
    with pytest.raises(ExceptionGroup) as wrong:
        FILES.parse([{"path": "a", "as": one}, {"path": "b", "as": other}])
    assert wrong.value.exceptions[0].path == "[1].as"
    assert FILES.parse([{"path": "a", "as": "/data"}, {"path": "b", "as": "/data2"}])


def use(name, *access, **more):
    return UseFile(path="data", target="/data", name=name, access=frozenset(access), **more)


def test_each_access_is_granted_by_itself():
    for granted in ("read", "write", "create", "delete"):
        policy = Policy.bind({"files": [{"path": "data", "match": ["*.x"], "access": [granted]}]})
        for asked in ("read", "write", "create", "delete"):
            assert admits(policy, use("a.x", asked)) == (asked == granted)
        assert not admits(policy, use("a.y", granted))
        assert not admits(policy, use("a.x", granted, hardlinks=True))


def test_a_whole_folder_needs_a_grant_of_all_that_may_lie_in_it():
    """Else renaming it would carry things into the grant, or out of it."""
    every = ["read", "write", "create", "delete"]
    for match, right in (("**", True), ("sub/**", False), ("*", False), ("**/*.db", False)):
        policy = Policy.bind({"files": [{"path": "data", "match": [match], "access": every}]})
        assert admits(policy, use("sub", "delete", reach="tree")) is right
    both = Policy.bind({"files": [{"path": "data", "match": ["sub", "sub/**"], "access": every}]})
    assert admits(both, use("sub", "delete", reach="tree"))
    assert not admits(both, use("other", "create", reach="tree"))


@steady
@given(st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=9), st.booleans())
def test_a_denials_remedy_is_ascii_yaml_that_opens_exactly_that(name, linked):
    import yaml

    if name in (".", ".."):
        return
    request = use(name, "read", "write", hardlinks=linked)
    text = KINDS["files"].suggest(request)
    assert text.isascii()
    assert text.isprintable()
    policy = Policy.bind(substitute(yaml.safe_load(text), {}))
    assert admits(policy, request)
    assert not admits(policy, use(name + "x", "read"))
    assert request.value.isascii()


def test_a_name_too_long_to_show_is_not_shown():
    request = use("x" * 4000, "read")
    assert len(KINDS["files"].suggest(request)) < 200
    assert len(request.value) < 300
