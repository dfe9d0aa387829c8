"""Instance normalisation with a scale and shift that another network makes.

Huang, Belongie 2017, "Arbitrary Style Transfer in Real-time with Adaptive Instance Normalization", Eq. 8.

Torch's own kernel for it gives wrong gradients on a CPU at batch 1 when the incoming gradient is channels_last. Here
each channel of each image is a channel of its own to batch normalisation, which is right in every layout and faster.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

EPSILON = 1e-5


def adaptive_instance_norm(x: Tensor, scale: Tensor | None = None, shift: Tensor | None = None) -> Tensor:
    """Features [B, C, H, W], scale and shift [B, C] -> scale (x - mean) / deviation + shift, the mean and the (biased)
    deviation being those of each channel of each image. Without a scale 1, without a shift 0.

    Needs more than one pixel.
    """
    batch, channels, height, width = x.shape
    scale, shift = (None if given is None else given.reshape(-1) for given in (scale, shift))
    flat = x.reshape(1, batch * channels, height, width)
    return F.batch_norm(flat, None, None, scale, shift, training=True, eps=EPSILON).view(x.shape)
