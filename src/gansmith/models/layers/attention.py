"""Self-attention over the pixels of a feature map.

Zhang, Goodfellow, Metaxas, Odena 2019, "Self-Attention Generative Adversarial Networks", section 3, in the form of
Brock, Donahue, Simonyan 2019 (their PyTorch code): keys and values are pooled 2 x 2, values have half the channels, and
no convolution has an offset.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from gansmith.models.layers.spectral import convolution


class SelfAttention(nn.Module):
    """Self-attention: features [B, C, H, W] -> features + gamma o(softmax(query' key) value), gamma 0 at first.

    Needs 2 pixels a side. torch's fused attention has no second derivative, which a gradient penalty needs.
    """

    def __init__(self, channels: int, *, spectral: bool = True) -> None:
        super().__init__()
        small, half = max(channels // 8, 1), max(channels // 2, 1)
        self.query = convolution(channels, small, 1, spectral=spectral, bias=False)
        self.key = convolution(channels, small, 1, spectral=spectral, bias=False)
        self.value = convolution(channels, half, 1, spectral=spectral, bias=False)
        self.output = convolution(half, channels, 1, spectral=spectral, bias=False)
        self.gamma = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        query = self.query(x).flatten(2)  # [B, C / 8, H W]
        key = functional.max_pool2d(self.key(x), 2).flatten(2)
        value = functional.max_pool2d(self.value(x), 2).flatten(2)
        logits = query.transpose(1, 2) @ key  # [B, H W, H W / 4]
        share = logits.softmax(2, dtype=torch.promote_types(x.dtype, torch.float32))
        attended = value @ share.to(value.dtype).transpose(1, 2)
        return torch.addcmul(x, self.gamma.to(x.dtype), self.output(attended.unflatten(2, x.shape[2:])))
