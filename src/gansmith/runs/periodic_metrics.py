"""Metrics while training: a look each so many images, the best kept beside the last, and a rule to stop by.

The history of looks is the run's own records: a resumed run reads it there and goes on as if it had never stopped.
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
from gansmith.errors import ExperimentError, unknown
from gansmith.evaluation.extract import side_of
from gansmith.evaluation.generated_images import PART, generated_images
from gansmith.evaluation.metric_needs import reads_features
from gansmith.evaluation.protocol import Protocol
from gansmith.evaluation.types import Extractor, Images, Metric, Number, Side
from gansmith.experiment.assemble import Assembly
from gansmith.latent.renderer import Renderer
from gansmith.runs.monitor import at_rest
from gansmith.system.seeding import mix


class Looks:
    """The metrics of one run. `past` are its records so far.

    Raises ExperimentError for a stop rule by a metric that is not measured, or where there is nothing to measure.
    """

    def __init__(self, parts: Assembly, past: Iterable[Mapping[str, Any]] = ()) -> None:
        self.parts, self.settings = parts, parts.experiment.metrics
        self.metrics: dict[str, Metric] = {name: catalog.build("metrics", name) for name in self.settings.names}
        self.better = {name: way for metric in self.metrics.values() for name, way in metric.better.items()}
        self.history = [record for record in past if "look" in record]
        self.last: Mapping[str, Any] | None = self.history[-1] if self.history else None
        self.leading = parts.experiment.stop.metric or next(iter(self.better), None)
        if self.leading is not None and self.leading not in self.better:
            measured = "the metrics" if self.better else "no metric (set metrics.names, for example to [kid])"
            raise ExperimentError(
                f"stop.metric: {unknown('metric', self.leading, self.better)}. The experiment measures {measured}"
            )
        self._real: Side | None = None
        self._extractor = self._build_extractor()  # now: weights that are absent are told before the training

    def due(self, before: int, images: int) -> bool:
        return bool(self.metrics) and before // self.settings.every < images // self.settings.every

    def take(
        self, players: Mapping[str, nn.Module], *, step: int, images: int, closing: bool = False
    ) -> dict[str, Any]:
        """Measure now; returns the record of this look, which is part of the history from here on.

        A `closing` look, at the end of a sitting, is only reported: were it remembered, a run made longer would stop at
        another place than one that was long from the beginning.
        """
        real, fake = self._sides(players)
        record: dict[str, Any] = {"step": step, "images": images}
        record |= {} if closing else {"look": len(self.history) + 1}
        for metric in self.metrics.values():
            for name, number in metric.measure(real, fake).items():
                record |= _written(name, number)
        record["protocol"] = {name: str(self._protocol(metric, len(fake))) for name, metric in self.metrics.items()}
        self.last = record
        if not closing:
            self.history.append(record)
        return record

    @property
    def best(self) -> Mapping[str, Any] | None:
        """The look at which the leading metric was best, the first of equals."""
        if not self.history or self.leading is None:
            return None
        sign = 1 if self.better[self.leading] == "lower" else -1
        return min(self.history, key=lambda record: sign * record[f"metric/{self.leading}"])

    def enough(self) -> str | None:
        """Why the training ends here, by the stop rule; or None."""
        rule, best = self.parts.experiment.stop, self.best
        if rule.metric is None or best is None:
            return None
        since = self.history[-1]["images"] - best["images"]
        if since < rule.patience:
            return None
        return f"{rule.metric} has not improved for {since:,} images (patience {rule.patience:,})"

    def summary(self) -> str | None:
        """Best and last, with how often it was looked: the best of many looks is better than it would be again."""
        best, last = self.best, self.last
        if best is None or last is None:
            return None
        name = f"metric/{self.leading}"
        return (
            f"{self.leading}: last {last[name]:.4g} at {last['images']:,} images; best {best[name]:.4g} at "
            f"{best['images']:,}, of {len(self.history)} looks, kept as checkpoint 'best'"
        )

    def _sides(self, players: Mapping[str, nn.Module]) -> tuple[Side, Side]:
        if self._real is None:
            self._real = self._reals()
        roles = self.parts.roles
        player = next((name for name in players if roles[name] in ("generator", "classifier")), None)
        if player is None:
            raise ExperimentError(
                f"the game {self.parts.experiment.game.name} has no player whose work can be measured"
            )
        with torch.no_grad(), at_rest(players):
            if roles[player] == "classifier":
                return self._real, self._answers(players[player], self._real)
            return self._real, self._described("samples", self._samples(players[player]))

    def _samples(self, generator: nn.Module) -> Images:
        renderer = Renderer(generator, self.parts.prior, device=self.parts.device, chunk=PART)
        return generated_images(renderer, range(self.settings.samples))

    def _answers(self, classifier: nn.Module, real: Side) -> Side:
        assert real.images is not None
        parts = torch.split(torch.from_numpy(real.images), PART)
        logits = [exact(classifier(normalised(part.to(self.parts.device)))).cpu() for part in parts]
        return Side("answers", probabilities=torch.cat(logits).softmax(1).numpy())

    def _reals(self) -> Side:
        data = self.parts.data
        where: Dataset | None = data.train if self.settings.against == "train" else data.holdout
        if where is None:
            raise ExperimentError("metrics.against = 'holdout', and no images are held out: set data.holdout")
        rng = np.random.default_rng(mix(self.parts.experiment.seed, "metrics"))
        picture = where[random_subset(len(where), self.settings.samples, rng)]
        side = self._described(self.settings.against, np.ascontiguousarray(picture.image), cache=True)
        return replace(side, labels=picture.label)

    def _described(self, name: str, images: Images, *, cache: bool = False) -> Side:
        return side_of(name, images, self._extractor, cache=cache)

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


def _written(name: str, number: Number) -> dict[str, float]:
    record = {f"metric/{name}": number.value}
    if number.low is not None:
        record[f"metric/{name}/low"] = number.low
    if number.high is not None:
        record[f"metric/{name}/high"] = number.high
    return record
