"""Recorder of a training: the terms of the engine, averaged, passed to every view at an interval of images.

A record is a flat dictionary: step, images, seconds (of training, over all resumes), images_per_second, waiting (share
of the time spent waiting for images), the mean of every term since the last record as "turn/term", and measurements
beside the training, its health among them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from gansmith.errors import GansmithError
from gansmith.records.meters import RateMeter, TermMeter
from gansmith.system.console import say

Record = Mapping[str, Any]


class View(Protocol):
    """A destination of records. A view that fails is dropped with a warning; it never stops the training."""

    def record(self, record: Record) -> None: ...
    def close(self) -> None: ...


class Recorder:
    """Call `add` after every step, and `flush` to write a record of the terms so far, which checks them for NaN."""

    def __init__(
        self,
        views: Sequence[View],
        *,
        every: int,
        seconds: float = 0.0,
        beside: Callable[[Record], Record] | None = None,
    ) -> None:
        self.views = list(views)
        self.every, self.seconds, self._beside = every, seconds, beside
        self._terms, self._rate = TermMeter(), RateMeter()
        self._last = time.perf_counter()
        self._recorded = 0

    def start(self, images: int) -> None:
        """Begin to measure time, at `images` real images drawn."""
        self._last = time.perf_counter()
        self._recorded = images

    def add(self, played: Any, *, step: int, images: int, drawn: int, waited: float) -> None:
        now = time.perf_counter()
        self.seconds += now - self._last
        self._rate.add(drawn, now - self._last, waited)
        self._last = now
        self._terms.add(played)
        if images // self.every > self._recorded // self.every:
            self.flush(step=step, images=images)

    def flush(self, *, step: int, images: int) -> None:
        """Write a record of everything since the last one. Raises NotFiniteError."""
        terms = self._terms.value()
        if terms:
            record: dict[str, Any] = {"step": step, "images": images, "seconds": round(self.seconds, 3)}
            record |= {name: round(value, 4) for name, value in self._rate.value().items()}
            record |= terms
            if self._beside is not None:
                record |= self._beside(record)
                self.pause()
            self._hand_out(record)
        self._terms.reset()
        self._rate.reset()
        self._recorded = images

    def record_metrics(self, record: Record) -> None:
        """Write a record of metrics, measured between two steps; its time is not training time."""
        self._hand_out(record)
        self.pause()

    def pause(self) -> None:
        """Do not count the time since the last step as training time (a checkpoint or a sheet was written)."""
        self._last = time.perf_counter()

    def close(self) -> None:
        for view in self.views:
            try:
                view.close()
            except Exception as error:  # an error of the training must not be hidden by a view's
                say(f"warning: {type(view).__name__} could not be closed: {error}")

    def _hand_out(self, record: Record) -> None:
        for view in list(self.views):
            try:
                view.record(record)
            except GansmithError:
                raise
            except Exception as error:  # a broken tracker must not stop the training
                self.views.remove(view)
                say(f"warning: {type(view).__name__} failed and is left out from here on: {error}")
