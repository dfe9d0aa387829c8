"""Standardization of images by the mean and standard deviation of each channel, as the first layer of a network.

The statistics of the training data are stored with the network, which then reads images in [-1, 1] like any other.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from gansmith.errors import ExperimentError
from gansmith.system.option_types import Fraction, PositiveFloat

Means = tuple[Fraction, ...]
Deviations = tuple[PositiveFloat, ...]


class Standardize(nn.Module):
    """Standardization: images [B, C, H, W] in [-1, 1] -> (x - mean) / deviation, x being the image on [0, 1], the range
    of published statistics and of the first that `gansmith data stats` prints."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, mean: Sequence[float], deviation: Sequence[float]) -> None:
        super().__init__()
        # Not in the state: they are options of the model, which its file stores.
        self.register_buffer("mean", torch.tensor(mean)[:, None, None], persistent=False)
        self.register_buffer("deviation", torch.tensor(deviation)[:, None, None], persistent=False)

    def forward(self, image: Tensor) -> Tensor:
        standardized: Tensor = ((image + 1) / 2 - self.mean) / self.deviation
        return standardized


def standardizing(
    name: str, channels: int, mean: Sequence[float] | None, deviation: Sequence[float] | None
) -> nn.Module:
    """The first layer of the model called `name`: Standardize, or the identity where both are None.

    Raises ExperimentError unless mean and deviation have one number for each channel.
    """
    if mean is None and deviation is None:
        return nn.Identity()
    counts = [0 if values is None else len(values) for values in (mean, deviation)]
    if mean is None or deviation is None or counts != [channels, channels]:
        raise ExperimentError(
            f"{name} has {counts[0]} mean(s) and {counts[1]} deviation(s) for images of {channels} channel(s): it "
            f"takes one of each for a channel, as `gansmith data stats` prints them, or --set classifier.mean=null "
            f"--set classifier.deviation=null"
        )
    return Standardize(mean, deviation)
