"""Subsets of a data set as ascending indices: evenly spaced, or drawn without repetition."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def evenly_spaced(total: int, count: int) -> NDArray[np.int64]:
    """`count` indices from 0 to `total` - 1, first and last among them; all of them where there are no more.

    >>> evenly_spaced(10, 4).tolist(), evenly_spaced(2, 4).tolist()
    ([0, 3, 6, 9], [0, 1])
    """
    return np.linspace(0, total - 1, min(count, total)).round().astype(np.int64)


def random_subset(total: int, count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """`count` of the indices below `total`, drawn without repetition; all of them where there are no more.

    >>> random_subset(100, 3, np.random.default_rng(0)).tolist(), random_subset(2, 3, np.random.default_rng(0)).tolist()
    ([20, 36, 82], [0, 1])
    """
    return np.sort(rng.permutation(total)[:count])
