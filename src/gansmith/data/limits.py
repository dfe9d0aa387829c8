"""Sizes that a file states or has, and the largest that are read; what is larger is refused before it is read.

They bound the memory of one image, or of one file that is read whole, to about 1 GB.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gansmith.errors import DataError, OptionError, UnreadableImageError
from gansmith.system.memory import require_memory

LARGEST_IMAGE = 512 << 20  # bytes of an encoded image
MOST_PIXELS = 128_000_000  # of a decoded one: 100 million are the most that cameras make
LARGEST_WHOLE = 1 << 30  # bytes of a file that is read into memory as a whole
MOST_CLASSES = 100_000  # the largest published set has 21,841


def require_image_size(size: int, where: str) -> None:
    """Raises UnreadableImageError for an encoded image of more than LARGEST_IMAGE bytes."""
    if size > LARGEST_IMAGE:
        raise UnreadableImageError(
            f"{where} has {size:,} bytes, and an image of at most {LARGEST_IMAGE:,} is read; leave it out, or make it "
            f"smaller"
        )


def require_pixels(width: int, height: int, where: str) -> None:
    """Raises UnreadableImageError for an image of more than MOST_PIXELS pixels."""
    if width * height > MOST_PIXELS:
        raise UnreadableImageError(
            f"{where} has {width:,} x {height:,} = {width * height / 1e6:,.0f} million pixels, and at most "
            f"{MOST_PIXELS / 1e6:.0f} million are read; make it smaller"
        )


def require_whole(size: int, path: Path | str, instead: str) -> None:
    """Raises DataError for a file, or its content unpacked, of more than LARGEST_WHOLE bytes."""
    if size > LARGEST_WHOLE:
        raise DataError(
            f"{path} would take {size:,} bytes of memory, and at most {LARGEST_WHOLE:,} are read at once: {instead}"
        )


def require_count(name: str, count: int, each: int) -> None:
    """Raises OptionError for a toy set of no items, or of more, `each` of so many bytes, than fit in memory."""
    if count < 1:
        raise OptionError(f"{name}: count must be at least 1, not {count}")
    require_memory(count * each, f"{name} of count = {count:,}", "choose a smaller count, 50,000 for example")


def classes_of(labels: NDArray[np.integer], where: Path | str) -> tuple[str, ...]:
    """Labels [N], whole numbers from 0 -> a name for each class: its number.

    Raises DataError for a label that asks for more than MOST_CLASSES classes, or is negative.
    """
    most = int(labels.max(initial=-1))
    if int(labels.min(initial=0)) < 0:
        raise DataError(f"{where} has a label of {int(labels.min())}; labels count from 0")
    if most >= MOST_CLASSES:
        raise DataError(
            f"{where} has a label of {most:,}, which would make {most + 1:,} classes, and at most {MOST_CLASSES:,} are "
            f"possible: number the classes from 0 without gaps, numpy.unique(labels, return_inverse=True)[1] does it"
        )
    return tuple(str(label) for label in range(most + 1))
