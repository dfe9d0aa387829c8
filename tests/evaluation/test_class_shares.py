"""Shares of classes without labels: known mixtures of classes that are mistaken for each other."""

from __future__ import annotations

import numpy as np
import pytest

from gansmith.evaluation.class_shares import MISSING, SCARCE, _most_likely, class_shares, fewer
from gansmith.evaluation.types import Features, Labels

CLASSES = 4
CENTRES = np.array([[0, 0, 0], [2, 0, 0], [0, 6, 0], [6, 6, 0]], dtype=np.float64)  # the first two overlap


def drawn(seed: int, shares: list[float], count: int) -> tuple[Features, Labels]:
    rng = np.random.default_rng(seed)
    labels = rng.choice(CLASSES, count, p=shares)
    return (CENTRES[labels] + rng.standard_normal((count, 3))).astype(np.float32), labels


EVEN = [0.25] * CLASSES


def test_mistakes_are_taken_out() -> None:
    """A sixth of each of two classes is taken for the other: plain counts of an absent class would say 4 %."""
    shares = class_shares(*drawn(0, EVEN, 2000), drawn(1, [0.25, 0.0, 0.35, 0.4], 4000)[0], seed=0)
    for name, truth in zip("0123", (0.25, 0.0, 0.35, 0.4), strict=True):
        assert shares[name][1].value == pytest.approx(truth, abs=0.03)
        assert shares[name][0] == pytest.approx(0.25, abs=0.03)
    assert fewer(shares, MISSING) == ("1",)


def test_intervals_hold_the_truth() -> None:
    truth, held, widths = [0.4, 0.1, 0.2, 0.3], 0, []
    for seed in range(30):
        shares = class_shares(*drawn(2 * seed, EVEN, 400), drawn(2 * seed + 1, truth, 300)[0], seed=seed)
        ends = [(made.low or 0.0, made.high or 1.0) for _, made in shares.values()]
        held += sum(low <= share <= high for share, (low, high) in zip(truth, ends, strict=True))
        widths += [high - low for low, high in ends]
    assert held >= 0.9 * 30 * CLASSES
    assert np.mean(widths) < 0.2


def test_of_an_absent_class_the_interval_is_that_of_no_sample_of_so_many() -> None:
    made = class_shares(*drawn(0, EVEN, 2000), drawn(1, [0.3, 0.3, 0.4, 0.0], 100)[0], seed=0)["3"][1]
    none = 1 - 0.025 ** (1 / 100)  # Clopper and Pearson's upper end
    assert made.value < 0.02
    assert made.low == pytest.approx(0, abs=1e-3)
    assert none * 0.999 <= (made.high or 0) < 2 * none


def test_the_most_likely_shares_of_exact_counts() -> None:
    rates = np.array([[0.8, 0.2], [0.1, 0.9]])
    counts = 1000 * np.array([0.3, 0.7]) @ rates
    np.testing.assert_allclose(_most_likely(counts[None], rates[None])[0], [0.3, 0.7], atol=1e-6)


def test_names_and_lines() -> None:
    names = ("cat", "dog", "cow", "hen")
    shares = class_shares(*drawn(0, EVEN, 800), drawn(1, [0.4, 0.4, 0.2, 0.0], 500)[0], names=names, seed=0)
    assert set(shares) == set(names)
    assert fewer(shares, SCARCE) == ("hen",)
    assert fewer(shares, 1.2) == ("cow", "hen")
    assert fewer(class_shares(*drawn(0, EVEN, 800), drawn(1, EVEN, 500)[0], seed=0), SCARCE) == ()


def test_no_shares_where_classes_cannot_be_told() -> None:
    features, labels = drawn(0, EVEN, 400)
    samples = drawn(1, EVEN, 100)[0]
    assert class_shares(features, np.zeros(400, dtype=np.int64), samples, seed=0) == {}
    assert class_shares(features, np.arange(400) // 2, samples, seed=0) == {}
    noise = np.random.default_rng(0).integers(0, CLASSES, 400)
    assert class_shares(features, noise, samples, seed=0) == {}
    assert class_shares(features[:30], labels[:30], samples, seed=0) == {}
    assert len(class_shares(features, labels, samples, seed=0)) == CLASSES


def test_a_label_below_zero_is_not_the_last_class() -> None:
    features, labels = drawn(0, EVEN, 800)
    shares = class_shares(features, labels - 1, drawn(1, EVEN, 100)[0], names=("cat", "dog", "cow"), seed=0)
    assert list(shares) == ["-1", "cat", "dog", "cow"]
