"""What several test files need."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder of real image sets that some tests read."""
    given = os.environ.get("GANSMITH_TEST_DATA")
    if not given or not Path(given).is_dir():
        pytest.skip("GANSMITH_TEST_DATA does not name the folder of test images")
    return Path(given)
