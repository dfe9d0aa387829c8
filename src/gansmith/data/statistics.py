"""Exact mean and standard deviation of each channel over a whole set, from integer counts of pixel values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gansmith.data.dataset import Dataset
from gansmith.data.unreadable import reason
from gansmith.errors import DataError, UnreadableImageError
from gansmith.system.progress import bar


@dataclass(frozen=True)
class Statistics:
    """Over all pixels of `images` images, one number per channel, on [0, 1]; `deviation` divides by N, not N - 1."""

    images: int
    pixels: int
    mean: tuple[float, ...]
    deviation: tuple[float, ...]

    @property
    def signed_mean(self) -> tuple[float, ...]:
        """On [-1, 1], the range inside the program."""
        return tuple(2 * value - 1 for value in self.mean)

    @property
    def signed_deviation(self) -> tuple[float, ...]:
        """On [-1, 1]."""
        return tuple(2 * value for value in self.deviation)


def channel_statistics(
    dataset: Dataset, *, names: Sequence[str] | None = None, failures: dict[str, str] | None = None
) -> Statistics:
    """Of a dataset of ImageItems uint8 [H, W, C] with one C; sizes may differ, and every pixel weighs the same.

    failures   takes up images that cannot be decoded, name -> reason, which are left out; without it they are errors
    """
    counts: NDArray[np.int64] | None = None  # [C, 256]
    with bar("counting pixels", len(dataset)) as advance:
        for index in range(len(dataset)):
            try:
                image = dataset.one(index).image
            except UnreadableImageError as error:
                if failures is None:
                    raise
                failures[str(index) if names is None else names[index]] = reason(error)
                advance()
                continue
            counted = histogram(image)
            if counts is not None and len(counts) != len(counted):
                raise DataError(f"image {index} has {len(counted)} channels where the others have {len(counts)}")
            counts = counted if counts is None else counts + counted
            advance()
    if counts is None:
        raise DataError("there are no images to take statistics of")
    return from_counts(counts, images=len(dataset) - len(failures or ()))


def histogram(image: NDArray[Any]) -> NDArray[np.int64]:
    """uint8 [H, W, C] -> histogram of each channel, int64 [C, 256]."""
    channels = [np.bincount(image[..., c].ravel(), minlength=256) for c in range(image.shape[-1])]
    return np.stack(channels).astype(np.int64)


def from_counts(counts: NDArray[np.int64], *, images: int) -> Statistics:
    """Statistics from counts int64 [C, 256]: sums of integers, divided once at the end."""
    means, deviations = [], []
    for channel in counts.tolist():
        number = sum(channel)
        first = sum(value * times for value, times in enumerate(channel))
        second = sum(value * value * times for value, times in enumerate(channel))
        means.append(first / number / 255)
        deviations.append(sqrt(number * second - first * first) / number / 255)
    return Statistics(images, sum(counts[0].tolist()), tuple(means), tuple(deviations))
