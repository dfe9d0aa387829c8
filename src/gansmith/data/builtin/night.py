"""Night of photographs: each image of `day` by a known transform of colour and light, under the same name.

A day-for-night grade, a chain of five steps on linear light: less colour, a fifth of the light, a blue tint, darker
towards the corners, and lamps: what is clearly brighter than its surroundings glows in a warm colour.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter

from gansmith import catalog
from gansmith.data.decode import conform
from gansmith.data.derived import Derived, Pixels

NEEDS = {"folders": ("cifar10", "cifar-10", "cifar-10-batches-bin")}

GAMMA = 2.2
LUMA = np.array([0.2126, 0.7152, 0.0722])  # ITU-R BT.709
COLOUR, LIGHT, TINT, CORNERS = 0.5, 0.2, np.array([0.6, 0.8, 1.6]), 0.6
LAMP, FAINT, BRIGHT = np.array([1.0, 0.7, 0.25]), 0.2, 0.4  # its colour; where it begins to shine, and where it is full


def build(*, of: str = "cifar10", count: int = 6000) -> Derived:
    """uint8 [H, W, 3]: the nights of the `count` images of `day` of the set `of`.

    Raises DataError when that set is not on this machine.

    >>> night = build(of="digits", count=10)
    >>> len(night), night.keys[1], night[1].image.shape
    (10, 'image_00200', (8, 8, 3))
    """
    day = catalog.build("datasets", "day", of=of, count=count)
    return Derived(day, night_of, name="night", count=count, version=1)


def night_of(image: Pixels) -> Pixels:
    """uint8 [H, W, 1..4] -> uint8 [H, W, 3]. Transparent pixels are white by day.

    >>> night_of(np.full((8, 8, 3), 128, np.uint8))[4, 4].tolist()
    [49, 55, 76]
    """
    height, width = image.shape[:2]
    shown = conform(image, size=(height, width), channels=3) / 255
    light = shown**GAMMA
    light = COLOUR * light + (1 - COLOUR) * (light @ LUMA)[..., None]
    rows, columns = (np.linspace(-1, 1, side) for side in (height, width))
    distance = (rows[:, None] ** 2 + columns**2) / 2  # 0 in the middle, 1 in the corners
    light = light * LIGHT * TINT * (1 - CORNERS * distance)[..., None]
    light = light + lamps(shown @ LUMA)[..., None] * LAMP
    night: Pixels = np.rint(255 * np.clip(light, 0, 1) ** (1 / GAMMA)).astype(np.uint8)
    return night


def lamps(luma: NDArray[np.float64]) -> NDArray[np.float64]:
    """Luma [H, W] of 0 to 1 -> how much each pixel shines: 0 up to FAINT above the mean of the square round it, a
    quarter of the shorter side, from there rising smoothly to 1 at BRIGHT above that mean."""
    excess = luma - uniform_filter(luma, max(3, min(luma.shape) // 4 | 1), mode="reflect")
    step = np.clip((excess - FAINT) / (BRIGHT - FAINT), 0, 1)
    shine: NDArray[np.float64] = step * step * (3 - 2 * step)
    return shine
