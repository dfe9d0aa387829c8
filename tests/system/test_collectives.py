"""Collectives: the sums, rows and means of several processes, with derivatives of every order, are those of one."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from gansmith.system import collectives, sharing
from processes import RankFailedError, together

ROWS = torch.randn(7, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
TWICE = torch.cat([ROWS, ROWS.cos()])  # two blocks of the batch, such as fakes and reals


def derivatives(loss: Callable[[Tensor], Tensor], rows: Tensor) -> list[Tensor]:
    """The gradient by rows, that of the squares of it, and that of the squares of this."""
    rows = rows.clone().requires_grad_()
    total, each = loss(rows), []
    for _ in range(3):
        (gradient,) = torch.autograd.grad(total, rows, create_graph=True)
        each.append(gradient.detach())
        total = gradient.square().sum()
    return each


def of_sum(rows: Tensor) -> Tensor:
    return (rows * collectives.summed(rows.pow(3).sum(0))).sin().sum()


def of_rows(rows: Tensor) -> Tensor:
    return (rows @ collectives.gathered(rows.sin()).t()).cos().sum()


def of_blocks(rows: Tensor) -> Tensor:
    both = collectives.gathered(torch.cat([rows, rows.cos()]))
    return (rows @ (both * torch.arange(1, len(both) + 1)[:, None]).t()).tanh().sum()


def of_mean(rows: Tensor) -> Tensor:
    return (rows * collectives.mean(rows.exp())).square().sum() + (rows.tanh() * collectives.mean(rows, None)).sum()


LOSSES = (of_sum, of_rows, of_blocks, of_mean)
ALONE = {  # the same formulas, without a collective
    "of_sum": lambda rows: (rows * rows.pow(3).sum(0)).sin().sum(),
    "of_rows": lambda rows: (rows @ rows.sin().t()).cos().sum(),
    "of_blocks": lambda rows: (
        (rows @ (torch.cat([rows, rows.cos()]) * torch.arange(1, 2 * len(rows) + 1)[:, None]).t()).tanh().sum()
    ),
    "of_mean": lambda rows: (
        (rows * rows.exp().mean(0)).square().sum() + (rows.tanh() * rows.sum() / rows.numel()).sum()
    ),
}


def everything() -> dict[str, object]:
    """Of one rank: derivatives of each loss, rows of every type, and sums in place."""
    with sharing.part_of(len(ROWS)):
        own = collectives.own_rows(ROWS)
        result: dict[str, object] = {loss.__name__: derivatives(loss, own) for loss in LOSSES}
        types = (torch.float32, torch.bfloat16, torch.int64, torch.bool, torch.uint8)
        result["types"] = [collectives.gathered((4 * own).to(kind)) for kind in types]
        result["twice"] = collectives.gathered(collectives.own_rows(TWICE))
    rank = sharing.share().rank
    mixed = [torch.full((2, 3, 2, 2), 1.0 + rank), torch.ones(3, dtype=torch.float64), torch.tensor(2.0)]
    mixed[0] = mixed[0].to(memory_format=torch.channels_last if rank else torch.contiguous_format)
    mixed[0][1] += torch.arange(12.0).view(3, 2, 2)
    collectives.sum_in_place(mixed)
    result["in place"] = mixed
    large = torch.arange(20_000.0) + rank
    collectives.sum_in_place([large])
    result["large"] = large
    return result


def everything_in_small_buckets() -> list[Tensor]:
    collectives._BUCKET = 16
    tensors = [torch.full((size,), float(size + sharing.share().rank)) for size in (3, 2, 1, 4)]
    collectives.sum_in_place(tensors)
    return tensors


@pytest.mark.parametrize("world", [2, 3])
def test_several_processes_compute_what_one_does(world: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(collectives.CHECK, "1")  # the check finds nothing
    ranks = together(everything, world=world)
    for name, loss in ALONE.items():
        orders = zip(*(rank[name] for rank in ranks), strict=True)
        for of_ranks, expected in zip(orders, derivatives(loss, ROWS), strict=True):
            torch.testing.assert_close(torch.cat(of_ranks), expected, rtol=1e-12, atol=1e-12)
    for rank in ranks:
        for rows in rank["types"]:
            assert torch.equal(rows, (4 * ROWS).to(rows.dtype))
        assert torch.equal(rank["twice"], TWICE)
        images, doubles, number = rank["in place"]
        assert torch.equal(images[0], torch.full((3, 2, 2), float(sum(range(1, world + 1)))))
        assert torch.equal(images[1], images[0] + world * torch.arange(12.0).view(3, 2, 2))
        assert torch.equal(doubles, torch.full((3,), world, dtype=torch.float64))
        assert number == 2 * world
        assert rank["large"].nbytes > collectives._SMALL
        assert torch.equal(rank["large"], world * torch.arange(20_000.0) + sum(range(world)))


def test_sums_in_place_come_in_buckets() -> None:
    for rank in together(everything_in_small_buckets, world=2):
        assert [tensor.tolist() for tensor in rank] == [[7.0] * 3, [5.0] * 2, [3.0], [9.0] * 4]


def test_one_process_computes_without_any() -> None:
    """Nothing is copied, and the means are torch's own to the bit."""
    assert collectives.summed(ROWS) is ROWS
    assert collectives.gathered(ROWS) is ROWS
    assert collectives.own_rows(ROWS) is ROWS
    assert torch.equal(collectives.mean(ROWS), ROWS.mean(0))
    assert torch.equal(collectives.mean(ROWS, None), ROWS.mean())
    collectives.sum_in_place([ROWS])
    with sharing.part_of(7):
        assert collectives.summed(ROWS) is ROWS


def outside_of_a_part() -> bool:
    """What rank 0 draws alone, such as a sheet of samples, waits for nobody."""
    return collectives.summed(ROWS) is ROWS and collectives.gathered(ROWS) is ROWS


def test_outside_of_a_part_nothing_is_reduced() -> None:
    assert together(outside_of_a_part, world=2) == [True, True]


def out_of_order() -> None:
    one, other = torch.ones(2), torch.ones(3)
    with sharing.part_of(2):
        for values in (one, other) if sharing.share().rank else (other, one):
            collectives.summed(values)


def of_another_kind() -> None:
    with sharing.part_of(2):
        if sharing.share().rank:
            collectives.sum_in_place([torch.ones(2)])
        else:
            collectives.summed(torch.ones(2))


@pytest.mark.parametrize(
    ("function", "facts"),
    [(out_of_order, ["summed", "[3]", "[2]"]), (of_another_kind, ["summed", "sum_in_place", "[2]"])],
)
def test_the_check_names_collectives_that_differ(
    function: Callable[[], None], facts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(collectives.CHECK, "1")
    with pytest.raises(RankFailedError) as raised:
        together(function, world=2)
    for fact in ("TrainingError", "rank 0", "rank 1", "float32", "number 1", *facts):
        assert fact in str(raised.value)
    assert collectives.CHECK in os.environ
