"""What every sheet of a run is made from: the latents of the first seeds, their labels, and a few real images."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from gansmith.adversarial import Fixed, Sample
from gansmith.data.dataset import Dataset, Indices
from gansmith.data.stream import normalised
from gansmith.data.subsets import random_subset
from gansmith.experiment.assemble import Assembly
from gansmith.latent.renderer import Renderer
from gansmith.system.seeding import mix

_MANY = 16  # classes: up to here a sheet has a column for each


def fixed(parts: Assembly, count: int) -> Fixed:
    """`count` latents (seeds 0, 1, 2 ...) with the classes in turn, and up to `count` real images of each domain, as
    many of both: held out where any are, by the seed, the same in every sitting."""
    renderer = Renderer(nn.Identity(), parts.prior)
    latents = renderer.latents(range(count)).to(parts.device)
    classes = parts.prior.classes
    label = torch.arange(count, device=parts.device) % classes if classes else None
    data, seed = parts.data, parts.experiment.seed
    if data.other is None:
        return Fixed(latents, label, {"real": some(parts, data.holdout or data.train, count, seed)})
    sides = {"a": data.holdout or data.train, "b": data.other.holdout or data.other.train}
    if data.paired and len(sides["a"]) != len(sides["b"]):
        sides = {"a": data.train, "b": data.other.train}
    count = min(count, *map(len, sides.values()))  # as many of both
    return Fixed(latents, label, {name: some(parts, side, count, seed) for name, side in sides.items()})


def columns(parts: Assembly) -> int | None:
    """Of a sheet: the game's own, one for each class where these are few, or near-square (None)."""
    if parts.game.columns is None and 1 < parts.prior.classes <= _MANY and conditional(parts):
        return parts.prior.classes
    return parts.game.columns


def conditional(parts: Assembly) -> bool:
    """Does the generator answer labels?"""
    return bool(getattr(parts.game.players.get("generator"), "conditional", False))


def some(parts: Assembly, dataset: Dataset, count: int, seed: int) -> Sample:
    """Up to `count` images of a dataset on the run's device, in [-1, 1], by the seed."""
    rng = np.random.default_rng(mix(seed, "watch"))
    return shown(parts, dataset, random_subset(len(dataset), count, rng))


def shown(parts: Assembly, dataset: Dataset, chosen: Indices) -> Sample:
    """The images at `chosen`, as the networks see them."""
    picture = dataset[chosen]

    def moved(array: object) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(array)).to(parts.device)

    return Sample(normalised(moved(picture.image)), None if picture.label is None else moved(picture.label))
