import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.datasets import load_digits

from gansmith.errors import UnknownNameError
from gansmith.evaluation import planted_copies


@pytest.fixture(scope="module")
def digits() -> NDArray[np.uint8]:
    """[200, 24, 24, 1]"""
    small = (load_digits().images[:200] * 255 / 16).round().astype(np.uint8)
    return small.repeat(3, axis=1).repeat(3, axis=2)[..., None]


@pytest.fixture(scope="module")
def colours() -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (12, 16, 20, 4), dtype=np.uint8)


def test_a_mirrored_and_an_exact_copy(colours: NDArray[np.uint8]) -> None:
    np.testing.assert_array_equal(planted_copies.plant(colours, "exact", seed=0), colours)
    np.testing.assert_array_equal(planted_copies.plant(colours, "mirrored", seed=0)[:, :, 0], colours[:, :, -1])


def test_a_shifted_copy_moves_by_one_or_two_pixels_and_repeats_its_border() -> None:
    image = np.arange(400, dtype=np.uint16).reshape(1, 20, 20, 1) % 251
    many = image.astype(np.uint8).repeat(300, axis=0)
    seen = set()
    for moved in planted_copies.plant(many, "shifted", seed=1):
        fits = [
            (y, x)
            for y in range(-2, 3)
            for x in range(-2, 3)
            if (moved == many[0][np.clip(np.arange(20) + y, 0, 19)][:, np.clip(np.arange(20) + x, 0, 19)]).all()
        ]
        assert len(fits) == 1
        seen.add(fits[0])
    assert len(seen) == 24
    assert (0, 0) not in seen


def test_a_recompressed_copy_is_near_and_keeps_its_transparency(digits: NDArray[np.uint8]) -> None:
    smooth = np.stack([np.linspace(0, 250, 24).astype(np.uint8)] * 24)[None, ..., None].repeat(4, axis=3)
    found = planted_copies.plant(smooth, "recompressed", seed=0)
    difference = np.abs(found.astype(int) - smooth)
    assert 0 < difference[..., :3].max() <= 12
    assert difference[..., 3].max() == 0
    assert planted_copies.plant(digits, "recompressed", seed=0).shape == digits.shape


def test_a_relit_copy_stays_within_ten_levels_and_a_tenth_of_contrast(colours: NDArray[np.uint8]) -> None:
    grey = np.full((500, 4, 4, 1), 127, np.uint8)
    shades = planted_copies.plant(grey, "relit", seed=0)[:, 0, 0, 0]
    assert (shades.min(), shades.max()) == (117, 137)
    white = np.full((500, 4, 4, 3), 228, np.uint8)  # 100.5 levels above the middle
    shades = planted_copies.plant(white, "relit", seed=0)
    assert 208 <= shades.min() < 213
    assert 243 < shades.max() <= 248
    found = planted_copies.plant(colours, "relit", seed=0)
    np.testing.assert_array_equal(found[..., 3], colours[..., 3])
    assert (found[..., :3] != colours[..., :3]).any(axis=(1, 2, 3)).all()


@pytest.mark.parametrize("kind", ["shifted", "relit"])
def test_copies_are_planted_by_their_seed(colours: NDArray[np.uint8], kind: str) -> None:
    once = planted_copies.plant(colours, kind, seed=3)
    np.testing.assert_array_equal(once, planted_copies.plant(colours, kind, seed=3))
    assert (once != planted_copies.plant(colours, kind, seed=4)).any()


def test_an_unknown_kind_of_copy_names_the_nearest(colours: NDArray[np.uint8]) -> None:
    with pytest.raises(UnknownNameError, match=r"'miror'.*'mirrored'.*exact"):
        planted_copies.plant(colours, "miror", seed=0)


@pytest.mark.parametrize("kind", planted_copies.KINDS)
def test_every_kind_keeps_shape_type_and_original(colours: NDArray[np.uint8], kind: str) -> None:
    before = colours.copy()
    copies = planted_copies.plant(colours, kind, seed=0)
    assert (copies.shape, copies.dtype) == (colours.shape, np.uint8)
    assert (copies != colours).any() == (kind != "exact")
    np.testing.assert_array_equal(colours, before)
    assert planted_copies.plant(colours[..., :1], kind, seed=0).shape == (12, 16, 20, 1)


@pytest.mark.parametrize("kind", ["coarsely recompressed", "blurred", "noisy", "brighter"])
def test_what_changes_colours_keeps_transparency(colours: NDArray[np.uint8], kind: str) -> None:
    np.testing.assert_array_equal(planted_copies.plant(colours, kind, seed=0)[..., 3], colours[..., 3])


def test_a_coarsely_recompressed_copy_is_worse_than_a_recompressed_one(digits: NDArray[np.uint8]) -> None:
    off = [
        np.abs(planted_copies.plant(digits, kind, seed=0).astype(int) - digits).mean()
        for kind in ("recompressed", "coarsely recompressed")
    ]
    assert 0 < 1.3 * off[0] < off[1]


def test_a_brighter_copy_has_a_fifth_more_light_up_to_white() -> None:
    levels = np.array([0, 50, 100, 250], np.uint8).reshape(1, 2, 2, 1)
    assert planted_copies.plant(levels, "brighter", seed=0).ravel().tolist() == [0, 60, 120, 255]


def test_a_blurred_copy_spreads_a_point_by_a_gaussian_of_seven_tenths() -> None:
    point = np.zeros((1, 21, 21, 1), np.uint8)
    point[0, 10, 10] = 250
    blurred = planted_copies.plant(point, "blurred", seed=0)[0, ..., 0].astype(float)
    variance = (blurred.sum(0) * (np.arange(21) - 10) ** 2).sum() / blurred.sum()
    assert 0.4 < variance < 0.55  # .49, and rounding


def test_a_noisy_copy_is_off_by_eight_levels() -> None:
    grey = np.full((20, 16, 16, 3), 128, np.uint8)
    noise = planted_copies.plant(grey, "noisy", seed=0).astype(float) - 128
    assert 7.7 < noise.std() < 8.3
    assert abs(noise.mean()) < 0.3


def test_a_cropped_copy_is_enlarged_by_a_twentieth() -> None:
    ramp = np.arange(40, 200, 4, dtype=np.uint8)[None, None, :, None].repeat(40, axis=1)  # 4 levels a pixel
    row = planted_copies.plant(ramp, "cropped", seed=0)[0, 20, 5:35, 0].astype(float)
    assert abs(np.polyfit(np.arange(30), row, 1)[0] - 4 * 0.95) < 0.05
    assert abs(row.mean() - ramp[0, 20, 5:35, 0].mean()) < 1  # the centre stays


def test_a_copy_is_shifted_far_by_three_pixels() -> None:
    image = np.arange(400, dtype=np.uint16).reshape(1, 20, 20, 1) % 251
    seen = set()
    for moved in planted_copies.plant(image.astype(np.uint8).repeat(100, axis=0), "shifted far", seed=1):
        fits = [
            (y, x)
            for y in range(-4, 5)
            for x in range(-4, 5)
            if (moved == image[0][np.clip(np.arange(20) + y, 0, 19)][:, np.clip(np.arange(20) + x, 0, 19)]).all()
        ]
        assert len(fits) == 1
        seen.add(fits[0])
    assert seen == {(y, x) for y in (-3, 0, 3) for x in (-3, 0, 3)} - {(0, 0)}
