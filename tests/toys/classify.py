"""A game for one: a classifier."""

from __future__ import annotations

from collections.abc import Mapping

import torch.nn.functional as F
from torch import nn

from gansmith.adversarial import Batch, Game, Moment, Objective, Terms, Turn
from gansmith.data.prior import Prior

ROLES = {"classifier": "classifier"}


def build(players: Mapping[str, nn.Module], objective: Objective, prior: Prior) -> Game:
    def classify(batch: Batch, at: Moment) -> Terms:
        image, label = batch["real"]
        logits = players["classifier"](image)
        assert label is not None
        right = (logits.argmax(1) == label).float().mean()
        return Terms({"loss": F.cross_entropy(logits, label)}, {"right": right})

    return Game(players=players, turns=(Turn("classifier", ("classifier",), classify),), averaged=("classifier",))
