"""Sample images, which the `example` of every format writes, for tests and documentation."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

COUNT = 12
CLASSES = 3


def sample_images() -> NDArray[np.uint8]:
    """uint8 [12, 32, 32, 3], all different; red, green and blue are equal, so that grey formats hold the same.

    >>> sample_images().shape
    (12, 32, 32, 3)
    """
    number, row, column = np.ogrid[:COUNT, :32, :32]
    grey = (17 * number + 5 * row + 3 * column + row * column // 8) % 256
    return np.repeat(grey[..., None].astype(np.uint8), 3, axis=3)


def sample_labels() -> NDArray[np.int64]:
    """int64 [12], ascending: classes 0, 1 and 2, four images each."""
    return np.arange(COUNT, dtype=np.int64) // (COUNT // CLASSES)


def png(image: NDArray[np.uint8]) -> bytes:
    """uint8 [H, W, 3] -> the bytes of a PNG file."""
    file = BytesIO()
    Image.fromarray(image).save(file, "PNG")
    return file.getvalue()
