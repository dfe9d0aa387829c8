"""Pixels averaged over areas: no network, no weights, the plainest features."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from gansmith.errors import OptionError
from gansmith.evaluation import preprocess
from gansmith.evaluation.types import Extractor, Outputs
from gansmith.pretrained.weights import identity
from gansmith.system.device import choose_device
from gansmith.system.option_types import PositiveInt


def build(*, weights: str | None = None, device: str = "auto", size: PositiveInt = 16) -> Extractor:
    """Features [B, C * h * w] in [-1, 1]: each of the C channels as it is (alpha too), at most `size` pixels a side.

    A longer side is divided into `size` areas and averaged, a shorter one kept. Takes no weights.

    >>> import torch
    >>> build(size=4, device="cpu").run(torch.zeros(2, 3, 8, 8, dtype=torch.uint8)).features.shape
    torch.Size([2, 48])
    """
    if weights is not None:
        raise OptionError(f"the extractor pixels has no weights, and weights = {weights!r} was given. Leave it out")

    def run(images: Tensor) -> Outputs:
        height, width = images.shape[-2:]
        smaller = F.adaptive_avg_pool2d(preprocess.levels(images), (min(size, height), min(size, width)))
        return Outputs((smaller / 127.5 - 1).flatten(1))

    def windows(images: Tensor, corners: Sequence[tuple[int, int]], height: int, width: int) -> Tensor:
        # Sums over areas of all windows are two products with zeros and ones, exact in float32 (whole numbers).
        levels = preprocess.levels(images)
        count = len(levels)
        ys, xs = (sorted(set(places)) for places in zip(*corners, strict=True))
        down = _areas(levels.shape[2], ys, height, min(size, height)).to(images.device)
        across = _areas(levels.shape[3], xs, width, min(size, width)).to(images.device)
        areas = down.sum(1)[:, None] * across.sum(1)[None]
        means = down @ levels @ across.T / (areas * 127.5) - 1
        means = means.view(count, -1, len(ys), min(size, height), len(xs), min(size, width))
        return torch.stack([means[:, :, ys.index(y), :, xs.index(x)].flatten(1) for y, x in corners])

    return Extractor(
        name="pixels",
        digest=identity("pixels", {"size": size}),
        prepared=f"channels as they are, areas averaged to at most {size}x{size}",
        run=run,
        device=choose_device(device),
        batch=256,
        windows=windows,
    )


def _areas(side: int, starts: Sequence[int], length: int, count: int) -> Tensor:
    """Windows of a length at these starts, in `count` areas each -> [windows * count, side], 1 where a pixel lies in
    the area. Areas overlap where the length is no multiple of their count, as those of adaptive_avg_pool2d do."""
    rows = torch.zeros(len(starts), count, side)
    for window, start in enumerate(starts):
        for area in range(count):
            rows[window, area, start + area * length // count : start - (-(area + 1) * length // count)] = 1
    return rows.flatten(0, 1)
