"""The effective support from collisions: exact small cases, and intervals that cover at their rate."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from gansmith.errors import DataError, OptionError
from gansmith.evaluation import support_size
from gansmith.evaluation.types import Number


def degrees(*sizes: int) -> np.ndarray:
    return np.repeat(np.asarray(sizes, dtype=np.int64) - 1, sizes)


def test_counts_who_shares_a_mode() -> None:
    np.testing.assert_array_equal(support_size.of_modes(["a", "b", "a", "a"]), [2, 0, 2, 2])
    np.testing.assert_array_equal(support_size.of_modes(np.repeat([7, 3], [2, 3])), degrees(2, 3))


def test_the_chance_is_the_share_of_equal_pairs() -> None:
    found = support_size.collisions(degrees(3, 2, 1, 1, 1))  # 3 + 1 pairs of 28
    assert found.value == pytest.approx(4 / 28)
    assert found.low is not None
    assert found.high is not None
    assert found.low < 4 / 28 < found.high
    assert support_size.support(degrees(3, 2, 1, 1, 1)).value == pytest.approx(7)


def test_the_estimate_is_unbiased() -> None:
    """Over all 4^5 outcomes of five draws from four modes, weighted by their chance."""
    p = np.array([0.4, 0.3, 0.2, 0.1])
    mean = sum(
        float(np.prod(p[list(modes)])) * support_size.collisions(support_size.of_modes(modes)).value
        for modes in itertools.product(range(4), repeat=5)
    )
    assert mean == pytest.approx(float((p**2).sum()))


def test_the_variance_is_hoeffdings() -> None:
    """Against the exact variance of the U-statistic: over many draws its estimate is right in the mean."""
    rng = np.random.default_rng(0)
    p = np.array([0.3, 0.2] + [0.05] * 10)
    n = 60
    found = [support_size.of_modes(rng.choice(12, n, p=p)) for _ in range(1500)]
    theta = np.array([each.sum() / (n * (n - 1)) for each in found])
    guessed = np.mean([support_size._variance(each, t) for each, t in zip(found, theta, strict=True)])
    second, third = (p**2).sum(), (p**3).sum()
    exact = 2 / (n * (n - 1)) * (2 * (n - 2) * (third - second**2) + second * (1 - second))
    assert theta.var() == pytest.approx(exact, rel=0.08)
    assert guessed == pytest.approx(exact, rel=0.03)


def test_few_pairs_of_many_modes_are_poisson() -> None:
    found = support_size.collisions(degrees(*[2] * 6, *[1] * 988))
    pairs = math.comb(1000, 2)
    assert found.low is not None
    assert found.high is not None
    assert found.low <= stats.chi2.ppf(0.025, 12) / 2 / pairs
    assert found.high >= stats.chi2.ppf(0.975, 14) / 2 / pairs


def test_many_pairs_have_the_interval_of_the_u_statistic() -> None:
    """Ten groups of eight: 280 pairs, whose variance is mostly that of the groups."""
    n, cubes = 1000, 10 * 8 * 7 * 6 / (1000 * 999 * 998)
    theta = 280 / math.comb(n, 2)
    variance = 2 * (2 * 998 * (cubes - theta**2) + theta * (1 - theta)) / (998 * 997)
    found = support_size.collisions(degrees(*[8] * 10, *[1] * 920))
    assert found.low == pytest.approx(theta * math.exp(-1.959964 * math.sqrt(variance) / theta))
    assert found.high == pytest.approx(theta * math.exp(1.959964 * math.sqrt(variance) / theta))


@pytest.mark.parametrize("pairs", [1, 5, 20, 100, 160, 200, 300, 450])
def test_the_upper_end_of_poisson_is_always_within(pairs: int) -> None:
    found = support_size.collisions(degrees(*[2] * pairs, *[1] * (1000 - 2 * pairs)))
    assert found.high is not None
    assert found.high >= stats.chi2.ppf(0.975, 2 * pairs + 2) / 2 / math.comb(1000, 2) * 0.995


def test_no_pair_gives_only_a_lower_bound() -> None:
    found = support_size.support(degrees(*[1] * 1000))
    assert found.high is None
    assert found.value == found.low
    assert found.value == pytest.approx((1000 / 4.7439) ** 2, rel=0.01)  # (1 + x) exp(-x) = .05 at x = 4.7439
    assert found.means.startswith("at least")


@pytest.mark.parametrize("atoms", [1, 2, 5, 50])
def test_the_bound_without_a_pair_holds_whatever_the_modes_are(atoms: int) -> None:
    """With theta at the bound, no pair is seen with a chance of at most 5 %: 5 % for one mode among very many."""
    n = 400
    bound = support_size.collisions(np.zeros(n, dtype=np.int64)).high
    assert bound is not None
    p = math.sqrt(bound / atoms)
    rest = 1 - atoms * p
    none = sum(  # `seen` of the atoms once each, all others from the endless rest
        math.comb(atoms, seen) * math.perm(n, seen) * p**seen * rest ** (n - seen) for seen in range(atoms + 1)
    )
    assert none <= 0.0501
    if atoms == 1:
        assert none == pytest.approx(0.05, rel=1e-6)
    naive = 2 * 3 / (n * (n - 1))  # three pairs expected: right for equal modes only
    assert bound > 3 * naive


def modes(kind: str, count: int) -> np.ndarray:
    weights = {
        "equal": np.ones(count),
        "zipf": 1 / np.arange(1, count + 1),
        "dominant": np.r_[(count - 1) / 4, np.ones(count - 1)],
    }[kind]
    return np.asarray(weights / weights.sum())


@pytest.mark.parametrize("n", [500, 1000, 2000])
@pytest.mark.parametrize("kind", ["equal", "zipf", "dominant"])
@pytest.mark.parametrize("count", [3, 10, 100, 1000])
def test_the_interval_covers(kind: str, count: int, n: int) -> None:
    rng = np.random.default_rng(count * n)
    p = modes(kind, count)
    truth, repeats, hits = 1 / float((p**2).sum()), 200, 0
    widths = []
    for sizes in rng.multinomial(n, p, size=repeats):
        found = support_size.support(degrees(*sizes[sizes > 0]))
        assert found.low is not None
        assert found.high is not None
        hits += found.low <= truth <= found.high
        widths.append(found.high / found.low)
    assert hits >= 182  # of 200 at 95 %: fewer by chance once in 130
    assert np.median(widths) < (3.5 if (kind, count) == ("equal", 1000) else 2.2)


def test_poisson_alone_would_not_cover() -> None:
    """Why the shared samples matter: one mode with 20 % of the mass."""
    rng = np.random.default_rng(3)
    p = modes("dominant", 1000)
    truth, hits = float((p**2).sum()), 0
    pairs = math.comb(1000, 2)
    for sizes in rng.multinomial(1000, p, size=200):
        seen = float((sizes * (sizes - 1)).sum()) / 2
        hits += stats.chi2.ppf(0.025, 2 * seen) / 2 <= truth * pairs <= stats.chi2.ppf(0.975, 2 * seen + 2) / 2
    assert hits < 100


@pytest.mark.parametrize("expected", [1, 2, 3, 5, 8])
def test_one_mode_among_very_many_is_covered(expected: int) -> None:
    """The hardest case: all pairs belong to one mode, of which `expected` samples are expected."""
    rng = np.random.default_rng(expected)
    n, hits = 1000, 0
    p = expected / n
    for size in rng.binomial(n, p, size=400):
        found = support_size.collisions(degrees(*([int(size)] if size else []), *[1] * (n - int(size))))
        assert found.low is not None
        assert found.high is not None
        hits += found.low <= p**2 <= found.high
    assert hits >= 366  # of 400 at 95 %: fewer by chance once in 300


def test_a_single_mode() -> None:
    found = support_size.support(degrees(50))
    assert found.value == found.low == 1.0
    assert found.high is not None
    assert 1 < found.high < 1.2


def test_beyond_takes_chance_away() -> None:
    real = Number(1e-4, 0.9e-4, 1.1e-4)
    found = support_size.beyond(Number(1.1e-3, 1.0e-3, 1.2e-3), real)
    assert found.value == pytest.approx((1 - 1e-4) / 1.0e-3)
    assert found.low == pytest.approx(1 / 1.2e-3)
    assert found.high == pytest.approx((1 - 1e-4) / (1.0e-3 - math.hypot(1e-4, 1e-5)))


def test_beyond_is_only_a_bound_where_the_fakes_repeat_less() -> None:
    found = support_size.beyond(Number(0.5e-4, 0.2e-4, 2e-4), Number(1e-4, 0.9e-4, 1.1e-4))
    assert found.high is None
    assert found.value == found.low == pytest.approx(5000)
    unclear = support_size.beyond(Number(1.5e-4, 0.5e-4, 3e-4), Number(1e-4, 0.9e-4, 1.1e-4))
    assert unclear.high is None
    assert unclear.value == pytest.approx(1 / 0.5e-4, rel=1e-3)
    assert unclear.low == pytest.approx(1 / 3e-4)


def test_the_ratio_of_supports() -> None:
    real = Number(0.01, 0.008, 0.015)
    found = support_size.ratio(Number(0.04, 0.01, 0.08), real)
    assert found.value == pytest.approx(0.25)
    assert found.low == pytest.approx(0.25 * math.exp(-math.hypot(math.log(2), math.log(1.25))))
    assert found.high == pytest.approx(0.25 * math.exp(math.hypot(math.log(4), math.log(1.5))))
    none = support_size.ratio(Number(0.0, 0.0, 0.002), real)
    assert none.high is None
    assert none.value == none.low == pytest.approx(0.01 / 0.002 * 0.8)
    with pytest.raises(DataError, match="radius"):
        support_size.ratio(real, Number(0.0, 0.0, 0.1))


def test_the_ratio_covers_one() -> None:
    rng = np.random.default_rng(11)
    p = modes("zipf", 300)
    hits = 0
    for one, other in zip(rng.multinomial(500, p, 200), rng.multinomial(1500, p, 200), strict=True):
        found = support_size.ratio(
            support_size.collisions(degrees(*one[one > 0])), support_size.collisions(degrees(*other[other > 0]))
        )
        assert found.low is not None
        assert found.high is not None
        hits += found.low <= 1 <= found.high
    assert hits >= 182


def test_a_higher_level_is_wider() -> None:
    narrow, wide = (support_size.support(degrees(5, 4, 3, *[1] * 100), level=level) for level in (0.8, 0.99))
    assert wide.low < narrow.low < narrow.high < wide.high  # type: ignore[operator]
    assert (narrow.level, wide.level) == (0.8, 0.99)


def test_what_cannot_be_counts() -> None:
    with pytest.raises(DataError, match="at least 2"):
        support_size.support(np.zeros(0, dtype=np.int64))
    with pytest.raises(DataError, match="one sample has nothing to repeat"):
        support_size.support([0])
    for wrong in ([3, 1, 0], [-1, 1, 0], [1, 0, 0]):
        with pytest.raises(DataError, match="each of 3 equals 0 to 2"):
            support_size.collisions(wrong)
    with pytest.raises(DataError, match="float64"):
        support_size.collisions([0.5, 0.5])
    with pytest.raises(OptionError, match=r"level = 1 .*between 0 and 1"):
        support_size.collisions([1, 1], level=1)
