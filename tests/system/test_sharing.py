"""Rows of a global batch, and what is drawn at random for them."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, distributed

from gansmith.errors import ExperimentError, GansmithError
from gansmith.system import sharing
from gansmith.system.sharing import Share, bounds, drawn, joined_as, of_ranks, part_of, rows_of, whole
from processes import RankFailedError, together


@pytest.mark.parametrize(("total", "world"), [(8, 1), (8, 2), (8, 3), (7, 4), (4, 4), (257, 8)])
def test_shares_are_consecutive_and_differ_by_one_at_most(total: int, world: int) -> None:
    parts = []
    for rank in range(world):
        with joined_as(Share(rank, world)):
            parts.append(bounds(total))
    assert [first for first, _ in parts] == [0, *(last for _, last in parts[:-1])]
    assert parts[-1][1] == total
    sizes = [last - first for first, last in parts]
    for rank in range(world):
        with joined_as(Share(rank, world)), part_of(total):
            each = of_ranks(2 * sizes[rank])
        assert each == (tuple(2 * size for size in sizes) if world > 1 else (2 * total,))
    assert max(sizes) - min(sizes) <= 1
    assert sizes == sorted(sizes, reverse=True)


def test_more_processes_than_images_are_refused_with_the_most_that_work() -> None:
    with joined_as(Share(0, 8)):
        with pytest.raises(ExperimentError, match=r"8 processes.* 6 images.* 6 processes"):
            bounds(6)
        with pytest.raises(ExperimentError), part_of(6):
            pass
    with joined_as(Share(5, 6)):
        assert bounds(6) == (5, 6)


def test_a_share_is_one_of_the_world_and_ends_with_its_block() -> None:
    for rank, world in [(2, 2), (-1, 2), (0, 0)]:
        with pytest.raises(GansmithError, match=str(world)):
            sharing.set_share(Share(rank, world))
    with joined_as(Share(1, 2)):
        assert sharing.share() == (1, 2)
        assert not sharing.shared()
        with part_of(5):
            assert sharing.shared()
            with part_of(2):
                assert whole(1) == 2
            assert whole(2) == 5
    assert sharing.share() == (0, 1)
    with part_of(5):
        assert not sharing.shared()


def numbers(rng: torch.Generator, count: int, blocks: int) -> list[Tensor]:
    """Draws of several forms, one after another, for `count` images."""
    return [
        drawn(lambda n: torch.randn(n, 3, generator=rng), count),
        drawn(lambda n: torch.rand(2, n, 1, generator=rng), count, dim=1),
        drawn(lambda n: torch.randint(100, (n,), generator=rng), blocks * count),
        drawn(lambda n: torch.rand(n, generator=rng), count),
    ]


@pytest.mark.parametrize("total", [12, 13, 33])
def test_ranks_draw_the_rows_of_one_process(total: int) -> None:
    """And their generators stand at the same place after it. From 16 numbers on torch draws them otherwise than up to
    there, and the rows of a rank are fewer than those of all."""
    alone = torch.Generator().manual_seed(3)
    expected = numbers(alone, total, 2)
    cut = [[], [], [], []]  # type: list[list[Tensor]]
    for rank in range(4):
        rng = torch.Generator().manual_seed(3)
        with joined_as(Share(rank, 4)), part_of(total):
            first, last = bounds(total)
            for place, values in zip(cut, numbers(rng, last - first, 2), strict=True):
                place.append(values)
        assert torch.equal(rng.get_state(), alone.get_state())
    assert torch.equal(torch.cat(cut[0]), expected[0])
    assert torch.equal(torch.cat(cut[1], 1), expected[1])
    blocks = [piece.chunk(2) for piece in cut[2]]  # two blocks of the batch: those of all ranks, block by block
    assert torch.equal(torch.cat([piece[block] for block in (0, 1) for piece in blocks]), expected[2])
    assert torch.equal(torch.cat(cut[3]), expected[3])


def test_outside_of_a_part_a_rank_draws_for_itself() -> None:
    with joined_as(Share(1, 4)):
        assert whole(3) == 3
        assert of_ranks(3) == (3,)
        assert drawn(torch.zeros, 3).shape == (3,)
        assert torch.equal(rows_of(torch.arange(3)), torch.arange(3))


def test_rows_that_are_no_multiple_of_the_part_are_refused() -> None:
    with joined_as(Share(0, 2)), part_of(8):
        with pytest.raises(GansmithError, match=r"3 rows.*4 of the 8"):
            whole(3)
        with pytest.raises(GansmithError, match=r"3 rows.*4 of the 8"):
            of_ranks(3)
        with pytest.raises(GansmithError, match=r"9 rows.*8"):
            rows_of(torch.zeros(9))


def spoken(length: int) -> tuple[Any, Tensor]:
    rank, world = sharing.share()
    values = torch.full((length,), float(rank))
    distributed.all_reduce(values)
    return (rank, world, torch.get_num_threads()), values


def broken() -> None:
    if sharing.share().rank == 1:
        raise ExperimentError("one of them fails")
    distributed.barrier()


def silent() -> None:
    distributed.barrier()
    if sharing.share().rank == 1:
        __import__("time").sleep(60)


def test_the_harness() -> None:
    """Processes form a group; a failure of one is told and ends the others, as does the limit."""
    results = together(spoken, 3, world=3)
    assert [place for place, _ in results] == [(0, 3, 1), (1, 3, 1), (2, 3, 1)]
    assert all(torch.equal(values, torch.full((3,), 3.0)) for _, values in results)
    with pytest.raises(RankFailedError, match=r"rank 1(.|\n)*one of them fails"):
        together(broken, world=2)
    with pytest.raises(RankFailedError, match=r"1\] had not ended"):
        together(silent, world=2, limit=3)
