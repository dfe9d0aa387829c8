"""Inception score: samples that are each clearly of one class, and together of all classes, score high.

Salimans et al. 2016, "Improved Techniques for Training GANs", section 4: exp(E KL(p(y|x) || p(y))), the mean over ten
parts. It never looks at a real image: a generator that makes one perfect image of each class, or copies, scores best.
Between 1 and the number of classes. Fewer images a part make it smaller, so it is comparable at equal counts only.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike
from torch import Tensor

from gansmith.errors import DataError, OptionError
from gansmith.evaluation import intervals
from gansmith.evaluation.feature_matrix import matrix
from gansmith.evaluation.types import Metric, Number, Side, needed
from gansmith.system.option_types import PositiveInt
from gansmith.system.seeding import mix


def inception_score(probabilities: ArrayLike | Tensor, *, splits: PositiveInt = 10, seed: int | None = 0) -> Number:
    """Class probabilities [N, K] of samples, N at least `splits` -> the mean over `splits` equal parts.

    seed: of the order in which images are dealt to the parts; None keeps theirs. The interval is Student's over
    the parts, for their mean; None with one part. Raises DataError for what are no probabilities, or too few images,
    OptionError for no part.

    >>> round(inception_score(np.eye(3), splits=1).value, 6)
    3.0
    """
    if splits < 1:
        raise OptionError(f"splits = {splits} is not allowed: at least 1")
    rows = matrix(probabilities, "the probabilities:", least=1).astype(np.float64)
    wrong = int(((rows < 0).any(axis=1) | (np.abs(rows.sum(axis=1) - 1) > 1e-3)).sum())
    if wrong:
        raise DataError(
            f"{wrong:,} of {len(rows):,} rows are no probabilities: each must be 0 or more, and sum to 1 "
            f"(give the softmax of a classifier's scores)"
        )
    if len(rows) < splits:
        raise DataError(f"{len(rows):,} images cannot be dealt to {splits} parts: give more images, or fewer splits")
    if seed is not None:
        rows = rows[np.random.default_rng(mix(seed, "inception score")).permutation(len(rows))]
    edges = [number * len(rows) // splits for number in range(splits + 1)]
    scores = [_score(rows[start:end]) for start, end in pairwise(edges)]
    low, high = intervals.mean(scores) if splits > 1 else (None, None)
    return Number(float(np.mean(scores)), low, high, "how many classes the samples clearly show: at most all of them")


def _score(part: np.ndarray[tuple[int, int], np.dtype[np.float64]]) -> float:
    tiny = np.finfo(np.float64).tiny  # 0 log 0 is 0
    marginal = part.mean(axis=0)
    divergences = (part * (np.log(np.maximum(part, tiny)) - np.log(np.maximum(marginal, tiny)))).sum(axis=1)
    return float(np.exp(divergences.mean()))


def build(*, splits: PositiveInt = 10, seed: int = 0) -> Metric:
    """{"inception_score"}, higher for a better generator; the real side is not read.

    >>> build().needs
    ('probabilities',)
    """

    def measure(real: Side, fake: Side) -> dict[str, Number]:
        probabilities = needed(fake, "probabilities", "inception_score")
        return {"inception_score": inception_score(probabilities, splits=splits, seed=seed)}

    return Metric(
        measure,
        better={"inception_score": "higher"},
        words=f"inception_score(splits={splits})",
        needs=("probabilities",),
        least=max(2, splits),
        draws=True,
    )
