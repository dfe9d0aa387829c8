"""Features that several processes hold, each those of its own images: moments and kernel sums of all of them.

The images of a side are the processes' parts in the order of the ranks. No process holds what another has, but for one
block at a time in kernel sums. Every process must call these, in the same order; in one process they return what
`moments` and `kernel_sums` return.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gansmith.errors import DataError
from gansmith.evaluation import kernel_sums as kernels
from gansmith.evaluation.feature_matrix import Given, all_alike, matrix, promoted
from gansmith.evaluation.frechet import Moments, moments
from gansmith.evaluation.kernel_sums import Kernel, Sums, kernel_progress, outweighs
from gansmith.system import collectives, packets, sharing


class Held(NamedTuple):
    """rows [n, D], n >= 0: the features that are here;  counts: how many each process has, by rank."""

    rows: NDArray[Any]
    counts: tuple[int, ...]

    @property
    def total(self) -> int:
        """Rows of all processes."""
        return sum(self.counts)


def held_pair(real: Given | None, fake: Given | None, *, least: int = 2) -> tuple[Held, Held]:
    """Both sides' features of this process, None for no image, checked as `feature_matrix.pair` checks whole sides.

    Raises DataError as that does: for a NaN where it is, for the rest on every process.
    """
    one, other = _held(real, "the real"), _held(fake, "the fake")
    widths = [side.rows.shape[1] for side in (one, other)]
    if widths[0] != widths[1]:
        raise DataError(
            f"the real features have {widths[0]:,} dimensions and the fake {widths[1]:,}: "
            f"both must come from the same extractor"
        )
    for side, name in ((one, "the real"), (other, "the fake")):
        if side.total < least:
            raise DataError(f"{name} features are of {side.total:,} images: at least {least:,} are needed")
    first = _from_rank(0, torch.from_numpy(one.rows[:1])).numpy()
    if one.total > 1 and not _total(int((one.rows != first).any())):
        raise all_alike(one.total)
    rows = promoted(one.rows, other.rows)
    return one._replace(rows=rows[0]), other._replace(rows=rows[1])


def moments_of_all(side: Held) -> Moments:
    """Moments of the features of all processes, from those of the parts (see `frechet.merge`): two sums of float64."""
    count, width = side.rows.shape
    own = moments(side.rows) if count else Moments(0, np.zeros(width), np.zeros((width, width)))
    mean = torch.from_numpy(own.mean * (count / side.total))
    collectives.sum_in_place([mean])
    off = own.mean - mean.numpy()
    scatter = torch.from_numpy(own.scatter + count * np.outer(off, off))
    collectives.sum_in_place([scatter])
    return Moments(side.total, mean.numpy(), scatter.numpy())


def kernel_sums_of_all(real: Held, fake: Held, kernel: Kernel) -> Sums:
    """The sums of `kernel_sums` over the images of all processes, on each of them: the same blocks, each computed by
    one process, and added up in the same order.

    Each block goes to all processes, one block at a time; one of them keeps it, and pairs it with all that follow.
    """
    rank, world = sharing.share()
    sides = (real, fake)
    dtype = torch.float64 if _cancel(sides) else torch.from_numpy(real.rows).dtype
    blocks = [(side, at) for side in (0, 1) for at in range(0, sides[side].total, kernels.BLOCK)]
    # of each image the sum over the images of each block
    tables = [torch.zeros(len(blocks), side.total, dtype=torch.float64) for side in sides]
    kept: dict[int, Tensor] = {}
    with kernel_progress(len(blocks), real.rows.shape[1]) as advance:
        for number, (side, start) in enumerate(blocks):
            columns = slice(start, min(start + kernels.BLOCK, sides[side].total))
            block = _of_all(sides[side], columns).to(dtype)
            turn, place = divmod(number, world)
            if rank == (place if turn % 2 == 0 else world - 1 - place):  # early blocks have more to pair with
                kept[number] = block
            for earlier, rows in kept.items():
                own, at = blocks[earlier]
                values = kernel.block(rows, block)
                if earlier == number:
                    values.fill_diagonal_(0)
                else:
                    tables[side][earlier, columns] = values.sum(0, dtype=torch.float64)
                tables[own][number, at : at + len(rows)] = values.sum(1, dtype=torch.float64)
            advance()
    collectives.sum_in_place(tables)  # each number is one process's, and zero elsewhere
    within, across = [], []
    for side, table in enumerate(tables):
        within.append(_added([row for row, (other, _) in zip(table, blocks, strict=True) if other == side]))
        across.append(_added([row for row, (other, _) in zip(table, blocks, strict=True) if other != side]))
    return Sums(*within, *across)


def _held(features: Given | None, name: str) -> Held:
    rank, world = sharing.share()
    own = None if features is None else matrix(features, name)
    numbers = torch.zeros(world + 1, dtype=torch.int64)  # rows of each, and the width, which rank 0 knows
    if own is not None:
        numbers[rank] = len(own)
        numbers[world] = own.shape[1] if rank == 0 else 0
    collectives.sum_in_place([numbers])
    *counts, width = numbers.tolist()
    return Held(np.empty((0, width), np.float32) if own is None else own, tuple(counts))


def _total(number: int) -> int:
    numbers = torch.tensor([number])
    collectives.sum_in_place([numbers])
    return int(numbers)


def _of_all(side: Held, rows: slice) -> Tensor:
    """These rows of all [N, D], which several processes may have, on every process."""
    parts, first = [], 0
    for owner, count in enumerate(side.counts):
        start, stop = max(rows.start, first), min(rows.stop, first + count)
        if start < stop:
            parts.append(_from_rank(owner, torch.from_numpy(side.rows[start - first : stop - first])))
        first += count
    return torch.cat(parts)


def _from_rank(owner: int, own: Tensor) -> Tensor:
    """The tensor of rank `owner`, on every process."""
    rank, world = sharing.share()
    if world == 1:
        return own
    tensor: Tensor = packets.unpacked(packets.state_from_rank(owner, packets.packed(own) if rank == owner else None))
    return tensor


def _cancel(sides: tuple[Held, Held]) -> bool:
    """Would float32 kernel values cancel? As `kernel_sums` asks it of whole sides."""
    width = sides[0].rows.shape[1]
    sums = torch.zeros(width + 1, dtype=torch.float64)  # of all features, and of their squared lengths
    for side in sides:
        for part in torch.from_numpy(side.rows).split(kernels.BLOCK):
            sums[:width] += part.sum(0, dtype=torch.float64)
            sums[width] += float(torch.linalg.vector_norm(part, dtype=torch.float64)) ** 2
    collectives.sum_in_place([sums])
    return outweighs(sums[:width], float(sums[width]), sides[0].total + sides[1].total)


def _added(rows: list[Tensor]) -> NDArray[np.float64]:
    """Their sum, from the first to the last."""
    total = torch.zeros_like(rows[0])
    for row in rows:
        total += row
    return total.numpy()
