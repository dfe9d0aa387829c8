"""Kinds of images: groupings of a feature space, and how many real images are of a kind that samples make too rarely.

Features are brought to their DIMENSIONS main directions, and the space is cut GROUPINGS times by k-means (Lloyd 1982,
"Least squares quantization in PCM"; begun as in Arthur, Vassilvitskii 2007, "k-means++"), and once by the linear
discriminant of the classes (Fisher 1936, "The Use of Multiple Measurements in Taxonomic Problems") where images
have labels. A kind is **lacking** where samples visit it less than 1 / RARE as often as real images do; what is
measured is the share of the real images beyond that, a mean over the groupings.

Comparing counts of groups is the two-sample test of NDB (Richardson, Weiss 2018, "On GANs and GMMs"). # Differs: only
what the samples lack counts, several groupings are averaged, and how large the number must be is read off planted sets
(`planted_losses`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.extmath import randomized_svd

from gansmith.evaluation.types import Features, Images, Labels

DIMENSIONS = 32
GROUPINGS = 8
MOST, LEAST, EACH = 30, 4, 10  # groups of a grouping: one for EACH images of the smaller side, within these bounds
RARE = 2.0
THUMBNAIL = 8
_STEPS = 15  # of Lloyd's algorithm
_SHRINK = 0.1  # of the classes' common covariance towards a sphere
_FEWEST = 2  # images of a class, for it to have a mean
_AT_ONCE = 500  # images whose thumbnails are made together

Members = NDArray[np.int64]  # [N, G]: the column of the group that each image is of, in each grouping
Shares = NDArray[np.float64]  # [S]: of each group, a grouping's groups side by side; each grouping sums to 1


@dataclass(frozen=True)
class Groupings:
    """Groupings of a feature space, as linear scores: an image is of the group whose score is highest.

    mean [D], axes [D, d]    features -> places in the main directions
    slopes [d, S], offsets [S]   places -> scores;  ends   where each grouping's columns end
    weights [S]   of each column: groupings by k-means weigh alike, and the classes as much as all of them together
    """

    mean: Features
    axes: Features
    slopes: Features
    offsets: Features
    ends: tuple[int, ...]
    weights: Shares

    def places(self, features: Features) -> Features:
        """Features [N, D] -> float32 [N, d] in the main directions."""
        return np.asarray((features - self.mean) @ self.axes, dtype=np.float32)

    def scores(self, places: Features) -> Features:
        """Places [N, d] -> float32 [N, S]."""
        return np.asarray(places @ self.slopes + self.offsets, dtype=np.float32)

    def members(self, scores: Features) -> Members:
        """Scores [N, S] -> int64 [N, G]."""
        starts = (0, *self.ends[:-1])
        return np.stack(
            [scores[:, start:end].argmax(axis=1) + start for start, end in zip(starts, self.ends, strict=True)], axis=1
        )

    def shares(self, members: Members) -> Shares:
        """Members [N, G] -> the share of the images in each group [S]."""
        return np.asarray(np.bincount(members.ravel(), minlength=len(self.weights)) / len(members))

    def lacking(self, real: Shares, made: Shares) -> float:
        """Shares of real images and of samples [S] -> the share of the real ones whose kind is lacking, in [0, 1]."""
        return float((self.weights * np.maximum(0, real - RARE * made)).sum())


def learn(features: Features, labels: Labels | None, *, groups: int, seed: int) -> Groupings:
    """Features [N, D] and, where known, labels [N] -> groupings into `groups` each, at most one for each image."""
    rng = np.random.default_rng(seed)
    mean = features.mean(axis=0, dtype=np.float64).astype(np.float32)
    width = min(DIMENSIONS, *features.shape)
    axes = randomized_svd(features - mean, width, random_state=seed % 2**32)[2].T.astype(np.float32)
    places = (features - mean) @ axes
    parts = [_nearest(centres(places, min(groups, len(places)), rng)) for _ in range(GROUPINGS)]
    weights = [np.full(len(offsets), 1 / GROUPINGS) for _, offsets in parts]
    classes = None if labels is None else discriminant(places, labels)
    if classes is not None:
        parts.append(classes[:2])
        weights = [0.5 * part for part in weights] + [np.full(len(classes[1]), 0.5)]
    slopes, offsets = (np.concatenate(part, axis=-1).astype(np.float32) for part in zip(*parts, strict=True))
    ends = tuple(np.cumsum([len(part) for part in weights]).tolist())
    return Groupings(mean, axes, slopes, offsets, ends, np.concatenate(weights))


def groups_for(fewest: int) -> int:
    """How many groups the smaller side of so many images is counted in."""
    return int(np.clip(fewest // EACH, LEAST, MOST))


def centres(points: Features, count: int, rng: np.random.Generator) -> Features:
    """Points [N, d] -> the centres of k-means [count, d]; a centre that no point is nearest to stays where it was."""
    chosen = [int(rng.integers(len(points)))]
    squares = ((points - points[chosen[0]]) ** 2).sum(axis=1, dtype=np.float64)
    while len(chosen) < count:
        total = squares.sum()
        chosen.append(int(rng.choice(len(points), p=squares / total if total > 0 else None)))
        squares = np.minimum(squares, ((points - points[chosen[-1]]) ** 2).sum(axis=1, dtype=np.float64))
    middles = points[chosen].astype(np.float64)
    for _ in range(_STEPS):
        slopes, offsets = _nearest(middles)
        nearest = (points @ slopes + offsets).argmax(axis=1)
        counts = np.bincount(nearest, minlength=count)
        sums = np.zeros_like(middles)
        np.add.at(sums, nearest, points)
        middles = np.where(counts[:, None] > 0, sums / np.maximum(counts, 1)[:, None], middles)
    return middles.astype(np.float32)


def discriminant(points: Features, labels: Labels) -> tuple[Features, Features, Labels] | None:
    """Points [N, d] and labels [N] -> slopes [d, K], offsets [K] of the classes' scores, and the classes' numbers [K].

    Classes of fewer than two images are left out. None where fewer than two classes are left.
    """
    numbers, counts = np.unique(labels, return_counts=True)
    numbers = numbers[counts >= _FEWEST]
    if len(numbers) < 2:
        return None
    known = np.isin(labels, numbers)
    rows, which = points[known].astype(np.float64), np.searchsorted(numbers, labels[known])
    counts = np.bincount(which)
    means = np.zeros((len(numbers), points.shape[1]))
    np.add.at(means, which, rows)
    means /= counts[:, None]
    within = np.cov((rows - means[which]).T, bias=True).reshape(rows.shape[1], rows.shape[1])
    size = max(float(np.trace(within)) / len(within), np.finfo(np.float64).tiny)
    within = (1 - _SHRINK) * within + _SHRINK * size * np.eye(len(within))
    slopes = np.linalg.solve(within, means.T)
    offsets = np.log(counts / counts.sum()) - 0.5 * (means.T * slopes).sum(axis=0)
    return slopes, offsets, numbers


def _nearest(middles: NDArray[Any]) -> tuple[Features, Features]:
    """Centres [K, d] -> slopes [d, K] and offsets [K] of scores that are highest for the nearest centre."""
    return 2 * middles.T, -(middles**2).sum(axis=1)


def thumbnails(images: Images) -> Features:
    """Images uint8 [N, H, W, C] -> float32 [N, T * T * C] in [0, 255]: means of the pixels in T x T equal areas.

    Colour and layout, which a network's features may leave out; blur and noise are averaged away.
    """
    height, width = images.shape[1:3]
    small = np.empty((len(images), THUMBNAIL, THUMBNAIL, images.shape[3]), dtype=np.float32)
    for start in range(0, len(images), _AT_ONCE):
        part = images[start : start + _AT_ONCE].astype(np.float32)
        small[start : start + _AT_ONCE] = np.einsum(
            "ih,nhwc,jw->nijc", _areas(height), part, _areas(width), optimize=True
        )
    return small.reshape(len(images), -1)


def _areas(size: int) -> Features:
    """Weights [T, size] of the pixels in T equal stretches; a pixel on a border counts in parts."""
    ends, pixels = np.linspace(0, size, THUMBNAIL + 1), np.arange(size)
    inside = np.minimum(ends[1:, None], pixels + 1) - np.maximum(ends[:-1, None], pixels)
    weights = np.maximum(inside, 0)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True), dtype=np.float32)
