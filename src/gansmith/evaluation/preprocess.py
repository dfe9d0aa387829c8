"""Preprocessing of images for a network: channels, size, scale; and its description for the protocol.

Images come as uint8 [B, C, H, W], or as floats in [-1, 1] where eight bits would round away what is measured. Inside
they are levels: float32 in [0, 255].

The resize is bicubic (Keys 1981, "Cubic Convolution Interpolation for Digital Image Processing", a = -1/2) with
antialiasing, computed on floats and clamped: Pillow's own bicubic filter without its rounding. Parmar, Zhang, Zhu 2022,
"On Aliased Resizing and Surprising Subtleties in GAN Evaluation", shows why a resize without antialiasing is none.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from gansmith.errors import DataError
from gansmith.pretrained.imagenet import DEVIATION, MEAN

LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601, as Pillow's conversion to grey
_NAMES = {1: "colour made grey (BT.601)", 3: "grey repeated"}


def levels(images: Tensor) -> Tensor:
    """uint8 [B, C, H, W], or floats in [-1, 1] -> float32 in [0, 255]. C is 1, 3 or 4.

    Raises DataError for another shape or type.
    """
    if images.dim() != 4 or images.shape[1] not in (1, 3, 4) or 0 in images.shape:
        raise DataError(
            f"an extractor takes images [B, C, H, W] of 1, 3 or 4 channels (grey, RGB, RGBA), not {list(images.shape)}"
        )
    if images.dtype == torch.uint8:
        return images.float()
    if not images.is_floating_point():
        raise DataError(f"an extractor takes images as uint8, or as floats in [-1, 1], not {images.dtype}")
    return (images.float() + 1) * 127.5


def on_white(images: Tensor) -> Tensor:
    """Levels [B, 4, H, W] -> [B, 3, H, W], laid on white by their alpha, unrounded; others as they are."""
    if images.shape[1] != 4:
        return images
    alpha = images[:, 3:] / 255
    return images[:, :3] * alpha + 255 * (1 - alpha)


def to_channels(images: Tensor, channels: int) -> Tensor:
    """Levels [B, C, H, W] -> [B, channels, H, W], channels 1, 3 or 4: grey repeated, colour made grey by its luma,
    alpha laid on white or added as opaque."""
    if images.shape[1] == channels:
        return images
    if channels == 4:
        colour = images.expand(-1, 3, -1, -1)
        return torch.cat([colour, torch.full_like(colour[:, :1], 255)], 1)
    images = on_white(images)
    if channels == 1:
        if images.shape[1] == 3:
            images = (images * images.new_tensor(LUMA)[:, None, None]).sum(1, keepdim=True)
        return images
    return images.expand(-1, channels, -1, -1)


def resize(images: Tensor, size: tuple[int, int]) -> Tensor:
    """Levels [B, C, H, W] -> [B, C, *size], squeezed where the sides' ratio differs; untouched at that size."""
    if tuple(images.shape[-2:]) == size:
        return images
    return F.interpolate(images, size, mode="bicubic", antialias=True, align_corners=False).clamp(0, 255)


def standardise(images: Tensor) -> Tensor:
    """RGB levels -> what networks trained on ImageNet by torchvision's recipe read: (x / 255 - mean) / deviation."""
    mean, deviation = (images.new_tensor(values)[:, None, None] for values in (MEAN, DEVIATION))
    return (images / 255 - mean) / deviation


def words(size: tuple[int, int] | None, channels: int = 3) -> str:
    """`to_channels` and `resize` in words, for the protocol; size None: the images keep their own."""
    alpha = "alpha kept" if channels == 4 else "alpha on white"
    colour = _NAMES.get(channels, "grey repeated and opaque")
    shape = "own size" if size is None else f"antialiased bicubic to {size[0]}x{size[1]}"
    return f"{colour}, {alpha}, {shape}"
