"""Fine detail: how much images have of it, beside others, and beside these after a known blur or noise.

The detail of an image is the logarithm of the mean square of its Laplacian, the sum of a pixel's differences from its
four neighbours, on the mean of the colours: the finest waves that the pixel grid holds weigh most. Grain counts as much
as sharp edges do.
"""

from __future__ import annotations

import numpy as np

from gansmith.data.subsets import evenly_spaced
from gansmith.evaluation.damages import TEXTURE
from gansmith.evaluation.types import Images

SMOOTH = ("after a blur of 0.5 pixels", "after a blur of 1 pixel", "after a blur of 2 pixels")
GRAINY = ("with noise of 12 levels", "with noise of 25 levels")
_MOST = 200  # images of each side
_LEAST = 0.1  # of a squared level: images of one colour


def detail(images: Images) -> float:
    """uint8 [N, H, W, C] -> the mean over images of log(mean square of the Laplacian).

    >>> rng = np.random.default_rng(0)
    >>> noise = rng.integers(0, 255, (4, 8, 8, 1)).astype(np.uint8)
    >>> detail(noise) > detail(noise // 2)
    True
    """
    grey = images[..., :3].astype(np.float64).mean(axis=-1) if images.shape[-1] > 2 else images[..., 0].astype(float)
    around = np.pad(grey, ((0, 0), (1, 1), (1, 1)), mode="edge")
    edges = around[:, :-2, 1:-1] + around[:, 2:, 1:-1] + around[:, 1:-1, :-2] + around[:, 1:-1, 2:] - 4 * grey
    return float(np.log(np.square(edges).mean(axis=(1, 2)) + _LEAST).mean())


def as_fine_as(real: Images, samples: Images) -> str:
    """Real images and samples, uint8 [N, H, W, C] -> "after a blur of 1 pixel", "with noise of 12 levels" or
    "undamaged": which real images' detail is nearest to that of the samples."""
    real, samples = (side[evenly_spaced(len(side), _MOST)] for side in (real, samples))
    marks = {"undamaged": detail(real), **{name: detail(TEXTURE[name](real)) for name in (*SMOOTH, *GRAINY)}}
    value = detail(samples)
    return min(marks, key=lambda name: abs(marks[name] - value))
