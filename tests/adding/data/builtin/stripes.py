"""Stripes: 128 grey images of 16x16, horizontal or vertical stripes of random period and phase, in two classes."""

from __future__ import annotations

import numpy as np

from gansmith.data.array_source import ArraySource
from gansmith.system.seeding import mix


def build() -> ArraySource:
    """uint8 [16, 16, 1] with labels.

    >>> build().one(0).image.shape
    (16, 16, 1)
    """
    rng = np.random.default_rng(mix("stripes"))  # fixed: the same set every time
    labels = np.arange(128, dtype=np.int64) % 2
    period, phase = rng.uniform(4, 10, (128, 1)), rng.uniform(0, 1, (128, 1))
    waves = 127.5 + 100 * np.sin(2 * np.pi * (np.arange(16) / period + phase))
    across = np.repeat(waves[:, None, :], 16, axis=1)
    images = np.where(labels[:, None, None] == 0, across, across.swapaxes(1, 2)) + rng.normal(0, 4, (128, 16, 16))
    pixels = np.clip(np.rint(images), 0, 255).astype(np.uint8)[..., None]
    return ArraySource(pixels, labels, name="stripes", classes=("vertical", "horizontal"))
