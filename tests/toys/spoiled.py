"""Two players to whom something happens at a chosen place of the images clock, or who are merely slow."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import nn

from gansmith.adversarial import Batch, Game, Moment, Objective, Terms
from gansmith.data.prior import Prior
from gansmith.games import two_player

ROLES = two_player.ROLES


def build(
    players: Mapping[str, nn.Module],
    objective: Objective,
    prior: Prior,
    *,
    nan_from: int | None = None,  # a loss
    infinite_from: int | None = None,  # a weight
    huge_from: int | None = None,  # an allocation
    seconds: float = 0.0,  # of sleep in each step, once there is a record
) -> Game:
    game = two_player.build(players, objective, prior)
    first, second = game.turns

    def play(batch: Batch, at: Moment) -> Terms:
        if huge_from is not None and at.images >= huge_from:
            torch.empty(1 << 50)
        terms = first.play(batch, at)
        spoiled = nan_from is not None and at.images >= nan_from
        return Terms({"loss": terms.loss["loss"] * (math.nan if spoiled else 1.0)}, terms.seen)

    def settle(terms: Terms, at: Moment) -> None:
        if seconds and at.images >= 64:
            print("asleep", file=sys.stderr, flush=True)
            time.sleep(seconds)
        if infinite_from is not None and at.images >= infinite_from:
            next(players["discriminator"].parameters()).fill_(math.inf)

    return replace(game, turns=(replace(first, play=play), replace(second, settle=settle)))
