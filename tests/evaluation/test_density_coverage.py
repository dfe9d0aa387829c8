"""Density and coverage, held against the paper's formulas written out in numpy, and drawings one can count."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from gansmith import catalog
from gansmith.errors import DataError
from gansmith.evaluation.metrics.density_coverage import density_coverage
from gansmith.evaluation.types import Side


def cloud(seed: int, *shape: int, at: float = 0.0) -> NDArray[np.float32]:
    return (np.random.default_rng(seed).standard_normal(shape) + at).astype(np.float32)


def published(real: NDArray[Any], fake: NDArray[Any], k: int) -> tuple[float, float]:
    """Eq. 4: 1 / (k M) sum over j, i of 1[Y_j in B(X_i, NND_k(X_i))]; eq. 5: 1 / N sum over i of 1[some j in B]."""
    real, fake = real.astype(float), fake.astype(float)
    among = np.sqrt(np.square(real[:, None] - real[None]).sum(-1))
    reach = np.sort(among, axis=1)[:, k]
    inside = np.sqrt(np.square(fake[:, None] - real[None]).sum(-1)) < reach[None]  # strict, as the authors' code
    return float(inside.sum() / (k * len(fake))), float(inside.any(axis=0).mean())


def test_by_hand() -> None:
    """On a line, k = 1: balls [-1, 1], [0, 2], [1, 5], [3, 7]."""
    real = np.array([[0.0], [1], [3], [5]])
    found = density_coverage(real, np.array([[0.5], [4.0], [9.0]]), neighbours=1)
    assert found.density.value == pytest.approx(4 / 3)
    assert found.coverage.value == 1
    assert density_coverage(real, np.array([[9.0], [6.0]]), neighbours=1).coverage.value == 1 / 4


@pytest.mark.parametrize("k", [1, 5])
@pytest.mark.parametrize("at", [0.0, 1.0])
def test_equals_the_published_formulas(k: int, at: float) -> None:
    real, fake = cloud(0, 90, 4), cloud(1, 70, 4, at=at)
    density, coverage = published(real, fake, k)
    found = density_coverage(real, fake, neighbours=k)
    assert found.density.value == pytest.approx(density)
    assert found.coverage.value == pytest.approx(coverage)


def test_the_default_is_the_papers_five() -> None:
    real, fake = cloud(0, 60, 4), cloud(1, 60, 4)
    assert density_coverage(real, fake) == density_coverage(real, fake, neighbours=5)


def test_as_expected_where_the_two_are_alike() -> None:
    """Section 3.3 of the paper: density 1, coverage 1 - (N - 1) ... (N - k) / ((N + M - 1) ... (N + M - k))."""
    k, n, m = 5, 40, 30
    rng = np.random.default_rng(2)
    found = [density_coverage(rng.standard_normal((n, 6)), rng.standard_normal((m, 6))) for _ in range(300)]
    steps = np.arange(1, k + 1)
    expected = 1 - np.prod((n - steps) / (n + m - steps))
    density, coverage = (np.array([getattr(one, name).value for one in found]) for name in ("density", "coverage"))
    assert abs(density.mean() - 1) < 3 * density.std() / np.sqrt(300)
    assert abs(coverage.mean() - expected) < 3 * coverage.std() / np.sqrt(300)


def test_copies_of_the_real_images_lie_on_edges_that_do_not_count() -> None:
    real = cloud(3, 50, 300)
    density, coverage = published(real, real, 5)
    found = density_coverage(real, real)
    assert (found.density.value, found.coverage.value) == (pytest.approx(density), pytest.approx(coverage))
    assert found.density.value == pytest.approx(5 / 5)  # its owner and four others


def test_intervals() -> None:
    real, fake = cloud(4, 50, 3), cloud(5, 40, 3)
    found = density_coverage(real, fake)
    for number in found:
        assert number.low is not None
        assert number.high is not None
        assert number.low < number.value < number.high
    far = density_coverage(real, fake + 100)
    assert (far.density.value, far.density.low, far.density.high) == (0, None, None)
    assert (far.coverage.value, far.coverage.low) == (0, 0)
    assert far.coverage.high == pytest.approx(1 - 0.025 ** (1 / 50))


def test_density_covers_what_more_made_images_would_give() -> None:
    real, rng = cloud(6, 80, 3), np.random.default_rng(7)
    expected = density_coverage(real, rng.standard_normal((20_000, 3))).density.value
    found = [density_coverage(real, rng.standard_normal((60, 3))).density for _ in range(200)]
    covered = np.mean([number.low <= expected <= number.high for number in found])  # type: ignore[operator]
    assert 0.9 <= covered <= 0.99


def test_bad_input() -> None:
    with pytest.raises(DataError, match="and there are 5 real images: give at least 6"):
        density_coverage(cloud(0, 5, 2), cloud(0, 9, 2))
    with pytest.raises(DataError, match="the fake features are of one image"):
        density_coverage(cloud(0, 9, 2), cloud(0, 1, 2))


def test_the_catalog_builds_it() -> None:
    real, fake = cloud(0, 30, 3), cloud(1, 30, 3)
    metric = catalog.build("metrics", "density_coverage", neighbours=2)
    found = metric.measure(Side("real", features=real), Side("fake", features=fake))
    assert found == density_coverage(real, fake, neighbours=2)._asdict()
    assert (metric.words, metric.least) == ("density_coverage(neighbours=2)", 3)
