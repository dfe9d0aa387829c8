"""Authenticity, against the definition written out in numpy, the audit's test, and drawings one can count."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from gansmith import catalog
from gansmith.errors import DataError
from gansmith.evaluation import authenticity, intervals, memorisation_tests
from gansmith.evaluation.types import Side


def cloud(seed: int, *shape: int) -> NDArray[np.float64]:
    return np.random.default_rng(seed).standard_normal(shape)


def published(real: NDArray[np.float64], sample: NDArray[np.float64]) -> bool:
    """Section 2.3: inauthentic where d(sample, its nearest real image) < d(that one, the real image nearest to it)."""
    nearest = int(np.linalg.norm(real - sample, axis=1).argmin())
    others = np.delete(real, nearest, axis=0)
    return bool(np.linalg.norm(sample - real[nearest]) >= np.linalg.norm(others - real[nearest], axis=1).min())


def test_by_hand() -> None:
    """Real at 0, 1, 5: nearest others are 1, 1 and 4 away. 0.4 lies .4 from 0; -2 lies 2 from it; 8 lies 3 from 5."""
    result = authenticity(np.array([[0.0], [1.0], [5.0]]), np.array([[0.4], [-2.0], [8.0], [9.5]]))
    assert result.authentic.tolist() == [False, True, False, True]
    assert result.training.tolist() == [0, 0, 2, 2]
    assert result.share.value == 0.5
    # Of the real ones: 0 is 1 from 1, whose other is 4 away: inauthentic. 1 is 1 from 0, whose other is 5 away:
    # inauthentic. 5 is 4 from 1, whose other is 1 away: authentic.
    assert result.share_of_real.value == pytest.approx(1 / 3)


def test_equals_the_definition_for_samples_and_for_each_real_image_among_the_others() -> None:
    real, fake = cloud(0, 60, 3), cloud(1, 80, 3)
    result = authenticity(real, fake)
    assert result.authentic.tolist() == [published(real, sample) for sample in fake]
    left_out = [published(np.delete(real, one, axis=0), real[one]) for one in range(len(real))]
    assert result.share_of_real.value == pytest.approx(np.mean(left_out))
    assert (result.share.low, result.share.high) == intervals.share(int(result.authentic.sum()), 80)


def test_agrees_with_the_audits_test() -> None:
    real, fake, held = cloud(2, 70, 4), cloud(3, 50, 4), cloud(4, 40, 4)
    gaps = np.linalg.norm(real[:, None] - real[None], axis=2) + np.diag(np.full(70, np.inf))
    own = gaps.min(axis=1)
    far = [np.linalg.norm(rows[:, None] - real[None], axis=2) for rows in (fake, held)]
    sides = [(table.min(axis=1), own[table.argmin(axis=1)]) for table in far]
    audited = memorisation_tests.authenticity(*sides[0], *sides[1])
    assert 1 - authenticity(real, fake).share.value == pytest.approx(audited.value)


def test_honest_samples_are_as_authentic_as_real_images_and_copies_less() -> None:
    real, fake = cloud(5, 800, 6), cloud(6, 800, 6)
    copies = real[:400] + 1e-3 * cloud(7, 400, 6)
    honest, copied = authenticity(real, fake), authenticity(real, np.vstack([fake[:400], copies]))
    assert copied.share.value == pytest.approx(honest.share.value / 2, abs=0.06)
    assert not copied.authentic[400:].any()
    pairs = [authenticity(cloud(seed, 100, 3), cloud(seed + 100, 100, 3)) for seed in range(100)]
    gaps = [one.share.value - one.share_of_real.value for one in pairs]
    assert abs(np.mean(gaps)) < 3 * np.std(gaps) / np.sqrt(len(gaps))


def test_a_copy_of_one_of_two_equal_images_is_authentic_by_the_definition() -> None:
    real = np.vstack([np.zeros((2, 2)), cloud(8, 5, 2) + 9])
    assert authenticity(real, np.zeros((1, 2)) + 0.0, device="cpu").authentic.tolist() == [True]


def test_the_metric_says_neither_way_is_better() -> None:
    metric = catalog.build("metrics", "authenticity")
    real, fake = cloud(9, 30, 3).astype(np.float32), cloud(10, 20, 3).astype(np.float32)
    numbers = metric.measure(Side("real", features=real), Side("fake", features=fake))
    assert numbers["authenticity"] == authenticity(real, fake).share
    assert set(numbers) == {"authenticity", "authenticity_of_real"}
    assert metric.better == {}
    with pytest.raises(DataError, match="at least 3"):
        metric.measure(Side("real", features=real[:2]), Side("fake", features=fake))
