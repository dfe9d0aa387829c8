"""Near duplicates: the radius of "the same image", pairs within it, and the groups that they form.

The real images set the radius: it is the distance within which a stated share of the pairs of
different real images falls, one in 10,000 for the same image. A set that repeats itself (bursts of one hand, emoji in
five skin tones) gets the smaller radius for it, and the samples are always compared with the real images by it.

A mode is not a point: a generator moves and shades what it repeats. Each image is compared with the other at every
shift up to a margin (`copy_search.views`), the smallest distance counts, and both ways round.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from gansmith.errors import DataError, OptionError
from gansmith.evaluation import copy_search
from gansmith.evaluation.extract import extract
from gansmith.evaluation.feature_matrix import matrix
from gansmith.evaluation.types import Extractor, Features, Images

Distances = NDArray[np.float32]  # [N, N]

PICTURE = 1e-4  # the share of real pairs within the radius of "the same image"
KIND = 1e-2  # ... and of "the same kind of image"
PAIRS = 10  # real pairs that a radius rests on, at least: few images have a wider one
_SMALLEST = 1e-3  # of the median distance: rounding puts less than that between two equal images


def shifts(images: Images) -> Iterator[Images]:
    """Images uint8 [N, H, W, C] moved by every shift within the margin; the first is `copy_search.inside(images)`."""
    return islice(copy_search.views(images), (2 * copy_search.margin(images) + 1) ** 2)


def compared(images: Images, extractor: Extractor, *, what: str) -> Distances:
    """uint8 [N, H, W, C] -> distances [N, N]: by pixels at every small shift, by a network as the images are.

    A network pools over its neighbourhood and costs minutes for each shift; pixels do neither.
    """
    if extractor.name != "pixels":
        features = extract(images, extractor, what=what)[0]
        return distances(features, [features])
    fixed = extract(copy_search.inside(images), extractor, what=what, cache=False)[0]
    moved = (extract(view, extractor, what=what, cache=False)[0] for view in shifts(images))
    return distances(fixed, moved)


def distances(fixed: Features, moved: Iterable[Features]) -> Distances:
    """Features [N, D] of a set and of its versions [N, D] each -> the smallest Euclidean distances float32 [N, N].

    Symmetric, 0 on the diagonal. Raises DataError for anything but finite matrices of one shape.
    """
    base = matrix(fixed, "the images'", least=2).astype(np.float32)
    mean = base.mean(axis=0, dtype=np.float64).astype(np.float32)
    base = base - mean
    lengths = np.einsum("nd,nd->n", base, base)
    best = np.full((len(base), len(base)), np.inf, dtype=np.float32)
    for version in moved:
        queries = matrix(version, "the moved images'").astype(np.float32)
        if queries.shape != base.shape:
            raise DataError(
                f"the images' features have the shape {list(base.shape)} and those of a moved version "
                f"{list(queries.shape)}: both must be of the same images and the same extractor"
            )
        queries = queries - mean
        squares = queries @ base.T
        squares *= -2
        squares += np.einsum("nd,nd->n", queries, queries)[:, None]
        squares += lengths[None]
        np.minimum(best, squares, out=best)
    if not np.isfinite(best).all():
        raise DataError("there is no version of the images to compare them with: give at least their own features")
    smallest: Distances = np.sqrt(np.maximum(np.minimum(best, best.T), 0))
    np.fill_diagonal(smallest, 0)
    return smallest


def rate(wanted: float, count: int) -> float:
    """The share of pairs that a radius can be set to from `count` real images: more than `wanted` if they are few."""
    if not 0 < wanted < 1:
        raise OptionError(f"a share of pairs lies between 0 and 1, such as {PICTURE}, not {wanted}")
    return min(0.5, max(wanted, PAIRS / max(1.0, count * (count - 1) / 2)))


def radii(real: Distances, *shares: float) -> list[float]:
    """Distances [N, N] between real images -> for each share the distance within which so many of their pairs lie.

    Raises DataError when most real images are the same.
    """
    apart = upper(real)
    median = float(np.median(apart))
    if median <= 0:
        raise DataError(
            "most of the real images are the same to the extractor: give different images, or another extractor"
        )
    edges = np.quantile(apart, shares, method="inverted_cdf")
    return [max(float(edge), _SMALLEST * median) for edge in edges]


def degrees(distances: Distances, within: float) -> NDArray[np.int64]:
    """Distances [N, N] -> how many others lie within the radius of each, int64 [N]; the edge is inside."""
    counts: NDArray[np.int64] = (distances <= within).sum(axis=1).astype(np.int64) - 1
    return counts


def clusters(distances: Distances, within: float) -> list[NDArray[np.int64]]:
    """Distances [N, N] -> groups of at least two, int64 each, the largest first; the central one leads its group.

    The image with most others in its radius takes them, and the next is sought among what is left. Unlike connected
    components this cannot chain: no image is in a group whose leader it does not resemble.
    """
    close = distances <= within
    left = np.ones(len(distances), dtype=bool)
    counts = close.sum(axis=1)
    groups = []
    while (leader := int(np.argmax(np.where(left, counts, 0)))) >= 0 and left[leader] and counts[leader] > 1:
        others = np.flatnonzero(close[leader] & left)
        others = others[np.argsort(distances[leader, others], kind="stable")]
        members = np.concatenate([[leader], others[others != leader]]).astype(np.int64)
        groups.append(members)
        left[members] = False
        counts -= close[:, members].sum(axis=1)
    return groups


def spread(distances: Distances) -> tuple[float, float]:
    """Distances [N, N] -> (mean distance of two images, its standard error).

    The error is that of a U-statistic, by the jackknife over images: 2 standard errors of the mean of row means.
    """
    n = len(distances)
    rows = distances.sum(axis=1, dtype=np.float64) / (n - 1)
    return float(rows.mean()), float(2 * rows.std(ddof=1) / np.sqrt(n))


def upper(distances: Distances) -> NDArray[np.float32]:
    """Distances [N, N] -> the distance of each pair once [N (N - 1) / 2]."""
    return np.concatenate([row[index + 1 :] for index, row in enumerate(distances)])
