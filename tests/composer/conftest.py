"""What the composer's tests share."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from ringfence.contract.layout import user_cache

sys.path.append(str(Path(__file__).parent))  # for composer_doubles


@pytest.fixture
def bless(request: pytest.FixtureRequest) -> bool:
    """Whether the expected messages are to be rewritten (`just bless`)."""
    return bool(request.config.getoption("--bless", default=False))


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """A build cache of its own, but for zig's C library: compiling that takes half a minute."""
    (user_cache() / "zig").mkdir(mode=0o700, parents=True, exist_ok=True)
    (tmp_path / "cache").mkdir(mode=0o700)
    (tmp_path / "cache/zig").symlink_to(user_cache() / "zig")
    return tmp_path / "cache"
