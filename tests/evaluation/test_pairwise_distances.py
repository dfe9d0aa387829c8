"""Distances by blocks, held against distances of every pair in float64."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from gansmith.errors import DataError, OptionError
from gansmith.evaluation import pairwise_distances as blocks
from gansmith.evaluation.feature_matrix import matrix, pair
from gansmith.evaluation.pairwise_distances import nearest, radii, within


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several blocks in each direction, the last ones not full."""
    monkeypatch.setattr(blocks, "ROWS", 64)
    monkeypatch.setattr(blocks, "COLUMNS", 112)  # 7 groups of 16


def cloud(seed: int, *shape: int, at: float = 0.0) -> NDArray[np.float32]:
    return (np.random.default_rng(seed).standard_normal(shape) + at).astype(np.float32)


def direct(queries: NDArray[Any], base: NDArray[Any]) -> NDArray[np.float64]:
    difference = queries[:, None].astype(np.float64) - base[None].astype(np.float64)
    return np.sqrt(np.square(difference).sum(-1))


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("count", [1, 3, 6])
@pytest.mark.parametrize("at", [0.0, 300.0])
def test_nearest_equals_direct(count: int, at: float) -> None:
    queries, base = cloud(0, 150, 9, at=at), cloud(1, 240, 9, at=at)
    every = direct(queries, base)
    order = np.argsort(every, axis=1)[:, :count]
    distances, indices = nearest(queries, base, count=count)
    assert distances.dtype == np.float32
    assert indices.dtype == np.int64
    np.testing.assert_array_equal(indices, order)
    np.testing.assert_allclose(distances, np.take_along_axis(every, order, 1), rtol=1e-6)


@pytest.mark.usefixtures("small_blocks")
def test_no_row_finds_itself() -> None:
    points = cloud(2, 230, 5)
    every = direct(points, points)
    np.fill_diagonal(every, np.inf)
    distances, indices = nearest(points, points, count=4, exclude_self=True)
    np.testing.assert_array_equal(indices, np.argsort(every, axis=1)[:, :4])
    np.testing.assert_allclose(radii(points, count=4), np.sort(every, axis=1)[:, 3], rtol=1e-6)
    np.testing.assert_allclose(radii(points, count=4), distances[:, 3])


def test_an_equal_row_is_found_at_distance_zero_far_from_the_origin() -> None:
    points = cloud(3, 40, 600, at=1000.0)
    points[7] = points[31]
    distances, indices = nearest(points, points, exclude_self=True)
    assert (distances[7, 0], distances[31, 0]) == (0, 0)
    assert (indices[7, 0], indices[31, 0]) == (31, 7)
    alone, where = nearest(points[:3] + np.float32(0), points)
    np.testing.assert_array_equal(alone, 0)
    np.testing.assert_array_equal(where[:, 0], [0, 1, 2])


def test_a_near_copy_keeps_its_small_distance() -> None:
    """|a|^2 + |b|^2 - 2ab in float32 would be off by more than the distance itself."""
    base = cloud(4, 50, 512, at=50.0)
    queries = base.astype(np.float64)
    queries[:, 0] += 1e-4
    distances, indices = nearest(queries, base.astype(np.float64))
    np.testing.assert_array_equal(indices[:, 0], np.arange(50))
    np.testing.assert_allclose(distances[:, 0], 1e-4, rtol=1e-5)


def test_neighbours_that_rounding_confuses_are_put_right() -> None:
    """Two groups a thousand away from their common mean: squared distances of a quarter are off by a tenth."""
    rng = np.random.default_rng(12)
    away = np.concatenate([np.full((1, 40), 160.0), np.full((1, 40), -160.0)])
    directions = rng.standard_normal((3, 40))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    near = (away[0] + directions * np.array([[0.52], [0.5], [0.51]])).astype(np.float32)
    base = np.concatenate([near, np.repeat(away[1:], 3, axis=0).astype(np.float32)])
    for turn in range(6):
        order = rng.permutation(6)
        distances, indices = nearest(away[:1].astype(np.float32), base[order])
        assert order[indices[0, 0]] == 1, turn
        assert distances[0, 0] == pytest.approx(0.5, rel=1e-4)


@pytest.mark.usefixtures("small_blocks")
def test_within_equals_direct() -> None:
    queries, base = cloud(5, 130, 6), cloud(6, 250, 6, at=0.3)
    base_radii, query_radii = radii(base, count=5), radii(queries, count=3)
    every = direct(queries, base).astype(np.float32)
    found = within(queries, base, base_radii=base_radii, query_radii=query_radii)
    np.testing.assert_array_equal(found.balls, (every <= base_radii).sum(1))
    np.testing.assert_array_equal(found.inside, (every <= base_radii).sum(0))
    np.testing.assert_array_equal(found.query_balls, (every <= query_radii[:, None]).sum(0))
    assert within(queries, base, base_radii=base_radii).query_balls is None


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("width", [2, 700])
def test_a_point_on_the_edge_lies_in_the_ball(width: int) -> None:
    """A copy of the k-th neighbour is exactly as far away: each ball holds its owner and its k nearest, no fewer."""
    points = cloud(7, 200, width, at=20.0)
    found = within(points, points, base_radii=radii(points, count=4))
    np.testing.assert_array_equal(found.inside, 5)
    strict = within(points, points, base_radii=radii(points, count=4), edges=False)
    np.testing.assert_array_equal(strict.inside, 4)


def test_a_radius_of_zero_holds_equal_points_only() -> None:
    base = cloud(8, 30, 8)
    queries = np.concatenate([base[:2], base[:1] + 1e-3])
    found = within(queries, base, base_radii=np.zeros(30, np.float32))
    np.testing.assert_array_equal(found.balls, [1, 1, 0])


def test_tensors_whole_numbers_and_read_only_arrays_are_taken() -> None:
    whole = np.arange(12).reshape(6, 2)
    assert matrix(whole).dtype == np.float64
    assert matrix(torch.ones(3, 2, dtype=torch.bfloat16).float()).dtype == np.float32
    assert matrix(np.ones((3, 2), np.float16)).dtype == np.float32
    given = cloud(9, 20, 3)
    given.setflags(write=False)
    np.testing.assert_array_equal(nearest(given, given)[1][:, 0], np.arange(20))
    graph = torch.ones(3, 2, requires_grad=True) * 2
    np.testing.assert_array_equal(matrix(graph), 2)


def test_a_memory_map_is_read(tmp_path: Path) -> None:
    np.save(tmp_path / "features.npy", cloud(10, 20, 3))
    mapped = np.load(tmp_path / "features.npy", mmap_mode="r", allow_pickle=False)
    np.testing.assert_array_equal(nearest(mapped, mapped)[1][:, 0], np.arange(20))


def test_progress_is_shown_where_it_takes_long(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[tuple[str, int]] = []
    real_bar = blocks.bar
    monkeypatch.setattr(blocks, "bar", lambda what, total, unit: shown.append((what, total)) or real_bar(what, total))
    points = cloud(11, 30, 4)
    nearest(points, points, what="copies")
    assert not shown
    monkeypatch.setattr(blocks, "_LONG", 0)
    nearest(points, points, what="copies")
    within(points, points, base_radii=np.ones(30, np.float32))
    assert shown == [("copies", 30), ("comparing images", 30)]


@pytest.mark.parametrize(
    ("features", "message"),
    [
        (np.zeros((0, 4)), "real features.*no image.*2"),
        (np.zeros((1, 4)), "real features.*one image.*2"),
        (np.zeros(4), r"real features.*\[4\].*\[N, D\]"),
        (np.zeros((3, 0)), r"the real features have the shape \[3, 0\]"),
        (
            np.array([[0.0, np.nan], [0, 1], [np.inf, 0]]),
            "real features.*2 of 3 images.*NaN",
        ),
    ],
)
def test_what_cannot_be_used(features: NDArray[Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        matrix(features, "the real", least=2)


def test_a_pair_must_fit_together() -> None:
    with pytest.raises(DataError, match=r"real features have 3.*fake 4"):
        pair(cloud(0, 5, 3), cloud(0, 5, 4))
    with pytest.raises(DataError, match=r"all 5 real images"):
        pair(np.ones((5, 3)), cloud(0, 5, 3))
    with pytest.raises(DataError, match=r"fake features.*one image.*2"):
        pair(cloud(0, 5, 3), cloud(0, 1, 3))
    pair(cloud(0, 5, 3), np.ones((5, 3)))  # a collapsed generator can be judged


def test_questions_that_have_no_answer() -> None:
    points = cloud(0, 4, 3)
    with pytest.raises(DataError, match=r"4 nearest.*only 3.*at least 5"):
        nearest(points, points, count=4, exclude_self=True)
    with pytest.raises(DataError, match=r"2 nearest.*only 1.*at least 2"):
        nearest(points, points[:1], count=2)
    with pytest.raises(OptionError, match=r"exclude_self.*3 against 4"):
        nearest(points[:3], points, exclude_self=True)
    with pytest.raises(OptionError, match="count = 0 is not allowed: at least 1"):
        nearest(points, points, count=0)
    with pytest.raises(DataError, match=r"queries' features have 3.*base's 2"):
        within(points, points[:, :2], base_radii=np.ones(4, np.float32))
