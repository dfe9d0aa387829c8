"""The layout classifier: real images against shuffled ones, by features."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from gansmith.data.subsets import evenly_spaced
from gansmith.errors import DataError
from gansmith.evaluation.damages import LAYOUT
from gansmith.evaluation.layout import accuracy, layout_classifier, layout_seen

Array = NDArray[np.float32]
WIDTH = 30


def cloud(seed: int, count: int, *, towards: int, by: float = 3.0) -> Array:
    """Features whose direction tends to that axis; their lengths are of no account."""
    rng = np.random.default_rng(seed)
    rows = rng.standard_normal((count, WIDTH))
    rows[:, towards] += by
    return (rows * rng.uniform(0.1, 10, (count, 1))).astype(np.float32)


def shuffled(seed: int, count: int, *, by: float = 3.0) -> dict[str, Array]:
    return {name: cloud(seed + i, count, towards=1, by=by) for i, name in enumerate(LAYOUT)}


REAL, HELD = cloud(0, 300, towards=0), cloud(1, 200, towards=0)
CLASSIFIER = layout_classifier(REAL, shuffled(10, 80))


def test_a_layout_is_seen_in_real_images_and_not_in_shuffled_ones_whatever_the_lengths() -> None:
    assert CLASSIFIER.sees(HELD).mean() > 0.9
    assert CLASSIFIER.sees(cloud(2, 200, towards=1)).mean() < 0.1
    np.testing.assert_array_equal(CLASSIFIER.sees(HELD), CLASSIFIER.sees(0.01 * HELD))


def test_the_share_of_the_samples_stands_beside_that_of_held_out_images() -> None:
    half = np.concatenate([cloud(3, 100, towards=0), cloud(4, 100, towards=1)])
    seen = layout_seen(CLASSIFIER, half, HELD, shuffled(20, 100))
    assert seen.samples.value == pytest.approx(0.5, abs=0.08)
    assert seen.samples.low is not None
    assert seen.samples.low < 0.5 < (seen.samples.high or 0)
    assert seen.held_out.value == CLASSIFIER.sees(HELD).mean()
    assert not seen.unclear


def test_accuracy_counts_held_out_images_and_tiles_as_much_and_phases_not() -> None:
    tiles = shuffled(20, 50)
    told = accuracy(CLASSIFIER, HELD, {**tiles, "with random phases": REAL[:50]})  # all of which it would get wrong
    of_tiles = np.concatenate([tiles[name] for name in LAYOUT if "cut" in name])
    assert told.value == (CLASSIFIER.sees(HELD).mean() + 1 - CLASSIFIER.sees(of_tiles).mean()) / 2
    assert told.low is not None
    assert told.high is not None
    assert told.low < told.value < told.high <= 1


def test_textures_are_not_judged_and_the_reason_is_named() -> None:
    alike = {name: cloud(30 + i, 80, towards=0) for i, name in enumerate(LAYOUT)}
    blind = layout_classifier(REAL, alike)
    seen = layout_seen(blind, HELD, HELD, {name: cloud(40 + i, 80, towards=0) for i, name in enumerate(LAYOUT)})
    assert seen.accuracy is not None
    assert seen.accuracy.value < 0.65
    assert f"{100 * seen.accuracy.value:.0f} of 100" in seen.unclear


def test_the_penalty_is_chosen_where_one_side_has_noise_in_many_more_dimensions_than_images() -> None:
    """Without a penalty 20 images in 30 dimensions are told apart by their noise."""
    few = layout_classifier(cloud(50, 20, towards=0, by=2), {"cut": cloud(51, 20, towards=1, by=2)})
    right = few.sees(cloud(52, 500, towards=0, by=2)).mean() - few.sees(cloud(53, 500, towards=1, by=2)).mean()
    assert right > 0.6


def test_a_single_image_trains_nothing() -> None:
    with pytest.raises(DataError, match="1 real"):
        layout_classifier(REAL[:1], shuffled(10, 80))


def test_at_most_1000_real_images_train_it() -> None:
    many, tiles = cloud(60, 1_999, towards=0), shuffled(70, 80)
    both = [layout_classifier(rows, tiles) for rows in (many, many[evenly_spaced(len(many), 1_000)])]
    np.testing.assert_array_equal(both[0].direction, both[1].direction)
