"""The images and the extractor that the parts `judge` and `training` share, so that the second has them prepared."""

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
from gansmith.pretrained.mobilenet import MobileNetV2

SIZE = 32
HOLDOUT = 0.2


def settings(part: Part) -> dict[str, Any]:
    """Of the data: a fifth held out, image by image, so that 5,000 of 25,000 are there to compare with."""
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


def held_and_others(part: Part) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The held-out images and as many trained-on ones, drawn at random: uint8 [N, H, W, C].

    A file may be sorted by class: its first images are no sample of the whole.
    """
    prepared = prepare(DataSettings(**settings(part)))
    assert prepared.holdout is not None
    count = min(len(prepared.holdout), len(prepared.train))
    return prepared.holdout[:].image, prepared.train[_drawn(len(prepared.train), count)].image


def halves(part: Part) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Two samples without common images, at random from those trained on, at most 10,000 each: uint8 [N, H, W, C]."""
    train = prepare(DataSettings(**settings(part))).train
    count = min(10_000, len(train) // 2)
    both = _drawn(len(train), 2 * count)
    return train[both[:count]].image, train[both[count:]].image


def _drawn(total: int, count: int) -> NDArray[np.int64]:
    """`count` different numbers below `total`, the same in every call."""
    return np.random.default_rng(0).permutation(total)[:count]


def network(part: Part, *, size: int, device: str | None = None) -> Extractor:
    """MobileNetV2 with the weights given, or with random ones, whose distances say nothing about images."""
    where = device or str(part.device)
    if part.weights is not None:
        return mobilenet.build(weights=str(part.weights), device=where, size=size)
    torch.manual_seed(0)
    return mobilenet.wrap(MobileNetV2(), "random", device=where, size=size)


def extractor(part: Part) -> Extractor:
    """The one that distances are measured with."""
    return replace(network(part, size=32 if part.quick else 112), batch=batch(part))


def batch(part: Part) -> int:
    """Images to the extractor at once."""
    return 8 if part.quick else 256
