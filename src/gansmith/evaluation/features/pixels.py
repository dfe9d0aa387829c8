"""Pixels averaged over areas: no network, no weights, the plainest features."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from gansmith.errors import OptionError
from gansmith.evaluation import preprocess
from gansmith.evaluation.types import Extractor, Outputs
from gansmith.evaluation.weights import identity
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

    return Extractor(
        name="pixels",
        digest=identity("pixels", {"size": size}),
        prepared=f"channels as they are, areas averaged to at most {size}x{size}",
        run=run,
        device=choose_device(device),
        batch=256,
    )
