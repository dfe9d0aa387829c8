"""Ranking of directions: how much a step changes the image, and how purely.

change   mean over seeds and both signs of the root mean square of G(w +- step) - G(w), pixels in [-1, 1]
purity   features of images are put into at most 8 clusters of those that vary together over samples; with d the change
         of each standardised feature by a step, purity = largest over the clusters of sum of d^2 inside / sum of d^2
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from torch import Tensor

from gansmith.evaluation.activations import pooled_pixels
from gansmith.latent.directions.direction import Direction
from gansmith.latent.directions.inner import drawn, generate
from gansmith.latent.renderer import Renderer
from gansmith.records.images import to_uint8
from gansmith.system.progress import bar

FeaturesOf = Callable[[NDArray[np.uint8]], NDArray[Any]]  # images [N, H, W, C] -> features [N, D]

_CLUSTERS = 8
_SEEDS = 16  # whose images are changed
_SAMPLES = 256  # whose features are clustered


def rank(
    renderer: Renderer, directions: Sequence[Direction], features: FeaturesOf | None = None, *, seeds: int = _SEEDS
) -> list[Direction]:
    """The directions with change and purity, the largest change first. features: pixels averaged to a grid of 4 x 4
    when None.

    >>> from gansmith.data.prior import Prior
    >>> renderer = Renderer(torch.nn.Unflatten(1, (1, 2, 2)), Prior(size=4))
    >>> [one] = rank(renderer, [Direction(torch.tensor([0.0, 0.0, 0.0, 1.0]), "corner")])
    >>> round(one.change, 3), one.purity
    (0.5, 1.0)
    """
    features = features or pooled_pixels
    known = features(to_uint8(generate(renderer, *drawn(renderer, _SAMPLES, "clusters"), what="samples")))
    deviations = known.std(0, dtype=np.float64)  # in float32 a constant may deviate by its rounding
    used = np.flatnonzero(deviations > 1e-6 * max(1e-12, float(deviations.max(initial=0))))
    if not len(used):
        return sorted((replace(d, change=0.0) for d in directions), key=lambda d: d.name)
    clusters = feature_clusters(known[:, used])
    starts, labels = drawn(renderer, seeds, "change")
    before = generate(renderer, starts, labels)
    seen = features(to_uint8(before))
    ranked = []
    with bar("ranking", len(directions), "directions") as advance:
        for direction in directions:
            changes, moved = [], []
            for sign in (1, -1):
                after = generate(renderer, starts + sign * direction.step * direction.vector, labels)
                changes.append(root_mean_square(after - before))
                moved.append((features(to_uint8(after)) - seen)[:, used] / deviations[used])
            change, pure = float(torch.cat(changes).mean()), purity(np.concatenate(moved), clusters)
            ranked.append(replace(direction, change=change, purity=pure))
            advance()
    return sorted(ranked, key=lambda d: -(d.change or 0))


def root_mean_square(change: Tensor) -> Tensor:
    """Of the pixels of each image [N, C, H, W], [N]."""
    return change.square().flatten(1).mean(1).sqrt()


def feature_clusters(features: NDArray[Any]) -> NDArray[np.int64]:
    """Features [N, D], none constant -> the cluster of each, [D]: k-means on their standardised values over the
    samples, at unit length, so that near means correlated."""
    features = features.astype(np.float64)
    rows = ((features - features.mean(0)) / features.std(0)).T
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    distinct = len(np.unique(rows.round(6), axis=0))
    count = min(_CLUSTERS, distinct)
    return np.asarray(KMeans(count, n_init=4, random_state=0).fit_predict(rows), dtype=np.int64)


def purity(changes: NDArray[Any], clusters: NDArray[np.int64]) -> float | None:
    """Changes [N, D] of standardised features and their clusters [D] -> the largest share in one; None without change.

    >>> purity(np.array([[1.0, 1.0, 1.0, -1.0]]), np.array([0, 0, 0, 1]))
    0.75
    """
    energy = np.bincount(clusters, weights=np.square(changes.astype(np.float64)).sum(0))
    return float(energy.max() / energy.sum()) if energy.sum() > 0 else None
