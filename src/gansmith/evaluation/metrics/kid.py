"""KID: the squared maximum mean discrepancy of two sets of features, without bias at any count of images.

Binkowski, Sutherland, Arbel, Gretton 2018, "Demystifying MMD GANs", section 4 and appendix C: the kernel
k(x, y) = (x'y / D + 1)^3. The estimator is eq. 3 of Gretton et al. 2012, "A Kernel Two-Sample Test": pairs of
different images within each side, all pairs between the sides. It can be negative where the two are alike.

kid          from all images at once, with an interval for P != Q
kid_subsets  the mean over random subsets, as the paper and torch-fidelity report it
kid_test     a permutation test of P = Q, exact at any count
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Annotated, Any, NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from pydantic import Field
from torch import Tensor

from gansmith.errors import DataError, OptionError
from gansmith.evaluation import intervals
from gansmith.evaluation.feature_matrix import pair
from gansmith.evaluation.pairwise_distances import progress
from gansmith.evaluation.types import Metric, Number, Side, needed
from gansmith.system.memory import require_memory
from gansmith.system.option_types import LARGEST, AtLeastTwo
from gansmith.system.progress import Advance, track
from gansmith.system.seeding import mix

MEANS = "kernel distance between the features of samples and of real images: 0 for the same, at any count of images"
_BLOCK = 2048  # images: 16 MiB of kernel values
_OUTWEIGHS = 10  # |mean|^2 over the squared spread from where on float32 kernel values cancel: 1e-5 of KID at 100


MOST_SUBSETS = 1_000_000
MOST_DEGREE = 100  # a multiplication each; powers of features soon leave float32
SubsetCount = Annotated[int, Field(ge=1, le=MOST_SUBSETS)]
Degree = Annotated[int, Field(ge=1, le=MOST_DEGREE)]


class Kernel(NamedTuple):
    """(gamma x'y + coef)^degree; gamma None is 1 / D."""

    degree: int = 3
    gamma: float | None = None
    coef: float = 1.0

    def block(self, one: Tensor, other: Tensor) -> Tensor:
        """Features [n, D] and [m, D] -> kernel values [n, m]."""
        gamma = 1 / one.shape[1] if self.gamma is None else self.gamma
        base = torch.addmm(one.new_full((), self.coef).expand(1, len(other)), one, other.T, alpha=gamma)
        values = base
        for _ in range(self.degree - 1):
            values = values * base
        return values


class Sums(NamedTuple):
    """Sums of kernel values of each image, float64: over the others of its own side, and over all of the other side."""

    real: NDArray[np.float64]
    fake: NDArray[np.float64]
    real_across: NDArray[np.float64]
    fake_across: NDArray[np.float64]


class Subsets(NamedTuple):
    """mean and population spread over subsets, which overlap: the spread is no interval of the mean."""

    mean: float
    spread: float


class Tested(NamedTuple):
    """value: the estimate;  p: how often chance alone gives as much, of `permutations` and itself."""

    value: float
    p: float
    permutations: int


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
    sums = kernel_sums(real, fake, Kernel(degree, gamma, coef))
    value, error = estimate(sums)
    half = intervals.student(error, min(len(real), len(fake)) - 1, level)
    return Number(value, value - half, value + half, MEANS, level)


def kernel_sums(
    real: NDArray[Any],
    fake: NDArray[Any],
    kernel: Kernel,
    *,
    quiet: bool = False,
    share: tuple[int, int] = (0, 1),
    device: torch.device | str = "cpu",
) -> Sums:
    """Sums of kernel values, block by block, in float64; of the pairs within a side each block is computed once.

    The values themselves have the features' type, but float64 where the features lie far from the origin, because their
    differences are then lost in float32. quiet: without progress, for many small ones;  share: (which, of how many)
    shares of the blocks are summed, see `merge`;  device: on which the values are computed.
    """
    sides = [torch.from_numpy(side) for side in (real, fake)]
    dtype = torch.float64 if _cancels(sides) else sides[0].dtype
    within = [torch.zeros(len(side), dtype=torch.float64) for side in sides]
    across = [torch.zeros(len(side), dtype=torch.float64) for side in sides]
    spans = [[slice(at, at + _BLOCK) for at in range(0, len(side), _BLOCK)] for side in sides]
    jobs = [(side, side, i, j) for side in (0, 1) for i in range(len(spans[side])) for j in range(i, len(spans[side]))]
    jobs += [(0, 1, i, j) for i in range(len(spans[0])) for j in range(len(spans[1]))]
    jobs = jobs[share[0] :: share[1]]
    with _progress(len(jobs), 0 if quiet else real.shape[1]) as advance:
        for first, second, i, j in jobs:
            rows, columns = spans[first][i], spans[second][j]
            one, other = (sides[side][span].to(device, dtype) for side, span in ((first, rows), (second, columns)))
            block = kernel.block(one, other)
            if first != second:
                across[0][rows] += block.sum(1, dtype=torch.float64).cpu()
                across[1][columns] += block.sum(0, dtype=torch.float64).cpu()
            else:
                if i == j:
                    block.fill_diagonal_(0)
                else:
                    within[first][columns] += block.sum(0, dtype=torch.float64).cpu()
                within[first][rows] += block.sum(1, dtype=torch.float64).cpu()
            advance()
    return Sums(*(sums.numpy() for sums in (*within, *across)))


def merge(shares: Iterable[Sums]) -> Sums:
    """The sums over all blocks from those over shares of them, each of the same images: equal but for the order in
    which float64 adds up.

    >>> one, other = np.eye(3), np.eye(3) + 1
    >>> halves = [kernel_sums(one, other, Kernel(), share=(part, 2)) for part in (0, 1)]
    >>> value_of(merge(halves)) == value_of(kernel_sums(one, other, Kernel()))
    True
    """
    return Sums(*(np.sum(parts, axis=0) for parts in zip(*shares, strict=True)))


def _cancels(sides: Sequence[Tensor]) -> bool:
    """Is the mean of all features so much longer than their spread that float32 kernel values would cancel?"""
    count = sum(len(side) for side in sides)
    mean = (
        sum((part.sum(0, dtype=torch.float64) for side in sides for part in side.split(_BLOCK)), torch.zeros(1)) / count
    )
    lengths = sum(
        float(torch.linalg.vector_norm(p, dtype=torch.float64)) ** 2 for side in sides for p in side.split(_BLOCK)
    )
    along = float(mean.square().sum())
    return along > _OUTWEIGHS * max(lengths / count - along, 0.0)


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
    how large: with hundreds of images a change that nobody minds has p <= .05. How large is what the ruler of
    `gansmith evaluate` says. In float64.

    Raises OptionError for fewer than 19 permutations, which could never reach .05.

    >>> images = np.random.default_rng(0).normal(size=(20, 2))
    >>> kid_test(images, images + 3, permutations=99).p
    0.01
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
    spans = [slice(at, at + _BLOCK) for at in range(0, n + m, _BLOCK)]
    with _progress(len(spans) ** 2, everything.shape[1] + permutations) as advance:
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
    return Tested(float(values[0]), reached / (permutations + 1), permutations)


def _require(name: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise OptionError(f"{name} = {value} is not allowed: at least {least}, at most {most:,}")


def _progress(blocks: int, width: int) -> AbstractContextManager[Advance]:
    return progress("kernel distances", blocks, unit="blocks", work=blocks * _BLOCK**2 * width)


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

    words = f"kid(degree={degree})" if subsets is None else f"kid(degree={degree}, {subsets} x {size}, seed {seed})"
    least, draws = (3, False) if subsets is None else (size, True)
    return Metric(measure, better={"kid": "lower"}, words=words, least=least, draws=draws)
