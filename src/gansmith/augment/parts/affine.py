"""Affine warping of images, one map for each: bilinear interpolation, with reflection beyond the borders.

Karras, Aittala, Hellsten, Laine, Lehtinen, Aila 2020, "Training Generative Adversarial Networks with Limited Data",
appendix B: the maps of a pipeline are multiplied first, so that an image is interpolated once.
Differs: bilinear on the pixels as they are, where the paper doubles the image with a wavelet filter, interpolates that
and halves it again, because it costs less; and an image that is moved by whole pixels keeps its values to the bit.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from gansmith.augment.parts.pixels import taken


class Affine(NamedTuple):
    """Affine maps from pixels of the result to positions in the image, in pixels from the middle: each [B].

    column = xx column' + xy row' + x;  row = yx column' + yy row' + y
    """

    xx: Tensor
    xy: Tensor
    yx: Tensor
    yy: Tensor
    x: Tensor
    y: Tensor

    def scaled(self, wide: Tensor, high: Tensor) -> Affine:
        """This map followed by scaling by the factors `wide` and `high`; -1 is a flip."""
        return self._replace(xx=self.xx / wide, xy=self.xy / high, yx=self.yx / wide, yy=self.yy / high)

    def turned(self, cosine: Tensor, sine: Tensor) -> Affine:
        """This map followed by a clockwise rotation about the middle."""
        return self._replace(
            xx=self.xx * cosine - self.xy * sine,
            xy=self.xx * sine + self.xy * cosine,
            yx=self.yx * cosine - self.yy * sine,
            yy=self.yx * sine + self.yy * cosine,
        )

    def shifted(self, right: Tensor, down: Tensor) -> Affine:
        """This map followed by a translation in pixels."""
        x = self.x - self.xx * right - self.xy * down
        return self._replace(x=x, y=self.y - self.yx * right - self.yy * down)


def unmoved(count: int, device: torch.device) -> Affine:
    """`count` identity maps in float32."""
    one, zero = torch.ones(count, device=device), torch.zeros(count, device=device)
    return Affine(one, zero, zero, one, zero, zero)


def warped(images: Tensor, source: Affine) -> Tensor:
    """Images [B, C, H, W] -> the same shape, in their own precision; beyond its border an image is reflected without
    end (the border itself is not repeated)."""
    height, width = images.shape[2:]
    xx, xy, yx, yy, x, y = (value.to(images.dtype).view(-1, 1, 1) for value in source)
    column = torch.arange(width, device=images.device, dtype=images.dtype) - (width - 1) / 2
    row = torch.arange(height, device=images.device, dtype=images.dtype)[:, None] - (height - 1) / 2
    columns = xx * column + xy * row + x + (width - 1) / 2
    rows = yx * column + yy * row + y + (height - 1) / 2
    left, top = columns.floor(), rows.floor()
    across, down = (columns - left)[:, None], (rows - top)[:, None]
    lefts, rights = reflected(left, width), reflected(left + 1, width)
    tops, bottoms = reflected(top, height), reflected(top + 1, height)
    above = torch.lerp(taken(images, tops, lefts), taken(images, tops, rights), across)
    below = torch.lerp(taken(images, bottoms, lefts), taken(images, bottoms, rights), across)
    return torch.lerp(above, below, down)


def reflected(positions: Tensor, size: int) -> Tensor:
    """Whole positions, floating -> int64 in 0 ... size - 1, by reflection at both ends of the axis."""
    last = size - 1
    if last == 0:
        return torch.zeros_like(positions, dtype=torch.int64)
    return (last - (positions.remainder(2 * last) - last).abs()).long()
