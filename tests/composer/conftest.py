"""What the composer's tests share."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))  # for composer_doubles


@pytest.fixture
def bless(request: pytest.FixtureRequest) -> bool:
    """Whether the expected messages are to be rewritten (`just bless`)."""
    return bool(request.config.getoption("--bless", default=False))


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """A build cache of its own, but for zig's C library."""
    from c_guests import with_zig

    return with_zig(tmp_path / "cache")
