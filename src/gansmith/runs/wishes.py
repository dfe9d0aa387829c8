"""What the ranks of a training tell each other in every step, without a message of its own: the last sum of gradients
takes a few numbers along, which are who wants to stop, and how long each rank computed.

So all ranks end after the same step. What is decided between two steps, by rank 0, is told by `Team.agreed` at once.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from gansmith.records.recorder import Record
from gansmith.runs.team import Team
from gansmith.system import collectives
from gansmith.system.console import say
from gansmith.training.engine import Engine, Events

_SLOW = 1.5  # times the mean of the others: said, once
_ENOUGH = 8  # steps of which a record is, before anything is said of one rank

_NUMBERS: tuple[int, ...] = tuple(
    int(number) for name in ("SIGTERM", "SIGINT", "SIGHUP") if (number := getattr(signal, name, None)) is not None
)


class Wishes:
    """The numbers that this rank adds, and the sum that comes back. `vector` is called before the last sum of a step,
    which replaces its values; `heard` after it."""

    def __init__(self, team: Team) -> None:
        self.team = team
        self.wanted: int | None = None  # the signal by which this rank wants to stop
        self._stopping = False  # was it said?
        self._sum = torch.zeros(len(_NUMBERS) + team.world)
        self._begun, self._waited, self._busy = time.perf_counter(), 0.0, 0.0
        self._seconds, self._steps, self._said = torch.zeros(team.world), 0, False

    def attach(self, engine: Engine) -> None:
        """Have the engine take the numbers along, where there is another rank."""
        if self.team.world > 1:
            state: Any = engine.state
            state.beside = self.vector
            engine.add_event_handler(Events.ITERATION_STARTED, self.begin_step)

    def wish(self, number: int) -> None:
        """Want to stop after this step or the next one, by the signal of this number."""
        self.wanted = number

    def say_stopping(self, words: str) -> None:
        """Say, once, that the training stops, and what else there is to say of it."""
        if not self._stopping:
            say(f"\nstopping after this step; {words}")
        self._stopping = True

    def begin_step(self) -> None:
        self._mark()

    def vector(self) -> Tensor:
        """float32 [signals + ranks]: one where this rank wants to stop, and its seconds of computing since it was last
        asked, at its own place."""
        self._count()
        self._sum.zero_()
        if self.wanted in _NUMBERS:
            self._sum[_NUMBERS.index(self.wanted)] = 1
        self._sum[len(_NUMBERS) + self.team.rank] = self._busy
        self._busy = 0.0
        return self._sum

    def heard(self) -> int | None:
        """The signal by which all are to stop now, on every rank the same. To be asked first after each step."""
        self._count()
        self._seconds += self._sum[len(_NUMBERS) :]
        self._steps += 1
        return next((n for n, asked in zip(_NUMBERS, self._sum.tolist(), strict=False) if asked), None)

    def _mark(self) -> None:
        self._begun, self._waited = time.perf_counter(), collectives.waited()

    def _count(self) -> None:
        """Add the time since the last mark, without what was spent waiting."""
        begun, waited = self._begun, self._waited
        self._mark()
        self._busy += (self._begun - begun) - (self._waited - waited)

    def record(self) -> dict[str, float]:
        """For a record: the slowest rank since the last one, and its seconds of computing over the mean of the others';
        nothing for a rank alone."""
        if self.team.world == 1 or not self._steps:
            return {}
        seconds = self._seconds.tolist()
        slowest = max(range(len(seconds)), key=seconds.__getitem__)
        others = [value for rank, value in enumerate(seconds) if rank != slowest]
        ratio = seconds[slowest] / max(sum(others) / len(others), 1e-9)
        values = {"ranks/slowest": float(slowest), "ranks/slowest_times": round(ratio, 3)}
        if self._steps >= _ENOUGH:
            self._seconds.zero_()
            self._steps = 0
        return values

    def beside(self, monitor: Callable[[Record], Mapping[str, Any]]) -> Callable[[Record], dict[str, Any]]:
        """What is added to each record: what `record` and the monitor say. A slow rank is said."""

        def added(record: Record) -> dict[str, Any]:
            ranks = self.record()
            slow = self.said(ranks)
            if slow is not None:
                say(slow)
            return {**ranks, **monitor(record)}

        return added

    def said(self, values: Mapping[str, float]) -> str | None:
        """A line for the first record in which one rank is much slower than the others, which wait for it."""
        times = values.get("ranks/slowest_times", 0.0)
        if self._said or times < _SLOW or self._steps:
            return None
        self._said = True
        return (
            f"warning: rank {values['ranks/slowest']:.0f} is slow: it computes {times:.1f} times as long as the others"
        )
