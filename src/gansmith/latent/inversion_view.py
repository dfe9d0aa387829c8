"""Target of an inversion and the nearest image so far, side by side, for a progress display."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from gansmith.records.images import to_uint8

_GAP = 2  # white columns between the two


class View:
    """Target [1, C, H, W] beside the nearest of all images seen, as pixels.

    >>> import torch
    >>> view = View(torch.zeros(1, 1, 4, 4))
    >>> view.see(torch.ones(2, 1, 4, 4), torch.tensor([0.5, 0.4]))
    >>> view.pixels().shape
    (4, 10, 3)
    """

    def __init__(self, target: Tensor) -> None:
        self._target, self._nearest, self._least = target[0], target[0], math.inf

    def see(self, images: Tensor, distances: Tensor) -> None:
        """Images [B, C, H, W] and their distances [B] from the target."""
        least, place = distances.detach().min(0)
        if float(least) < self._least:
            self._least, self._nearest = float(least), images[int(place)].detach()

    def pixels(self) -> NDArray[np.uint8] | None:
        """uint8 [H, 2 W + 2, 3]; None before an image was seen."""
        if not math.isfinite(self._least):
            return None
        one, other = (_colour(to_uint8(image)) for image in (self._target, self._nearest))
        return np.concatenate([one, np.full((one.shape[0], _GAP, 3), 255, np.uint8), other], 1)


def _colour(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    """uint8 [H, W, 1, 3 or 4] -> [H, W, 3]; transparent pixels on white."""
    if pixels.shape[2] < 4:
        return pixels[:, :, :3].repeat(3 // pixels.shape[2], 2)
    share = pixels[:, :, 3:] / 255
    return (pixels[:, :, :3] * share + 255 * (1 - share)).round().astype(np.uint8)
