import numpy as np
import pytest

from gansmith.evaluation.audit.memorisation_findings import share_of_copies
from gansmith.evaluation.audit.memorisation_repeats import leaders, picked, repeats, simes, together
from gansmith.evaluation.copy_search import Nearest

HELD = np.linspace(0.5, 1, 99)  # u of a nearness below .5 is 1 / 100


def test_a_leader_is_the_first_row_within_the_radius() -> None:
    rows = np.array([[0.0], [5.0], [0.9], [5.5], [1.8], [0.0]])
    assert leaders(rows, 1.0).tolist() == [0, 1, 0, 1, 4, 0]  # no chain: 1.8 is not within 1 of 0
    assert leaders(rows, 0.0).tolist() == [0, 1, 2, 3, 4, 0]


def test_simes_by_hand() -> None:
    assert simes([]) == 1
    assert simes([0.02]) == 0.02
    np.testing.assert_allclose(simes([0.04, 0.5, 0.03]), 0.06)  # 2 of 3: 3 / 2 * .04; 1 of 3: 3 * .03
    assert simes([0.9, 0.95]) == 0.95


def test_the_copies_are_picked_by_benjamini_and_hochberg() -> None:
    assert picked([0.02, 0.034, 0.5]).tolist() == [False, False, False]  # limits: .0167, .0333, .05
    assert picked([0.033, 0.5, 0.02]).tolist() == [True, False, True]  # the second passes, and takes the first along
    assert picked([0.2, 0.01]).tolist() == [False, True]
    assert picked([]).tolist() == []


def test_groups_that_all_lie_near_are_less_likely_than_the_nearest_of_them() -> None:
    assert together([], 99) == 1
    assert together([0.03], 99) == 0.03
    # All three below the sixth of 99: 6 / 100 times 7 / 101 times 8 / 102; Simes alone: .06
    np.testing.assert_allclose(together([0.06, 0.06, 0.06], 99), 2 * 6 * 7 * 8 / (100 * 101 * 102), rtol=1e-6)
    np.testing.assert_allclose(together([0.01, 0.5, 0.5], 99), 2 * 0.03)
    np.testing.assert_allclose(together([0.11, 0.11, 0.11], 99), 2 * 0.11)  # not surely near, each of them
    held = np.linspace(0.5, 1, 99)
    leader = np.concatenate([np.repeat([0, 40, 80], 40), np.arange(120, 300)])
    near = np.where(np.arange(300) < 120, held[4], 0.99)  # u = .06
    group = repeats(leader, near, held, 0.0)
    assert group.on_train.tolist() == [True, True, True]
    assert (group.copies, group.p < 0.001) == (120, True)


def test_groups_are_images_made_more_often_than_real_ones_are() -> None:
    leader = np.concatenate([np.zeros(60), np.full(4, 60), np.full(2, 64), np.arange(66, 300)]).astype(np.int64)
    near = np.where(leader == 0, 0.1, 0.9)
    near[:29] = 1.0  # fewer than half of the group: its middle stays
    group = repeats(leader, near, HELD, 0.0)
    assert group.groups.tolist() == [0, 60]
    assert group.sizes.tolist() == [60, 4]
    assert group.p == 0.04  # 1 / 100, of two, and of two tests
    assert group.on_train.tolist() == [True, False]
    assert (group.copies, group.suspect, len(group.different)) == (60, 60, 237)
    assert set(group.singles) == set(group.different) - {0, 60}
    assert repeats(leader, near, HELD, 0.01).groups.tolist() == [0]  # held-out images form groups of 3 in 300
    none = repeats(np.arange(300), near, HELD, 0.0)
    assert (none.p, none.copies, none.suspect) == (1.0, 0, 0)


def test_a_large_set_needs_larger_groups() -> None:
    leader = np.concatenate([np.zeros(9), np.arange(9, 1000)]).astype(np.int64)
    assert not len(repeats(leader, np.ones(1000), HELD, 0.0).groups)
    leader[9] = 0
    assert repeats(leader, np.ones(1000), HELD, 0.0).groups.tolist() == [0]


def test_as_near_as_held_out_images_is_suspect_only_below_the_last_twentieth() -> None:
    leader = np.concatenate([np.zeros(30), np.arange(30, 300)]).astype(np.int64)
    for rank, suspect, copies in ((3, 30, 30), (4, 0, 0)):  # (1 + 4) / 100 at the fourth, ties count against an alarm
        near = np.where(leader == 0, HELD[rank], 0.9)
        group = repeats(leader, near, HELD, 0.0)
        assert (group.suspect, group.copies) == (suspect, copies)


def nearest(values: np.ndarray) -> Nearest:
    return Nearest(values, values, np.zeros(len(values), np.int64), np.ones(len(values)))


@pytest.mark.parametrize("share", [0.2, 0.5])
def test_the_share_weighs_each_image_by_how_often_it_is_made(share: float) -> None:
    rng = np.random.default_rng(0)
    held = nearest(rng.random(300) + 1)
    count = round(300 * share)
    leader = np.arange(300)
    leader[:count] = np.arange(count) % 3
    values = rng.random(300) + 1
    values[:count] = 0.1
    value, low, high = share_of_copies(nearest(values), held, repeats(leader, values, held.nearness, 0.0))
    assert abs(value - share) < 0.03
    assert share - 0.06 < low < share < high < share + 0.1


def test_the_largest_share_counts_copies_that_are_as_far_as_half_of_the_planted_ones() -> None:
    rng = np.random.default_rng(0)
    held, values = nearest(rng.random(300) + 1), rng.random(300) + 1
    values[:60] = 0.1
    group = repeats(np.arange(300), values, held.nearness, 0.0)
    planted = nearest(np.where(np.arange(40) < 20, 0.1, 1.9))
    one = share_of_copies(nearest(values), held, group)
    half = share_of_copies(nearest(values), held, group, planted)
    assert half[:2] == one[:2]
    np.testing.assert_allclose(half[2], 2 * one[2])
    assert share_of_copies(nearest(values), held, group, nearest(np.full(3, 1.9)))[2] == 1


def test_repeated_images_that_are_no_copies_leave_the_share_at_none() -> None:
    rng = np.random.default_rng(0)
    held, values = nearest(rng.random(300) + 1), np.repeat(rng.random(30) + 1.3, 10)
    leader = np.repeat(np.arange(30) * 10, 10)
    assert share_of_copies(nearest(values), held, repeats(leader, values, held.nearness, 0.0))[:2] == (0.0, 0.0)


def test_the_interval_of_the_share_covers_single_and_repeated_copies() -> None:
    rng = np.random.default_rng(1)
    inside = 0
    for _ in range(60):
        held, values = nearest(rng.random(200) + 1), rng.random(200) + 1
        leader = np.arange(200)
        values[:25] = 0.1  # 15 of one image, 10 of ten
        leader[:15] = 0
        _, low, high = share_of_copies(nearest(values), held, repeats(leader, values, held.nearness, 0.0))
        inside += low <= 0.125 <= high
    assert inside >= 57
