"""The luma of an image in a grid of 4 x 4 areas: no network, no weights."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from gansmith.errors import OptionError
from gansmith.evaluation import preprocess
from gansmith.evaluation.types import Extractor, Outputs
from gansmith.pretrained.weights import identity
from gansmith.system.device import choose_device


def build(*, weights: str | None = None, device: str = "auto") -> Extractor:
    """Features [B, 16] in [0, 1]. Takes no weights.

    >>> import torch
    >>> build(device="cpu").run(torch.full((2, 3, 8, 8), 255, dtype=torch.uint8)).features.shape
    torch.Size([2, 16])
    """
    if weights is not None:
        raise OptionError(f"the extractor thumbnail has no weights, and weights = {weights!r} was given. Leave it out")

    def run(images: Tensor) -> Outputs:
        grey = preprocess.to_channels(preprocess.levels(images), 1) / 255
        return Outputs(F.adaptive_avg_pool2d(grey, 4).flatten(1))

    prepared = f"{preprocess.words(None, 1)}, areas averaged to 4x4"
    return Extractor("thumbnail", identity("thumbnail", {"size": 4}), prepared, run, choose_device(device))
