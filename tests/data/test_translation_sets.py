"""Built-in sets for translation: each pair bears one name, and its transform is the stated one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gansmith import catalog
from gansmith.data.builtin.garments import framed
from gansmith.data.builtin.night import lamps, night_of
from gansmith.data.builtin.outlines import outline
from gansmith.data.open import open_dataset
from gansmith.errors import OptionError


@pytest.fixture
def fashion(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twelve images stand in for Fashion-MNIST."""
    catalog.find("formats", "idx", "example")(tmp_path / "fashion_mnist")
    monkeypatch.setenv("GANSMITH_DATASETS", str(tmp_path))


@pytest.mark.usefixtures("fashion")
def test_garments_and_outlines_are_pairs() -> None:
    one, other = open_dataset("garments", count=7), open_dataset("outlines", count=7)
    assert list(one.keys) == list(other.keys)
    assert one.keys[1] == "image_00002"  # every other of twelve, spread evenly
    for garment, drawn in zip(one, other, strict=True):
        np.testing.assert_array_equal(outline(garment.image), drawn.image)
        assert garment.label == drawn.label
    assert one.stamp(0) != other.stamp(0)
    assert len(open_dataset("outlines")) == 12


def test_an_outline_is_the_range_of_the_neighbourhood() -> None:
    image = np.random.default_rng(0).integers(0, 256, (9, 7, 2), dtype=np.uint8)
    expected = np.zeros_like(image)
    for row in range(9):
        for column in range(7):
            around = image[max(0, row - 1) : row + 2, max(0, column - 1) : column + 2]
            expected[row, column] = around.max((0, 1)) - around.min((0, 1))
    np.testing.assert_array_equal(outline(image), expected)


def test_a_garment_is_framed_in_black() -> None:
    image = np.full((28, 27, 1), 7, np.uint8)
    wide = framed(image)
    assert wide.shape == (32, 32, 1)
    np.testing.assert_array_equal(wide[2:30, 2:29], image)
    assert int(wide.sum()) == 7 * 28 * 27


def test_day_and_night_are_pairs_of_any_set() -> None:
    one, other = (open_dataset(name, of="digits", count=5) for name in ("day", "night"))
    assert list(one.keys) == list(other.keys) == [f"image_{n:05}" for n in (0, 449, 898, 1347, 1796)]
    np.testing.assert_array_equal(night_of(one[3].image), other[3].image)
    np.testing.assert_array_equal(one[3].image, open_dataset("digits")[1347].image)
    assert one.size == other.size == (32, 32)


def test_names_of_files_are_kept(tmp_path: Path) -> None:
    folder = catalog.find("formats", "folder", "example")(tmp_path)
    assert list(open_dataset("night", of=str(folder), count=99).keys) == list(open_dataset(folder).keys)


def test_night_on_plain_grey_is_the_closed_form() -> None:
    """Grey has no colour to lose and no lamps: v^2.2 x 0.2 x tint, 0.4 of it in the corners."""
    dark = night_of(np.full((9, 9, 3), 128, np.uint8))
    for place, share in (((4, 4), 1.0), ((0, 0), 0.4), ((8, 0), 0.4), ((4, 0), 0.7)):
        linear = (128 / 255) ** 2.2 * 0.2 * np.array([0.6, 0.8, 1.6]) * share
        np.testing.assert_array_equal(dark[place], np.rint(255 * linear ** (1 / 2.2)))


def test_night_takes_half_of_the_colour() -> None:
    red = night_of(np.full((9, 9, 3), (255, 0, 0), np.uint8))[4, 4] / 255
    linear = red**2.2 / 0.2 / np.array([0.6, 0.8, 1.6])
    np.testing.assert_allclose(linear, [0.5 + 0.5 * 0.2126, 0.5 * 0.2126, 0.5 * 0.2126], atol=0.01)


def test_lamps_shine_where_it_is_brighter_than_round_about() -> None:
    luma = np.full((32, 32), 0.2)
    assert not lamps(luma).any()
    luma[16, 16] = 1.0  # the mean of 9 x 9 pixels is then 0.2 + 0.8 / 81
    found = lamps(luma)
    assert found[16, 16] == 1
    assert np.count_nonzero(found) == 1
    luma[16, 16] = 0.2 + 0.3 * 81 / 80  # 0.3 above that mean: half of the way from 0.2 to 0.4
    np.testing.assert_allclose(lamps(luma)[16, 16], 0.5)
    image = np.full((32, 32, 3), 51, np.uint8)
    image[16, 16] = 255
    assert night_of(image)[16, 16, 0] == 255
    assert night_of(image)[16, 16].argmin() == 2  # warm


@pytest.mark.parametrize("name", ["day", "night"])
def test_a_count_of_none_is_refused(name: str) -> None:
    with pytest.raises(OptionError, match=r"count.* 0"):
        open_dataset(name, of="digits", count=0)
