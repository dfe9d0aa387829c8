"""Histograms of classes: closed forms, intervals that cover, a test that holds its level."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from gansmith.errors import DataError, OptionError
from gansmith.evaluation.metrics import class_histogram as module
from gansmith.evaluation.metrics.class_histogram import build, class_histogram, compare, histogram
from gansmith.evaluation.types import Side

EVEN = np.full(10, 0.1)
SKEWED = np.array([0.3, 0.2, 0.1, 0.1, 0.1, 0.05, 0.05, 0.05, 0.03, 0.02])
SLIGHT = np.arange(15, 25) / 195
DROPPED = np.array([0.125] * 8 + [0, 0])


def rows(counts: Any, *, sure: float = 0.8) -> NDArray[np.float32]:
    """Probabilities whose most probable classes have these counts."""
    classes = np.repeat(np.arange(len(counts)), counts)
    return (sure * np.eye(len(counts))[classes] + (1 - sure) / len(counts)).astype(np.float32)


def divergence(p: NDArray[np.float64], q: NDArray[np.float64]) -> float:
    return float(stats.entropy(p, q))


def test_histogram() -> None:
    counted = histogram([[0.2, 0.5, 0.3], [0.1, 0.1, 0.8], [0.0, 1.0, 0.0]])
    assert counted.tolist() == [0, 2, 1]
    assert counted.dtype == np.int64


def test_closed_form() -> None:
    """p = (3/4, 1/4), q = (1/2, 1/2): KL = log 2 - H(p), TV = 1/4. With a million counts, bias and spread are gone."""
    found = compare(np.array([500_000, 500_000]), np.array([750_000, 250_000]))
    expected = 0.75 * np.log(1.5) + 0.25 * np.log(0.5)
    assert found["kl"].value == pytest.approx(expected, abs=1e-5)
    assert found["total_variation"].value == pytest.approx(0.25)
    assert found["kl"].low < expected < found["kl"].high  # type: ignore[operator]
    assert found["classes_p_value"].value == pytest.approx(1 / 2001)


def test_the_other_direction_differs() -> None:
    p, q = np.array([900_000, 100_000]), np.array([500_000, 500_000])
    assert compare(q, p)["kl"].value == pytest.approx(divergence(p / 1e6, q / 1e6), abs=1e-5)
    assert compare(p, q)["kl"].value == pytest.approx(divergence(q / 1e6, p / 1e6), rel=1e-4)


def test_a_class_that_the_data_lacks_is_finite() -> None:
    """Its share is (0 + 1/2) / (N + K/2)."""
    found = compare(np.array([100_000, 100_000, 0]), np.array([0, 0, 1000]))["kl"]
    assert found.value == pytest.approx(
        -np.log(0.5 / 200_001.5), rel=0.1
    )  # the bootstrap never sees it: corrected by 0
    assert np.isfinite(found.high)


@pytest.mark.parametrize("p", [EVEN, SKEWED, SLIGHT, DROPPED], ids=["even", "skewed", "slight", "dropped"])
@pytest.mark.parametrize(("real", "fake"), [(1000, 300), (3000, 3000)])
def test_intervals_cover(monkeypatch: pytest.MonkeyPatch, p: NDArray[np.float64], real: int, fake: int) -> None:
    """Of 150 pairs of sets: at 95 %, give or take 2 binomial deviations and the bootstrap's own error; total variation
    covers more often than it says, away from 0. The KL's bias is gone."""
    monkeypatch.setattr(module, "REPEATS", 400)
    rng = np.random.default_rng(7)
    truth = {"kl": divergence(p, EVEN), "total_variation": float(np.abs(p - EVEN).sum() / 2)}
    truth["classes_found"] = float((p >= 0.1 * EVEN).sum())
    inside = dict.fromkeys(truth, 0)
    values = []
    for seed in range(150):
        found = compare(rng.multinomial(real, EVEN), rng.multinomial(fake, p), seed=seed)
        values.append(found["kl"].value)
        for name, expected in truth.items():
            inside[name] += found[name].low - 1e-12 <= expected <= found[name].high  # type: ignore[operator]
    assert inside["kl"] >= 0.90 * 150
    if truth["kl"] > 20 / fake:  # beyond the reach of chance it is not wider than it must be
        assert inside["kl"] <= 0.99 * 150
    assert inside["total_variation"] >= 0.90 * 150
    if truth["total_variation"] == 0:
        assert inside["total_variation"] <= 0.99 * 150
    assert inside["classes_found"] >= 0.95 * 150
    bias = 9 / 2 / fake + 9 / 2 / real
    assert abs(np.mean(values) - truth["kl"]) < max(0.55 * bias, 3 * np.std(values) / np.sqrt(150))


def test_the_p_value_has_its_level_and_sees_a_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    """400 pairs from one histogram with rare classes, where the chi-square approximation of G fails."""
    monkeypatch.setattr(module, "REPEATS", 199)
    rng = np.random.default_rng(3)
    rare = np.array([0.5, 0.3, 0.15, 0.03, 0.01, 0.005, 0.005])
    values = np.array(
        [
            module._test(rng.multinomial(150, rare), rng.multinomial(60, rare), np.random.default_rng(seed))
            for seed in range(400)
        ]
    )
    assert 0.02 <= (values <= 0.05).mean() <= 0.075
    assert 0.4 <= (values <= 0.5).mean() <= 0.6
    for seed in range(5):
        counts = rng.multinomial(500, EVEN), rng.multinomial(500, SKEWED)
        assert module._test(*counts, np.random.default_rng(seed)) == 1 / 200


def test_the_p_value_agrees_with_the_chi_square_where_counts_are_large() -> None:
    real, fake = np.array([400, 300, 300]), np.array([370, 330, 300])
    expected = stats.chi2_contingency(np.stack([real, fake]), correction=False, lambda_="log-likelihood").pvalue
    assert compare(real, fake)["classes_p_value"].value == pytest.approx(expected, abs=0.03)
    assert 0.1 < expected < 0.9


def test_classes_found() -> None:
    """Against 100 of each: one sample of 1,000 is a hundredth of its share, 10 are a tenth."""
    real = np.full(10, 100)
    fake = np.array([490, 400, 50, 20, 10, 10, 9, 1, 0, 10])
    assert compare(real, fake)["classes_found"].value == 7
    assert compare(real, fake, share=0)["classes_found"].value == 9
    assert compare(real, fake, share=1)["classes_found"].value == 2
    found = compare(real, fake)["classes_found"]
    assert (found.low, found.high) == (3, 8)  # 490, 400 and 50 surely; all but one and none possibly
    exact = [stats.binomtest(int(n), 1000).proportion_ci(1 - 0.05 / 10) for n in fake]
    assert found.low == sum(bool(n) and e.low >= 0.01 for n, e in zip(fake, exact, strict=True))
    assert found.high == sum(e.high >= 0.01 for e in exact)
    assert "10%" in found.means
    assert compare(real, fake, share=0)["classes_found"].means.endswith("at least once")


def test_equal_histograms() -> None:
    found = compare(np.full(5, 200), np.full(5, 100))
    assert found["kl"].value == 0
    assert found["total_variation"].value == 0
    assert found["classes_p_value"].value == 1
    assert found["kl"].low == 0


def test_from_probabilities() -> None:
    real, fake = np.array([30, 20, 50]), np.array([10, 10, 5])
    assert class_histogram(rows(real), rows(fake), seed=4) == compare(real, fake, seed=4)
    assert class_histogram(rows(real), rows(fake), seed=5) != compare(real, fake, seed=4)


def test_build_counts_both_sides_by_the_classifier_or_labels() -> None:
    real = Side("the data", probabilities=rows([5, 15, 20]), labels=np.repeat([0, 1, 2], [10, 10, 20]))
    fake = Side("the samples", probabilities=rows([10, 10, 10]))
    made = np.array([10, 10, 10])
    assert build().measure(real, fake) == compare(np.array([5, 15, 20]), made)
    assert build(real="labels").measure(real, fake) == compare(np.array([10, 10, 20]), made)
    unseen = Side("the data", labels=real.labels)
    assert build(share=0.5).measure(unseen, fake) == compare(np.array([10, 10, 20]), made, share=0.5)
    assert build(share=0.5).words == "class_histogram(share=0.5, real=classifier)"
    assert build().needs == ("probabilities",)


@pytest.mark.parametrize(
    ("real", "fake", "message"),
    [
        (Side("data", probabilities=rows([5, 5])), Side("made", images=np.zeros((1, 1, 1, 1), np.uint8)), "saw made"),
        (
            Side("data", images=np.zeros((1, 1, 1, 1), np.uint8)),
            Side("made", probabilities=rows([5, 5])),
            "data has nei",
        ),
        (
            Side("data", labels=np.array([0, 2])),
            Side("made", probabilities=rows([5, 5])),
            "data must be 0 to 1, .* 0 to 2",
        ),
        (Side("data", labels=np.array([-1, 1])), Side("made", probabilities=rows([5, 5])), "not -1 to 1"),
        (Side("data", labels=np.array([], int)), Side("made", probabilities=rows([5, 5])), "there are none"),
    ],
)
def test_build_errors(real: Side, fake: Side, message: str) -> None:
    with pytest.raises(DataError, match=message):
        build().measure(real, fake)


@pytest.mark.parametrize(
    ("real", "fake", "message"),
    [
        (rows([5, 5]), rows([5, 5, 5]), "real.*2 classes.*fake.*3"),
        (rows([5, 5]), rows([0, 0]), r"fake.*\[0, 2\]"),
        (np.ones((4, 1)), rows([5, 5]), r"real.*\[4, 1\]"),
        (np.full((4, 2), np.nan), rows([5, 5]), "the real probabilities hold a NaN"),
        (rows([5, 5]), np.array([[3.0, -1.0]]), "sum to 1.*softmax"),
        (rows([5, 5]), np.array([[2.0, -1.0]]), "sum to 1.*softmax"),
    ],
)
def test_errors(real: Any, fake: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        class_histogram(real, fake)


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_a_share_is_a_share(share: float) -> None:
    with pytest.raises(OptionError, match=r"share = .* is not allowed: from 0"):
        compare(np.array([1, 1]), np.array([1, 1]), share=share)
