"""Known damages: each does what it says, by an independent definition, and nothing else."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from gansmith.evaluation import damages

Images = NDArray[np.uint8]
ALL = {**damages.LAYOUT, **damages.TEXTURE}


def images(*shape: int, seed: int = 0) -> Images:
    return np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("shape", [(3, 32, 32, 3), (2, 28, 28, 1), (2, 33, 47, 4), (1, 8, 9, 3), (2, 3, 3, 1)])
def test_shapes_repeatability_and_what_came_in(name: str, shape: tuple[int, ...]) -> None:
    given = images(*shape)
    kept = given.copy()
    found = ALL[name](given)
    assert found.shape == given.shape
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, ALL[name](given))
    np.testing.assert_array_equal(given, kept)
    if shape[-1] == 4 and "shuffled" not in name:
        np.testing.assert_array_equal(found[..., 3], given[..., 3])


@pytest.mark.parametrize("count", [2, 4])
def test_tiles_are_those_of_the_image_in_another_order(count: int) -> None:
    given = images(6, 8 * count, 4 * count + 1, 3)
    found = damages.tiles(given, count=count)

    def cut(image: Images) -> list[bytes]:
        return sorted(image[8 * i : 8 * i + 8, 4 * j : 4 * j + 4].tobytes() for i in range(count) for j in range(count))

    for one, other in zip(given, found, strict=True):
        assert cut(one) == cut(other)
        assert not np.array_equal(one, other)
    np.testing.assert_array_equal(found[:, :, -1], given[:, :, -1])  # the column that is left over
    alike = np.repeat(given[:1], 30, 0)
    alike[:, 0, -1, 0] = np.arange(30)  # they differ where nothing is moved
    assert len({image[:, :-1].tobytes() for image in damages.tiles(alike, count=count)}) > 5


@pytest.mark.parametrize("name", ALL)
def test_an_image_is_damaged_in_the_same_way_whatever_others_stand_beside_it(name: str) -> None:
    given = images(5, 16, 16, 3)
    np.testing.assert_array_equal(ALL[name](given)[[3, 1]], ALL[name](given[[3, 1]]))


def test_phases_keep_the_spectrum_and_the_mean_and_no_layout() -> None:
    rows, columns = np.indices((32, 32))
    smooth = (128 + 30 * np.sin(rows / 5) + 30 * np.cos(columns / 7)).astype(np.uint8)
    given = np.repeat(smooth[None, ..., None], 20, 0)
    given[:, 0, 0, 0] = 100 + np.arange(20)  # equal images have equal phases
    found = damages.phases(given).astype(float)
    assert abs(found.mean() - given.mean()) < 1

    def spectrum(stack: NDArray[Any]) -> NDArray[Any]:
        return np.abs(np.fft.fft2(stack[..., 0].astype(float) - stack.mean(), axes=(1, 2)))

    strong = spectrum(given)[0] > 1000
    np.testing.assert_allclose(spectrum(found).mean(0)[strong], spectrum(given)[0][strong], rtol=0.15)
    assert abs(np.corrcoef(found.mean(0).ravel(), given[0].ravel().astype(float))[0, 1]) < 0.5


def test_blur_is_gaussian() -> None:
    point = np.zeros((1, 21, 21, 1), np.uint8)
    point[0, 10, 10] = 255
    for sigma in (1, 2):
        found = damages.blur(point, sigma=sigma)[0, :, :, 0].astype(float)
        weights = np.exp(-np.square(np.arange(-10, 11)) / (2 * sigma**2))
        expected = 255 * np.outer(weights, weights) / weights.sum() ** 2
        np.testing.assert_allclose(found, expected, atol=0.6)
    wide = images(1, 40, 40, 3)
    by_pillow = Image.fromarray(wide[0]).filter(ImageFilter.GaussianBlur(2))
    inner = (slice(8, -8), slice(8, -8))
    assert np.abs(damages.blur(wide, sigma=2)[0][inner].astype(float) - np.asarray(by_pillow)[inner]).mean() < 3


def test_noise_has_its_deviation() -> None:
    levels = np.arange(123, 133, dtype=np.uint8)[:, None, None, None]  # equal images have equal noise
    grey = np.broadcast_to(levels, (10, 50, 50, 3))
    for deviation in (12, 25):
        found = damages.noise(grey, deviation=deviation).astype(float) - levels
        assert abs(found.std() - deviation) < 0.2
        assert abs(found.mean()) < 0.2
        assert abs(np.corrcoef(found[..., 0].ravel(), found[..., 1].ravel())[0, 1]) < 0.02


def test_jpeg_is_pillows() -> None:
    given = images(1, 32, 32, 3)
    buffer = io.BytesIO()
    Image.fromarray(given[0]).save(buffer, "JPEG", quality=10)
    np.testing.assert_array_equal(damages.jpeg(given, quality=10)[0], np.asarray(Image.open(buffer)))


def test_a_checkerboard_goes_up_and_down_by_its_height() -> None:
    grey = np.full((1, 4, 6, 3), 100, np.uint8)
    found = damages.checkerboard(grey, height=10)[0].astype(int)
    assert set(np.unique(found)) == {90, 110}
    for one, other in ((found[:, 1:], found[:, :-1]), (found[1:], found[:-1])):
        assert bool((np.abs(one - other) == 20).all())


def test_damages_in_turn_change_each_image_by_its_own() -> None:
    given = images(7, 8, 8, 3)
    found = damages.in_turn(given, [np.copy, lambda part: 255 - part, damages.COARSE[2]])
    np.testing.assert_array_equal(found[::3], given[::3])
    np.testing.assert_array_equal(found[1::3], 255 - given[1::3])
    np.testing.assert_array_equal(found[2::3], damages.noise(given[2::3], deviation=25))
    assert len({change(given).tobytes() for change in damages.COARSE}) == len(damages.COARSE)
