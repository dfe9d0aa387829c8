"""Which pictures of a set are the same, how close "the same" is, and the groups that they form.

How close is decided by the real images: the radius is the distance within which a stated share of the pairs of
different real images falls, one in 10,000 for the same picture. A set that repeats itself (bursts of one hand, emoji in
five skin tones) gets the smaller radius for it, and what is said of the samples is always beside the same of the reals.

A mode is not a point: a generator moves and shades what it repeats. Each picture is compared with the other at every
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

PICTURE = 1e-4  # the share of real pairs within the radius of "the same picture"
KIND = 1e-2  # ... and of "the same kind of picture"
PAIRS = 10  # real pairs that a radius rests on, at least: few images have a wider one
_SMALLEST = 1e-3  # of the middle distance: what rounding puts between two equal pictures is less


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
    ours = matrix(fixed, "the pictures'", least=2).astype(np.float32)
    mean = ours.mean(axis=0, dtype=np.float64).astype(np.float32)
    ours = ours - mean
    lengths = np.einsum("nd,nd->n", ours, ours)
    best = np.full((len(ours), len(ours)), np.inf, dtype=np.float32)
    for version in moved:
        theirs = matrix(version, "the moved pictures'").astype(np.float32)
        if theirs.shape != ours.shape:
            raise DataError(
                f"the pictures' features have the shape {list(ours.shape)} and those of a moved version "
                f"{list(theirs.shape)}: both must be of the same images and the same extractor"
            )
        theirs = theirs - mean
        squares = theirs @ ours.T
        squares *= -2
        squares += np.einsum("nd,nd->n", theirs, theirs)[:, None]
        squares += lengths[None]
        np.minimum(best, squares, out=best)
    if not np.isfinite(best).all():
        raise DataError("no version of the pictures was given to compare them with: give at least their own features")
    found: Distances = np.sqrt(np.maximum(np.minimum(best, best.T), 0))
    np.fill_diagonal(found, 0)
    return found


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
    middle = float(np.median(apart))
    if middle <= 0:
        raise DataError(
            "most of the real images are the same to the extractor: give different images, or another extractor"
        )
    found = np.quantile(apart, shares, method="inverted_cdf")
    return [max(float(edge), _SMALLEST * middle) for edge in found]


def degrees(found: Distances, within: float) -> NDArray[np.int64]:
    """Distances [N, N] -> how many others lie within the radius of each, int64 [N]; the edge is inside."""
    counts: NDArray[np.int64] = (found <= within).sum(axis=1).astype(np.int64) - 1
    return counts


def clusters(found: Distances, within: float) -> list[NDArray[np.int64]]:
    """Distances [N, N] -> groups of at least two, int64 each, the largest first; the middle one leads its group.

    The picture with most others in its radius takes them, and the next is sought among what is left. Unlike connected
    components this cannot chain: nobody is in a group whose leader it does not resemble.
    """
    close = found <= within
    left = np.ones(len(found), dtype=bool)
    counts = close.sum(axis=1)
    groups = []
    while (leader := int(np.argmax(np.where(left, counts, 0)))) >= 0 and left[leader] and counts[leader] > 1:
        others = np.flatnonzero(close[leader] & left)
        others = others[np.argsort(found[leader, others], kind="stable")]
        members = np.concatenate([[leader], others[others != leader]]).astype(np.int64)
        groups.append(members)
        left[members] = False
        counts -= close[:, members].sum(axis=1)
    return groups


def spread(found: Distances) -> tuple[float, float]:
    """Distances [N, N] -> (mean distance of two pictures, its standard error).

    The error is that of a U-statistic, by the jackknife over pictures: 2 standard errors of the mean of row means.
    """
    n = len(found)
    rows = found.sum(axis=1, dtype=np.float64) / (n - 1)
    return float(rows.mean()), float(2 * rows.std(ddof=1) / np.sqrt(n))


def upper(found: Distances) -> NDArray[np.float32]:
    """Distances [N, N] -> of each pair once [N (N - 1) / 2]."""
    return np.concatenate([row[index + 1 :] for index, row in enumerate(found)])
