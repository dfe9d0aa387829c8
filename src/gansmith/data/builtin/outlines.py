"""Outlines of garments: the morphological gradient of each image of `garments`, under the same name.

Rivest, Soille, Beucher 1993, "Morphological gradients", section 2: the largest value among a pixel and its eight
neighbours, less the smallest. Where the garment is plain the outline is black; an edge is as bright as its step.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from gansmith import catalog
from gansmith.data.derived import Derived, Pixels

NEEDS = {"folders": ("fashion_mnist", "fashion-mnist", "FashionMNIST")}


def build(*, count: int = 6000) -> Derived:
    """uint8 [32, 32, 1], white on black: the outlines of the `count` images of `garments`.

    Raises DataError when Fashion-MNIST is not on this machine.

    >>> from pathlib import Path  # twelve images stand in for the files of the set
    >>> folder = catalog.find("formats", "idx", "example")(Path("data/fashion_mnist"))
    >>> outlines = build(count=10)
    >>> outlines.keys[1], outlines[1].image.shape
    ('image_00001', (32, 32, 1))
    """
    garments = catalog.build("datasets", "garments", count=count)
    return Derived(garments, outline, name="outlines", count=count, version=1)


def outline(image: Pixels) -> Pixels:
    """uint8 [H, W, C] -> the same shape: the range of each 3 x 3 neighbourhood; the border repeats itself outside.

    >>> outline(np.uint8([[[0]], [[0]], [[9]], [[9]], [[9]]])).ravel().tolist()
    [0, 9, 9, 0, 0]
    """
    around = sliding_window_view(np.pad(image, ((1, 1), (1, 1), (0, 0)), mode="edge"), (3, 3), axis=(0, 1))
    spread: Pixels = around.max((-2, -1)) - around.min((-2, -1))
    return spread
