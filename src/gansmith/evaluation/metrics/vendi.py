"""Vendi score: how many different images a set has in effect, 1 where all are alike, N where none resembles another.

Friedman, Dieng 2023, "The Vendi Score: A Diversity Evaluation Metric for Machine Learning", definition 3.1: the
exponential of the Shannon entropy of the eigenvalues of K / N, where K holds the similarities of all pairs, here the
cosines of their features. It looks at one set alone: nothing in it says that the images resemble the real ones, so
that of as many real images stands beside it. It grows with the count of images: compare only at equal counts.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from gansmith.data.subsets import random_subset
from gansmith.evaluation.feature_matrix import matrix, pair
from gansmith.evaluation.types import Metric, Number, Side, needed
from gansmith.system.memory import require_memory
from gansmith.system.seeding import mix

MEANS = "how many different images there are in effect: 1 if all are alike, as many as there are if none are"
_NORMAL = 1.959963984540054  # the 97.5 % quantile of the normal distribution


def vendi(features: ArrayLike | Tensor) -> Number:
    """Features [N, D] -> the Vendi score under the cosine kernel, from 1 to N, and its interval.

    The interval is that of the infinitesimal jackknife (Jaeckel 1972) of the entropy, over single images; it is about
    the score that other sets of N images would have, not about that of infinitely many. A row of zeros, which has no
    direction, is like other such rows and unlike everything else. Raises DataError for what is no matrix of numbers.

    >>> round(vendi(np.eye(4)).value, 6), round(vendi(np.ones((4, 4))).value, 6)
    (4.0, 1.0)
    """
    directions = _directions(matrix(features, "the"))
    count, width = directions.shape
    require_memory(2 * min(count, width) ** 2 * 8, "the Vendi score", "give fewer images")
    if width <= count:  # the eigenvalues of X'X / N are those of XX' / N, but for zeros
        values, vectors = np.linalg.eigh(directions.T @ directions / count)
        shares = np.square(directions @ vectors)  # [N, D]: the share of each image in each eigenvector
    else:
        values, vectors = np.linalg.eigh(directions @ directions.T / count)
        shares = np.square(vectors) * (count * values.clip(0))
    seen = values > 1e-12  # of a sum of 1: what is below is rounding
    logs = np.log(values[seen])
    entropy = -float((values[seen] * logs).sum())
    surprise = -(shares[:, seen] @ logs)  # of each image; their mean is the entropy
    half = _NORMAL * float(surprise.std()) / math.sqrt(max(1, count - 1))
    low, high = (min(max(math.exp(entropy + end), 1.0), count) for end in (-half, half))
    value = min(max(math.exp(entropy), 1.0), count)
    return Number(value, min(low, value), max(high, value), MEANS)


def build(*, seed: int = 0) -> Metric:
    """{"vendi", "vendi_of_real"}: of the samples, and of as many real images, which is where it should be.

    Where one side has more images, as many of them as the other has are drawn by `seed`.

    >>> build().better
    {'vendi': 'higher'}
    """

    def measure(real: Side, fake: Side) -> dict[str, Number]:
        sides = pair(*(needed(side, "features", "vendi") for side in (real, fake)))
        fewer = min(map(len, sides))
        rng = np.random.default_rng(mix(seed, "vendi"))
        reals, fakes = (side[random_subset(len(side), fewer, rng)] for side in sides)
        return {"vendi": vendi(fakes), "vendi_of_real": vendi(reals)}

    return Metric(measure, better={"vendi": "higher"}, words=f"vendi(cosine, seed={seed})", draws=True)


def _directions(rows: NDArray[Any]) -> NDArray[np.float64]:
    """Rows [N, D] -> unit length, float64; [N, D + 1] where some are zero, which have that column to themselves."""
    floats = rows.astype(np.float64)
    floats /= max(float(np.abs(floats).max()), np.finfo(np.float64).tiny)  # squares of huge numbers would run over
    lengths = np.linalg.norm(floats, axis=1, keepdims=True)
    directions = np.divide(floats, lengths, out=np.zeros_like(floats), where=lengths > 0)
    return directions if lengths.all() else np.hstack([directions, (lengths == 0).astype(np.float64)])
