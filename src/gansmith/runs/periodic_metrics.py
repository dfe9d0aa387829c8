"""Metrics of the samples while training, each so many images; of a classifier, of its predictions for held-out images.

The history of measurements is the run's own records: a resumed run reads it there and goes on as if it had never
stopped. Where several processes train, each makes its share of the samples and their features, and rank 0 measures:
the samples, and every number, are those of one process.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import nn

from gansmith import catalog
from gansmith.adversarial import exact
from gansmith.data.dataset import Dataset
from gansmith.data.stream import normalised
from gansmith.data.subsets import random_subset
from gansmith.errors import ExperimentError
from gansmith.evaluation.extract import side_of
from gansmith.evaluation.generated_images import PART, generated_images
from gansmith.evaluation.metric_needs import reads_features, require_classes, require_counts
from gansmith.evaluation.protocol import Protocol
from gansmith.evaluation.types import Extractor, Metric, Number, Side
from gansmith.experiment.assemble import Assembly
from gansmith.latent.renderer import Renderer
from gansmith.runs.early_stopping import EarlyStopping
from gansmith.runs.monitor import evaluation_mode
from gansmith.runs.own_networks import own_networks
from gansmith.runs.team import Team
from gansmith.system.seeding import mix


class PeriodicMetrics:
    """The metrics of one run, measured every `metrics.every` images. `past` are the run's records so far.

    team: those who make the samples; rank 0 calls `measure`, and at the same time the others `take_part`.

    Raises ExperimentError or OptionError, before the training, for metrics that cannot be measured in this run and for
    an early stopping by a metric that is not measured.
    """

    def __init__(self, parts: Assembly, past: Iterable[Mapping[str, Any]] = (), *, team: Team | None = None) -> None:
        self.parts, self.settings = parts, parts.experiment.metrics
        self._team = Team() if team is None else team
        self.metrics: dict[str, Metric] = {name: catalog.build("metrics", name) for name in self.settings.names}
        self.history = [
            record for record in past if "look" in record
        ]  # numbered; the key is in files since version 0.1
        self.last: Mapping[str, Any] | None = self.history[-1] if self.history else None
        better = {name: way for metric in self.metrics.values() for name, way in metric.better.items()}
        self.stopping = EarlyStopping(parts.experiment.stop, better, self.history)
        self._real: Side | None = None
        if self.metrics:
            require_measurable(parts, self.metrics)
        self._extractor = self._build_extractor()
        if self._extractor is not None and parts.roles[measured_player(parts)] != "classifier":
            require_classes(self.metrics, self._extractor)

    def due(self, before: int, images: int) -> bool:
        """Did the number of images pass a multiple of `metrics.every`?"""
        return bool(self.metrics) and before // self.settings.every < images // self.settings.every

    def measure(
        self, players: Mapping[str, nn.Module], *, step: int, images: int, closing: bool = False, alone: bool = False
    ) -> dict[str, Any]:
        """Measure now. Returns the record, which is part of the history from here on. alone: no other rank takes part.

        A `closing` measurement, when the process has come to its last image, is only reported: were it remembered, a
        run that is made longer would stop at another place than one that was long from the beginning.
        """
        real, fake = self._sides(players, Team() if alone else self._team)
        record: dict[str, Any] = {"step": step, "images": images}
        record |= {} if closing else {"look": len(self.history) + 1}
        for metric in self.metrics.values():
            for name, number in metric.measure(real, fake).items():
                record |= _fields(name, number)
        record["protocol"] = {name: str(self._protocol(metric, len(fake))) for name, metric in self.metrics.items()}
        self.last = record
        if not closing:
            self.history.append(record)
        return record

    def take_part(self, players: Mapping[str, nn.Module]) -> None:
        """Make this rank's share of what rank 0 measures now."""
        player = measured_player(self.parts)
        if self.parts.roles[player] != "classifier":
            with torch.no_grad(), evaluation_mode(players):
                self._samples(players[player], self._team)

    def summary(self) -> str | None:
        """The last and the best value of the leading metric; None before the first measurement."""
        return self.stopping.summary(self.last)

    def _sides(self, players: Mapping[str, nn.Module], team: Team) -> tuple[Side, Side]:
        if self._real is None:
            self._real = self._real_side()
        player = measured_player(self.parts)
        with torch.no_grad(), evaluation_mode(players):
            if self.parts.roles[player] == "classifier":
                return self._real, self._predictions(players[player], self._real)
            return self._real, self._samples(players[player], team)

    def _samples(self, generator: nn.Module, team: Team) -> Side:
        """The samples of the first seeds, with the classes that a conditional generator made them for. At rank 0 all of
        them, elsewhere this rank's."""
        renderer = Renderer(generator, self.parts.prior, device=self.parts.device, chunk=PART)
        seeds = range(self.settings.samples)
        labels = renderer.labels(seeds)
        mine = own_share(seeds, team)
        side = Side("samples")
        if mine:
            side = side_of("samples", generated_images(renderer, mine), self._extractor, cache=False)
        side = whole_side(side, team)
        return side if labels is None else replace(side, labels=labels.numpy())

    def _predictions(self, classifier: nn.Module, real: Side) -> Side:
        assert real.images is not None
        parts = torch.split(torch.from_numpy(real.images), PART)
        logits = [exact(classifier(normalised(part.to(self.parts.device)))).cpu() for part in parts]
        return Side("answers", probabilities=torch.cat(logits).softmax(1).numpy())

    def _real_side(self) -> Side:
        dataset = measured_against(self.parts)
        rng = np.random.default_rng(mix(self.parts.experiment.seed, "metrics"))
        sample = dataset[random_subset(len(dataset), self.settings.samples, rng)]
        side = side_of(self.settings.against, np.ascontiguousarray(sample.image), self._extractor, cache=True)
        return replace(side, labels=sample.label)

    def _build_extractor(self) -> Extractor | None:
        """The extractor of the experiment; None where no metric reads features."""
        if not reads_features(self.metrics):
            return None
        part = self.settings.features
        # `trust_model` in a file allows nothing: whoever opened the file has vouched for the model, or it is refused
        options = {key: value for key, value in part.options.items() if key != "trust_model"}
        extractor: Extractor = catalog.build("features", part.name, **options)
        return extractor

    def _protocol(self, metric: Metric, fakes: int) -> Protocol:
        assert self._real is not None
        channels, height, width = self.parts.data.shape
        return Protocol(
            metric=metric.words,
            features=str(self._extractor or ""),
            real=f"{self.parts.data.name}, {self.settings.against}, {self.parts.data.digest}",
            real_count=len(self._real),
            fake_count=fakes,
            size=f"{height}x{width}x{channels}",
            averaging="averaged" if self.parts.averaging.players else "raw",
            fake="this run",
            seeds=f"0-{fakes - 1}",
        )


def own_share(seeds: range, team: Team) -> range:
    """The seeds whose images this rank makes: whole parts of PART, as one process makes them, in the order of ranks.

    >>> own_share(range(100), Team(Share(1, 2))), own_share(range(10), Team(Share(1, 2)))
    (range(64, 100), range(10, 10))
    """
    parts = -(-len(seeds) // PART)
    first, last = (parts * rank // team.world for rank in (team.rank, team.rank + 1))
    if team.world > parts:  # one each, as far as they go
        first, last = team.rank, team.rank + 1
    return seeds[first * PART : last * PART]


def whole_side(own: Side, team: Team) -> Side:
    """At rank 0 the side that all ranks' sides are together; elsewhere this rank's own."""
    if team.world == 1:
        return own
    values: dict[str, Any] = {}
    for name in ("images", "features", "probabilities"):
        array = getattr(own, name)
        tensor = None if array is None else torch.from_numpy(array)
        rows = [part for rank in range(team.world) if (part := team.rows(tensor, rank)) is not None]
        if rows:
            values[name] = torch.cat(rows).numpy()
    return replace(own, **values) if team.rank == 0 else own


def require_measurable(parts: Assembly, metrics: Mapping[str, Metric]) -> None:
    """Raises ExperimentError where a metric reads what this run has not: samples, classes, held-out images; and where
    it reads the features of a network that the run, or the one that it begins with, was trained on."""
    measuring = parts.experiment.metrics.features.name
    if measuring in own_networks(parts.experiment):
        raise ExperimentError(
            f"metrics.features = {measuring}, and the run begins with {parts.experiment.start_from}, which trained on "
            f"the features of {measuring}: --set metrics.features=vgg (or pixels), or --set metrics.names=[]"
        )
    player, count = measured_player(parts), len(measured_against(parts))
    if parts.data.points:
        raise ExperimentError(f"metrics are of images, and {parts.data.name} are points: leave metrics.names out")
    classifies = parts.roles[player] == "classifier"
    conditional = bool(getattr(parts.game.players[player], "conditional", False))
    for name, metric in metrics.items():
        needs, why = set(metric.needs), None
        if classifies and needs & {"images", "features"}:
            why = "measures generated images, and this game trains a classifier. It has class_error"
        elif not classifies and {"probabilities", "labels"} <= needs:
            why = "measures the answers of a classifier, and this game trains a generator. Leave it out"
        elif "labels" in needs and not parts.data.labelled:
            why = f"needs images with classes, and {parts.data.name} has none. Leave it out, or name data with classes"
        elif not classifies and "labels" in needs and not conditional:
            why = (
                "needs a conditional generator, which makes images of a class. Leave it out, or "
                "--set generator.conditional=true --set discriminator.conditional=true"
            )
        if why is not None:
            raise ExperimentError(f"the metric {name} of metrics.names {why}")
    samples = parts.experiment.metrics.samples
    require_counts(metrics, real=min(count, samples), samples=min(count, samples) if classifies else samples)


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


def _fields(name: str, number: Number) -> dict[str, float]:
    record = {f"metric/{name}": number.value}
    if number.low is not None:
        record[f"metric/{name}/low"] = number.low
    if number.high is not None:
        record[f"metric/{name}/high"] = number.high
    return record
