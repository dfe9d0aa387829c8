"""Instance normalisation with correct gradients in every memory layout.

Ulyanov, Vedaldi, Lempitsky 2016, "Instance Normalization: The Missing Ingredient for Fast Stylization". On the CPU it
is computed as group normalisation (Wu, He 2018, "Group Normalization", Figure 2) with one channel in each group, which
is the same function: torch's own instance normalisation returns wrong gradients there for a single image whose incoming
gradient is channels_last, and is slower.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn


class InstanceNorm(nn.InstanceNorm2d):
    """Features [B, C, H, W], of more than one pixel -> the same shape. No running statistics: training and evaluation
    are the same.

    affine: each channel has a trained scale and shift.
    """

    def forward(self, input: Tensor) -> Tensor:
        if input.device.type == "cpu":
            return F.group_norm(input, self.num_features, self.weight, self.bias, self.eps)
        return super().forward(input)  # autocast on CUDA would make group normalisation float32
