"""The size and number of channels to train at, recommended from the images."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray


def recommended_size(sizes: list[tuple[int, int]]) -> tuple[int, int]:
    """(height, width): the common size if both its sides are within 16 to 64; else 64 x 64 if the median shorter side
    is at least 64, else 32 x 32.

    >>> recommended_size([(28, 28), (28, 28)]), recommended_size([(300, 400), (600, 500)])
    ((28, 28), (64, 64))
    """
    if len(set(sizes)) == 1 and all(16 <= side <= 64 for side in sizes[0]):
        return sizes[0]
    shorter = float(np.median([min(size) for size in sizes]))
    return (64, 64) if shorter >= 64 else (32, 32)


def recommended_channels(grey: list[bool]) -> Literal[1, 3]:
    """1 when every image is grey, else 3."""
    return 1 if all(grey) else 3


def is_grey(image: NDArray[Any], background: tuple[int, int, int] = (255, 255, 255)) -> bool:
    """uint8 [H, W, C] -> whether red, green and blue are equal in every pixel, and in the background that shows
    through transparent ones."""
    if image.shape[-1] in (2, 4) and len(set(background)) > 1:
        return False
    return image.shape[-1] <= 2 or bool((image[..., :1] == image[..., 1:3]).all())
