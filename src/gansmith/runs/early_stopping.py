"""Early stopping: end the training when a metric has not improved for `stop.patience` images, or has reached
`stop.target`; and the best so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from gansmith.errors import ExperimentError, unknown
from gansmith.experiment.settings import StopSettings

Record = Mapping[str, Any]


class EarlyStopping:
    """The rule `settings` over `history`, the records of the measurements so far, which grows while the run trains.

    better: {metric: which way it is better}. The leading metric is the rule's, or without a rule the first of `better`.
    Raises ExperimentError for a rule by a metric that is not measured, and for a target of none.
    """

    def __init__(
        self, settings: StopSettings, better: Mapping[str, Literal["lower", "higher"]], history: Sequence[Record]
    ) -> None:
        self.settings, self.better, self.history = settings, better, history
        if settings.target is not None and settings.metric is None:
            raise ExperimentError(
                f"stop.target = {settings.target:g} is a value of a metric: name it too, for example stop.metric=kid"
            )
        self.metric = settings.metric or next(iter(better), None)
        if self.metric is not None and self.metric not in better:
            measured = "the metrics" if better else "no metric (set metrics.names, for example to [kid])"
            raise ExperimentError(
                f"stop.metric: {unknown('metric', self.metric, better)}. The experiment measures {measured}"
            )

    @property
    def best(self) -> Record | None:
        """The record in which the leading metric was best, the first of equals."""
        if not self.history or self.metric is None:
            return None
        sign = 1 if self.better[self.metric] == "lower" else -1
        return min(self.history, key=lambda record: sign * record[f"metric/{self.metric}"])

    def reason(self) -> str | None:
        """Why the training ends here, by the rule; or None."""
        best = self.best
        if self.settings.metric is None or best is None:
            return None
        target, last = self.settings.target, self.history[-1]
        value = last[f"metric/{self.metric}"]
        lower = self.better[self.settings.metric] == "lower"
        if target is not None and (value <= target if lower else value >= target):
            return f"{self.metric} reached {value:.4g} (target {target:g})"
        since = last["images"] - best["images"]
        if since < self.settings.patience:
            return None
        return f"{self.settings.metric} has not improved for {since:,} images (patience {self.settings.patience:,})"

    def summary(self, last: Record | None) -> str | None:
        """Last and best, with the number of measurements: the best of many is better than it would be again."""
        best = self.best
        if best is None or last is None:
            return None
        name = f"metric/{self.metric}"
        return (
            f"{self.metric}: last {last[name]:.4g} at {last['images']:,} images; best {best[name]:.4g} at "
            f"{best['images']:,}, of {len(self.history)} measurements, kept as checkpoint 'best'"
        )
