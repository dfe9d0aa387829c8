"""The judge's matrix work beside the plain product: Frechet distance, covariances, neighbours, precision and recall.

All figures are ratios of times measured one after the other, round by round: both sides see the same machine.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import linalg

from benchmarks.report import Figure, main
from gansmith.evaluation.frechet import Statistics, frechet, statistics
from gansmith.evaluation.metrics.precision_recall import precision_recall
from gansmith.evaluation.pairwise_distances import COLUMNS, ROWS, nearest

THIRD = 1 / 3  # of the time of scipy's matrix root
RATE = 0.8  # of the plain product's


def seconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def ratios(one: Callable[[], object], other: Callable[[], object], *, rounds: int, times: float = 1.0) -> list[float]:
    """Time of `one` over `times` the time of `other`, in each round, after one round that warms up."""
    one()
    return [seconds(one) / (times * seconds(other)) for _ in range(rounds)]


def cloud(seed: int, count: int, width: int) -> NDArray[np.float32]:
    """Features like a network's: not negative, of dimensions that hang together, some of them much wider."""
    rng = np.random.default_rng(seed)
    mixing = (rng.standard_normal((width, width)) / np.sqrt(width)).astype(np.float32)
    drawn = rng.standard_normal((count, width), dtype=np.float32) * np.geomspace(0.05, 2, width, dtype=np.float32)
    features: NDArray[np.float32] = np.maximum(drawn @ mixing, 0)
    return features


def by_matrix_root(one: Statistics, other: Statistics) -> float:
    """The Frechet distance as it is usually written."""
    product = one.covariance @ other.covariance
    root = linalg.sqrtm(product)
    traces = np.trace(one.covariance) + np.trace(other.covariance)
    return float(np.square(one.mean - other.mean).sum() + traces - 2 * np.trace(root).real)


def plain_products(one: NDArray[np.float32], other: NDArray[np.float32]) -> None:
    """All products of rows, block by block, each into the same memory."""
    left, right = torch.from_numpy(one), torch.from_numpy(other)
    room = torch.empty(ROWS, COLUMNS)
    for row in range(0, len(left), ROWS):
        for column in range(0, len(right), COLUMNS):
            some, there = left[row : row + ROWS], right[column : column + COLUMNS]
            torch.mm(some, there.T, out=room[: len(some), : len(there)])


def measure(quick: bool = False) -> list[Figure]:
    width, count, rounds = (1_024, 4_000, 3) if quick else (2_048, 10_000, 3)
    figures = []
    for name, images in (("", 2 * width), (", fewer images than features", width // 2)):
        pair = [statistics(cloud(seed, images, width)) for seed in (0, 1)]
        figures.append(
            Figure(
                "evaluation",
                f"Frechet distance of {width:,} features{name}: time, of scipy's sqrtm",
                "",
                ratios(partial(frechet, *pair), partial(by_matrix_root, *pair), rounds=rounds),
                at_most=THIRD,
                digits=3,
            )
        )
    one, other = cloud(2, count, 2_048), cloud(3, count, 2_048)
    wide = one.astype(np.float64)
    copy = wide.copy()  # of a matrix with itself numpy would compute only one half
    size = f"{count:,} x {count:,} x 2,048"
    works: tuple[tuple[str, Callable[[], object], Callable[[], object], float], ...] = (
        (f"mean and covariance, {count:,} x 2,048", lambda: wide.T @ copy, lambda: statistics(one), 1),
        (f"nearest neighbour, {size}", lambda: plain_products(one, other), lambda: nearest(one, other), 1),
        (
            f"5 nearest neighbours, {size}",
            lambda: plain_products(one, other),
            lambda: nearest(one, other, count=5),
            1,
        ),
        (
            f"precision and recall, {size}, of three products",
            lambda: plain_products(one, other),
            lambda: precision_recall(one, other),
            1 / 3,
        ),
    )
    for name, plain, ours, times in works:
        values = ratios(plain, ours, rounds=rounds, times=times)
        figures.append(Figure("evaluation", f"{name}: rate, of the plain product's", "", values, at_least=RATE))
    return figures


if __name__ == "__main__":
    main(measure, __doc__)
