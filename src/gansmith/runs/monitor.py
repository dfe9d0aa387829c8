"""Health of the training at every record: does the generator collapse, does the discriminator memorise?

It costs two or three passes of a batch for each record. Networks are evaluated and put back into the mode they
were in; nothing that is trained changes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gansmith.adversarial import exact
from gansmith.experiment.assemble import Assembly
from gansmith.records.health import Health
from gansmith.runs.sample_inputs import random_images, sample_inputs
from gansmith.system.ranking import accuracy

_IMAGES = 128  # images a side
_ENOUGH_HELD_OUT = 50  # held-out images; from fewer `told_apart` says nothing
_SIDE = 8  # pixels: variety is measured on images this small


class Monitor:
    """Call it with each record: returns what is added to it, {"spread", "told_apart", "health"} and each player's
    "PLAYER/learning_rate"."""

    def __init__(self, parts: Assembly, records: Iterable[Mapping[str, Any]] = ()) -> None:
        self.parts = parts
        self.health = Health(record for record in records if "seconds" in record)  # not those of metrics and checks
        self._train = random_images(parts, parts.data.train, _IMAGES, parts.experiment.seed)
        holdout = parts.data.holdout
        self._held_out = None
        if holdout is not None and len(holdout) >= _ENOUGH_HELD_OUT:
            self._held_out = random_images(parts, holdout, _IMAGES, parts.experiment.seed)
        self._inputs = sample_inputs(parts, min(_IMAGES, len(self._train.image)))
        self._variety = variety(self._train.image)

    def __call__(self, record: Mapping[str, Any]) -> dict[str, Any]:
        values = self.measure() | self._learning_rates()
        return {**values, "health": self.health.add({**record, **values})}

    def _learning_rates(self) -> dict[str, float]:
        """Of the last step."""
        groups = {player: part.optimizer.param_groups[0] for player, part in self.parts.optimizers.items()}
        return {f"{player}/learning_rate": float(group["lr"]) for player, group in groups.items()}

    @torch.no_grad()
    def measure(self) -> dict[str, float]:
        """spread: variety of samples / variety of real images; told_apart: P(the discriminator scores a training image
        above a held-out one), 0.5 for one that memorised nothing."""
        values: dict[str, float] = {}
        game, roles = self.parts.game, self.parts.roles
        with evaluation_mode(game.players):
            if game.show is not None and "generator" in game.players and self._variety > 0:
                values["spread"] = round(variety(game.show(game.players, self._inputs)) / self._variety, 4)
            discriminators = [network for name, network in game.players.items() if roles[name] == "discriminator"]
            if len(discriminators) == 1 and self._held_out is not None and self.parts.data.other is None:
                seen, unseen = (exact(discriminators[0](*side)) for side in (self._train, self._held_out))
                values["told_apart"] = round(float(accuracy(seen, unseen)), 4)
        return values


def variety(images: Tensor) -> float:
    """Mean pairwise root-mean-square distance of images [N, C, H, W] at 8 x 8 pixels. Zero for fewer than two.

    >>> float(variety(torch.tensor([-1.0, 1.0]).reshape(2, 1, 1, 1).expand(2, 1, 8, 8)))
    2.0
    """
    if len(images) < 2:
        return 0.0
    height, width = images.shape[-2:]
    small = F.adaptive_avg_pool2d(images.float(), (min(_SIDE, height), min(_SIDE, width))).flatten(1)
    return float(F.pdist(small).mean()) / math.sqrt(small.shape[1])


@contextmanager
def evaluation_mode(players: Mapping[str, nn.Module]) -> Iterator[None]:
    """Evaluation mode for all modules of the players inside; each in the mode of before outside."""
    modes = [(module, module.training) for player in players.values() for module in player.modules()]
    for player in players.values():
        player.eval()
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training
