"""Collectives that gradients pass through: sums and rows over all processes that play one batch.

An all-reduce is its own adjoint: with L the sum of every process's share of the loss, the gradient of L by what one
process put into a sum is the sum of what all processes hold of the gradient by the result. So backward is the same
all-reduce, and with it every further derivative. Every process must run the same collectives in the same order, and
differentiate the same graph. Two of another order and equal shapes add up the wrong pair without an error: with
GANSMITH_CHECK_COLLECTIVES=1 each is compared over the processes before it runs.

Outside of a batch that is shared out (`sharing.part_of`) these return what they are called with.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from gansmith.errors import TrainingError
from gansmith.system import sharing

CHECK = "GANSMITH_CHECK_COLLECTIVES"  # environment: 1 compares the sequence of collectives

_RECORD = 2048  # bytes of text that describe a collective: its name, type, shape of up to 64 numbers, and place
_BUCKET = 64 << 20  # bytes of gradients that are copied together into one flat sum
_SMALL = 64 << 10  # bytes whose sum is mostly waiting


def summed(values: Tensor) -> Tensor:
    """The sum over processes of equal shapes, on each of them; differentiable any number of times.

    >>> summed(torch.tensor([1.0, 2.0]))
    tensor([1., 2.])
    """
    return total(values) if sharing.shared() else values


def total(values: Tensor) -> Tensor:
    """`summed`, whatever is being played: for the backward of a function whose forward was shared out."""
    return _sum(values)


def gathered(rows: Tensor) -> Tensor:
    """Rows [n, ...] of this process -> those of the global batch [N, ...], in its order, on every process;
    differentiable any number of times. Shares may differ by one; several blocks of the batch stay blocks.

    >>> gathered(torch.tensor([[1.0], [2.0]])).shape
    torch.Size([2, 1])
    """
    if not sharing.shared():
        return rows
    total = sharing.whole(len(rows))
    exact = rows if rows.dtype in (torch.float32, torch.float64, torch.int64) else _wider(rows)
    return _sum(_placed(exact, total)).to(rows.dtype)


def own_rows(values: Tensor) -> Tensor:
    """This process's rows of values [N, ...] for the global batch: what `gathered` put together.

    >>> own_rows(torch.arange(3))
    tensor([0, 1, 2])
    """
    return sharing.rows_of(values)


def mean(rows: Tensor, dim: int | None = 0) -> Tensor:
    """The mean over the global batch of rows [n, ...]: over the rows, or with `dim` None over all elements.

    >>> mean(torch.tensor([[1.0, 2.0], [3.0, 4.0]])), mean(torch.tensor([1.0, 2.0]), None)
    (tensor([2., 3.]), tensor(1.5000))
    """
    if not sharing.shared():
        return rows.mean() if dim is None else rows.mean(0)
    total = summed(rows.sum() if dim is None else rows.sum(0))
    each = 1 if dim is not None else rows[0].numel()
    return total / (sharing.whole(len(rows)) * each)


def sum_in_place(tensors: Iterable[Tensor]) -> None:
    """Replace each tensor by its sum over processes, without a graph: one flat sum for each type, in buckets. Of shapes
    that are equal on every process; memory formats may differ. Alone it does nothing."""
    if sharing.share().world == 1:
        return
    for bucket in _buckets(tensors):
        flat = torch.cat([tensor.detach().reshape(-1) for tensor in bucket])
        _all_reduce(flat, "sum_in_place")
        for tensor, part in zip(bucket, flat.split([tensor.numel() for tensor in bucket]), strict=True):
            tensor.detach().copy_(part.view(tensor.shape))


def waited() -> float:
    """Seconds that this process has spent in these collectives, mostly in waiting for the slowest. On CUDA they run
    beside it, and this is what starting them took.

    >>> waited()
    0.0
    """
    return _Sequence.seconds


class _Sum(torch.autograd.Function):
    """All-reduce whose backward is the same all-reduce."""

    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:
        total = values.detach().clone(memory_format=torch.contiguous_format)
        _all_reduce(total, "summed")
        return total

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return _sum(gradient)


_sum: Callable[[Tensor], Tensor] = _Sum.apply  # torch states no types


def _all_reduce(values: Tensor, name: str) -> None:
    """The sum over processes, in place, of a contiguous tensor."""
    if os.environ.get(CHECK, "") not in ("", "0"):
        _compare(name, values)
    begun = time.perf_counter()
    if sharing.share().world == 2 and values.device.type == "cpu" and values.nbytes <= _SMALL:
        _sum_of_two(values)
    else:
        dist.all_reduce(values)
    _Sequence.seconds += time.perf_counter() - begun


def _sum_of_two(values: Tensor) -> None:
    """The sum of two processes, in place: each gets both and adds them, which gives both the same bits. gloo's
    all-reduce takes two rounds for that, and a third more of the processor's time."""
    both = [torch.empty_like(values), torch.empty_like(values)]
    dist.all_gather(both, values)
    torch.add(*both, out=values)


class _Sequence:
    number = 0  # of collectives, where they are compared
    seconds = 0.0


def _compare(name: str, values: Tensor) -> None:
    """Raises TrainingError where the processes are about to run different collectives."""
    _Sequence.number += 1
    mine = f"{name} of {str(values.dtype).removeprefix('torch.')} {list(values.shape)} as number {_Sequence.number}"
    own = torch.frombuffer(bytearray(mine.encode()[:_RECORD].ljust(_RECORD)), dtype=torch.uint8)
    everywhere = [torch.empty_like(own) for _ in range(sharing.share().world)]
    dist.all_gather(everywhere, own)
    other = next((rank for rank, theirs in enumerate(everywhere) if not torch.equal(theirs, everywhere[0])), None)
    if other is not None:
        raise TrainingError(
            f"the processes run different collectives: rank 0 {_words(everywhere[0])}, "
            f"rank {other} {_words(everywhere[other])}"
        )


def _words(record: Tensor) -> str:
    return record.numpy().tobytes().decode(errors="replace").rstrip()


def _placed(rows: Tensor, total: int) -> Tensor:
    """Rows at their places of the global batch [N, ...], zeros in all others'."""
    own = sharing.rows_of(torch.arange(total, device=rows.device))
    return rows.new_zeros(total, *rows.shape[1:]).index_copy(0, own, rows)


def _wider(rows: Tensor) -> Tensor:
    """The same values in a type that every backend adds up, and adds up exactly to zeros."""
    return rows.float() if rows.is_floating_point() else rows.long()


def _buckets(tensors: Iterable[Tensor]) -> Iterator[list[Tensor]]:
    """Tensors in groups of one type and of up to _BUCKET bytes, in an order that depends on nothing else."""
    groups: dict[torch.dtype, list[Tensor]] = {}
    for tensor in tensors:
        groups.setdefault(tensor.dtype, []).append(tensor)
    for group in groups.values():
        bucket: list[Tensor] = []
        size = 0
        for tensor in group:
            bytes_ = tensor.numel() * tensor.element_size()
            if bucket and size + bytes_ > _BUCKET:
                yield bucket
                bucket, size = [], 0
            bucket.append(tensor)
            size += bytes_
        if bucket:
            yield bucket
