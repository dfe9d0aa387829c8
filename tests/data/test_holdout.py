"""The split: whole groups, the right share, the same everywhere."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gansmith.data.holdout import ENOUGH, groups_by, share_held_out, split
from gansmith.errors import OptionError


@given(
    numbers=st.lists(st.integers(0, 30), max_size=120),
    share=st.floats(0, 0.9),
    seed=st.integers(0, 5),
)
def test_whole_groups_and_every_image_once(numbers: list[int], share: float, seed: int) -> None:
    groups = np.array(numbers, dtype=np.int64)
    kept, held = split(len(groups), share, groups, seed)
    np.testing.assert_array_equal(np.sort(np.concatenate([kept, held])), np.arange(len(groups)))
    assert not set(groups[kept]) & set(groups[held])
    np.testing.assert_array_equal(kept, np.sort(kept))
    np.testing.assert_array_equal(held, np.sort(held))
    sizes = np.unique(groups, return_counts=True)[1]
    wanted = round(share * len(groups))
    if len(groups):
        assert len(kept) or wanted == len(groups)  # something to train on, unless all was asked for
        assert abs(len(held) - wanted) <= max(sizes.max(), 1)
    if share > 0 and len(groups) >= ENOUGH and len(sizes) > 1:
        assert len(held)


def test_a_group_that_fills_the_room_exactly_is_drawn() -> None:
    """Five pairs and ten single images, two wanted: in some draws a pair, in some two single ones."""
    groups = np.array([*np.repeat(np.arange(5), 2), *range(5, 15)])
    draws = [groups[split(20, 0.1, groups, seed)[1]].tolist() for seed in range(20)]
    assert {len(draw) for draw in draws} == {2}
    assert {len({*draw}) for draw in draws} == {1, 2}


@pytest.mark.parametrize(("count", "share", "expected"), [(1000, 0.05, 50), (19, 0.01, 0), (20, 0.01, 1), (100, 0, 0)])
def test_single_images_give_the_exact_share(count: int, share: float, expected: int) -> None:
    kept, held = split(count, share, np.arange(count), 0)
    assert (len(kept), len(held)) == (count - expected, expected)


def test_a_group_that_does_not_fit_is_passed_over() -> None:
    groups = np.array([0] * 90 + list(range(1, 11)))
    for seed in range(20):
        held = split(100, 0.05, groups, seed)[1]
        assert len(held) == 5
        assert held.min() >= 90


def test_large_groups_only() -> None:
    """Ten classes of 10 and one of 4, of which 5 are wanted: the nearest whole group."""
    groups = np.array([number for number in range(10) for _ in range(10)] + [10] * 4)
    np.testing.assert_array_equal(split(104, 0.05, groups, 3)[1], np.arange(100, 104))
    kept, held = split(100, 0.05, groups[:100], 3)
    assert (len(kept), len(held)) == (90, 10)


def test_one_group_is_trained_on() -> None:
    assert len(split(50, 0.1, np.zeros(50, np.int64), 0)[1]) == 0


def test_depends_on_positions_and_seed_alone() -> None:
    groups = np.arange(200) // 2
    held = split(200, 0.1, groups, 0)[1]
    renamed = (groups * 7919 + 13) % 1009  # other numbers, the same partition
    np.testing.assert_array_equal(split(200, 0.1, renamed, 0)[1], held)
    assert not np.array_equal(split(200, 0.1, groups, 1)[1], held)
    # The draw itself, so that another platform or version that draws otherwise is noticed.
    np.testing.assert_array_equal(split(10, 0.3, np.arange(10), 0)[1], [1, 3, 9])


def test_by_class_and_file() -> None:
    labels = np.array([2, 0, 2])
    np.testing.assert_array_equal(groups_by("class", keys=["a", "b", "c"], labels=labels), labels)
    np.testing.assert_array_equal(groups_by("file", keys=["b", "a", "b"]), [0, 1, 0])
    with pytest.raises(OptionError, match=r"class.*--holdout-by similar, file or name:REGEX"):
        groups_by("class", keys=["a"])


def test_by_similar_asks_only_then() -> None:
    np.testing.assert_array_equal(groups_by("similar", keys=["a", "b"], similar=lambda: np.array([4, 4])), [4, 4])
    groups_by("file", keys=["a"], similar=lambda: pytest.fail("must not be asked"))


def test_by_name() -> None:
    keys = ["x/anna_1.jpg", "y/anna_2.jpg", "x/bob_1.jpg", "odd.jpg", "other.jpg"]
    np.testing.assert_array_equal(groups_by(r"name:/(\w+)_\d", keys=keys), [0, 0, 1, 2, 3])
    np.testing.assert_array_equal(groups_by("name:^[xy]", keys=keys), [0, 1, 0, 2, 3])
    with pytest.raises(OptionError, match=r"--holdout-by name:zzz matches no name; names look like 'x/anna_1.jpg', "):
        groups_by("name:zzz", keys=keys)
    with pytest.raises(OptionError, match=r"'\(' is not a regular expression: "):
        groups_by("name:(", keys=keys)


def test_wrong_arguments() -> None:
    with pytest.raises(
        OptionError, match=r"no such hold-out rule: 'likeness'\. Known: similar, class, file, name:REGEX"
    ):
        groups_by("likeness", keys=["a"])
    with pytest.raises(OptionError, match="must be at least 0 and less than 1, not 1"):
        split(10, 1.0, np.arange(10), 0)
    with pytest.raises(OptionError, match="10 images but 9 group"):
        split(10, 0.1, np.arange(9), 0)


@pytest.mark.parametrize(
    ("count", "expected"),
    [(0, 0), (3, 0), (4, 1), (99, 24), (499, 124), (500, 125), (501, 125), (1797, 125), (2500, 125), (2600, 130)],
)
def test_the_default_share_is_what_the_tests_of_an_audit_need(count: int, expected: int) -> None:
    share = share_held_out("auto", count)
    assert len(split(count, share, np.arange(count), 0)[1]) == expected
    assert float(str(share)) == share  # as experiment.yaml has it
    assert share_held_out(share, count + 1000) == share  # a share that was recorded stays


@given(count=st.integers(1, 10_000_000))
def test_the_default_share_gives_its_number_exactly_and_in_few_digits(count: int) -> None:
    share = share_held_out("auto", count)
    assert round(share * count) == max(round(0.05 * count), min(125, count // 4))
    assert share == 0.05 or len(str(share)) <= 2 + len(str(count)) + 1
    assert share_held_out("auto", count, points=True) == 0.05
