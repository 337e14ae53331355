"""What a release is asked for by, how its archive is chosen, and what it requires."""

from __future__ import annotations

import pytest
from ringfence_composer.errors import BuildFailed, DigestMismatch, InputInvalid
from ringfence_composer.wrap.dependencies import with_dependencies
from ringfence_composer.wrap.index import ReleaseFile, chosen, fetch, find_release
from ringfence_composer.wrap.layout import lay_out
from ringfence_composer.wrap.wanted import meant, read_wanted

from .archives import archive, sdist, wheel

CODE = {"thing/__init__.py": ""}
PURE, SOURCE, COMPILED = "thing-1.0-py3-none-any.whl", "thing-1.0.tar.gz", "thing-1.0-cp314-cp314-manylinux_2_28_x86_64.whl"
SETUP = {"PKG-INFO": "Metadata-Version: 1.1\nName: thing\nVersion: 1.0\n", **CODE}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("PyYAML", "exactly one release"),
        ("PyYAML>=5", "exactly one release"),
        ("PyYAML==5.*", "exactly one release"),
        ("Py YAML", "not a requirement"),
        ("PyYAML @ https://x/y", "an address"),
        ("graph.yaml", "needs a name"),
        ("absent-1.0.tar.gz", "no such file"),
    ],
)
def test_a_wheel_is_of_exactly_one_release(text, told):
    """What is wrapped is pinned: an unpinned name would be another library tomorrow."""
    with pytest.raises(InputInvalid, match=told):
        read_wanted(text)


@pytest.mark.parametrize(
    ("name", "known"), [("PyYML", "PyYAML"), ("reqeusts", "requests"), ("jinja", "Jinja2"), ("pyyaml", None), ("qwop", None)]
)
def test_a_name_that_only_looks_like_a_library_is_asked_about(name, known):
    """Typo squatters live of one letter; spellings of one name (PEP 503) are the same name."""
    assert meant(name) == known


def test_what_the_index_does_not_have_is_told_with_what_it_has(index):
    """No such package, no such release: an error with the remedy, not a traceback."""
    index({"thing": {SOURCE: sdist(SETUP)}, "pyyaml1": {"pyyaml1-0.1.tar.gz": sdist(SETUP)}})
    with pytest.raises(InputInvalid, match="no package 'PyYML'") as error:
        find_release(read_wanted("PyYML==1.0"))
    assert error.value.hint == "did you mean PyYAML?"
    with pytest.raises(InputInvalid, match="pyyaml1 has no release 5.3") as error:
        find_release(read_wanted("pyyaml1==5.3"))
    assert error.value.hint == "its newest are 0.1; or did you mean PyYAML?"
    with pytest.raises(InputInvalid, match="no release 2.0") as error:
        find_release(read_wanted("thing==2.0"))
    assert "1.0" in error.value.hint


@pytest.mark.parametrize(
    ("files", "taken"),
    [((COMPILED, PURE, SOURCE), PURE), ((COMPILED, SOURCE), SOURCE), (("thing-1.0-py2-none-any.whl", SOURCE), SOURCE), ((COMPILED,), None)],
)
def test_pure_wheels_are_taken_first_then_sources(index, files, taken):
    """A wheel for one platform holds machine code; only sources beside it help."""
    index({"thing": dict.fromkeys(files, b"")})
    release = find_release(read_wanted("Thing==1.0"))
    if taken is None:
        with pytest.raises(InputInvalid, match="compiled parts only"):
            chosen(release)
    else:
        assert chosen(release).filename == taken


def test_an_archive_that_is_not_the_listed_one_is_refused(index, context):
    """What is unpacked is what the index's page named, by its digest."""
    served = index({"thing": {SOURCE: sdist(SETUP)}})
    file = chosen(find_release(read_wanted("thing==1.0")))
    served.files["thing"][SOURCE] = sdist({**SETUP, "thing/__init__.py": "import evil"})
    with pytest.raises(DigestMismatch):
        fetch("thing", file, context)


def test_an_archive_is_fetched_once(index, context):
    """It is kept by its digest; later wraps need no network for it."""
    served = index({"thing": {SOURCE: sdist(SETUP)}})
    file = chosen(find_release(read_wanted("thing==1.0")))
    first = fetch("thing", file, context)
    served.files.clear()
    assert fetch("thing", ReleaseFile(**{name: getattr(file, name) for name in file.__slots__}), context) == first


def thing(requires: str):
    return lay_out(archive(wheel(CODE, metadata=requires), PURE))


def packed(first, extras, tmp_path, context):
    return [f"{one.name} {one.version}" for one in with_dependencies(first, frozenset(extras), tmp_path / "work", context)]


def test_requirements_are_resolved_for_the_guest_from_metadata_alone(index, tmp_path, context):
    """Markers are the guest's (Python 3.14, no platform's); extras are those that were asked for; nothing is built to find out."""
    index(
        {
            "base": {
                "base-1.0-py3-none-any.whl": wheel({"base.py": ""}, "base", "1.0"),
                "base-2.0-py3-none-any.whl": wheel({"base.py": ""}, "base", "2.0"),
            },
            "old": {"old-1.0-py3-none-any.whl": wheel({"old.py": ""}, "old")},
            "more": {"more-1.0-py3-none-any.whl": wheel({"more.py": ""}, "more", metadata="Requires-Dist: base<2\n")},
        }
    )
    requires = "Requires-Dist: base\nRequires-Dist: old; python_version < '3.10'\nRequires-Dist: more; extra == 'all'\n"
    assert packed(thing(requires), (), tmp_path, context) == ["thing 1.0", "base 2.0"]
    assert packed(thing(requires), {"all"}, tmp_path, context) == ["thing 1.0", "base 1.0", "more 1.0"]


def test_a_requirement_without_any_wheel_is_read_from_its_sources(index, tmp_path, context):
    """docopt has none; its setup.py would have to run for uv to know what it requires."""
    source = {"PKG-INFO": "Metadata-Version: 1.1\nName: only\nVersion: 1.0\n", "only.py": "", "setup.py": "raise SystemExit('ran')"}
    index({"only": {"only-1.0.tar.gz": sdist(source, "only-1.0")}})
    assert packed(thing("Requires-Dist: only>=1\n"), (), tmp_path, context) == ["thing 1.0", "only 1.0"]


def test_a_requirement_that_is_compiled_is_told_by_who_requires_it(index, tmp_path, context):
    """Else nobody knew where the name comes from."""
    name = "fast-1.0-cp314-cp314-win_amd64.whl"
    index({"fast": {name: wheel({"fast.pyd": b""}, "fast")}})
    with pytest.raises(InputInvalid, match="thing requires fast: fast 1.0 comes in wheels with compiled parts only"):
        packed(thing("Requires-Dist: fast\n"), (), tmp_path, context)


def test_requirements_that_cannot_be_met_are_an_error_with_what_uv_says(index, tmp_path, context):
    """Two of them contradict each other."""
    index({"base": {"base-1.0-py3-none-any.whl": wheel({"base.py": ""}, "base")}})
    with pytest.raises(BuildFailed, match="cannot be resolved") as error:
        packed(thing("Requires-Dist: base>=2\n"), (), tmp_path, context)
    assert "base" in error.value.output


def test_two_distributions_that_own_one_file_are_refused(index, tmp_path, context):
    """One of them would silently win."""
    index({"other": {"other-1.0-py3-none-any.whl": wheel({"thing/__init__.py": "other"}, "other")}})
    with pytest.raises(InputInvalid, match="thing and other both bring thing/__init__.py"):
        packed(thing("Requires-Dist: other\n"), (), tmp_path, context)
