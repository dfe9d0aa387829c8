"""Distances between two sets of feature vectors, block by block: 50,000 x 50,000 x 2,048 needs a GiB, not ten.

A block of squared distances is one matrix product, |a - b|^2 = |a|^2 + |b|^2 - 2ab. That form cancels where a and b lie
close together and far from the origin, so the base's mean is taken out first, and everything that is returned, or
decided within reach of rounding, is computed again from the difference itself: two equal images are at distance 0, and
a point on the edge of a ball lies in it.

nearest        the nearest base points of each query     radii   the distance to the k-th neighbour within one set
within         how many balls of known radii hold each query, and how many queries each ball holds
progress       a bar where it takes long
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gansmith.errors import DataError, OptionError
from gansmith.evaluation.feature_matrix import Given, matrix, promoted, require_same_width
from gansmith.system.progress import Advance, bar

ROWS, COLUMNS = 2048, 2048  # of a block: 16 MiB of distances, and large enough for the matrix product's full rate
SPARE = 2  # neighbours compared beyond those wanted, in case rounding put them in the wrong order
_GROUP = 16  # columns whose smallest is compared first
_CACHED = 2**17  # numbers that stay in the processor's cache from one operation to the next
_LONG = 2e10  # multiplications: about a second of one core, from where on progress is shown
_PRECISION = 4e-6  # of |a|^2 + |b|^2: float32 products of some thousand terms are off by less


def nearest(
    queries: Given,
    base: Given,
    *,
    count: int = 1,
    exclude_self: bool = False,
    what: str | None = None,
    quiet: bool = False,
    device: torch.device | str = "cpu",
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Queries [N, D], base [M, D] -> (Euclidean distances float32 [N, count], ascending; indices int64 [N, count]).

    exclude_self: queries are the base, and no row is its own neighbour (another row that equals it may be).
    what: a name for the progress bar, of which there is none if `quiet`. Raises DataError when the base has fewer than
    `count` (others).
    """
    query_points, base_points = _Points.both(queries, base, device)
    if exclude_self and len(query_points) != len(base_points):
        counts = f"{len(query_points):,} against {len(base_points):,}"
        raise OptionError(f"exclude_self needs the queries to be the base, not {counts}")
    if count < 1:
        raise OptionError(f"count = {count} is not allowed: at least 1")
    others = len(base_points) - exclude_self
    if others < count:
        raise DataError(
            f"each image is compared with its {count} nearest {'others' if exclude_self else 'images'}, and there "
            f"{'is' if others == 1 else 'are'} only {others}: give at least {count + exclude_self} images"
        )
    wanted = min(count + SPARE, others)
    distances = np.empty((len(query_points), count), dtype=np.float32)
    indices = np.empty((len(query_points), count), dtype=np.int64)
    work = 0 if quiet else query_points.rows.numel() * len(base_points)
    with progress(what or "nearest neighbours", len(query_points), work=work) as advance:
        for start in range(0, len(query_points), ROWS):
            part, _ = query_points.part(start, ROWS)
            best = torch.full((len(part), wanted), torch.inf, device=device)
            where = torch.zeros((len(part), wanted), dtype=torch.int64, device=device)
            for left in range(0, len(base_points), COLUMNS):
                others_here, squares = base_points.part(left, COLUMNS)
                block = torch.addmm(squares, part, others_here.T, alpha=-2)
                if exclude_self and -len(part) < start - left < block.shape[1]:
                    block.diagonal(start - left).fill_(torch.inf)
                values, columns = _smallest(block, min(wanted, block.shape[1]))
                best, order = torch.cat([best, values], 1).topk(wanted, 1, largest=False)
                where = torch.cat([where, columns + left], 1).gather(1, order)
            rows = torch.arange(start, start + len(part))[:, None].expand(-1, wanted)
            exact, order = _distance(query_points, rows, base_points, where.cpu()).sort(dim=1, stable=True)
            distances[start : start + ROWS] = exact[:, :count]
            indices[start : start + ROWS] = where.cpu().gather(1, order)[:, :count]
            advance(len(part))
    return distances, indices


def radii(
    base: Given, *, count: int, what: str | None = None, device: torch.device | str = "cpu"
) -> NDArray[np.float32]:
    """Base [M, D] -> float32 [M]: how far the `count`-th nearest other point is from each."""
    return nearest(base, base, count=count, exclude_self=True, what=what, device=device)[0][:, -1]


class Within(NamedTuple):
    """Which points lie in whose ball.

    balls   int64 [N]: in how many base balls each query lies;  inside  int64 [M]: how many queries each base ball holds
    query_balls  int64 [M]: in how many balls round queries each base point lies; None where queries have no balls
    """

    balls: NDArray[np.int64]
    inside: NDArray[np.int64]
    query_balls: NDArray[np.int64] | None


def within(
    queries: Given,
    base: Given,
    *,
    base_radii: NDArray[np.float32],
    query_radii: NDArray[np.float32] | None = None,
    edges: bool = True,
    what: str | None = None,
    device: torch.device | str = "cpu",
) -> Within:
    """Queries [N, D], base [M, D], a radius [M] round each base point (and [N] round each query).

    edges: a point exactly on the edge of a ball lies in it.
    """
    is_inside = torch.le if edges else torch.lt
    query_points, base_points = _Points.both(queries, base, device)
    sides = [torch.as_tensor(base_radii, dtype=torch.float32).to(device)[None, :]]
    if query_radii is not None:
        sides.append(torch.as_tensor(query_radii, dtype=torch.float32).to(device)[:, None])
    by_query = torch.zeros(len(sides), len(query_points), dtype=torch.int64, device=device)
    by_base = torch.zeros(len(sides), len(base_points), dtype=torch.int64, device=device)
    rooms = torch.empty(2, ROWS * COLUMNS, device=device)  # allocated once: new memory costs more than the arithmetic
    work = query_points.rows.numel() * len(base_points)
    with progress(what or "comparing images", len(query_points), work=work) as advance:
        for start in range(0, len(query_points), ROWS):
            part, own = query_points.part(start, ROWS)
            for left in range(0, len(base_points), COLUMNS):
                others, squares = base_points.part(left, COLUMNS)
                block = torch.addmm(squares, part, others.T, alpha=-2).add_(own[:, None])
                reach = [own.max() + squares, own[:, None] + squares.max()]
                for side, lengths in enumerate(sides):
                    edge = lengths[:, left : left + COLUMNS] if side == 0 else lengths[start : start + ROWS]
                    off, inside = (room[: block.numel()].view_as(block) for room in rooms)
                    torch.sub(block, edge.square(), out=off)
                    is_inside(off, 0, out=inside)  # as float32: its sums are fast, and exact
                    close = (off.abs_() <= _PRECISION * reach[side]).nonzero().cpu()
                    if len(close):
                        row, column = close.T
                        exact = _distance(query_points, row[:, None] + start, base_points, column[:, None] + left)[:, 0]
                        inside[row, column] = is_inside(exact.to(device), edge.expand_as(block)[row, column]).float()
                    by_query[side, start : start + ROWS] += inside.sum(1).long()
                    by_base[side, left : left + COLUMNS] += inside.sum(0).long()
            advance(len(part))
    rows, columns = by_query.cpu().numpy(), by_base.cpu().numpy()
    return Within(rows[0], columns[0], columns[1] if query_radii is not None else None)


class _Points:
    """Features as they are, and centred on the base's mean in float32 on the device, with their squared lengths."""

    def __init__(self, rows: NDArray[Any], mean: NDArray[np.float64], device: torch.device | str) -> None:
        self.rows = torch.from_numpy(rows)
        self.mean, self.device = torch.from_numpy(mean.astype(rows.dtype)), device
        self.kept: tuple[Tensor, Tensor] | None = None

    @classmethod
    def both(cls, queries: Given, base: Given, device: torch.device | str) -> tuple[_Points, _Points]:
        """Queries, centred part by part, and base, centred once: it is gone through again and again."""
        query_points, base_points = promoted(matrix(queries, "the queries'"), matrix(base, "the base's"))
        require_same_width(query_points, base_points, "the queries'", "the base's")
        mean = base_points.mean(axis=0, dtype=np.float64)
        points = cls(base_points, mean, device)
        points.kept = points.part(0, len(base_points))
        return cls(query_points, mean, device), points

    def __len__(self) -> int:
        return len(self.rows)

    def part(self, start: int, count: int) -> tuple[Tensor, Tensor]:
        """(float32 [count, D], their squared lengths [count])"""
        if self.kept is not None:
            return self.kept[0][start : start + count], self.kept[1][start : start + count]
        centred = (self.rows[start : start + count] - self.mean).float().to(self.device)
        return centred, torch.linalg.vector_norm(centred, dim=1).square()


def _distance(one: _Points, rows: Tensor, other: _Points, columns: Tensor) -> Tensor:
    """Indices [n, k] and [n, k] -> float32 [n, k], from the differences, summed in float64; symmetric to the bit."""
    distances = torch.empty(rows.shape)
    step = max(1, _CACHED // one.rows.shape[1])
    for column in range(rows.shape[1]):
        for start in range(0, len(rows), step):
            part = (slice(start, start + step), column)
            difference = one.rows.index_select(0, rows[part]) - other.rows.index_select(0, columns[part])
            distances[part] = torch.linalg.vector_norm(difference, dim=1, dtype=torch.float64).float()
    return distances


def _smallest(block: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """[R, C] -> the `count` smallest of each row and their columns, in any order.

    They lie in the `count` groups of columns whose smallest are the smallest: one pass instead of a selection.
    """
    columns = block.shape[1]
    width = columns // _GROUP
    if columns % _GROUP or width < count:
        smallest = block.topk(count, 1, largest=False, sorted=False)
        return smallest.values, smallest.indices
    groups = block.view(len(block), _GROUP, width).amin(1).topk(count, 1, largest=False, sorted=False).indices
    members = (groups[:, :, None] + torch.arange(0, columns, width, device=block.device)).flatten(1)
    values, order = block.gather(1, members).topk(count, 1, largest=False, sorted=False)
    return values, members.gather(1, order)


@contextmanager
def progress(what: str, total: int, *, work: float, unit: str = "images") -> Iterator[Advance]:
    """A bar where the work, in multiplications, takes more than a moment."""
    with bar(what, total, unit) if work > _LONG else nullcontext(lambda amount=1, note="": None) as advance:
        yield advance
