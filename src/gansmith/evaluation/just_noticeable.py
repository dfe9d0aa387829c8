"""Just noticeable difference: by how many grey levels a pixel must change before an eye notices it.

Chou, Li 1995, "A Perceptually Tuned Subband Image Coder Based on the Measure of Just-Noticeable-Distortion Profile",
IEEE Transactions on Circuits and Systems for Video Technology 5 (6): the larger of what the brightness around a pixel
hides (3 levels on a middle grey, 6 on white) and what an edge beside it hides.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.fft import dctn, idctn

from gansmith.evaluation.metrics.spectrum import FINE, grey
from gansmith.evaluation.types import Images

Array = NDArray[np.float64]

_BLOCK = 1 << 20  # pixels read at once
_LEAST, _MIDDLE, _BRIGHT = 3.0, 127.0, 3 / 128  # levels on a middle grey; the middle; more of them per brighter level
_AROUND = np.array([[1, 1, 1, 1, 1], [1, 2, 2, 2, 1], [1, 2, 0, 2, 1], [1, 2, 2, 2, 1], [1, 1, 1, 1, 1]]) / 32
_ACROSS = np.array([[0, 0, 0, 0, 0], [1, 3, 8, 3, 1], [0, 0, 0, 0, 0], [-1, -3, -8, -3, -1], [0, 0, 0, 0, 0]]) / 16
_SLANTED = np.array([[0, 0, 1, 0, 0], [0, 8, 3, 0, 0], [1, 3, 0, -3, -1], [0, 0, -3, -8, 0], [0, 0, -1, 0, 0]]) / 16


def just_noticeable(luma: Array) -> Array:
    """Grey levels [N, H, W] in [0, 255] -> the change that is just noticed at each pixel [N, H, W], in levels.

    >>> just_noticeable(np.full((1, 8, 8), 127.0)).max()
    np.float64(3.0)
    """
    brightness = _filtered(luma, _AROUND)
    # Differs: 3 levels on black, where the paper has up to 20, because those are of a tube in a lit room.
    alone = _LEAST + _BRIGHT * np.maximum(brightness - _MIDDLE, 0)
    edges = np.stack([np.abs(_filtered(luma, kernel)) for kernel in (_ACROSS, _SLANTED, _SLANTED[:, ::-1], _ACROSS.T)])
    masked = edges.max(axis=0) * (0.0001 * brightness + 0.115) + 0.5 - 0.01 * brightness
    thresholds: Array = np.maximum(alone, masked)
    return thresholds


def noticeable_detail(images: Images) -> Array:
    """Images uint8 [N, H, W, C] -> of each [N], the mean square of its waves above 1/4 cycle per pixel, each pixel in
    units of the change that is just noticed there."""
    height, width = images.shape[1:3]
    down, across = (np.arange(side)[:, None] / (2 * side) for side in (height, width))
    fine = np.hypot(down, across.T) > FINE
    size = max(1, _BLOCK // (height * width))
    values = []
    for start in range(0, len(images), size):
        luma = grey(images[start : start + size])
        # The cosine transform mirrors an image at its sides: no step between opposite ones is taken for detail.
        waves = idctn(dctn(luma, axes=(1, 2), norm="ortho") * fine, axes=(1, 2), norm="ortho")
        values.append(np.square(waves / just_noticeable(luma)).mean(axis=(1, 2)))
    return np.concatenate(values)


def _filtered(luma: Array, kernel: Array) -> Array:
    result: Array = ndimage.correlate(luma, kernel[None], mode="nearest")
    return result
