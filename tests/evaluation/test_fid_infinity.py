"""The extrapolated FID: without the bias of the count, and within its interval as often as it says."""

from __future__ import annotations

import numpy as np
import pytest

from gansmith import catalog
from gansmith.errors import DataError, OptionError
from gansmith.evaluation.frechet import Statistics, frechet
from gansmith.evaluation.metrics.fid import fid
from gansmith.evaluation.metrics.fid_infinity import _error, fid_infinity
from gansmith.evaluation.types import Side

WIDTH, COUNT = 8, 160
SCALES, SHIFT = np.linspace(0.5, 2, WIDTH), np.full(WIDTH, 0.2)
TRUTH = frechet(Statistics(np.zeros(WIDTH), np.eye(WIDTH)), Statistics(SHIFT, np.diag(SCALES**2)))


def test_the_truth_is_the_closed_form() -> None:
    assert pytest.approx(np.square(1 - SCALES).sum() + WIDTH * 0.04) == TRUTH


def test_unbiased_and_covered_where_the_two_differ() -> None:
    """Over 200 repetitions: the FID itself lies above the truth, its extrapolation does not."""
    rng = np.random.default_rng(0)
    found, plain = [], []
    for repetition in range(200):
        real = rng.standard_normal((COUNT, WIDTH))
        fake = rng.standard_normal((COUNT, WIDTH)) * SCALES + SHIFT
        found.append(fid_infinity(real, fake, points=6, seed=repetition))
        plain.append(fid(real, fake).value)
    values = np.array([number.value for number in found])
    error = values.std() / np.sqrt(len(values))
    assert np.mean(plain) - TRUTH > 0.1 * TRUTH
    assert abs(values.mean() - TRUTH) < 3 * error
    covered = np.mean([number.low <= TRUTH <= number.high for number in found])  # type: ignore[operator]
    assert covered >= 0.91  # .95 less three standard errors of 200 repetitions


def test_no_distance_is_left_where_the_two_are_alike() -> None:
    rng = np.random.default_rng(1)
    pairs = [rng.standard_normal((2, COUNT, WIDTH)) for _ in range(50)]
    values = [fid_infinity(*pair, points=6).value for pair in pairs]
    plain = np.mean([fid(*pair).value for pair in pairs])
    assert abs(np.mean(values)) < 0.1 * plain


def test_the_influence_of_single_images_is_the_jackknifes() -> None:
    """Each image left out in turn, on skewed features, where signs and halves would show."""
    rng = np.random.default_rng(5)
    real, fake = rng.exponential(size=(90, 3)), rng.exponential(size=(70, 3)) * [1, 2, 3] + [0.5, 0, -1]
    variance = 0.0
    for side, other in ((real, fake), (fake, real)):
        count = len(side)
        values = np.array([fid(np.delete(side, i, axis=0), other).value for i in range(count)])
        variance += (count - 1) / count * float(np.square(values - values.mean()).sum())
    assert _error(real, fake) == pytest.approx(np.sqrt(variance), rel=0.05)


def test_the_interval_narrows_with_more_images() -> None:
    rng = np.random.default_rng(2)
    widths = []
    for count in (100, 1600):
        real, fake = rng.standard_normal((count, 5)), 2 * rng.standard_normal((count, 5))
        found = fid_infinity(real, fake)
        assert found.high is not None
        assert found.low is not None
        widths.append(found.high - found.low)
    assert 2 < widths[0] / widths[1] < 8  # 4 by the root of the count


def test_the_seed_decides_the_drawings_and_the_catalog_builds_it() -> None:
    real, fake = np.random.default_rng(3).standard_normal((2, 60, 3)).astype(np.float32)
    assert fid_infinity(real, fake, seed=1) == fid_infinity(real, fake, seed=1)
    assert fid_infinity(real, fake, seed=1) != fid_infinity(real, fake, seed=2)
    metric = catalog.build("metrics", "fid_infinity", points=5, seed=1)
    found = metric.measure(Side("real", features=real), Side("fake", features=fake))
    assert found["fid_infinity"] == fid_infinity(real, fake, points=5, seed=1)
    assert metric.words == "fid_infinity(points=5)"


def test_too_few_images_are_offered_kid() -> None:
    real, fake = np.random.default_rng(4).standard_normal((2, 40, 10))
    fid_infinity(real, fake)
    with pytest.raises(DataError, match=r"39 images.*10 features.*40.*KID"):
        fid_infinity(real[:39], fake)
    fid_infinity(real[:20, :1], fake[:20, :1])
    with pytest.raises(OptionError, match="points = 2 is not allowed: at least 3"):
        fid_infinity(np.eye(30)[:, :2], np.eye(30)[:, :2], points=2)
    with pytest.raises(DataError, match=r"19 images.*at least 20"):
        fid_infinity(real[:19, :1], fake[:19, :1])
