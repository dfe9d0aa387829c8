"""Nearest training images of images that are compared in many views: exact, and most comparisons are never made.

The distance of an image to a training image is the smallest over its views. The projection of features onto their
first principal axes, with the length of what is left over as one more coordinate, brings no two points farther apart:
|x - y|^2 >= |P x - P y|^2 + (|x - P x| - |y - P y|)^2, by the triangle inequality on the rest. So a product of short
vectors gives lower bounds for all pairs, and only pairs whose bound is not above the distance to the k-th nearest are
measured in full.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

AXES = 64  # principal axes of the bounds
_DRAWN = 500  # training images that the axes are computed from
_COLUMNS = 2048  # training images bounded at once
_SPARE = 2  # training images, and views of each, measured beyond those wanted, in case rounding misplaced them
_ROUNDING = 1e-5  # of the squared lengths: float32 products are off by less


class Base:
    """Features of training images [M, D], prepared to be searched."""

    def __init__(self, rows: NDArray[np.float32], device: torch.device | str = "cpu") -> None:
        self.rows = torch.from_numpy(rows).to(device)
        self.mean = self.rows.mean(0)
        self.centred = self.rows - self.mean
        self.squares = self.centred.square().sum(1)
        drawn = self.centred[:: max(1, len(rows) // _DRAWN)]
        axes: Tensor = torch.linalg.svd(drawn, full_matrices=False)[2][:AXES]
        self.axes = axes.T.contiguous()
        self.short = self._shortened(self.centred, self.squares)
        self.short_squares = self.short.square().sum(1)

    def __len__(self) -> int:
        return len(self.rows)

    def nearest(
        self, views: Tensor, *, count: int, own: NDArray[np.int64] | None = None
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Features [V, N, D] of N images in V views -> (distances float64 [N, count], ascending; indices [N, count]).

        Each training image counts once, at its nearest view. own: int64 [N], one that each must not find.
        """
        centred = views - self.mean
        squares = centred.square().sum(2)
        bounds = self._bounds(centred, squares)
        if own is not None:
            bounds[torch.arange(len(own)), torch.from_numpy(own).to(bounds.device)] = torch.inf
        wanted = min(count + _SPARE, len(self) - (own is not None))
        first = bounds.topk(wanted, 1, largest=False).indices
        distances = np.empty((views.shape[1], count))
        indices = np.empty((views.shape[1], count), dtype=np.int64)
        largest = float(squares.max() + self.squares.max())
        for query in range(views.shape[1]):
            known = self._squares(centred[:, query], squares[:, query], first[query])
            limit = float(known.amin(0).kthvalue(count).values) + _ROUNDING * largest
            near = torch.nonzero(bounds[query] <= limit)[:, 0]
            if len(near) > wanted:
                best, order = self._squares(centred[:, query], squares[:, query], near).topk(
                    min(len(views), 1 + _SPARE), 0, largest=False
                )
                chosen = best[0].topk(wanted, largest=False).indices
                near, order = near[chosen], order[:, chosen]
            else:
                near, order = first[query], known.topk(min(len(views), 1 + _SPARE), 0, largest=False).indices
            exact = torch.linalg.vector_norm(views[order, query] - self.rows[near], dim=2, dtype=torch.float64).amin(0)
            values, places = exact.sort(stable=True)
            distances[query] = values[:count].cpu().numpy()
            indices[query] = near[places[:count]].cpu().numpy()
        return distances, indices

    def _shortened(self, centred: Tensor, squares: Tensor) -> Tensor:
        """[..., D], squared lengths [...] -> coordinates on the axes, and the length of the rest, [..., AXES + 1]."""
        short = centred @ self.axes
        rest = (squares - short.square().sum(-1)).clamp(min=0).sqrt()
        return torch.cat([short, rest[..., None]], -1)

    def _bounds(self, centred: Tensor, squares: Tensor) -> Tensor:
        """Lower bounds [N, M] of the squared distance, the smallest over views."""
        short = self._shortened(centred, squares)
        count = short.shape[1]
        rows, lengths = short.flatten(0, 1), short.square().sum(2).flatten()
        bounds = torch.empty(count, len(self), device=short.device)
        for left in range(0, len(self), _COLUMNS):
            part = slice(left, left + _COLUMNS)
            block = torch.addmm(self.short_squares[part], rows, self.short[part].T, alpha=-2).add_(lengths[:, None])
            torch.amin(block.view(-1, count, block.shape[1]), 0, out=bounds[:, part])
        return bounds

    def _squares(self, views: Tensor, squares: Tensor, near: Tensor) -> Tensor:
        """Views [V, D] of one image, indices [K] -> squared distances [V, K], rounded as float32 products are."""
        base = self.centred[near]
        return torch.addmm(self.squares[near], views, base.T, alpha=-2) + squares[:, None]
