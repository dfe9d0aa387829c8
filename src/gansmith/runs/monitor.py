"""What is measured beside the training at every record: is the generator collapsing, the discriminator memorising?

It costs two or three passes of a batch for each record. Nothing that is trained is touched: networks are asked in
evaluation mode and put back into the mode they were in.
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
from gansmith.runs.sample_inputs import fixed, some
from gansmith.system.ranking import accuracy

_LOOKED_AT = 128  # images a side
_ENOUGH = 50  # held-out images, to ask whether they are told from others
_SIDE = 8  # pixels: variety is measured on images this small


class Watch:
    """Call it with each record; it answers what is to be added: spread, told_apart, health."""

    def __init__(self, parts: Assembly, records: Iterable[Mapping[str, Any]] = ()) -> None:
        self.parts = parts
        self.health = Health(records)
        self._train = some(parts, parts.data.train, _LOOKED_AT, parts.experiment.seed)
        held = parts.data.holdout
        self._held = None
        if held is not None and len(held) >= _ENOUGH:
            self._held = some(parts, held, _LOOKED_AT, parts.experiment.seed)
        self._fixed = fixed(parts, min(_LOOKED_AT, len(self._train.image)))
        self._variety = variety(self._train.image)

    def __call__(self, record: Mapping[str, Any]) -> dict[str, Any]:
        found = self._measured()
        return {**found, "health": self.health.add({**record, **found})}

    @torch.no_grad()
    def _measured(self) -> dict[str, float]:
        """spread: mean distance between samples as a share of the real images' own; told_apart: P(the discriminator
        scores an image it was trained on above one held out), one half for one that cannot tell."""
        found: dict[str, float] = {}
        game, roles = self.parts.game, self.parts.roles
        with at_rest(game.players):
            if game.show is not None and "generator" in game.players and self._variety > 0:
                found["spread"] = round(variety(game.show(game.players, self._fixed)) / self._variety, 4)
            judges = [network for name, network in game.players.items() if roles[name] == "discriminator"]
            if len(judges) == 1 and self._held is not None and self.parts.data.other is None:
                seen, unseen = (exact(judges[0](*side)) for side in (self._train, self._held))
                found["told_apart"] = round(float(accuracy(seen, unseen)), 4)
        return found


def variety(images: Tensor) -> float:
    """Images [N, C, H, W] -> the mean distance between two of them, by the root of the mean squared difference of
    their pixels at 8 x 8. Zero for fewer than two."""
    if len(images) < 2:
        return 0.0
    height, width = images.shape[-2:]
    small = F.adaptive_avg_pool2d(images.float(), (min(_SIDE, height), min(_SIDE, width))).flatten(1)
    return float(F.pdist(small).mean()) / math.sqrt(small.shape[1])


@contextmanager
def at_rest(players: Mapping[str, nn.Module]) -> Iterator[None]:
    """All networks in evaluation mode inside, each part of them in the mode it was in outside."""
    modes = [(module, module.training) for player in players.values() for module in player.modules()]
    for player in players.values():
        player.eval()
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training
