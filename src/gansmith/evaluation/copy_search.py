"""Search for copies of training images: the nearest training images of each query, small changes undone.

A copy may be mirrored, moved by a pixel or two, re-compressed, a little lighter or flatter, and still be a copy. The
search undoes what it can: by pixels, a query is compared with every training image at every shift up to a margin, as it
is and mirrored, both cropped by the margin, so that no border has to be invented. A network's features, where each view
costs a pass, are taken of the image as it is and mirrored; such a network is chosen because its features hardly move
under a shift, and `planted_copies` show whether that holds.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from functools import cached_property
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gansmith.errors import DataError
from gansmith.evaluation.blends import Blends, blends
from gansmith.evaluation.extract import extract
from gansmith.evaluation.nearest_views import Base
from gansmith.evaluation.types import Extractor, Images
from gansmith.system.progress import bar
from gansmith.system.threads import threads_for

SHIFT = 2  # pixels, at most, that a copy may be moved by; the search undoes it
RANK = 5  # the distance to this nearest training image is what the nearest one's is measured by
_CHUNK = 64  # queries searched for at once: with fifty views each, 10 MB of features


class Nearest(NamedTuple):
    """The nearest training image of each of N queries.

    distance  float64 [N]: to the nearest training image, in the extractor's features
    nearness  float64 [N]: the same as a share of the distance to the fifth nearest one: 0 for a copy, towards 1 for an
              image that is no nearer to one training image than to others. Smooth images are near to all of them
    source    int64 [N]: the nearest training image
    scale     float64 [N]: the distance to the fifth nearest one
    """

    distance: NDArray[np.float64]
    nearness: NDArray[np.float64]
    source: NDArray[np.int64]
    scale: NDArray[np.float64]

    def of(self, rows: NDArray[np.int64]) -> Nearest:
        """Those of some of the queries."""
        return Nearest(self.distance[rows], self.nearness[rows], self.source[rows], self.scale[rows])


def margin(images: Images) -> int:
    """Pixels that the search cuts from each side, and shifts by: SHIFT, less for images below 8 SHIFT pixels."""
    height, width = images.shape[1:3]
    return min(SHIFT, int(height) // (4 * SHIFT), int(width) // (4 * SHIFT))


def inside(images: Images) -> Images:
    """Images uint8 [N, H, W, C] cropped by the margin."""
    cut = margin(images)
    return images[:, cut : images.shape[1] - cut, cut : images.shape[2] - cut]


def views(images: Images) -> Iterator[Images]:
    """Every shift of uint8 [N, H, W, C] within the margin, as it is and mirrored; the first is `inside(images)`."""
    cut = margin(images)
    height, width = (side - 2 * cut for side in images.shape[1:3])
    for whole in (images, images[:, :, ::-1]):
        for y, x in offsets(images):
            yield whole[:, y : y + height, x : x + width]


def offsets(images: Images) -> list[tuple[int, int]]:
    """Corners (y, x) of every window within the margin, the central one first."""
    cut = margin(images)
    corners = sorted((abs(y - cut) + abs(x - cut), y, x) for y in range(2 * cut + 1) for x in range(2 * cut + 1))
    return [(y, x) for _, y, x in corners]


class Search:
    """Training images [M, H, W, C], prepared to be searched for the nearest ones of others."""

    def __init__(self, train: Images, extractor: Extractor) -> None:
        self.train, self.extractor = train, extractor

    def nearest(self, queries: Images, *, what: str, own: NDArray[np.int64] | None = None) -> Nearest:
        """The nearest training images of queries [N, H, W, C], mirrored and moved ones included.

        own: int64 [N], a training image for each query that it must not find (itself). what: whose images, for
        progress. Raises DataError for images of another shape, or fewer than two (others) to compare with.
        """
        distances, indices = self.neighbours(queries, what=what, own=own)
        first, last = distances[:, 0], distances[:, -1]
        nearness = np.divide(first, last, out=np.zeros_like(first), where=last > 0)
        return Nearest(first, nearness, indices[:, 0], last)

    def neighbours(
        self, queries: Images, *, what: str, count: int = RANK, own: NDArray[np.int64] | None = None
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """The `count` nearest training images, fewer where there are no more: distances float64 [N, K], ascending, and
        indices [N, K]. Arguments and errors as for `nearest`."""
        if queries.shape[1:] != self.train.shape[1:]:
            raise DataError(
                f"{what} are of {list(queries.shape[1:])} and the training images of {list(self.train.shape[1:])} "
                f"(height, width, channels): copies can only be looked for among images of one shape"
            )
        others = len(self.train) - (own is not None)
        if others < 2:
            raise DataError(
                f"{len(self.train)} training image(s) are too few to look for copies of: "
                f"at least {2 + (own is not None)}"
            )
        rank = min(count, others)
        views = self._views(queries, what)
        parts = []
        waiting = bar(f"searching for copies: {what}", len(queries))
        with self._threads(queries), torch.inference_mode(), waiting as advance:
            for part, features in views:
                mine = None if own is None else own[part]
                parts.append(self._base.nearest(features, count=rank, own=mine))
                advance(features.shape[1])
        distances, indices = (np.concatenate(column) for column in zip(*parts, strict=True))
        return distances, indices

    def _threads(self, queries: Images) -> AbstractContextManager[None]:
        """Inside, one thread where the windows of a part of the queries, and their distances, are too little work for
        several; as many as before where a network makes the features."""
        if self.extractor.windows is None:
            return nullcontext()
        views = 2 * len(offsets(queries)) * min(_CHUNK, len(queries))
        return threads_for(2 * views * self._base.rows.numel())

    def blends(self, queries: Images, *, first: int) -> Blends:
        """The pairs of training images, as they are or mirrored, between which queries [N, H, W, C] lie.

        A mirrored image's number is len(train) larger. first: as `blends.affordable` says for the larger side.
        """
        mirrored = np.ascontiguousarray(self.train[:, :, ::-1])
        both = torch.cat([self._base.rows, self._central(mirrored, "mirrored training images")])
        return blends(self._central(queries, "central windows"), both, self._base.axes, first=first)

    @cached_property
    def _base(self) -> Base:
        return Base(self._central(self.train, "the training images").cpu().numpy(), self.extractor.device)

    def _central(self, images: Images, what: str) -> Tensor:
        """Features [N, D] of images as they are, without the margin where views are windows."""
        if self.extractor.windows is None:
            return torch.from_numpy(extract(images, self.extractor, what=what)[0]).to(self.extractor.device)
        cut = margin(images)
        parts = [self._windows(images[at : at + 1024], [(cut, cut)])[0] for at in range(0, len(images), 1024)]
        return torch.cat(parts)

    def _views(self, queries: Images, what: str) -> Iterator[tuple[slice, Tensor]]:
        """Queries in parts, with the features [V, n, D] of all views of each part."""
        known = []
        if self.extractor.windows is None:
            both = {"": queries, ", mirrored": np.ascontiguousarray(queries[:, :, ::-1])}
            known = [extract(images, self.extractor, what=f"{what}{way}")[0] for way, images in both.items()]
        for start in range(0, len(queries), _CHUNK):
            part = slice(start, start + _CHUNK)
            if known:
                yield part, torch.from_numpy(np.stack([rows[part] for rows in known])).to(self.extractor.device)
            else:
                ways = (queries[part], queries[part, :, ::-1])
                yield part, torch.cat([self._windows(images, offsets(queries)) for images in ways])

    def _windows(self, images: Images, corners: list[tuple[int, int]]) -> Tensor:
        """Features [V, N, D] of the windows that the margin leaves, at these corners."""
        assert self.extractor.windows is not None
        cut = margin(images)
        height, width = (side - 2 * cut for side in images.shape[1:3])
        batch = torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2))).to(self.extractor.device)
        return self.extractor.windows(batch, corners, height, width)


def search(
    queries: Images, train: Images, extractor: Extractor, *, what: str, own: NDArray[np.int64] | None = None
) -> Nearest:
    """`Search(train, extractor).nearest(queries)`, for one set of queries."""
    return Search(train, extractor).nearest(queries, what=what, own=own)
