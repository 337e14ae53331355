"""Archives that an attacker made: nothing of them lands outside of where it is unpacked, takes long, or stands for something else.

Each attack has its control: the same archive without what is wrong with it is laid out.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import time
import zipfile

import pytest
from ringfence_composer.builders import archives
from ringfence_composer.builders.snapshot import write_tree
from ringfence_composer.errors import BuildFailed, InputInvalid
from ringfence_composer.wrap.dependencies import with_dependencies
from ringfence_composer.wrap.guest import Authority, lay_out_guest
from ringfence_composer.wrap.layout import lay_out
from ringfence_composer.wrap.release import find
from ringfence_composer.wrap.wanted import read_wanted

from .archives import archive, sdist, tarball, wheel

INFO = "Metadata-Version: 1.1\nName: thing\nVersion: 1.0\n"
CODE = {"thing/__init__.py": "x = 1"}
WHEEL = "thing-1.0-py3-none-any.whl"


def entry(path: str = "thing-1.0/thing/evil.py", data: bytes = b"evil", **about) -> tuple[tarfile.TarInfo, bytes]:
    member = tarfile.TarInfo(path)
    member.size = len(data)
    for name, value in about.items():
        setattr(member, name, value)
    if not member.isreg():
        member.size = 0
    return member, data


def tarred(*entries: tuple[tarfile.TarInfo, bytes], compressed=gzip.compress, form: int = tarfile.PAX_FORMAT) -> bytes:
    """A source archive with these entries after those that any has."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as packed:
        for member, data in (entry("thing-1.0/PKG-INFO", INFO.encode()), entry("thing-1.0/thing/__init__.py", b"x = 1"), *entries):
            packed.addfile(member, io.BytesIO(data) if member.isreg() else None)
    return compressed(out.getvalue())


def zipped(*entries: tuple[str | zipfile.ZipInfo, bytes]) -> bytes:
    out = io.BytesIO(wheel(CODE))
    with zipfile.ZipFile(out, "a") as packed:
        for name, data in entries:
            packed.writestr(name, data)
    return out.getvalue()


def placed(content: bytes, filename: str = "thing-1.0.tar.gz") -> set[str]:
    return set(lay_out(archive(content, filename)).files)


@pytest.mark.parametrize("compressed", [gzip.compress, bz2.compress, lzma.compress, bytes], ids=["gz", "bz2", "xz", "tar"])
def test_an_ordinary_archive_is_laid_out(compressed):
    """The control of all that follow."""
    assert placed(tarred(entry("thing-1.0/thing/more.py"), compressed=compressed)) == {"thing/__init__.py", "thing/more.py"}


@pytest.mark.parametrize("said", [
    {"setup.py": "setup(packages=['thing', PLACE], package_dir={PLACE: 'inner'})"},
    {"setup.cfg": "[options]\npackages =\n    thing\n    PLACE\npackage_dir =\n    PLACE = inner\n"},
    {"pyproject.toml": "[tool.setuptools]\npackages=['thing', PLACE]\n[tool.setuptools.package-dir]\n PLACE = 'inner'\n"},
    {"pyproject.toml": "[tool.hatch.build.targets.wheel]\npackages = ['thing', PLACE]\n"},
    {"thing.egg-info/top_level.txt": "thing\nPLACE\n"},
], ids=["setup.py", "setup.cfg", "setuptools", "hatch", "egg-info"])  # fmt: skip
def test_a_package_that_is_a_path_is_none(tmp_path, said):
    """`package_dir={"/home/dev/lib": "inner"}` wrote the files of `inner` there, with the developer's authority."""
    target = tmp_path / "developers"
    texts = {
        name: text.replace("PLACE", str(target) if name in ("setup.cfg", "thing.egg-info/top_level.txt") else f"'{target}'")
        for name, text in said.items()
    }
    found = lay_out(archive(sdist({"PKG-INFO": INFO, **CODE, "inner/pwned.py": "x", **texts})))
    lay_out_guest([found], Authority(), tmp_path / "guest")
    assert set(found.files) == {"thing/__init__.py"}
    assert not target.exists()


@pytest.mark.parametrize("path", ["/evil.py", "../evil.py", "a/../../evil.py", "C:/evil.py", "\\evil.py", "a/.. /evil.py", "", "."])
def test_nothing_is_written_outside_of_the_folder(tmp_path, path):
    """The last guard, whoever made the paths; on Windows as well."""
    with pytest.raises(InputInvalid, match="cannot be called"):
        write_tree({"ok.py": b"", path: b"evil"}, tmp_path / "in")
    assert list(tmp_path.iterdir()) == []
    write_tree({"a/ok.py": b""}, tmp_path / "in")
    assert (tmp_path / "in" / "a" / "ok.py").exists()


@pytest.mark.parametrize("path", [
    "thing-1.0/thing/..\\..\\evil.py", "C:/evil.py", "\\\\host\\share\\evil.py", "thing-1.0/.. /evil.py", "thing-1.0/thing/e\u202e.py",
])  # fmt: skip
def test_names_that_lead_elsewhere_on_another_system_are_refused(path):
    """Whoever wraps on Windows is no easier prey; and nobody reads a name backwards."""
    with pytest.raises(InputInvalid, match="a file is called"):
        placed(tarred(entry(path)))


def test_a_path_in_a_header_of_its_own_is_a_path_like_others():
    """A pax header's `path` stands above the one that a listing of the plain headers shows."""
    with pytest.raises(InputInvalid, match="a file is called"):
        placed(tarred(entry(pax_headers={"path": "../../evil.py"})))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, b"Z"])
def test_links_and_devices_are_left_out(kind):
    """Outward and inward alike: what they lead to is read by nobody; a file that lies behind one lies there itself."""
    found = placed(
        tarred(
            entry(type=kind, linkname="/etc/passwd"),
            entry("thing-1.0/thing/evil.py/behind.py"),
            entry("thing-1.0/thing/l", type=kind, linkname="__init__.py"),
        )
    )
    assert found == {"thing/__init__.py", "thing/evil.py/behind.py"}
    link = zipfile.ZipInfo("thing/link.py")
    link.external_attr = 0o120777 << 16
    assert placed(zipped((link, b"/etc/passwd")), WHEEL) == {"thing/__init__.py"}


@pytest.mark.parametrize("content", [
    lambda: tarred(entry("thing-1.0/thing/__init__.py")),
    lambda: tarred(entry("thing-1.0/./thing//__init__.py")),
    lambda: zipped(("thing/__init__.py", b"evil")),
    lambda: zipped(("thing-1.0.data/purelib/thing/__init__.py", b"evil")),
], ids=["tar", "spelled", "zip", "data"])  # fmt: skip
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_files_of_one_name_are_refused(content):
    """A scanner looks at the one, an installation takes the other."""
    made = content()
    with pytest.raises(InputInvalid, match="two files"):
        placed(made, WHEEL if made.startswith(b"PK") else "thing-1.0.tar.gz")
    assert placed(tarred(entry("thing-1.0/thing/__init__.py", b"x = 1"))) == {"thing/__init__.py"}, "the control: the same file twice"


@pytest.mark.parametrize(("one", "other"), [("thing/Data.py", "thing/data.py"), ("thing/\u00e9.py", "thing/e\u0301.py")])
def test_names_that_not_every_system_tells_apart_are_refused(one, other):
    """On macOS and Windows the second would be built in the place of the first."""
    with pytest.raises(InputInvalid, match="one file where"):
        placed(tarred(entry(f"thing-1.0/{one}"), entry(f"thing-1.0/{other}")))
    assert placed(tarred(entry(f"thing-1.0/{one}"))) == {"thing/__init__.py", one}


def test_an_archive_is_what_it_begins_as():
    """One that ends as a ZIP archive and begins as another shows each reader its own files."""
    both = tarred() + wheel({"thing/__init__.py": "evil"})
    assert lay_out(archive(both)).files == {"thing/__init__.py": b"x = 1"}


def test_a_name_with_a_zero_in_it_is_refused():
    """`evil.py\\0.txt` is `evil.py` to whom C tells where a text ends."""
    with pytest.raises(InputInvalid, match="a file is called"):
        placed(zipped(("thing/evil.pyZ.txt", b"evil")).replace(b"evil.pyZ.txt", b"evil.py\0.txt"), WHEEL)


def bomb(size: int, kind: bytes) -> bytes:
    member, _ = entry(type=kind)
    member.size = size
    return gzip.compress(member.tobuf(tarfile.GNU_FORMAT) + bytes(max(0, min(size, 1 << 20))))


def skipped(times: int) -> bytes:
    """Entries of a kind that nobody reads, of 256 MiB each."""
    member, _ = entry(type=b"Z")
    member.size = 256 << 20
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb", compresslevel=1) as packed:
        for _ in range(times):
            packed.write(member.tobuf(tarfile.GNU_FORMAT))
            for _ in range(256):
                packed.write(bytes(1 << 20))
    return out.getvalue()


SPARSE = {
    "GNU.sparse.major": "1",
    "GNU.sparse.minor": "0",
    "GNU.sparse.name": "thing-1.0/thing/s.py",
    "GNU.sparse.realsize": str(200 << 20),
}
BOMBS = {
    "a file of 8 GiB": lambda: bomb(8 << 30, tarfile.REGTYPE),
    "a file of less than nothing": lambda: bomb(-(1 << 20), tarfile.REGTYPE),
    "a header of 8 GiB": lambda: bomb(8 << 30, tarfile.GNUTYPE_LONGNAME),
    "a header of less than nothing": lambda: bomb(-512, tarfile.XHDTYPE),
    "a size that leads back": lambda: tarred(entry(pax_headers={"size": "-1536"})),
    "a size that leads far": lambda: tarred(entry(pax_headers={"size": str(1 << 40)})),
    "a file with holes": lambda: tarred(entry(data=b"1\n0\n1\n" + bytes(506) + b"x", pax_headers=SPARSE)),
    "a comment of 100 MiB": lambda: tarred(entry(pax_headers={"comment": "x" * (100 << 20)})),
    "what nobody reads, without end": lambda: skipped(3),
    "2,000 folders": lambda: tarred(*(entry(f"thing-1.0/{one}", b"", type=tarfile.DIRTYPE) for one in range(2000))),
    "2,000 times one file": lambda: tarred(*([entry()] * 2000)),
    "2,000 entries of a wheel": lambda: zipped() + b"PK\x01\x02" * 2000,
}  # fmt: skip


@pytest.mark.parametrize("make", BOMBS.values(), ids=BOMBS)
def test_bombs_are_refused_before_they_go_off(make, monkeypatch):
    """In time and memory that have to do with the archive's own size."""
    monkeypatch.setattr(archives, "_MEMBERS", 1000)  # of which it takes 80,000
    content = make()
    began = time.process_time()
    with pytest.raises((InputInvalid, BuildFailed)):
        placed(content, WHEEL if content.startswith(b"PK") else "thing-1.0.tar.gz")
    assert time.process_time() - began < 30


SETUP_BOMB = (
    "\n".join(f"a{one} = [{', '.join([f'a{one + 1}'] * 9)}]" for one in range(19)) + "\na19 = 'x'\nsetup(packages=['thing'], name=a0)"
)
TEXT_BOMB = (
    "\n".join(f"a{one} = a{one + 1} + a{one + 1}" for one in range(9)) + f"\na9 = '{'x' * 1_000_000}'\nsetup(packages=['thing'], name=a0)"
)


@pytest.mark.parametrize("files", [
    {"setup.py": SETUP_BOMB},
    {"setup.py": TEXT_BOMB},
    {"setup.py": "setup(packages=" + "[" * 5000},
    {"pyproject.toml": "a = " + "[" * 100_000},
    {"pyproject.toml": "[project]\nname=5\nversion=[1]\ndependencies=5\nentry-points=4\n[tool.poetry]\npackages=[5]\n"},
    {"setup.cfg": "[metadata\nname = thing"},
], ids=["lists of lists", "long text", "deep", "deep TOML", "other types", "damaged"])  # fmt: skip
def test_what_says_where_packages_lie_may_be_anything(files):
    """It is read as far as it can be; the tree itself tells the rest."""
    began = time.process_time()
    assert placed(sdist({"PKG-INFO": INFO, **CODE, **files})) == {"thing/__init__.py"}
    assert time.process_time() - began < 10


@pytest.mark.parametrize(
    "metadata", ["Requires-Dist: a; " + "(" * 50_000 + "\n", "Requires-Dist: -r /etc/passwd\n", "Requires-Dist: a b c\n"]
)
def test_a_requirement_that_is_none_is_told(metadata):
    with pytest.raises(InputInvalid, match="is not a requirement"):
        placed(wheel(CODE, metadata=metadata), WHEEL)


def test_an_archive_is_the_release_that_it_is_called():
    """Its SBOM and its policy go by what its metadata says: a scanner would look for the flaws of another release."""
    with pytest.raises(InputInvalid, match="says of itself that it is pyyaml 5.3"):
        placed(wheel(CODE, "PyYAML", "5.3"), WHEEL)
    assert placed(wheel(CODE, "Thing", "1.0"), WHEEL) == {"thing/__init__.py"}


def test_what_a_library_requires_is_what_it_is_called_too(index, tmp_path, context):
    """The index lists `other`; its file says that it is something else."""
    files = {"other": {"other-1.0-py3-none-any.whl": wheel({"other.py": ""}, "PyYAML", "6.0", "Requires-Python: >=3\n")}}
    index(files)
    first = lay_out(archive(wheel(CODE, metadata="Requires-Dist: other\n"), WHEEL))
    with pytest.raises((InputInvalid, BuildFailed)):
        with_dependencies(first, frozenset(), tmp_path / "work", context)
    files["other"]["other-1.0-py3-none-any.whl"] = wheel({"other.py": ""}, "other")
    index(files)
    assert [one.name for one in with_dependencies(first, frozenset(), tmp_path / "again", context)] == ["thing", "other"]


@pytest.mark.parametrize("name", [
    "os", "json", "ssl", "sitecustomize", "usercustomize", "ringfence", "ringfence_bridge", "wit_world", "pyyaml_ringfence",
])  # fmt: skip
def test_a_library_owns_no_name_of_pythons_or_the_runtimes(tmp_path, name):
    """Its wheel would hide them from every program, or be imported whenever Python starts."""
    file = tmp_path / WHEEL
    file.write_bytes(wheel({**CODE, f"{name}/__init__.py": ""}))
    with pytest.raises(InputInvalid, match=f"owns the import name {name}"):
        find(read_wanted(str(file)), None)
    file.write_bytes(wheel({**CODE, "other/__init__.py": ""}))
    assert find(read_wanted(str(file)), None)[0].imports == ("other", "thing")


def test_a_library_is_not_called_as_the_runtime(tmp_path):
    """Installing its wheel would replace the runtime."""
    file = tmp_path / "ringfence-9.0-py3-none-any.whl"
    file.write_bytes(wheel(CODE, "ringfence", "9.0"))
    with pytest.raises(InputInvalid, match="in the place of the real one"):
        find(read_wanted(str(file)), None)


def test_of_data_folders_only_the_wheels_own_counts():
    """Installers know one by the wheel's name and version."""
    files = {**CODE, "evil.data/purelib/json/__init__.py": "", "thing-1.0.data/purelib/../x": ""}
    with pytest.raises(InputInvalid, match="a file is called"):
        placed(wheel(files), WHEEL)
    del files["thing-1.0.data/purelib/../x"]
    assert placed(wheel(files), WHEEL) == {"thing/__init__.py"}


def test_names_of_licences_are_plain_and_no_code():
    """They become files where the wheel is installed, and rows of its RECORD."""
    inside = {'LICENSE,x"y': "", "LICENSE:z": "", "LICENSE.pth": "", "licenses/a.py": "", "licenses/LICENSE": ""}
    found = lay_out(archive(wheel({**CODE, **{f"thing-1.0.dist-info/{name}": text for name, text in inside.items()}}), WHEEL))
    assert set(found.licences) == {"LICENSE_x_y", "LICENSE_z", "LICENSE.pth.txt", "a.py.txt", "LICENSE"}


def test_nothing_of_an_entry_point_can_end_its_line():
    """Groups and names are those that entry_points.txt has, whatever stands in them; which are carried over is another rule."""
    text = "[console_scripts]\npip = thing:x\n[[console_scripts]]\nls = thing:x\n"
    found = lay_out(archive(wheel({**CODE, "thing-1.0.dist-info/entry_points.txt": text}), WHEEL))
    assert set(found.points) == {"console_scripts", "[console_scripts]"}


def test_paths_outside_of_a_tarball_are_refused_wherever_they_stand():
    """The control of the helper: the same files inside are laid out."""
    with pytest.raises(InputInvalid):
        placed(tarball({"thing-1.0/PKG-INFO": INFO, "thing-1.0/thing/__init__.py": "", "/thing-1.0/thing/x.py": ""}))
