"""The accuracy of a discriminator on foreign samples: values, limits, covariances."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from gansmith.errors import GansmithError, NotFiniteError
from gansmith.evaluation.pairwise_accuracy import Placements, correlation, limits, newcombe, per_image, placements
from gansmith.system.ranking import accuracy


def drawn(seed: int, shift: float, reals: int, fakes: int) -> Placements:
    rng = np.random.default_rng(seed)
    return placements(rng.normal(shift, 1, reals), rng.normal(0, 1, fakes))


def test_a_case_by_hand() -> None:
    placed = placements(np.array([1.0, 3.0]), np.array([0.0, 1.0, 2.0]))
    np.testing.assert_allclose(placed.of_reals, [(1 + 0.5) / 3, 1])
    np.testing.assert_allclose(placed.of_fakes, [1, 0.75, 0.5])
    assert placed.accuracy == pytest.approx(0.75)
    assert placed.variance == pytest.approx(0.125 / 2 + 0.0625 / 3)


def test_the_same_number_as_in_training_and_as_scikit_learns() -> None:
    rng = np.random.default_rng(0)
    real, fake = rng.integers(0, 6, (40, 1, 2, 2)) / 4, rng.integers(-1, 5, (30, 1, 2, 2)) / 4
    placed = placements(per_image(real), per_image(fake))
    assert placed.accuracy == pytest.approx(float(accuracy(torch.tensor(real), torch.tensor(fake))), abs=1e-6)
    both = np.concatenate([real, fake]).mean(axis=(1, 2, 3))
    assert placed.accuracy == pytest.approx(roc_auc_score([1] * 40 + [0] * 30, both))
    assert placed.of_reals.mean() == pytest.approx(placed.accuracy)


def test_newcombe_solves_its_equation() -> None:
    for value, reals, fakes in (
        (0.8, 10, 50),
        (0.2, 10, 50),
        (0.5, 3, 3),
        (1.0, 20, 100),
        (0.0, 20, 100),
        (1e-12, 9, 9),
    ):
        low, high = newcombe(value, reals, fakes)
        assert 0 <= low <= value <= high <= 1
        for t in {low, high} - {0.0, 1.0}:
            more = (reals + fakes) / 2 - 1
            variance = t * (1 - t) * (1 + more * (1 - t) / (2 - t) + more * t / (1 + t)) / (reals * fakes)
            assert abs(value - t) == pytest.approx(norm.ppf(0.975) * math.sqrt(variance), rel=1e-5)
        mirrored = newcombe(1 - value, reals, fakes)
        assert (1 - mirrored[1], 1 - mirrored[0]) == pytest.approx((low, high), abs=1e-6)


def test_complete_separation_is_not_certainty() -> None:
    low, high = limits(placements(np.arange(10.0) + 100, np.arange(10.0)))
    assert high == 1
    assert 0.7 < low < 0.85
    assert limits(placements(np.arange(1000.0) + 1e4, np.arange(1000.0)))[0] > 0.99


@pytest.mark.parametrize(("reals", "fakes"), [(5, 50), (10, 10), (60, 300)])
@pytest.mark.parametrize("shift", [0.0, 0.8, 2.5])
def test_limits_cover_as_often_as_they_say(reals: int, fakes: int, shift: float) -> None:
    true, repeats = norm.cdf(shift / math.sqrt(2)), 300
    held = 0
    for seed in range(repeats):
        low, high = limits(drawn(seed, shift, reals, fakes))
        held += low <= true <= high
    assert held / repeats > 0.92  # .95, less two and a half standard errors


def test_limits_are_no_wider_than_needed() -> None:
    widths = [np.diff(limits(drawn(seed, 0.8, 200, 200))).item() for seed in range(50)]
    spread = np.std([drawn(seed, 0.8, 200, 200).accuracy for seed in range(300)])
    assert np.mean(widths) < 1.15 * 2 * 1.96 * spread


def test_limits_at_another_level() -> None:
    placed = drawn(0, 1.0, 50, 50)
    narrow, wide = limits(placed, level=0.8), limits(placed, level=0.99)
    assert wide[0] < limits(placed)[0] < narrow[0] < placed.accuracy < narrow[1] < limits(placed)[1] < wide[1]


@pytest.mark.parametrize("same_fakes", [True, False])
def test_correlations_are_those_over_repetitions(same_fakes: bool) -> None:
    rng = np.random.default_rng(1)
    values, said = [], []
    for _ in range(400):
        real = rng.normal(1, 1, (60, 2)) @ np.array([[1, 0.6], [0, 0.8]])
        fake = rng.normal(0, 1, (40, 2)) @ np.array([[1, 0.6], [0, 0.8]])
        other = fake[:, 1] if same_fakes else rng.normal(0, 1, 40)
        one, two = placements(real[:, 0], fake[:, 0]), placements(real[:, 1], other)
        values.append((one.accuracy, two.accuracy))
        said.append(correlation(one, two, same_fakes=same_fakes))
    assert np.mean(said) == pytest.approx(np.corrcoef(np.array(values).T)[0, 1], abs=0.1)


def test_what_does_not_vary_has_no_correlation() -> None:
    still, moving = (
        placements(np.array([5.0, 6.0]), np.array([1.0, 2.0])),
        placements(np.array([1, 3.0]), np.array([0, 2.0])),
    )
    assert correlation(still, moving, same_fakes=True) is None
    assert correlation(moving, moving, same_fakes=True) == pytest.approx(1)


@pytest.mark.parametrize(
    ("scores", "kind", "message"),
    [
        ([0.0], GansmithError, "D on reals: 1 image.*2"),
        ([], GansmithError, "D on reals: 0 images.*2"),
        (3.0, GansmithError, "D on reals: 1 image.*2"),
        ([0.0, math.nan, math.inf], NotFiniteError, "D on reals: 2 of 3 are NaN or infinite"),
    ],
)
def test_errors(scores: object, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        per_image(scores, whose="D on reals")
