"""Source of images in one array in memory: uint8 [N, H, W, C], all of one size."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gansmith.data.dataset import Arrays, ImageItem, Indices
from gansmith.data.encoded import digest
from gansmith.data.source import Source


class ArraySource(Source):
    """Images in memory. A batch is one `take`."""

    def __init__(
        self,
        images: NDArray[np.uint8],
        labels: NDArray[np.int64] | None = None,
        *,
        name: str,
        classes: tuple[str, ...] | None = None,
        size: tuple[int, int] | None = None,
    ) -> None:
        self.arrays = Arrays(images, labels)
        self.name, self.labels, self.classes, self.size = name, labels, classes, size
        self.keys = [str(index) for index in range(len(images))]

    def one(self, index: int) -> ImageItem:
        return self.arrays.one(index)

    def many(self, indices: Indices) -> ImageItem:
        return self.arrays.many(indices)

    def stamp(self, index: int) -> bytes:
        return digest(self.arrays.images[index].tobytes())
