"""Pan: a window that travels over canvases, image by image."""

from __future__ import annotations

import math
from dataclasses import replace

import torch

from gansmith.errors import OptionError
from gansmith.latent.image_series import ImageSeries


def pan(images: ImageSeries, height: int, width: int, *, loop: bool = False) -> ImageSeries:
    """The part of each of N images [C, H, W] that a window of height x width pixels shows on its way from the upper
    left corner (image 0) to the lower right one (image N - 1), evenly, to the whole pixel.

    loop: there and back, slower at both ends; after image N - 1 it goes on with image 0. Each part is the pixels of its
    image. Raises OptionError for a window that is larger than the images, or as large.

    >>> seen = pan(ImageSeries(torch.arange(4.0).expand(3, 1, 1, 4), ("", "", "")), 1, 2)
    >>> seen.images[:, 0, 0].tolist()
    [[0.0, 1.0], [1.0, 2.0], [2.0, 3.0]]
    """
    count, (high, wide) = len(images), tuple(images.images.shape[-2:])
    room = high - height, wide - width
    if min(height, width) < 1 or min(room) < 0 or max(room) == 0:
        raise OptionError(
            f"a window of {height}x{width} pixels does not travel over an image of {high}x{wide}: it must be smaller"
        )
    if loop:
        shares = [(1 - math.cos(2 * math.pi * number / count)) / 2 for number in range(count)]
    else:
        shares = [number / max(1, count - 1) for number in range(count)]
    corners = [tuple(round(share * side) for side in room) for share in shares]
    parts = [
        image[:, top : top + height, left : left + width]
        for image, (top, left) in zip(images.images, corners, strict=True)
    ]
    return replace(images, images=torch.stack(parts), provenance=None)
