"""Metrics of the samples while training, each so many images; of a classifier, of its predictions for held-out images.

The history of measurements is the run's own records: a resumed run reads it there and goes on as if it had never
stopped. Where several processes train, each makes its part of both sides (`measured_sides.py`), FID and KID are added
up over the parts, and rank 0 measures the rest: the samples, and every number, are those of one process.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from torch import nn

from gansmith import catalog
from gansmith.errors import ExperimentError
from gansmith.evaluation.metric_needs import reads_features, require_classes, require_counts
from gansmith.evaluation.protocol import Protocol
from gansmith.evaluation.types import Extractor, Metric, Number
from gansmith.experiment.assemble import Assembly
from gansmith.runs.early_stopping import EarlyStopping
from gansmith.runs.measured_sides import MeasuredSides, measured_against, measured_player
from gansmith.runs.own_networks import own_networks
from gansmith.runs.team import Team


class PeriodicMetrics:
    """The metrics of one run, measured every `metrics.every` images. `past` are the run's records so far.

    team: those who measure; rank 0 calls `measure`, and at the same time the others `take_part`.

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
        if self.metrics:
            require_measurable(parts, self.metrics)
        self._extractor = self._build_extractor()
        if self._extractor is not None and parts.roles[measured_player(parts)] != "classifier":
            require_classes(self.metrics, self._extractor)
        self.sides = MeasuredSides(parts, self._extractor)

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
        record: dict[str, Any] = {"step": step, "images": images}
        record |= {} if closing else {"look": len(self.history) + 1}
        for name, number in self._numbers(players).items():
            record |= _fields(name, number)
        record["protocol"] = {name: str(self._protocol(metric)) for name, metric in self.metrics.items()}
        self.last = record
        if not closing:
            self.history.append(record)
        return record

    def take_part(self, players: Mapping[str, nn.Module]) -> None:
        """Make this rank's part of what rank 0 measures now."""
        self._numbers(players)

    def rehearse(self, players: Mapping[str, nn.Module]) -> None:
        """Do what a measurement takes of this rank, without the others, and keep nothing: to know its time."""
        self.sides.own(players, self._team) if self._team.world > 1 else self._numbers(players)

    def summary(self) -> str | None:
        """The last and the best value of the leading metric; None before the first measurement."""
        return self.stopping.summary(self.last)

    def _numbers(self, players: Mapping[str, nn.Module]) -> dict[str, Number]:
        """By name, at rank 0. A metric adds up over the ranks' parts where it can; else it sees whole sides there."""
        team, numbers = self._team, dict[str, Number]()
        own = self.sides.own(players, team)
        for metric in self.metrics.values():
            if team.world > 1 and metric.shared is not None:
                numbers |= metric.shared(*own)
                continue
            whole = self.sides.whole(own, metric.needs, team)
            if team.rank == 0:
                numbers |= metric.measure(*whole)
        return numbers

    def _build_extractor(self) -> Extractor | None:
        """The extractor of the experiment; None where no metric reads features."""
        if not reads_features(self.metrics):
            return None
        part = self.settings.features
        # `trust_model` in a file allows nothing: whoever opened the file has vouched for the model, or it is refused
        options = {key: value for key, value in part.options.items() if key != "trust_model"}
        extractor: Extractor = catalog.build("features", part.name, **options)
        return extractor

    def _protocol(self, metric: Metric) -> Protocol:
        reals, fakes = self.sides.counts
        channels, height, width = self.parts.data.shape
        return Protocol(
            metric=metric.words,
            features=str(self._extractor or ""),
            real=f"{self.parts.data.name}, {self.settings.against}, {self.parts.data.digest}",
            real_count=reals,
            fake_count=fakes,
            size=f"{height}x{width}x{channels}",
            averaging="averaged" if self.parts.averaging.players else "raw",
            fake="this run",
            seeds=f"0-{fakes - 1}",
        )


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


def _fields(name: str, number: Number) -> dict[str, float]:
    record = {f"metric/{name}": number.value}
    if number.low is not None:
        record[f"metric/{name}/low"] = number.low
    if number.high is not None:
        record[f"metric/{name}/high"] = number.high
    return record
