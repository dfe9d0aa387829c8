"""Toy sets: points drawn from a mixture of round Gaussians in the plane, with the true modes kept for evaluation.

Counting catches a generator that misses modes or puts points between them: a point within three standard deviations of
a centre is of high quality, a centre with such points is a covered mode. Srivastava et al. 2017, "VEEGAN:
Reducing Mode Collapse in GANs using Implicit Variational Learning".
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gansmith.data.dataset import ImageItem, Indices
from gansmith.data.encoded import digest
from gansmith.data.limits import require_count
from gansmith.data.source import Source
from gansmith.system.seeding import mix

_POINT = 200  # bytes: the draws in float64, the point, its mode and its key


class Points(Source):
    """float32 [1, 1, 2] in [-1, 1], labelled by mode; the modes are equally likely.

    centres    float64 [K, 2]
    deviation  of every mode, in each direction
    modes      int64 [N]: which one each point was drawn from
    """

    points = True

    def __init__(self, name: str, centres: NDArray[np.float64], deviation: float, count: int) -> None:
        require_count(name, count, _POINT)
        self.name, self.centres, self.deviation = name, centres, deviation
        rng = np.random.default_rng(mix(name))  # fixed: every time the same set
        self.modes = rng.integers(len(centres), size=count, dtype=np.int64)
        self.labels = self.modes
        noise = rng.standard_normal((count, 2))
        self.images = np.clip(centres[self.modes] + deviation * noise, -1, 1).astype(np.float32)[:, None, None, :]
        self.classes = tuple(str(mode) for mode in range(len(centres)))
        self.keys = [str(index) for index in range(count)]

    def one(self, index: int) -> ImageItem:
        return ImageItem(self.images[index], int(self.modes[index]))

    def many(self, indices: Indices) -> ImageItem:
        return ImageItem(self.images.take(indices, axis=0), self.modes.take(indices))

    def stamp(self, index: int) -> bytes:
        return digest(self.images[index].tobytes())
