"""A hostile library becomes a wheel: it works, nothing of it ran here, and nothing of its text stands in what is imported here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from ringfence.contract.layout import user_cache
from ringfence_composer.builders.snapshot import write_tree
from ringfence_composer.compose import Workshop
from ringfence_composer.errors import BuildFailed
from ringfence_composer.wrap.authority import read_authority
from ringfence_composer.wrap.difference import difference
from ringfence_composer.wrap.guest import Authority
from ringfence_composer.wrap.output import write_wheel
from ringfence_composer.wrap.release import wrap_release
from ringfence_composer.wrap.shim import MODULE, shim_files
from ringfence_composer.wrap.stubs import stub_files
from ringfence_composer.wrap.verify import verify
from ringfence_composer.wrap.wanted import read_wanted
from ringfence_composer.wrap.wheel import json_bytes

from .archives import sdist, tampered

INFO = """Metadata-Version: 2.1
Name: hostile-thing
Version: 1.0
Summary: \x1b[31mred\x1b[0m
License: MIT
"""
MARK = "import pathlib; pathlib.Path('mark').write_text('ran')\n"
HOSTILE = '''\
"""\'\'\' + __import__("os").system("touch mark") + \'\'\'
"""
import os, sys

def _attack():
    found = [dict(os.environ)]
    for place in [*sys.path, os.getcwd(), "/", "/tmp", "/root", os.path.expanduser("~")]:
        for name in ("", "..", "../.."):
            try:
                found += os.listdir(os.path.join(place, name))
            except OSError:
                pass
            try:
                with open(os.path.join(place, name, "mark"), "w") as file:
                    file.write("ran")
            except OSError:
                pass
    return repr(found)

FOUND = _attack()

class Evil:
    def __repr__(self):
        return "__import__('os').system('touch mark')"

def double(x, how=Evil(), text="\\'\\'\\'\\n__import__('os').system('touch mark')\\n"):
    """Twice.\'\'\' + __import__('os').system('touch mark')"""
    return 2 * x

globals()["__import__('os').system('touch mark')"] = double
globals()["class"] = double
setattr(Evil, "a b\\nimport os", 1)

def data():
    from importlib.resources import files
    with open(os.path.join(os.path.dirname(__file__), "data.txt")) as file:
        return [file.read(), files(__package__).joinpath("data.txt").read_text()]

def lazily():
    import colorsys, email.mime.text, encodings.cp437, bz2
    return colorsys.rgb_to_hsv(0, 0, 0), "é".encode("cp437")

def compressed():
    import bz2
    return bz2.compress(b"x")

def thread():
    import threading
    threading.Thread(target=print).start()

def secure():
    import ssl
    return ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO())

def speed():
    from hostile import _speed
    return _speed

class Failure(ValueError):
    pass

def fail():
    raise Failure("no")
'''
FILES = {
    "PKG-INFO": INFO,
    "LICENSE": "Permission is granted …",
    "setup.py": f"{MARK}from setuptools import setup\nsetup(packages=['hostile'], ext_modules=[Extension('hostile._speed', ['s.c'])])",
    "pyproject.toml": "[build-system]\nrequires=[]\nbuild-backend='backend'\nbackend-path=['.']\n",
    "backend.py": MARK,
    "hostile/__init__.py": HOSTILE,
    "hostile/data.txt": "packed data",
    "hostile/broken.py": "import absent_module",
    "hostile/leaves.py": "raise SystemExit('no')",
    "hostile/net.py": "import socket, threading\n",
    "hostile/test.py": "import sys\ndef caller():\n    return sys._getframe(1)\n",
    "hostile/tests/__init__.py": "raise RuntimeError('a test')",
    "hostile.egg-info/entry_points.txt": "[console_scripts]\npip = hostile:double\n[doublers]\none = hostile:double\nno = hostile:none\n",
}
SECRET = "s3cret-value"


@pytest.fixture(scope="module")
def developer(tmp_path_factory):
    """A developer's machine in small: a home, and a variable that is nobody's business."""
    home = tmp_path_factory.mktemp("developer")
    write_tree({"private/notes": b"private", "site/victim.py": b"x = 1"}, home)
    before = {name: os.environ.get(name) for name in ("HOME", "SECRET", "PYTHONPATH", "XDG_CACHE_HOME", "RUSTUP_HOME", "CARGO_HOME")}
    cache, here = user_cache(), Path.cwd()
    tools = {
        f"{name.upper()}_HOME": os.environ.get(f"{name.upper()}_HOME") or str(Path.home() / f".{name}") for name in ("rustup", "cargo")
    }
    os.environ.update(tools, HOME=str(home), SECRET=SECRET, PYTHONPATH=str(home / "site"), XDG_CACHE_HOME=str(cache.parent))
    os.chdir(home)
    yield home, cache
    os.chdir(here)
    for name, value in before.items():
        os.environ.pop(name, None) if value is None else os.environ.update({name: value})


def state(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def wrapped(developer, tmp_path_factory):
    """The library, wrapped on the developer's machine; nothing there was changed by it."""
    home, cache = developer
    folder = tmp_path_factory.mktemp("hostile")
    file = folder / "hostile-thing-1.0.tar.gz"
    file.write_bytes(sdist(FILES, "hostile-thing-1.0"))
    before, path = state(home), list(sys.path)
    done = wrap_release(read_wanted(str(file)), Authority(), Workshop(cache=cache))
    assert state(home) == before, "nothing ran with the developer's authority"
    assert sys.path == path
    assert not any(name.partition(".")[0] == "hostile" for name in sys.modules), "it was never imported here"
    return done


@pytest.fixture(scope="module")
def site(wrapped, tmp_path_factory):
    """The wheel as it lies in site-packages."""
    folder = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(write_wheel(wrapped.content, tmp_path_factory.mktemp("dist"))) as archive:
        archive.extractall(folder)
    return folder


def used(site: Path, developer, code: str) -> str:
    """What a program prints that imports the library from the wheel; it leaves no mark."""
    home, cache = developer
    before = state(home)
    environment = {**os.environ, "PYTHONPATH": str(site), "XDG_CACHE_HOME": str(cache.parent)}
    done = subprocess.run([sys.executable, "-c", code], cwd=home, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert state(home) == before
    return done.stdout


def test_it_works_and_its_import_saw_nothing_of_the_developers(site, developer):
    """Imported while building, it looked for variables and files, and tried to leave marks."""
    out = used(site, developer, "import hostile; print(hostile.double(21), hostile.FOUND)")
    assert out.startswith("42 ")
    assert SECRET not in out
    assert "private" not in out
    assert "victim" not in out


def test_what_it_reads_and_imports_lazily_is_there(site, developer):
    """Data beside its modules, and modules of the standard library that nobody imported while building."""
    out = used(site, developer, "import hostile; print(hostile.data(), hostile.lazily())")
    assert out == "['packed data', 'packed data'] ((0.0, 0.0, 0), b'\\x82')\n"


@pytest.mark.parametrize(("call", "told"), [("compressed", "no bzip2"), ("thread", "one thread"), ("secure", "no TLS")])
def test_what_a_guest_lacks_is_told_when_it_is_used(site, developer, call, told):
    """Not when it is imported, which would kill libraries that merely could use it."""
    out = used(site, developer, f"import hostile\ntry: hostile.{call}()\nexcept Exception as error: print(error)")
    assert told in out
    assert "outside, in the application" in out


def test_its_exceptions_are_classes_of_its_own(site, developer):
    """`except hostile.Failure` works as before."""
    code = "import hostile\ntry: hostile.fail()\nexcept hostile.Failure as error: print(isinstance(error, ValueError), error)"
    assert used(site, developer, code) == "True no\n"


def test_nothing_of_its_text_stands_in_what_is_imported(wrapped):
    """Modules are constant; stubs hold checked names (design §7.8); the rest is data."""
    python = {path: data for path, data in wrapped.content.files.items() if path.endswith((".py", ".pyi", ".pth"))}
    assert {path for path in python if path.endswith(".py")} == {"hostile/__init__.py", "hostile/net.py", "hostile/test.py"}
    for path, data in python.items():
        if path.endswith(".py"):
            assert data == MODULE % b"hostile_thing_ringfence"
        assert b"system" not in data
        assert b"mark" not in data


def test_the_report_tells_what_does_not_work_and_why(wrapped):
    """What can't be carried is known before anybody uses it."""
    refused = {one.name: one.why for one in wrapped.report.entries if one.how == "refused"}
    assert "absent_module" in refused.pop("hostile.broken")
    assert refused.keys() == {"hostile.leaves"}
    assert wrapped.report.left_out == ("hostile._speed",)
    told = "\n".join(wrapped.report.notes)
    assert "hostile/__init__.py uses threading" in told
    assert "hostile/test.py uses sys._getframe, which may need its caller's frames" in told
    assert "its commands are not carried (pip)" in told
    assert 0 < wrapped.report.score < 100
    assert json.loads(wrapped.content.files["hostile_thing_ringfence/report.json"])["score"] == wrapped.report.score


def test_the_wheel_takes_no_script_along(wrapped):
    """A library whose script is called pip; its other entry points lead to the shim, as far as they lead anywhere."""
    assert wrapped.content.points == {"doublers": {"one": "hostile:double"}}
    assert set(wrapped.content.licences) == {"hostile-thing/LICENSE"}
    assert "\x1b" not in wrapped.content.summary


def test_the_wheel_is_verified_and_differs_from_none(wrapped, tmp_path):
    """By its own data; and from itself in nothing."""
    file = write_wheel(wrapped.content, tmp_path)
    assert [one.name for one in verify(file, Workshop()) if one.state != "ok"] == []
    found = difference(file, file)
    assert [found.grew, found.added, found.removed, found.changed] == [False, (), (), ()]


DATA, INFO_FOLDER = "hostile_thing_ringfence", "hostile_thing-1.0+ringfence.1.dist-info"


def api(files, change):
    """The API changed, and with it all that is made of it."""
    found = json.loads(files[f"{DATA}/api.json"])
    change(found)
    files[f"{DATA}/api.json"] = json_bytes(found)
    tops = tuple(sorted({name.partition(".")[0] for name in found["modules"]}))
    for path in [path for path in files if path.endswith((".py", ".pyi", "py.typed"))]:
        del files[path]
    files.update({**shim_files(found, tops, DATA), **stub_files(found, tops)})


def written_again(files, name, change):
    found = json.loads(files[name])
    change(found)
    files[name] = json_bytes(found)


EMPTY_MODULE = {"doc": None, "package": True, "all": None, "members": {}}
FORGED = {
    "code": [
        lambda files: files.update({"hostile/__init__.py": MODULE % b"other_ringfence"}),
        lambda files: files.update({"hostile/__init__.pyi": files["hostile/__init__.pyi"] + b"import os\n"}),
        lambda files: api(files, lambda found: found["modules"].update(sitecustomize=EMPTY_MODULE)),
        lambda files: api(files, lambda found: found["modules"].update({"ringfence.objects": EMPTY_MODULE})),
        lambda files: api(files, lambda found: found["modules"].update(json=EMPTY_MODULE)),
    ],
    "API": [
        lambda files: api(
            files, lambda found: found["modules"]["hostile"]["members"].update(double={"kind": "function", "of": "hostile:fail"})
        ),
        lambda files: api(files, lambda found: found["modules"]["hostile"]["members"].pop("double")),
        lambda files: api(files, lambda found: found["functions"]["hostile:double"].update(doc="Thrice.")),
        lambda files: api(files, lambda found: found["classes"]["hostile:Failure"].update(bases=["builtins:OSError"])),
        lambda files: api(files, lambda found: found["modules"].update({"hostile.more": EMPTY_MODULE})),
    ],
    "SBOM": [
        lambda files: written_again(files, f"{DATA}/packed.json", lambda found: found["archives"][0].update(version="2.0")),
        lambda files: written_again(files, f"{DATA}/packed.json", lambda found: found["archives"].clear()),
    ],
    "other files": [
        lambda files: files.update({f"{DATA}/report.json": files[f"{DATA}/report.json"].replace(b"{", b'{"score": 100,', 1)}),
        lambda files: files.update({f"{DATA}/report.json": b"[]\n\n"}),
        lambda files: files.update({"yaml/py.typed": b""}),
    ],
    "name": [
        lambda files: files.update({f"{INFO_FOLDER}/METADATA": files[f"{INFO_FOLDER}/METADATA"].replace(b"Version: 1.0", b"Version: 2.0")}),
        lambda files: written_again(files, f"{DATA}/library.json", lambda found: found.update(version="0.9")),
    ],
}


@pytest.mark.parametrize(("what", "change"), [(what, change) for what, changes in FORGED.items() for change in changes])
def test_a_forged_wheel_is_told(wrapped, tmp_path, what, change):
    """Whatever stands in it is what its component gives, though everything that can be made right again was made right."""
    file = tampered(write_wheel(wrapped.content, tmp_path), change)
    assert [one.name for one in verify(file, Workshop()) if one.state == "wrong"] == [what]


def test_an_annotation_more_is_no_forgery(wrapped, tmp_path):
    """The control: those of the sources are not in the component, whose text they are; they are types for checkers and nothing else."""

    def annotate(found):
        found["functions"]["hostile:double"]["signature"]["parameters"][0]["annotation"] = "int"

    file = tampered(write_wheel(wrapped.content, tmp_path), lambda files: api(files, annotate))
    assert [one.name for one in verify(file, Workshop()) if one.state == "wrong"] == []


@pytest.mark.parametrize(
    ("code", "told", "hint"),
    [
        ("import threading\nthreading.Thread(target=print).start()", "one thread", "threads"),
        ("import absent_module", "absent_module", "nothing that it requires has absent_module: wrap it with an extra"),
        (
            "from sad import _speed",
            "cannot import name",
            "packed without its compiled parts: sad._speed seems to be one",
        ),
        ("import json\nfrom json import tree", "cannot import name 'tree'", "imported"),
        ("import sad.tree", "No module named 'sad.tree'", "packed without its compiled parts: sad.tree seems to be one"),
        ("1/0", "division by zero", "imported"),
    ],
)
def test_an_import_that_fails_inside_is_told_with_the_guests_traceback(tmp_path, code, told, hint):
    """Where it happened, what, and what to do about it."""
    file = tmp_path / "sad-1.0.tar.gz"
    file.write_bytes(sdist({"PKG-INFO": "Metadata-Version: 2.1\nName: sad\nVersion: 1.0\n", "sad/__init__.py": code}, "sad-1.0"))
    with pytest.raises(BuildFailed) as error:
        wrap_release(read_wanted(str(file)), Authority(), Workshop())
    assert told in str(error.value)
    assert "sad/__init__.py" in error.value.output
    assert hint in (error.value.hint or "")


def test_a_grant_of_all_that_lies_there_is_refused_with_the_remedy(tmp_path):
    """Where an application runs may well be where what decides what the library may do lies."""
    file = tmp_path / "glad-1.0.tar.gz"
    file.write_bytes(sdist({"PKG-INFO": "Metadata-Version: 2.1\nName: glad\nVersion: 1.0\n", "glad/__init__.py": ""}, "glad-1.0"))
    grants = tmp_path / "grants.yaml"
    grants.write_text("files: [{ path: ., as: /data, access: [read, write] }]\n")
    with pytest.raises(BuildFailed, match="a guest could change") as error:
        wrap_release(read_wanted(str(file)), read_authority(grants, ()), Workshop())
    assert "grant a folder of its own" in (error.value.hint or "")
