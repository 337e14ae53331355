"""What compose writes: equal for equal sources wherever it is made, whole or not at all."""

from __future__ import annotations

import json
import os
import shutil
import stat
from pathlib import Path

import jsonschema
import pytest
from composer_doubles import FakeFacts, built, resolved, world
from ringfence.contract.lock import Lock
from ringfence.contract.names import Digest, digest_of
from ringfence.contract.schemas import schema
from ringfence_composer.compose import Workshop, check_file, compose_file, lock_of, lock_path, write
from ringfence_composer.errors import DigestMismatch, InputInvalid
from ringfence_composer.plan import Plan, plan

STORE = "demo:store/store@1.0.0"
TOOLS = Digest("sha256:" + "0" * 64)
REST = """edges:
  - { from: app, to: store, grant: { calls: [get] }, limits: { deadline: 1s } }
  - from: app
    to: host
    grant: { tcp: ["${where}"], env: [B, A, { URL: "http://${where}" }] }
parameters: { where: { type: endpoint, within: "10.0.0.0/8:*" } }
expose: [{ node: app, calls: [run] }]
"""


def planned(folder: Path) -> Plan:
    folder.mkdir(exist_ok=True)
    worlds = {
        "app": world([STORE, "wasi:sockets/tcp@0.2.9", "wasi:random/random@0.2.9"], {"demo:app/app": ["run", "other"]}),
        "store": world([], {STORE: ["get"]}),
    }
    graph = resolved(folder, worlds, REST, {"app": "instances: pooled, shared: true, limits: { memory: 1MiB }"})
    return plan(built(graph, {"app": frozenset({"wasi:random/random"})}), FakeFacts(worlds))


def test_equal_sources_give_equal_bytes_in_any_folder(tmp_path: Path) -> None:
    """An application may commit its lock: the same sources must not make a difference elsewhere."""
    one, two = (lock_of(planned(tmp_path / name), tools=TOOLS).to_bytes() for name in ("one", "two"))
    assert one == two
    assert str(tmp_path).encode() not in one


def test_a_lock_holds_the_plan_and_fits_its_schema(tmp_path: Path) -> None:
    lock = lock_of(planned(tmp_path / "g"), tools=TOOLS)
    data = json.loads(lock.to_bytes())
    jsonschema.Draft202012Validator(schema("lock")).validate(data)
    assert Lock.from_dict(data).to_bytes() == lock.to_bytes()
    assert data["nodes"]["app"]["runtime"] == {"random": "secure"}
    assert data["nodes"]["app"]["shared"] is True
    to_host, to_store = data["edges"]
    assert to_host["grant"] == {"tcp": ["${where}"], "env": ["B", "A", {"URL": "http://${where}"}]}
    assert to_store == {
        "consumer": "app",
        "provider": "store",
        "interfaces": {STORE: STORE},
        "calls": ["get"],
        "limits": {"deadline": "1s"},
        "line": 7,
    }
    assert data["expose"] == {"app": {"calls": ["run"], "line": 12}}
    assert data["parameters"] == {"where": {"type": "endpoint", "within": ["10.0.0.0/8:*"]}}


def test_artifacts_lie_in_the_store_before_the_lock(tmp_path: Path) -> None:
    made = planned(tmp_path / "g")
    lock = lock_of(made, tools=TOOLS)
    write(lock, made.built, tmp_path / "g" / "graph.lock.json")
    for artifact in lock.artifacts:
        file = tmp_path / "g" / ".ringfence" / "sha256" / artifact.digest.removeprefix("sha256:")
        assert digest_of(file.read_bytes()) == artifact.digest
        assert stat.S_IMODE(file.stat().st_mode) == 0o644
    assert not list((tmp_path / "g").rglob("*.new"))


def test_a_damaged_artifact_in_the_store_is_replaced(tmp_path: Path) -> None:
    made = planned(tmp_path / "g")
    lock, file = lock_of(made, tools=TOOLS), tmp_path / "g" / "graph.lock.json"
    write(lock, made.built, file)
    stored = tmp_path / "g" / ".ringfence" / "sha256" / lock.artifacts[0].digest.removeprefix("sha256:")
    stored.write_bytes(b"something else")
    write(lock, made.built, file)
    assert digest_of(stored.read_bytes()) == lock.artifacts[0].digest


def test_nothing_is_written_when_an_artifact_is_not_what_was_planned(tmp_path: Path) -> None:
    made = planned(tmp_path / "g")
    file = tmp_path / "g" / "graph.lock.json"
    file.write_text("the old lock")
    (tmp_path / "g" / "store.wasm").write_bytes(b"exchanged meanwhile")
    with pytest.raises(DigestMismatch, match="the component of store"):
        write(lock_of(made, tools=TOOLS), made.built, file)
    assert file.read_text() == "the old lock"
    assert not list((tmp_path / "g").rglob("*.new"))


def test_the_old_lock_stays_when_the_disk_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = planned(tmp_path / "g")
    file = tmp_path / "g" / "graph.lock.json"
    file.write_text("the old lock")

    def fails(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fails)
    with pytest.raises(InputInvalid, match="No space left"):
        write(lock_of(made, tools=TOOLS), made.built, file)
    assert file.read_text() == "the old lock"
    assert not list((tmp_path / "g").rglob("*.new"))


def graph_of(folder: Path, words: bytes) -> Path:
    folder.mkdir()
    (folder / "words.wasm").write_bytes(words)
    text = f'ringfence: 1\ngraph: words\nnodes: {{ words: {{ component: words.wasm, digest: "{digest_of(words)}" }} }}\nexpose: [words]\n'
    (folder / "graph.yaml").write_text(text)
    return folder / "graph.yaml"


def test_a_real_component_is_composed_alike_in_two_folders_with_two_caches(tmp_path: Path, words: bytes) -> None:
    locks = []
    for name in ("one", "two"):
        manifest = graph_of(tmp_path / name, words)
        composed = compose_file(manifest, Workshop(cache=tmp_path / f"cache-{name}"))
        assert composed.file == lock_path(manifest)
        locks.append(composed.file.read_bytes())
    assert locks[0] == locks[1]
    data = json.loads(locks[0])
    assert data["inputs"]["nodes"]["words"] == digest_of(words)
    assert data["inputs"]["tools"]["toolchain"].startswith("sha256:")


def test_composing_again_changes_nothing(tmp_path: Path, words: bytes) -> None:
    manifest = graph_of(tmp_path / "g", words)
    first = compose_file(manifest).file.read_bytes()
    assert compose_file(manifest).file.read_bytes() == first


def test_checking_and_failing_write_nothing(tmp_path: Path, words: bytes) -> None:
    manifest = graph_of(tmp_path / "g", words)
    before = sorted((tmp_path / "g").iterdir())
    check_file(manifest, Workshop())
    (tmp_path / "copy").mkdir()
    shutil.copy(manifest, tmp_path / "copy")
    with pytest.raises(Exception, match="cannot read the file"):
        compose_file(tmp_path / "copy" / "graph.yaml")
    assert sorted((tmp_path / "g").iterdir()) == before
    assert [one.name for one in (tmp_path / "copy").iterdir()] == ["graph.yaml"]


def test_a_file_that_is_no_component_is_an_error_of_the_graph(tmp_path: Path) -> None:
    manifest = graph_of(tmp_path / "g", b"\0asm\x01\0\0\0")
    with pytest.raises(Exception, match=r"graph\.yaml:3:.*core module"):
        compose_file(manifest)
