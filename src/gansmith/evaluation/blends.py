"""Blends of two training images: samples that lie between two of them, far nearer to a mean of both than to either.

For x = (1 - t) a + t b, one of a and b points in nearly the same direction from the mean of all images as x does. So a
is sought among the training images of the largest cosine, and b among all of them, by the distance of x from the line
from a to b: first in the coordinates of the search's principal axes, then the best pairs in full. Only the central
window of each image is compared, as it is and mirrored: a blend is not moved. What follows is one number for each
query, from the training images alone, so that held-out images are its control as they are for nearness.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gansmith.errors import DataError

FIRST = 12  # training images that are tried as one of the two, where time allows
LEAST = 0.25  # the smaller weight of a blend; below it, it is a copy of the other
_MEASURED = 8  # pairs of each query that are measured in full
_LINES = 2**27  # lines in all, in a few seconds
_AT_ONCE = 2**21


class Blends(NamedTuple):
    """The pair of training images whose weighted mean is nearest to each of N queries.

    nearness  float64 [N]: distance to that mean over the distance to the nearest single one: 0 for a blend, towards 1
              for an image that no mean comes nearer to; 1 for a copy
    pair      int64 [N, 2]: the two rows of the training features
    """

    nearness: NDArray[np.float64]
    pair: NDArray[np.int64]


def affordable(queries: int, train: int) -> int:
    """How many training images can be tried as one of the two."""
    return max(2, min(FIRST, _LINES // max(1, queries * train)))


def blends(queries: Tensor, train: Tensor, axes: Tensor, *, first: int = FIRST) -> Blends:
    """Features [N, D] of images, and [M, D] of training images as they are and mirrored; principal axes [D, A].

    Raises DataError for fewer than two training images.

    >>> train = torch.randn(20, 5, generator=torch.Generator().manual_seed(0))
    >>> sorted(blends((train[:1] + train[1:2]) / 2, train, torch.eye(5)).pair[0].tolist())
    [0, 1]
    """
    if len(train) < 2:
        raise DataError(f"{len(train)} training image(s) have no blend of two: give at least 2")
    mean = train.mean(0)
    base, points = train - mean, queries - mean
    lines = _Lines(base, base @ axes, base.square().sum(1), first)
    step = max(1, _AT_ONCE // (first * len(base)))
    with torch.inference_mode():
        parts = [lines.nearest(part, part @ axes) for part in points.split(step)]
    return Blends(*(np.concatenate(column) for column in zip(*parts, strict=True)))


class _Lines(NamedTuple):
    """Centred training features [M, D], their coordinates [M, A] on the axes, and squared lengths [M]."""

    base: Tensor
    short: Tensor
    lengths: Tensor
    first: int

    def nearest(self, points: Tensor, short: Tensor) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Centred queries [n, D] and their coordinates [n, A] -> (nearness [n], pair [n, 2])."""
        products = points @ self.base.T
        single = (points.square().sum(1)[:, None] + self.lengths - 2 * products).clamp(min=0).amin(1).double()
        ones = (products * self.lengths.clamp(min=1e-12).rsqrt()).topk(min(self.first, len(self.base)), 1).indices
        squares = self._from_lines(short, ones)
        best = squares.flatten(1).topk(min(_MEASURED, squares[0].numel()), 1, largest=False).indices
        one, two = ones.gather(1, best // len(self.base)), best % len(self.base)
        start, way = self.base[one].double(), (self.base[two] - self.base[one]).double()
        along = points[:, None].double() - start
        weight = ((along * way).sum(2) / way.square().sum(2).clamp(min=1e-12)).clamp(LEAST, 1 - LEAST)
        distance, place = (along - weight[..., None] * way).square().sum(2).min(1)
        few = single <= 1e-6 * self.lengths.mean()  # on a training image: no blend
        nearness = torch.where(few, 1.0, (distance / single.clamp(min=1e-12)).sqrt().clamp(max=1))
        pair = torch.stack([one.gather(1, place[:, None])[:, 0], two.gather(1, place[:, None])[:, 0]], 1)
        return nearness.cpu().numpy(), pair.cpu().numpy()

    def _from_lines(self, points: Tensor, ones: Tensor) -> Tensor:
        """[n, K, M]: squared distances from the middle part of the line from each of `ones` to all others, on axes."""
        start = self.short[ones]  # [n, K, A]
        along = points[:, None] - start
        to_start = start @ self.short.T
        own = start.square().sum(2)[..., None]
        apart = (own + self.short.square().sum(1) - 2 * to_start).clamp(min=1e-9)
        dot = torch.einsum("nka,ma->nkm", along, self.short) - (along * start).sum(2)[..., None]
        weight = (dot / apart).clamp(LEAST, 1 - LEAST)
        squares = along.square().sum(2)[..., None] + weight * (weight * apart - 2 * dot)
        return squares.scatter(2, ones[..., None], torch.inf)
