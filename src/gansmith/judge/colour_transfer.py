"""Colour transfer, the baseline of a translation that knows statistics alone.

Reinhard, Ashikhmin, Gooch, Shirley 2001, "Color Transfer between Images", section 3, in RGB: each channel is brought to
the mean and deviation that the other domain's training images have.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gansmith.data.dataset import Dataset
from gansmith.data.subsets import evenly_spaced
from gansmith.evaluation.types import Images
from gansmith.judge.held_out_pairs import pixels

_SAMPLE = 2048  # training images that the statistics are taken of
_BLOCK = 32  # images read at once


class ColourStatistics(NamedTuple):
    """mean, deviation: float64 [C], in levels from 0 to 255."""

    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]


def colour_statistics(dataset: Dataset) -> ColourStatistics:
    """Mean and standard deviation of each channel, over at most 2,048 images spread evenly through the data set."""
    indices = evenly_spaced(len(dataset), _SAMPLE)
    counts: Any = 0  # [C, 256]: how often each level occurs
    for start in range(0, len(indices), _BLOCK):
        block = pixels(dataset, indices[start : start + _BLOCK])
        counts = counts + np.stack(
            [np.bincount(channel.ravel(), minlength=256) for channel in np.moveaxis(block, 3, 0)]
        )
    share, levels = counts / counts.sum(1, keepdims=True), np.arange(256.0)
    mean = share @ levels
    return ColourStatistics(mean, np.sqrt((share * (levels - mean[:, None]) ** 2).sum(1)))


def recoloured(images: Images, before: ColourStatistics, after: ColourStatistics) -> Images:
    """Images uint8 [N, H, W, C] with the statistics `before` -> the same with those `after`, level by level."""
    levels = np.arange(256.0)[:, None]
    moved = (levels - before.mean) / np.maximum(before.deviation, 1e-6) * after.deviation + after.mean
    table = np.clip(moved, 0, 255).round().astype(np.uint8)  # [256, C]
    result: Images = table[images, np.arange(images.shape[3])]
    return result
