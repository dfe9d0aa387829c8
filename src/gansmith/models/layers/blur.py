"""Blur by the binomial filter [1, 3, 3, 1] / 8 along both sides, and strided convolutions beside it.

Karras et al. 2020, "Analyzing and Improving the Image Quality of StyleGAN", and its published code. Zero padding. The
blur is a depthwise convolution, which measured twice as fast here as additions, or as one strided convolution with the
6 x 6 kernel that both make together. Its kernel is symmetric: the derivative is a blur with another padding, so that
those of every order are single calls (torch's own second derivative loops over the channels).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.nn import functional

from gansmith.models.layers.resample import binomial

_TAPS = 4


def blur(x: Tensor, padding: int, gain: float = 1.0) -> Tensor:
    """[B, C, H, W] -> `gain` times the blurred [B, C, H + 2 padding - 3, W + 2 padding - 3], in x's number format."""
    return _blurred(x, padding, gain)


def double_and_convolve(x: Tensor, weight: Tensor) -> Tensor:
    """Convolution of a doubled image: [B, C, H, W] -> [B, C', 2 H, 2 W], `weight` [C', C, 3, 3] (as for a correlation).

    Zeros between the pixels, convolution, blur with a gain of 4; the first two are a transposed convolution.
    """
    wide = functional.conv_transpose2d(x, weight.flip(2, 3).transpose(0, 1), stride=2)  # 2 H + 1
    return blur(wide, 1, 4.0)


def halve_and_convolve(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Blur, convolution, every second pixel: [B, C, H, W] -> [B, C', ceil(H / 2), ceil(W / 2)], `weight` [C', C, k, k]
    of an odd kernel; an odd side is extended by zeros."""
    odd = [x.shape[d] % 2 for d in (3, 2)]
    if any(odd):
        x = functional.pad(x, (0, odd[0], 0, odd[1]))
    return functional.conv2d(blur(x, 1 + weight.shape[2] // 2), weight, bias, stride=2)


class _Blur(Function):
    """x, padding, gain -> the blur; derivative: the blur with the padding 3 - padding."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, padding: int, gain: float) -> Tensor:
        ctx.padding, ctx.gain = padding, gain
        with torch.autocast(x.device.type, enabled=False):
            return functional.conv2d(x, binomial(x, gain), padding=padding, groups=x.shape[1])

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        return _blurred(gradient, _TAPS - 1 - ctx.padding, ctx.gain), None, None


_blurred: Callable[..., Tensor] = _Blur.apply
