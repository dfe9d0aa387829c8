"""A time instead of a length: the first half minute of a training says how many images the time is.

The rate is that of real steps, with everything between them but what is written and measured now and then (sheets,
checkpoints, metrics): each of these is timed by itself and counted as often as it comes. The number is written to
experiment.yaml before the first checkpoint; from then on the run is one of so many images like any other, and is
resumed as such. A process that is killed before has saved nothing, and its run begins again.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from gansmith.experiment.assemble import Assembly
from gansmith.experiment.length import with_absolute_schedules
from gansmith.records.terminal import Stopwatch, Terminal
from gansmith.runs.checks import Checks
from gansmith.runs.periodic_metrics import PeriodicMetrics
from gansmith.runs.training_state import capture, players_in_use
from gansmith.system.console import say
from gansmith.system.durations import duration_words, rate_words
from gansmith.system.files import write_text

WINDOW = 30.0  # seconds that are measured, and at most a quarter of the time
_WARM_UP = 0.1  # of the window: the first steps allocate, and choose kernels
_DIGITS = 3  # of the number of images


class TimeBudget:
    """`seconds` of training, from `start` on. Call `after_step` after each step, and what is written inside `cost`."""

    def __init__(self, seconds: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.seconds, self.window, self._clock = seconds, min(WINDOW, seconds / 4), clock
        self._costs: dict[str, list[float]] = {}
        self._begun = self._mark = (0.0, 0)  # (seconds of the clock without costs, images)
        self._latest: tuple[float, int] | None = None
        self._start = 0.0
        self.over = False  # has the window gone by?

    def start(self, images: int) -> None:
        """Begin to count, at `images` real images drawn."""
        self._start = self._clock()
        self._begun = self._mark = (self._busy(), images)

    def after_step(self, images: int) -> None:
        gone = self._clock() - self._start
        if self._mark == self._begun and gone >= _WARM_UP * self.window:
            self._mark = (self._busy(), images)
            return
        self._latest = (self._busy(), images)
        self.over = self._mark != self._begun and gone >= self.window

    @contextmanager
    def cost(self, kind: str) -> Iterator[None]:
        """What happens inside is a `kind` of work that comes now and then: sheet, checkpoint, metrics."""
        begun = self._clock()
        yield
        self._costs.setdefault(kind, []).append(self._clock() - begun)

    def known(self, kind: str) -> bool:
        return kind in self._costs

    @property
    def rate(self) -> float:
        """Images a second, without costs; from the first step on where nothing came after the warm-up."""
        (since, before), (now, images) = self._mark, self._latest or (self._busy(), self._mark[1])
        if images <= before:
            (since, before), (now, images) = self._begun, self._mark
        return (images - before) / max(now - since, 1e-9)

    def images(self, drawn: int, every: dict[str, int]) -> int:
        """How many images the time is in all, `drawn` behind. every: {kind of cost: images between two}; at the end
        each comes once more. Three digits, rounded down."""
        costs = {kind: min(self._costs.get(kind, [0.0])) for kind in every}
        left = self.seconds - (self._clock() - self._start) - sum(costs.values())
        each = 1 / max(self.rate, 1e-9) + sum(costs[kind] / every[kind] for kind in every)
        number = drawn + max(int(left / each), 0)
        unit: int = 10 ** max(len(str(number)) - _DIGITS, 0)
        return max(number // unit * unit, drawn)

    def words(self, images: int) -> str:
        """`time 15m: 412,000 images, at 458 a second on this machine`."""
        rate = rate_words(self.rate)
        return f"time {duration_words(self.seconds)}: {images:,} images, at {rate} a second on this machine"

    def _busy(self) -> float:
        return self._clock() - sum(sum(times) for times in self._costs.values())


def cost(budget: TimeBudget | None, kind: str) -> AbstractContextManager[None]:
    """`budget.cost(kind)`, where there is a budget."""
    return nullcontext() if budget is None else budget.cost(kind)


def terminal(budget: TimeBudget | None, *, images: int, done: int) -> Terminal | Stopwatch:
    """The progress display of a training to `images` images, of which `done` are behind, or of the first seconds."""
    return Terminal(images=images, done=done) if budget is None else Stopwatch(budget.window)


def settled(budget: TimeBudget, folder: Path, step: int, metrics: PeriodicMetrics, checks: Checks) -> Assembly:
    """The parts of the run in `folder` with an experiment that has the number of images which its time is, and the
    schedules that hang on it; it is written there. What comes now and then and was not seen yet is done once, for its
    time."""
    parts = checks.parts
    experiment, images = parts.experiment, parts.stream.drawn
    every = {"sheet": experiment.samples_every, "checkpoint": experiment.checkpoint_every}
    if metrics.metrics:
        every["metrics"] = experiment.metrics.every
        if not budget.known("metrics"):
            with budget.cost("metrics"):
                metrics.rehearse(players_in_use(parts))
    if checks.every:
        every["checks"] = checks.every
        if not budget.known("checks"):
            with budget.cost("checks"):
                checks.check(step=step, images=images)
    with budget.cost("checkpoint"):
        _serialise(capture(parts, step=step, seconds=0.0))
    whole = experiment.model_copy(update={"images": budget.images(images, every)})
    parts = replace(parts, experiment=with_absolute_schedules(whole, after=images))
    say(budget.words(whole.images))
    write_text(folder / "experiment.yaml", parts.experiment.to_yaml())
    return parts


def _serialise(state: Any) -> None:
    """Do what writing a checkpoint takes, twice instead of once and on a disk, and keep nothing."""
    nowhere: Any = _Nowhere()
    for _ in range(2):
        torch.save(state, nowhere)


class _Nowhere(io.RawIOBase):
    """A file that keeps nothing."""

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        return len(data)
