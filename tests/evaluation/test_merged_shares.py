"""Moments, kernel sums and neighbour lists of 1, 2 and 4 shares of the images are those of all of them at once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from gansmith.errors import DataError
from gansmith.evaluation import frechet as fid
from gansmith.evaluation import kernel_sums as kernels
from gansmith.evaluation import neighbour_lists
from gansmith.evaluation.metrics import kid
from gansmith.evaluation.neighbour_lists import Neighbours
from gansmith.evaluation.pairwise_distances import nearest

SHARES = pytest.mark.parametrize("shares", [1, 2, 4])


def features(count: int, seed: int, width: int = 6, far: float = 3.0) -> NDArray[np.float64]:
    rng = np.random.default_rng(seed)
    return far + rng.normal(size=(count, width)) @ rng.normal(size=(width, width))


def split(rows: NDArray[Any], shares: int) -> list[NDArray[Any]]:
    """Shares of different sizes."""
    cuts = [len(rows) * (number * number + 1) // (shares * shares + 1) for number in range(1, shares)]
    return np.split(rows, cuts)


@SHARES
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_moments(shares: int, kind: type) -> None:
    rows, others = features(5000, 1).astype(kind), features(300, 2).astype(kind)
    merged = fid.merge([fid.moments(part) for part in split(rows, shares)])
    assert merged.images == 5000
    assert len({len(part) for part in split(rows, shares)}) == shares
    np.testing.assert_allclose(merged.mean, rows.astype(np.float64).mean(0), rtol=1e-12)
    expected = fid.statistics(rows)
    np.testing.assert_allclose(fid.statistics_of(merged).covariance, expected.covariance, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(expected.covariance, np.cov(rows.astype(np.float64).T), rtol=1e-12, atol=1e-12)
    other = fid.statistics(others)
    assert fid.frechet(fid.statistics_of(merged), other) == pytest.approx(fid.frechet(expected, other), rel=1e-10)


def test_moments_of_moments() -> None:
    """Merged in any order and by halves; a share of one image has no scatter of its own."""
    rows = features(40, 3, far=1000)
    parts = [fid.moments(part) for part in (rows[:1], rows[1:20], rows[20:])]
    merged = fid.merge([parts[2], fid.merge([parts[1], parts[0]])])
    np.testing.assert_allclose(merged.scatter, fid.moments(rows).scatter, rtol=1e-10)
    assert not parts[0].scatter.any()


@SHARES
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_kernel_sums(shares: int, kind: type, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernels, "BLOCK", 32)
    real, fake = features(150, 1).astype(kind), features(90, 2).astype(kind)
    whole = kernels.kernel_sums(real, fake, kernels.Kernel())
    parts = [kernels.kernel_sums(real, fake, kernels.Kernel(), share=(number, shares)) for number in range(shares)]
    merged = kernels.merge(parts)
    for one, other in zip(merged, whole, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12)
    assert kid.estimate(merged) == pytest.approx(kid.estimate(whole), rel=1e-10)
    by_hand = (real.astype(np.float64) @ fake.T.astype(np.float64) / 6 + 1) ** 3
    np.testing.assert_allclose(merged.real_across, by_hand.sum(1), rtol=1e-12 if kind is np.float64 else 1e-5)
    if shares > 1:
        assert all(not np.allclose(part.real_across, whole.real_across) for part in parts)


@SHARES
@pytest.mark.parametrize("count", [1, 5])
@pytest.mark.parametrize("exclude_self", [False, True])
def test_neighbour_lists(shares: int, count: int, exclude_self: bool) -> None:
    base = features(200, 1).astype(np.float32)
    queries = base if exclude_self else features(70, 2).astype(np.float32)
    whole = nearest(queries, base, count=count, exclude_self=exclude_self)
    lists, first = [], 0
    for part in split(base, shares):
        lists.append((Neighbours(*nearest(queries, part, count=min(count + exclude_self, len(part)))), first))
        first += len(part)
    merged = neighbour_lists.merge(lists, count=count, exclude_self=exclude_self)
    np.testing.assert_array_equal(merged.distances, whole[0])
    np.testing.assert_array_equal(merged.indices, whole[1])
    shuffled = neighbour_lists.merge(lists[::-1], count=count, exclude_self=exclude_self)
    np.testing.assert_array_equal(shuffled.indices, whole[1])


def test_shares_smaller_than_the_list_and_equal_points() -> None:
    base = np.array([[0.0], [2.0], [2.0], [5.0], [9.0]], dtype=np.float32)
    lists = [(Neighbours(*nearest(base, base[at : at + 1])), at) for at in range(5)]
    merged = neighbour_lists.merge(lists, count=2, exclude_self=True)
    np.testing.assert_array_equal(merged.distances, nearest(base, base, count=2, exclude_self=True)[0])
    np.testing.assert_array_equal(merged.indices[0], [1, 2])  # equally far: the first comes first
    np.testing.assert_array_equal(merged.indices[1], [2, 0])
    with pytest.raises(DataError, match="5 neighbours"):
        neighbour_lists.merge(lists, count=5, exclude_self=True)
