"""Building blocks of the tests of ADA."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

CPU = torch.device("cpu")


def exactly(found: Tensor, wanted: Tensor) -> None:
    torch.testing.assert_close(found, wanted, rtol=0, atol=0)


# ---- what is drawn


def near(found: Tensor, share: float) -> None:
    """The share of True, within five standard errors."""
    error = 5 * max(share * (1 - share), 1e-4) ** 0.5 / len(found) ** 0.5
    assert float(found.double().mean()) == pytest.approx(share, abs=error)
