"""Types that somebody wrote for a library: read as stub files, never run, and held against what the library has."""

from __future__ import annotations

import copy
import subprocess
import sys

import pytest
from click.testing import CliRunner
from places import ROOT
from ringfence.contract.errors import ManifestError
from ringfence_composer.cli import compose
from ringfence_composer.errors import InputInvalid
from ringfence_composer.wrap.overlay import overlaid, read_overlay
from ringfence_composer.wrap.stubs import stub_files


def signature(*names, **more):
    return {"parameters": [{"name": one, "kind": 1} for one in names], **more}


API = {
    "modules": {
        "thing": {
            "members": {
                "load": {"kind": "function", "of": "thing.inner:load"},
                "dump": {"kind": "function", "of": "thing:dump"},
                "Loader": {"kind": "class", "of": "thing.inner:Loader"},
            }
        },
        "thing.inner": {"members": {"load": {"kind": "function", "of": "thing.inner:load"}}},
    },
    "functions": {
        "thing.inner:load": {"name": "load", "signature": signature("stream", "depth", returns="list")},
        "thing:dump": {"name": "dump", "signature": signature("value")},
    },
    "classes": {
        "thing.inner:Loader": {
            "name": "Loader",
            "bases": [],
            "members": {"get": {"kind": "method", "signature": signature("self", "key")}, "size": {"kind": "property"}},
        }
    },
}


def laid_over(tmp_path, **files):
    for name, text in files.items():
        file = tmp_path / "types" / f"{name.replace('__', '/')}.pyi"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return overlaid(API, read_overlay(tmp_path / "types"), ("thing",))


def test_functions_and_methods_get_the_types_wherever_they_are_defined(tmp_path):
    """And what the guest told before gives way; the API that went in stays as it was."""
    before = copy.deepcopy(API)
    text = "import os\ndef load(stream: str | bytes, depth: int = ...) -> dict[str, int]: ...\n"
    text += "class Loader:\n    @property\n    def size(self) -> int: ...\n    def get(self, key: str) -> list[str]: ...\n"
    text += "class _Readable:\n    def read(self) -> str: ...\n"
    found = laid_over(tmp_path, thing=text)
    assert before == API
    load = found["functions"]["thing.inner:load"]["signature"]
    assert [one.get("annotation") for one in load["parameters"]] == ["str | bytes", "int"]
    assert load["returns"] == "dict[str, int]"
    stubs = stub_files(found, ("thing",))["thing/inner.pyi"].decode()
    assert "def load(stream: str | bytes, depth: int) -> dict[str, int]: ..." in stubs
    get = found["classes"]["thing.inner:Loader"]["members"]["get"]["signature"]
    assert (get["parameters"][1]["annotation"], get["returns"]) == ("str", "list[str]")
    assert "annotation" not in get["parameters"][0]
    assert found["functions"]["thing:dump"] == API["functions"]["thing:dump"], "what it says nothing of"


def test_an_overloaded_function_gets_none_and_a_condition_hides_none(tmp_path):
    """A signature has room for one."""
    text = "from typing import overload\nimport sys\n"
    text += "@overload\ndef load(stream: str, depth: int) -> str: ...\n@overload\ndef load(stream: bytes, depth: int) -> bytes: ...\n"
    text += "if sys.version_info >= (3, 8):\n    def dump(value: int) -> str: ...\n"
    found = laid_over(tmp_path, thing=text)
    assert found["functions"]["thing.inner:load"] == API["functions"]["thing.inner:load"]
    assert found["functions"]["thing:dump"]["signature"]["returns"] == "str"


def test_what_the_library_does_not_have_is_told_all_at_once_with_its_places(tmp_path):
    """An overlay for another release would say untrue things of this one."""
    text = "def lod(stream: str) -> str: ...\n\ndef dump(value: int,\n         indent: int) -> str: ...\n"
    with pytest.raises(ManifestError) as error:
        laid_over(tmp_path, thing=text, other="def f() -> int: ...\n", thing__lost="def f() -> int: ...\n")
    told = [(one.file.rpartition("types/")[2], one.line, one.message, one.hint) for one in error.value.problems]
    assert told == [
        ("other.pyi", 0, "the library has no module other", "its files are called by thing"),
        ("thing.pyi", 1, "thing has no lod", "did you mean load?"),
        ("thing.pyi", 4, "dump has no parameter indent", "it has value"),
        ("thing/lost.pyi", 1, "thing.lost has no f", None),
    ]


def test_no_stub_files_and_no_python_are_told(tmp_path):
    """The latter with all of its places."""
    (tmp_path / "types").mkdir()
    with pytest.raises(InputInvalid, match="no stub file"):
        read_overlay(tmp_path / "types")
    with pytest.raises(InputInvalid, match="types"):
        read_overlay(tmp_path / "absent")
    (tmp_path / "types/a.pyi").write_text("def f(:\n")
    (tmp_path / "types/b.pyi").write_text("x = \0\n")
    (tmp_path / "types/c.pyi").write_text("(" * 5000)
    with pytest.raises(ManifestError) as error:
        read_overlay(tmp_path / "types")
    assert [one.file.rpartition("/")[2] for one in error.value.problems] == ["a.pyi", "b.pyi", "c.pyi"]
    assert error.value.problems[0].line == 1


def test_a_hostile_overlay_is_read_and_never_run(tmp_path):
    """Its annotations are text in the API, and what the stubs do not know of them is Any."""
    mark = tmp_path / "mark"
    attack = f"__import__('pathlib').Path({str(mark)!r}).touch()"
    quoted = repr(f"int\n{attack}")
    text = f"{attack}\ndef load(stream: ({attack}), depth: {quoted} = {attack}) -> (lambda: {attack}): ...\n"
    found = laid_over(tmp_path, thing=text)
    stubs = stub_files(found, ("thing",))
    for name, content in stubs.items():
        assert b"pathlib" not in content, name
        compile(content, name, "exec")
    assert b"def load(stream: _t.Any, depth: _t.Any) -> _t.Any: ..." in stubs["thing/inner.pyi"]
    assert not mark.exists()


def test_it_goes_with_one_library(tmp_path):
    for words in (["-r", "requirements.txt"], ["graph.yaml", "--package", "a"], ["--diff", "a.whl", "b.whl"]):
        done = CliRunner().invoke(compose, ["wrap", *words, "--types", str(tmp_path)])
        assert (done.exit_code, "--types goes with one release" in done.output) == (2, True)


def test_an_application_is_checked_against_them(tmp_path):
    """By mypy: what the overlay says holds, where without it everything went."""
    found = laid_over(tmp_path, thing="def dump(value: int) -> str: ...\n")
    (tmp_path / "app.py").write_text("import thing\nthing.dump('1')\nthing.dump(1).upper()\nthing.dump(1) + 1\n")
    told = {}
    for name, api in (("typed", found), ("untyped", API)):
        for path, content in stub_files(api, ("thing",)).items():
            (tmp_path / name / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name / path).write_bytes(content)
        command = [sys.executable, "-m", "mypy", "--config-file", "", "--cache-dir", str(tmp_path / "cache"), str(tmp_path / "app.py")]
        done = subprocess.run(command, env={"MYPYPATH": str(tmp_path / name), "PATH": ""}, cwd=ROOT, capture_output=True, text=True)
        told[name] = sorted(line.split(":")[1] for line in done.stdout.splitlines() if ": error:" in line)
    assert told == {"typed": ["2", "4"], "untyped": []}
