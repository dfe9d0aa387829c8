"""FID-infinity: the FID extrapolated to infinitely many images, free of its dependence on the count.

Chong and Forsyth 2020, "Effectively Unbiased FID and Inception Score and where to find them", section 4: the FID of N
images is FID_infinity + c / N to first order, so a straight line through FIDs at several N, against 1 / N, meets 0 at
FID_infinity.

Differs: both sides are drawn at N, where the paper draws the samples only and keeps all 50,000 real ones, because
the real images' count makes the FID larger just as much, and of one's own images there are few.
"""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field
from scipy import linalg, stats
from torch import Tensor

from gansmith.errors import DataError, OptionError
from gansmith.evaluation import intervals
from gansmith.evaluation.feature_matrix import pair
from gansmith.evaluation.frechet import Statistics, frechet, statistics
from gansmith.evaluation.types import Metric, Number, Side, needed
from gansmith.system.option_types import SMALL
from gansmith.system.progress import track
from gansmith.system.seeding import mix

LEAST = 4  # images for each dimension: below, 1 / N^2 bends the line
FEWEST = 20  # images a side, however few the dimensions
_MEANS = "the FID that infinitely many images would give"


def fid_infinity(
    real: ArrayLike | Tensor,
    fake: ArrayLike | Tensor,
    *,
    points: Annotated[int, Field(ge=3, le=SMALL)] = 15,
    seed: int = 0,
    level: float = 0.95,
) -> Number:
    """Real [N, D], fake [M, D] -> the line's value at 1 / N = 0, and its interval. It can be slightly below 0.

    points: counts from max(2 D, n / 10) to n = min(N, M), evenly spaced, one drawing without replacement at each. The
    interval joins two sources: the scatter about the line, and the images that there are, whose share is taken from the
    influence of each single image on the FID. Raises DataError for fewer than 4 D images on a side, or 20, OptionError
    for fewer than three points, or more than a thousand.

    >>> images = np.random.default_rng(0).normal(size=(200, 2))
    >>> 17 < fid_infinity(images, images + 3).value < 19
    True
    """
    if not 3 <= points <= SMALL:
        raise OptionError(
            f"points = {points} is not allowed: at least 3, for a line and its scatter, at most {SMALL:,}"
        )
    real, fake = pair(real, fake)
    count, width = min(len(real), len(fake)), real.shape[1]
    needed_count = max(LEAST * width, FEWEST)
    if count < needed_count:
        raise DataError(
            f"{count:,} images are too few to extrapolate the FID of {width:,} features: at least {needed_count:,} "
            f"are needed on each side. Use KID, which is right for any count, or an extractor of fewer features"
        )
    sizes = np.unique(np.linspace(max(2 * width, count // 10), count, points).round().astype(int))
    rng = np.random.default_rng(mix(seed, "fid infinity"))
    values = []
    for size in track(sizes.tolist(), "FID at several counts", len(sizes), "counts"):
        parts = (side[rng.choice(len(side), size, replace=False)] for side in (real, fake))
        values.append(frechet(*map(statistics, parts)))
    line = stats.linregress(1 / sizes, values)
    error = float(np.hypot(line.intercept_stderr, _error(real, fake)))
    half = intervals.student(error, len(sizes) - 2, level)
    value = float(line.intercept)
    return Number(value, value - half, value + half, _MEANS, level)


def _error(real: NDArray[Any], fake: NDArray[Any]) -> float:
    """The standard error of the FID that the images at hand leave, by its derivative in each image (delta method).

    Taken for a function of one side's mean and covariance, its derivatives are 2 (m1 - m2) and I - T, where T is the
    map that carries that side's Gaussian to the other (Takatsu 2011, "Wasserstein geometry of Gaussian measures").
    """
    variance = 0.0
    one, other = statistics(real), statistics(fake)
    for side, own, others in ((real, one, other), (fake, other, one)):
        centred = side - own.mean
        slope = np.eye(len(own.mean)) - _transport(own, others)
        influence = 2 * centred @ (own.mean - others.mean) + ((centred @ slope) * centred).sum(axis=1)
        variance += float(influence.var(ddof=1)) / len(side)
    return float(np.sqrt(variance))


def _transport(source: Statistics, target: Statistics) -> NDArray[np.float64]:
    """C1^(-1/2) (C1^(1/2) C2 C1^(1/2))^(1/2) C1^(-1/2), symmetric; nothing where C1 has no extent."""
    values, vectors = linalg.eigh(source.covariance)
    kept = values > values[-1] * 1e-10
    roots, basis = np.sqrt(values[kept]), vectors[:, kept]
    inner = roots[:, None] * (basis.T @ target.covariance @ basis) * roots
    squares, turn = linalg.eigh((inner + inner.T) / 2)
    root = (turn * np.sqrt(np.clip(squares, 0, None))) @ turn.T
    carried: NDArray[np.float64] = basis @ (root / roots[:, None] / roots) @ basis.T
    return carried


def build(*, points: Annotated[int, Field(ge=3, le=SMALL)] = 15, seed: int = 0) -> Metric:
    """{"fid_infinity"}, lower for a better generator.

    >>> build(points=20).words
    'fid_infinity(points=20)'
    """

    def measure(real: Side, fake: Side) -> dict[str, Number]:
        features = (needed(side, "features", "fid_infinity") for side in (real, fake))
        return {"fid_infinity": fid_infinity(*features, points=points, seed=seed)}

    words = f"fid_infinity(points={points})"
    return Metric(measure, better={"fid_infinity": "lower"}, words=words, least=FEWEST, draws=True)
