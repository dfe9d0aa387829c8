"""Effective support size of a generator, from how often two of its samples are the same (the birthday paradox).

Two people with one birthday among 23 show that a year is not much longer than 300 days. If mode i
is drawn with probability p_i, two samples agree with probability theta = sum of p_i squared, and 1 / theta is the
effective support: the number of modes if all are equally likely, less if they are not.

The test is Arora, Risteski, Zhang 2018, "Do GANs learn the distribution? Some theory and empirics", section 4. Here
theta is estimated from all pairs, a U-statistic whose variance is Hoeffding 1948, "A class of statistics with
asymptotically normal distribution", eq. 5.13 for m = 2: pairs that share a sample are not independent, so that an
interval which takes their number as Poisson is far too short once modes differ in probability (docs/collapse.md).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaincinv, gammaincinv, ndtri

from gansmith.errors import DataError, OptionError
from gansmith.evaluation.types import Number

Degrees = NDArray[np.int64]


def of_modes(modes: ArrayLike) -> Degrees:
    """The mode of each sample [N] -> how many others share it int64 [N]."""
    _, which, sizes = np.unique(np.asarray(modes), return_inverse=True, return_counts=True)
    degrees: Degrees = (sizes[which.ravel()] - 1).astype(np.int64)
    return degrees


def collisions(degrees: ArrayLike, *, level: float = 0.95) -> Number:
    """Collision probability: how many of the N - 1 others each sample equals [N] -> theta.

    The interval is the widest of three: of the number of pairs as Poisson (few pairs of many modes; its upper end is
    always within the others'), of the U-statistic with its variance (many pairs, any modes), and of the largest group
    as one mode (few pairs that belong to one). Without a single pair it is one-sided, from 0 to the largest theta that
    leaves this a chance of 1 - level whatever the modes are. Raises DataError for fewer than 2 samples or impossible
    counts.
    """
    counts = _checked(degrees, level)
    n, pairs, largest = len(counts), float(counts.sum()) / 2, float(counts.max()) + 1
    all_pairs = n * (n - 1) / 2
    theta = pairs / all_pairs
    tail = (1 - level) / 2
    means = "the chance that two samples are the same"
    if pairs == 0:
        # The worst case is one mode of probability sqrt(theta) among very many small ones: it is not seen twice.
        return Number(0.0, 0.0, float(betaincinv(2, n - 1, level)) ** 2, means, level)
    error = math.sqrt(_variance(counts, theta))
    factor = math.exp(float(ndtri(1 - tail)) * error / theta)
    fewest = float(gammaincinv(pairs, tail))  # the exact lower end of a Poisson mean
    mode_low = float(betaincinv(largest, n - largest + 1, tail))  # Clopper and Pearson's
    mode_high = float(betaincinv(largest + 1, n - largest, 1 - tail)) if largest < n else 1.0
    others = max(0.0, pairs - largest * (largest - 1) / 2)  # pairs outside the largest group
    low = min(fewest / all_pairs, theta / factor, mode_low**2 + others * fewest / pairs / all_pairs)
    high = max(theta * factor, mode_high**2 + others / all_pairs)
    return Number(theta, max(0.0, low), min(1.0, high), means, level)


def support(degrees: ArrayLike, *, level: float = 0.95) -> Number:
    """Effective support: how many others each sample equals [N] -> 1 / theta, as large as the samples can show.

    Without a single pair there is only a lower bound: the value is the bound, and `high` is None.
    """
    return _inverse(collisions(degrees, level=level))


def beyond(fake: Number, real: Number) -> Number:
    """Two chances theta of `collisions` -> the effective support of the fakes beyond what the reals repeat by chance.

    Different images fall within one radius by chance: a generator of modes with theta_m shows theta_m +
    (1 - theta_m) theta_chance, and theta_chance is at most the real one's for images as different as real ones.
    The value and the upper end take it as that; the lower end as nothing. Where the fakes do not repeat themselves
    more than the reals there is only the lower end (then also the value), and where it is not clear, no upper one.
    The difference's end is that of Zou, Donner 2008, "Construction of confidence limits about effect measures", eq. 4.
    """
    chance = min(real.value, 1 - 1e-12)
    excess = (fake.value - chance) / (1 - chance)
    spread = math.hypot(fake.value - (fake.low or 0.0), _high(real) - real.value)
    clear = (fake.value - chance - spread) / (1 - chance)
    low = max(1.0, 1 / _high(fake))
    return Number(
        max(low, 1 / excess) if excess > 0 else low,
        low,
        max(low, 1 / clear) if clear > 0 else None,
        "as if so many different images were drawn, all equally often",
        fake.level,
    )


def ratio(fake: Number, real: Number) -> Number:
    """Two chances theta -> the fakes' effective support over the reals', its ends by the same rule on logarithms.

    Raises DataError when the reals never repeat themselves: give a radius within which they do.
    """
    if real.value <= 0:
        raise DataError("no two real images are alike within this radius: there is nothing to compare with")
    means = "effective support of the samples over that of as many real images"
    real_low, real_high = math.log(max(real.low or 0.0, 1e-300) / real.value), math.log(_high(real) / real.value)
    if fake.value == 0:
        low = real.value / _high(fake) * math.exp(real_low)
        return Number(low, low, None, means, fake.level)
    value = real.value / fake.value
    fake_low, fake_high = math.log(max(fake.low or 0.0, 1e-300) / fake.value), math.log(_high(fake) / fake.value)
    low, high = math.hypot(fake_high, real_low), math.hypot(fake_low, real_high)
    return Number(value, value * math.exp(-low), value * math.exp(high), means, fake.level)


def _variance(degrees: Degrees, theta: float) -> float:
    """Variance of the U-statistic: 2 / (n (n - 1)) * (2 (n - 2) zeta_1 + zeta_2), Hoeffding 1948, eq. 5.13, unbiased.

    zeta_1 = (sum of p cubed) - theta^2, zeta_2 = theta - theta^2; the square of the estimate is theta^2 + variance,
    which the last factor takes out.
    """
    n = len(degrees)
    counts = degrees.astype(np.float64)
    cubes = float((counts * (counts - 1)).sum()) / (n * (n - 1) * max(n - 2, 1))
    shared = max(0.0, cubes - theta**2)
    return 2 * (2 * (n - 2) * shared + theta * (1 - theta)) / max(1, (n - 2) * (n - 3))


def _inverse(theta: Number) -> Number:
    low = 1 / _high(theta)
    means = "as if so many different things were drawn, all equally often"
    if theta.value == 0:
        return Number(low, low, None, f"at least; {means}", theta.level)
    return Number(1 / theta.value, low, 1 / theta.low if theta.low else None, means, theta.level)


def _high(number: Number) -> float:
    return number.value if number.high is None else number.high


def _checked(degrees: ArrayLike, level: float) -> Degrees:
    if not 0 < level < 1:
        raise OptionError(f"level = {level} is not allowed: between 0 and 1, such as 0.95")
    counts = np.asarray(degrees)
    if counts.ndim != 1 or counts.dtype.kind not in "iu":
        raise DataError(
            f"one whole number for each sample is needed (how many others equal it), not {counts.dtype} "
            f"of the shape {list(counts.shape)}"
        )
    n = len(counts)
    if n < 2:
        have = "one sample has" if n else "no sample has"
        raise DataError(f"{have} nothing to repeat: at least 2 are needed, and hundreds to see much")
    if counts.min() < 0 or counts.max() > n - 1 or counts.sum() % 2:
        raise DataError(
            f"these cannot be counts of equal samples: each of {n:,} equals 0 to {n - 1:,} others, "
            f"and every pair is counted on both sides"
        )
    return counts.astype(np.int64)
