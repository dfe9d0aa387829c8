"""Linear translators and discriminators with closed-form terms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from gansmith import catalog
from gansmith.adversarial import Game, Moment, Objective, Sample, Terms
from gansmith.data.prior import Prior
from gansmith.training.engine import unfreeze_only

SHAPE = (2, 3, 3)


PIXELS = 18


class Linear(nn.Module):
    """Images -> images, by one matrix; counts its calls."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        rng = torch.Generator().manual_seed(seed)
        self.matrix = nn.Parameter(torch.randn(PIXELS, PIXELS, generator=rng, dtype=torch.float64) / 4)
        self.read: list[Tensor] = []

    def forward(self, image: Tensor, label: Tensor | None = None) -> Tensor:
        assert label is None
        self.read.append(image.detach().clone())
        return (image.flatten(1) @ self.matrix).unflatten(1, SHAPE)


class Judge(nn.Module):
    """Images -> scores of two patches [B, 1, 1, 2], by one matrix; remembers what it was shown."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        rng = torch.Generator().manual_seed(seed)
        self.matrix = nn.Parameter(torch.randn(PIXELS, 2, generator=rng, dtype=torch.float64) / 4)
        self.shown: list[Tensor] = []

    def forward(self, image: Tensor, label: Tensor | None = None) -> Tensor:
        assert label is None
        self.shown.append(image.detach().clone())
        return (image.flatten(1) @ self.matrix)[:, None, None]


Players = dict[str, Any]


def players() -> Players:
    return {"to_b": Linear(1), "to_a": Linear(2), "discriminator_a": Judge(3), "discriminator_b": Judge(4)}


def lsgan(**changes: Any) -> Objective:
    """As CycleGAN's code has it: no 1/2 for the generator."""
    objective: Objective = catalog.build("objectives", "lsgan", generator_factor=1.0)
    return replace(objective, **changes)


def game(objective: Objective | None = None, **options: Any) -> tuple[Game, Players]:
    made = players()
    return catalog.build("games", "cycle", made, objective or lsgan(), Prior(size=5), **options), made


def batch(seed: int = 0, count: int = 4) -> dict[str, Sample]:
    rng = torch.Generator().manual_seed(seed)
    a, b = (torch.rand(count, *SHAPE, generator=rng, dtype=torch.float64) * 2 - 1 for _ in range(2))
    return {"a": Sample(a, torch.zeros(count, dtype=torch.int64)), "b": Sample(b)}


def moment(step: int = 0, images: int = 0, seed: int = 9) -> Moment:
    return Moment(step, images, 0, torch.Generator().manual_seed(seed))


def play(made: Game, number: int, given: Mapping[str, Sample], at: Moment | None = None) -> Terms:
    """A turn as the engine plays it: its players unfrozen, all others frozen."""
    unfreeze_only({name: [*player.parameters()] for name, player in made.players.items()}, made.turns[number].players)
    return made.turns[number].play(given, at or moment()).checked()


def translated(image: Tensor, matrix: Tensor) -> Tensor:
    return (image.flatten(1) @ matrix).reshape(image.shape)
