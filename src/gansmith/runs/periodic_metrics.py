"""Metrics of the samples while training, each so many images; of a classifier, of its predictions for held-out images.

The history of measurements is the run's own records: a resumed run reads it there and goes on as if it had never
stopped.
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
from gansmith.evaluation.metric_needs import reads_features
from gansmith.evaluation.protocol import Protocol
from gansmith.evaluation.types import Extractor, Images, Metric, Number, Side
from gansmith.experiment.assemble import Assembly
from gansmith.latent.renderer import Renderer
from gansmith.runs.early_stopping import EarlyStopping
from gansmith.runs.monitor import evaluation_mode
from gansmith.system.seeding import mix


class PeriodicMetrics:
    """The metrics of one run, measured every `metrics.every` images. `past` are the run's records so far.

    Raises ExperimentError for an early stopping by a metric that is not measured.
    """

    def __init__(self, parts: Assembly, past: Iterable[Mapping[str, Any]] = ()) -> None:
        self.parts, self.settings = parts, parts.experiment.metrics
        self.metrics: dict[str, Metric] = {name: catalog.build("metrics", name) for name in self.settings.names}
        self.history = [
            record for record in past if "look" in record
        ]  # numbered; the key is in files since version 0.1
        self.last: Mapping[str, Any] | None = self.history[-1] if self.history else None
        better = {name: way for metric in self.metrics.values() for name, way in metric.better.items()}
        self.stopping = EarlyStopping(parts.experiment.stop, better, self.history)
        self._real: Side | None = None
        self._extractor = self._build_extractor()  # before the training, which it may refuse

    def due(self, before: int, images: int) -> bool:
        """Did the number of images pass a multiple of `metrics.every`?"""
        return bool(self.metrics) and before // self.settings.every < images // self.settings.every

    def measure(
        self, players: Mapping[str, nn.Module], *, step: int, images: int, closing: bool = False
    ) -> dict[str, Any]:
        """Measure now. Returns the record, which is part of the history from here on.

        A `closing` measurement, when the process has come to its last image, is only reported: were it remembered, a
        run that is made longer would stop at another place than one that was long from the beginning.
        """
        real, fake = self._sides(players)
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

    def summary(self) -> str | None:
        """The last and the best value of the leading metric; None before the first measurement."""
        return self.stopping.summary(self.last)

    def _sides(self, players: Mapping[str, nn.Module]) -> tuple[Side, Side]:
        if self._real is None:
            self._real = self._real_side()
        roles = self.parts.roles
        player = next((name for name in players if roles[name] in ("generator", "classifier")), None)
        if player is None:
            raise ExperimentError(
                f"the game {self.parts.experiment.game.name} has no player whose work can be measured"
            )
        with torch.no_grad(), evaluation_mode(players):
            if roles[player] == "classifier":
                return self._real, self._predictions(players[player], self._real)
            return self._real, side_of("samples", self._samples(players[player]), self._extractor, cache=False)

    def _samples(self, generator: nn.Module) -> Images:
        renderer = Renderer(generator, self.parts.prior, device=self.parts.device, chunk=PART)
        return generated_images(renderer, range(self.settings.samples))

    def _predictions(self, classifier: nn.Module, real: Side) -> Side:
        assert real.images is not None
        parts = torch.split(torch.from_numpy(real.images), PART)
        logits = [exact(classifier(normalised(part.to(self.parts.device)))).cpu() for part in parts]
        return Side("answers", probabilities=torch.cat(logits).softmax(1).numpy())

    def _real_side(self) -> Side:
        data = self.parts.data
        dataset: Dataset | None = data.train if self.settings.against == "train" else data.holdout
        if dataset is None:
            raise ExperimentError("metrics.against = 'holdout', and no images are held out: set data.holdout")
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


def _fields(name: str, number: Number) -> dict[str, float]:
    record = {f"metric/{name}": number.value}
    if number.low is not None:
        record[f"metric/{name}/low"] = number.low
    if number.high is not None:
        record[f"metric/{name}/high"] = number.high
    return record
