"""Photographs to be translated to night: CIFAR-10, or any set, as it is, under names.

`night` has the night of each under the same name, so that a translation learned without pairs can be scored.
"""

from __future__ import annotations

from gansmith.data.derived import Derived, Pixels
from gansmith.data.open import open_dataset

NEEDS = {"folders": ("cifar10", "cifar-10", "cifar-10-batches-bin")}


def build(*, of: str = "cifar10", count: int = 6000) -> Derived:
    """uint8 [H, W, C]: `count` images, spread evenly over `of`, a folder, a file or the name of a built-in set.

    Raises DataError when that set is not on this machine.

    >>> day = build(of="digits", count=10)
    >>> len(day), day.keys[1], day[1].image.shape
    (10, 'image_00200', (8, 8, 1))
    """
    return Derived(open_dataset(of), unchanged, name="day", count=count, version=1)


def unchanged(image: Pixels) -> Pixels:
    return image
