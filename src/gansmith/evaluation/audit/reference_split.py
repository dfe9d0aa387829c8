"""Real images in two parts: the reference that samples are compared with, and a control that shows what is attainable.

A share such as precision has no meaning by itself: it depends on the extractor and on the counts, and real images do
not reach 1. So the same share is measured of a control, real images that are not in the reference, and the verdict is
about the ratio of the two (`ratio_verdict`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gansmith.data import subsets
from gansmith.errors import DataError
from gansmith.evaluation.feature_matrix import pair
from gansmith.evaluation.types import Evidence, Features, Side, needed
from gansmith.system.seeding import mix

MOST = 5000  # images a side: the intervals are then within one or two of a hundred
FEWEST = 20  # images a side: fewer say nothing
ENOUGH = 50  # held-out images, for them to be the control


@dataclass(frozen=True)
class ReferenceSplit:
    """Disjoint real images, drawn at random, and the samples of each repeat, at most MOST together.

    reference  what samples are compared with;  control  real images that are compared with it in the same way
    about      the control in words, "held-out real images" or "real images set aside";  notes  for the reader
    """

    reference: Side
    control: Side
    samples: tuple[Side, ...]
    about: str
    notes: tuple[str, ...]


def split_reference(evidence: Evidence, question: str) -> ReferenceSplit:
    """Held-out images are the control where there are ENOUGH of them; else a quarter of the training images is.

    Raises DataError for no samples, missing or unusable features, or fewer than FEWEST images a side.
    """
    if not evidence.fakes:
        raise DataError(f"{question} is a question about samples, and there are none")
    train, holdout = evidence.train, evidence.holdout
    for side in (train, *evidence.fakes):
        needed(side, "features", question)
    samples = tuple(random_subset(side, MOST // len(evidence.fakes), evidence.seed) for side in evidence.fakes)
    for side in samples:
        pair(needed(train, "features", question), needed(side, "features", question))
    fewest = min(map(len, samples))
    if fewest < FEWEST or len(train) < FEWEST:
        raise DataError(
            f"{len(train):,} real images and {fewest:,} samples are too few: at least {FEWEST} of each are needed"
        )
    if holdout is not None and len(holdout) >= ENOUGH:
        pair(needed(train, "features", question), needed(holdout, "features", question))
        control = random_subset(holdout, MOST, evidence.seed)
        reference = random_subset(train, MOST, evidence.seed)
        return ReferenceSplit(reference, control, samples, "held-out real images", ())
    return _set_aside(evidence, samples)


def _set_aside(evidence: Evidence, samples: tuple[Side, ...]) -> ReferenceSplit:
    """A split of the training images alone."""
    train, holdout = evidence.train, evidence.holdout
    if len(train) < 2 * FEWEST:
        raise DataError(f"{len(train):,} real images are too few to set some aside: at least {2 * FEWEST} are needed")
    order = np.random.default_rng(mix(evidence.seed, "set aside")).permutation(len(train))
    aside = min(max(FEWEST, len(train) // 4), MOST)
    why = "No real images were held out" if holdout is None else f"Only {len(holdout):,} real images were held out"
    return ReferenceSplit(
        subset(train, np.sort(order[aside : aside + MOST])),
        subset(train, np.sort(order[:aside])),
        samples,
        "real images set aside",
        (f"{why}: {aside:,} of the images trained on were set aside to see what real images reach.",),
    )


def random_subset(side: Side, most: int, seed: int) -> Side:
    """The side, or `most` of its images drawn at random, in their order."""
    if len(side) <= most:
        return side
    rng = np.random.default_rng(mix(seed, "some", side.name))
    return subset(side, subsets.random_subset(len(side), most, rng))


def subset(side: Side, indices: NDArray[np.int64]) -> Side:
    """The images at `indices`, with their features, probabilities and labels."""

    def rows(array: NDArray[Any] | None) -> Any:
        return None if array is None else array[indices]

    return Side(side.name, rows(side.images), rows(side.features), rows(side.probabilities), rows(side.labels))


def places_of(side: Side, evidence: Evidence) -> Features:
    """The features by which neighbours are found: of unit length where the evidence says so."""
    features = features_of(side)
    if not evidence.directions:
        return features
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    directions: Features = features / np.maximum(lengths, np.finfo(np.float32).tiny)
    return directions


def features_of(side: Side) -> Features:
    """The features of a side of a ReferenceSplit, which checked that they are there."""
    assert side.features is not None
    return side.features
