"""Kinds: groupings of a feature space against numpy written out, and the share that is lacking, counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from gansmith.evaluation import kinds
from gansmith.evaluation.kinds import Groupings

EMPTY = np.zeros((1, 1), dtype=np.float32)


def of(weights: list[float]) -> Groupings:
    return Groupings(EMPTY, EMPTY, EMPTY, EMPTY, (len(weights),), np.array(weights))


@pytest.mark.parametrize(
    ("made", "lacking"), [((0.5, 0.5), 0.0), ((0.75, 0.25), 0.0), ((0.8, 0.2), 0.1), ((1.0, 0.0), 0.5), ((0, 1), 0.5)]
)
def test_a_kind_is_lacking_below_half_of_its_share(made: tuple[float, float], lacking: float) -> None:
    measured = of([1.0, 1.0]).lacking(np.array([0.5, 0.5]), np.array(made))
    assert measured == pytest.approx(lacking)


def test_what_is_too_frequent_is_not_lacking() -> None:
    assert of([1.0] * 3).lacking(np.array([0.2, 0.3, 0.5]), np.array([0.6, 0.15, 0.25])) == pytest.approx(0)


def test_weights_are_of_groups() -> None:
    real, made = np.array([0.5, 0.5, 0.9, 0.1]), np.array([1.0, 0.0, 0.0, 1.0])
    assert of([0.5, 0.5, 0.25, 0.25]).lacking(real, made) == pytest.approx(0.5 * 0.5 + 0.25 * 0.9)


def test_images_are_of_the_group_of_the_nearest_centre() -> None:
    rng = np.random.default_rng(0)
    points = rng.standard_normal((60, 5)).astype(np.float32)
    learnt = kinds.learn(points, None, groups=6, seed=1)
    assert len(learnt.ends) == kinds.GROUPINGS
    assert learnt.weights.sum() == pytest.approx(6)  # each grouping's columns weigh 1 / 8
    members = learnt.members(learnt.scores(learnt.places(points)))
    shares = learnt.shares(members)
    for number, end in enumerate(learnt.ends):
        inside = slice(end - 6, end)
        assert shares[inside].sum() == pytest.approx(1)
        middles = learnt.slopes[:, inside].T / 2
        distances = np.linalg.norm(learnt.places(points)[:, None] - middles[None], axis=2)
        np.testing.assert_array_equal(members[:, number] - (end - 6), distances.argmin(axis=1))


def test_centres_of_separate_heaps_are_their_means() -> None:
    rng = np.random.default_rng(2)
    heaps = np.repeat(np.eye(3, 4) * 50, 40, axis=0) + rng.standard_normal((120, 4))
    middles = kinds.centres(heaps.astype(np.float32), 3, rng)
    means = heaps.reshape(3, 40, 4).mean(axis=1)
    order = np.argsort(np.linalg.norm(middles[:, None] - means[None], axis=2).argmin(axis=1))
    np.testing.assert_allclose(middles[order], means, atol=1e-3)


def test_more_centres_than_different_points() -> None:
    middles = kinds.centres(np.zeros((5, 2), dtype=np.float32), 3, np.random.default_rng(0))
    np.testing.assert_array_equal(middles, np.zeros((3, 2)))


def test_the_classes_weigh_as_much_as_all_other_groupings() -> None:
    rng = np.random.default_rng(3)
    labels = np.repeat([4, 9], 50)
    points = (rng.standard_normal((100, 6)) + 8 * (labels == 9)[:, None]).astype(np.float32)
    learnt = kinds.learn(points, labels, groups=5, seed=0)
    assert learnt.ends[-1] - learnt.ends[-2] == 2
    assert learnt.weights[learnt.ends[-2] :].tolist() == [0.5, 0.5]
    assert learnt.weights[: learnt.ends[0]].tolist() == [0.5 / kinds.GROUPINGS] * 5
    members = learnt.members(learnt.scores(learnt.places(points)))[:, -1] - learnt.ends[-2]
    np.testing.assert_array_equal(members, labels == 9)


def test_the_discriminant_is_bayes_rule_of_gaussians() -> None:
    """Two classes of one covariance, three to one: the border lies where the log odds are even."""
    rng = np.random.default_rng(4)
    labels = np.repeat([0, 1], [3000, 1000])
    points = (rng.standard_normal((4000, 1)) + 2 * labels[:, None]).astype(np.float32)
    learnt = kinds.discriminant(points, labels)
    assert learnt is not None
    slopes, offsets, _ = learnt
    border = (offsets[0] - offsets[1]) / (slopes[0, 1] - slopes[0, 0])
    assert border == pytest.approx(1 + np.log(3) / 2, abs=0.1)


def test_classes_of_one_image_are_left_out() -> None:
    points = np.arange(10, dtype=np.float32)[:, None]
    learnt = kinds.discriminant(points, np.array([0, 0, 0, 0, 5, 7, 7, 7, 7, 7]))
    assert learnt is not None
    assert learnt[2].tolist() == [0, 7]
    assert kinds.discriminant(points, np.array([0] * 9 + [1])) is None


@pytest.mark.parametrize(("fewest", "groups"), [(20, 4), (100, 10), (299, 29), (5000, 30)])
def test_the_number_of_groups_follows_the_smaller_side(fewest: int, groups: int) -> None:
    assert kinds.groups_for(fewest) == groups


def test_thumbnails_are_means_of_equal_areas() -> None:
    images = np.random.default_rng(0).integers(0, 256, (3, 32, 16, 3), dtype=np.uint8)
    expected = images.reshape(3, 8, 4, 8, 2, 3).mean(axis=(2, 4))
    np.testing.assert_allclose(kinds.thumbnails(images), expected.reshape(3, -1), rtol=1e-5)
    ramp = np.broadcast_to(np.arange(12, dtype=np.uint8)[None, :, None, None], (1, 12, 5, 1))
    rows = kinds.thumbnails(ramp).reshape(8, 8)
    np.testing.assert_allclose(rows[0], 1 / 3, rtol=1e-5)  # pixel 0 whole, half of pixel 1
    assert rows.mean() == pytest.approx(5.5)
