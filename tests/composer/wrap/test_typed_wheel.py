"""A typed graph becomes a wheel whose client works, whose application takes authority away, and whose every line can be made anew."""

from __future__ import annotations

import importlib
import io
import json
import os
import shutil
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packaging.metadata import Metadata
from places import ROOT
from ringfence.contract.errors import IntegrityError, ManifestError
from ringfence_composer.compose import Workshop
from ringfence_composer.errors import InputInvalid
from ringfence_composer.wrap.output import write_wheel
from ringfence_composer.wrap.typed import pack_graph, read_package
from ringfence_composer.wrap.verify import verify
from ringfence_composer.wrap.wheel import wheel_bytes

from .archives import plain_entry, tampered

GRAPH = """
ringfence: 1
graph: till
nodes: { pricing: { component: COMPONENT, limits: { memory: 16MiB, deadline: 5s } } }
edges: [{ from: pricing, to: host, grant: { env: [{ TZ: UTC }, LANG] } }]
expose: [pricing]
"""


@pytest.fixture(scope="session")
def content(tmp_path_factory):
    """The wheel of a graph with one small node."""
    folder = tmp_path_factory.mktemp("till")
    (folder / "graph.yaml").write_text(GRAPH.replace("COMPONENT", os.path.relpath(ROOT / "components" / "pricing", folder)))
    return pack_graph(folder / "graph.yaml", read_package("acme_till", "1.2"), Workshop())


@pytest.fixture
def wheel(content, tmp_path) -> Path:
    return write_wheel(content, tmp_path / "dist")


@pytest.fixture
def installed(wheel, tmp_path, monkeypatch):
    """The package, as it lies in site-packages."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    monkeypatch.syspath_prepend(tmp_path / "site")
    yield importlib.import_module("acme_till")
    for name in [one for one in sys.modules if one.partition(".")[0] == "acme_till"]:
        del sys.modules[name]


def test_the_client_calls_the_graph(installed):
    """Installing it and the runtime is all that an application does."""
    with installed.connect() as till:
        line = installed.bindings.Line(quantity=2, unit_price=150, traits=frozenset())
        assert till.pricing.calculator.total([line], []).total == 300
    assert isinstance(till, installed.Client)


def test_an_application_takes_authority_away_and_adds_none(installed):
    """The wheel's grants are its builder's maximum."""
    with installed.connect(grants={"pricing": {"env": ["LANG"]}}) as till:
        assert [grant.name for grant in till.graph._composed.authorities["pricing"].own.of("env")] == ["LANG"]
    with pytest.raises(ManifestError, match="more than was granted"):
        installed.connect(grants={"pricing": {"env": ["HOME"]}})
    with pytest.raises(ManifestError, match="no such node"):
        installed.connect(grants={"pricin": {}})


def test_a_policy_file_takes_authority_away(installed, tmp_path, monkeypatch):
    """For code that never calls `connect` with grants: a file beside the deployment."""
    policy = tmp_path / "policy.toml"
    monkeypatch.setenv("RINGFENCE_POLICY", str(policy))
    policy.write_text('[acme-till.pricing]\nenv = ["LANG"]\n[pytest]\n')
    with installed.connect() as till:
        assert len(till.graph._composed.authorities["pricing"].own.of("env")) == 1
    policy.write_text('[acme-till.pricing]\nenv = ["HOME"]\n')
    with pytest.raises(ManifestError, match="policy.toml: acme-till: pricing.env"):
        installed.connect()
    policy.write_text('[Acme_Till.pricing]\nenv = ["LANG"]\n')  # however its name is spelled
    with installed.connect() as till:
        assert len(till.graph._composed.authorities["pricing"].own.of("env")) == 1
    policy.write_text("[acme-tll.pricing]\nenv = []\n")  # else it would keep all that it has
    with pytest.raises(ManifestError, match=r"acme-tll: no package[^\n]*\n +did you mean acme-till"):
        installed.connect()
    policy.write_text("[acme-till.pricing]\n[Acme_Till.pricing]\n")
    with pytest.raises(ManifestError, match="two tables"):
        installed.connect()
    policy.unlink()
    with pytest.raises(ManifestError, match="RINGFENCE_POLICY"):
        installed.connect()


def test_a_double_stands_for_a_node(installed):
    """Tests of an application need no guest."""

    class Fake:
        def total(self, lines, discounts):
            return installed.bindings.OrderTotal(subtotal=7, discounted=0, total=7)

    with installed.connect(substitutes={"pricing": installed.Pricing.substitute(calculator=Fake())}) as till:
        assert till.pricing.calculator.total([], []).total == 7


def test_equal_content_gives_equal_bytes(content):
    """No time, place or order of this machine stands in a wheel."""
    assert wheel_bytes(content) == wheel_bytes(content)
    names = zipfile.ZipFile(io.BytesIO(wheel_bytes(content))).infolist()
    assert {one.date_time for one in names} == {(1980, 1, 1, 0, 0, 0)}


def test_metadata_and_sbom_are_what_their_standards_want(wheel):
    """Installers read the one, scanners the other (PEP 770: its place; CycloneDX 1.6, strictly)."""
    with zipfile.ZipFile(wheel) as archive:
        metadata = Metadata.from_email(archive.read("acme_till-1.2.dist-info/METADATA"))
        sbom = archive.read("acme_till-1.2.dist-info/sboms/acme_till.cdx.json").decode()
    assert (metadata.name, str(metadata.version), [str(one) for one in metadata.requires_dist]) == ("acme-till", "1.2", ["ringfence"])
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(sbom) is None
    purls = {one.get("purl") for one in json.loads(sbom)["components"]}
    assert {"pkg:pypi/wasmtime@50.0.1", "pkg:pypi/ringfence@0.1.0"} <= purls
    assert all("dependsOn" in one for one in json.loads(sbom)["dependencies"])


@pytest.mark.parametrize(
    ("package", "version"), [("Acme", "1"), ("os", "1"), ("class", "1"), ("ringfence", "1"), ("a-b", "1"), ("acme", "x")]
)
def test_a_package_is_called_what_nothing_else_is(package, version):
    """A wheel called `json` would hide Python's own."""
    with pytest.raises(InputInvalid, match="--"):
        read_package(package, version)


def test_a_wheel_is_verified_by_making_it_anew(wheel):
    """As it was written, nothing is wrong with it."""
    assert [(one.name, one.state) for one in verify(wheel, Workshop()) if one.state != "ok"] == []


def appended(path: str, data: bytes) -> Callable[[dict[str, bytes]], None]:
    return lambda files: files.update({path: files.get(path, b"") + data})


STORE = "acme_till/_ringfence/.ringfence/sha256/"
TAMPERED = {
    "code": [
        appended("acme_till/__init__.py", b"import os\n"),
        appended("acme_till/bindings.py", b"\n\nimport os\n"),
        appended("acme_till/more.py", b""),
        appended("sitecustomize.pth", b"import os"),
        appended("acme_till/fast.so", b""),
        lambda files: files.pop("acme_till/bindings.py"),
        appended("acme_till/_ringfence/interfaces.json", b" {"),
    ],
    "artifacts": [
        appended(STORE + "0" * 64, b"another"),
        lambda files: files.update({name: data + b"\0" for name, data in files.items() if name.startswith(STORE)}),
        lambda files: [files.pop(name) for name in list(files) if name.startswith(STORE)],
    ],
    "requirements": [
        lambda files: files.update({"acme_till-1.2.dist-info/METADATA": b"Name: acme-till\nVersion: 1.2\nRequires-Dist: evil\n"})
    ],
    "other files": [
        appended("acme_till-1.2.data/scripts/pip", b"#!/bin/sh\n"),
        appended("evil-1.dist-info/entry_points.txt", b"[pytest11]\nevil = os:system\n"),
        appended("acme_till/_ringfence/more.json", b"{}"),
        appended("requests/py.typed", b""),
        appended("acme_till/py.typed", b"import os"),
    ],
    "SBOM": [
        appended("acme_till-1.2.dist-info/sboms/acme_till.cdx.json", b"}"),
        lambda files: files.pop("acme_till-1.2.dist-info/sboms/acme_till.cdx.json"),
    ],
    "name": [
        lambda files: files.update({"acme_till-1.2.dist-info/METADATA": b"Name: other\nVersion: 1.2\nRequires-Dist: ringfence\n"}),
        lambda files: files.update({"acme_till-1.2.dist-info/METADATA": b"Name: acme-till\nVersion: 9\nRequires-Dist: ringfence\n"}),
    ],
    "entry points": [
        appended("acme_till-1.2.dist-info/entry_points.txt", b"[ringfence.compose]\ncompose = acme_till:connect\n"),
        appended("acme_till-1.2.dist-info/entry_points.txt", b"[console_scripts]\npip = acme_till:connect\n"),
        appended("acme_till-1.2.dist-info/entry_points.txt", b"[pytest11]\nevil = os:system\n"),
        appended("acme_till-1.2.dist-info/entry_points.txt", b"[[console_scripts]]\npip = acme_till:connect\n"),
        appended("acme_till-1.2.dist-info/entry_points.txt", b"[x]\nevil = acme_till:connect [more]\n"),
    ],
}


@pytest.mark.parametrize(("what", "change"), [(what, change) for what, changes in TAMPERED.items() for change in changes])
def test_whatever_was_changed_is_found(wheel, what, change):
    """A wheel that was tampered with, its RECORD made right: it names what is wrong, and nothing else."""
    found = verify(tampered(wheel, change), Workshop())
    assert [one.name for one in found if one.state == "wrong"] == [what]


def linked(entries):
    entries["acme_till/py.typed"].external_attr = 0o120777 << 16


def run(entries):
    entries["acme_till/py.typed"].external_attr = 0o100755 << 16


def stored(entries):
    entries["acme_till/py.typed"].compress_type = zipfile.ZIP_STORED


def told(entries):
    entries["acme_till/py.typed"].comment = b"more"


@pytest.mark.parametrize("change", [linked, run, stored, told])
def test_entries_are_those_that_are_written(wheel, change):
    """A link, a program, or what one reader of archives takes for another thing than the next does."""
    with zipfile.ZipFile(wheel) as packed:
        contents = {name: packed.read(name) for name in packed.namelist()}
    entries = {name: plain_entry(name) for name in contents}
    change(entries)
    with zipfile.ZipFile(wheel, "w") as packed:
        for name, data in contents.items():
            packed.writestr(entries[name], data)
    assert "archive" in [one.name for one in verify(wheel, Workshop()) if one.state == "wrong"]


@pytest.mark.parametrize("change", [
    lambda data: data + bytes(22),
    lambda data: data.replace(b"acme_till/_ringfence/graph.lock.json", b"acme_till/_ringfence/graph.lock.yaml", 1),
    lambda data: b"PK\x03\x04" + data,
], ids=["after", "another name in the entry itself", "before"])  # fmt: skip
def test_one_archive_is_not_two(wheel, change):
    """Who reads entries as they arrive would install another wheel than who goes by the directory."""
    wheel.write_bytes(change(wheel.read_bytes()))
    with pytest.raises((InputInvalid, AssertionError), match=r"not a wheel|'archive'"):
        assert [one.name for one in verify(wheel, Workshop()) if one.state == "wrong"] == []


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_an_entry_that_is_there_twice_is_refused(wheel):
    """Whichever of them would be installed."""
    with zipfile.ZipFile(wheel, "a") as packed:
        packed.writestr(plain_entry("acme_till/__init__.py"), b"import os")
    with pytest.raises(InputInvalid, match="two files"):
        verify(wheel, Workshop())
    with zipfile.ZipFile(wheel) as packed:
        assert packed.read("acme_till/__init__.py") == b"import os", "the control: the last one is what Python's reader gives"


def test_a_bomb_is_refused(wheel):
    """Small as a file, without end as a wheel."""
    with zipfile.ZipFile(wheel, "a") as packed:
        packed.writestr(plain_entry("acme_till/more.txt"), bytes(300 << 20))
    with pytest.raises(InputInvalid, match="MiB"):
        verify(wheel, Workshop())


def test_a_record_that_does_not_fit_is_found(wheel):
    """Installers check less than one thinks."""
    found = verify(tampered(wheel, appended("acme_till-1.2.dist-info/WHEEL", b"Tag: any\n"), recorded=False), Workshop())
    assert [one.name for one in found if one.state == "wrong"] == ["RECORD"]


def test_a_lock_that_was_changed_is_no_lock(wheel, installed, tmp_path):
    """Neither the composer nor the runtime takes it."""

    def widen(files: dict[str, bytes]) -> None:
        path = "acme_till/_ringfence/graph.lock.json"
        files[path] = files[path].replace(b'"LANG"', b'"HOME"')

    with pytest.raises(InputInvalid, match="its lock"):
        verify(tampered(wheel, widen), Workshop())
    shutil.rmtree(tmp_path / "site")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    with pytest.raises(IntegrityError):
        installed.connect()


def test_what_is_no_wheel_of_ours_is_told(tmp_path):
    """`compose inspect --verify` on whatever lies around."""
    (tmp_path / "x.whl").write_bytes(b"no archive")
    with pytest.raises(InputInvalid, match="not a wheel"):
        verify(tmp_path / "x.whl", Workshop())
    with zipfile.ZipFile(tmp_path / "y.whl", "w") as archive:
        archive.writestr("y.py", "")
    with pytest.raises(InputInvalid, match="0 locks"):
        verify(tmp_path / "y.whl", Workshop())
