"""Resampling by a factor of 2 with the binomial filter [1, 3, 3, 1] / 8, that is [1, 2, 1] over doubled pixels.

Huang, Gokaslan, Kuleshov, Tompkin 2024, "The GAN is dead; long live the GAN! A Modern Baseline GAN", section 3; the
filter is StyleGAN2's (Karras et al. 2020, "Analyzing and Improving the Image Quality of StyleGAN"). Zero padding.
Doubling is, but for a factor of 4, the transpose of halving, so each is the other's derivative, of every order.
Doubling is one bilinear interpolation: on a CPU a transposed convolution measured up to 90 times as slow (bfloat16).
Halving in bfloat16 is a depthwise convolution there, up to 17 times as fast as the additions that it is elsewhere: they
add in the same order every time on a GPU too, and in float32 as they did for runs that are continued.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd import Function


def doubled(x: Tensor, size: tuple[int, int] | None = None) -> Tensor:
    """Upsampling: [B, C, H, W] -> [B, C, 2 H, 2 W], or its first rows and columns up to `size`.

    Along each side, with x[-1] = x[H] = 0: y[2 i] = (x[i - 1] + 3 x[i]) / 4 and y[2 i + 1] = (3 x[i] + x[i + 1]) / 4.
    """
    whole = _doubled(x, 1.0)
    return whole if size is None or whole.shape[2:] == size else whole[:, :, : size[0], : size[1]]


def bilinear(x: Tensor) -> Tensor:
    """Bilinear interpolation [B, C, H, W] -> [B, C, 2 H, 2 W]: `doubled`, with the outermost pixels repeated outside.

    Equal to torch's, whose gradient on a GPU adds in another order every time.
    """
    y = doubled(x)
    for d in (2, 3):  # 3 / 4 of an outermost pixel was left
        edges = y.new_ones(y.shape[d])
        edges[0] = edges[-1] = 4 / 3
        y = y * edges.view(-1, *[1] * (3 - d))
    return y


def halved(x: Tensor) -> Tensor:
    """Downsampling: [B, C, H, W] -> [B, C, ceil(H / 2), ceil(W / 2)].

    Along each side, zero outside: y[i] = (x[2 i - 1] + 3 x[2 i] + 3 x[2 i + 1] + x[2 i + 2]) / 8.
    """
    odd = [x.shape[d] % 2 for d in (3, 2)]
    if any(odd):
        x = F.pad(x, (0, odd[0], 0, odd[1]))
    return _halved(x, 1.0)


def binomial(like: Tensor, gain: float) -> Tensor:
    """`gain` times the filter, both ways, for each channel of `like` [B, C, ...] in its number format: [C, 1, 4, 4]."""
    kernel = like.new_full((like.shape[1], 1, 4, 4), gain / 64)  # not expanded: a stride of 0 is reordered slowly
    kernel[:, :, 1:3] *= 3
    kernel[:, :, :, 1:3] *= 3
    return kernel


class _Doubled(Function):
    """x, scale -> scale times x doubled."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, scale: float) -> Tensor:
        ctx.scale = scale
        y = F.interpolate(x if scale == 1 else x * scale, scale_factor=2, mode="bilinear", align_corners=False)
        for d in (2, 3):  # it repeats the outermost pixel, where we have zero: 3 / 4 of the pixel is left
            for edge in (0, -1):
                y.select(d, edge).mul_(0.75)
        return y

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return _halved(gradient, 4 * ctx.scale), None


class _Halved(Function):
    """x of even height and width, scale -> scale times x halved."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, scale: float) -> Tensor:
        ctx.scale = scale
        if x.device.type != "cpu" or x.dtype is not torch.bfloat16:
            return _along(_along(x, 2, 1.0), 3, scale)
        with torch.autocast(x.device.type, enabled=False):
            return F.conv2d(x, binomial(x, scale), stride=2, padding=1, groups=x.shape[1])

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return _doubled(gradient, ctx.scale / 4), None


_doubled: Callable[..., Tensor] = _Doubled.apply
_halved: Callable[..., Tensor] = _Halved.apply


def _along(x: Tensor, d: int, scale: float) -> Tensor:
    """x halved along dimension d."""
    first, second = x.unflatten(d, (-1, 2)).unbind(d + 1)
    count = first.shape[d] - 1
    y: Tensor = first.add(second).mul_(3 / 8 * scale)
    y.narrow(d, 1, count).add_(second.narrow(d, 0, count), alpha=scale / 8)
    y.narrow(d, 0, count).add_(first.narrow(d, 1, count), alpha=scale / 8)
    return y
