"""Equal pictures: distances that forgive a shift, radii from the real images, groups that do not chain."""

from __future__ import annotations

import numpy as np
import pytest

from gansmith.errors import DataError, OptionError
from gansmith.evaluation import duplicates
from gansmith.evaluation.features import pixels
from gansmith.evaluation.types import Extractor, Outputs


def textures(count: int, *, side: int = 20, channels: int = 1, seed: int = 0) -> np.ndarray:
    """Smooth random pictures uint8 [N, side, side, C], all different."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (count, side // 4 + 1, side // 4 + 1, channels))
    return np.repeat(np.repeat(coarse, 4, axis=1), 4, axis=2)[:, :side, :side].astype(np.uint8)


def points(*places: float) -> np.ndarray:
    line = np.array(places, dtype=np.float32)[:, None]
    return duplicates.distances(line, [line])


def test_distances_are_the_smallest_over_the_versions_both_ways() -> None:
    fixed = np.array([[0.0, 0.0], [3.0, 4.0], [10.0, 0.0]], dtype=np.float32)
    moved = np.array([[0.0, 0.0], [0.0, 1.0], [10.0, 0.0]], dtype=np.float32)  # the second, moved, is near the first
    found = duplicates.distances(fixed, [fixed, moved])
    expected = np.array([[0, 1, 10], [1, 0, np.hypot(7, 4)], [10, np.hypot(7, 4), 0]])
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_distances_survive_a_far_origin() -> None:
    rng = np.random.default_rng(0)
    near = rng.normal(size=(30, 5)).astype(np.float32)
    far = (near + 1000).astype(np.float32)
    direct = np.sqrt(((far[:, None].astype(np.float64) - far[None]) ** 2).sum(2))
    np.testing.assert_allclose(duplicates.distances(far, [far]), direct, atol=2e-3)


def test_distances_refuse_what_does_not_fit() -> None:
    good = np.zeros((3, 2), dtype=np.float32)
    with pytest.raises(DataError, match=r"\[3, 2\].*\[2, 2\]"):
        duplicates.distances(good, [good[:2]])
    with pytest.raises(DataError, match="no version of the images"):
        duplicates.distances(good, [])
    with pytest.raises(DataError, match="hold a NaN or an infinity"):
        duplicates.distances(good + np.nan, [good])
    with pytest.raises(DataError, match="are of one image: at least 2 are needed"):
        duplicates.distances(good[:1], [good[:1]])


def test_a_shifted_picture_is_the_same_to_pixels() -> None:
    wide = textures(6, side=24)
    images = np.concatenate([wide[:, 2:22, 2:22], wide[:, 1:21, 4:24], wide[:, 0:20, 0:20]])
    found = duplicates.compared(images, pixels.build(device="cpu"), what="them")
    assert found[np.arange(6), np.arange(6, 12)].max() < 0.01
    assert found[np.arange(6), np.arange(12, 18)].max() < 0.01
    others = found + 100 * (np.arange(18)[:, None] % 6 == np.arange(18)[None] % 6)
    assert others.min() > 1


def test_a_network_sees_the_whole_picture_once() -> None:
    seen = []

    def run(images):  # type: ignore[no-untyped-def]
        seen.append(tuple(images.shape))
        return Outputs(images.float().flatten(1)[:, ::40])

    found = duplicates.compared(textures(5), Extractor("net", "0", "as is", run, batch=5), what="them")
    assert seen == [(5, 1, 20, 20)]
    assert found.shape == (5, 5)


def test_the_radius_holds_its_share_of_real_pairs() -> None:
    rng = np.random.default_rng(1)
    real = rng.normal(size=(401, 3)).astype(np.float32)
    found = duplicates.distances(real, [real])
    within, wider = duplicates.radii(found, 0.01, 0.1)
    assert (duplicates.upper(found) <= within).sum() == 802  # of 80,200
    assert (duplicates.upper(found) <= wider).sum() == 8020
    assert duplicates.degrees(found, within).sum() == 1604
    fresh = rng.normal(size=(600, 3)).astype(np.float32)
    assert (duplicates.upper(duplicates.distances(fresh, [fresh])) <= within).mean() == pytest.approx(0.01, rel=0.25)


def test_the_radius_of_repeats_is_above_rounding() -> None:
    found = points(*[0.0] * 5, *range(10, 25))
    assert duplicates.radii(found, 0.01)[0] == pytest.approx(1e-3 * float(np.median(duplicates.upper(found))))
    with pytest.raises(DataError, match="real images are the same"):
        duplicates.radii(points(*[0.0] * 18, 1.0, 2.0), 0.01)


def test_few_images_have_a_wider_radius() -> None:
    assert duplicates.rate(1e-4, 2000) == 1e-4
    assert duplicates.rate(1e-4, 101) == pytest.approx(10 / 5050)
    assert duplicates.rate(1e-4, 2) == 0.5
    with pytest.raises(OptionError, match="a share of pairs lies between 0 and 1"):
        duplicates.rate(1.5, 100)


def test_upper_has_each_pair_once() -> None:
    np.testing.assert_array_equal(duplicates.upper(points(0, 1, 3, 7)), [1, 3, 7, 2, 6, 4])


def test_degrees_count_the_edge_and_not_oneself() -> None:
    np.testing.assert_array_equal(duplicates.degrees(points(0, 1, 2, 5), 1.0), [1, 2, 1, 0])


def test_clusters_do_not_chain() -> None:
    """A chain of steps of 1: connected components make one group of seven, leaders at most three each."""
    groups = duplicates.clusters(points(0, 1, 2, 3, 4, 5, 6), 1.0)
    assert [len(group) for group in groups] == [3, 3]
    assert set(groups[0].tolist()) == {0, 1, 2}
    assert groups[0][0] == 1  # the middle leads
    assert len(np.unique(np.concatenate(groups))) == 6


def test_nobody_is_in_two_clusters() -> None:
    groups = duplicates.clusters(points(0, 1, 2, 2.9, 3.8), 1.0)
    assert [sorted(group.tolist()) for group in groups] == [[0, 1, 2], [3, 4]]


def test_clusters_come_largest_first_and_singles_not_at_all() -> None:
    groups = duplicates.clusters(points(0, 50, 100, 100.5, 7, 7.2, 7.3, 200), 1.0)
    assert [sorted(group.tolist()) for group in groups] == [[4, 5, 6], [2, 3]]
    assert duplicates.clusters(points(0, 10, 20), 1.0) == []
    assert [len(group) for group in duplicates.clusters(points(*[3.0] * 9), 1.0)] == [9]


def test_the_spread_and_its_error() -> None:
    mean, error = duplicates.spread(points(0, 1, 3))
    assert mean == pytest.approx(2)
    assert error == pytest.approx(2 * np.std([2, 1.5, 2.5], ddof=1) / np.sqrt(3))
    rng = np.random.default_rng(2)
    drawn = [duplicates.spread(points(*rng.normal(size=80))) for _ in range(200)]
    means, errors = np.array(drawn).T
    assert means.mean() == pytest.approx(2 / np.sqrt(np.pi), rel=0.02)
    assert errors.mean() == pytest.approx(means.std(), rel=0.15)
