"""The kernel distance: equal to its formula, without bias, its interval and its test right as often as they say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from gansmith import catalog
from gansmith.errors import DataError, OptionError
from gansmith.evaluation import kernel_sums
from gansmith.evaluation import pairwise_distances as blocks
from gansmith.evaluation.metrics import kid as module
from gansmith.evaluation.metrics.kid import kid, kid_subsets, kid_test
from gansmith.evaluation.types import Side

WIDTH, SHIFT = 6, 0.6


def cloud(seed: int, *shape: int, at: float = 0.0) -> NDArray[np.float64]:
    return np.random.default_rng(seed).standard_normal(shape) + at


def direct(real: NDArray[Any], fake: NDArray[Any], *, degree: int = 3, coef: float = 1.0) -> float:
    def kernel(one: NDArray[Any], other: NDArray[Any]) -> NDArray[Any]:
        return np.asarray((one @ other.T / one.shape[1] + coef) ** degree)

    n, m = len(real), len(fake)
    own, theirs = kernel(real, real), kernel(fake, fake)
    return float(
        (own.sum() - np.trace(own)) / (n * (n - 1))
        + (theirs.sum() - np.trace(theirs)) / (m * (m - 1))
        - 2 * kernel(real, fake).mean()
    )


def moments(order: int, mean: float) -> NDArray[np.float64]:
    """E of the `order`-fold outer product of a unit Gaussian of WIDTH dimensions round (mean, 0, 0 ...)."""
    single = {0: [1.0], 1: [1, 0], 2: [1, 0, 1], 3: [1, 0, 1, 0]}[order]
    found = np.zeros((WIDTH,) * order)
    for place in np.ndindex(*found.shape):
        value = 1.0
        for dimension in range(WIDTH):
            power = place.count(dimension)
            at = mean if dimension == 0 else 0.0
            shifted = [1.0, at, at**2 + 1, at**3 + 3 * at]
            value *= shifted[power] if dimension == 0 else (*single, 0)[power] if power else 1.0
        found[place] = value
    return found


def truth(mean: float) -> float:
    """(x'y / D + 1)^3 is a sum over orders: the distance is that of the moments, order by order."""
    weights = {1: 3 / WIDTH, 2: 3 / WIDTH**2, 3: 1 / WIDTH**3}
    return float(sum(w * np.square(moments(j, mean) - moments(j, 0.0)).sum() for j, w in weights.items()))


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BLOCK", 16)
    monkeypatch.setattr(kernel_sums, "BLOCK", 16)


def test_by_hand() -> None:
    """One dimension, degree 1, no constant: (mean x)^2 + ... over pairs of different images only."""
    real, fake = np.array([[0.0], [1], [2]]), np.array([[3.0], [4], [5]])
    expected = 2 * (0 + 0 + 2) / 6 + 2 * (12 + 15 + 20) / 6 - 2 * 1 * 4
    assert kid(real, fake, degree=1, coef=0).value == pytest.approx(expected)


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("options", [{}, {"degree": 2}, {"coef": 0.5}])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_block_wise_equals_direct(options: dict[str, Any], dtype: type[np.float32]) -> None:
    real, fake = cloud(0, 70, 9).astype(dtype), cloud(1, 45, 9, at=0.4).astype(dtype)
    expected = direct(real.astype(float), fake.astype(float), **options)
    assert kid(real, fake, **options).value == pytest.approx(expected, rel=1e-5)
    assert kid(fake, real, **options).value == pytest.approx(expected, rel=1e-5)
    assert kid(real[::-1], fake, gamma=1 / 9, **options).value == pytest.approx(expected, rel=1e-5)


@pytest.mark.usefixtures("small_blocks")
def test_the_interval_is_the_jackknife() -> None:
    """Left out one by one, and computed anew each time."""
    real, fake = cloud(2, 20, 4), cloud(3, 33, 4, at=0.5)
    variance = 0.0
    for n, values in (
        (20, [direct(np.delete(real, i, 0), fake) for i in range(20)]),
        (33, [direct(real, np.delete(fake, i, 0)) for i in range(33)]),
    ):
        variance += (n - 1) / n * float(np.square(np.asarray(values) - np.mean(values)).sum())
    found = kid(real, fake)
    assert found.high is not None
    assert found.low is not None
    assert (found.high - found.low) / 2 == pytest.approx(2.0930240544 * np.sqrt(variance))  # Student's, 19 degrees
    assert (found.high + found.low) / 2 == pytest.approx(found.value)


@pytest.mark.parametrize(("n", "m"), [(40, 40), (120, 60)])
def test_unbiased_and_covered_where_the_two_differ(n: int, m: int) -> None:
    """Over 300 repetitions against the closed form."""
    rng = np.random.default_rng(4)
    shift = np.eye(WIDTH)[0] * SHIFT
    found = [kid(rng.standard_normal((n, WIDTH)), rng.standard_normal((m, WIDTH)) + shift) for _ in range(300)]
    values = np.array([number.value for number in found])
    expected = truth(SHIFT)
    assert abs(values.mean() - expected) < 3 * values.std() / np.sqrt(300)
    covered = np.mean([number.low <= expected <= number.high for number in found])  # type: ignore[operator]
    assert 0.91 <= covered <= 0.99  # .95 -+ three standard errors of 300 repetitions


def test_unbiased_where_the_two_are_alike() -> None:
    rng = np.random.default_rng(5)
    values = np.array([kid(*rng.standard_normal((2, 30, WIDTH))).value for _ in range(300)])
    assert abs(values.mean()) < 3 * values.std() / np.sqrt(300)
    assert (values < 0).mean() > 0.3


def test_the_permutation_test_has_its_level() -> None:
    """P = Q, 400 tests of unequal sides: p <= .05 in 5 %, p <= .5 in half."""
    rng = np.random.default_rng(6)
    p = np.array(
        [
            kid_test(rng.standard_normal((14, 3)), rng.standard_normal((9, 3)), permutations=39, seed=seed).p
            for seed in range(400)
        ]
    )
    assert 0.02 < (p <= 0.05).mean() < 0.085
    assert 0.42 < (p <= 0.5).mean() < 0.58


@pytest.mark.usefixtures("small_blocks")
def test_the_permutation_test_is_the_direct_one() -> None:
    """Every dealing of 3 + 3 images, of which the test sees all when it draws many."""
    from itertools import combinations

    everything = cloud(7, 6, 2)
    given = direct(everything[:3], everything[3:])
    every = [
        direct(everything[list(chosen)], everything[[i for i in range(6) if i not in chosen]])
        for chosen in combinations(range(6), 3)
    ]
    expected = np.mean([value >= given - 1e-12 for value in every])
    found = kid_test(everything[:3], everything[3:], permutations=4000)
    assert found.value == pytest.approx(given)
    assert found.p == pytest.approx(expected, abs=0.03)
    far = kid_test(cloud(8, 30, 4), cloud(9, 20, 4, at=2.0), permutations=99)
    assert far.p == pytest.approx(0.01)
    assert far.value == pytest.approx(direct(cloud(8, 30, 4), cloud(9, 20, 4, at=2.0)))


def test_equal_dealings_count_as_equal() -> None:
    """Images that are all copies of two: most dealings give the same estimate, to rounding."""
    half = np.array([[0.1, 0.7], [1 / 3, 0.2]])
    sides = np.repeat(half, 4, axis=0)
    assert kid_test(sides, sides, permutations=199).p > 0.9


def test_the_size_of_a_difference_stands_beside_its_p() -> None:
    """By hand: the share is KID over the mean distance of a point mass at a real image."""
    real, fake = cloud(8, 30, 4), cloud(9, 20, 4, at=2.0)
    kernel = (real @ real.T / 4 + 1) ** 3
    distances = [kernel[i, i] - 2 * np.delete(kernel[i], i).mean() for i in range(30)]
    scale = np.mean(distances) + kernel[~np.eye(30, dtype=bool)].mean()
    found = kid_test(real, fake, permutations=99)
    assert found.share.value == pytest.approx(direct(real, fake) / scale)
    assert found.share.low < found.share.value < found.share.high  # type: ignore[operator]
    assert not found.small
    assert "p = 0.01" in str(found)
    assert "small" not in str(found)


def test_a_significant_but_small_difference_is_called_small() -> None:
    rng = np.random.default_rng(0)
    real = rng.normal(size=(3000, 2))
    found = kid_test(real, rng.normal(size=(3000, 2)) + 0.08, permutations=39)
    assert found.p <= 0.05
    assert found.small
    assert "small" in str(found)
    alike = kid_test(real[:300], rng.normal(size=(300, 2)), permutations=39)
    assert "no difference" in str(alike)
    assert kid_test(real[:2], real[:2] + 1, permutations=19).share.high is None


def test_subsets_are_drawn_by_their_seed() -> None:
    real, fake = cloud(10, 60, 5), cloud(11, 50, 5, at=0.3)
    rng = np.random.RandomState(3)
    values = []
    for _ in range(7):
        some = fake[rng.choice(50, 20, replace=False)]
        values.append(direct(real[rng.choice(60, 20, replace=False)], some))
    found = kid_subsets(real, fake, subsets=7, size=20, seed=3)
    assert found.mean == pytest.approx(np.mean(values))
    assert found.spread == pytest.approx(np.std(values))


def test_progress_is_shown_where_it_takes_long(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[tuple[object, ...]] = []
    real_bar = blocks.bar
    monkeypatch.setattr(blocks, "bar", lambda *given: shown.append(given) or real_bar(*given))
    kid(cloud(0, 20, 3), cloud(1, 20, 3))
    assert not shown
    monkeypatch.setattr(blocks, "_LONG", 0)
    kid(cloud(0, 20, 3), cloud(1, 20, 3))
    assert shown == [("kernel distances", 3, "blocks")]
    kid_subsets(cloud(0, 20, 3), cloud(1, 20, 3), subsets=2, size=2)
    assert len(shown) == 1  # one bar over all subsets, none for each


def test_a_collapsed_generator_has_a_distance() -> None:
    real, fake = cloud(0, 50, 3), np.full((20, 3), 0.5)
    assert kid(real, fake).value == pytest.approx(direct(real, fake))


def test_what_cannot_be_asked() -> None:
    with pytest.raises(DataError, match=r"real features.*2 images.*3"):
        kid(cloud(0, 2, 3), cloud(0, 5, 3))
    for options, message in (
        ({"subsets": 0}, "subsets = 0 is not allowed: at least 1"),
        ({"size": 1}, "size = 1 is not allowed: at least 2"),
    ):
        with pytest.raises(OptionError, match=message):
            kid_subsets(cloud(0, 9, 3), cloud(0, 9, 3), **options)
    with pytest.raises(OptionError, match=r"level = 1\.5 is not allowed"):
        kid(cloud(0, 9, 3), cloud(1, 9, 3), level=1.5)
    with pytest.raises(DataError, match=r"1,000 images.*40 real and 50"):
        kid_subsets(cloud(0, 40, 3), cloud(0, 50, 3))
    with pytest.raises(OptionError, match=r"permutations = 18 .*19"):
        kid_test(cloud(0, 9, 3), cloud(0, 9, 3), permutations=18)
    with pytest.raises(DataError, match="must come from the same extractor"):
        kid(cloud(0, 9, 3), cloud(0, 9, 4))


def test_the_catalog_builds_it() -> None:
    real, fake = cloud(0, 40, 4).astype(np.float32), cloud(1, 30, 4).astype(np.float32)
    sides = Side("real", features=real), Side("fake", features=fake)
    metric = catalog.build("metrics", "kid")
    assert metric.measure(*sides) == {"kid": kid(real, fake)}
    assert (metric.words, metric.least, metric.better) == ("kid(degree=3)", 3, {"kid": "lower"})
    some = catalog.build("metrics", "kid", subsets=5, size=10, seed=1, degree=2)
    assert some.measure(*sides)["kid"].value == kid_subsets(real, fake, subsets=5, size=10, seed=1, degree=2).mean
    assert (some.words, some.least) == ("kid(degree=2, 5 x 10, seed 1)", 10)
    with pytest.raises(OptionError, match="degree = 0 is not allowed"):
        catalog.build("metrics", "kid", degree=0)
