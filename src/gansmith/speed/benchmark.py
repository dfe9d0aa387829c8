"""What `gansmith bench` measures: the rate of our engine on synthetic images, its share of the machine's peak, its
memory, and how it stands beside the same step in plain PyTorch (interleave.py)."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from gansmith.errors import OptionError
from gansmith.experiment.schema import Experiment
from gansmith.speed.interleave import (
    COMPARED,
    TOLERANCE,
    Ours,
    by_plain_torch,
    equal,
    first_losses,
    interleaved,
    repeated,
    synthetic,
    why_not,
)
from gansmith.system import hardware
from gansmith.training.forecast import forecast

_ROUND = 0.25  # seconds that a loop plays before the next one does

_LONGEST = 86_400  # seconds of a measurement


@dataclass(frozen=True)
class Spread:
    """Median, smallest and largest of n values."""

    median: float
    least: float
    most: float
    n: int

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        return cls(median(values), min(values), max(values), len(values))


@dataclass(frozen=True)
class Comparison:
    """The three loops side by side.

    seconds   of a step, by loop;  rounds: the same, of each round
    overhead  ours / by hand;  speedup: textbook / ours;  both round by round
    losses    by loop, [discriminator's, generator's] for each of the first steps;  equal: do they agree?
    """

    seconds: dict[str, Spread]
    rounds: dict[str, list[float]]
    overhead: Spread
    speedup: Spread
    losses: dict[str, list[list[float]]]
    equal: bool
    tolerance: float


@dataclass(frozen=True)
class Report:
    """All figures of one measurement. Rates per second, memory in bytes, `growth` over `growth_steps` steps."""

    machine: dict[str, Any]
    experiment: dict[str, Any]
    step_seconds: Spread
    images_per_second: float
    operations_per_step: float
    operations_per_second: float
    peak_operations_per_second: dict[str, float]
    share_of_peak: float
    memory_peak: int
    memory_growth: int
    growth_steps: int
    comparison: Comparison | None
    not_compared: str | None

    def plain(self) -> dict[str, Any]:
        """As plain dictionaries, ready for JSON."""
        return asdict(self)


def measure(experiment: Experiment, *, seconds: float = 20.0) -> Report:
    """Measure the step of `experiment` on synthetic images, for about `seconds`.

    Raises OptionError without seconds to do it in, and whatever building the parts raises.
    """
    if not 0 < seconds <= _LONGEST:
        raise OptionError(f"seconds = {seconds} is not allowed: it takes a number above 0, up to {_LONGEST:,}")
    parts = synthetic(experiment)
    experiment, device = parts.experiment, parts.device
    ours = Ours(parts)
    reason = why_not(experiment)
    plain = {} if reason else by_plain_torch(parts)  # copies the weights before they change
    cost = forecast(parts.game, parts.first_batch(), device, experiment)

    losses = {} if reason else {"gansmith": first_losses(ours)}
    if reason:
        ours.play(COMPARED)
    growth, growth_steps, estimate = _growth(ours, seconds / 4)
    memory_peak = hardware.peak_resident(device)
    comparison = None
    loops: dict[str, Callable[[int], object]] = {"gansmith": ours.play}
    if plain:
        losses = {"textbook": first_losses(plain["textbook"]), "by hand": first_losses(plain["by hand"]), **losses}
        loops |= {name: repeated(loop) for name, loop in plain.items()}
    rounds = interleaved(loops, device, steps=max(1, round(_ROUND / estimate)), seconds=seconds * 0.6)
    if plain:
        tolerance = TOLERANCE[experiment.precision]
        comparison = Comparison(
            seconds={name: Spread.of(times) for name, times in rounds.items()},
            rounds=rounds,
            overhead=_ratio(rounds["gansmith"], rounds["by hand"]),
            speedup=_ratio(rounds["textbook"], rounds["gansmith"]),
            losses=losses,
            equal=equal(losses, tolerance),
            tolerance=tolerance,
        )
    step = Spread.of(rounds["gansmith"])
    peak = hardware.peak_rate(device, experiment.precision, seconds=max(seconds / 10, 0.2))
    rate = cost.operations / step.median
    return Report(
        machine=hardware.facts(device),
        experiment=experiment.plain(),
        step_seconds=step,
        images_per_second=ours.step_images / step.median,
        operations_per_step=cost.operations,
        operations_per_second=rate,
        peak_operations_per_second=peak,
        share_of_peak=rate / max(peak.values()),
        memory_peak=memory_peak,
        memory_growth=growth,
        growth_steps=growth_steps,
        comparison=comparison,
        not_compared=reason,
    )


def _ratio(above: list[float], below: list[float]) -> Spread:
    return Spread.of([a / b for a, b in zip(above, below, strict=True)])


def _growth(ours: Ours, seconds: float) -> tuple[int, int, float]:
    """Our engine alone for about `seconds`, at least two steps: bytes that it grew by, steps, seconds of one."""
    before, steps = hardware.resident(ours.parts.device), ours.played
    begun = time.perf_counter()
    while ours.played - steps < 2 or time.perf_counter() - begun < seconds:
        ours.play(1)
    played = ours.played - steps
    return hardware.resident(ours.parts.device) - before, played, (time.perf_counter() - begun) / played
