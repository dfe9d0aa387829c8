"""The classification accuracy score: equal sources score equally, and what samples lack is missed."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.datasets import load_digits

from gansmith.errors import DataError
from gansmith.evaluation.metrics import classification_accuracy as module
from gansmith.evaluation.metrics.classification_accuracy import build, classification_accuracy
from gansmith.evaluation.types import Side

Array = NDArray[Any]


def digits() -> tuple[Array, Array]:
    given = load_digits()
    order = np.random.default_rng(0).permutation(len(given.target))
    return given.data[order], given.target[order]


def clouds(count: int, seed: int, *, apart: float = 4.0, classes: int = 3) -> tuple[Array, Array]:
    """Points round the corners of a simplex."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % classes
    return apart * np.eye(classes)[labels] + rng.normal(size=(count, classes)), labels


def test_real_digits_teach_as_well_as_real_digits() -> None:
    features, labels = digits()
    found = classification_accuracy(features[:700], labels[:700], features[700:], labels[700:])
    assert found["accuracy"].value > 0.9
    assert found["ratio"].value == pytest.approx(1, abs=0.03)
    assert found["ratio"].value == pytest.approx(found["accuracy"].value / found["real_accuracy"].value)
    for number in found.values():
        assert number.low < number.value < number.high  # type: ignore[operator]


def test_missing_classes_are_missed() -> None:
    """Samples of 5 of 10 digits: at best the share of those 5 is right."""
    features, labels = digits()
    some = labels[:900] < 5
    found = classification_accuracy(features[:900][some], labels[:900][some], features[900:], labels[900:])
    most = (labels[900:] < 5).mean()
    assert most - 0.05 < found["accuracy"].value <= most
    assert found["real_accuracy"].value > 0.9
    assert found["ratio"].high < 0.6  # type: ignore[operator]


def test_wrong_labels_teach_nothing() -> None:
    features, labels = clouds(300, 0)
    test, truth = clouds(600, 1)
    found = classification_accuracy(features, (labels + 1) % 3, test, truth)
    assert found["accuracy"].value < 0.05
    assert found["real_accuracy"].value > 0.9


def test_the_accuracy_of_gaussians() -> None:
    """Two unit Gaussians at a distance d are told apart with probability Phi(d / 2): .841 at 2."""
    features, labels = clouds(3000, 0, apart=2**0.5, classes=2)
    test, truth = clouds(4000, 1, apart=2**0.5, classes=2)
    found = classification_accuracy(features, labels, test, truth)
    for name in ("accuracy", "real_accuracy"):
        assert found[name].value == pytest.approx(0.8413, abs=0.02)
        half = (found[name].high - found[name].low) / 2  # type: ignore[operator]
        assert half == pytest.approx(1.96 * np.sqrt(0.8413 * 0.1587 / 4000), rel=0.15)


def test_both_learn_from_the_same_number_and_no_test_image_teaches(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def predicted(features: Array, labels: Array, tested: Array, strength: float) -> Array:
        seen.append((features, tested, strength))
        return np.zeros(len(tested), np.int64)

    monkeypatch.setattr(module, "best_strength", lambda features, labels: 0.7)
    monkeypatch.setattr(module, "predicted", predicted)
    made, real = clouds(30, 0), clouds(101, 1)
    classification_accuracy(*made, *real)
    assert [len(features) for features, _, _ in seen] == [30, 30, 30]
    assert [len(tested) for _, tested, _ in seen] == [101, 50, 51]
    assert {strength for _, _, strength in seen} == {0.7}
    for features, tested, _ in seen[1:]:
        assert not (features[:, None] == tested[None]).all(axis=-1).any()
    both = np.concatenate([seen[1][1], seen[2][1]])
    np.testing.assert_array_equal(np.sort(both, axis=0), np.sort(real[0], axis=0))
    seen.clear()
    classification_accuracy(*clouds(300, 0), *real)
    assert [len(features) for features, _, _ in seen] == [50, 50, 50]


def test_features_are_standardised() -> None:
    """Scale and offset of a feature, and constant ones, change nothing."""
    (made, kinds), (real, truth) = clouds(60, 0, apart=2), clouds(100, 1, apart=2)
    plain = classification_accuracy(made, kinds, real, truth)

    def moved(features: Array) -> Array:
        return np.concatenate([features * [1e4, 1e-3, 1] + [5, 0, -7], np.full((len(features), 1), 3.0)], axis=1)

    assert classification_accuracy(moved(made), kinds, moved(real), truth) == plain


def test_the_strength_is_chosen_on_held_out_images(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that is right most often on the first fifth; the strongest of equals."""
    calls = []
    right = {0.01: 2, 0.1: 0, 1.0: 3}

    def predicted(features: Array, labels: Array, tested: Array, strength: float) -> Array:
        calls.append((len(features), len(tested)))
        return np.where(np.arange(len(tested)) < right[strength], 1, 0)

    monkeypatch.setattr(module, "predicted", predicted)
    for right[0.1], expected in ((4, 0.1), (3, 1.0), (1, 1.0)):
        assert module.best_strength(np.zeros((21, 2)), np.ones(21, np.int64)) == expected
    assert set(calls) == {(16, 5)}


def test_more_regularisation_where_noise_is_learned() -> None:
    rng = np.random.default_rng(0)
    labels = np.arange(60) % 2
    noise = rng.normal(size=(60, 300))
    noise[:, 0] += 2 * labels
    assert module.best_strength(noise, labels) == 1.0
    assert module.best_strength(*clouds(200, 0, apart=1.5)) in module.STRENGTHS


def test_strength_weighs_against_the_mean_loss() -> None:
    """A strong one leaves the more frequent class alone; and twice the same images change nothing."""
    features = np.array([[1.0], [1], [1], [-1], [-1]])
    labels = np.array([0, 0, 0, 1, 1])
    tested = np.array([[1.0], [-1]])
    assert module.predicted(features, labels, tested, 1e4).tolist() == [0, 0]
    assert module.predicted(features, labels, tested, 1e-4).tolist() == [0, 1]
    for strength in np.geomspace(0.01, 100, 30):
        given = [np.tile(part, (times,) + (1,) * (part.ndim - 1)) for times in (1, 50) for part in (features, labels)]
        few, many = (module.predicted(*given[i : i + 2], tested, strength).tolist() for i in (0, 2))
        assert few == many


def test_one_class_in_a_small_share() -> None:
    assert module.predicted(np.ones((3, 2)), np.array([4, 4, 4]), np.zeros((2, 2)), 0.1).tolist() == [4, 4]


def test_an_unfinished_fit_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_STEPS", 1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        classification_accuracy(*clouds(30, 0), *clouds(40, 1))


def test_same_seed_same_numbers() -> None:
    given = (*clouds(60, 0, apart=1), *clouds(90, 1, apart=1))
    assert classification_accuracy(*given, seed=1) == classification_accuracy(*given, seed=1)
    assert classification_accuracy(*given, seed=1) != classification_accuracy(*given, seed=2)


def test_build() -> None:
    (made, kinds), (real, truth) = clouds(30, 0), clouds(40, 1)
    metric = build()
    fake_side = Side("the samples", features=made, labels=kinds)  # type: ignore[arg-type]
    real_side = Side("the data", features=real, labels=truth)  # type: ignore[arg-type]
    assert metric.measure(real_side, fake_side) == classification_accuracy(made, kinds, real, truth)
    assert metric.needs == ("features", "labels")
    for given, message in (
        ((real_side, Side("made", features=made)), "labels.*made"),  # type: ignore[arg-type]
        ((Side("data", features=real), fake_side), "labels.*data"),  # type: ignore[arg-type]
        (
            (real_side, Side("made", labels=kinds, images=np.zeros((30, 1, 1, 1), np.uint8))),
            "features, and made has none",
        ),
    ):
        with pytest.raises(DataError, match=message):
            metric.measure(*given)


GOOD = clouds(30, 0)


@pytest.mark.parametrize(
    ("made", "real", "message"),
    [
        (clouds(9, 0), GOOD, "samples.*9 images.*10"),
        (GOOD, clouds(0, 0), "real images.*0 images"),
        (clouds(30, 0, classes=4), GOOD, "samples have 4.*real images 3"),
        ((GOOD[0] * np.nan, GOOD[1]), GOOD, "features of the samples hold a NaN"),
        ((GOOD[0][:, 0], GOOD[1]), GOOD, r"features of the samples have the shape \[30\]"),
        ((GOOD[0], None), GOOD, "the samples have no labels"),
        (GOOD, (GOOD[0], GOOD[1][:5]), r"the labels of the real images are int64 \[5\]: 30 whole numbers"),
        (GOOD, (GOOD[0], GOOD[1] / 2), "the labels of the real images are float64"),
        ((GOOD[0], np.full(30, 2)), GOOD, "samples.*label 2.*at least 2"),
        (GOOD, (GOOD[0], np.full(30, 1)), "real images.*label 1"),
    ],
)
def test_errors(made: Any, real: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        classification_accuracy(*made, *real)


def test_nothing_right_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "predicted", lambda features, labels, tested, strength: np.full(len(tested), 99))
    with pytest.raises(DataError, match="none of the others"):
        classification_accuracy(*GOOD, *GOOD)
