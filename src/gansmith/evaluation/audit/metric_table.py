"""Metrics of the catalog beside the five answers: numbers for comparison with other work, without a verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gansmith.errors import GansmithError
from gansmith.evaluation.protocol import Protocol
from gansmith.evaluation.types import Metric, Number, Side


@dataclass(frozen=True)
class Measurement:
    """One metric, measured.

    numbers   {quantity: number}, empty where it could not be measured;  problem  why, in words
    better    {quantity: "lower" or "higher"}
    """

    protocol: Protocol
    numbers: Mapping[str, Number] = field(default_factory=dict)
    better: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""

    def record(self) -> dict[str, Any]:
        """The measurement's object in audit.json."""
        return {
            "numbers": {name: number.record() for name, number in self.numbers.items()},
            "better": dict(self.better),
            "problem": self.problem,
            "protocol": self.protocol.record(),
        }

    def as_text(self, name: str) -> str:
        """A line for each quantity: its value, its interval, which way is better."""
        if self.problem:
            return f"{name}: not measured: {self.problem}"
        lines = []
        for quantity, number in self.numbers.items():
            known = number.low is not None and number.high is not None
            interval = f" [{number.low:.4g}, {number.high:.4g}]" if known else ""
            way = f" ({self.better[quantity]} is better)" if quantity in self.better else ""
            lines.append(f"{quantity}: {number.value:.4g}{interval}{way}")
        return "\n".join(lines)


def measure_all(
    metrics: Mapping[str, Metric], real: Side, fakes: Sequence[Side], base: Protocol
) -> dict[str, Measurement]:
    """Every metric {name: metric} of all samples together against the real images.

    One that cannot be measured on them says why; it never costs the others.
    """
    fake = joined(fakes)
    return {name: _measure(metric, real, fake, base) for name, metric in metrics.items()}


def joined(sides: Sequence[Side]) -> Side:
    """The images of several sides as one; a field that one of them lacks is left out."""

    def together(field: str) -> Any:
        arrays = [getattr(side, field) for side in sides]
        return np.concatenate(arrays) if arrays and all(array is not None for array in arrays) else None

    fields = {field: together(field) for field in ("images", "features", "probabilities", "labels")}
    return Side("samples", **fields)


def _measure(metric: Metric, real: Side, fake: Side, base: Protocol) -> Measurement:
    features = base.features if {"features", "probabilities"} & {*metric.needs} else ""
    protocol = base.of(metric.words, features=features, real_count=len(real), fake_count=len(fake))
    try:
        return Measurement(protocol, metric.measure(real, fake), metric.better)
    except GansmithError as error:
        return Measurement(protocol, better=metric.better, problem=str(error))
