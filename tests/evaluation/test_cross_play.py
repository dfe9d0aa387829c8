"""Generators planted with known flaws are ranked as they should be, whatever discriminators they bring along."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from gansmith.errors import GansmithError
from gansmith.evaluation.cross_play import CrossPlay, _Table, cross_play
from gansmith.evaluation.matrix_picture import matrix_picture
from gansmith.evaluation.pairwise_accuracy import correlation, limits, placements

Points = NDArray[np.float64]
Judge = Callable[[Points], Points]


def reals(count: int, rng: np.random.Generator) -> Points:
    """A ring of eight Gaussians."""
    angle = rng.integers(0, 8, count) * math.pi / 4
    return np.stack([np.cos(angle), np.sin(angle)], axis=1) + 0.1 * rng.normal(size=(count, 2))


def noisy(noise: float, modes: int = 8) -> Callable[[int, np.random.Generator], Points]:
    """Samples with noise added, of the first `modes` Gaussians only."""

    def make(count: int, rng: np.random.Generator) -> Points:
        angle = rng.integers(0, modes, count) * math.pi / 4
        spread = math.hypot(0.1, noise)
        return np.stack([np.cos(angle), np.sin(angle)], axis=1) + spread * rng.normal(size=(count, 2))

    return make


def by_radius(x: Points) -> Points:
    """Sees noise, as points off the ring."""
    return -np.abs(np.linalg.norm(x, axis=1) - 1)


def by_side(x: Points) -> Points:
    """Sees dropped modes, as a side that is missing."""
    return -x[:, 1] + 0.05 * by_radius(x)


def by_centre(x: Points) -> Points:
    """Sees noise round the eight centres."""
    angle = np.arange(8) * math.pi / 4
    centres = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    distance: Points = np.linalg.norm(x[:, None] - centres, axis=2).min(axis=1)
    return 3 - 10 * distance


def blind(x: Points) -> Points:
    """Hashes its input: no opinion."""
    return np.sin(1e4 * x[:, 0]) * np.cos(1e4 * x[:, 1])


def play(
    entries: Sequence[tuple[str, Callable[[int, np.random.Generator], Points], Judge]],
    *,
    seed: int = 0,
    real: int = 300,
    fake: int = 400,
    level: float = 0.95,
) -> CrossPlay:
    rng = np.random.default_rng(seed)
    shown = reals(real, rng)
    made = [make(fake, rng) for _, make, _ in entries]
    names = [name for name, _, _ in entries]
    judges = [judge for _, _, judge in entries]
    return cross_play(names, [j(shown) for j in judges], [[j(x) for x in made] for j in judges], level=level)


def test_a_generator_better_on_two_axes_is_ranked_above() -> None:
    """Less noise and more modes: above the one with more noise, the one with fewer modes, and the one with both."""
    found = play(
        [
            ("both", noisy(0.3, 3), by_centre),
            ("good", noisy(0.02), by_side),
            ("noise", noisy(0.3), by_radius),
            ("modes", noisy(0.02, 3), by_centre),
        ]
    )
    assert found.standings[0].name == "good"
    assert found.standings[-1].name == "both"
    against = {(pair.better, pair.worse): pair for pair in found.pairs}
    assert all(against["good", other].separated for other in ("noise", "modes", "both"))
    assert found.adjusted
    assert all(one.judges == 3 for one in found.standings)


@pytest.mark.parametrize("judges", [(by_centre, by_radius), (by_radius, by_centre), (by_side, by_side)])
def test_with_two_runs_too(judges: tuple[Judge, Judge]) -> None:
    found = play([("worse", noisy(0.4, 4), judges[0]), ("better", noisy(0.02), judges[1])])
    assert [one.name for one in found.standings] == ["better", "worse"]
    assert found.pairs[0].separated
    assert (found.pairs[0].agree, found.pairs[0].common) == (0, 0)
    assert not found.adjusted


def test_samples_scored_above_reals_are_told_apart_too() -> None:
    """A collapsed generator of very typical samples: lower accuracy than a perfect one, and yet worse."""

    def typical(count: int, rng: np.random.Generator) -> Points:
        return np.tile([[1.0, 0.0]], (count, 1)) + 0.01 * rng.normal(size=(count, 2))

    found = play([("typical", typical, by_side), ("perfect", noisy(0.0), by_centre), ("third", noisy(0.5), by_radius)])
    where = {name: index for index, name in enumerate(found.names)}
    row = found.accuracy[where["third"]]
    assert row[where["typical"]].value < 0.2
    assert row[where["perfect"]].value > 0.45
    assert found.standings[0].name == "perfect"
    assert ("third", "typical") in found.inverted
    assert ("third", "perfect") not in found.inverted


def test_the_best_generator_with_a_lax_discriminator_stays_the_best() -> None:
    """Only the others are judged by it, which flatters them: their mean accuracy is lower, their standing is not."""
    found = play(
        [("best", noisy(0.1), blind), ("second", noisy(0.16), by_centre), ("third", noisy(0.17), by_radius)], fake=1000
    )
    means = {one.name: one.mean for one in found.standings}
    assert means["best"] > means["second"]
    assert found.standings[0].name == "best"
    assert found.blind == ("best",)
    assert "best" not in {judge for judge, _ in found.inverted}


def test_standings_fit_an_additive_table() -> None:
    """Where accuracies are exactly generator + judge, the standing is the generator with the mean judge."""
    grid = np.arange(100)
    shifts, strictness = (5, 10, 20, 30), (0, 7, 1, 3)
    # a sample at position s + 1/2 outscores s + 1 of the hundred reals 0 .. 99
    real = [grid for _ in shifts]
    fake = [[np.full(4, 49.5 - shift - strict) for shift in shifts] for strict in strictness]
    found = cross_play("abcd", real, fake)
    expected = {name: 0.5 + (shift + np.mean(strictness)) / 100 for name, shift in zip("abcd", shifts, strict=True)}
    assert {one.name: one.told_apart.value for one in found.standings} == pytest.approx(expected)
    assert [one.name for one in found.standings] == list("abcd")
    by_hand = {"a": 0.5 + (5 + 11 / 3) / 100, "b": 0.5 + (10 + 4 / 3) / 100}
    assert {one.name: one.mean for one in found.standings[:2]} == pytest.approx(by_hand)
    first = next(pair for pair in found.pairs if (pair.better, pair.worse) == ("a", "b"))
    assert first.difference.value == pytest.approx(0.05)
    assert (first.agree, first.common) == (2, 2)


def test_own_pairs_count_for_nothing() -> None:
    entries = [("a", noisy(0.1), by_centre), ("b", noisy(0.2), by_radius), ("c", noisy(0.3), by_side)]
    rng = np.random.default_rng(0)
    shown, made = reals(100, rng), [make(100, rng) for _, make, _ in entries]
    judged = [[judge(x) for x in made] for _, _, judge in entries]
    scores = [judge(shown) for _, _, judge in entries]
    before = cross_play("abc", scores, judged)
    for index in range(3):
        judged[index][index] = np.full(100, 1e6 * index)
    after = cross_play("abc", scores, judged)
    assert before.standings == after.standings
    assert before.pairs == after.pairs
    assert before.accuracy[1][1] != after.accuracy[1][1]


def test_the_interval_of_a_difference_by_hand() -> None:
    """Zou and Donner's recovery of variances for two terms; one accuracy is below a half and turned round."""
    rng = np.random.default_rng(0)
    real = [rng.normal(0, 1, 30), rng.normal(0, 1, 30)]
    real[1] += real[0]
    fake = [[rng.normal(0, 1, 20), rng.normal(2.5, 1, 20)], [rng.normal(-0.8, 1, 20), rng.normal(0, 1, 20)]]
    pair = cross_play("ab", real, fake).pairs[0]
    assert (pair.better, pair.worse) == ("a", "b")
    on_a, on_b = placements(real[1], fake[1][0]), placements(real[0], fake[0][1])
    low_a, high_a = limits(on_a)
    high_b, low_b = (1 - end for end in limits(on_b))
    a, b = on_a.accuracy, 1 - on_b.accuracy
    rho = -(correlation(on_a, on_b, same_fakes=False) or math.nan)
    assert abs(rho) > 0.05
    assert low_a > 0.5
    down, up = (b - low_b, high_a - a), (high_b - b, a - low_a)
    expected = [math.sqrt(x * x + y * y - 2 * rho * x * y) for x, y in (down, up)]
    assert pair.difference.value == pytest.approx(b - a)
    assert pair.difference.low == pytest.approx(b - a - expected[0])
    assert pair.difference.high == pytest.approx(b - a + expected[1])


def test_two_judges_of_one_generator_share_its_samples() -> None:
    rng = np.random.default_rng(0)
    real, fake = rng.normal(1, 1, (3, 40)), rng.normal(0, 1, (3, 3, 30))
    fake[1, 0] += 2 * fake[2, 0]
    placed = [[placements(real[j], fake[j, i]) for i in range(3)] for j in range(3)]
    table = _Table([(1, 0), (2, 0), (2, 1)], placed)
    shared, apart = (correlation(placed[1][0], placed[2][0], same_fakes=same) for same in (True, False))
    assert shared is not None
    assert apart is not None
    assert abs(shared - apart) > 0.1
    assert table.correlation[0, 1] == pytest.approx(shared)
    assert table.correlation[0, 2] == pytest.approx(correlation(placed[1][0], placed[2][1], same_fakes=False))


def test_equal_generators_are_rarely_separated() -> None:
    """The intervals of all pairs hold at once in 95 % of repetitions."""
    entries = [("a", noisy(0.2), by_centre), ("b", noisy(0.2), by_radius), ("c", noisy(0.2), by_side)]
    alarms = 0
    for seed in range(80):
        alarms += any(pair.separated for pair in play(entries, seed=seed, real=40, fake=60).pairs)
    assert alarms / 80 < 0.1


def test_the_interval_of_a_difference_covers() -> None:
    entries = [("a", noisy(0.1), by_centre), ("b", noisy(0.3), by_radius), ("c", noisy(0.5), by_radius)]

    def gap(found: CrossPlay) -> float:
        standing = {one.name: one.told_apart.value for one in found.standings}
        return standing["b"] - standing["a"]

    true = float(np.mean([gap(play(entries, seed=seed, real=2000, fake=2000)) for seed in range(1000, 1010)]))
    held, widths, gaps = 0, [], []
    for seed in range(100):
        found = play(entries, seed=seed, real=50, fake=80)
        pair = next(pair for pair in found.pairs if {pair.better, pair.worse} == {"a", "b"})
        sign = 1 if pair.better == "a" else -1
        assert pair.difference.low is not None
        assert pair.difference.high is not None
        low, high = sorted((sign * pair.difference.low, sign * pair.difference.high))
        held += low <= true <= high
        widths.append(high - low)
        gaps.append(gap(found))
    level = 1 - 0.05 / 3
    assert held / 100 > level - 0.03
    assert np.mean(widths) < 1.4 * 2 * 2.39 * np.std(gaps)  # 2.39: the normal quantile of that level


def test_a_judge_that_prefers_samples_is_worth_as_much() -> None:
    """Turning a discriminator's scores round changes no standing, no difference and no interval."""
    rng = np.random.default_rng(3)
    shown, made = reals(60, rng), [noisy(0.1 + 0.1 * i)(70, rng) for i in range(3)]
    judges = (by_centre, by_radius, by_centre)
    real, fake = [j(shown) for j in judges], [[j(x) for x in made] for j in judges]
    plain = cross_play("abc", real, fake)
    turned = cross_play("abc", [real[0], -real[1], real[2]], [fake[0], [-x for x in fake[1]], fake[2]])
    for one, other in zip(plain.standings, turned.standings, strict=True):
        for value in ("value", "low", "high"):
            assert getattr(one.told_apart, value) == pytest.approx(getattr(other.told_apart, value))
    for pair, again in zip(plain.pairs, turned.pairs, strict=True):
        for value in ("value", "low", "high"):
            assert getattr(pair.difference, value) == pytest.approx(getattr(again.difference, value))
    assert [pair.difference.level for pair in plain.pairs] == pytest.approx([1 - 0.05 / 3] * 3)
    assert plain.standings[0].told_apart.level == 0.95


def test_equal_discriminators_count_once_and_not_for_their_own() -> None:
    rng = np.random.default_rng(0)
    shown, made = reals(100, rng), [noisy(0.1 + 0.1 * i)(100, rng) for i in range(4)]
    judges = (by_centre, by_centre, by_radius, by_side)
    real, fake = [j(shown) for j in judges], [[j(x) for x in made] for j in judges]
    found = cross_play("abcd", real, fake, same=["x", "x", "y", "z"])
    assert found.kin == (0, 0, 2, 3)
    assert found.own(0, 1)
    assert not found.own(0, 2)
    assert {one.name: one.judges for one in found.standings} == {"a": 2, "b": 2, "c": 2, "d": 2}
    assert found.adjusted
    once = {frozenset((pair.better, pair.worse)): pair.common for pair in found.pairs}
    assert once[frozenset("ab")] == 2
    assert once[frozenset("ac")] == 1
    assert once[frozenset("cd")] == 1
    split = cross_play("abc", real[:3], [row[:3] for row in fake[:3]], same=["x", "x", "y"])
    assert not split.adjusted  # a and b are judged by c's alone, c by theirs alone
    assert split.standings[0].name == "a"


def test_disagreeing_judges_separate_nothing() -> None:
    """One judge says a by much, three say b by little: the mean alone would call that a difference."""
    real = [np.arange(1000.0)] * 6
    position = {"a": (0.50, 0.64, 0.64, 0.64), "b": (0.99, 0.60, 0.60, 0.60)}
    fake = [[np.full(1000, 500.0)] * 6 for _ in range(6)]
    for judge in range(4):
        for column, name in enumerate("ab"):
            fake[2 + judge][column] = np.full(1000, 1000 * (1 - position[name][judge]) - 0.5)
    found = cross_play(["a", "b", "c", "d", "e", "f"], real, fake)
    pair = next(pair for pair in found.pairs if {pair.better, pair.worse} == {"a", "b"})
    assert (pair.better, pair.agree, pair.common) == ("a", 1, 4)
    assert pair.difference.low is not None
    assert pair.difference.low > 0
    assert not pair.separated


def test_scores_of_patches_and_shuffled_reals() -> None:
    rng = np.random.default_rng(0)
    real, fake = rng.normal(1, 1, (2, 50, 1, 3, 3)), rng.normal(0, 1, (2, 2, 40, 1, 3, 3))
    patches = cross_play("ab", list(real), [list(row) for row in fake])
    means = cross_play("ab", list(real.mean((2, 3, 4))), [list(row.mean((2, 3, 4))) for row in fake])
    assert patches.accuracy == means.accuracy


@pytest.mark.parametrize(
    ("names", "real", "fake", "message"),
    [
        ("a", [[0, 1]], [[[0, 1]]], "1 .*two"),
        ("aa", [[0, 1]] * 2, [[[0, 1]] * 2] * 2, "a, a"),
        ("ab", [[0, 1]], [[[0, 1]] * 2] * 2, "2 names.*2 rows.*2 sets"),
        ("ab", [[0, 1]] * 2, [[[0, 1]] * 2, [[0, 1]]], "2 names need 2 rows of scores"),
        ("ab", [[0, 1], [0, 1, 2]], [[[0, 1]] * 2] * 2, r"different numbers of images of real images: \[2, 3\]"),
        ("ab", [[0, 1]] * 2, [[[0, 1]] * 2, [[0, 1], [1, 2, 3]]], r"different numbers of images of b: \[2, 3\]"),
        ("ab", [[0]] * 2, [[[0, 1]] * 2] * 2, "a on real images: 1 image.*2"),
        ("ab", [[0, 1]] * 2, [[[0, 1], [0, math.nan]]] * 2, "a on samples of b: 1 of 2 are NaN"),
    ],
)
def test_errors(names: str, real: list[list[float]], fake: list[list[list[float]]], message: str) -> None:
    with pytest.raises(GansmithError, match=message):
        cross_play(names, real, fake)


def test_the_picture_shows_own_pairs_grey_and_the_sides_of_a_half() -> None:
    entries = [("good", noisy(0.05), by_centre), ("bad", noisy(0.6), by_radius), ("worst", noisy(2.0), by_side)]
    found = play(entries)
    picture = matrix_picture(found)
    colours = {colour for _, colour in picture.getcolors(1 << 20) or []}
    assert (226, 226, 226) in colours
    assert picture.mode == "RGB"
    assert picture.size[0] > 3 * 118
    wider = matrix_picture(play([("a much longer name of a run", noisy(0.05), by_centre), *entries[1:]]))
    assert wider.size[0] > picture.size[0]
    low = cross_play("ab", [np.arange(50.0)] * 2, [[np.full(50, 100.0)] * 2] * 2)
    high = cross_play("ab", [np.arange(50.0)] * 2, [[np.full(50, -100.0)] * 2] * 2)
    assert (196, 98, 16) in {colour for _, colour in matrix_picture(low).getcolors(1 << 20) or []}
    assert (33, 102, 172) in {colour for _, colour in matrix_picture(high).getcolors(1 << 20) or []}
