"""Samples that repeat one another: groups, how often each is made, and whether repeated images lie on training images.

Repeats of one image are one observation for a test about independent images; but the image that is made sixty times
weighs sixty times in the share of copies. Whether a repeated image lies on a training image is asked for each by
itself: with v its nearness, u = (1 + held-out images no farther than v) / (1 + all of them) is a p value, whatever the
images are. Groups are joined by Simes' test (1986, "An Improved Bonferroni Procedure for Multiple Tests of
Significance") or by the chance of all of them being so near. The copies among them are those that Benjamini and
Hochberg's procedure (1995) picks.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gansmith.evaluation import memorisation_tests
from gansmith.evaluation.memorisation_tests import LEVEL
from gansmith.evaluation.types import Features

SMALLEST = 3  # samples of one image that are a group; larger where held-out images form groups themselves
SURELY = 0.1  # chance of each group, at most, for all of them to be called copies together
_SHARE = 0.01  # ... and at least this share of the samples


class Repeats(NamedTuple):
    """Repeats among N samples, of R different images.

    leader   int64 [N]: the sample that each repeats, itself where it is the first of its image
    groups   int64 [G]: leaders that are repeated more often than real images are
    sizes    int64 [G]: samples of each group
    p        of all groups together, 1 without any;  on_train  bool [G]: groups that lie on a training image
    suspect  the largest group that is nearer to a training image than 95 % of the held-out images, 0 without any
    """

    leader: NDArray[np.int64]
    groups: NDArray[np.int64]
    sizes: NDArray[np.int64]
    p: float
    on_train: NDArray[np.bool_]
    suspect: int

    @property
    def different(self) -> NDArray[np.int64]:
        """The first sample of each different image, int64 [R]."""
        return np.unique(self.leader)

    @property
    def singles(self) -> NDArray[np.int64]:
        """Different images that are no group."""
        return np.setdiff1d(self.different, self.groups)

    @property
    def copies(self) -> int:
        """Samples in groups that lie on a training image."""
        return int(self.sizes[self.on_train].sum())


def leaders(features: Features, radius: float) -> NDArray[np.int64]:
    """Features [N, D] -> int64 [N]: the first row within the radius that has no such row before itself."""
    leader = np.arange(len(features))
    kept: list[int] = []
    for index, row in enumerate(features):
        if kept:
            squares = np.square(features[kept] - row).sum(axis=1)
            nearest = int(squares.argmin())
            if squares[nearest] <= radius**2:
                leader[index] = kept[nearest]
                continue
        kept.append(index)
    return leader


def repeats(leader: NDArray[np.int64], nearness: ArrayLike, held: ArrayLike, natural: float) -> Repeats:
    """Leaders [N] and nearness [N] of samples, nearness [M] of held-out images; the share `natural` of them that the
    largest group of held-out images is."""
    near, null = np.asarray(nearness, dtype=np.float64), np.sort(np.asarray(held, dtype=np.float64))
    images, sizes = np.unique(leader, return_counts=True)
    n = len(leader)
    least = max(SMALLEST, int(np.ceil(_SHARE * n)), int(2 * natural * n) + 1)
    groups, sizes = images[sizes >= least], sizes[sizes >= least]
    middle = np.array([np.median(near[leader == group]) for group in groups])
    chance = (1 + np.searchsorted(null, middle, side="right")) / (1 + len(null))
    suspect = int(sizes[chance <= LEVEL].max(initial=0))
    p = together(chance, len(null))
    copied = picked(chance) | ((p <= LEVEL < 2 * simes(chance)) & (chance <= SURELY))
    return Repeats(leader, groups, sizes, p, copied, suspect)


def together(chances: ArrayLike, m: int) -> float:
    """p values [G] by m held-out images -> one for all groups: twice the smaller of Simes' and, where each is at most
    SURELY, the exact chance that G images all lie as near as the farthest of them does; 1 for none."""
    p = np.asarray(chances, dtype=np.float64)
    if len(p) < 2:
        return simes(p)
    place = round(float(p.max()) * (m + 1))  # all lie below this place of the held-out images
    every = float(memorisation_tests.chances(place, n=len(p), m=m)[len(p)]) if p.max() <= SURELY else 1.0
    return min(1.0, 2 * min(simes(p), every))


def simes(chances: ArrayLike) -> float:
    """p values [G] -> one for all of them: min over k of G / k times the k-th smallest; 1 for none."""
    ordered = np.sort(np.asarray(chances, dtype=np.float64))
    count = len(ordered)
    return float(min(1.0, (ordered * count / np.arange(1, count + 1)).min())) if count else 1.0


def picked(chances: ArrayLike) -> NDArray[np.bool_]:
    """p values [G] -> those that Benjamini and Hochberg's procedure rejects at LEVEL."""
    p = np.asarray(chances, dtype=np.float64)
    ordered = np.sort(p)
    passed = np.flatnonzero(ordered <= LEVEL * np.arange(1, len(p) + 1) / max(1, len(p)))
    limit = ordered[passed[-1]] if len(passed) else -1.0
    chosen: NDArray[np.bool_] = p <= limit
    return chosen
