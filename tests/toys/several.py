"""The discriminator plays several steps, and clamps its weights after each; in step 2 it does not play at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from torch import nn

from gansmith.adversarial import Game, Objective
from gansmith.data.prior import Prior
from gansmith.games import two_player

ROLES = two_player.ROLES


def steps(step: int) -> int:
    return 0 if step == 2 else 5 if step < 2 else 3


def clamp(discriminator: nn.Module) -> None:
    for parameter in discriminator.parameters():
        parameter.clamp_(-0.2, 0.2)


def build(players: Mapping[str, nn.Module], objective: Objective, prior: Prior) -> Game:
    return two_player.build(players, replace(objective, discriminator_steps=steps, project=clamp), prior)
