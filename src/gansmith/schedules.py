"""Schedules: values over the number of real images drawn, of a learning rate, a weight, a half-life.

A schedule depends on its own lengths in images and not on the length of the run, so that a prolonged run is the same
run. A `Cooldown`, the last share of a run, is written out as a `Decay` once, when the length is chosen.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from gansmith.system.option_words import Takes

Schedule = Callable[[int], float]  # real images drawn -> value

MOST_IMAGES = 10**15  # exact in a floating-point number
_UNITS = {"": 1, "k": 1_000, "m": 1_000_000, "g": 1_000_000_000}


def parse_count(value: Any) -> Any:
    """`"500k"` -> 500000, `"1.5M"` -> 1500000, `"2e7"` -> 20000000; a number of images."""
    if isinstance(value, str):
        parts = re.fullmatch(r"\s*([\d_]*\.?\d+(?:e\d+)?)\s*([kmg]?)\s*", value.lower())
        if not parts:
            raise ValueError(f"a number of images is written like 50000, 50k, 1.5M or 2e7, not {value!r}")
        value = float(parts[1].replace("_", "")) * _UNITS[parts[2]]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def parse_amount(value: Any) -> Any:
    """As `parse_count`, and any other number: `"2e-4"` -> 0.0002."""
    if isinstance(value, str):
        for read in (float, parse_count):
            with suppress(ValueError):
                return read(value)
        raise ValueError(f"a number is written like 0.0002, 2e-4, 50k or 1.5M, not {value!r}")
    return value


Amount = Annotated[float, Field(allow_inf_nan=False), BeforeValidator(parse_amount)]
Count = Annotated[
    int,
    Field(ge=0, le=MOST_IMAGES),
    BeforeValidator(parse_count),
    Takes("a number of images", ", such as 50000, 50k or 1.5M"),
]


class Decay(BaseModel):
    """Decay from `start`, after `hold` images, to `end` over `decay` images, straight or along half a cosine."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    start: Amount
    end: Amount = 0.0
    hold: Count = 0
    decay: Annotated[Count, Field(gt=0)]
    shape: Literal["linear", "cosine"] = "linear"

    def at(self, images: int) -> float:
        share = min(max((images - self.hold) / self.decay, 0.0), 1.0)
        if self.shape == "cosine":
            share = (1 - math.cos(math.pi * share)) / 2
        return self.start + (self.end - self.start) * share

    def turning_points(self) -> Iterable[float]:
        return self.start, self.end


def parse_share(value: Any) -> Any:
    """`"50%"` -> 0.5; a share of a whole."""
    if isinstance(value, str):
        parts = re.fullmatch(r"\s*(\d*\.?\d+)\s*(%?)\s*", value, re.ASCII)
        if not parts:
            raise ValueError(f"a share is written like 50% or 0.5, not {value!r}")
        return float(parts[1]) / (100 if parts[2] else 1)
    return value


Share = Annotated[
    float, Field(gt=0, le=1, allow_inf_nan=False), BeforeValidator(parse_share), Takes("a share, such as 50%")
]


class Cooldown(BaseModel):
    """Decay from `start` to `end` over the `last` share of the run: `{start: 5e-4, last: 50%}`.

    Hägele et al. 2024, "Scaling Laws and Compute-Optimal Training Beyond Fixed Training Durations", section 3: a
    constant rate, and a cooldown of any length at the end. `of_length` gives the decay; while the length of the run is
    not known the value is `start`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    start: Amount
    end: Amount = 0.0
    last: Share
    shape: Literal["linear", "cosine"] = "linear"

    def of_length(self, images: int, *, after: int = 0) -> Decay:
        """The decay that ends at `images`, and begins not before `after`, where the value was `start` still.

        >>> ending = Cooldown(start=1.0, last="25%").of_length(1_000)
        >>> ending.hold, ending.decay
        (750, 250)
        """
        hold = max(images - round(images * self.last), after)
        return Decay(start=self.start, end=self.end, hold=hold, decay=max(images - hold, 1), shape=self.shape)

    def at(self, images: int) -> float:
        return self.start

    def turning_points(self) -> Iterable[float]:
        return self.start, self.end


class InverseTime(BaseModel):
    """Inverse-time decay: start / (1 + images / halving), so half of `start` after `halving` images.

    Torch's `optim.sgd` writes it rate / (1 + step * decay): `halving` is batch / decay (its learningRateDecay of 1e-4
    at batch 1 is 10k).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    start: Amount
    halving: Annotated[Count, Field(gt=0)]

    def at(self, images: int) -> float:
        return self.start / (1 + images / self.halving)

    def turning_points(self) -> Iterable[float]:
        return self.start, 0.0


class Phases(BaseModel):
    """Piecewise constant: `{phases: {0: 1e-4, 1M: 1e-5}}`, each value from its number of images on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    phases: dict[Count, Amount] = Field(min_length=1)

    def at(self, images: int) -> float:
        begun = [start for start in self.phases if start <= images]
        return self.phases[max(begun) if begun else min(self.phases)]

    def turning_points(self) -> Iterable[float]:
        return self.phases.values()


class Points(BaseModel):
    """Piecewise linear: `{points: {0: 0.08, 12k: 0.8, 24k: 0.008}}`, constant before and after the points.

    One cycle (Smith 2018, "A disciplined approach to neural network hyper-parameters", section 4) is a learning rate
    that rises and falls like this while the momentum falls and rises.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    points: dict[Count, Amount] = Field(min_length=2)

    def at(self, images: int) -> float:
        known = sorted(self.points)
        left = max((point for point in known if point <= images), default=known[0])
        right = min((point for point in known if point >= images), default=known[-1])
        start, end = self.points[left], self.points[right]
        return start if left >= right else start + (end - start) * (images - left) / (right - left)

    def turning_points(self) -> Iterable[float]:
        return self.points.values()


Value = Amount | Decay | Cooldown | InverseTime | Phases | Points


def extremes(value: Value) -> tuple[float, float]:
    """(least, most) of a value over all numbers of images."""
    numbers = [value] if isinstance(value, (int, float)) else [*value.turning_points()]
    return min(numbers), max(numbers)


def not_negative(value: Value) -> Value:
    """The value. Raises ValueError when it is below zero at any time."""
    if extremes(value)[0] < 0:
        raise ValueError("it must not be negative")
    return value


Weight = Annotated[Value, AfterValidator(not_negative)]  # of a term of a loss


def schedule(value: Value) -> Schedule:
    """Function (images drawn -> value) of a constant number, or of one of the descriptions above.

    >>> falling = schedule(Decay(start=1.0, decay=100))
    >>> schedule(0.5)(10_000), falling(0), falling(75)
    (0.5, 1.0, 0.25)
    """
    return (lambda images: float(value)) if isinstance(value, (int, float)) else value.at


def always_one(images: int) -> float:
    """The constant schedule 1."""
    return 1.0
