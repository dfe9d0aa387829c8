"""Neighbour lists of shares of a base, merged to those of the whole base: pure functions of `nearest`'s results."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gansmith.errors import DataError


class Neighbours(NamedTuple):
    """Of each of N queries its k nearest base points: distances float32 [N, k], ascending, and indices int64 [N, k]."""

    distances: NDArray[np.float32]
    indices: NDArray[np.int64]


def merge(shares: Sequence[tuple[Neighbours, int]], *, count: int = 1, exclude_self: bool = False) -> Neighbours:
    """The `count` nearest of all base points, from lists of shares of them: (list, index of the share's first point).

    Each list must hold the `count` nearest of its share, or all of it where it is smaller; one more with exclude_self,
    where the queries are the base and no point is its own neighbour. Distances are those of `nearest` to the bit, and
    so are indices where no two distances are equal. Raises DataError for lists that are too short together.

    >>> distances, indices = np.float32([[1, 4]]), np.array([[0, 1]])
    >>> merge([(Neighbours(distances, indices), 0), (Neighbours(distances + 2, indices), 2)], count=3).indices.tolist()
    [[0, 2, 1]]
    """
    distances = np.concatenate([part.distances for part, _ in shares], axis=1)
    indices = np.concatenate([part.indices + first for part, first in shares], axis=1)
    if exclude_self:
        own = indices == np.arange(len(indices))[:, None]
        distances = np.where(own, np.float32(np.inf), distances)
    if distances.shape[1] - exclude_self < count:
        raise DataError(
            f"{count} neighbours were asked for, and the {len(shares)} lists hold {distances.shape[1] - exclude_self} "
            f"together"
        )
    order = np.lexsort((indices, distances), axis=1)[:, :count]
    return Neighbours(np.take_along_axis(distances, order, 1), np.take_along_axis(indices, order, 1))
