"""What samples are held against: real images to lie among, and other real images that show how well real ones do.

A share such as precision has no meaning by itself: it depends on the extractor and on the counts, and real images do
not reach 1. So the same is measured of real images that are not among the reference, and what is judged is the ratio.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gansmith.errors import DataError
from gansmith.evaluation.feature_matrix import pair
from gansmith.evaluation.types import Evidence, Features, Number, Side, Verdict, needed
from gansmith.system.seeding import mix

MOST = 5000  # images a side: the intervals are then within one or two of a hundred
FEWEST = 20  # images a side: fewer say nothing
ENOUGH = 50  # held-out images, for them to be the anchor
GOOD, BAD = 2 / 3, 1 / 3  # of what real images reach: surely above the one is good, surely below the other is bad


@dataclass(frozen=True)
class Ground:
    """reference, anchor: real images, none in both, drawn at random;  made: of each repeat, at most MOST together.

    about: the anchor in words, "held-out real images" or "real images set aside";  notes: for the reader
    """

    reference: Side
    anchor: Side
    made: tuple[Side, ...]
    about: str
    notes: tuple[str, ...]


def ground(evidence: Evidence, question: str) -> Ground:
    """Raises DataError for no samples, missing or unusable features, or fewer than FEWEST images a side."""
    if not evidence.fakes:
        raise DataError(f"{question} is a question about samples, and there are none")
    train, holdout = evidence.train, evidence.holdout
    for side in (train, *evidence.fakes):
        needed(side, "features", question)
    made = tuple(some(side, MOST // len(evidence.fakes), evidence.seed) for side in evidence.fakes)
    for side in made:
        pair(needed(train, "features", question), needed(side, "features", question))
    fewest = min(map(len, made))
    if fewest < FEWEST or len(train) < FEWEST:
        raise DataError(
            f"{len(train):,} real images and {fewest:,} samples are too few: at least {FEWEST} of each are needed"
        )
    if holdout is not None and len(holdout) >= ENOUGH:
        pair(needed(train, "features", question), needed(holdout, "features", question))
        anchor = some(holdout, MOST, evidence.seed)
        return Ground(some(train, MOST, evidence.seed), anchor, made, "held-out real images", ())
    if len(train) < 2 * FEWEST:
        raise DataError(f"{len(train):,} real images are too few to set some aside: at least {2 * FEWEST} are needed")
    order = np.random.default_rng(mix(evidence.seed, "set aside")).permutation(len(train))
    aside = min(max(FEWEST, len(train) // 4), MOST)
    have = "No real images were held out" if holdout is None else f"Only {len(holdout):,} real images were held out"
    return Ground(
        pick(train, np.sort(order[aside : aside + MOST])),
        pick(train, np.sort(order[:aside])),
        made,
        "real images set aside",
        (f"{have}: {aside:,} of the images trained on were set aside to see what real images reach.",),
    )


def some(side: Side, most: int, seed: int) -> Side:
    """A side, or `most` of its images drawn at random."""
    if len(side) <= most:
        return side
    return pick(side, np.sort(np.random.default_rng(mix(seed, "some", side.name)).permutation(len(side))[:most]))


def pick(side: Side, indices: NDArray[np.int64]) -> Side:
    """The images at `indices`, with all that belongs to them."""

    def of(given: NDArray[Any] | None) -> Any:
        return None if given is None else given[indices]

    return Side(side.name, of(side.images), of(side.features), of(side.probabilities), of(side.labels))


def features(side: Side) -> Features:
    """Of a side of a Ground, where they were found to be there."""
    assert side.features is not None
    return side.features


def ratio(one: Number, other: Number, means: str) -> Number:
    """The ratio of two shares that were measured independently of each other, with an interval from theirs.

    Donner and Zou 2012, "Closed-form confidence intervals for functions of the normal mean and standard deviation",
    section 3 (MOVER-R). Without an upper end where `other` may be 0; not a number where it is.
    """
    assert one.low is not None
    assert one.high is not None
    assert other.low is not None
    assert other.high is not None
    if other.value <= 0:
        return Number(math.nan, means=means)
    product = one.value * other.value
    lower = product**2 - one.low * other.high * (2 * one.value - one.low) * (2 * other.value - other.high)
    upper = product**2 - one.high * other.low * (2 * one.value - one.high) * (2 * other.value - other.low)
    below, above = (other.high * (2 * other.value - other.high), other.low * (2 * other.value - other.low))
    low = (product - math.sqrt(max(0.0, lower))) / below if below > 0 else 0.0
    high = (product + math.sqrt(max(0.0, upper))) / above if above > 0 else None
    return Number(one.value / other.value, max(0.0, low), high, means)


def judge(found: Number) -> Verdict:
    """Of a ratio to what real images reach: good or bad where the whole interval is, cannot tell otherwise."""
    if math.isnan(found.value):
        return "cannot tell"
    if found.low is not None and found.low > GOOD:
        return "good"
    return "bad" if found.high is not None and found.high < BAD else "cannot tell"


def between(found: Number) -> bool:
    """Does a ratio surely lie between bad and good?"""
    return found.low is not None and found.low >= BAD and found.high is not None and found.high <= GOOD


def undecided(found: Number) -> str:
    """Why a ratio is neither: it lies between, or its interval is too wide."""
    if between(found):
        return "surely between bad and good"
    return "too near the line between two verdicts to call with so few images"


def of_a_hundred(found: Number) -> str:
    """A share as people say it: `71`, or `fewer than 1`, of 100."""
    hundred = 100 * found.value
    return "fewer than 1" if 0 < hundred < 0.5 else f"{hundred:.0f}"
