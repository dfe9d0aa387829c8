"""Squared Euclidean distance of the means of two sets of features."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from torch import Tensor

from gansmith.evaluation.feature_matrix import pair
from gansmith.evaluation.types import Metric, Number, Side, needed


def mean_distance(real: ArrayLike | Tensor, fake: ArrayLike | Tensor) -> Number:
    """Features [N, D] and [M, D] -> |mean of the one - mean of the other|^2, 0 for equal sets.

    >>> mean_distance([[0.0, 0.0], [2.0, 0.0]], [[1.0, 3.0]]).value
    9.0
    """
    ours, theirs = (np.asarray(side, np.float64) for side in pair(real, fake))
    value = float(np.square(ours.mean(0) - theirs.mean(0)).sum())
    return Number(value, means="squared distance of the mean features: 0 for the same")


def build() -> Metric:
    """{"mean_distance"}, lower for a better generator.

    >>> build().better
    {'mean_distance': 'lower'}
    """

    def measure(real: Side, fake: Side) -> dict[str, Number]:
        ours, theirs = (needed(side, "features", "mean_distance") for side in (real, fake))
        return {"mean_distance": mean_distance(ours, theirs)}

    return Metric(measure, better={"mean_distance": "lower"}, words="mean_distance", least=1)
