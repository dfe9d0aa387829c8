"""Health of a training in words, from its records alone: the balance of the players, and known failures.

    discriminator winning, balanced, discriminator losing    one of these, from its pairwise accuracy
    collapsing         the samples are far more alike than they were, or stay far more alike than real images
    memorising         the discriminator scores training images above held-out real images
    oscillating        the accuracy swings between both players again and again
    diverging          scores or a loss grow without bound
    starved loader     much of the time is spent waiting for images

Nothing is said before WINDOW records, and `balanced` not while the samples are nearly all alike: that is no evidence.
None of them stops a training. A state is a property of the latest records, so a resumed run
that reads its own records goes on where it was.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from itertools import pairwise
from statistics import fmean, quantiles
from typing import Any

WINDOW = 5  # records: fewer are noise
_LONG = 20  # records in which an oscillation is looked for
WINNING, LOSING = 0.98, 0.45  # mean pairwise accuracy
_HIGH, _LOW = 0.7, 0.3  # accuracies at the turning points of an oscillation
_FALLEN, _ALIKE, _SETTLED = 0.5, 0.25, 20_000  # of the widest spread; of the reals' spread; images
_TOLD_APART = 0.65  # P(score of a training image > score of one held out); one half, give or take .05, by chance
_GROWTH, _LARGE, _SURE = 10.0, 20.0, 3  # times the lower quartile so far; in absolute terms; so many in a row
_WAITING = 0.3  # share of the time


class Health:
    """Health over a run: `add` takes every record, oldest first, and returns the words for it."""

    def __init__(self, records: Iterable[Mapping[str, Any]] = ()) -> None:
        self._recent: deque[Mapping[str, Any]] = deque(maxlen=_LONG)
        self._sizes: list[float] = []  # of scores or losses, all records
        self._widest = 0.0
        for record in records:
            self.add(record)

    def add(self, record: Mapping[str, Any]) -> str:
        """`balanced`, `discriminator winning, memorising` ... after this record; nothing before there are WINDOW.

        Read are `.../accuracy`, `.../score_real`, `.../score_fake`, `.../loss`, `waiting`, and of the
        measurements `spread` (of the samples, as a share of the real images' own) and `told_apart`.
        """
        self._recent.append(record)
        self._widest = max(self._widest, record.get("spread", 0.0))
        self._sizes.append(_size(record))
        if len(self._recent) < WINDOW:
            return ""
        flags = {
            "collapsing": self._collapsing(),
            "memorising": self._mean("told_apart") > _TOLD_APART,
            "oscillating": self._oscillating(),
            "diverging": self._diverging(),
            "starved loader": self._least("waiting") > _WAITING,
        }
        words = [self._balance(), *(name for name, raised in flags.items() if raised)]
        return ", ".join(word for word in words if word)

    def _balance(self) -> str:
        accuracies = [value for record in self._latest() for value in _ending(record, "accuracy")]
        if not accuracies:
            return ""
        words = _side(fmean(accuracies))
        spread = next((record["spread"] for record in reversed(self._recent) if "spread" in record), 1.0)
        return "" if words == "balanced" and spread < _ALIKE else words

    def _collapsing(self) -> bool:
        spreads = [record["spread"] for record in self._latest() if "spread" in record]
        if len(spreads) < 2:
            return False
        now = max(spreads[-2:])
        fallen = self._widest > _ALIKE and now < _FALLEN * min(self._widest, 1.0)
        return fallen or bool(now < _ALIKE and self._recent[-1]["images"] >= _SETTLED)

    def _oscillating(self) -> bool:
        """Whether the accuracy crossed from above _HIGH to below _LOW or back at least three times."""
        accuracies = [value for record in self._recent for value in _ending(record, "accuracy")]
        sides = [value > _HIGH for value in accuracies if not _LOW <= value <= _HIGH]
        return sum(before != after for before, after in pairwise(sides)) >= 3

    def _diverging(self) -> bool:
        """Whether all of the latest scores or losses are large, and many times their lower quartile over the run."""
        if len(self._sizes) <= 2 * _SURE:
            return False
        calm = quantiles(self._sizes, n=4)[0]
        return min(self._sizes[-_SURE:]) > max(_LARGE, _GROWTH * calm)

    def _latest(self) -> list[Mapping[str, Any]]:
        return list(self._recent)[-WINDOW:]

    def _mean(self, name: str) -> float:
        values = [record[name] for record in self._latest() if name in record]
        return fmean(values) if len(values) > 1 else 0.0

    def _least(self, name: str) -> float:
        return float(min(record.get(name, 0.0) for record in list(self._recent)[-2:]))


def _side(accuracy: float) -> str:
    if accuracy >= WINNING:
        return "discriminator winning"
    return "discriminator losing" if accuracy <= LOSING else "balanced"


def _ending(record: Mapping[str, Any], name: str) -> list[float]:
    return [value for key, value in record.items() if key.endswith(f"/{name}")]


def _size(record: Mapping[str, Any]) -> float:
    """The largest absolute score or loss of a record."""
    values = [value for name in ("score_real", "score_fake", "loss") for value in _ending(record, name)]
    return max(map(abs, values), default=0.0)
