"""Strided convolutions that merge a 3 x 3 convolution with the 2 x 2 mean behind it or the doubling before it.

Both are linear, so one 4 x 4 kernel with stride 2 computes the two: the same function, at the border too, with 16
products instead of 36.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional


def convolve_and_halve(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Convolution and mean pooling: [B, C, H, W] -> [B, C', H // 2, W // 2]; `weight` [C', C, 3, 3] with padding 1,
    then the mean of each 2 x 2."""
    return functional.conv2d(x, _spread(weight) / 4, bias, stride=2, padding=1)


def double_and_convolve(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Nearest-neighbour upsampling and convolution: [B, C, H, W] -> [B, C', 2 H, 2 W]; `weight` [C', C, 3, 3] with
    padding 1."""
    kernel = _spread(weight).flip(2, 3).transpose(0, 1)
    return functional.conv_transpose2d(x, kernel, bias, stride=2, padding=1)


def _spread(weight: Tensor) -> Tensor:
    """[..., 3, 3] -> [..., 4, 4]: the sum of the four positions in which the kernel lies in the larger one."""
    rows = functional.pad(weight, (0, 0, 1, 0)) + functional.pad(weight, (0, 0, 0, 1))
    return functional.pad(rows, (1, 0)) + functional.pad(rows, (0, 1))
