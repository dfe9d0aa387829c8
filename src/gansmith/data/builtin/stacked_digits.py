"""Toy: three random digits as red, green and blue, 1,000 modes that are all images; a test of mode collapse.

Metz et al. 2017, "Unrolled Generative Adversarial Networks", section 3.3.1; Lin et al. 2018, "PacGAN: The power of two
samples in generative adversarial networks", section 4.2 (stacked MNIST).
# Differs: by default the digits are the embedded ones, which are always there; `digits: mnist` is the published set.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gansmith import catalog
from gansmith.data.dataset import ImageItem, Indices
from gansmith.data.encoded import digest
from gansmith.data.limits import require_count
from gansmith.data.source import Source
from gansmith.system.seeding import mix

SIZE = (32, 32)
_IMAGE = 150  # bytes: which digits it is of, its label and its key


class Stacked(Source):
    """uint8 [H, W, 3], composed when they are asked for.

    digits  uint8 [M, H, W];  chosen  int64 [N, 3]: which of them are red, green and blue of each image
    """

    def __init__(self, digits: NDArray[np.uint8], values: NDArray[np.int64], chosen: NDArray[np.int64]) -> None:
        self.digits, self.chosen = digits, chosen
        self.name, self.size = "stacked_digits", SIZE
        self.labels = label_of(values[chosen])
        self.classes = tuple(f"{label:03}" for label in range(1000))
        self.keys = [str(index) for index in range(len(chosen))]

    def one(self, index: int) -> ImageItem:
        item = self.many(np.array([index]))
        return ImageItem(item.image[0], int(item.label[0]))

    def many(self, indices: Indices) -> ImageItem:
        assert self.labels is not None
        return ImageItem(self.digits[self.chosen[indices]].transpose(0, 2, 3, 1), self.labels[indices])

    def stamp(self, index: int) -> bytes:
        return digest(self.one(index).image.tobytes())


def label_of(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """Digits [N, 3], red, green and blue -> the number 0 to 999 with these three digits."""
    labels: NDArray[np.int64] = values @ np.array([100, 10, 1], dtype=np.int64)
    return labels


def build(*, digits: Literal["digits", "mnist"] = "digits", count: int = 60_000) -> Stacked:
    """uint8 [8, 8, 3] of the embedded digits, or [28, 28, 3] of MNIST; `count` images, the same every time.

    Each of the three digits is drawn from all images of the set. Raises DataError when MNIST is not on this machine.

    >>> stacked = build(count=100)
    >>> len(stacked), stacked[0].image.shape, len(stacked.classes)
    (100, (8, 8, 3), 1000)
    """
    require_count("stacked_digits", count, _IMAGE)
    source: Source = catalog.build("datasets", digits)
    items = source[np.arange(len(source))]
    rng = np.random.default_rng(mix("stacked_digits"))  # fixed: the set is the same set every time
    chosen = rng.integers(len(source), size=(count, 3), dtype=np.int64)
    return Stacked(items.image[..., 0], items.label, chosen)
