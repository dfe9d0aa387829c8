"""Vendi score, against the definition written out in numpy, and sets whose score one can count."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from gansmith import catalog
from gansmith.errors import DataError
from gansmith.evaluation import vendi
from gansmith.evaluation.types import Side


def published(features: NDArray[Any]) -> float:
    """Definition 3.1: exp(-sum of l log l) over the eigenvalues l of K / n, K[i, j] the cosine of rows i and j."""
    rows = features / np.linalg.norm(features, axis=1, keepdims=True)
    values = np.linalg.eigvalsh((rows @ rows.T).astype(float) / len(rows))
    values = values[values > 1e-12]
    return float(np.exp(-(values * np.log(values)).sum()))


@pytest.mark.parametrize(("count", "width"), [(40, 7), (7, 40), (20, 20), (1, 5)])
def test_equals_the_definition(count: int, width: int) -> None:
    features = np.random.default_rng(count).normal(0.4, 1, (count, width))
    assert vendi(features).value == pytest.approx(published(features), rel=1e-9)


def test_groups_of_equal_images_count_as_one_each() -> None:
    """Equal groups of three kinds: 3. Of 8, 1 and 1 images: the exponential of the entropy of their shares."""
    assert vendi(np.repeat(np.eye(5)[:3], 4, axis=0)).value == pytest.approx(3)
    uneven = np.repeat(np.eye(5)[:3], [8, 1, 1], axis=0)
    shares = np.array([0.8, 0.1, 0.1])
    assert vendi(uneven).value == pytest.approx(np.exp(-(shares * np.log(shares)).sum()))


def test_lengths_do_not_matter_and_copies_do_not_add() -> None:
    features = np.random.default_rng(0).normal(size=(30, 6))
    lengths = np.random.default_rng(1).uniform(0.01, 1e6, (30, 1))
    score = vendi(features).value
    assert vendi(features * lengths).value == pytest.approx(score)
    assert vendi(np.vstack([features, features])).value == pytest.approx(score)
    assert vendi(torch.from_numpy(features).float()).value == pytest.approx(score, rel=1e-5)
    assert vendi(features * 1e200).value == pytest.approx(score)


def test_rows_of_zeros_are_one_kind_of_their_own() -> None:
    assert vendi(np.zeros((4, 3))).value == pytest.approx(1)
    assert vendi(np.vstack([np.zeros((2, 3)), np.repeat(np.eye(3)[:1], 2, axis=0)])).value == pytest.approx(2)


@pytest.mark.parametrize(("count", "width"), [(200, 6), (100, 30)])
def test_its_interval_holds_the_mean_score_of_sets_of_that_size(count: int, width: int) -> None:
    rng = np.random.default_rng(2)
    spread = np.linspace(0.2, 2, width)
    found = [vendi(rng.normal(0.5, 1, (count, width)) * spread) for _ in range(200)]
    mean = np.mean([number.value for number in found])
    covered = np.mean([(number.low or 0) <= mean <= (number.high or 0) for number in found])
    assert 0.9 <= covered <= 0.99
    assert all(number.low < number.high for number in found)  # type: ignore[operator]


def test_the_metric_compares_as_many_of_each() -> None:
    """Real images: 8 directions; samples: 3 of them, from ten times as many images."""
    rng = np.random.default_rng(3)
    real = np.eye(8)[rng.integers(0, 8, 60)].astype(np.float32)
    fake = np.eye(8)[rng.integers(0, 3, 600)].astype(np.float32)
    metric = catalog.build("metrics", "vendi")
    sides = Side("real", features=real), Side("fake", features=fake)
    numbers = metric.measure(*sides)
    assert numbers["vendi"].value == pytest.approx(3, abs=0.2)
    assert numbers["vendi_of_real"].value == pytest.approx(8, abs=0.8)
    alone = np.random.default_rng(4).normal(size=(600, 50)).astype(np.float32)  # a score that grows with the count
    several = metric.measure(sides[0], Side("fake", features=alone[:, :8]))["vendi"].value
    assert several < vendi(alone[:, :8]).value
    assert catalog.build("metrics", "vendi", seed=1).words == "vendi(cosine, seed=1)"


def test_what_is_no_matrix_is_refused() -> None:
    with pytest.raises(DataError, match="NaN"):
        vendi(np.full((3, 2), np.nan))
    with pytest.raises(DataError, match="no image"):
        vendi(np.zeros((0, 2)))
