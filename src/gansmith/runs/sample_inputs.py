"""Inputs of a run's sample sheets, equal for all of them: latents of the first seeds, labels, and a few real images."""

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

_MOST_COLUMNS = 16  # classes that a sheet has a column for each of


def sample_inputs(parts: Assembly, count: int) -> Fixed:
    """`count` latents (seeds 0, 1, 2 ...) with the classes in turn, and up to `count` real images of each domain, as
    many of both: held out where any are, drawn by the run's seed."""
    renderer = Renderer(nn.Identity(), parts.prior)
    latents = renderer.latents(range(count)).to(parts.device)
    classes = parts.prior.classes
    label = torch.arange(count, device=parts.device) % classes if classes else None
    data, seed = parts.data, parts.experiment.seed
    if data.other is None:
        return Fixed(latents, label, {"real": random_images(parts, data.holdout or data.train, count, seed)})
    sides = {"a": data.holdout or data.train, "b": data.other.holdout or data.other.train}
    if data.paired and len(sides["a"]) != len(sides["b"]):
        sides = {"a": data.train, "b": data.other.train}
    count = min(count, *map(len, sides.values()))  # as many of both
    return Fixed(latents, label, {name: random_images(parts, side, count, seed) for name, side in sides.items()})


def sheet_columns(parts: Assembly) -> int | None:
    """Columns of a sheet: the game's own number, or one for each class where these are few; None: near-square."""
    if parts.game.columns is None and 1 < parts.prior.classes <= _MOST_COLUMNS and is_conditional(parts):
        return parts.prior.classes
    return parts.game.columns


def is_conditional(parts: Assembly) -> bool:
    """Does the generator read labels?"""
    return bool(getattr(parts.game.players.get("generator"), "conditional", False))


def random_images(parts: Assembly, dataset: Dataset, count: int, seed: int) -> Sample:
    """Up to `count` images drawn by `seed`, as `images_at` returns them."""
    rng = np.random.default_rng(mix(seed, "watch"))
    return images_at(parts, dataset, random_subset(len(dataset), count, rng))


def images_at(parts: Assembly, dataset: Dataset, indices: Indices) -> Sample:
    """The images at `indices` on the run's device, in [-1, 1], with their labels."""
    sample = dataset[indices]

    def moved(array: object) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(array)).to(parts.device)

    return Sample(normalised(moved(sample.image)), None if sample.label is None else moved(sample.label))
