"""The Frechet distance, held against closed forms and the textbook's matrix root."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import linalg

from gansmith import catalog
from gansmith.errors import DataError
from gansmith.evaluation.frechet import Statistics, frechet, frechet_of_few, statistics
from gansmith.evaluation.metrics.fid import fid
from gansmith.evaluation.types import Metric, Side


def cloud(seed: int, *shape: int) -> NDArray[np.float64]:
    return np.random.default_rng(seed).standard_normal(shape)


def textbook(real: NDArray[Any], fake: NDArray[Any]) -> float:
    """|m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)), word for word."""
    one, other = np.cov(real, rowvar=False), np.cov(fake, rowvar=False)
    root = np.real(linalg.sqrtm(one @ other))
    return float(np.square(real.mean(0) - fake.mean(0)).sum() + np.trace(one + other - 2 * root))


def test_shifted_unit_gaussians_are_as_far_apart_as_their_means() -> None:
    mean = np.array([3.0, 0.0, 4.0])
    assert frechet(Statistics(np.zeros(3), np.eye(3)), Statistics(mean, np.eye(3))) == pytest.approx(25, rel=1e-12)


def test_diagonal_covariances_differ_by_their_roots() -> None:
    one, other = np.array([4.0, 9.0, 0.0, 1.0]), np.array([1.0, 16.0, 25.0, 0.0])
    expected = np.square(np.sqrt(one) - np.sqrt(other)).sum()
    found = frechet(Statistics(np.zeros(4), np.diag(one)), Statistics(np.zeros(4), np.diag(other)))
    assert found == pytest.approx(expected, rel=1e-12)


def test_covariances_that_do_not_commute_by_hand() -> None:
    """diag(1, 0) turned by 45 degrees against diag(1, 0): rank one each, the cosine of the angle is what they share."""
    turned = np.full((2, 2), 0.5)
    found = frechet(Statistics(np.zeros(2), np.diag([1.0, 0.0])), Statistics(np.zeros(2), turned))
    assert found == pytest.approx(2 - 2 * np.cos(np.pi / 4), rel=1e-12)


def test_nothing_against_something_is_its_variance() -> None:
    nothing = Statistics(np.zeros(3), np.zeros((3, 3)))
    assert frechet(nothing, Statistics(np.zeros(3), np.diag([1.0, 2, 3]))) == pytest.approx(6)
    assert frechet(Statistics(np.zeros(3), np.diag([1.0, 2, 3])), nothing) == pytest.approx(6)
    assert frechet(nothing, nothing) == 0


def test_many_images_of_known_gaussians() -> None:
    shift = np.array([1.0, -2.0, 0.5, 0.0])
    found = fid(cloud(0, 40_000, 4), cloud(1, 40_000, 4) + shift)
    assert found.value == pytest.approx(5.25, rel=0.02)
    assert (found.low, found.high) == (None, None)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_equals_the_textbook(dtype: type[np.float32]) -> None:
    mixing = cloud(2, 12, 12)
    real, fake = (cloud(3, 300, 12) @ mixing).astype(dtype), (cloud(4, 200, 12) @ mixing[::-1] + 1).astype(dtype)
    assert fid(real, fake).value == pytest.approx(textbook(real.astype(float), fake.astype(float)), rel=1e-9)
    assert fid(fake, real).value == pytest.approx(fid(real, fake).value, rel=1e-9)


@pytest.mark.parametrize(("n", "m"), [(9, 9), (9, 60), (60, 9), (20, 21)])
def test_fewer_images_than_dimensions(n: int, m: int) -> None:
    """Both ways round equal the square of the nuclear norm's definition, sum of singular values of A B'."""
    real, fake = cloud(5, n, 20) * np.arange(1, 21), cloud(6, m, 20) + 0.5
    one, other = ((given - given.mean(0)) / np.sqrt(len(given) - 1) for given in (real, fake))
    nuclear = np.linalg.norm(one @ other.T, "nuc")
    traces = np.trace(np.cov(real, rowvar=False)) + np.trace(np.cov(fake, rowvar=False))
    expected = np.square(real.mean(0) - fake.mean(0)).sum() + traces - 2 * nuclear
    assert fid(real, fake, allow_few=True).value == pytest.approx(expected, rel=1e-6)
    assert frechet(statistics(real), statistics(fake)) == pytest.approx(expected, rel=1e-6)
    assert frechet_of_few(real, fake) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("n", [10, 400])
def test_the_same_images_in_any_order_are_at_distance_zero(n: int) -> None:
    real = cloud(7, n, 30)
    found = fid(real, real[np.random.default_rng(0).permutation(n)], allow_few=True).value
    assert 0 <= found < 1e-9 * 30


def test_statistics_go_block_by_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gansmith.evaluation.frechet._ROWS", 7)
    features = cloud(8, 50, 5).astype(np.float32) + np.float32(1000)
    found = statistics(features)
    np.testing.assert_allclose(found.mean, features.astype(float).mean(0), rtol=1e-14)
    np.testing.assert_allclose(found.covariance, np.cov(features.astype(float), rowvar=False), rtol=1e-10)


def test_a_collapsed_generator_has_a_distance() -> None:
    real = cloud(9, 2_000, 3)
    expected = np.trace(np.cov(real, rowvar=False)) + np.square(real.mean(0) - 2).sum()
    assert fid(real, np.full((50, 3), 2.0)).value == pytest.approx(expected)


def test_too_few_images_are_offered_kid() -> None:
    fid(cloud(0, 5, 4), cloud(1, 5, 4))
    message = "4 images are too few for the FID of 4 features: at least 5 are needed on each side.*Use KID"
    for n, m in ((4, 9), (9, 4)):
        with pytest.raises(DataError, match=message):
            fid(cloud(0, n, 4), cloud(1, m, 4))


@pytest.mark.parametrize(
    ("mean", "covariance", "message"),
    [
        (np.zeros(2), np.eye(3), r"\[2\].*\[3, 3\]"),
        (np.zeros((1, 3)), np.eye(3), r"a mean of shape \[1, 3\]"),
        (np.array([0, np.nan, 0]), np.eye(3), "NaN"),
        (np.zeros(3), np.triu(np.ones((3, 3))), "not symmetric"),
        (np.zeros(3), -np.eye(3), "a negative variance"),
        (np.zeros(2), np.eye(2), "3 dimensions.*2"),
    ],
)
def test_statistics_that_are_none(mean: NDArray[Any], covariance: NDArray[Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        frechet(Statistics(np.zeros(3), np.eye(3)), Statistics(mean, covariance))


def test_the_catalog_builds_it() -> None:
    metric: Metric = catalog.build("metrics", "fid")
    real, fake = cloud(0, 40, 4), cloud(1, 40, 4)
    sides = (Side("real", features=real.astype(np.float32)), Side("fake", features=fake.astype(np.float32)))
    assert metric.measure(*sides)["fid"].value == pytest.approx(fid(real, fake).value, rel=1e-5)
    assert (metric.words, metric.better) == ("fid", {"fid": "lower"})
    few = catalog.build("metrics", "fid", allow_few=True)
    assert few.words == "fid(allow_few)"
    assert few.measure(*(Side(side.name, features=side.features[:3]) for side in sides))["fid"].value >= 0
    with pytest.raises(DataError, match=r"fid.*features of the made images"):
        metric.measure(sides[0], Side("the made images"))
