"""Meters of terms and of throughput, with three methods: `add`, `value`, `reset`."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from gansmith.errors import NotFiniteError


class TermMeter:
    """The mean of every term since the last reset. Scalars stay on the device until `value`, one transfer for all."""

    def __init__(self) -> None:
        self._terms: dict[str, list[Tensor]] = {}

    def add(self, played: Sequence[tuple[str, Mapping[str, Tensor]]]) -> None:
        for turn, terms in played:
            for name, term in terms.items():
                self._terms.setdefault(f"{turn}/{name}", []).append(term.detach())

    def value(self) -> dict[str, float]:
        """{"turn/term": mean}. Raises NotFiniteError naming the turn and the term when any single value is not."""
        if not self._terms:
            return {}
        flat = _read([term for terms in self._terms.values() for term in terms])
        means, start = {}, 0
        for name, terms in self._terms.items():
            values = flat[start : start + len(terms)]
            start += len(terms)
            bad = next((value for value in values if not math.isfinite(value)), None)
            if bad is not None:
                turn, _, term = name.partition("/")
                raise NotFiniteError(
                    f"the term {term!r} of turn {turn!r} became {bad}. Checkpoints saved before are kept. "
                    f"Try a lower learning rate, float32 instead of bfloat16, or another objective"
                )
            means[name] = math.fsum(values) / len(values)
        return means

    def reset(self) -> None:
        self._terms.clear()


def _read(scalars: Sequence[Tensor]) -> list[float]:
    """Their values: one wait for each device, since a term that the host knows (a fixed probability) stays there."""
    values = [0.0] * len(scalars)
    for device in {scalar.device for scalar in scalars}:
        places = [place for place, scalar in enumerate(scalars) if scalar.device == device]
        for place, value in zip(
            places, torch.stack([scalars[place].float() for place in places]).tolist(), strict=True
        ):
            values[place] = value
    return values


class MovingAverage:
    """The mean of the last `window` values.

    >>> meter = MovingAverage(2)
    >>> [meter.add(value) or meter.value() for value in (1.0, 3.0, 5.0)]
    [1.0, 2.0, 4.0]
    """

    def __init__(self, window: int) -> None:
        self._values: deque[float] = deque(maxlen=window)

    def add(self, value: float) -> None:
        self._values.append(value)

    def value(self) -> float:
        """NaN before the first value."""
        return math.fsum(self._values) / len(self._values) if self._values else math.nan

    def reset(self) -> None:
        self._values.clear()


class RateMeter:
    """Images per second since the last reset, and the share of that time spent waiting for images."""

    def __init__(self) -> None:
        self.reset()

    def add(self, images: int, seconds: float, waited: float) -> None:
        self.images += images
        self.seconds += seconds
        self.waited += waited

    def value(self) -> dict[str, float]:
        if self.seconds <= 0:
            return {}
        return {"images_per_second": self.images / self.seconds, "waiting": self.waited / self.seconds}

    def reset(self) -> None:
        self.images, self.seconds, self.waited = 0, 0.0, 0.0
