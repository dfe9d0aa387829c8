from itertools import combinations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy import stats
from sklearn.datasets import load_digits

from gansmith.errors import DataError, NotFiniteError
from gansmith.evaluation import copy_search, memorisation_tests, planted_copies
from gansmith.evaluation.features import pixels


def test_places_go_to_one_in_twenty() -> None:
    assert memorisation_tests.places(500) == [1, 2, 5, 10, 20, 25]
    assert memorisation_tests.places(2000) == [1, 2, 5, 10, 20, 50, 100]
    assert memorisation_tests.places(7) == memorisation_tests.places(39) == [1]
    assert memorisation_tests.places(40) == [1, 2]


def test_one_sample_lies_below_the_jth_of_m_with_j_in_m_plus_one() -> None:
    np.testing.assert_allclose(memorisation_tests.chances(3, n=1, m=9), [1, 3 / 10, 0], rtol=1e-12)


def test_chances_are_those_of_the_beta_binomial() -> None:
    found = memorisation_tests.chances(5, n=60, m=100)
    np.testing.assert_allclose(found, stats.betabinom.sf(np.arange(62) - 1, 60, 5, 96), rtol=1e-8, atol=1e-15)
    np.testing.assert_allclose(
        memorisation_tests.chances(1, n=3, m=2), [1, 3 / 5, 3 / 10, 1 / 10, 0]
    )  # 2 of 5 in a row ...


def test_crossing_one_place_is_its_chance() -> None:
    for count in (1, 4, 30):
        np.testing.assert_allclose(
            memorisation_tests.crossing({4: count}, n=30, m=50),
            memorisation_tests.chances(4, n=30, m=50)[count],
            rtol=1e-9,
            atol=1e-12,
        )


@pytest.mark.parametrize("limits", [{1: 2, 3: 4}, {1: 3}, {1: 5, 2: 3, 3: 4}, {2: 1}, {3: 6}])
def test_crossing_agrees_with_counting_every_order(limits: dict[int, int]) -> None:
    n, m = 5, 4
    crossed, orders = 0, list(combinations(range(n + m), m))  # where the held-out values stand
    for held in orders:
        crossed += any(held[place - 1] - (place - 1) >= count for place, count in limits.items())
    np.testing.assert_allclose(
        memorisation_tests.crossing(limits, n=n, m=m), crossed / len(orders), rtol=1e-10, atol=1e-12
    )


def test_crossing_holds_its_precision_for_large_counts() -> None:
    found = memorisation_tests.crossing({500: 600}, n=10_000, m=10_000)
    np.testing.assert_allclose(found, memorisation_tests.chances(500, n=10_000, m=10_000)[600], rtol=1e-6)
    assert memorisation_tests.crossing({1: 0}, n=5, m=5) == 1


def test_the_threshold_is_the_lowest_that_keeps_its_level() -> None:
    limits = memorisation_tests.threshold(0.05, n=80, m=60)
    assert memorisation_tests.crossing(limits, n=80, m=60) <= 0.05
    levels = sorted({float(memorisation_tests.chances(place, n=80, m=60)[count]) for place, count in limits.items()})
    lower = memorisation_tests.critical(levels[-1] * 1.2, n=80, m=60)
    assert memorisation_tests.crossing(lower, n=80, m=60) > 0.05
    assert memorisation_tests.threshold(1e-9, n=2, m=2) == {1: 3}  # out of reach


def test_the_tail_counts_what_it_says() -> None:
    held = np.arange(1.0, 101.0)
    samples = np.concatenate([np.full(30, 0.5), np.full(70, 200.0)])
    found = memorisation_tests.tail(samples, held)
    assert (found.place, found.limit, found.below) == (1, 1.0, 30)
    np.testing.assert_allclose(found.expected, 100 / 101)
    np.testing.assert_allclose(found.share, (0.3 - 1 / 101) / (1 - 1 / 101))
    # Three places, each with two ends: an error of .025 / 6 for each.
    usual, seen = stats.beta.ppf(1 - 0.025 / 6, 1, 100), stats.beta.ppf(0.025 / 6, 30, 71)
    np.testing.assert_allclose(found.low, (seen - usual) / (1 - usual))
    np.testing.assert_allclose(found.high, stats.beta.ppf(0.975, 31, 70))
    assert stats.betabinom.sf(29, 100, 1, 100) <= found.p <= 3 * stats.betabinom.sf(29, 100, 1, 100)


def test_ties_make_the_tail_careful() -> None:
    same = memorisation_tests.tail(np.zeros(50), np.zeros(50))
    assert (same.p, same.below, same.share, same.low) == (1, 0, 0, 0)
    assert memorisation_tests.tail(np.full(50, -1.0), np.zeros(50)).share == pytest.approx(1)


def test_the_tail_has_its_level_and_no_less_than_discreteness_costs() -> None:
    rng = np.random.default_rng(0)
    found = np.array([memorisation_tests.tail(rng.normal(size=150), rng.normal(size=90)).p for _ in range(1500)])
    for level in (0.01, 0.05, 0.2):
        spread = 3 * np.sqrt(level * (1 - level) / 1500)
        assert 0.5 * level - spread <= (found <= level).mean() <= level + spread


def test_the_interval_of_the_share_of_copies_covers() -> None:
    rng = np.random.default_rng(1)
    for share, honest in ((0.0, 1.0), (0.06, 1.0), (0.06, 2.0), (0.3, 1.0)):  # honest samples as near, and farther
        held = [
            found.low <= share <= found.high
            for found in (
                memorisation_tests.tail(
                    np.where(rng.random(200) < share, rng.uniform(0, 0.01, 200), honest * rng.random(200)),
                    rng.random(150),
                )
                for _ in range(200)
            )
        ]
        assert np.mean(held) >= 0.93


def test_the_rank_test_is_that_of_mann_and_whitney() -> None:
    rng = np.random.default_rng(2)
    samples, held = rng.integers(0, 40, 60), rng.integers(3, 40, 45)
    found = memorisation_tests.rank(samples, held)
    expected = stats.mannwhitneyu(samples, held, alternative="less", method="asymptotic")
    np.testing.assert_allclose(found.p, expected.pvalue, rtol=1e-9)
    assert found.value < 0
    np.testing.assert_allclose(memorisation_tests.rank(held, samples).value, -found.value, rtol=1e-9)
    assert memorisation_tests.rank(np.ones(5), np.ones(9)) == (1.0, 0.0, 0.0)


def test_authenticity_is_fishers_test_of_two_shares() -> None:
    one = np.ones(10)
    found = memorisation_tests.authenticity(np.where(np.arange(10) < 4, 0.5, 1.0), one, np.where(one > 0, 2.0, 0), one)
    assert (found.value, found.usual) == (0.4, 0.0)
    np.testing.assert_allclose(found.p, 210 / 4845)  # C(10, 4) / C(20, 4): all four fall on one side


def test_holm_by_hand() -> None:
    np.testing.assert_allclose(memorisation_tests.holm([0.03, 0.01, 0.5]), [0.06, 0.03, 0.5])
    np.testing.assert_allclose(memorisation_tests.holm([0.4, 0.3, 0.2]), [0.6, 0.6, 0.6])
    assert memorisation_tests.holm([0.9]) == [0.9]


def test_power_without_copies_is_the_level_and_with_them_what_fresh_values_show() -> None:
    rng = np.random.default_rng(3)
    shares = (0.0, 0.03, 0.05, 0.15)
    found = memorisation_tests.power(np.zeros(9), rng.random(120) + 1, n=100, seed=0, shares=shares, repeats=1500)
    assert found[0.0] <= 0.05 / 3 + 0.01
    limits = memorisation_tests.threshold(0.05 / 3, n=100, m=120)
    for share in shares[1:]:
        noticed = 0
        for _ in range(1500):
            samples = np.where(rng.random(100) < share, 0.0, rng.random(100) + 1)
            held = np.sort(rng.random(120) + 1)
            noticed += any((samples < held[place - 1]).sum() >= count for place, count in limits.items())
        assert abs(found[share] - noticed / 1500) <= 0.055  # 3 standard deviations of the difference
    assert found[0.03] < found[0.05] < found[0.15] > 0.98


def test_power_is_less_when_the_honest_samples_lie_farther_away() -> None:
    held = np.linspace(1, 2, 200)
    options = {"n": 200, "seed": 0, "shares": (0.0, 0.04), "repeats": 600}
    near = memorisation_tests.power([0.0], held, honest=held, **options)
    far = memorisation_tests.power([0.0], held, honest=[3.0], **options)
    limits = memorisation_tests.threshold(0.05 / 3, n=200, m=200)
    assert far[0.0] == 0
    assert abs(far[0.04] - stats.binom.sf(limits[1] - 1, 200, 0.04)) <= 0.06  # the first place needs the fewest
    assert far[0.04] + 0.05 < near[0.04]
    few = np.linspace(1, 2, 30)  # one place only, the first
    tied = memorisation_tests.power([3.0], few, n=30, seed=0, honest=[1.0], shares=(0.0,), repeats=300)
    assert tied[0.0] < 0.5  # only where the nearest held-out image was not drawn: 36 %


def test_copies_no_nearer_than_held_out_images_have_no_power() -> None:
    blind = memorisation_tests.power(np.full(5, 1.0), np.ones(60), n=60, seed=0, shares=(0.2,), repeats=200)
    assert blind[0.2] <= 0.05
    hidden = np.concatenate([np.zeros(6), np.linspace(1, 2, 54)])  # six held-out images are copies themselves
    assert memorisation_tests.power(np.zeros(5), hidden, n=60, seed=0, shares=(0.2,), repeats=200)[0.2] <= 0.15
    clean = np.linspace(1, 2, 60)
    assert memorisation_tests.power(np.zeros(5), clean, n=60, seed=0, shares=(0.2,), repeats=200)[0.2] > 0.9


def test_power_is_drawn_by_its_seed() -> None:
    held = np.linspace(0, 1, 50)
    options = {"n": 40, "shares": (0.05, 0.1, 0.2), "repeats": 300}
    once, again, other = (memorisation_tests.power([0.0], held, seed=seed, **options) for seed in (1, 1, 2))
    assert once == again != other


def test_what_cannot_be_compared_is_said() -> None:
    with pytest.raises(DataError, match="no samples"):
        memorisation_tests.tail([], [1.0])
    with pytest.raises(DataError, match="there are no held-out images to compare"):
        memorisation_tests.rank([1.0], [])
    with pytest.raises(NotFiniteError, match=r"held-out images.*NaN"):
        memorisation_tests.authenticity([1.0], [1.0], [np.nan], [1.0])
    with pytest.raises(NotFiniteError, match="a distance of the planted copies is a NaN"):
        memorisation_tests.power([np.inf], [1.0], n=3, seed=0)


# The planted truths, at a size that a test can pay for: docs/memorisation.md has them at full size and on other images.


def table(queries: NDArray[np.uint8], train: NDArray[np.uint8]) -> NDArray[np.float32]:
    """All distances [Q, T], smallest over views: the search, for all training sets at once."""
    extractor = pixels.build(device="cpu")

    def features(images: NDArray[np.uint8]) -> torch.Tensor:
        return extractor.run(torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2)))).features

    base = features(copy_search.inside(train))
    best = torch.full((len(queries), len(train)), torch.inf)
    for view in copy_search.views(queries):
        looks = features(view)
        squares = (looks**2).sum(1)[:, None] + (base**2).sum(1) - 2 * looks @ base.T
        best = torch.minimum(best, squares)
    return best.clamp_min(0).sqrt().numpy()


def nearness(distances: NDArray[np.float32]) -> NDArray[np.float32]:
    ordered = np.partition(distances, [0, copy_search.RANK - 1], axis=1)
    return ordered[:, 0] / ordered[:, copy_search.RANK - 1]


@pytest.fixture(scope="module")
def tables() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Of 1,100 digits at 12 px: all distances, and those of copies of the first 400, of all kinds in turn."""
    small = load_digits().images[:1100] * 255 / 16
    digits = np.pad(small.round().astype(np.uint8), ((0, 0), (2, 2), (2, 2)))[..., None]
    planted = digits[:400].copy()
    for place, kind in enumerate(planted_copies.UNDONE):
        planted[place::5] = planted_copies.plant(digits[place:400:5], kind, seed=0)
    return table(digits, digits), table(planted, digits)


@pytest.mark.parametrize(("share", "least", "most"), [(0.0, 0.0, 0.05), (0.01, 0.0, 0.5), (0.05, 0.95, 1), (0.2, 1, 1)])
def test_planted_copies_of_digits_are_noticed(
    tables: tuple[NDArray[np.float32], NDArray[np.float32]], share: float, least: float, most: float
) -> None:
    real, planted = tables
    rng = np.random.default_rng(4)
    noticed = []
    for _ in range(100):
        order = rng.permutation(1100)
        held, made, train = order[:300], order[300:600], order[600:]
        sources = rng.choice(train[train < 400], round(share * 300), replace=False)
        samples = np.concatenate([nearness(planted[np.ix_(sources, train)]), nearness(real[np.ix_(made, train)])])[:300]
        null = nearness(real[np.ix_(held, train)])
        ours = memorisation_tests.tail(samples, null).p, memorisation_tests.rank(samples, null).p, 1.0
        noticed.append(memorisation_tests.holm(ours)[0] <= memorisation_tests.LEVEL)
    assert least <= np.mean(noticed) <= most
