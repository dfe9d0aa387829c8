"""Frechet distance of two Gaussians, and the mean and covariance of features, in float64.

The distance of two Gaussians (Dowson and Landau 1982, "The Frechet Distance between Multivariate Normal Distributions",
eq. 4): |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)). The eigenvalues of C1 C2 are those of the symmetric L' C2 L with
C1 = L L', which are real and not negative however few images there were; L comes from a Cholesky factorisation with
pivots, which stops at the rank of C1. No matrix root is ever taken.

Where there are fewer images than dimensions on both sides, the roots of these eigenvalues are the singular values of
A B', where A and B hold the centred images over the root of their count - 1: no covariance is needed at all.

Moments of shares of the images, computed one after the other or by several processes, merge to those of all of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import linalg

from gansmith.errors import DataError

_ROWS = 4096  # brought to float64 at a time


class Moments(NamedTuple):
    """Of features [images, D], what adds up over shares of them: their mean float64 [D], and their scatter float64
    [D, D], the sum of squares about the mean."""

    images: int
    mean: NDArray[np.float64]
    scatter: NDArray[np.float64]


class Statistics(NamedTuple):
    """mean float64 [D];  covariance float64 [D, D], the sum of squares divided by n - 1."""

    mean: NDArray[np.float64]
    covariance: NDArray[np.float64]


def statistics(features: NDArray[Any]) -> Statistics:
    """Features [N, D], finite, N >= 2 (see `feature_matrix.matrix`)."""
    return statistics_of(moments(features))


def statistics_of(whole: Moments) -> Statistics:
    """The statistics of all features, from their moments; at least two images."""
    return Statistics(whole.mean, whole.scatter / (whole.images - 1))


def moments(features: NDArray[Any], *, device: torch.device | str = "cpu") -> Moments:
    """Moments of features [N, D], finite, N >= 1; on a `device` that knows float64.

    >>> moments(np.array([[1.0, 0], [3, 0]])).scatter.tolist()
    [[2.0, 0.0], [0.0, 0.0]]
    """
    mean = features.mean(axis=0, dtype=np.float64)
    scatter = np.zeros((features.shape[1],) * 2)
    centre = torch.from_numpy(mean).to(device)
    on_cpu = torch.device(device).type == "cpu"
    for start in range(0, len(features), _ROWS):
        if on_cpu:
            part = features[start : start + _ROWS] - mean
            scatter += part.T @ part  # of a matrix with itself: numpy computes one half and mirrors it
        else:
            rows = torch.from_numpy(features[start : start + _ROWS]).to(device).double() - centre
            scatter += (rows.T @ rows).cpu().numpy()
    return Moments(len(features), mean, scatter)


def merge(shares: Iterable[Moments]) -> Moments:
    """Moments of all features from those of shares of them (Chan, Golub, LeVeque 1979, "Updating Formulae and a
    Pairwise Algorithm for Computing Sample Variances", eq. 2.1): those of the whole but for rounding in float64.

    >>> merge([moments(np.array([[1.0]])), moments(np.array([[3.0], [5.0]]))])
    Moments(images=3, mean=array([3.]), scatter=array([[8.]]))
    """
    parts = list(shares)
    images = sum(part.images for part in parts)
    mean = np.sum([part.mean * (part.images / images) for part in parts], axis=0)
    scatter = np.sum([part.scatter for part in parts], axis=0)
    for part in parts:
        off = part.mean - mean
        scatter += part.images * np.outer(off, off)
    return Moments(images, mean, scatter)


def frechet(one: Statistics, other: Statistics) -> float:
    """The squared Frechet distance of two Gaussians, not negative.

    Raises DataError for statistics of different shapes, not finite, or whose covariance is not one.
    """
    for statistic in (one, other):
        _check(statistic)
    if one.mean.shape != other.mean.shape:
        raise DataError(
            f"statistics of {len(one.mean):,} dimensions cannot be compared with statistics of {len(other.mean):,}: "
            f"both must come from the same extractor"
        )
    first, second = (np.asarray(side.covariance, dtype=np.float64) for side in (one, other))
    factor, pivots, rank, _ = linalg.lapack.dpstrf(first, lower=1)
    rows = np.empty((len(first), rank))
    rows[pivots - 1] = np.tril(factor)[:, :rank]
    inner = rows.T @ second @ rows
    roots = np.sqrt(np.clip(linalg.eigvalsh((inner + inner.T) / 2), 0, None)) if rank else np.zeros(1)
    return _sum(one.mean, other.mean, float(np.trace(first) + np.trace(second)), float(roots.sum()))


def frechet_of_few(one: NDArray[Any], other: NDArray[Any]) -> float:
    """The squared Frechet distance from features [N, D] and [M, D], finite, N and M >= 2; fast below D."""
    means = [side.mean(axis=0, dtype=np.float64) for side in (one, other)]
    first, second = ((side - mean) / np.sqrt(len(side) - 1) for side, mean in zip((one, other), means, strict=True))
    traces = float(np.square(first).sum() + np.square(second).sum())
    return _sum(means[0], means[1], traces, float(linalg.svdvals(first @ second.T).sum()))


def _sum(one: NDArray[np.float64], other: NDArray[np.float64], traces: float, roots: float) -> float:
    return max(0.0, float(np.square(one - other).sum()) + traces - 2 * roots)


def _check(statistic: Statistics) -> None:
    mean, covariance = np.asarray(statistic.mean), np.asarray(statistic.covariance)
    if mean.ndim != 1 or covariance.shape != (len(mean), len(mean)):
        raise DataError(
            f"a mean of shape {list(mean.shape)} and a covariance of shape {list(covariance.shape)} "
            f"do not belong together: [D] and [D, D] are needed"
        )
    if not (np.isfinite(mean).all() and np.isfinite(covariance).all()):
        raise DataError("the mean or the covariance holds a NaN or an infinity: the features are broken")
    largest = float(np.abs(covariance).max(initial=0))
    if not np.allclose(covariance, covariance.T, rtol=0, atol=1e-6 * largest) or (np.diag(covariance) < 0).any():
        raise DataError("the covariance is not symmetric, or has a negative variance")
