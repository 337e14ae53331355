"""What the composer's tests share."""

from __future__ import annotations

import pytest


@pytest.fixture
def bless(request: pytest.FixtureRequest) -> bool:
    """Whether the expected messages are to be rewritten (`just bless`)."""
    return bool(request.config.getoption("--bless", default=False))
