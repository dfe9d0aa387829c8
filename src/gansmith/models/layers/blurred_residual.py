"""Residual block of StyleGAN2's discriminator, with a blur before each halving.

Karras et al. 2020, "Analyzing and Improving the Image Quality of StyleGAN", section 4.1 (residual nets).
"""

from __future__ import annotations

import math

from torch import Tensor, nn

from gansmith.models.layers.equalised import EqualisedConv2d
from gansmith.models.layers.resample import halved


class BlurredResidual(nn.Module):
    """Features [B, C, H, W] -> [B, C', ceil(H / 2), ceil(W / 2)]: the sum of two 3 x 3 convolutions, the second halved,
    and of a halved 1 x 1 shortcut, divided by root 2."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        half = math.sqrt(0.5)  # the sum of two has twice the variance (section 4.1)
        self.first = EqualisedConv2d(before, before, 3)
        self.second = EqualisedConv2d(before, after, 3, halved=True, gain=half)
        self.shortcut = EqualisedConv2d(before, after, 1, active=False, gain=half)

    def forward(self, x: Tensor) -> Tensor:
        added: Tensor = self.shortcut(halved(x)).add_(self.second(self.first(x)))
        return added
