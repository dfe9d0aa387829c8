"""A small experiment for the benchmarks."""

from __future__ import annotations

from typing import Any

from gansmith.experiment.schema import Experiment
from gansmith.runs.train import experiment_from
from gansmith.speed.reference_loops import ByHand, Losses

SMALL = {"name": "dcgan", "width": 4}


def small(**fields: Any) -> Experiment:
    given = {"size": 16, "channels": 3, "batch": 8, "generator": SMALL, "discriminator": SMALL, "threads": 1}
    return experiment_from(**{**given, **fields}, environment={})[0]


def half(loop: ByHand) -> None:
    """Half of each loss, from the first step on: only the numbers change, Adam does not see it."""
    right = loop.step

    def wrong() -> Losses:
        first, second = right()
        return first * 0.5, second * 0.5

    loop.step = wrong  # type: ignore[method-assign]
