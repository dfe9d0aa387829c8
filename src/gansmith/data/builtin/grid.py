"""Toy: points from 25 Gaussians on a 5x5 grid, a test of mode collapse.

Lin et al. 2018, "PacGAN: The power of two samples in generative adversarial networks": centres at
-4, -2, 0, 2, 4 in both directions, variance 0.0025.
# Differs: everything is divided by 5, because images lie in [-1, 1]: centres from -0.8 to 0.8, deviation 0.01.
"""

from __future__ import annotations

import numpy as np

from gansmith.data.points import Points

SCALE = 1 / 5


def build(*, count: int = 50_000) -> Points:
    """float32 [1, 1, 2] in [-1, 1]; `count` points, the same every time, labelled by mode.

    >>> points = build(count=100)
    >>> len(points), points[0].image.shape, len(points.centres)
    (100, (1, 1, 2), 25)
    """
    line = SCALE * np.arange(-4.0, 5.0, 2.0)
    centres = np.stack(np.meshgrid(line, line, indexing="ij"), axis=-1).reshape(-1, 2)
    return Points("grid", centres, 0.05 * SCALE, count)
