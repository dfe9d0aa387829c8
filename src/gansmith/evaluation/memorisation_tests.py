"""Tests of memorisation: are samples nearer to the training images than held-out images? Three tests, their power.

All of them rest on one fact: held-out images and the samples of a generator that copies nothing are exchangeable. A
number computed in the same way for each of them, from the training images alone, then favours neither.

tail          the lower tail: how many samples are nearer than the j-th nearest of m held-out images. That number is
              beta-binomial(n; j, m - j + 1), whatever the images are; it sees a few copies among many honest samples
rank          C_T: Meehan, Chaudhuri, Dasgupta 2020, "A Non-Parametric Test to Detect Data-Copying in Generative
              Models", over one cell: the Mann-Whitney test of all samples against all held-out images
authenticity  Alaa, van Breugel, Saveliev, van der Schaar 2022, "How Faithful is your Synthetic Data?", section 2.3: a
              sample is inauthentic when it is nearer to a training image than that one is to all other ones
holm          Holm 1979, "A Simple Sequentially Rejective Multiple Test Procedure"
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats
from scipy.special import betaln, gammaln

from gansmith.errors import DataError, NotFiniteError
from gansmith.evaluation import intervals
from gansmith.system.seeding import mix

LEVEL = 0.05  # family-wise, of the tests of a family together
TESTS = 3  # of the family whose power is simulated
DEEPEST = 0.05  # the last place of the lower tail, as a share of the held-out images
SHARES = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2)  # of copies, whose discovery is simulated

Values = NDArray[np.float64]


class Tail(NamedTuple):
    """The lower tail.

    p        of the most surprising place, corrected for the choice among places; exact
    place    j: the most surprising of `places(m)`;  limit: the j-th smallest held-out value
    below    samples under the limit;  expected: how many there would be by chance
    share    estimated share of copies among the samples: the excess at `place`. Its interval (low, high) of at least
             95 % takes it that honest samples are no nearer than held-out images, and copies not past the last place
    """

    p: float
    place: int
    limit: float
    below: int
    expected: float
    share: float
    low: float
    high: float


class Result(NamedTuple):
    """A test's p and what it counts: z of C_T (usually 0), or the inauthentic share of samples and of held-out ones."""

    p: float
    value: float
    usual: float


def places(held: int) -> list[int]:
    """Places of the lower tail among m held-out values: 1, 2, 5, 10 ... to m / 20; 500 give 1, 2, 5, 10, 20, 25."""
    last = max(1, int(held * DEEPEST))
    steps = [step * 10**power for power in range(len(str(last))) for step in (1, 2, 5)]
    return [step for step in steps if step < last] + [last]


def tail(samples: ArrayLike, held: ArrayLike) -> Tail:
    """Values [N] of samples and [M] of held-out images, smaller is nearer.

    Samples count only when they are strictly nearer than the limit, so that ties make the test careful, not wrong.
    Raises DataError for an empty side, NotFiniteError for a NaN.
    """
    fake, real = np.sort(_checked(samples, "samples")), np.sort(_checked(held, "held-out images"))
    n, m = len(fake), len(real)
    limits = {place: float(real[place - 1]) for place in places(m)}
    below = {place: int(np.searchsorted(fake, limit, side="left")) for place, limit in limits.items()}
    each_p = {place: float(chances(place, n=n, m=m)[below[place]]) for place in limits}
    place = min(each_p, key=lambda each: each_p[each])
    low, part = 0.0, 0.025 / (2 * len(limits))  # an error for each of two ends at each place: 2.5 % together
    for each in limits:
        # The place holds beta(j, m - j + 1) of what no copy is, and honest samples are taken to be no nearer.
        usual = float(stats.beta.ppf(1 - part, each, m - each + 1))
        low = max(low, _excess(intervals.share(below[each], n, level=1 - 2 * part)[0], usual))
    high = intervals.share(below[max(limits)], n)[1]  # all of them may be copies: honest samples may lie farther away
    expected = n * place / (m + 1)
    estimate = min(max(_excess(below[place] / n, place / (m + 1)), low), high)
    p = max(each_p[place], crossing(critical(each_p[place], n=n, m=m), n=n, m=m))
    return Tail(p, place, limits[place], below[place], expected, estimate, low, high)


@lru_cache(maxsize=256)
def chances(place: int, *, n: int, m: int) -> Values:
    """[k], k = 0 ... n + 1: P(at least k of n samples lie below the `place`-th smallest of m held-out values).

    When all of them are exchangeable, that value has a share U ~ beta(j, m - j + 1) of the distribution below it, of
    the samples binomial(n, U) fall there, and their number is beta-binomial: C(n, k) B(k + j, n - k + m - j + 1) /
    B(j, m - j + 1).
    """
    k = np.arange(n + 1)
    ways = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
    exactly = np.exp(ways + betaln(k + place, n - k + m - place + 1) - betaln(place, m - place + 1))
    tails: Values = np.minimum(1.0, np.append(np.cumsum(exactly[::-1])[::-1], 0.0))
    tails.flags.writeable = False  # it is cached, and handed out again
    return tails


def critical(level: float, *, n: int, m: int) -> dict[int, int]:
    """For each of `places(m)` the smallest count whose chance is at most `level`; n + 1 where there is none."""
    return {place: int(np.argmax(chances(place, n=n, m=m) <= level * (1 + 1e-9))) for place in places(m)}


def crossing(limits: Mapping[int, int], *, n: int, m: int) -> float:
    """P(for some place j, at least `limits[j]` of n samples lie below the j-th smallest of m held-out values).

    Exact: all orders of n + m exchangeable values are equally likely, and those that never reach a limit are counted
    as lattice paths, one held-out value at a time.
    """
    last = max(limits)
    size = min(limits[last], n + 1)  # a path that has as many samples earlier reaches the last limit at the latest
    if min(limits.values()) < 1:
        return 1.0
    ways, scale = np.zeros(size), 0.0  # [k]: paths with k samples before the held-out value last passed
    ways[0] = 1.0
    for place in range(1, last + 1):
        ways = np.cumsum(ways)
        ways[limits.get(place, size) :] = 0
        largest = float(ways.max())
        ways, scale = ways / largest, scale + float(np.log(largest))
    left = n - np.arange(size)
    rest = gammaln(left + m - last + 1) - gammaln(left + 1) - gammaln(m - last + 1)
    total = gammaln(n + m + 1) - gammaln(n + 1) - gammaln(m + 1)
    kept = float((ways * np.exp(rest - total + scale)).sum())
    return min(max(1 - kept, 0.0), 1.0)


def threshold(level: float, *, n: int, m: int) -> dict[int, int]:
    """The limits of the test at `level`: as low as `crossing` allows."""
    tails = np.unique(np.concatenate([chances(place, n=n, m=m)[1:-1] for place in places(m)]))
    candidates = tails[tails <= level].tolist()
    low, high = 0, len(candidates)
    while low < high:  # the first candidate at which too much crosses
        half = (low + high) // 2
        if crossing(critical(candidates[half], n=n, m=m), n=n, m=m) <= level:
            low = half + 1
        else:
            high = half
    return critical(candidates[low - 1], n=n, m=m) if low else dict.fromkeys(places(m), n + 1)


def rank(samples: ArrayLike, held: ArrayLike) -> Result:
    """C_T: z of the Mann-Whitney statistic, below 0 when samples are nearer; one-sided p, with ties."""
    fake, real = _checked(samples, "samples"), _checked(held, "held-out images")
    n, m = len(fake), len(real)
    ranks = stats.rankdata(np.concatenate([fake, real]))
    _, ties = np.unique(ranks, return_counts=True)
    total = n + m
    variance = n * m / 12 * (total + 1 - float((ties.astype(np.float64) ** 3 - ties).sum()) / (total * (total - 1)))
    above = float(ranks[:n].sum()) - n * (n + 1) / 2 - n * m / 2  # pairs in which the sample is farther, less a half
    if variance <= 0:
        return Result(1.0, 0.0, 0.0)
    spread = float(np.sqrt(variance))
    return Result(float(stats.norm.cdf((above + 0.5) / spread)), above / spread, 0.0)


def authenticity(
    samples: ArrayLike, sample_neighbours: ArrayLike, held: ArrayLike, held_neighbours: ArrayLike
) -> Result:
    """Distances to the nearest training image, beside that image's own to its nearest other one, of both sides.

    Fisher's exact test of the two inauthentic shares, one-sided.
    """
    fake = _checked(samples, "samples") < _checked(sample_neighbours, "samples")
    real = _checked(held, "held-out images") < _checked(held_neighbours, "held-out images")
    table = [[int(fake.sum()), int((~fake).sum())], [int(real.sum()), int((~real).sum())]]
    p = float(stats.fisher_exact(table, alternative="greater")[1])
    return Result(p, float(fake.mean()), float(real.mean()))


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's correction: p of several tests -> p that keep the chance of any false alarm among them at the level."""
    order = np.argsort(p_values, kind="stable")
    worst, corrected = 0.0, [0.0] * len(p_values)
    for done, index in enumerate(order.tolist()):
        worst = max(worst, min(1.0, (len(p_values) - done) * p_values[index]))
        corrected[index] = worst
    return corrected


def power(
    planted: ArrayLike,
    held: ArrayLike,
    *,
    n: int,
    seed: int,
    honest: ArrayLike | None = None,
    shares: Sequence[float] = SHARES,
    repeats: int = 1000,
) -> dict[float, float]:
    """`powers` of one kind of copies."""
    options: dict[str, Any] = {"n": n, "seed": seed, "honest": honest, "shares": shares, "repeats": repeats}
    return powers({"": planted}, held, **options)[""]


def powers(
    planted: Mapping[str, ArrayLike],
    held: ArrayLike,
    *,
    n: int,
    seed: int,
    honest: ArrayLike | None = None,
    shares: Sequence[float] = SHARES,
    repeats: int = 1000,
) -> dict[str, dict[float, float]]:
    """{kind: {share of copies: probability that `tail` notices it}} at a third of LEVEL, with n samples and m held-out
    images.

    planted: values of copies made on purpose, of each kind. honest: values that the other samples are drawn from; None:
    the held-out ones. In each repeat m null values are drawn from the held-out ones. A value drawn for both sides is no
    tie: the two are put in random order, as two images that near would be. A copy, or another honest value, counts as
    nearer than a held-out value only if it is, strictly. All kinds are tried on the same draws.
    """
    real = np.sort(_checked(held, "held-out images"))
    m = len(real)
    limits = threshold(LEVEL / TESTS, n=n, m=m)
    needed = np.array(list(limits.values()))
    # Positions: how many held-out values are passed. A held-out value itself lies between i and i + 1.
    copies = [np.searchsorted(real, _checked(each, "planted copies"), side="right") for each in planted.values()]
    sizes = np.array([len(each) for each in copies])
    where = np.stack([np.resize(each, sizes.max()) for each in copies]).astype(np.float64)
    others = None if honest is None else np.searchsorted(real, _checked(honest, "samples"), side="right")
    rng = np.random.default_rng(mix(seed, "power"))
    noticed = np.zeros((len(shares), len(copies)))
    for _ in range(repeats):
        null = np.sort(rng.integers(0, m, m) + rng.random(m))
        edges = null[[place - 1 for place in limits]]
        rest = rng.integers(0, m, n) + rng.random(n) if others is None else rng.choice(others, n)
        counts = np.searchsorted(np.sort(rng.random(n)), shares)
        genuine = np.zeros((n + 1, len(edges)))
        genuine[1:] = np.cumsum(rest[:, None] < edges, axis=0)
        drawn = (rng.random(max(counts)) * sizes[:, None]).astype(np.int64)
        copied = np.zeros((len(copies), max(counts) + 1, len(edges)))
        copied[:, 1:] = np.cumsum(np.take_along_axis(where, drawn, 1)[..., None] < edges, axis=1)
        for place, count in enumerate(counts.tolist()):
            noticed[place] += (copied[:, count] + genuine[n - count] >= needed).any(1)
    found = (noticed / repeats).T.tolist()
    return {kind: dict(zip(shares, each, strict=True)) for kind, each in zip(planted, found, strict=True)}


def _excess(observed: float, usual: float) -> float:
    """The share s of copies from observed = s + (1 - s) usual."""
    return min(1.0, max(0.0, (observed - usual) / (1 - usual))) if usual < 1 else 0.0


def _checked(distances: ArrayLike, whose: str) -> Values:
    values = np.asarray(distances, dtype=np.float64).ravel()
    if not values.size:
        raise DataError(f"there are no {whose} to compare: give at least one")
    if not np.isfinite(values).all():
        raise NotFiniteError(f"a distance of the {whose} is a NaN or an infinity: their features are broken")
    return values
