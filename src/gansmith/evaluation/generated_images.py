"""Generated images as files hold them: a range of seeds -> uint8 arrays, a part at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gansmith.latent.renderer import Renderer
from gansmith.records.images import to_uint8
from gansmith.system.progress import Advance

PART = 64  # seeds between two steps of a progress bar; a multiple of every chunk that is used, so that none is cut


def generated_images(renderer: Renderer, seeds: Sequence[int], *, advance: Advance | None = None) -> NDArray[Any]:
    """Seeds [N] -> images uint8 [N, H, W, C], rounded to 8 bits as real images are; points float32 [N, 1, 1, 2]."""
    parts = []
    for start in range(0, len(seeds), PART):
        images = renderer.images(seeds[start : start + PART]).images
        points = tuple(images.shape[1:]) == (2, 1, 1)
        parts.append(images.movedim(1, -1).numpy() if points else to_uint8(images))
        if advance is not None:
            advance(len(images))
    return np.concatenate(parts)
