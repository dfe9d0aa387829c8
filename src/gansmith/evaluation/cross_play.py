"""Cross-play: generators ranked by discriminators they were not trained against.

After Im, Kim, Jiang, Memisevic 2016, "Generating images with recurrent adversarial networks", section 4 (the
generative adversarial metric), where two models swap their discriminators. Here any number of them do, and the ratio
of error rates is replaced by the pairwise accuracy, which every objective shares.

A generator that matched the real images would get exactly 1/2 from every discriminator, strict or not. Both sides of
1/2 are therefore bad: samples that score *above* held-out reals, as those of a collapsed generator often do, are told
apart as surely as those that score below. What is ranked is t = max(accuracy, 1 - accuracy), from 1/2 to 1.

    t[judge, generator] = standing[generator] + strictness[judge]        (least squares, own pairs left out)

A generator's standing is the t that all judges together would give it. The plain mean is biased: no two generators have
the same judges, and the one whose own discriminator is the laxest has only the strict ones.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gansmith.errors import GansmithError
from gansmith.evaluation.pairwise_accuracy import Placements, correlation, limits, per_image, placements
from gansmith.evaluation.types import Number

Values = NDArray[np.float64]
_STANDING = "how surely discriminators it was not trained with tell its samples from real images: 0.5 cannot, 1 always"


@dataclass(frozen=True)
class Standing:
    """A generator's place. told_apart: adjusted for who judged it; mean: of its own row of judges, unadjusted."""

    name: str
    told_apart: Number
    mean: float
    judges: int


@dataclass(frozen=True)
class Pair:
    """Two generators. difference: how much more surely `worse` is told apart; its interval holds for all pairs at once.

    agree, common: how many of the judges foreign to both say so
    separated: the interval does not hold 0, and most of those judges agree where there are any
    """

    better: str
    worse: str
    difference: Number
    separated: bool
    agree: int
    common: int


@dataclass(frozen=True)
class CrossPlay:
    """accuracy[j][i]: of discriminator j on generator i; where kin[j] = kin[i] it is there and counts for nothing.

    adjusted  whether judges could be compared, which takes three; with two, each generator has one judge of its own
    blind     judges that tell no foreign samples from reals: they are lax, or the samples are perfect
    inverted  (judge, generator) where the samples score above held-out reals
    """

    names: tuple[str, ...]
    accuracy: tuple[tuple[Number, ...], ...]
    standings: tuple[Standing, ...]
    pairs: tuple[Pair, ...]
    adjusted: bool
    blind: tuple[str, ...]
    inverted: tuple[tuple[str, str], ...]
    kin: tuple[int, ...]

    def own(self, judge: int, generator: int) -> bool:
        """Whether this discriminator trained with this generator, or equals the one that did."""
        return self.kin[judge] == self.kin[generator]


def cross_play(
    names: Sequence[str],
    real: Sequence[ArrayLike],
    fake: Sequence[Sequence[ArrayLike]],
    *,
    same: Sequence[Hashable] | None = None,
    level: float = 0.95,
) -> CrossPlay:
    """real[j]: scores [N, ...] that discriminator j gives the same N held-out reals; fake[j][i]: [M, ...], those it
    gives the samples of generator i. Intervals are over images.

    same: something of each discriminator that is equal where discriminators are; equal ones judge as one, and none of
    the generators that they were trained with. All differ when not given.
    Raises GansmithError for fewer than two, equal names, or numbers of scores that do not fit together.
    """
    _check(names, real, fake)
    count = len(names)
    kin = tuple(range(count)) if same is None else tuple(list(same).index(one) for one in same)
    if len(set(kin)) < 2:
        raise GansmithError(
            f"{', '.join(names)} have the same discriminator, and it may judge none of their generators"
        )
    placed = [
        [
            placements(per_image(real[j], whose=f"{names[j]} on real images"), per_image(fake[j][i], whose=_whose))
            for i, _whose in enumerate(f"{names[j]} on samples of {name}" for name in names)
        ]
        for j in range(count)
    ]
    cells = [(j, i) for j in sorted(set(kin)) for i in range(count) if kin[i] != kin[j]]
    weights, adjusted = _standings(cells, count)
    table = _Table(cells, placed)
    order = sorted(range(count), key=lambda i: (float(weights[i] @ table.values), i))
    family = 1 - (1 - level) / math.comb(count, 2)
    accuracy = tuple(tuple(_number(placed[j][i], level) for i in range(count)) for j in range(count))
    return CrossPlay(
        names=tuple(names),
        accuracy=accuracy,
        standings=tuple(_standing(names[i], i, weights[i], table, level) for i in order),
        pairs=tuple(_pair(names, table, weights, two, family) for two in combinations(order, 2)),
        adjusted=adjusted,
        blind=tuple(
            names[j]
            for j in sorted(set(kin))
            if all(_low(accuracy[j][i]) <= 0.5 <= _high(accuracy[j][i]) for i in range(count) if kin[i] != kin[j])
        ),
        inverted=tuple((names[j], names[i]) for j, i in cells if _high(accuracy[j][i]) < 0.5),
        kin=kin,
    )


class _Table:
    """All foreign cells in one vector, with the correlations that the interval of a weighted sum of them needs."""

    def __init__(self, cells: list[tuple[int, int]], placed: list[list[Placements]]) -> None:
        self.cells = cells
        self.placed = [placed[j][i] for j, i in cells]
        self.accuracy = np.array([one.accuracy for one in self.placed])
        self.values = np.maximum(self.accuracy, 1 - self.accuracy)
        side = np.where(self.accuracy < 0.5, -1.0, 1.0)
        self.correlation = np.eye(len(cells))
        self.still = np.array([one.variance == 0 for one in self.placed])
        for a, b in combinations(range(len(cells)), 2):
            value = correlation(self.placed[a], self.placed[b], same_fakes=cells[a][1] == cells[b][1])
            self.correlation[a, b] = self.correlation[b, a] = side[a] * side[b] * (value or 0.0)

    def sum(self, weights: Values, level: float, means: str) -> Number:
        """The weighted sum with its interval, recovered from those of its terms (Zou, Donner 2008, "Construction of
        confidence limits about effect measures", eq. 3). The correlation of a term that does not vary is unknown: the
        worst is assumed."""
        low, high = np.array([_folded(*limits(one, level=level)) for one in self.placed]).T
        value = float(weights @ self.values)
        sign = np.sign(weights)
        together = self.correlation * np.outer(sign, sign)
        unknown = self.still[:, None] | self.still[None, :]
        together = np.where(unknown, 1.0, together)
        down = np.abs(weights) * np.where(sign > 0, self.values - low, high - self.values)
        up = np.abs(weights) * np.where(sign > 0, high - self.values, self.values - low)
        below, above = (math.sqrt(max(0.0, float(step @ together @ step))) for step in (down, up))
        return Number(value, value - below, value + above, means, level)


def _folded(low: float, high: float) -> tuple[float, float]:
    """The interval of max(a, 1 - a) from that of a."""
    nearest = 0.5 if low <= 0.5 <= high else min(max(low, 1 - low), max(high, 1 - high))
    return nearest, max(high, 1 - low)


def _standings(cells: list[tuple[int, int]], count: int) -> tuple[Values, bool]:
    """(weights [generators, cells] that give the standings, whether judges were adjusted for)."""
    generators, judges = np.zeros((len(cells), count)), np.zeros((len(cells), count))
    for row, (j, i) in enumerate(cells):
        judges[row, j] = generators[row, i] = 1.0
    design = np.concatenate([generators, judges], axis=1)
    share = judges.any(axis=0) / judges.any(axis=0).sum()
    wanted = np.concatenate([np.eye(count), np.tile(share, (count, 1))], axis=1)
    weights = wanted @ np.linalg.pinv(design)
    if np.allclose(weights @ design, wanted):
        return weights, True
    return (generators / generators.sum(axis=0)).T, False  # nothing ties the judges together, as with two runs


def _standing(name: str, index: int, weights: Values, table: _Table, level: float) -> Standing:
    own = [value for value, (_, i) in zip(table.values.tolist(), table.cells, strict=True) if i == index]
    return Standing(name, table.sum(weights, level, _STANDING), float(np.mean(own)), len(own))


def _pair(names: Sequence[str], table: _Table, weights: Values, two: tuple[int, int], level: float) -> Pair:
    one, other = two
    difference = table.sum(weights[other] - weights[one], level, "how much more surely the second is told apart")
    at = dict(zip(table.cells, table.values.tolist(), strict=True))
    both = [(at[j, one], at[j, other]) for j in range(len(names)) if {(j, one), (j, other)} <= at.keys()]
    agree = sum(a < b for a, b in both)
    return Pair(
        better=names[one],
        worse=names[other],
        difference=difference,
        separated=_low(difference) > 0 and (not both or 2 * agree > len(both)),
        agree=agree,
        common=len(both),
    )


def _number(placed: Placements, level: float) -> Number:
    low, high = limits(placed, level=level)
    return Number(placed.accuracy, low, high, "of pairs of a held-out real and a sample, the real scores higher", level)


def _low(number: Number) -> float:
    return -math.inf if number.low is None else number.low


def _high(number: Number) -> float:
    return math.inf if number.high is None else number.high


def _check(names: Sequence[str], real: Sequence[ArrayLike], fake: Sequence[Sequence[ArrayLike]]) -> None:
    count = len(names)
    if count < 2:
        raise GansmithError(f"{count} to compare: at least two are needed, each judged by the other's discriminator")
    if len(set(names)) < count:
        raise GansmithError(f"the names of what is compared must differ: {', '.join(names)}")
    if len(real) != count or len(fake) != count or any(len(row) != count for row in fake):
        raise GansmithError(f"{count} names need {count} rows of scores, each of {count} sets of samples")
    for what, columns in [("real images", [real])] + [(n, [[row[i] for row in fake]]) for i, n in enumerate(names)]:
        lengths = {len(np.asarray(scores)) for column in columns for scores in column}
        if len(lengths) > 1:
            raise GansmithError(f"the discriminators scored different numbers of images of {what}: {sorted(lengths)}")
