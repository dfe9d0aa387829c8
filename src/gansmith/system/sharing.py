"""Data parallelism: which rows of a global batch this process holds, and random numbers drawn for all of them.

Each of `world` processes holds its own rows of every batch, consecutive ones, in the order of the ranks. Whatever is
drawn at random for images is drawn on every rank for the global batch, from the same generator, and each keeps its
rows: any number of processes draws what one process draws.

    with joined_as(Share(rank=1, world=4)), part_of(10):   # the engine: ten images are being played, over all ranks
        bounds(10)                                          # (3, 6): three of them are here
        whole(3), whole(6)                                  # 10, 20: of fakes, of fakes and reals together
        drawn(lambda n: torch.rand(n, generator=rng), 3)    # rows 3 to 6 of torch.rand(10)

Outside of `part_of`, and in a process of its own, all of it is as if there were no other processes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from gansmith.errors import ExperimentError, GansmithError

if TYPE_CHECKING:
    from torch import Tensor


class Share(NamedTuple):
    """This process's place among those that train together."""

    rank: int = 0
    world: int = 1


class _Now:
    share = Share()
    part: int | None = None  # images of the part being played, over all ranks


def share() -> Share:
    """The share of this process: rank 0 of 1, unless it has joined others.

    >>> share()
    Share(rank=0, world=1)
    """
    return _Now.share


def set_share(own: Share) -> None:
    """From now on this process is `own.rank` of `own.world`."""
    if not 0 <= own.rank < own.world:
        raise GansmithError(f"rank {own.rank} of {own.world} processes: ranks are 0 to {own.world - 1}")
    _Now.share = own


@contextmanager
def joined_as(own: Share) -> Iterator[None]:
    """Inside, this process is `own.rank` of `own.world`.

    >>> with joined_as(Share(2, 4)): bounds(10)
    (6, 8)
    """
    before = _Now.share
    set_share(own)
    try:
        yield
    finally:
        _Now.share = before


def bounds(total: int) -> tuple[int, int]:
    """(first, last): the rows of `total` that are here, first included. Shares differ by one at most.

    Raises ExperimentError for fewer rows than processes.
    """
    rank, world = _Now.share
    if total < world:
        raise ExperimentError(
            f"{world} processes cannot share {total} images: at most {total} process{'es' if total != 1 else ''} can. "
            f"Start fewer, or play more images at a time: a larger batch, or fewer parts of it (accumulate)"
        )
    least, more = divmod(total, world)
    first = rank * least + min(rank, more)
    return first, first + least + (rank < more)


@contextmanager
def part_of(total: int) -> Iterator[None]:
    """Inside, a batch of `total` images over all ranks is played, of which `bounds(total)` are here.

    A part inside a part is a smaller batch: the first images of a global batch, shared out anew. Raises ExperimentError
    for fewer images than processes.
    """
    if _Now.share.world > 1:
        bounds(total)
    before = _Now.part
    _Now.part = total
    try:
        yield
    finally:
        _Now.part = before


def shared() -> bool:
    """Whether a batch is being played that other processes hold rows of."""
    return _Now.part is not None and _Now.share.world > 1


def whole(count: int) -> int:
    """The number of rows over all ranks where `count` are here: one or several blocks of the part being played.

    Raises GansmithError for a count that is not a multiple of this rank's share of the part.
    """
    if _Now.part is None or _Now.share.world == 1:
        return count
    first, last = bounds(_Now.part)
    blocks, rest = divmod(count, last - first)
    if rest:
        raise GansmithError(
            f"{count} rows in a process that holds {last - first} of the {_Now.part} images being played: rows are "
            f"shared out image by image, so take a multiple of {last - first}"
        )
    return blocks * _Now.part


def of_ranks(count: int) -> tuple[int, ...]:
    """The rows of each rank where `count` are here; their sum is `whole(count)`.

    >>> with joined_as(Share(1, 3)), part_of(7): of_ranks(4)
    (6, 4, 4)
    """
    total, world = whole(count), _Now.share.world
    if _Now.part is None or world == 1:
        return (count,)
    least, more = divmod(_Now.part, world)
    blocks = total // _Now.part
    return tuple(blocks * (least + (rank < more)) for rank in range(world))


def rows_of(values: Tensor, dim: int = 0) -> Tensor:
    """This rank's rows, along `dim`, of values for the global batch, or for several blocks of it, one after another.

    >>> import torch
    >>> with joined_as(Share(1, 2)), part_of(3): rows_of(torch.arange(6))
    tensor([2, 5])
    """
    if _Now.part is None or _Now.share.world == 1:
        return values
    first, last = bounds(_Now.part)
    blocks, rest = divmod(values.shape[dim], _Now.part)
    if rest:
        raise GansmithError(f"{values.shape[dim]} rows are no multiple of the {_Now.part} images being played")
    if blocks == 1:
        return values.narrow(dim, first, last - first)
    own: Tensor = values.unflatten(dim, (blocks, _Now.part)).narrow(dim + 1, first, last - first)
    return own.flatten(dim, dim + 1)


def drawn(draw: Callable[[int], Tensor], count: int, dim: int = 0) -> Tensor:
    """What `draw(count)` would be in one process: drawn for the global batch, and `count` rows along `dim` kept.

    dim: from the front, not negative. Every random draw for images passes through here, so that the generator stands at
    the same place on every rank, and a training by several processes is that of one.

    >>> import torch
    >>> rng = torch.Generator().manual_seed(0)
    >>> drawn(lambda count: torch.randint(9, (count,), generator=rng), 3)
    tensor([8, 0, 2])
    """
    if _Now.part is None or _Now.share.world == 1:
        return draw(count)
    return rows_of(draw(whole(count)), dim)
