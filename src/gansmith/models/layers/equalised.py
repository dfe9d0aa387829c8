"""Equalised learning rate: linear layers and convolutions whose stored weights are N(0, 1), scaled in every pass.

Karras, Aila, Laine, Lehtinen 2018, "Progressive Growing of GANs for Improved Quality, Stability, and Variation",
section 4.1; a rate multiplies the learning rate of a layer (Karras, Laine, Aila 2019, "A Style-Based Generator
Architecture for Generative Adversarial Networks", section C of the appendix). An active layer ends in a leaky ReLU of
slope 0.2 times root 2, which is folded into weights and offsets.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from gansmith.models.layers.blur import halve_and_convolve
from gansmith.models.layers.leaky_relu import leaky_relu_

SLOPE = 0.2  # of the leaky ReLU
GAIN = math.sqrt(2)  # behind it


class EqualisedLinear(nn.Module):
    """Linear layer [B, D] -> [B, E], in the weights' own format, under autocast too.

    offset: the first value of the bias. rate: factor of the layer's learning rate. active: followed by a leaky ReLU.
    """

    def __init__(
        self, before: int, after: int, *, offset: float = 0.0, rate: float = 1.0, active: bool = False
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(after, before) / rate)
        self.bias = nn.Parameter(torch.full((after,), offset / rate))
        gain = GAIN if active else 1.0
        self.scale, self.bias_scale, self.active = gain * rate / math.sqrt(before), gain * rate, active

    def forward(self, x: Tensor) -> Tensor:
        with torch.autocast(x.device.type, enabled=False):
            y = functional.linear(x.to(self.weight.dtype), self.weight * self.scale, self.bias * self.bias_scale)
        return leaky_relu_(y, SLOPE) if self.active else y


class EqualisedConv2d(nn.Module):
    """Convolution of an odd kernel [B, C, H, W] -> [B, C', H, W], or, halved, [B, C', ceil(H / 2), ceil(W / 2)] behind
    a blur.

    active: with an offset and a leaky ReLU; else neither. gain: of the output.
    """

    def __init__(
        self, before: int, after: int, kernel: int, *, active: bool = True, halved: bool = False, gain: float = 1.0
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(after, before, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(after)) if active else None
        self.gain = gain * (GAIN if active else 1.0)
        self.scale, self.halved = self.gain / math.sqrt(before * kernel**2), halved

    def forward(self, x: Tensor) -> Tensor:
        weight = self.weight * self.scale
        bias = None if self.bias is None else self.bias * self.gain
        if self.halved:
            y = halve_and_convolve(x, weight, bias)
        else:
            y = functional.conv2d(x, weight, bias, padding=weight.shape[2] // 2)
        return y if self.bias is None else leaky_relu_(y, SLOPE)
