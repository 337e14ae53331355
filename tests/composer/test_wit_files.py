"""WIT is copied from where it lies: bounded, whatever links lead where."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ringfence_composer import wit_files
from ringfence_composer.errors import InputInvalid
from ringfence_composer.wit_files import copy_wit


def package(folder: Path) -> Path:
    """A package with one of its own in deps/, and what is no WIT."""
    (folder / "deps" / "inner").mkdir(parents=True)
    (folder / "world.wit").write_text("package a:b;")
    (folder / "README").write_text("not WIT")
    (folder / "deps" / "inner" / "c.wit").write_text("package c:d;")
    return folder


def found(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_a_folder_is_copied_without_what_is_no_wit(tmp_path: Path) -> None:
    copy_wit(package(tmp_path / "from"), tmp_path / "to")
    assert found(tmp_path / "to") == ["deps/inner/c.wit", "world.wit"]


def test_links_are_followed_also_twice_to_the_same_folder(tmp_path: Path) -> None:
    """Projects link to packages they share."""
    shared, own = package(tmp_path / "shared"), package(tmp_path / "own")
    for name in ("one", "two"):
        (own / "deps" / name).symlink_to(shared / "deps" / "inner")
    copy_wit(own, tmp_path / "to")
    assert found(tmp_path / "to") == ["deps/inner/c.wit", "deps/one/c.wit", "deps/two/c.wit", "world.wit"]


def test_two_links_that_lead_back_end_at_once(tmp_path: Path) -> None:
    """Followed blindly, each level would double the work: 2^40 folders until the system says stop."""
    folder = package(tmp_path / "from")
    for name in ("left", "right"):
        (folder / "deps" / name).symlink_to(folder)
    with pytest.raises(InputInvalid, match="a link that leads back to a folder around it"):
        copy_wit(folder, tmp_path / "to")


def test_there_is_a_bound_to_what_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """wit_deps: [../../..] would otherwise walk through somebody's whole home."""
    monkeypatch.setattr(wit_files, "MAX_ENTRIES", 5)
    folder = package(tmp_path / "from")
    copy_wit(folder, tmp_path / "to")
    (folder / "more").write_text("")
    with pytest.raises(InputInvalid, match="more than 5 files and folders"):
        copy_wit(folder, tmp_path / "again")


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    folder = package(tmp_path / "from")
    os.mkfifo(folder / "pipe.wit")
    with pytest.raises(InputInvalid, match=r"pipe\.wit: cannot read it: it is no regular file"):
        copy_wit(folder, tmp_path / "to")
