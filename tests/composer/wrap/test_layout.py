"""An archive is laid out as an installation would lay it, by reading alone."""

from __future__ import annotations

import pytest
from ringfence_composer.errors import BuildFailed, InputInvalid
from ringfence_composer.wrap.layout import lay_out

from .archives import archive, sdist, tarball, wheel

INFO = "Metadata-Version: 1.1\nName: thing\nVersion: 1.0\n"
CODE = {"thing/__init__.py": "x = 1", "thing/data.txt": "data", "thing/inner/__init__.py": ""}
LAID_OUT = {"thing/__init__.py", "thing/data.txt", "thing/inner/__init__.py"}


def below(folder: str, files=CODE) -> dict[str, str]:
    return {f"{folder}/{path}": content for path, content in files.items()}


@pytest.mark.parametrize(
    "files",
    [
        {**CODE, "setup.py": "from setuptools import setup\nsetup(name='thing', packages=['thing', 'thing.inner'])"},
        {**CODE, "setup.py": "from distutils.core import setup, find_packages\nsetup(packages=find_packages())", "tests/__init__.py": ""},
        {**below("src"), "setup.py": "import setuptools as s\ns.setup(package_dir={'': 'src'}, packages=s.find_packages('src'))"},
        {**below("lib3"), **below("lib", {"thing/__init__.py": "print 'two'"}), "setup.py": "import sys\nfrom setuptools import setup\n"
         "setup(package_dir={'': {2: 'lib', 3: 'lib3'}[sys.version_info[0]]}, packages=['thing'])"},
        {**below("py3"), **below("py2", {"thing/__init__.py": "print 'two'"}), "setup.py": "import sys\nfrom setuptools import setup\n"
         "where = 'py3' if sys.version_info >= (3, 0) else 'py2'\nsetup(packages=['thing'], package_dir={'': where})"},
        {**below("source/code", {path.removeprefix("thing/"): text for path, text in CODE.items()}),
         "setup.py": "from setuptools import setup\nARGS = dict()\nsetup(packages=['thing'], package_dir={'thing': 'source/code'})"},
        {**below("src"), "setup.cfg": "[options]\npackage_dir =\n    = src\npackages = find:\n\n[options.packages.find]\nwhere = src\n"},
        {**below("python"), "pyproject.toml": "[tool.setuptools.packages.find]\nwhere = ['python']\n"},
        {**below("code"), "pyproject.toml": "[tool.hatch.build.targets.wheel]\npackages = ['code/thing']\n"},
        {**below("code"), "pyproject.toml": "[tool.poetry]\nname='thing'\nversion='1.0'\npackages=[{include='thing', from='code'}]\n"},
        {**CODE, "pyproject.toml": "[project]\nname = 'thing'\nversion = '1.0'\n[build-system]\nbuild-backend='flit_core.buildapi'\n"},
        {**CODE, "thing.egg-info/top_level.txt": "thing\n", "docs/conf.py": ""},
        {**below("src"), "docs/conf.py": "", "tests/test_thing.py": ""},
    ],
    ids=["packages", "found", "src", "version", "compare", "dir", "cfg", "find", "hatch", "poetry", "flit", "egg-info", "tree"],
)  # fmt: skip
def test_sources_are_found_wherever_the_project_says_they_are(files):
    """Each kind of project says in another way where its packages lie; none of them is run to find out."""
    found = lay_out(archive(sdist({"PKG-INFO": INFO, **files})))
    assert set(found.files) == LAID_OUT
    assert found.files["thing/__init__.py"] == b"x = 1"
    assert (found.name, str(found.version), found.imports) == ("thing", "1.0", ("thing",))


def test_single_modules_are_found_too():
    """simpleeval and docopt are one file each."""
    found = lay_out(archive(sdist({"PKG-INFO": INFO, "thing.py": "x = 1", "setup.py": "setup(py_modules=['thing'])", "noxfile.py": ""})))
    assert set(found.files) == {"thing.py"}


def test_nothing_of_a_source_archive_runs(tmp_path, monkeypatch):
    """Design §7.7: setup.py, a build backend in the tree and the package itself are read; each would leave a mark if it ran."""
    monkeypatch.chdir(tmp_path)
    mark = "import pathlib; pathlib.Path('mark').write_text('ran')\n"
    files = {
        "PKG-INFO": INFO,
        "setup.py": f"{mark}from setuptools import setup\nsetup(name='thing', packages=['thing'], version=exec(\"{mark.strip()}\"))",
        "pyproject.toml": "[build-system]\nrequires=[]\nbuild-backend='backend'\nbackend-path=['.']\n",
        "backend.py": mark,
        "thing/__init__.py": mark,
    }
    found = lay_out(archive(sdist(files)))
    assert set(found.files) == {"thing/__init__.py"}
    assert list(tmp_path.iterdir()) == []
    exec(compile(files["thing/__init__.py"], "control", "exec"))
    assert [one.name for one in tmp_path.iterdir()] == ["mark"], "the control: it would have"


def test_requirements_are_read_where_they_are_written():
    """PKG-INFO first; else egg-info, pyproject.toml, setup.cfg, setup.py."""
    for extra in (
        {"PKG-INFO": "Metadata-Version: 2.1\nName: thing\nVersion: 1.0\nRequires-Dist: other>=2\n"},
        {"thing.egg-info/requires.txt": "other>=2\n\n[extra]\nmore\n"},
        {"pyproject.toml": "[project]\nname='thing'\nversion='1.0'\ndependencies=['other>=2']\n"},
        {"setup.cfg": "[options]\ninstall_requires =\n    other>=2\n"},
        {"setup.py": "setup(install_requires=['other>=2', unknown()])"},
    ):
        found = lay_out(archive(sdist({"PKG-INFO": INFO, **CODE, **extra})))
        assert [str(one) for one in found.requires] == ["other>=2"], extra


def test_compiled_parts_are_left_out_and_told():
    """A speed-up that is missing is usual; that it is missing must be known."""
    files = {"PKG-INFO": INFO, **CODE, "setup.py": "setup(packages=['thing'], ext_modules=[Extension('thing._speed', ['speed.c'])])"}
    assert lay_out(archive(sdist(files))).left_out == ("thing._speed",)
    found = lay_out(archive(wheel({**CODE, "thing/_speed.abi3.so": b"\x7fELF"}), "thing-1.0-py3-none-any.whl"))
    assert found.left_out == ("thing/_speed.abi3.so",)
    assert set(found.files) == LAID_OUT


def test_what_is_compiled_altogether_is_refused():
    """Only pure Python runs in a guest."""
    rust = {"PKG-INFO": INFO, "pyproject.toml": "[build-system]\nbuild-backend='maturin'\n", "noxfile.py": "", "src/lib.rs": ""}
    for one in (archive(sdist(rust)), archive(wheel({"thing.abi3.so": b"\x7fELF"}), "thing-1.0-py3-none-any.whl")):
        with pytest.raises(InputInvalid, match="compiled"):
            lay_out(one)


@pytest.mark.parametrize("path", ["../escape.py", "thing-1.0/../../escape.py", "/etc/escape.py", "thing-1.0/x\x07.py"])
def test_paths_that_lead_elsewhere_are_refused(path):
    """A hostile archive names files outside of itself."""
    with pytest.raises(InputInvalid, match="a file is called"):
        lay_out(archive(tarball({"thing-1.0/PKG-INFO": INFO, path: "x"})))


def test_what_is_no_archive_is_told():
    """Whoever answers for the index may answer anything."""
    with pytest.raises(BuildFailed, match="cannot be unpacked"):
        lay_out(archive(b"<html>sign in first</html>"))


def test_of_a_wheel_only_what_would_be_installed_counts():
    """`.data/purelib` belongs to site-packages; scripts do not, and a .pth would run code in whoever starts Python."""
    files = {**CODE, "thing-1.0.data/purelib/extra.py": "", "thing-1.0.data/scripts/run": "", "evil.pth": "import os", "thing/.hidden": ""}
    found = lay_out(archive(wheel(files), "thing-1.0-py3-none-any.whl"))
    assert set(found.files) == {*LAID_OUT, "extra.py"}


def test_licences_are_taken_along():
    """Whoever passes a library on passes its licence on."""
    files = {"PKG-INFO": INFO + "License: MIT\n", **CODE, "LICENSE.txt": "Permission …", "COPYING": "…", "thing/LICENSE": "inside"}
    found = lay_out(archive(sdist(files)))
    assert set(found.licences) == {"LICENSE.txt", "COPYING"}
    assert found.licence == "MIT"
