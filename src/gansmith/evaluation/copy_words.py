"""A word for single images: is this one a copy of a training image?

The measure is the audit's (`copy_search`): nearness, the distance to the nearest training image as a share of the
distance to the fifth nearest. How near images come that are no copies is learned from held-out images and from training
images among themselves, each compared with the others; how near copies come, from copies made on purpose.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gansmith.data.subsets import random_subset
from gansmith.evaluation import planted_copies
from gansmith.evaluation.audit.memorisation_repeats import picked
from gansmith.evaluation.copy_search import Search
from gansmith.evaluation.memorisation_tests import LEVEL
from gansmith.evaluation.types import Images
from gansmith.system.seeding import mix

CopyWord = Literal["the same image", "a copy", "may be a copy", "no copy", "cannot tell"]

MOST = 1000  # held-out images, and training images, that are no copies
PLANTED = 16  # copies of each kind, made on purpose
COPIED = 0.95  # of them lie below the nearness from where on nothing is called a copy
ENOUGH = 0.8  # of them must be noticed, for "no copy" to be said


@dataclass(frozen=True)
class Control:
    """Nearness of images that are no copies, float64 [M], ascending, and of copies made on purpose, float64 [P]."""

    real: NDArray[np.float64]
    planted: NDArray[np.float64]

    @property
    def limit(self) -> float:
        """The nearness from where on nothing is called a copy."""
        return float(np.quantile(self.planted, COPIED))

    @property
    def noticed(self) -> float:
        """The share of the copies made on purpose that would be called a copy, or that they may be one."""
        return float(np.mean((self.chances(self.planted) <= LEVEL) & (self.planted <= self.limit)))

    @property
    def below(self) -> float:
        """The nearness below which one image by itself is called a copy; 0 where so few real images tell of none."""
        most = int(LEVEL * (1 + len(self.real)) + 1e-9) - 1  # real images that may be as near
        return 0.0 if most < 0 else min(self.limit, float(self.real[most]))

    def chances(self, nearness: ArrayLike) -> NDArray[np.float64]:
        """[N] -> the share of real images that are as near, counting the image itself: the p value of a rank test."""
        as_near = np.searchsorted(self.real, np.asarray(nearness, dtype=np.float64), side="right")
        shares: NDArray[np.float64] = (1 + as_near) / (1 + len(self.real))
        return shares


def control(search: Search, held_out: Images | None, *, seed: int = 0) -> Control:
    """The control of a search: held-out images [N, H, W, C] where there are any, training images drawn by `seed`, and
    copies of training images. Raises DataError as `Search.nearest` does."""
    rng = np.random.default_rng(mix(seed, "copy words"))
    own = random_subset(len(search.train), min(MOST, len(search.train)), rng)
    real = [search.nearest(search.train[own], what="training images among themselves", own=own).nearness]
    if held_out is not None and len(held_out):
        some = held_out[random_subset(len(held_out), min(MOST, len(held_out)), rng)]
        real.append(search.nearest(some, what="the held-out images").nearness)
    drawn = search.train[rng.choice(len(search.train), PLANTED)]
    copies = np.concatenate([planted_copies.plant(drawn, kind, seed=seed) for kind in planted_copies.UNDONE])
    return Control(np.sort(np.concatenate(real)), search.nearest(copies, what="planted copies").nearness)


def copy_words(nearness: ArrayLike, same: ArrayLike, beside: Control) -> list[CopyWord]:
    """Nearness [N] and whether each image equals a training image, bool [N] -> a word for each.

    "a copy": nearer than real images are, by Benjamini and Hochberg's procedure at LEVEL over all N; "may be a copy":
    by itself alone. Neither is said where copies made on purpose are hardly as near. "no copy" needs that ENOUGH of
    those would have been noticed.

    >>> beside = Control(np.linspace(0.5, 1, 100), np.full(10, 0.1))
    >>> copy_words([0.05, 0.9], [False, False], beside)
    ['a copy', 'no copy']
    """
    near, equal = np.asarray(nearness, dtype=np.float64), np.asarray(same, dtype=bool)
    chances, low = beside.chances(near), near <= beside.limit
    certain, single = picked(chances) & low, (chances <= LEVEL) & low
    rest: CopyWord = "no copy" if beside.noticed >= ENOUGH else "cannot tell"
    words: list[CopyWord] = []
    for place in range(len(near)):
        if equal[place]:
            words.append("the same image")
        else:
            words.append("a copy" if certain[place] else "may be a copy" if single[place] else rest)
    return words
