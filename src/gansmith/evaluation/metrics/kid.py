"""KID: the squared maximum mean discrepancy of two sets of features, without bias at any count of images.

Binkowski, Sutherland, Arbel, Gretton 2018, "Demystifying MMD GANs", section 4 and appendix C: the kernel
k(x, y) = (x'y / D + 1)^3. The estimator is eq. 3 of Gretton et al. 2012, "A Kernel Two-Sample Test": pairs of
different images within each side, all pairs between the sides. It can be negative where the two are alike.

kid          from all images at once, with an interval for P != Q
kid_subsets  the mean over random subsets, as the paper and torch-fidelity report it
kid_test     a permutation test of P = Q, exact at any count
"""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from pydantic import Field
from torch import Tensor

from gansmith.errors import DataError, OptionError
from gansmith.evaluation import intervals
from gansmith.evaluation.feature_matrix import pair
from gansmith.evaluation.kernel_sums import BLOCK, Kernel, Sums, kernel_progress, kernel_sums
from gansmith.evaluation.number_format import interval
from gansmith.evaluation.shared_sides import held_pair, kernel_sums_of_all
from gansmith.evaluation.types import Metric, Number, Side, needed
from gansmith.system import sharing
from gansmith.system.memory import require_memory
from gansmith.system.option_types import LARGEST, AtLeastTwo
from gansmith.system.progress import track
from gansmith.system.seeding import mix

MEANS = "kernel distance between the features of samples and of real images: 0 for the same, at any count of images"


LEVEL = 0.05  # of the test
SMALL = 0.01  # of one image's distance: brightness x 1.2 is 0.003, images cut into 2 x 2 tiles and shuffled 0.03
MOST_SUBSETS = 1_000_000
MOST_DEGREE = 100  # a multiplication each; powers of features soon leave float32
SubsetCount = Annotated[int, Field(ge=1, le=MOST_SUBSETS)]
Degree = Annotated[int, Field(ge=1, le=MOST_DEGREE)]


class Subsets(NamedTuple):
    """mean and population spread over subsets, which overlap: the spread is no interval of the mean."""

    mean: float
    spread: float


class Tested(NamedTuple):
    """value: the estimate;  p: how often chance alone gives as much, of `permutations` and itself;  share: how large
    the difference is, the estimate as a share of the distance of one real image, repeated, from all of them.

    A test of many images calls every difference significant; whether one matters is a question of its size.
    """

    value: float
    p: float
    permutations: int
    share: Number

    @property
    def small(self) -> bool:
        """Is the difference surely below SMALL?"""
        return self.share.high is not None and self.share.high < SMALL

    def __str__(self) -> str:
        low, high = (None if end is None else 100 * end for end in (self.share.low, self.share.high))
        size = f"{interval(Number(100 * self.share.value, low, high))} % of the distance of one real image from all"
        if self.p > LEVEL:
            return f"no difference is seen (p = {self.p:.2g}): {size}"
        return f"different (p = {self.p:.2g}){', and the difference is small' if self.small else ''}: {size}"


def kid(
    real: ArrayLike | Tensor,
    fake: ArrayLike | Tensor,
    *,
    degree: Degree = 3,
    gamma: float | None = None,
    coef: float = 1.0,
    level: float = 0.95,
) -> Number:
    """Real [N, D], fake [M, D], N and M at least 3 -> the estimate from all images, and its interval.

    The interval is the estimate -+ Student's quantile times the jackknife's standard error over single images of either
    side (Arvesen 1969, "Jackknifing U-statistics"). It is right where the two differ; where they are alike the estimate
    is no longer normal, and `kid_test` answers. Raises DataError for features that do not fit together.

    >>> images = np.random.default_rng(0).normal(size=(50, 2))
    >>> kid(images, images + 3).value > 1
    True
    """
    _require("degree", degree, 1, MOST_DEGREE)
    real, fake = pair(real, fake, least=3)
    return _number(kernel_sums(real, fake, Kernel(degree, gamma, coef)), level)


def _number(sums: Sums, level: float = 0.95) -> Number:
    value, error = estimate(sums)
    half = intervals.student(error, min(len(sums.real), len(sums.fake)) - 1, level)
    return Number(value, value - half, value + half, MEANS, level)


def estimate(sums: Sums) -> tuple[float, float]:
    """(the estimate, its standard error by the jackknife), of at least three images a side."""
    n, m = len(sums.real), len(sums.fake)
    real, fake, across = sums.real.sum(), sums.fake.sum(), sums.real_across.sum()
    variance = 0.0
    for own, other, total, rest, count, others in (
        (sums.real, sums.real_across, real, fake / (m * (m - 1)), n, m),
        (sums.fake, sums.fake_across, fake, real / (n * (n - 1)), m, n),
    ):
        without = (total - 2 * own) / ((count - 1) * (count - 2)) + rest - 2 * (across - other) / ((count - 1) * others)
        variance += (count - 1) ** 2 / count * float(np.var(without, ddof=1))
    return value_of(sums), float(np.sqrt(variance))


def value_of(sums: Sums) -> float:
    """The estimate alone, which two images a side allow."""
    n, m = len(sums.real), len(sums.fake)
    within = sums.real.sum() / (n * (n - 1)) + sums.fake.sum() / (m * (m - 1))
    return float(within - 2 * sums.real_across.sum() / (n * m))


def kid_subsets(
    real: ArrayLike | Tensor,
    fake: ArrayLike | Tensor,
    *,
    subsets: SubsetCount = 100,
    size: AtLeastTwo = 1000,
    seed: int = 2020,
    degree: Degree = 3,
    gamma: float | None = None,
    coef: float = 1.0,
) -> Subsets:
    """Real [N, D], fake [M, D] -> over `subsets` drawings of `size` images of each side, without replacement.

    Drawn as torch-fidelity does with the samples as its first input and the same seed. Raises DataError when a
    side has fewer than `size` images, OptionError for no subset or a size below 2.

    >>> images = np.random.default_rng(0).normal(size=(50, 2))
    >>> kid_subsets(images, images + 3, subsets=5, size=20).mean > 1
    True
    """
    _require("subsets", subsets, 1, MOST_SUBSETS)
    _require("size", size, 2, LARGEST)
    _require("degree", degree, 1, MOST_DEGREE)
    real, fake = pair(real, fake)
    if min(len(real), len(fake)) < size:
        raise DataError(
            f"subsets of {size:,} images cannot be drawn from {len(real):,} real and {len(fake):,} generated ones: "
            f"give a smaller size, or leave subsets out, and all images are used at once"
        )
    rng = np.random.RandomState(seed)  # the numbers of torch-fidelity
    kernel = Kernel(degree, gamma, coef)
    values = np.empty(subsets)
    for number in track(range(subsets), "KID of subsets", subsets, "subsets"):
        of_fake = fake[rng.choice(len(fake), size, replace=False)]
        of_real = real[rng.choice(len(real), size, replace=False)]
        values[number] = value_of(kernel_sums(of_real, of_fake, kernel, quiet=True))
    return Subsets(float(values.mean()), float(values.std()))


def kid_test(real: ArrayLike | Tensor, fake: ArrayLike | Tensor, *, permutations: int = 999, seed: int = 0) -> Tested:
    """Real [N, D], fake [M, D] -> the share of ways to deal all images to two sides that give at least this estimate.

    p <= .05 happens in at most 5 % of tests when both come from one distribution (Phipson and Smyth 2010, "Permutation
    P-values should never be zero": the observed dealing counts among them). p says whether there is a difference, not
    how large: with hundreds of images a change that nobody minds has p <= .05. How large is its `share`, and what the
    ruler of `gansmith evaluate` says. In float64.

    Raises OptionError for fewer than 19 permutations, which could never reach .05.

    >>> images = np.random.default_rng(0).normal(size=(20, 2))
    >>> tested = kid_test(images, images + 3, permutations=99)
    >>> tested.p, tested.share.value > SMALL
    (0.01, True)
    """
    if permutations < 19:
        raise OptionError(f"permutations = {permutations} is not allowed: at least 19, or no p can be as low as .05")
    real, fake = pair(real, fake)
    n, m = len(real), len(fake)
    require_memory((n + m) * (permutations + 1) * 8, f"a test by {permutations:,} permutations", "choose fewer")
    everything = torch.from_numpy(np.concatenate([real, fake]).astype(np.float64))
    rng = np.random.default_rng(mix(seed, "kid test"))
    sides = torch.zeros(n + m, permutations + 1, dtype=torch.float64)  # 1: dealt to the real side
    sides[:n, 0] = 1
    for column in range(1, permutations + 1):
        sides[torch.from_numpy(rng.permutation(n + m)[:n]), column] = 1
    inside = torch.zeros(permutations + 1, dtype=torch.float64)  # sums over pairs of the real side
    touching = torch.zeros(permutations + 1, dtype=torch.float64)  # over pairs whose first is of the real side
    total = 0.0
    spans = [slice(at, at + BLOCK) for at in range(0, n + m, BLOCK)]
    with kernel_progress(len(spans) ** 2, everything.shape[1] + permutations) as advance:
        for i, rows in enumerate(spans):
            for j, columns in enumerate(spans):
                block = Kernel().block(everything[rows], everything[columns])
                if i == j:
                    block.fill_diagonal_(0)
                own = block.sum(1)
                total += float(own.sum())
                touching += own @ sides[rows]
                inside += ((block @ sides[columns]) * sides[rows]).sum(0)
                advance()
    across = touching - inside
    values = inside / (n * (n - 1)) + (total - inside - 2 * across) / (m * (m - 1)) - 2 * across / (n * m)
    rounding = 1e-10 * abs(total) / ((n + m) * (n + m - 1))  # equal dealings must count as equal
    reached = int((values >= values[0] - rounding).sum())
    share = share_of_one(real.astype(np.float64), fake.astype(np.float64))
    return Tested(float(values[0]), reached / (permutations + 1), permutations, share)


def share_of_one(real: NDArray[Any], fake: NDArray[Any]) -> Number:
    """Real [N, D], fake [M, D] -> KID over the squared kernel distance of one real image from all, on average: the mean
    of k(x, x) less that of k(x, y). No interval for fewer than three images a side."""
    sums, count = kernel_sums(real, fake, Kernel(), quiet=True), len(real)
    own = float(((np.square(real).mean(axis=1) + 1) ** 3).mean())
    scale = max(own - float(sums.real.sum()) / (count * (count - 1)), float(np.finfo(np.float64).tiny))
    means = "KID as a share of the distance of one real image from all of them: the size of the difference"
    if min(count, len(fake)) < 3:
        return Number(value_of(sums) / scale, means=means)
    value, error = estimate(sums)
    half = intervals.student(error, min(count, len(fake)) - 1)
    return Number(value / scale, (value - half) / scale, (value + half) / scale, means)


def _require(name: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise OptionError(f"{name} = {value} is not allowed: at least {least}, at most {most:,}")


def build(
    *,
    subsets: SubsetCount | None = None,
    size: AtLeastTwo = 1000,
    seed: int = 2020,
    degree: Degree = 3,
) -> Metric:
    """{"kid": kernel distance}, lower for a better generator. From all images; with `subsets`, as torch-fidelity.

    >>> build().words
    'kid(degree=3)'
    """

    def measure(real: Side, fake: Side) -> dict[str, Number]:
        features = [needed(side, "features", "kid") for side in (real, fake)]
        if subsets is None:
            return {"kid": kid(*features, degree=degree)}
        drawn = kid_subsets(*features, subsets=subsets, size=size, seed=seed, degree=degree)
        return {"kid": Number(drawn.mean, means=f"{MEANS}; spread over subsets {drawn.spread:.3g}")}

    def shared(real: Side, fake: Side) -> dict[str, Number]:
        sums = kernel_sums_of_all(*held_pair(real.features, fake.features, least=3), Kernel(degree))
        return {} if sharing.share().rank else {"kid": _number(sums)}

    words = f"kid(degree={degree})" if subsets is None else f"kid(degree={degree}, {subsets} x {size}, seed {seed})"
    least, draws = (3, False) if subsets is None else (size, True)
    together = shared if subsets is None else None
    return Metric(measure, better={"kid": "lower"}, words=words, least=least, draws=draws, shared=together)
