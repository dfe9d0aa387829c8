"""Sheets of titled rows."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from gansmith.errors import OptionError
from gansmith.records.rows import CELL, WIDTH, Cell, Row, draw_rows


def plain(level: int, *shape: int) -> np.ndarray:
    return np.full(shape, level, np.uint8)


def pixels(sheet: Image.Image) -> np.ndarray:
    return np.asarray(sheet).astype(int)


def test_every_pixel_of_an_image_is_a_square_of_the_scale() -> None:
    image = np.arange(64, dtype=np.uint8).reshape(8, 8, 1)
    sheet = pixels(draw_rows([Row("", [[Cell(image)]])], scale=3))
    np.testing.assert_array_equal(sheet[6:30, 6:30, 0], image[:, :, 0].repeat(3, 0).repeat(3, 1))


def test_groups_stand_apart_and_below_each_other() -> None:
    colours = [[(10 + row, 0, 200), (30 + row, 0, 200)] for row in (0, 1)]
    one, other = ([np.full((8, 8, 3), pair[place], np.uint8) for pair in colours] for place in (0, 1))
    rows = [Row(f"row {n}", [[Cell(one[n])], [Cell(other[n], ".5")] * 2]) for n in (0, 1)]
    sheet = pixels(draw_rows(rows, headings=["one", "other"], scale=4))
    tops = []
    for pair in colours:
        places = [np.argwhere((sheet == colour).all(axis=2)) for colour in pair]
        assert [len(place) for place in places] == [32 * 32, 2 * 32 * 32]
        tops.append(places[0][:, 0].min())
        assert places[0][:, 1].max() + 20 < places[1][:, 1].min()
        assert places[0][:, 0].min() == places[1][:, 0].min()
    assert tops[1] > tops[0] + 32 + 6


def test_smaller_images_are_brought_to_the_size_of_the_largest_and_transparency_is_white() -> None:
    clear = np.zeros((4, 4, 4), np.uint8)
    sheet = pixels(draw_rows([Row("", [[Cell(plain(90, 8, 8, 1)), Cell(clear), Cell(plain(70, 2, 4, 3))]])], scale=2))
    assert ((sheet == 90).all(axis=2)).sum() == 256
    assert ((sheet == 70).all(axis=2)).sum() == 256
    assert (sheet[6:22, 28:44] == 255).all()


@pytest.mark.parametrize(("side", "count"), [(8, 3), (32, 9), (64, 9), (64, 40)])
def test_the_scale_fits_the_width(side: int, count: int) -> None:
    sheet = draw_rows([Row("seed", [[Cell(plain(0, side, side, 3))] * count])])
    assert sheet.width <= max(WIDTH, count * (side + 8)) + 60
    black = pixels(sheet)[:, :, 0] == 0
    width = black.any(axis=0).sum() / count
    assert width % side == 0
    assert width <= CELL


def test_what_cannot_be_drawn() -> None:
    with pytest.raises(OptionError, match="at least one"):
        draw_rows([Row("nothing", [[]])])
    with pytest.raises(OptionError, match="too large"):
        draw_rows([Row("", [[Cell(plain(0, 256, 256, 1))]])] * 40, scale=64)
