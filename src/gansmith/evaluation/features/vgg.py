"""LPIPS on VGG16: a perceptual distance, and features that find the source of a copy.

Simonyan, Zisserman 2014, "Very Deep Convolutional Networks for Large-Scale Image Recognition", configuration D; Zhang,
Isola, Efros, Shechtman, Wang 2018, "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric", equation 1
with the linear heads of version 0.1, which were fitted on patches of 64 pixels.

`distance` is LPIPS. It is a squared Euclidean distance, summed over layers and averaged over places, of unit-length
activations times the roots of the heads. The features are these, averaged over 4 x 4 areas so that a shift within them
hardly moves them, and then sketched: put in a fixed random order and summed by eights with random signs, which keeps
distances to within some 3 % (Charikar, Chen, Farach-Colton 2002, "Finding Frequent Items in Data Streams"). 2,944 such
numbers find the source of a copy as often as the 23,552 before the sketch, and oftener than averages over 2 x 2 areas.
"""

from __future__ import annotations

from typing import Annotated

import numpy as np
import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from gansmith.errors import DataError
from gansmith.evaluation import preprocess
from gansmith.evaluation.types import Extractor, Outputs
from gansmith.pretrained import pickled_arrays
from gansmith.pretrained.lpips import LEAST, apart, units
from gansmith.pretrained.vgg import WEIGHTS, WIDTHS, stages, torch_names
from gansmith.pretrained.weights import content_of, identity, read
from gansmith.system.device import choose_device
from gansmith.system.option_types import LARGEST_INPUT
from gansmith.system.seeding import mix, seeded

NEEDS = {"files": ("vgg16.ckpt",)}
CELLS = 4  # areas a side that activations are averaged over
FOLD = 8  # numbers that the sketch sums into one


def build(
    *,
    weights: str | None = None,
    device: str = "auto",
    size: Annotated[int, Field(ge=LEAST, le=LARGEST_INPUT)] | None = 64,
) -> Extractor:
    """Features [B, 2944], and LPIPS as `distance`, of images brought to `size` pixels a side.

    size: None leaves images at their own, as in published LPIPS numbers; they then need 16 pixels a side.

    >>> WEIGHTS.file  # what `weights` points to, or lies in the cache
    'vgg16.ckpt'
    """
    tensors = torch_names(pickled_arrays.read(read(WEIGHTS, weights)))
    network = Lpips()
    network.load_state_dict(tensors)
    return wrap(network, WEIGHTS.sha256, device=device, size=size)


def untrained(*, device: str = "auto") -> Extractor:
    """The extractor of a small network of random weights, for tests: features [B, 60] of images at 16 pixels.

    >>> untrained(device="cpu").run(torch.zeros(2, 3, 8, 8, dtype=torch.uint8)).features.shape
    torch.Size([2, 60])
    """
    with seeded("vgg untrained"):
        network = Lpips(((4, 6), (6,), (6,), (6,), (6,)))
    return wrap(network, content_of(network), device=device, size=LEAST)


def wrap(network: Lpips, digest: str, *, device: str = "auto", size: int | None = 64) -> Extractor:
    """The extractor of a network with any weights; digest: of these weights."""
    where = choose_device(device)
    network = network.eval().requires_grad_(False).to(where)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # 1.1 times as fast on a CPU

    def resized(images: Tensor) -> Tensor:
        levels = preprocess.to_channels(preprocess.levels(images.to(where)), 3)
        if size is None and min(levels.shape[-2:]) < LEAST:
            raise DataError(
                f"the extractor vgg needs images of at least {LEAST} pixels a side, not {list(levels.shape[-2:])}: "
                f"give it a size, as 64, to which they are enlarged"
            )
        return levels if size is None else preprocess.resize(levels, (size, size))

    def run(images: Tensor) -> Outputs:
        return Outputs(network.embed(resized(images)))

    def distance(one: Tensor, other: Tensor) -> Tensor:
        if one.shape != other.shape:
            raise DataError(
                f"a distance is between batches of one shape, not {list(one.shape)} and {list(other.shape)}"
            )
        distances: Tensor = network(resized(one), resized(other))
        return distances

    return Extractor(
        name="vgg",
        digest=identity(digest, {"size": size, "cells": CELLS, "fold": FOLD}),
        prepared=preprocess.words(None if size is None else (size, size)),
        run=run,
        device=where,
        batch=32,
        distance=distance,
    )


class Lpips(nn.Module):
    """LPIPS: RGB levels [B, 3, H, W] in [0, 255], twice -> distances [B]."""

    order: Tensor
    signs: Tensor

    def __init__(self, widths: tuple[tuple[int, ...], ...] = WIDTHS) -> None:
        super().__init__()
        self.stages = stages(widths)
        self.heads = nn.ParameterList(nn.Parameter(torch.ones(stage[-1])) for stage in widths)
        count = sum(stage[-1] for stage in widths) * CELLS**2
        rng = np.random.default_rng(mix("sketch of vgg"))
        self.register_buffer("order", torch.from_numpy(rng.permutation(count)), persistent=False)
        self.register_buffer("signs", torch.from_numpy(rng.choice([-1.0, 1.0], count)).float(), persistent=False)

    def activations(self, levels: Tensor) -> list[Tensor]:
        """The last activations [B, C, h, w] of each stage, scaled to unit length along C."""
        return units(self.stages, levels / 127.5 - 1)

    def averages(self, levels: Tensor) -> Tensor:
        """Averages [B, 16 * sum of C] over 4 x 4 areas of the activations times the roots of the heads."""
        parts = [
            F.adaptive_avg_pool2d(unit * head.clamp_min(0).sqrt()[:, None, None], CELLS).flatten(1) / CELLS
            for unit, head in zip(self.activations(levels), self.heads, strict=True)
        ]
        return torch.cat(parts, 1)

    def embed(self, levels: Tensor) -> Tensor:
        """Count sketch [B, 2 * sum of C] of the averages, which keeps their distances."""
        folded: Tensor = (self.averages(levels)[:, self.order] * self.signs).unflatten(1, (-1, FOLD)).sum(2)
        return folded

    def forward(self, one: Tensor, other: Tensor) -> Tensor:
        return apart(self.heads, self.activations(one), self.activations(other))
