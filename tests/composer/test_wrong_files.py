"""Whatever stands in a file that people write, or in a lock: it is right, or refused by an error that says where, and in time."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml
from case import compose_right
from hypothesis import given
from hypothesis import strategies as st
from places import ROOT, SHOP
from ringfence import Graph, IntegrityError, ManifestError, StaleLock
from ringfence.contract.errors import Problem
from ringfence.contract.lock import _canonical
from ringfence.contract.names import digest_of
from ringfence.loading import read_lock
from ringfence_composer.compose import Workshop, check_file
from ringfence_composer.manifest.component import load_component
from slips import fuzz, mutated, scribbled


def checks(check: Callable[[], object]) -> None:
    """Right, or problems that each have their place in a file."""
    problems: tuple[Problem, ...] = ()
    try:
        check()
    except ManifestError as error:
        problems = error.problems
        assert problems
    for one in problems:
        assert (bool(one.message), bool(one.file), one.line > 0) == (True, True, True), one


SHOP_TEXT = (SHOP / "graph.yaml").read_text().replace("../../components", "../components")
COMPONENT_TEXT = (ROOT / "components" / "vendor-client" / "component.yaml").read_text()


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A graph.yaml to write to, from which the paths of the shop's lead to its components."""
    folder = tmp_path_factory.mktemp("checkout") / "shop"
    folder.mkdir()
    for name in ("components", "wit"):
        (folder.parent / name).symlink_to(ROOT / name)
    return folder / "graph.yaml"


@given(mutated(yaml.safe_load(SHOP_TEXT)))
@fuzz
def test_any_document_like_a_graph_is_right_or_has_problems_with_places(shop: Path, data: Any) -> None:
    shop.write_text(yaml.safe_dump(data, sort_keys=False))
    checks(lambda: check_file(shop, Workshop()))


@given(scribbled(SHOP_TEXT))
@fuzz
def test_any_text_like_a_graph_is_right_or_has_problems_with_places(shop: Path, text: str) -> None:
    shop.write_text(text)
    checks(lambda: check_file(shop, Workshop()))


def test_the_graph_that_is_spoilt_is_right(shop: Path) -> None:
    shop.write_text(SHOP_TEXT)
    assert check_file(shop, Workshop()).order == ("json", "pricing", "vendor")


@pytest.fixture(scope="session")
def component(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A component.yaml to write to, beside what the vendor client has beside its own."""
    folder = tmp_path_factory.mktemp("component") / "components" / "vendor-client"
    folder.mkdir(parents=True)
    (folder.parents[1] / "wit").symlink_to(ROOT / "wit")
    for name in ("wit", "src"):
        (folder / name).mkdir()
    (folder / "src" / "app.py").write_text("")
    return folder / "component.yaml"


@given(mutated(yaml.safe_load(COMPONENT_TEXT)))
@fuzz
def test_any_document_like_a_component_is_right_or_has_problems_with_places(component: Path, data: Any) -> None:
    component.write_text(yaml.safe_dump(data, sort_keys=False))
    checks(lambda: load_component(component.parent))


@given(scribbled(COMPONENT_TEXT))
@fuzz
def test_any_text_like_a_component_is_right_or_has_problems_with_places(component: Path, text: str) -> None:
    component.write_text(text)
    checks(lambda: load_component(component.parent))


def test_the_component_that_is_spoilt_is_right(component: Path) -> None:
    component.write_text(COMPONENT_TEXT)
    assert load_component(component.parent).name == "vendor-client"


# Locks


ODD_BYTES = [b"{", b"]", b'"', b"1e999", b"NaN", b"\\ud800", b"\xff", b"\x00", b"\n"]


@pytest.fixture(scope="session")
def locked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes]:
    """A lock to write to, and what it was."""
    folder = tmp_path_factory.mktemp("locked") / "graph"
    compose_right(folder, "core")
    file = folder / "graph.lock.json"
    return file, file.read_bytes()


@given(st.data())
@fuzz
def test_any_bytes_of_a_lock_are_the_lock_or_refused(locked: tuple[Path, bytes], data: st.DataObject) -> None:
    file, right = locked
    spoilt = bytearray(right)
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(spoilt)))
        gone = data.draw(st.integers(0, 40))
        spoilt[at : at + gone] = data.draw(
            st.binary(max_size=8) | st.sampled_from([b"{", b"]", b'"', b"1e999", b"NaN", b"\\ud800", b"\xff"])
        )
    file.write_bytes(spoilt)
    try:
        lock = read_lock(file, None).lock
    except (IntegrityError, StaleLock):
        return
    assert lock.to_bytes() == spoilt == right


@given(st.binary(max_size=300))
@fuzz
def test_any_bytes_in_the_place_of_a_lock_are_refused(locked: tuple[Path, bytes], raw: bytes) -> None:
    locked[0].write_bytes(raw)
    with pytest.raises(IntegrityError):
        read_lock(locked[0], None)


@given(st.data())
@fuzz
def test_any_lock_that_was_sealed_again_runs_or_is_refused(locked: tuple[Path, bytes], data: st.DataObject) -> None:
    """The digest is no signature: whoever edits a lock can make it right. What it then says must still make sense, or nothing runs."""
    file, right = locked
    body = data.draw(mutated({key: value for key, value in json.loads(right).items() if key != "digest"}))
    file.write_bytes(_canonical({**body, "digest": digest_of(_canonical(body))}))
    with suppress(IntegrityError, ManifestError):
        Graph.load(file).close()


def test_the_lock_that_is_spoilt_is_right(locked: tuple[Path, bytes]) -> None:
    locked[0].write_bytes(locked[1])
    Graph.load(locked[0]).close()
