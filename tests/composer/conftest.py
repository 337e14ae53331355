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
