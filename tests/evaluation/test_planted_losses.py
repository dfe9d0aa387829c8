"""Planted losses: what is taken away, the lines between verdicts, and the power, on sets whose kinds are known."""

from __future__ import annotations

import time
from functools import cache
from itertools import pairwise

import numpy as np
import pytest

import gansmith
from gansmith.evaluation import planted_losses
from gansmith.evaluation.planted_losses import HALF, LITTLE, MOST_GONE, THIRD, Scale, Variety, variety, without
from gansmith.evaluation.types import Features, Labels

WIDTH, KINDS = 20, 10
CENTRES = 4 * np.random.default_rng(5).standard_normal((KINDS, WIDTH))


def drawn(seed: int, count: int, *, kinds: int = KINDS, spread: float = 1.0) -> tuple[Features, Labels]:
    rng = np.random.default_rng(seed)
    which = rng.integers(0, kinds, count)
    return (CENTRES[which] + spread * rng.standard_normal((count, WIDTH))).astype(np.float32), which


@cache
def measured(kinds: int, *, labelled: bool = False, seed: int = 0, count: int = 300, shift: float = 0.0) -> Variety:
    train, others = drawn(1, 600), drawn(2, 200)
    if not labelled:
        return variety((train[0], None), (others[0], None), drawn(3 + seed, count, kinds=kinds)[0] + shift, seed=seed)
    return variety(train, others, drawn(3 + seed, count, kinds=kinds)[0] + shift, seed=seed)


def scale(**changes: list[float]) -> Scale:
    """Planted values, the same in both columns."""
    values = {"honest": [0.0, 0.02], "quarter": [0.3], "third": [0.4], "half": [0.5], "most": [0.8]} | changes
    shares = dict(zip(values, (0.0, LITTLE, THIRD, HALF, MOST_GONE), strict=True))
    return Scale(
        {shares[name]: np.repeat(np.array(row)[:, None], 2, axis=1) for name, row in values.items()}, "classes"
    )


def test_as_much_is_taken_away_as_whole_kinds_can_be() -> None:
    kind = np.repeat(np.arange(10), 7)
    rng = np.random.default_rng(0)
    for share, left in ((0.5, 35), (1 / 3, 49), (0.75, 21), (0.01, 63), (1.0, 7)):
        kept = without(kind, share, rng)
        assert len(kept) == left, share
        assert len(np.unique(kind[kept])) == left // 7  # whole kinds went
    assert len({tuple(without(kind, 0.5, rng)) for _ in range(10)}) > 5  # others each time
    assert len(without(np.zeros(5, dtype=np.int64), 0.5, rng)) == 5


def test_lines_are_of_chance_or_of_a_quarter_gone() -> None:
    np.testing.assert_allclose(scale().good, 0.1)
    np.testing.assert_allclose(scale().bad, 0.3)
    noisy = scale(honest=[0.4] * 100)
    np.testing.assert_allclose(noisy.good, 0.4)
    np.testing.assert_allclose(noisy.bad, 0.4)


def test_power_is_the_share_that_is_called_bad_by_both() -> None:
    planted = dict(scale(half=[0.5, 0.5, 0.2, 0.05]).planted)
    assert Scale(planted, "").power(HALF) == 0.5
    assert Scale(planted, "").missed(HALF) == 0.25
    planted[HALF] = np.array([[0.5, 0.1], [0.5, 0.5], [0.05, 0.5], [0.05, 0.05]])
    assert Scale(planted, "").power(HALF) == 0.25
    assert Scale(planted, "").missed(HALF) == 0.25


def test_a_value_is_read_as_the_loss_that_typically_gives_it() -> None:
    known = scale(honest=[0.0] * 10)
    assert known.equivalent(0.3, 0)[0] == pytest.approx(LITTLE, abs=1e-3)
    assert known.equivalent(0.45, 0)[0] == pytest.approx((THIRD + HALF) / 2, abs=1e-3)
    assert known.equivalent(0.0, 1) == pytest.approx((0, 0, 0), abs=1e-3)
    assert known.equivalent(0.9, 0) == pytest.approx((0.75, 0.75, 1), abs=1e-3)
    wide = scale(honest=[0.0] * 10, half=[0.2, 0.5, 0.9])
    value, low, high = wide.equivalent(0.5, 0)
    assert low < HALF < high
    assert value == pytest.approx(HALF, abs=1e-3)


@pytest.mark.parametrize("labelled", [False, True])
def test_honest_samples_are_whole_and_half_of_the_kinds_is_noticed(labelled: bool) -> None:
    honest = [measured(KINDS, labelled=labelled, seed=seed) for seed in range(3)]
    assert all(one.scale.power(HALF) >= 0.9 and one.scale.missed(HALF) <= 0.05 for one in honest)
    assert sum(bool((one.lacking <= one.scale.good).all()) for one in honest) >= 2
    half = measured(KINDS // 2, labelled=labelled)
    assert (half.lacking > half.scale.bad).all()
    value, low, high = half.scale.equivalent(float(half.lacking[0]), 0)
    assert 0.3 < value < 0.7
    assert low <= value <= high
    assert half.scale.kinds == ("classes" if labelled else "clusters")


def test_more_gone_is_more_noticed() -> None:
    powers = [measured(KINDS).scale.power(share) for share in (LITTLE, THIRD, HALF, MOST_GONE)]
    assert powers == sorted(powers)
    assert powers[-1] == 1
    lacking = [measured(kinds).lacking for kinds in (10, 7, 5, 2)]
    assert all((one < other).all() for one, other in pairwise(lacking))


def test_what_all_samples_have_in_common_is_taken_out_of_the_second() -> None:
    one, moved = measured(KINDS), measured(KINDS, shift=6.0)
    assert moved.lacking[0] > moved.scale.bad[0]
    assert moved.lacking[1] == pytest.approx(one.lacking[1], abs=1e-3)


def test_few_samples_have_less_power() -> None:
    hard = 5.0  # kinds that overlap
    train, others = drawn(1, 600, spread=hard), drawn(2, 200, spread=hard)
    few, many = (
        variety((train[0], None), (others[0], None), drawn(3, count, spread=hard)[0], seed=0).scale.power(HALF)
        for count in (20, 400)
    )
    assert few < 0.5 < many


def test_the_seed_decides() -> None:
    one, other = measured(7), measured(7, seed=9)
    again = measured.__wrapped__(7)
    np.testing.assert_array_equal(one.lacking, again.lacking)
    for share, values in one.scale.planted.items():
        np.testing.assert_array_equal(values, again.scale.planted[share])
    assert not np.array_equal(one.lacking, other.lacking)


def test_few_or_many_classes_are_not_what_is_taken_away() -> None:
    features = drawn(1, 400)[0]
    for labels in (np.arange(400) % 3, np.arange(400) // 2):
        assert variety((features, labels), None, drawn(2, 100)[0], seed=0).scale.kinds == "clusters"
    labels = np.arange(400) % 4
    assert variety((features, labels), None, drawn(2, 100)[0], seed=0).scale.kinds == "classes"
    assert variety((features, labels), (features, None), drawn(2, 100)[0], seed=0).scale.kinds == "clusters"


def test_large_sets_take_seconds() -> None:
    rng = np.random.default_rng(0)
    real, made = (rng.standard_normal((count, 300)).astype(np.float32) for count in (5000, 6000))
    begun = time.process_time()
    variety((real, None), (real[:2000], None), made, seed=0)
    assert time.process_time() - begun < 20  # of a busy machine; measured: 5
    assert planted_losses.HONEST_SETS == 200


def test_real_digits_of_half_of_the_classes_are_noticed_with_and_without_labels() -> None:
    dataset = gansmith.open_dataset("digits")
    items = dataset[np.random.default_rng(0).permutation(len(dataset))]
    pixels, labels = items.image.reshape(len(items.image), -1).astype(np.float32), np.asarray(items.label)
    train, others, rest = slice(0, 900), slice(900, 1200), slice(1200, None)
    few = pixels[rest][np.isin(labels[rest], (0, 3, 4, 6, 9))]
    for known in (labels, None):
        real, more = ((pixels[part], None if known is None else known[part]) for part in (train, others))
        honest, half = (variety(real, more, made[:250], seed=0) for made in (pixels[rest], few))
        assert honest.scale.power(HALF) >= 0.9
        assert (honest.lacking <= honest.scale.good).all()
        assert (half.lacking > half.scale.bad).all()
