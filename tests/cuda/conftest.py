"""Tests of what only an accelerator can get wrong. `TEST_DEVICE=cpu` rehearses their logic on the CPU."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "training"))  # `exactly` kills runs and compares them


@pytest.fixture(scope="session")
def device() -> torch.device:
    """CUDA, or the device that TEST_DEVICE names."""
    name = os.environ.get("TEST_DEVICE", "cuda")
    if name.startswith("cuda") and not torch.cuda.is_available():
        pytest.skip("there is no CUDA device; TEST_DEVICE=cpu rehearses this test on the CPU")
    return torch.device(name)


@pytest.fixture(autouse=True)
def _settings_of_the_backends() -> Iterator[None]:
    """As they were before, whatever a test or an assembly sets."""
    cudnn = torch.backends.cudnn
    before = cudnn.benchmark, cudnn.deterministic, cudnn.allow_tf32
    yield
    cudnn.benchmark, cudnn.deterministic, cudnn.allow_tf32 = before
