"""The images and the extractor that the parts `judge` and `training` share, so that the second finds them prepared."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.device.part import Part
from gansmith.data.prepare import prepare
from gansmith.data.settings import DataSettings
from gansmith.evaluation.features import mobilenet
from gansmith.evaluation.types import Extractor

SIZE = 32
HOLDOUT = 0.4


def settings(part: Part) -> dict[str, Any]:
    """Of the data: two fifths held out, image by image, so that 10,000 of 25,000 are there to compare with."""
    if part.data is not None:
        path = part.data
    else:
        path = part.results.with_name("random.npy")
        if not path.exists():
            shape = (120 if part.quick else 25_000, SIZE, SIZE, 3)
            np.save(path, np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8))
    fraction = 0.01 if part.quick and part.data is not None else 1.0
    size = 16 if part.quick else SIZE
    fixed = {"channels": 3, "holdout": HOLDOUT, "holdout_by": "file", "fraction": fraction}
    return {"path": str(path), "size": f"{size}x{size}", **fixed}


def halves(part: Part) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """As many held-out images as trained-on ones, at most 10,000 each: uint8 [N, H, W, C]."""
    prepared = prepare(DataSettings(**settings(part)))
    assert prepared.holdout is not None
    count = min(10_000, len(prepared.holdout), len(prepared.train))
    return prepared.holdout[:count].image, prepared.train[:count].image


def network(part: Part, *, size: int, device: str | None = None) -> Extractor:
    """MobileNetV2 with the weights given, or with random ones, whose distances say nothing about images."""
    where = device or str(part.device)
    if part.weights is not None:
        return mobilenet.build(weights=str(part.weights), device=where, size=size)
    torch.manual_seed(0)
    return mobilenet.wrap(mobilenet.MobileNetV2(), "random", device=where, size=size)


def extractor(part: Part) -> Extractor:
    """The one that distances are measured with."""
    return replace(network(part, size=32 if part.quick else 112), batch=batch(part))


def batch(part: Part) -> int:
    """Images to the extractor at once."""
    return 8 if part.quick else 256
