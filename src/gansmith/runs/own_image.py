"""An image of the user's, brought to the size and channels that a run's networks know, as its training images were."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gansmith.data.decode import conform, decode
from gansmith.data.settings import DataSettings
from gansmith.data.stream import normalised
from gansmith.errors import DataError
from gansmith.system.files import unreadable


def own_image(settings: DataSettings, image: Path, shape: tuple[int, int, int]) -> NDArray[np.uint8]:
    """The file as uint8 [H, W, C] of `shape` (height, width, channels), cropped or padded as a run's settings say.
    Raises DataError for a file that cannot be read."""
    reason = unreadable(image)
    if reason is not None or not image.is_file():
        raise DataError(f"{image} cannot be read: {reason or 'there is no such file'}")
    height, width, channels = shape
    pixels = decode(image.read_bytes(), str(image))
    fitted = conform(pixels, size=(height, width), channels=channels, fit=settings.fit, background=settings.background)
    return np.ascontiguousarray(fitted, dtype=np.uint8)


def own_target(settings: DataSettings, image: Path, shape: tuple[int, int, int]) -> Tensor:
    """`own_image` as float32 [1, C, H, W] in [-1, 1]."""
    return normalised(torch.from_numpy(own_image(settings, image, shape))[None])
