"""Toy: points from 8 Gaussians on a circle, a test of mode collapse.

Metz et al. 2017, "Unrolled Generative Adversarial Networks": radius 2, deviation 0.02.
# Differs: everything is divided by 2.5, because images lie in [-1, 1]: radius 0.8, deviation 0.008.
"""

from __future__ import annotations

import numpy as np

from gansmith.data.points import Points

SCALE = 1 / 2.5


def build(*, count: int = 50_000) -> Points:
    """float32 [1, 1, 2] in [-1, 1]; `count` points, the same every time, labelled by mode.

    >>> points = build(count=100)
    >>> len(points), points[0].image.shape, len(points.centres)
    (100, (1, 1, 2), 8)
    """
    angles = 2 * np.pi * np.arange(8) / 8
    centres = 2 * SCALE * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return Points("ring", centres, 0.02 * SCALE, count)
