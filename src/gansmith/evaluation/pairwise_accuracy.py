"""Pairwise accuracy of a discriminator: P(score of a real > score of a sample), ties counted half, with an interval
that holds for few images and at 1.

The accuracy of `gansmith.adversarial.accuracy`, which is the area under the ROC curve (Mann-Whitney). Its covariances
are those of DeLong, DeLong, Clarke-Pearson 1988, "Comparing the areas under two or more correlated receiver operating
characteristic curves"; its limits are Newcombe's 2006, "Confidence intervals for an effect size measure based on the
Mann-Whitney statistic, part 2", method 5, widened to DeLong's on the logit scale where those are wider.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from scipy.stats import norm

from gansmith.errors import GansmithError, NotFiniteError
from gansmith.evaluation.feature_matrix import as_floats

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Placements:
    """of_reals [N]: for each real the share of samples it outscores; of_fakes [M]: for each sample the share of reals
    that outscore it. Both average to the accuracy."""

    of_reals: Values
    of_fakes: Values

    @property
    def accuracy(self) -> float:
        """P(score of a real > score of a sample)."""
        return float(self.of_fakes.mean())

    @property
    def variance(self) -> float:
        """DeLong et al., eq. 6, for one discriminator."""
        return float(self.of_reals.var(ddof=1) / len(self.of_reals) + self.of_fakes.var(ddof=1) / len(self.of_fakes))


def per_image(scores: ArrayLike, *, whose: str = "scores") -> Values:
    """Scores [N, ...] -> [N] in float64; those of patches are averaged per image.

    Raises NotFiniteError for a NaN or an infinity, GansmithError for fewer than 2 images.
    """
    values: Any = as_floats(scores, whose).astype(np.float64)
    if values.ndim == 0 or len(values) < 2:
        count = 1 if values.ndim == 0 else len(values)
        raise GansmithError(f"{whose}: {count} image{'' if count == 1 else 's'}, and at least 2 are needed")
    values = values.reshape(len(values), -1).mean(axis=1)
    if not np.isfinite(values).all():
        raise NotFiniteError(f"{whose}: {int((~np.isfinite(values)).sum())} of {len(values)} are NaN or infinite")
    return np.asarray(values)


def placements(real: Values, fake: Values) -> Placements:
    """Scores [N] of reals and [M] of samples -> the placement of each among the others."""
    return Placements(_share_below(real, fake), 1 - _share_below(fake, real))


def limits(placed: Placements, *, level: float = 0.95) -> tuple[float, float]:
    """The interval of an accuracy at `level`, within [0, 1]."""
    accuracy, z = placed.accuracy, float(norm.ppf(0.5 + level / 2))
    low, high = newcombe(accuracy, len(placed.of_reals), len(placed.of_fakes), level=level)
    if 0 < accuracy < 1:
        spread = z * math.sqrt(placed.variance) / (accuracy * (1 - accuracy))
        logit = math.log(accuracy / (1 - accuracy))
        low, high = min(low, _logistic(logit - spread)), max(high, _logistic(logit + spread))
    return low, high


def newcombe(accuracy: float, reals: int, fakes: int, *, level: float = 0.95) -> tuple[float, float]:
    """Newcombe's method 5: all t with |accuracy - t| <= z sqrt(V(t)), where V is Hanley and McNeil's variance for
    exponential scores, both sizes replaced by their mean in its second and third term."""
    z, more = float(norm.ppf(0.5 + level / 2)), (reals + fakes) / 2 - 1

    def excess(t: float) -> float:
        variance = t * (1 - t) * (1 + more * (1 - t) / (2 - t) + more * t / (1 + t)) / (reals * fakes)
        return (accuracy - t) ** 2 - z * z * variance

    low = 0.0 if accuracy == 0 else float(brentq(excess, 0.0, accuracy - _next(accuracy), xtol=1e-12))
    high = 1.0 if accuracy == 1 else float(brentq(excess, accuracy + _next(1 - accuracy), 1.0, xtol=1e-12))
    return low, high


def correlation(one: Placements, other: Placements, *, same_fakes: bool) -> float | None:
    """Between two accuracies over the same reals (in the same order), and over the same samples if `same_fakes`.

    None where one of them does not vary (an accuracy of 0 or 1).
    """
    scale = one.variance * other.variance
    if scale == 0:
        return None
    shared = _covariance(one.of_reals, other.of_reals)
    if same_fakes:
        shared += _covariance(one.of_fakes, other.of_fakes)
    return float(np.clip(shared / math.sqrt(scale), -1, 1))


def _share_below(values: Values, others: Values) -> Values:
    """The share of `others` below each of `values`, ties counted half."""
    ordered = np.sort(others)
    below, up_to = (np.searchsorted(ordered, values, side=side) for side in ("left", "right"))
    return np.asarray((below + up_to) / (2 * len(others)), dtype=np.float64)


def _covariance(one: Values, other: Values) -> float:
    return float(((one - one.mean()) * (other - other.mean())).sum() / (len(one) - 1) / len(one))


def _next(room: float) -> float:
    """A step that leaves the point where the excess is 0 - V < 0 without crossing the root."""
    return min(1e-9, room / 2)


def _logistic(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))
