"""Train on samples, test on held-out images: against sets whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from gansmith.errors import DataError
from gansmith.evaluation import intervals
from gansmith.evaluation.train_on_samples import train_on_samples

CENTRES = 2.5 * np.eye(4, 6)
Set = tuple[NDArray[np.float32], NDArray[np.int64]]


def images(seed: int, count: int, *, classes: int = 4, wrong: float = 0.0) -> Set:
    """Features round the centre of their class; a share of them with the label of the next class."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, count)
    features = CENTRES[labels] + rng.standard_normal((count, 6))
    shown = np.where(rng.random(count) < wrong, (labels + 1) % 4, labels)
    return features.astype(np.float32), shown.astype(np.int64)


def test_samples_as_good_as_real_images_teach_as_much() -> None:
    numbers = train_on_samples(images(0, 300), images(1, 300), images(2, 400))
    gap = numbers["difference"]
    assert gap.low is not None
    assert gap.high is not None
    assert gap.low <= 0 <= gap.high
    assert numbers["accuracy"].value > 0.85
    assert numbers["ratio"].value == pytest.approx(numbers["accuracy"].value / numbers["real_accuracy"].value)
    assert gap.value == pytest.approx(numbers["accuracy"].value - numbers["real_accuracy"].value)
    hits = round(400 * numbers["accuracy"].value)
    assert (numbers["accuracy"].low, numbers["accuracy"].high) == intervals.share(hits, 400)


@pytest.mark.parametrize("flaw", [{"classes": 2}, {"wrong": 0.9}])
def test_samples_that_lack_classes_or_show_others_teach_less(flaw: dict[str, float]) -> None:
    numbers = train_on_samples(images(0, 300, **flaw), images(1, 300), images(2, 400))  # type: ignore[arg-type]
    assert numbers["difference"].high is not None
    assert numbers["difference"].high < -0.2
    assert numbers["ratio"].high is not None
    assert numbers["ratio"].high < 0.8
    if "classes" in flaw:
        assert numbers["accuracy"].value == pytest.approx(0.5, abs=0.08)
    assert numbers["real_accuracy"].value > 0.85


def test_swapped_sides_swap_the_sign() -> None:
    good, poor, test = images(1, 200), images(0, 200, wrong=0.9), images(2, 200)
    assert train_on_samples(poor, good, test)["difference"].value < -0.3
    assert train_on_samples(good, poor, test)["difference"].value > 0.3


def test_both_learn_from_as_many_images() -> None:
    """Twenty training images are too few: a thousand samples, cut to as many, do no better."""
    means = [
        train_on_samples(images(seed, 1000), images(seed + 50, 20), images(seed + 99, 300))["difference"].value
        for seed in range(8)
    ]
    assert abs(np.mean(means)) < 0.08


def test_the_commonest_class() -> None:
    features, labels = images(2, 40)
    labels[:30] = 3
    expected = np.unique(labels, return_counts=True)[1].max() / 40
    assert train_on_samples(images(0, 60), images(1, 60), (features, labels))["majority"].value == expected


def test_what_cannot_be_learned_from_is_refused() -> None:
    few = images(0, 5)
    with pytest.raises(DataError, match="5 samples"):
        train_on_samples(few, images(1, 20), images(2, 20))
    with pytest.raises(DataError, match="5 held-out images"):
        train_on_samples(images(0, 20), images(1, 20), few)
    with pytest.raises(DataError, match="samples are of one class"):
        train_on_samples(images(0, 20, classes=1), images(1, 20), images(2, 20))
