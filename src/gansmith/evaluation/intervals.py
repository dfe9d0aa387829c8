"""Confidence intervals: of a share, of a mean of repeats, and of any statistic by the bootstrap.

share      Clopper and Pearson 1934, "The Use of Confidence or Fiducial Limits Illustrated in the Case of the
           Binomial", the exact one: it covers at least as often as it says, for every share and every count
mean       Student 1908, "The Probable Error of a Mean"
bootstrap  Efron 1979, "Bootstrap Methods: Another Look at the Jackknife", with the percentiles of the repeats
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from gansmith.errors import DataError, NotFiniteError, OptionError
from gansmith.system.seeding import mix


def share(successes: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """`successes` of `n` independent trials -> (low, high), both in [0, 1], that hold the true share.

    Raises OptionError for a level outside (0, 1) or successes outside 0 to n, DataError for no trial at all.
    """
    _check(level)
    if n < 1:
        raise DataError(f"a share of {n} things has no interval: give at least one")
    if not 0 <= successes <= n:
        raise OptionError(f"{successes} successes of {n} trials are not possible: 0 to {n}")
    tail = (1 - level) / 2
    low = 0.0 if successes == 0 else float(stats.beta.ppf(tail, successes, n - successes + 1))
    high = 1.0 if successes == n else float(stats.beta.ppf(1 - tail, successes + 1, n - successes))
    return low, high


def student(error: float, freedom: int, level: float = 0.95) -> float:
    """A standard error known with `freedom` degrees of freedom -> half of the width of its interval.

    Raises OptionError for a level outside (0, 1).
    """
    _check(level)
    return float(stats.t.ppf((1 + level) / 2, freedom)) * error


def mean(values: ArrayLike, level: float = 0.95) -> tuple[float, float]:
    """Repeats [N] of one measurement, N >= 2 -> (low, high) for their mean.

    Raises OptionError for a level outside (0, 1), DataError for fewer than two, NotFiniteError for a NaN.
    """
    _check(level)
    repeats = np.asarray(values, dtype=np.float64).ravel()
    if repeats.size < 2:
        raise DataError(f"the spread of {repeats.size} value{'s' * (repeats.size != 1)} is unknown: give at least two")
    if not np.isfinite(repeats).all():
        raise NotFiniteError("one of the values is a NaN or an infinity: they have no mean")
    half = student(float(repeats.std(ddof=1) / np.sqrt(repeats.size)), repeats.size - 1, level)
    average = float(repeats.mean())
    return average - half, average + half


def bootstrap(
    data: int | NDArray[Any] | Sequence[NDArray[Any]],
    statistic: Callable[..., float],
    *,
    seed: int,
    repeats: int = 1000,
    level: float = 0.95,
) -> tuple[float, float]:
    """The percentiles (low, high) of `statistic` over `repeats` drawings with replacement.

    data: one array, or several that are drawn from independently of each other, each along its first axis; the
    statistic takes as many arrays. Or a number n: the statistic then takes int64 indices [n], for paired columns.
    Raises DataError for nothing to draw from, OptionError for a level outside (0, 1) or no repeat, NotFiniteError
    when a repeat is a NaN.
    """
    _check(level)
    if repeats < 1:
        raise OptionError(f"repeats = {repeats} is not allowed: at least 1")
    if isinstance(data, int):
        arrays: list[NDArray[Any]] = [np.arange(data, dtype=np.int64)]
    else:
        arrays = [data] if isinstance(data, np.ndarray) else [np.asarray(array) for array in data]
    if not arrays or any(len(array) == 0 for array in arrays):
        raise DataError("there is nothing to draw from: every array of a bootstrap needs at least one row")
    rng = np.random.default_rng(mix(seed, "bootstrap"))
    values = np.empty(repeats, dtype=np.float64)
    for repeat in range(repeats):
        values[repeat] = statistic(*(array[rng.integers(0, len(array), len(array))] for array in arrays))
    if not np.isfinite(values).all():
        raise NotFiniteError("the statistic of a drawing is a NaN or an infinity: too few or constant values")
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _check(level: float) -> None:
    if not 0 < level < 1:
        raise OptionError(f"level = {level} is not allowed: above 0 and below 1, as .95")
