"""Features of any width, layout and library: one promotion, and a refusal where something would be lost."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from gansmith.errors import DataError
from gansmith.evaluation.feature_matrix import as_floats

WHOLE = np.arange(-3.0, 3.0).reshape(3, 2)  # exact in every type


@pytest.mark.parametrize(
    ("values", "width"),
    [
        (torch.tensor(WHOLE).to(torch.float8_e4m3fn), 4),
        (torch.tensor(WHOLE).to(torch.float8_e5m2), 4),
        (torch.tensor(WHOLE).bfloat16(), 4),
        (torch.tensor(WHOLE).to_sparse(), 8),
        (torch._neg_view(torch.tensor(-WHOLE)), 8),
        (np.ma.masked_array(WHOLE), 8),
    ],
)
def test_no_value_is_changed(values: Any, width: int) -> None:
    floats = as_floats(values)
    np.testing.assert_array_equal(floats, WHOLE)
    assert floats.dtype == (np.float32 if width == 4 else np.float64)


@pytest.mark.parametrize(
    ("values", "why"),
    [
        (np.ma.masked_array(WHOLE, mask=WHOLE > 1), "masked"),
        (torch.ones(3, 2, device="meta"), "no array of numbers"),
        (torch.ones(3, 2, dtype=torch.complex64), "complex"),
    ],
)
def test_what_would_be_lost_is_refused(values: NDArray[Any], why: str) -> None:
    with pytest.raises(DataError, match=f"the real features.*{why}"):
        as_floats(values, "the real features")
