"""A format whose pictures take long to come: what a network drive is like."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np

from gansmith.data.array_source import ArraySource
from gansmith.data.dataset import ImageItem, Indices


class Slow(ArraySource):
    def many(self, indices: Indices) -> ImageItem:
        time.sleep(0.02)
        return super().many(indices)

    def one(self, index: int) -> ImageItem:
        time.sleep(0.002)
        return super().one(index)


def build(path: Path) -> Slow:
    images = np.random.default_rng(0).integers(0, 256, (40, 8, 8, 1), dtype=np.uint8)
    return Slow(images, name="slow", size=(8, 8))
