"""Where the suite comes from: a crate, by name and digest, and one clear line where it can't be had."""

import shutil

import pytest
from crates import CrateMissing
from host.engine.suite import origin
from ringfence_composer.errors import DigestMismatch


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home of cargo that has nothing in it."""
    monkeypatch.setenv("CARGO_HOME", str(tmp_path / "cargo"))
    return tmp_path / "cargo"


def test_all_scripts_are_there():
    """Both parts: what the Component Model's own repository has, and what `wasm-tools` adds."""
    names = list(origin.scripts())
    assert [sum(name.startswith(folder) for name in names) for folder in origin.FOLDERS] == [72, 86]


def test_without_cargo_one_line_says_what_to_install(home, monkeypatch):
    """In CI as well: the suite is never skipped."""
    monkeypatch.setenv("PATH", str(home))
    with pytest.raises(CrateMissing) as caught:
        origin.scripts()
    assert caught.value.message.startswith("the crate wasm-tools can't be fetched: cargo is not installed (install Rust")
    assert "\n" not in caught.value.message


def test_offline_one_line_says_why(home, monkeypatch):
    """What cargo itself says goes with it."""
    monkeypatch.setenv("CARGO_NET_OFFLINE", "true")
    with pytest.raises(CrateMissing) as caught:
        origin.scripts()
    assert caught.value.message.startswith("the crate wasm-tools can't be fetched: cargo: ended with exit code 101; error: ")
    assert caught.value.message.endswith("(see to it that cargo reaches its registry, once)")
    assert "\n" not in caught.value.message


def test_another_crate_of_that_name_is_refused(home):
    """What runs is what was pinned, whoever filled the cache."""
    kept = home / "registry" / "cache" / "somewhere" / origin.CRATE.file
    kept.parent.mkdir(parents=True)
    kept.write_bytes(b"something else")
    with pytest.raises(DigestMismatch, match="the crate wasm-tools"):
        origin.scripts()
    assert shutil.which("cargo"), "the other tests mean something"
