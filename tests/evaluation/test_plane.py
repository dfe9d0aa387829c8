"""The plane: axes by an independent computation, neighbours by the definition, the same points each time."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from gansmith.errors import DataError, MissingExtraError, OptionError
from gansmith.evaluation.plane import MOST, plane

RNG = np.random.default_rng(7)
REAL = RNG.normal(size=(60, 12)) * np.linspace(3, 1, 12)
GENERATED = RNG.normal(size=(40, 12)) * np.linspace(3, 1, 12) + 0.5
HELD_OUT = RNG.normal(size=(30, 12)) * np.linspace(3, 1, 12) - 0.5


def ball_members(points: np.ndarray, centres: np.ndarray, k: int = 3) -> np.ndarray:
    """Which points lie within some centre's distance to its k-th nearest other centre, by the definition."""
    inside = []
    reach = [sorted(np.linalg.norm(centres - one, axis=1))[k] for one in centres]  # the nearest is itself
    for point in points:
        inside.append(any(np.linalg.norm(point - one) <= r for one, r in zip(centres, reach, strict=True)))
    return np.array(inside)


def test_axes_are_the_leading_eigenvectors_of_the_real_images() -> None:
    points = plane(REAL, GENERATED, HELD_OUT)
    values, vectors = np.linalg.eigh(np.cov(REAL.T))
    for axis, number in enumerate((-1, -2)):
        vector = vectors[:, number]
        vector = vector * np.sign(vector[np.abs(vector).argmax()])
        for side, places in ((REAL, points.real), (GENERATED, points.generated), (HELD_OUT, points.held_out)):
            np.testing.assert_allclose(places[:, axis], (side - REAL.mean(0)) @ vector, atol=1e-8)
        assert points.explained is not None
        assert points.explained[axis] == pytest.approx(values[number] / values.sum())


def test_neighbours_are_those_of_precision_and_recall() -> None:
    points = plane(REAL, GENERATED, HELD_OUT)
    np.testing.assert_array_equal(points.real_like, ball_members(GENERATED, REAL))
    np.testing.assert_array_equal(points.real_reached, ball_members(REAL, GENERATED))
    np.testing.assert_array_equal(points.held_out_reached, ball_members(HELD_OUT, GENERATED))
    assert points.precision == ball_members(GENERATED, REAL).mean()
    assert points.recall == ball_members(REAL, GENERATED).mean()
    assert 0 < points.precision < 1
    assert 0 < points.recall < 1
    assert 0 < points.held_out_reached.mean() < 1


def test_the_same_features_give_the_same_points() -> None:
    wide = RNG.normal(size=(50, 300)).astype(np.float32)
    one, other = (plane(wide, wide[:20] + np.float32(0.1)) for _ in range(2))
    for name in ("real", "generated", "real_like", "real_reached"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    assert one.held_out.shape == (0, 2)


@pytest.mark.parametrize("width", [1, 2])
def test_features_of_few_numbers(width: int) -> None:
    points = plane(REAL[:, :width], GENERATED[:, :width])
    assert points.real.shape == (60, 2)
    assert np.isfinite(points.real).all()


def test_generated_images_that_are_all_equal() -> None:
    points = plane(REAL, np.repeat(REAL[:1], 10, 0))
    np.testing.assert_array_equal(points.generated, np.repeat(points.generated[:1], 10, 0))
    assert points.precision == 1
    assert points.recall == pytest.approx(1 / 60)


def test_what_is_refused() -> None:
    with pytest.raises(OptionError, match=r"tsne.*pca"):
        plane(REAL, GENERATED, method="tsne")  # type: ignore[arg-type]  # it is what is refused
    with pytest.raises(DataError, match="at least 4"):
        plane(REAL[:3], GENERATED)
    with pytest.raises(DataError, match=r"12.*11|11.*12"):
        plane(REAL, GENERATED, HELD_OUT[:, :11])
    with pytest.raises(DataError, match=f"{MOST:,}"):
        plane(np.zeros((MOST, 2)), np.zeros((10, 2)))


def test_umap_is_an_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "umap", None)
    with pytest.raises(MissingExtraError, match=r"umap-learn.*pip install"):
        plane(REAL, GENERATED, method="umap")


def test_umap_places_all_sides_at_once_by_a_fixed_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, Any] = {}

    def umap(**options: Any) -> Any:
        asked.update(options)
        return SimpleNamespace(fit_transform=lambda every: every[:, :2])

    monkeypatch.setitem(sys.modules, "umap", SimpleNamespace(UMAP=umap))
    points = plane(REAL, GENERATED, HELD_OUT, method="umap")
    np.testing.assert_array_equal(points.real, REAL[:, :2])
    np.testing.assert_array_equal(points.generated, GENERATED[:, :2])
    np.testing.assert_array_equal(points.held_out, HELD_OUT[:, :2])
    assert points.explained is None
    assert (asked["random_state"], asked["n_jobs"]) == (0, 1)
