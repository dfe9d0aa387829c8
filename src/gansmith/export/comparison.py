"""Comparison of an exported network with PyTorch, on 64 latents of which no batch is like another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from gansmith.errors import ExportError
from gansmith.export.portable import COMPARED, Inputs, Portable

LARGEST, MEAN = 1e-4, 1e-6  # of differences between pixels, whose range is -1 to 1


@dataclass(frozen=True)
class Difference:
    """Absolute differences of all pixels of `count` images: the largest and the mean."""

    largest: float
    mean: float
    count: int = COMPARED

    def __str__(self) -> str:
        return f"{self.count} compared with PyTorch: largest difference {self.largest:.1g}, mean {self.mean:.1g}"


def require_equal(
    network: Portable, exported: Callable[[Inputs], Tensor], *, largest: float = LARGEST, mean: float = MEAN
) -> Difference:
    """The difference of `exported` from the network. Raises ExportError for another shape, for values that are not
    finite, and for a difference above the limits."""
    worst, total, pixels = 0.0, 0.0, 0
    for inputs in network.batches():
        ours, theirs = network.images(inputs), exported(inputs)
        if ours.shape != theirs.shape:
            raise ExportError(
                f"the exported network makes images {list(theirs.shape)} where PyTorch makes {list(ours.shape)}: "
                f"nothing was written"
            )
        apart = (ours.double() - theirs.double()).abs()
        worst = max(worst, float(torch.nan_to_num(apart, nan=torch.inf).max()))
        total += float(apart.sum())
        pixels += apart.numel()
    difference = Difference(worst, total / pixels)
    if not (worst <= largest and difference.mean <= mean):  # NaN too
        raise ExportError(
            f"the exported network does not make the images that PyTorch makes: of {COMPARED}, pixels (-1 to 1) differ "
            f"by up to {worst:.2g} where {largest:g} is allowed, by {difference.mean:.2g} on average where {mean:g} "
            f"is. Nothing was written"
        )
    return difference
