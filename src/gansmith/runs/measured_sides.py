"""The two sides that metrics compare while training, of which each of several processes makes a part.

Each makes, and extracts the features of, its own samples and its own real images; for a classifier, the answers to its
own held-out images. The images and the features are those of one process. A metric that must see whole sides gets them
at rank 0, where no more of them is gathered than it reads.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from gansmith.adversarial import exact
from gansmith.data.dataset import Dataset
from gansmith.data.stream import normalised
from gansmith.data.subsets import random_subset
from gansmith.errors import ExperimentError
from gansmith.evaluation.extract import side_of
from gansmith.evaluation.generated_images import PART, generated_images
from gansmith.evaluation.types import Extractor, Side
from gansmith.experiment.assemble import Assembly
from gansmith.latent.renderer import Renderer
from gansmith.runs.monitor import evaluation_mode
from gansmith.runs.team import Team
from gansmith.system.seeding import mix

Sides = tuple[Side, Side]  # real, fake

_FIELDS = ("images", "features", "probabilities", "labels")


class MeasuredSides:
    """The sides of the run that has these parts: `own` is the part of this rank, `whole` all of them, at rank 0.

    Both are to be called on all ranks of a team, or by rank 0 with a team of itself.
    """

    def __init__(self, parts: Assembly, extractor: Extractor | None) -> None:
        self.parts, self.settings, self.extractor = parts, parts.experiment.metrics, extractor
        self._real: dict[int, Side] = {}  # of this rank, by the number of ranks
        self._whole_real: dict[tuple[int, str], Any] = {}  # at rank 0, by that and the field; noted at the others

    @property
    def counts(self) -> tuple[int, int]:
        """Images of the real and of the fake side."""
        real = min(len(measured_against(self.parts)), self.settings.samples)
        classifies = self.parts.roles[measured_player(self.parts)] == "classifier"
        return real, real if classifies else self.settings.samples

    def own(self, players: Mapping[str, nn.Module], team: Team) -> Sides:
        """What this rank makes and holds; fields are None where it has no image."""
        if team.world not in self._real:
            self._real[team.world] = self._real_side(team)
        real = self._real[team.world]
        player = measured_player(self.parts)
        with torch.no_grad(), evaluation_mode(players):
            if self.parts.roles[player] == "classifier":
                return real, self._answers(players[player], real)
            return real, self._samples(players[player], team)

    def whole(self, own: Sides, fields: Iterable[str], team: Team) -> Sides:
        """These fields, and the labels, of all ranks' sides, at rank 0; elsewhere nothing that is to be read."""
        if team.world == 1:
            return own
        asked = [name for name in _FIELDS if name in {*fields, "labels"}]
        for name in asked:
            if (team.world, name) not in self._whole_real:
                self._whole_real[team.world, name] = gathered(getattr(own[0], name), team)
        reals = {name: self._whole_real[team.world, name] for name in asked}
        fakes = {name: gathered(getattr(own[1], name), team) for name in asked}
        return Side(own[0].name, **reals), Side(own[1].name, **fakes)

    def _samples(self, generator: nn.Module, team: Team) -> Side:
        """Samples of the first seeds, with the classes that a conditional generator made them for."""
        renderer = Renderer(generator, self.parts.prior, device=self.parts.device, chunk=PART)
        seeds = own_share(range(self.settings.samples), team)
        if not seeds:
            return Side("samples")
        labels = renderer.labels(seeds)
        numbers = None if labels is None else labels.numpy()
        images = generated_images(renderer, seeds)
        return side_of("samples", images, self.extractor, labels=numbers, cache=False)

    def _answers(self, classifier: nn.Module, real: Side) -> Side:
        if real.images is None:
            return Side("answers")
        parts = torch.split(torch.from_numpy(real.images), PART)
        logits = [exact(classifier(normalised(part.to(self.parts.device)))).cpu() for part in parts]
        return Side("answers", probabilities=torch.cat(logits).softmax(1).numpy())

    def _real_side(self, team: Team) -> Side:
        dataset = measured_against(self.parts)
        rng = np.random.default_rng(mix(self.parts.experiment.seed, "metrics"))
        indices = random_subset(len(dataset), self.settings.samples, rng)
        mine = own_share(range(len(indices)), team)
        if not mine:
            return Side(self.settings.against)
        sample = dataset[indices[mine.start : mine.stop]]
        images = np.ascontiguousarray(sample.image)
        return side_of(self.settings.against, images, self.extractor, labels=sample.label, cache=True)


def own_share(numbers: range, team: Team) -> range:
    """Those of the seeds, or images, that are this rank's: whole parts of PART, as one process has them, in the order
    of ranks.

    >>> own_share(range(100), Team(Share(1, 2))), own_share(range(10), Team(Share(1, 2)))
    (range(64, 100), range(10, 10))
    """
    parts = -(-len(numbers) // PART)
    first, last = (parts * rank // team.world for rank in (team.rank, team.rank + 1))
    if team.world > parts:  # one each, as far as they go
        first, last = team.rank, team.rank + 1
    return numbers[first * PART : last * PART]


def gathered(own: NDArray[Any] | None, team: Team) -> NDArray[Any] | None:
    """At rank 0 the rows of all ranks, one after another; None elsewhere, and where no rank has any."""
    rows = team.gathered(None if own is None else torch.from_numpy(np.ascontiguousarray(own)))
    return torch.cat(rows).numpy() if rows else None


def measured_player(parts: Assembly) -> str:
    """The player whose work is measured. Raises ExperimentError for a game without one."""
    for name in parts.game.players:
        if parts.roles[name] in ("generator", "classifier"):
            return name
    raise ExperimentError(
        f"the game {parts.experiment.game.name} has no player whose work can be measured: leave metrics.names out"
    )


def measured_against(parts: Assembly) -> Dataset:
    """The real images of the metrics. Raises ExperimentError where none are held out."""
    dataset = parts.data.train if parts.experiment.metrics.against == "train" else parts.data.holdout
    if dataset is None:
        raise ExperimentError("metrics.against = 'holdout', and no images are held out: set data.holdout")
    return dataset
