"""The random state is as before after each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch


@pytest.fixture(autouse=True)
def _global_state() -> Iterator[None]:
    with torch.random.fork_rng(devices=[]):
        yield
