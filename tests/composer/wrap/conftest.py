"""What the tests of wrapping share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from ringfence_composer.builders.base import BuildContext

from .archives import Index


@pytest.fixture
def context(tmp_path: Path) -> BuildContext:
    """Where builds happen, with a cache of its own."""
    return BuildContext(cache=tmp_path / "cache")


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Mapping[str, Mapping[str, bytes]]], Index]]:
    """Starts a package index on loopback, which is the one that is asked from then on."""
    started: list[Index] = []

    def start(files: Mapping[str, Mapping[str, bytes]]) -> Index:
        started.append(Index(files))
        monkeypatch.setenv("UV_DEFAULT_INDEX", started[-1].address)
        return started[-1]

    yield start
    for one in started:
        one.close()
