"""Words for single images: which are copies of training images."""

from __future__ import annotations

import numpy as np
import pytest

from gansmith import catalog
from gansmith.evaluation.copy_search import Search
from gansmith.evaluation.copy_words import ENOUGH, Control, control, copy_words


def smooth(count: int, seed: int) -> np.ndarray:
    """Images uint8 [N, 12, 12, 1] that are all different: 4 x 4 random areas."""
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (count, 4, 4, 1), dtype=np.uint8).repeat(3, 1).repeat(3, 2)


def test_the_chance_is_the_rank_among_real_images() -> None:
    beside = Control(np.array([0.2, 0.4, 0.4, 0.8]), np.array([0.1]))
    np.testing.assert_allclose(beside.chances([0.1, 0.2, 0.4, 0.9]), [1 / 5, 2 / 5, 4 / 5, 1])


def test_the_words() -> None:
    """100 real images from .5 on: the chance of one below is 1/101, which one image in one is a copy by, one in
    thirty alone may be; what lies above the copies made on purpose is neither."""
    real, planted = np.linspace(0.5, 1, 100), np.linspace(0, 0.3, 21)
    beside = Control(real, planted)
    assert beside.noticed == pytest.approx(20 / 21)
    assert copy_words([0.05], [False], beside) == ["a copy"]
    thirty = np.concatenate([[0.05], np.full(29, 0.9)])
    assert copy_words(thirty, np.zeros(30, bool), beside)[:2] == ["may be a copy", "no copy"]
    assert copy_words([0.4, 0.4], [False, True], beside) == ["no copy", "the same image"]
    assert copy_words([0.05] * 30, [False] * 30, beside) == ["a copy"] * 30


def test_nothing_is_said_where_copies_would_not_be_noticed() -> None:
    """Real images that are twins of each other are as near as copies; so few that no rank is low are no control."""
    twins = Control(np.full(100, 0.05), np.full(20, 0.05))
    few = Control(np.full(10, 0.9), np.full(20, 0.05))
    for beside in (twins, few):
        assert beside.noticed < ENOUGH
        assert copy_words([0.05, 0.9], [False, False], beside) == ["cannot tell", "cannot tell"]


def test_the_control_of_a_search_notices_planted_copies_and_leaves_new_images_alone() -> None:
    train, held_out, new = smooth(300, 0), smooth(60, 1), smooth(20, 2)
    search = Search(train, catalog.build("features", "pixels", device="cpu"))
    beside = control(search, held_out)
    assert len(beside.real) == 360
    assert (np.diff(beside.real) >= 0).all()
    assert beside.noticed >= 0.9
    copies = np.roll(train[:4][:, :, ::-1], 1, axis=2)  # mirrored, and moved by one pixel
    near = search.nearest(np.concatenate([copies, new]), what="images")
    words = copy_words(near.nearness, [False] * 24, beside)
    assert words[:4] == ["a copy"] * 4
    assert words.count("no copy") >= 19
    assert len(control(search, None).real) == 300


@pytest.mark.parametrize("planted", [0.1, 0.9])
@pytest.mark.parametrize("real", [10, 19, 39, 400])
def test_from_where_on_one_image_is_a_copy(real: int, planted: float) -> None:
    beside = Control(np.linspace(0.5, 1, real), np.full(10, planted))
    below = beside.below
    if real < 19:  # one of eleven is more than LEVEL: no nearness makes a copy of one image
        assert below == 0
        return
    near = [below * 0.999, below * 1.001]
    assert [copy_words([one], [False], beside)[0] in ("a copy", "may be a copy") for one in near] == [True, False]
