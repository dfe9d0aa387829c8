"""Small networks of R3GAN in float64."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Array = NDArray[np.float64]


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def normal(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(*shape, generator=rng(seed), dtype=dtype)


# ---- resampling


def by_hand(x: Array, axis: int, up: bool) -> Array:
    """The formula, pixel by pixel along one axis, with zero outside."""
    x = np.moveaxis(x, axis, 0)
    outside = np.zeros_like(x[:1])
    size = len(x)

    def at(index: int) -> Array:
        return x[index] if 0 <= index < size else outside[0]

    if up:
        rows = [(at(i - 1) + 3 * at(i), 3 * at(i) + at(i + 1)) for i in range(size)]
        found = np.stack([row / 4 for two in rows for row in two])
    else:
        found = np.stack(
            [(at(2 * i - 1) + 3 * at(2 * i) + 3 * at(2 * i + 1) + at(2 * i + 2)) / 8 for i in range(-(-size // 2))]
        )
    back: Array = np.moveaxis(found, 0, axis)
    return back
