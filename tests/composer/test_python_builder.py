"""The Python builder: what counts as an input, what is refused and how, what exists in the guest afterwards."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import pytest
from ringfence.contract.layout import user_cache
from ringfence_composer.builders import python, requirements, snapshot
from ringfence_composer.builders.base import BuildContext, ComponentSource, Requirement, inputs_digest
from ringfence_composer.builders.guest_errors import explained
from ringfence_composer.builders.preload import entry_module
from ringfence_composer.errors import BuildFailed, ComposerError, DigestMismatch, InputInvalid, ToolFailed, ToolMissing, WitInvalid

from .guests import APP, WIT, ask, build, component

ROOT = Path(__file__).parents[2]
H11 = Requirement(name="h11", version="0.16.0", sha256="63cf8bbe7522de3bf65932fda1d9c2772064ffb3dae62d55932da54b31cb6c86")


@pytest.fixture
def no_build(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fails the test where componentize-py would run."""
    monkeypatch.setattr(python, "run", lambda *_, **__: pytest.fail("componentize-py was started"))


# Inputs


def inputs(source: ComponentSource) -> str:
    return inputs_digest(python._Parts.read(source).inputs("0.25.1"))


def test_inputs_are_equal_in_every_folder_and_order(tmp_path):
    """Two checkouts, different noise around the sources, files made in another order: one digest."""
    files = {"app.py": APP, "more/__init__.py": b"", "more/deep.py": b"x = 1"}
    one = component(tmp_path / "one", files, preload=("json", "csv"), requirements=(H11,))
    reordered = {**dict(reversed(files.items())), "__pycache__/app.pyc": b"noise", ".env": b"SECRET=1", "more/deep.py~": b"backup"}
    other = component(tmp_path / "two" / "deeper", reordered, preload=("csv", "json"), requirements=(H11,))
    os.utime(other.source / "app.py", (0, 0))
    assert inputs(one) == inputs(other)


def test_every_input_counts(tmp_path):
    base = component(tmp_path, {"app.py": APP, "other.py": b""})
    (tmp_path / "dep").mkdir()
    (tmp_path / "dep" / "dep.wit").write_text("package test:dep;")
    changed = [
        dataclasses.replace(base, world="another"),
        dataclasses.replace(base, module="other"),
        dataclasses.replace(base, preload=("json",)),
        dataclasses.replace(base, requirements=(H11,)),
        dataclasses.replace(base, wit_deps=(tmp_path / "dep",)),
    ]
    digests = {inputs(base), *map(inputs, changed)}
    (base.source / "other.py").write_bytes(b"# changed")
    digests.add(inputs(base))
    (base.source / "other.py").rename(base.source / "renamed.py")
    digests.add(inputs(base))
    (base.wit / "world.wit").write_bytes(WIT + b"// changed\n")
    digests.add(inputs(base))
    assert len(digests) == 9
    assert inputs_digest(python._Parts.read(base).inputs("0.25.2")) not in digests


# Refused before anything runs


@pytest.mark.usefixtures("no_build")
@pytest.mark.parametrize(
    ("settings", "files", "message", "hint"),
    [
        ({"module": "main"}, {"app.py": APP}, "entry module 'main' is missing: there is no main.py", "there are app"),
        ({"module": "app; import os"}, {"app.py": APP}, "is not a module's name", "package.module"),
        ({"preload": ("a b",)}, {"app.py": APP}, "is not a module's name", "package.module"),
        ({}, {"app.py": APP, "socket.py": b""}, "the module 'socket' has a name that Python's standard library", "rename"),
        ({}, {"app.py": APP, "wit_world/__init__.py": b""}, "the module 'wit_world' has a name", "rename"),
        ({"requirements": (Requirement(name="h11\n--index-url x", version="1", sha256="0" * 64),)}, {"app.py": APP}, "not a name", "wheel"),
        ({"requirements": (Requirement(name="h11", version="1 ; x", sha256="0" * 64),)}, {"app.py": APP}, "not a name", "wheel"),
        ({"requirements": (Requirement(name="h11", version="1", sha256="0" * 63),)}, {"app.py": APP}, "not a name", "wheel"),
    ],
)
def test_wrong_settings_are_refused_with_the_remedy(tmp_path, settings, files, message, hint):
    with pytest.raises(InputInvalid) as caught:
        build(component(tmp_path, files, **settings), tmp_path / "cache")
    assert message in caught.value.message
    assert hint in str(caught.value.hint)
    assert str(tmp_path) not in str(caught.value)


@pytest.mark.usefixtures("no_build")
@pytest.mark.parametrize(("bound", "value"), [("MAX_FILES", 1), ("MAX_BYTES", 100)])
def test_a_source_folder_has_a_bound(tmp_path, monkeypatch, bound, value):
    """Who names the wrong folder must not wait for a whole disk to be read."""
    source = component(tmp_path, {"app.py": APP, "more.py": APP})
    python.PythonBuilder().check(source)
    monkeypatch.setattr(snapshot, bound, value)
    with pytest.raises(InputInvalid, match="source: more than .* files or"):
        python.PythonBuilder().check(source)


def test_a_missing_tool_says_how_to_get_it(tmp_path, monkeypatch):
    def missing(_name: str) -> str:
        raise python.PackageNotFoundError

    monkeypatch.setattr(python, "version", missing)
    with pytest.raises(ToolMissing, match="python -m pip install componentize-py"):
        build(component(tmp_path, {"app.py": APP}), tmp_path / "cache")


# Requirements


@pytest.fixture
def wheelhouse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of wheels that uv looks into, and nothing else."""
    folder = tmp_path / "wheelhouse"
    folder.mkdir()
    monkeypatch.setenv("UV_FIND_LINKS", str(folder))
    monkeypatch.setenv("UV_OFFLINE", "1")
    return folder


def wheel(wheelhouse: Path, files: dict[str, str], *, tag: str = "py3-none-any", version: str = "1.0") -> Requirement:
    """A wheel `thing` with these files, and its pin."""
    import hashlib
    import zipfile

    info = f"thing-{version}.dist-info"
    metadata = {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: thing\nVersion: {version}\n",
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n",
    }
    everything = {**files, **metadata}
    path = wheelhouse / f"thing-{version}-{tag}.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in everything.items():
            archive.writestr(name, text)
        archive.writestr(f"{info}/RECORD", "".join(f"{name},,\n" for name in [*everything, f"{info}/RECORD"]))
    return Requirement(name="thing", version=version, sha256=hashlib.sha256(path.read_bytes()).hexdigest())


def fetched(tmp_path: Path, requirement: Requirement) -> dict[str, bytes]:
    source = component(tmp_path / "component", {"app.py": APP}, requirements=(requirement,))
    (tmp_path / "work").mkdir()
    return requirements.fetch_requirements(source, python.GUEST_PYTHON, tmp_path / "work", BuildContext(cache=tmp_path))


def test_a_pinned_wheel_is_laid_out(tmp_path, wheelhouse):
    files = fetched(tmp_path, wheel(wheelhouse, {"thing/__init__.py": "x = 1"}))
    assert files["thing/__init__.py"] == b"x = 1"


def test_another_wheel_of_the_same_version_is_refused(tmp_path, wheelhouse):
    """What the index serves today is not what was pinned."""
    pinned = wheel(wheelhouse, {"thing.py": "x = 1"})
    served = wheel(wheelhouse, {"thing.py": "import os"})
    with pytest.raises(DigestMismatch) as caught:
        fetched(tmp_path, pinned)
    assert (caught.value.expected, caught.value.found) == (f"sha256:{pinned.sha256}", f"sha256:{served.sha256}")


def test_no_variable_turns_the_check_off(tmp_path, wheelhouse, monkeypatch):
    pinned = dataclasses.replace(wheel(wheelhouse, {"thing.py": ""}), sha256="0" * 64)
    for name in ("UV_NO_VERIFY_HASHES", "UV_NO_REQUIRE_HASHES", "UV_NO_BUILD", "UV_NO_BINARY"):
        monkeypatch.setenv(name, "1")
    with pytest.raises(DigestMismatch):
        fetched(tmp_path, pinned)


def test_compiled_parts_are_refused(tmp_path, wheelhouse):
    requirement = wheel(wheelhouse, {"thing/__init__.py": "", "thing/_speedups.cpython-314-x86_64-linux-gnu.so": ""})
    with pytest.raises(BuildFailed, match=r"it has compiled parts \(thing/_speedups.cpython-314-x86_64-linux-gnu.so\)"):
        fetched(tmp_path, requirement)


def test_a_wheel_for_another_platform_is_refused(tmp_path, wheelhouse):
    requirement = wheel(wheelhouse, {"thing.py": ""}, tag="cp314-cp314-win_amd64")
    with pytest.raises(BuildFailed, match="only pure-Python wheels"):
        fetched(tmp_path, requirement)


def test_a_package_that_is_nowhere_is_said_so(tmp_path, wheelhouse):
    with pytest.raises(BuildFailed, match=r"requirement thing 1\.0 cannot be fetched"):
        fetched(tmp_path, Requirement(name="thing", version="1.0", sha256="0" * 64))


def test_a_wheel_cannot_steer_componentize_py(tmp_path, wheelhouse):
    """A componentize-py.toml names folders to read WIT from, also outside its own."""
    files = fetched(tmp_path, wheel(wheelhouse, {"thing/__init__.py": "", "thing/componentize-py.toml": 'wit_directory = "/"'}))
    assert "thing/__init__.py" in files
    assert "thing/componentize-py.toml" not in files


# What componentize-py says


def failure(source: ComponentSource, cache: Path) -> ComposerError:
    with pytest.raises(ComposerError) as caught:
        build(source, cache)
    assert str(cache.parent) not in str(caught.value)
    assert [path for path in (cache / "build").iterdir() if path.suffix != ".lock"] == []
    return caught.value


def test_a_world_that_does_not_exist_lists_those_that_do(tmp_path):
    error = failure(component(tmp_path, {"app.py": APP}, world="gest"), tmp_path / "cache")
    assert isinstance(error, WitInvalid)
    assert "there is no world 'gest'" in error.message
    assert "test:guest/guest" in str(error.hint)


def test_a_missing_wit_package_is_named(tmp_path):
    source = component(tmp_path, {"app.py": APP})
    (source.wit / "world.wit").write_bytes(b"package test:guest;\nworld guest { import other:things/thing@1.0.0; }\n")
    error = failure(source, tmp_path / "cache")
    assert isinstance(error, WitInvalid)
    assert "wit/world.wit:2:22" in error.message
    assert "package 'other:things@1.0.0' not found" in error.message
    assert "wit_deps" in str(error.hint)


def test_wit_that_does_not_parse_is_placed(tmp_path):
    source = component(tmp_path, {"app.py": APP})
    (source.wit / "world.wit").write_bytes(b"package test:guest;\nwurld guest {}\n")
    error = failure(source, tmp_path / "cache")
    assert isinstance(error, WitInvalid)
    assert "wit/world.wit:2:1: expected" in error.message


def test_a_module_that_cannot_be_imported_shows_where(tmp_path):
    """The message has the place and the reason; the guest's traceback goes along, without our scaffolding and control characters."""
    files = {"app.py": APP, "later.py": b"def f():\n    raise ValueError('\\x1b[31mno')\n\nf()\n"}
    error = failure(component(tmp_path, files), tmp_path / "cache")
    assert isinstance(error, BuildFailed)
    assert "(source/later.py, line 2): ValueError: \\x1b[31mno" in error.message
    assert 'File "source/later.py", line 4' in error.output
    assert "ringfence_entry" not in error.output
    assert "\x1b" not in str(error) + error.output


OUTPUTS = {
    "missing package": (
        """AssertionError: Traceback (most recent call last):
  File "/0/ringfence_entry.py", line 17, in _require
    importlib.import_module(name)
  File "/1/app.py", line 3, in <module>
    import nope
ModuleNotFoundError: No module named 'nope'


Caused by:
    x""",
        "(source/app.py, line 3): ModuleNotFoundError: No module named 'nope'",
        "add the package with nope",
    ),
    "missing class": (
        "AssertionError: AttributeError: module 'app' has no attribute 'Probe'\n\n\nCaused by:\n    AttributeError: …",
        "app does not define Probe",
        "an exported interface is a class",
    ),
    "missing resource module": (
        "AssertionError: ModuleNotFoundError: No module named 'orders'\n\n\nCaused by:\n    ModuleNotFoundError: …",
        "there is no module orders",
        "named after the interface",
    ),
    "crash": (
        "AssertionError: \n\nCaused by:\n    0: error while executing at wasm backtrace:\n           0:  0x1a0a0 - libc.so!abort\n",
        "the Python interpreter crashed",
        "ends the process",
    ),
    "anything else": ("AssertionError: No such file or directory (os error 2)", "componentize-py failed", None),
}


def test_an_import_that_never_ends_is_ended(tmp_path):
    """The deadline's own words survive: there is no output to explain."""
    source = component(tmp_path, {"app.py": APP, "loop.py": b"while True:\n    pass\n"})
    with pytest.raises(BuildFailed, match="took longer than 3 s"):
        python.PythonBuilder().build(source, BuildContext(cache=tmp_path / "cache", deadline=3.0))
    assert [path.suffix for path in (tmp_path / "cache" / "build").iterdir()] == [".lock"]


@pytest.mark.parametrize("case", OUTPUTS)
def test_each_failure_of_the_tool_has_its_remedy(tmp_path, case):
    output, message, hint = OUTPUTS[case]
    error = explained(component(tmp_path, {"app.py": APP}), ToolFailed("python", "exit 1", output=output))
    assert message in str(error)
    assert hint is None or hint in str(error)


# What exists in the guest


LAZY = b"""
import importlib

class Probe:
    def ask(self, question):
        try:
            if question == "codec":
                return "m\\u00fcnchen.example".encode("idna").decode()
            if question == "function body":
                import colorsys
                return colorsys.__name__
            if question == "literal":
                return importlib.import_module("bisect").__name__
            if question == "own":
                from parts import unused
                return unused.__name__
            if question == "stdlib's own":
                import datetime
                return str(datetime.datetime.strptime("2026", "%Y").year)
            if question == "preload":
                return importlib.import_module("".join(["wa", "ve"])).__name__
            return importlib.import_module("".join(["ai", "fc"])).__name__
        except ImportError as error:
            return f"missing: {error.name}"
"""


def test_whatever_may_be_imported_later_exists(tmp_path):
    """A guest has no files at run time; the last question shows that it would fail without the preload."""
    files = {"app.py": LAZY, "parts/__init__.py": b"", "parts/unused.py": b"import nothing_such_in_here if False else 1\n"}
    files["parts/unused.py"] = b"try:\n    import ssl\nexcept ImportError:\n    ssl = None\n"
    built = build(component(tmp_path, files, preload=("wave",)), user_cache())
    questions = {
        "codec": "xn--mnchen-3ya.example",
        "function body": "colorsys",
        "literal": "bisect",
        "own": "parts.unused",
        "stdlib's own": "2026",
        "preload": "wave",
        "nothing": "missing: aifc",
    }
    assert dict(zip(questions, ask(built, *questions), strict=True)) == questions


def test_what_is_left_out_is_reported_and_nothing_else_of_what_the_guest_wrote(tmp_path):
    """The guest writes the list: only names of modules are shown, and not too many."""
    (tmp_path / "entry").mkdir()
    (tmp_path / "entry" / "skipped").write_text("ssl\n\x1b[31mevil\n" + "\n".join(f"m{number}" for number in range(20)))
    said: list[str] = []
    python._report_skipped(component(tmp_path, {}), tmp_path, BuildContext(cache=tmp_path, report=said.append))
    (message,) = said
    assert "ssl, m0, m1" in message
    assert message.endswith("and 9 more")
    assert "evil" not in message


def test_the_entry_module_finds_imports_wherever_they_stand():
    source = {
        "app.py": b"import a.b\ndef f():\n    from c import d\n    class G:\n        import e\n",
        "old.py": b"print 'not Python 3'\nimport legacy\n",
        "types_only.py": b"import typing\nif typing.TYPE_CHECKING:\n    import checker_only\nelse:\n    import fallback\n",
        "__main__.py": b"import for_main\n",
    }
    text = entry_module("app", source, {"lib/__init__.py": b"", "lib/tests/test_x.py": b"", "lib/_lazy.py": b"from .x import y\n"}, ())
    for name in ("'a.b'", "'c'", "'c.d'", "'e'", "'legacy'", "'fallback'", "'for_main'", "'lib._lazy'", "'encodings.idna'"):
        assert name in text
    for name in ("'checker_only'", "lib.tests", "'__main__'"):
        assert name not in text
    compile(text, "entry", "exec")
