"""Feature vectors of real, held-out and generated images as points of a plane, each with whether it has a neighbour.

PCA of the real images' features (Pearson 1901, "On lines and planes of closest fit to systems of points in space"), so
that two generators of one data set are drawn on the same axes; or UMAP (McInnes, Healy, Melville 2018, "UMAP: Uniform
Manifold Approximation and Projection for Dimension Reduction"), where the package umap-learn is installed.

What has a neighbour is decided in the space of the features and not in the plane, as precision and recall do
(`evaluation.metrics.precision_recall`): a generated image in a real image's ball, a real one in a generated one's.
"""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.linalg import svds

from gansmith.errors import DataError, OptionError, unknown
from gansmith.evaluation.feature_matrix import Given, matrix, require_same_width
from gansmith.evaluation.metrics.precision_recall import members
from gansmith.evaluation.pairwise_distances import radii, within
from gansmith.system.extras import missing_extra

Method = Literal["pca", "umap"]
METHODS: tuple[Method, ...] = ("pca", "umap")
MOST = 5000  # points of a plane


@dataclass(frozen=True)
class Plane:
    """Points of N real, M held-out and K generated images: float64 [N, 2], [M, 2], [K, 2], and for each of them whether
    it has a neighbour, bool.

    precision  share of the generated images that have one;  recall  share of the real ones
    explained  share of the real features' variance that each axis of a PCA holds, None for UMAP
    """

    real: NDArray[np.float64]
    held_out: NDArray[np.float64]
    generated: NDArray[np.float64]
    real_reached: NDArray[np.bool_]
    held_out_reached: NDArray[np.bool_]
    real_like: NDArray[np.bool_]
    explained: tuple[float, float] | None

    @property
    def precision(self) -> float:
        return float(self.real_like.mean())

    @property
    def recall(self) -> float:
        return float(self.real_reached.mean())


def plane(
    real: Given, generated: Given, held_out: Given | None = None, *, method: Method = "pca", neighbours: int = 3
) -> Plane:
    """Features [N, D], [K, D], [M, D] -> the plane of them all, at most 5,000 points; the same for the same features.

    Raises DataError for too few images or too many, OptionError for another method, MissingExtraError where UMAP is not
    installed.

    >>> rng = np.random.default_rng(0)
    >>> points = plane(rng.normal(size=(50, 8)), rng.normal(size=(30, 8)))
    >>> points.generated.shape, round(points.precision, 1)
    ((30, 2), 0.8)
    """
    if method not in METHODS:
        raise OptionError(unknown("method", method, METHODS))
    sides = [matrix(real, "the real images'"), matrix(generated, "the generated images'")]
    if held_out is not None:
        sides.append(matrix(held_out, "the held-out images'"))
        require_same_width(sides[0], sides[2], "the real images'", "the held-out images'")
    if sum(map(len, sides)) > MOST:
        raise DataError(f"a plane shows at most {MOST:,} images, not {sum(map(len, sides)):,}: give fewer")
    inside = members(*sides[:2], neighbours=neighbours)
    reached = np.zeros(0, dtype=bool)
    if len(sides) > 2:
        balls = radii(sides[1], count=neighbours)
        reached = within(sides[2], sides[1], base_radii=balls).balls > 0
    places, explained = _pca(sides) if method == "pca" else (_umap(sides), None)
    return Plane(
        places[0],
        places[2] if len(sides) > 2 else np.zeros((0, 2)),
        places[1],
        inside.reached,
        reached,
        inside.real_like,
        explained,
    )


def _pca(sides: list[NDArray[Any]]) -> tuple[list[NDArray[np.float64]], tuple[float, float]]:
    """The two directions in which the first side varies most, each with its largest entry positive; all sides along
    them."""
    real = sides[0].astype(np.float64)
    mean = real.mean(0)
    centred = real - mean
    if min(centred.shape) < 3:
        axes = np.linalg.svd(centred, full_matrices=False)[2]
        axes = np.concatenate([axes, np.zeros((2, real.shape[1]))])[:2]
    else:
        start = np.random.default_rng(0).normal(size=min(centred.shape))
        _, lengths, axes = svds(centred, k=2, v0=start, random_state=np.random.default_rng(0))
        axes = axes[np.argsort(-lengths)]
    largest = np.take_along_axis(axes, np.abs(axes).argmax(1)[:, None], 1)
    axes = axes * np.where(largest < 0, -1.0, 1.0)
    places = [(side.astype(np.float64) - mean) @ axes.T for side in sides]
    whole = max(float(np.square(centred).sum()), np.finfo(np.float64).tiny)
    first, second = (np.square(places[0]).sum(0) / whole).tolist()
    return places, (first, second)


def _umap(sides: list[NDArray[Any]]) -> list[NDArray[np.float64]]:
    """All sides together, by a fixed seed in one thread: the same places for the same features."""
    os.environ.setdefault("NUMBA_NUM_THREADS", "1")
    every = np.concatenate(sides)
    near = min(15, len(every) - 1)  # the package's default
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its own: that TensorFlow is not here, that a seed leaves one thread
        try:
            from umap import UMAP
        except ImportError:
            raise missing_extra("UMAP needs the package umap-learn", "map", "method pca needs nothing more") from None
        init = "spectral" if len(every) > 4 * near else "random"
        placed = UMAP(n_neighbors=near, random_state=0, n_jobs=1, init=init).fit_transform(every).astype(np.float64)
    return np.split(placed, np.cumsum([len(side) for side in sides])[:-1])
