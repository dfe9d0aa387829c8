import math

import numpy as np
import pytest
from scipy import stats

from gansmith.errors import DataError, NotFiniteError, OptionError
from gansmith.evaluation import intervals


def test_a_share_of_none_and_of_all_has_the_closed_form() -> None:
    np.testing.assert_allclose(intervals.share(0, 100), (0, 1 - 0.025 ** (1 / 100)), rtol=1e-9)
    np.testing.assert_allclose(intervals.share(100, 100), (0.025 ** (1 / 100), 1), rtol=1e-9)
    np.testing.assert_allclose(intervals.share(1, 1, level=0.9), (0.05, 1), rtol=1e-9)


def test_the_ends_of_a_share_are_where_its_binomial_tails_are_a_half_of_what_is_left() -> None:
    low, high = intervals.share(7, 60, level=0.9)
    np.testing.assert_allclose(stats.binom.sf(6, 60, low), 0.05, rtol=1e-9)
    np.testing.assert_allclose(stats.binom.cdf(7, 60, high), 0.05, rtol=1e-9)


@pytest.mark.parametrize("true", [0.003, 0.05, 0.5, 0.9])
def test_the_interval_of_a_share_covers_at_least_as_often_as_it_says(true: float) -> None:
    """Exactly: the sum over every possible count."""
    chances = stats.binom.pmf(np.arange(91), 90, true)
    held = [low <= true <= high for low, high in (intervals.share(count, 90) for count in range(91))]
    assert 0.95 <= float(chances @ held) <= 1


def test_the_interval_of_a_mean() -> None:
    low, high = intervals.mean([1.0, 2.0, 3.0])
    half = stats.t.ppf(0.975, 2) * 1 / math.sqrt(3)
    np.testing.assert_allclose((low, high), (2 - half, 2 + half), rtol=1e-12)
    assert intervals.mean([4.0, 4.0], 0.5) == (4.0, 4.0)


def test_the_interval_of_a_mean_covers_at_its_rate() -> None:
    rng = np.random.default_rng(0)
    held = [low <= 5 <= high for low, high in (intervals.mean(rng.normal(5, 3, 4), 0.9) for _ in range(1000))]
    assert abs(np.mean(held) - 0.9) <= 0.025  # 2.6 standard deviations of 1,000 drawings


def test_the_bootstrap_of_a_mean_agrees_with_theory_and_covers() -> None:
    rng = np.random.default_rng(1)
    values = rng.normal(0, 1, 400)
    low, high = intervals.bootstrap(values, np.mean, seed=3, repeats=2000)
    np.testing.assert_allclose((low, high), intervals.mean(values), atol=0.01)
    held = []
    for repeat in range(200):
        low, high = intervals.bootstrap(rng.exponential(2, 60), np.mean, seed=repeat, repeats=200, level=0.9)
        held.append(low <= 2 <= high)
    assert 0.82 <= np.mean(held) <= 0.95


def test_the_bootstrap_of_paired_columns_keeps_rows_together() -> None:
    one = np.random.default_rng(0).normal(size=30)
    other = one + 2
    difference = intervals.bootstrap(30, lambda rows: float((other[rows] - one[rows]).mean()), seed=0, repeats=50)
    np.testing.assert_allclose(difference, (2, 2), rtol=1e-12)
    low, high = intervals.bootstrap((one, other), lambda a, b: float(b.mean() - a.mean()), seed=0, repeats=50)
    assert high - low > 0.3


def test_the_bootstrap_draws_by_its_seed() -> None:
    values = np.arange(20.0)
    once, again = (intervals.bootstrap(values, np.mean, seed=5, repeats=20) for _ in range(2))
    assert once == again != intervals.bootstrap(values, np.mean, seed=6, repeats=20)


def test_what_cannot_be_done_is_said() -> None:
    with pytest.raises(OptionError, match=r"level = 95 .*above 0 and below 1"):
        intervals.share(1, 2, level=95)
    with pytest.raises(OptionError, match=r"level = 0 is not allowed"):
        intervals.mean([1.0, 2.0], 0)
    with pytest.raises(DataError, match=r"a share of 0 things has no interval"):
        intervals.share(0, 0)
    for count in (-1, 4):
        with pytest.raises(OptionError, match=rf"{count} successes of 3 .*0 to 3"):
            intervals.share(count, 3)
    with pytest.raises(DataError, match=r"1 value.*two"):
        intervals.mean([1.0])
    with pytest.raises(NotFiniteError, match=r"a NaN or an infinity"):
        intervals.mean([1.0, math.nan])
    with pytest.raises(OptionError, match=r"repeats = 0 is not allowed: at least 1"):
        intervals.bootstrap(3, np.mean, seed=0, repeats=0)
    for empty in (0, np.zeros((0, 2)), ()):
        with pytest.raises(DataError, match=r"there is nothing to draw from"):
            intervals.bootstrap(empty, np.mean, seed=0)
    with pytest.raises(NotFiniteError, match=r"statistic of a drawing is a NaN"):
        intervals.bootstrap(3, lambda rows: math.nan, seed=0, repeats=3)
