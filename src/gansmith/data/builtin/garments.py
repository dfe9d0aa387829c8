"""Garments to be translated to their outlines: Fashion-MNIST framed to 32 pixels a side, under names.

Xiao, Rasul, Vollgraf 2017, "Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning Algorithms".
`outlines` has the outline of each under the same name, so that a translation learned without pairs can be scored.
"""

from __future__ import annotations

import numpy as np

from gansmith import catalog
from gansmith.data.derived import Derived, Pixels

NEEDS = {"folders": ("fashion_mnist", "fashion-mnist", "FashionMNIST")}

SIDE = 32


def build(*, count: int = 6000) -> Derived:
    """uint8 [32, 32, 1], white on black: `count` of the 60,000 training images, spread evenly.

    Raises DataError when Fashion-MNIST is not on this machine.

    >>> from pathlib import Path  # twelve images stand in for the files of the set
    >>> folder = catalog.find("formats", "idx", "example")(Path("data/fashion_mnist"))
    >>> garments = build(count=10)
    >>> garments.keys[1], garments[1].image.shape
    ('image_00001', (32, 32, 1))
    """
    source = catalog.build("datasets", "fashion_mnist")
    return Derived(source, framed, name="garments", count=count, version=1, size=(SIDE, SIDE))


def framed(image: Pixels) -> Pixels:
    """uint8 [H, W, C], sides of at most 32 -> [32, 32, C], with black round it."""
    room = [SIDE - side for side in image.shape[:2]]
    return np.pad(image, [(free // 2, free - free // 2) for free in room] + [(0, 0)])
