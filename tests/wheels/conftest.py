"""Environments with a library, native and wrapped, made once a session for all tests that ask."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from compat.environments import Environment, fenced, native
from compat.library import Library, libraries
from compat.wrapping import wrap

Environments = Callable[[str, str], Environment]


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """The drop-in wheel of a library, with these grants (YAML)."""
    made: dict[tuple[str, str], Path] = {}

    def wheel(library: Library, grants: str = "") -> Path:
        key = library.name, grants
        if key not in made:
            made[key] = wrap(library, tmp_path_factory.mktemp(library.name) / "dist", grants=grants)
        return made[key]

    return wheel


@pytest.fixture(scope="session")
def environments(tmp_path_factory: pytest.TempPathFactory, wheels: Callable[..., Path]) -> Callable[..., Environment]:
    """The environment of a library: `native`, or with the drop-in, which has these grants."""
    made: dict[tuple[str, str], Environment] = {}

    def environment(name: str, kind: str, grants: str = "") -> Environment:
        key = name, kind + grants
        if key not in made:
            library, folder = libraries()[name], tmp_path_factory.mktemp(f"{name}-{kind}") / "environment"
            made[key] = native(library, folder) if kind == "native" else fenced(library, wheels(library, grants), folder)
        return made[key]

    return environment
