"""Random mirroring of the images that a discriminator reads, left to right.

Zhao, Zhang, Chen, Singh, Zhang 2020, "Image Augmentations for GAN Training", section 3.
"""

from __future__ import annotations

from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from gansmith.augment.parts.augment import Augment


def build(*, probability: Annotated[float, Field(ge=0, le=1)] = 0.5) -> Mirror:
    """Images [B, C, H, W] -> the same shape, each mirrored with this probability.

    >>> build(probability=1)(torch.tensor([[[[1.0, 2.0]]]])).tolist()
    [[[[2.0, 1.0]]]]
    """
    return Mirror(probability)


class Mirror(Augment):
    """See `build`."""

    def __init__(self, probability: float) -> None:
        self._probability = probability

    def __call__(self, images: Tensor) -> Tensor:
        mirrored = torch.rand(len(images), 1, 1, 1, device=images.device) < self._probability
        return torch.where(mirrored, images.flip(3), images)
