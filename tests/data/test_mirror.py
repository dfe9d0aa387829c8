"""Are mirrored images of the same kind? Sets whose answer is known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from gansmith.data.mirror import mirrored_alike, told_from_mirror_images
from gansmith.data.open import open_dataset
from gansmith.errors import DataError


def slopes(count: int, *, leaning: float, size: tuple[int, int] = (24, 20), channels: int = 3) -> NDArray[Any]:
    """Stripes with noise that lean to one side in the share `leaning` of the images, to the other in the rest."""
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[: size[0], : size[1]]
    sides = np.where(rng.random(count) < leaning, 1.0, -1.0)
    phases = rng.uniform(0, 2 * np.pi, count)
    waves = np.sin(0.8 * (rows + sides[:, None, None] * columns) + phases[:, None, None])
    noisy = 128 + 60 * waves[..., None] + rng.normal(0, 10, (count, *size, channels))
    return noisy.clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("size", [(24, 20), (16, 16), (33, 17)])
def test_images_that_lean_to_one_side_are_told(size: tuple[int, int], channels: int) -> None:
    images = slopes(200, leaning=1, size=size, channels=channels)
    assert told_from_mirror_images(images) > 0.95
    assert not mirrored_alike(images)


def test_images_that_lean_to_both_are_not() -> None:
    images = slopes(400, leaning=0.5)
    assert 0.4 < told_from_mirror_images(images) < 0.6
    assert mirrored_alike(images)


def test_the_mirrored_set_gives_the_same_answer() -> None:
    images = slopes(100, leaning=0.8, size=(21, 37))
    assert told_from_mirror_images(images) == pytest.approx(told_from_mirror_images(images[:, :, ::-1]), abs=0.02)


def test_most_of_one_side_are_told() -> None:
    images = slopes(300, leaning=0.8)
    assert 0.6 < told_from_mirror_images(images) < 0.9
    assert not mirrored_alike(images)


def test_symmetric_images_may_be_mirrored() -> None:
    half = slopes(300, leaning=1, size=(16, 8))
    assert mirrored_alike(np.concatenate([half, half[:, :, ::-1]], axis=2))


def test_digits_may_not() -> None:
    data = open_dataset("digits")
    assert not mirrored_alike(np.stack([np.asarray(data[index].image) for index in range(0, len(data), 4)]))


def test_few_images_are_never_sure() -> None:
    half = slopes(20, leaning=1, size=(16, 8))
    assert not mirrored_alike(np.concatenate([half, half[:, :, ::-1]], axis=2))


def test_one_image_is_refused() -> None:
    with pytest.raises(DataError, match="1 images"):
        told_from_mirror_images(np.zeros((1, 16, 16, 3), np.uint8))
