"""The linear probe: what it can read off, how sure it is, and that the test part chooses nothing."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn.datasets import load_digits
from sklearn.svm import LinearSVC

from gansmith.errors import DataError, NotFiniteError
from gansmith.evaluation.linear_probe import (
    Parts,
    Probe,
    difference,
    difference_from_several,
    linear_probe,
    majority,
    split,
    standardised,
)
from gansmith.evaluation.types import Number


def probe_of(correct: list[int] | np.ndarray) -> Probe:
    return Probe(Number(float(np.mean(correct))), np.asarray(correct, dtype=bool), 1, 1.0, {})


def test_the_parts_are_apart_and_keep_the_classes() -> None:
    labels = np.repeat([3, 7, 9], [100, 40, 3])
    parts = split(np.random.default_rng(0).permutation(labels), seed=1)
    everything = np.concatenate([parts.train, parts.validation, parts.test])
    assert sorted(everything) == list(range(143))
    shuffled = np.random.default_rng(0).permutation(labels)
    counts = [
        np.unique(shuffled[part], return_counts=True)[1].tolist()
        for part in (parts.train, parts.validation, parts.test)
    ]
    assert counts == [[50, 20, 1], [20, 8, 1], [30, 12, 1]]
    assert all((np.diff(part) > 0).all() for part in (parts.train, parts.validation, parts.test))
    again, other = split(shuffled, seed=1), split(shuffled, seed=2)
    assert (again.test == parts.test).all()
    assert (other.test != parts.test).any()


def test_digits_are_read_off_pixels() -> None:
    digits = load_digits()
    found = linear_probe(digits.data, digits.target, seed=0)
    assert 0.92 < found.accuracy.value < 0.99
    assert found.dimensions == 64
    count = len(found.correct)
    exact = binomtest(int(found.correct.sum()), count).proportion_ci(method="exact")
    assert (found.accuracy.low, found.accuracy.high) == pytest.approx((exact.low, exact.high))
    assert found.accuracy.value == found.correct.mean()
    assert found.chosen_by[found.cost] == max(found.chosen_by.values())


def test_it_is_the_svm_that_it_says() -> None:
    """By hand: standardised, over the root of the dimension, a squared hinge, refitted on both learning parts."""
    digits = load_digits()
    parts = split(digits.target, seed=3)
    found = linear_probe(digits.data, digits.target, parts=parts, costs=[1.0])
    both = np.concatenate([parts.train, parts.validation])
    mean, deviation = digits.data[both].mean(0), digits.data[both].std(0)
    rows = np.where(deviation > 0, (digits.data - mean) / np.where(deviation > 0, deviation, 1), 0)
    rows /= math.sqrt((deviation > 0).sum())
    svm = LinearSVC(C=1.0, dual=False, tol=1e-2).fit(rows[both], digits.target[both])
    assert (found.correct == (svm.predict(rows[parts.test]) == digits.target[parts.test])).all()


def test_labels_by_chance_give_chance() -> None:
    rng = np.random.default_rng(0)
    held = 0
    for seed in range(40):
        found = linear_probe(rng.normal(size=(120, 20)), rng.integers(0, 2, 120), seed=seed, costs=[0.1, 10])
        assert found.accuracy.low is not None
        assert found.accuracy.high is not None
        held += found.accuracy.low <= 0.5 <= found.accuracy.high
    assert held >= 36  # of 40 intervals at 95 %


def test_the_test_part_chooses_nothing() -> None:
    """Spoiling the test images changes neither the cost nor what was learned of the others."""
    digits = load_digits()
    parts = split(digits.target)
    spoiled = digits.data.copy()
    spoiled[parts.test] = np.random.default_rng(0).normal(0, 1e6, spoiled[parts.test].shape)
    before = linear_probe(digits.data, digits.target, parts=parts)
    after = linear_probe(spoiled, digits.target, parts=parts)
    assert before.chosen_by == after.chosen_by
    assert after.accuracy.value < 0.3


def test_the_cost_is_chosen_on_the_validation_part() -> None:
    """Accuracies of the validation part by hand; of equal ones, the most regularised wins."""
    digits = load_digits()
    parts = split(digits.target)
    costs = [1e-4, 1e-1, 1.0, 1e3, 1e4]
    found = linear_probe(digits.data, digits.target, parts=parts, costs=costs)
    train, validation = standardised(digits.data[parts.train], digits.data[parts.validation])
    by_hand = {}
    for cost in costs:
        svm = LinearSVC(C=cost, dual=False, tol=1e-2).fit(train, digits.target[parts.train])
        by_hand[cost] = (svm.predict(validation) == digits.target[parts.validation]).mean()
    assert found.chosen_by == by_hand
    assert found.cost == min(cost for cost in costs if by_hand[cost] == max(by_hand.values()))
    assert by_hand[1e-4] < by_hand[found.cost] > by_hand[1e4]


def test_of_costs_that_do_equally_well_the_most_regularised_is_taken() -> None:
    labels = np.arange(60) % 2
    rows = np.stack([10.0 * labels, np.random.default_rng(0).normal(size=60)], axis=1)
    found = linear_probe(rows, labels, costs=[1.0, 0.5, 10.0])
    assert found.chosen_by == {1.0: 1.0, 0.5: 1.0, 10.0: 1.0}
    assert found.cost == 0.5


def test_small_shares_leave_no_part_empty() -> None:
    labels = np.repeat([0, 1], 4)
    parts = split(labels, test=0.05, validation=0.05)
    assert [sorted(labels[part]) for part in (parts.validation, parts.test)] == [[0, 1], [0, 1]]


def test_the_rotation_loses_nothing() -> None:
    rng = np.random.default_rng(0)
    train, other = rng.normal(2, 3, (30, 200)), rng.normal(2, 3, (20, 200))
    train[:, 5] = other[:, 5] = 7.0
    small, seen = standardised(train, other)
    assert small.shape[1] <= 30
    rows, deviation = train - train.mean(0), train.std(0)
    scale = np.where(deviation > 0, 1 / np.where(deviation > 0, deviation, 1), 0) / math.sqrt(199)
    np.testing.assert_allclose(small @ small.T, (rows * scale) @ (rows * scale).T, atol=1e-10)
    np.testing.assert_allclose(seen @ small.T, ((other - train.mean(0)) * scale) @ (rows * scale).T, atol=1e-10)
    labels = rng.integers(0, 2, 30)
    full = (
        LinearSVC(C=10, dual=False, tol=1e-8)
        .fit(rows * scale, labels)
        .decision_function((other - train.mean(0)) * scale)
    )
    np.testing.assert_allclose(
        LinearSVC(C=10, dual=False, tol=1e-8).fit(small, labels).decision_function(seen), full, atol=1e-5
    )


def test_a_feature_that_is_constant_in_training_is_left_out() -> None:
    train = np.array([[0.1, 1.0], [0.1, 2.0], [0.1, 4.0]])
    small, seen = standardised(train, np.array([[1e9, 2.0]]))
    assert (small[:, 0] == 0).all()
    assert seen[0, 0] == 0
    np.testing.assert_allclose(small[:, 1].std(), 1)


def test_the_commonest_class() -> None:
    parts = Parts(np.array([0, 1, 2]), np.array([3]), np.array([4, 5, 6, 7]))
    assert majority([1, 1, 0, 1, 1, 0, 0, 1], parts) == 0.5
    assert majority([0, 0, 1, 0, 1, 1, 1, 1], parts) == 0.0


def test_a_difference_by_hand() -> None:
    """12 gained, 4 lost of 100: Agresti and Min's interval."""
    one, other = np.zeros(100), np.zeros(100)
    one[:12], other[12:16] = 1, 1
    one[16:70] = other[16:70] = 1
    found = difference(probe_of(one), probe_of(other))
    shift, width = 8 / 102, 17 / 102
    half = 1.959964 * math.sqrt((width - shift**2) / 102)
    assert found.value == pytest.approx(0.08)
    assert (found.low, found.high) == pytest.approx((shift - half, shift + half))
    turned = difference(probe_of(other), probe_of(one))
    assert (turned.value, turned.low, turned.high) == pytest.approx((-0.08, -shift - half, half - shift))


def test_equal_probes_are_not_certainly_equal() -> None:
    found = difference(probe_of(np.ones(50)), probe_of(np.ones(50)))
    assert found.value == 0
    assert found.low is not None
    assert found.high is not None
    assert found.low < -0.02 < 0.02 < found.high
    several = difference_from_several(probe_of(np.ones(50)), [probe_of(np.ones(50))] * 3)
    assert several.low is not None
    assert several.low < -0.02


@pytest.mark.parametrize("gap", [0.0, 0.1])
def test_differences_cover(gap: float) -> None:
    rng = np.random.default_rng(0)
    held, several = 0, 0
    for _ in range(400):
        hard = rng.random(150)
        one = probe_of(rng.random(150) < 0.9 - 0.4 * hard + gap)
        others = [probe_of(rng.random(150) < 0.9 - 0.4 * hard + rng.normal(0, 0.03)) for _ in range(4)]
        low_high = difference(one, probe_of(rng.random(150) < 0.9 - 0.4 * hard))
        assert low_high.low is not None
        assert low_high.high is not None
        held += low_high.low <= gap <= low_high.high
        joint = difference_from_several(one, others)
        assert joint.low is not None
        assert joint.high is not None
        several += joint.low <= gap <= joint.high
    assert 0.92 < held / 400 <= 0.99
    assert several / 400 > 0.92


def test_the_spread_over_seeds_counts() -> None:
    steady = [probe_of([1] * 60 + [0] * 40)] * 3
    spread = [probe_of([1] * n + [0] * (100 - n)) for n in (40, 60, 80)]
    one = probe_of([1] * 60 + [0] * 40)
    narrow, wide = difference_from_several(one, steady), difference_from_several(one, spread)
    assert narrow.value == pytest.approx(wide.value) == 0
    assert narrow.high is not None
    assert wide.high is not None
    assert wide.high > 0.4 > narrow.high


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([1] * 9, "all 9 images.*two classes"),
        (
            [0] * 5 + [1, 2, 2],
            r"3 images, to train, to choose and to test: class 1 has 1, class 2 has 2\. Leave",
        ),
        ([0] * 5 + list(range(1, 10)), "class 6 has 1 and 3 more classes have too few"),
    ],
)
def test_labels_that_cannot_be_split(labels: list[int], message: str) -> None:
    with pytest.raises(DataError, match=message):
        split(labels)


@pytest.mark.parametrize(
    ("features", "labels", "kind", "message"),
    [
        (np.zeros((6, 2)), [0, 1] * 3, DataError, "all images have the same features"),
        (np.zeros((6, 0)), [0, 1] * 3, DataError, r"needed, not \[6, 0\] and \[6\]"),
        (np.zeros((6, 2)), [0, 1] * 2, DataError, r"needed, not \[6, 2\] and \[4\]"),
        (np.zeros(6), [0, 1] * 3, DataError, r"needed, not \[6\] and \[6\]"),
        (
            np.array([[0, 1], [math.nan, 1], [2, math.inf]]),
            [0, 1, 1],
            NotFiniteError,
            "2 of 3 rows of features hold a NaN",
        ),
    ],
)
def test_features_that_cannot_be_used(
    features: np.ndarray, labels: list[int], kind: type[Exception], message: str
) -> None:
    with pytest.raises(kind, match=message):
        linear_probe(features, labels)


def test_probes_of_different_images_are_not_compared() -> None:
    one, other = probe_of([1, 0]), probe_of([1, 0, 1])
    with pytest.raises(DataError, match="different images"):
        difference(one, other)
    with pytest.raises(DataError, match="different images"):
        difference_from_several(one, [one, other])
    with pytest.raises(DataError, match=r"1 seed.*two"):
        difference_from_several(one, [one])
