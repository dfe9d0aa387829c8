"""Planted losses of variety: real images with some of their kinds taken away, to see which loss would be noticed.

As planted copies do for memorisation: pseudo-samples are drawn with replacement from real images of which a share of
the kinds was taken away, as many as there are samples, and the same statistic is measured of them (`kinds`). Honest
pseudo-samples, of all kinds, show what chance does. So the lines between verdicts, and the probability that a loss is
noticed (the power), are of these images, this extractor and these counts, not of other sets.

What is taken away are classes, where images have labels, and otherwise clusters. These are k-means's in a few random
directions, so that they are not the groups that the statistic counts: a loss along its own groups would be seen best.

The statistic is measured twice, of the samples as they are and with their mean moved to that of the real images:
what all samples have in common (blur, a tint) moves images from kind to kind, and is no loss of variety. Both must say
so for a verdict.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gansmith.evaluation import kinds
from gansmith.evaluation.kinds import Groupings
from gansmith.evaluation.types import Features, Labels
from gansmith.system.seeding import mix

LITTLE, THIRD, HALF, MOST_GONE = 1 / 4, 1 / 3, 1 / 2, 3 / 4  # shares of the kinds that are taken away
HONEST_SETS, SETS = 200, 100  # planted sets without a loss, and of each loss
_CUTS = 10  # groupings of unlabelled images into kinds, each the source of as many planted sets
_KINDS, _DIRECTIONS = 12, 16
FEWEST_CLASSES, EACH = 4, 10  # classes, and images of one on average, for classes to be taken away
_LEARN, _REAL, _SAMPLES = 2000, 3000, 2000  # images at most, for the time it takes

Losses = NDArray[np.float64]  # [T, 2]: of T sets, as they are and with their mean moved


@dataclass(frozen=True)
class Scale:
    """lacking, as `Groupings.lacking` measures it, of planted sets: {share of the kinds gone: [T, 2]}, 0 the honest.

    kinds  what was taken away, in words
    """

    planted: Mapping[float, Losses]
    kinds: str

    @property
    def good(self) -> Losses:
        """At most so much is good [2]: what chance does, or a third of what a loss of a quarter typically does."""
        return np.maximum(np.quantile(self.planted[0], 0.975, axis=0), np.median(self.planted[LITTLE], axis=0) / 3)

    @property
    def bad(self) -> Losses:
        """More than this is bad [2]: rarer than 1 in 100 by chance, and what a loss of a quarter typically does."""
        return np.maximum(np.quantile(self.planted[0], 0.99, axis=0), np.median(self.planted[LITTLE], axis=0))

    def power(self, share: float) -> float:
        """How often planted sets that lack this share of the kinds are noticed: called bad."""
        return float((self.planted[share] > self.bad).all(axis=1).mean())

    def missed(self, share: float) -> float:
        """How often planted sets that lack this share of the kinds pass for whole: called good."""
        return float((self.planted[share] <= self.good).all(axis=1).mean())

    def equivalent(self, lacking: float, column: int) -> tuple[float, float, float]:
        """A measured value -> the share of the kinds whose loss typically gives it, and the least and the largest
        share of which it is not unusual (outside 95 % of the planted sets). Beyond three quarters they are not told
        apart: the largest is then 1."""
        shares = sorted(self.planted)
        low, middle, high = (
            np.maximum.accumulate([float(np.quantile(self.planted[share][:, column], level)) for share in shares])
            + 1e-9 * np.arange(len(shares))
            for level in (0.025, 0.5, 0.975)
        )
        value, least = (float(np.interp(lacking, curve, shares)) for curve in (middle, high))
        most = 1.0 if lacking >= low[-1] else float(np.interp(lacking + 1e-6, low, shares))
        return value, min(least, value), max(most, value)


@dataclass(frozen=True)
class Variety:
    """lacking [2] of the samples, and the scale of planted losses beside it."""

    lacking: Losses
    scale: Scale

    @property
    def bad(self) -> bool:
        """Whether both numbers are above the line of bad."""
        return bool((self.lacking > self.scale.bad).all())

    @property
    def good(self) -> bool:
        """Whether neither number is above the line of good."""
        return bool((self.lacking <= self.scale.good).all())


def variety(
    train: tuple[Features, Labels | None],
    others: tuple[Features, Labels | None] | None,
    samples: Features,
    *,
    seed: int,
) -> Variety:
    """Real features [N, D] with labels where known, further real ones [M, D] or None, samples [K, D] -> their variety.

    Half of the training images, at most 2,000, set the groupings; samples are compared with the rest and the others.
    """
    rng = np.random.default_rng(mix(seed, "planted losses"))
    order = rng.permutation(len(train[0]))
    count = min(_LEARN, len(order) // 2)
    real, labels = _joined(_rows(train, order[count:]), others)
    kept = rng.permutation(len(real))[:_REAL]
    real, labels = real[kept], None if labels is None else labels[kept]
    made = samples[rng.permutation(len(samples))[:_SAMPLES]]
    learning = _rows(train, order[:count])
    groups = kinds.groups_for(min(count, len(real), len(made)))
    groupings = kinds.learn(*learning, groups=groups, seed=mix(seed, "groupings"))
    places = groupings.places(real)
    return Variety(measure(groupings, places, groupings.places(made)), plant(groupings, places, labels, len(made), rng))


def measure(groupings: Groupings, real: Features, made: Features) -> Losses:
    """Places [N, d] of real images and [M, d] of samples -> lacking [2]."""
    whole = groupings.shares(groupings.members(groupings.scores(real)))
    shift = (real.mean(axis=0) - made.mean(axis=0)) @ groupings.slopes
    return _both(groupings, whole, groupings.scores(made), shift)


def plant(groupings: Groupings, real: Features, labels: Labels | None, count: int, rng: np.random.Generator) -> Scale:
    """Places [N, d] of real images -> lacking of planted sets of `count`, honest ones and with kinds taken away."""
    scores = groupings.scores(real)
    members = groupings.members(scores)
    everyone = np.arange(len(real))

    def one(left: NDArray[np.int64]) -> Losses:
        drawn, chosen = rng.integers(0, len(real), len(real)), left[rng.integers(0, len(left), count)]
        shift = (real[drawn].mean(axis=0) - real[chosen].mean(axis=0)) @ groupings.slopes
        return _both(groupings, groupings.shares(members[drawn]), scores[chosen], shift)

    by_class = labels is not None and FEWEST_CLASSES <= len(np.unique(labels)) <= len(labels) / EACH
    cuts = [labels] if by_class and labels is not None else [_clusters(real, rng) for _ in range(_CUTS)]
    planted = {0.0: np.array([one(everyone) for _ in range(HONEST_SETS)])}
    for share in (LITTLE, THIRD, HALF, MOST_GONE):
        planted[share] = np.array([one(without(cuts[number % len(cuts)], share, rng)) for number in range(SETS)])
    return Scale(planted, "classes" if by_class else "clusters")


def without(kind: Labels, share: float, rng: np.random.Generator) -> NDArray[np.int64]:
    """The kind of each image [N] -> the images left when kinds drawn at random, which hold as nearly `share` of the
    images as whole kinds can, are taken away: at least one kind goes, and one stays."""
    names, counts = np.unique(kind, return_counts=True)
    order = rng.permutation(len(names))
    gone = np.cumsum(counts[order]) / len(kind)
    number = int(np.abs(gone[:-1] - share).argmin()) + 1 if len(names) > 1 else 0
    return np.flatnonzero(~np.isin(kind, names[order[:number]]))


def _both(groupings: Groupings, whole: kinds.Shares, scores: Features, shift: Features) -> Losses:
    return np.array(
        [groupings.lacking(whole, groupings.shares(groupings.members(rows))) for rows in (scores, scores + shift)]
    )


def _clusters(places: Features, rng: np.random.Generator) -> Labels:
    seen = places @ rng.standard_normal((places.shape[1], _DIRECTIONS)).astype(np.float32)
    middles = kinds.centres(seen, min(_KINDS, len(seen)), rng)
    return np.asarray(((seen[:, None] - middles[None]) ** 2).sum(axis=2).argmin(axis=1), dtype=np.int64)


def _rows(side: tuple[Features, Labels | None], chosen: NDArray[np.int64]) -> tuple[Features, Labels | None]:
    features, labels = side
    return features[chosen], None if labels is None else labels[chosen]


def _joined(
    side: tuple[Features, Labels | None], others: tuple[Features, Labels | None] | None
) -> tuple[Features, Labels | None]:
    """Both; without labels where one has none, for then the classes of some images are not known."""
    if others is None:
        return side
    labels = None if side[1] is None or others[1] is None else np.concatenate([side[1], others[1]])
    return np.concatenate([side[0], others[0]]), labels
