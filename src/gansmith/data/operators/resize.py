"""Images of any size and mode -> images of one size and mode, which can be stacked, stored and trained on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gansmith.data.dataset import Dataset, ImageItem
from gansmith.data.decode import Fit, conform
from gansmith.data.encoded import Encoded
from gansmith.data.limits import MOST_PIXELS
from gansmith.errors import DataError, OptionError


def build(
    dataset: Dataset,
    *,
    size: int | tuple[int, int],
    channels: int,
    fit: Fit = "crop",
    background: tuple[int, int, int] = (255, 255, 255),
) -> Dataset:
    """uint8 [height, width, channels], labels kept; `size` is the side of a square or (height, width).

    The rest as in `gansmith.data.decode.conform`. Put it first after the source: large JPEGs are then decoded at no
    more than the detail that is needed. Raises DataError for a set of points, OptionError for a size that is too
    large or not positive.

    >>> from gansmith.data.open import open_dataset
    >>> build(open_dataset("digits"), size=16, channels=3)[0].image.shape
    (16, 16, 3)
    """
    if getattr(dataset, "points", False):
        raise DataError("points have no size to change; train on them as they are")
    height, width = (size, size) if isinstance(size, int) else size
    if min(height, width) < 1 or height * width > MOST_PIXELS:
        raise OptionError(f"size = {size} is not allowed: sides are at least 1, {MOST_PIXELS:,} pixels in all")
    return Resized(dataset, (height, width), channels, fit, background)


def example(operator: Callable[..., Any]) -> Any:
    """The operator with sample arguments, on a dataset of ImageItems."""
    return operator(size=(8, 16), channels=1)


class Resized(Dataset):
    """See `build`."""

    def __init__(
        self, dataset: Dataset, size: tuple[int, int], channels: int, fit: Fit, background: tuple[int, int, int]
    ) -> None:
        self.dataset, self.size, self.channels, self.fit, self.background = dataset, size, channels, fit, background

    def __len__(self) -> int:
        return len(self.dataset)

    def one(self, index: int) -> ImageItem:
        source = self.dataset
        item = source.near(index, self.size) if isinstance(source, Encoded) else source.one(index)
        image = conform(item.image, size=self.size, channels=self.channels, fit=self.fit, background=self.background)
        return ImageItem(image, item.label)
