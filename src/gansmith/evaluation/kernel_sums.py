"""Sums of polynomial kernel values over the pairs of two sets of features, block by block: what KID is made of.

Binkowski, Sutherland, Arbel, Gretton 2018, "Demystifying MMD GANs", section 4: the kernel k(x, y) = (x'y / D + 1)^3.
Shares of the blocks may be summed by several processes, or on several devices, and merged.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gansmith.evaluation.pairwise_distances import progress
from gansmith.system.progress import Advance

BLOCK = 2048  # images: 16 MiB of kernel values
_OUTWEIGHS = 10  # |mean|^2 over the squared spread from where on float32 kernel values cancel: 1e-5 of KID at 100


class Kernel(NamedTuple):
    """(gamma x'y + coef)^degree; gamma None is 1 / D."""

    degree: int = 3
    gamma: float | None = None
    coef: float = 1.0

    def block(self, one: Tensor, other: Tensor) -> Tensor:
        """Features [n, D] and [m, D] -> kernel values [n, m]."""
        gamma = 1 / one.shape[1] if self.gamma is None else self.gamma
        base = torch.addmm(one.new_full((), self.coef).expand(1, len(other)), one, other.T, alpha=gamma)
        values = base
        for _ in range(self.degree - 1):
            values = values * base
        return values


class Sums(NamedTuple):
    """Sums of kernel values of each image, float64: over the others of its own side, and over all of the other side."""

    real: NDArray[np.float64]
    fake: NDArray[np.float64]
    real_across: NDArray[np.float64]
    fake_across: NDArray[np.float64]


def kernel_sums(
    real: NDArray[Any],
    fake: NDArray[Any],
    kernel: Kernel,
    *,
    quiet: bool = False,
    share: tuple[int, int] = (0, 1),
    device: torch.device | str = "cpu",
) -> Sums:
    """Sums of kernel values, block by block, in float64; of the pairs within a side each block is computed once.

    The values themselves have the features' type, but float64 where the features lie far from the origin, because their
    differences are then lost in float32. quiet: without progress, for many small ones;  share: (which, of how many)
    shares of the blocks are summed, see `merge`;  device: on which the values are computed.
    """
    sides = [torch.from_numpy(side) for side in (real, fake)]
    dtype = torch.float64 if _cancels(sides) else sides[0].dtype
    within = [torch.zeros(len(side), dtype=torch.float64) for side in sides]
    across = [torch.zeros(len(side), dtype=torch.float64) for side in sides]
    spans = [[slice(at, at + BLOCK) for at in range(0, len(side), BLOCK)] for side in sides]
    jobs = [(side, side, i, j) for side in (0, 1) for i in range(len(spans[side])) for j in range(i, len(spans[side]))]
    jobs += [(0, 1, i, j) for i in range(len(spans[0])) for j in range(len(spans[1]))]
    jobs = jobs[share[0] :: share[1]]
    with kernel_progress(len(jobs), 0 if quiet else real.shape[1]) as advance:
        for first, second, i, j in jobs:
            rows, columns = spans[first][i], spans[second][j]
            one, other = (sides[side][span].to(device, dtype) for side, span in ((first, rows), (second, columns)))
            block = kernel.block(one, other)
            if first != second:
                across[0][rows] += block.sum(1, dtype=torch.float64).cpu()
                across[1][columns] += block.sum(0, dtype=torch.float64).cpu()
            else:
                if i == j:
                    block.fill_diagonal_(0)
                else:
                    within[first][columns] += block.sum(0, dtype=torch.float64).cpu()
                within[first][rows] += block.sum(1, dtype=torch.float64).cpu()
            advance()
    return Sums(*(sums.numpy() for sums in (*within, *across)))


def merge(shares: Iterable[Sums]) -> Sums:
    """The sums over all blocks from those over shares of them, each of the same images: equal but for the order in
    which float64 adds up.

    >>> one, other = np.eye(3), np.eye(3) + 1
    >>> halves = [kernel_sums(one, other, Kernel(), share=(part, 2)) for part in (0, 1)]
    >>> merge(halves).real_across.tolist() == kernel_sums(one, other, Kernel()).real_across.tolist()
    True
    """
    return Sums(*(np.sum(parts, axis=0) for parts in zip(*shares, strict=True)))


def _cancels(sides: Sequence[Tensor]) -> bool:
    sums = sum((part.sum(0, dtype=torch.float64) for side in sides for part in side.split(BLOCK)), torch.zeros(1))
    lengths = sum(
        float(torch.linalg.vector_norm(p, dtype=torch.float64)) ** 2 for side in sides for p in side.split(BLOCK)
    )
    return outweighs(sums, lengths, sum(len(side) for side in sides))


def outweighs(sums: Tensor, lengths: float, count: int) -> bool:
    """Is the mean of all features so much longer than their spread that float32 kernel values would cancel? From the
    sum [D] of `count` features and that of their squared lengths."""
    along = float((sums / count).square().sum())
    return along > _OUTWEIGHS * max(lengths / count - along, 0.0)


def kernel_progress(blocks: int, width: int) -> AbstractContextManager[Advance]:
    return progress("kernel distances", blocks, unit="blocks", work=blocks * BLOCK**2 * width)
