"""Moments and kernel sums of features that several processes hold are those of one that holds all."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from gansmith import catalog
from gansmith.errors import DataError
from gansmith.evaluation import kernel_sums as kernels
from gansmith.evaluation import shared_sides
from gansmith.evaluation.types import Metric, Side
from gansmith.system import collectives, sharing
from processes import RankFailedError, together

PARTS = {2: ((100, 50), (7, 83)), 3: ((64, 0, 86), (30, 60, 0))}  # of the real and of the fake side, by rank


def side(name: str, count: int, *, far: float = 2.0, kind: type = np.float32) -> Side:
    rng = np.random.default_rng(len(name))
    return Side(name, features=(far + rng.normal(size=(count, 5)) @ rng.normal(size=(5, 5))).astype(kind))


def sides(far: float, kind: type) -> tuple[Side, Side]:
    return side("real", 150, far=far, kind=kind), side("fakes", 90, far=far, kind=kind)


def own(whole: Side, counts: tuple[int, ...]) -> Side:
    """The part of this process."""
    rank = sharing.share().rank
    first = sum(counts[:rank])
    assert whole.features is not None
    return replace(whole, features=whole.features[first : first + counts[rank]] if counts[rank] else None)


def built(name: str) -> Metric:
    metric: Metric = catalog.build("metrics", name)
    return metric


def measure(name: str, far: float, kind: type, left_out: bool = False) -> dict[str, float]:
    """What each process says; left_out: rank 1 adds nothing to the sums of floats."""
    rank, world = sharing.share()
    kernels.BLOCK = 32
    if left_out:
        whole_sum = collectives.sum_in_place

        def without(tensors: list[torch.Tensor]) -> None:
            for tensor in tensors:
                if rank == 1 and tensor.is_floating_point():
                    tensor.zero_()
            whole_sum(tensors)

        collectives.sum_in_place = without  # type: ignore[assignment]
    shared = built(name).shared
    assert shared is not None
    parts = (own(whole, counts) for whole, counts in zip(sides(far, kind), PARTS[world], strict=True))
    return {key: number.value for key, number in shared(*parts).items()}


@pytest.mark.parametrize("world", [2, 3])
@pytest.mark.parametrize("name", ["fid", "kid"])
@pytest.mark.parametrize(("far", "kind"), [(2.0, np.float32), (2.0, np.float64), (500.0, np.float32)])
def test_several_processes_measure_what_one_does(
    name: str, world: int, far: float, kind: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    """FID to the rounding of float64; KID in the same blocks, added up in the same order. Rank 0 alone has it."""
    monkeypatch.setattr(kernels, "BLOCK", 32)
    expected = built(name).measure(*sides(far, kind))[name].value
    first, *others = together(measure, name, far, kind, world=world)
    assert others == [{}] * (world - 1)
    assert first[name] == pytest.approx(expected, rel=1e-9, abs=1e-9 if name == "fid" else 1e-12)


@pytest.mark.parametrize("name", ["fid", "kid"])
def test_a_part_that_is_left_out_is_noticed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernels, "BLOCK", 32)
    expected = built(name).measure(*sides(2.0, np.float32))[name].value
    wrong = together(measure, name, 2.0, np.float32, True, world=2)[0][name]
    assert wrong != pytest.approx(expected, rel=1e-6)


def sums(kind: type) -> tuple[list[NDArray[Any]], int]:
    """All sums of kernel values, and how many rows were the most that this process paired at a time."""
    kernels.BLOCK = 32
    real, fake = (
        own(whole, c).features for whole, c in zip(sides(2.0, kind), PARTS[sharing.share().world], strict=True)
    )
    found: list[int] = []
    block = kernels.Kernel.block

    def noted(self: Any, one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        found.append(len(one) * len(other))
        return block(self, one, other)

    kernels.Kernel.block = noted  # type: ignore[method-assign]
    pair = shared_sides.held_pair(real, fake)
    return [*shared_sides.kernel_sums_of_all(*pair, kernels.Kernel())], sum(found)


def test_each_pair_is_computed_by_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernels, "BLOCK", 32)
    real, fake = (whole.features for whole in sides(2.0, np.float64))
    assert real is not None
    assert fake is not None
    expected = kernels.kernel_sums(real, fake, kernels.Kernel())
    (mine, work), (theirs, other_work) = together(sums, np.float64, world=2)
    for one, another, whole in zip(mine, theirs, expected, strict=True):
        np.testing.assert_array_equal(one, another)
        np.testing.assert_allclose(one, whole, rtol=1e-13)
    blocks = [min(32, count - at) for count in (150, 90) for at in range(0, count, 32)]
    assert work + other_work == sum(a * b for n, a in enumerate(blocks) for b in blocks[n:])
    assert 0.46 < work / (work + other_work) < 0.54


def refused(case: str) -> str:
    real, fake = (own(whole, c).features for whole, c in zip(sides(2.0, np.float32), PARTS[2], strict=True))
    assert real is not None
    if case == "alike":
        real = np.ones_like(real)
    if case == "alike here" and sharing.share().rank == 0:
        real = np.ones_like(real)
    if case == "width":
        real = real[:, :4]
    if case == "nothing":
        real = None
    with pytest.raises(DataError) as raised:
        shared_sides.held_pair(real, fake)
    return str(raised.value)


@pytest.mark.parametrize(
    ("case", "fact"), [("alike", "all 150 real images are the same"), ("width", "4 dimensions"), ("nothing", "real")]
)
def test_what_does_not_fit_is_refused_on_every_process(case: str, fact: str) -> None:
    assert all(fact in said for said in together(refused, case, world=2))


def test_parts_that_are_each_alike_are_two_images() -> None:
    with pytest.raises(RankFailedError, match="DID NOT RAISE"):
        together(refused, "alike here", world=2)
