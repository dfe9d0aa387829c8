"""A lazy penalty (every third step, weighted by a schedule) and a clamp that adapts: state that changes in `settle`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from gansmith.adversarial import Game, Moment, Objective, Scores, Terms, Weighted
from gansmith.data.prior import Prior
from gansmith.games import two_player

ROLES = two_player.ROLES


def slope(discriminator: nn.Module, scores: Scores, rng: torch.Generator) -> Tensor:
    """|gradient of the scores by the real images|^2: [B]."""
    (gradient,) = torch.autograd.grad(scores.real.sum(), scores.shown_real.image, create_graph=True)
    return gradient.square().flatten(1).sum(1)


class Adapted:
    """A number that follows the accuracy, as an adaptive augmentation's probability does."""

    def __init__(self) -> None:
        self.value = 0.0

    def state_dict(self) -> dict[str, Any]:
        return {"value": self.value}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.value = state["value"]


def build(players: Mapping[str, nn.Module], objective: Objective, prior: Prior, *, every: int = 3) -> Game:
    adapted = Adapted()

    def weight(images: int) -> float:
        return (0.1 + adapted.value) / (1 + images / 1000)

    lazy = replace(objective, penalties={"slope": Weighted(slope, weight, every)})
    game = two_player.build(players, lazy, prior)

    def settle(terms: Terms, at: Moment) -> None:
        adapted.value += 0.01 * float(terms.seen["accuracy"] - 0.6)

    first, second = game.turns
    return replace(game, turns=(replace(first, settle=settle), second), state={"adapted": adapted})
