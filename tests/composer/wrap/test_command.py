"""What `compose wrap` is told, and what it says where that is wrong."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
from click.testing import CliRunner
from ringfence.contract.errors import ManifestError
from ringfence_composer.cli import compose
from ringfence_composer.errors import InputInvalid
from ringfence_composer.wrap.authority import read_authority
from ringfence_composer.wrap.release import apart
from ringfence_composer.wrap.several import read_several
from ringfence_composer.wrap.wanted import read_wanted


def ran(*words: object):
    return CliRunner().invoke(compose, ["wrap", *map(str, words)])


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("PyYAML==5.3", "-r", "requirements.txt"),
        ("PyYAML==5.3", "--only", "vulnerable.txt"),
        ("PyYAML==5.3", "other.whl"),
        ("--diff", "old.whl"),
    ],
)
def test_one_thing_is_wrapped_at_a_time(words):
    """Whatever else is a wrong use of the command, which nothing ran for."""
    done = ran(*words)
    assert (done.exit_code, "name one release" in done.output) == (2, True)


def test_what_is_wrong_is_told_as_json_too(tmp_path):
    """For programs: the code and the remedy."""
    done = ran("PyYAML", "-o", tmp_path, "--json")
    told = json.loads(done.stdout)["error"]
    assert (done.exit_code, told["code"]) == (3, "input")
    assert "PyYAML==5.3" in told["hint"]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["PyYAML===newest", "PyYAML==5.*", "PyYAML>=5", "PyYAML==5.3,!=5.4", "PyYAML @ https://example.com/a.whl"])
def test_exactly_one_release_is_wanted(text):
    """Of a version that is one, wherever a requirement may have more."""
    with pytest.raises(InputInvalid) as error:
        read_wanted(text)
    assert error.value.hint


def test_grants_are_read_as_on_an_edge_to_host(tmp_path):
    """Bare, or beside the parameters that they refer to."""
    file = tmp_path / "grants.yaml"
    file.write_text('env: [TZ]\ntcp: ["127.0.0.1:80"]\n')
    assert read_authority(file, ()).grant == {"application": "values", "env": ["TZ"], "tcp": ["127.0.0.1:80"]}
    file.write_text('parameters: { vendor: { type: endpoint, within: "127.0.0.1:*" } }\ngrant: { tcp: ["${vendor}"] }\n')
    found = read_authority(file, ("memory=64MiB,deadline=2s", "output=1MiB"))
    assert found.grant["tcp"] == ["${vendor}"]
    assert set(found.parameters) == {"vendor"}
    assert {"memory": "64MiB", "deadline": "2s", "output": "1MiB"}.items() <= found.limits.items()
    assert read_authority(None, ()).grant == {"application": "values"}, "nothing of the outside world by default"


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        ("env: [TZ]\nnetwork: all\n", 2, "a grant nothing can enforce"),
        ("tcp: 127.0.0.1:80\n", 1, "expected a list"),
        ("env: [TZ]\ntcp:\n  - nonsense\n", 3, ""),
        ('grant: { tcp: ["${vendor}"] }\n', 1, "vendor"),
        ('parameters: { vendor: { type: endpoint, within: "127.0.0.1:*" } }\ngrant: { env: [TZ] }\n', 1, "no grant refers to it"),
        ("[env]\n", 1, "expected a mapping"),
        ("env: [TZ]\nenv: [A]\n", 2, ""),
    ],
)
def test_wrong_grants_are_told_where_they_stand(tmp_path, text, line, told):
    """In the file that was named, not in the graph that is made of it."""
    file = tmp_path / "grants.yaml"
    file.write_text(text)
    with pytest.raises(ManifestError) as error:
        read_authority(file, ())
    assert [(one.file, one.line) for one in error.value.problems] == [(str(file), line)]
    assert told in str(error.value)


@pytest.mark.parametrize("word", ["memory", "memory=", "memory=lots", "speed=1", "=5s"])
def test_a_limit_that_is_none_is_refused(word):
    """Nobody should believe in a bound that is not there."""
    with pytest.raises(InputInvalid, match="--limits"):
        read_authority(None, (word,))


REQUIREMENTS = """
# what the application stands on
--index-url https://example.invalid/simple
PyYAML==5.3 \\
    --hash=sha256:abc
jinja2==3.1.6 ; python_version > "3"   # templates
requests>=2
"""


def files(tmp_path, only: str | None = None):
    (tmp_path / "requirements.txt").write_text(REQUIREMENTS)
    if only is None:
        return tmp_path / "requirements.txt", None
    (tmp_path / "only.txt").write_text(only)
    return tmp_path / "requirements.txt", tmp_path / "only.txt"


def test_of_a_set_those_are_wrapped_that_are_named(tmp_path):
    """By any spelling of the name, with a version or without."""
    found = read_several(*files(tmp_path, "pyyaml\nJinja2==3.1.6\n"))
    assert [(one.name, str(one.version)) for one in found] == [("PyYAML", "5.3"), ("jinja2", "3.1.6")]


def test_all_that_is_wrong_with_a_set_is_told(tmp_path):
    """A line without a pin where all are wanted; a name that is not there."""
    with pytest.raises(ManifestError) as error:
        read_several(*files(tmp_path))
    assert [one.line for one in error.value.problems] == [7]
    with pytest.raises(ManifestError) as error:
        read_several(*files(tmp_path, "absent\nnot a name\npyyaml\n"))
    assert [one.line for one in error.value.problems] == [2, 1]
    with pytest.raises(ManifestError) as error:
        read_several(*files(tmp_path, "requests\n"))
    assert [(one.file, one.line) for one in error.value.problems] == [(str(tmp_path / "requirements.txt"), 7)], "it is there, without a pin"
    with pytest.raises(ManifestError, match=r"pyyaml==5.2 is not the release in .*, which is 5.3") as error:
        read_several(*files(tmp_path, "PyYAML==5.2\njinja2<=3.1.6\n"))
    assert [(one.file, one.line) for one in error.value.problems] == [(str(tmp_path / "only.txt"), 1)], "the other one is that release"
    with pytest.raises(InputInvalid):
        read_several(tmp_path / "absent.txt", None)


def wrapped(name: str, *paths: str):
    return SimpleNamespace(content=SimpleNamespace(name=name, files=dict.fromkeys(paths, b"")))


def test_two_libraries_that_own_one_import_name_are_refused():
    """An environment can have one of them only."""
    apart([wrapped("a", "a/__init__.py", "a_ringfence/x"), wrapped("b", "b.py", "b_ringfence/x")])
    with pytest.raises(InputInvalid, match="PyYAML and other both own the import name yaml"):
        apart([wrapped("PyYAML", "yaml/__init__.py"), wrapped("other", "yaml.py")])
