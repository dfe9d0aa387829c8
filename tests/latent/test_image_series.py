"""Pictures and how they are written."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from gansmith.errors import GansmithError, OptionError
from gansmith.latent.image_series import ImageSeries
from refusals import refused


def made(count: int = 6, labels: tuple[str, ...] | None = None) -> ImageSeries:
    images = torch.linspace(-1, 1, count)[:, None, None, None].expand(count, 1, 8, 8)
    return ImageSeries(images, labels or tuple(str(index + 8) for index in range(count)))


def test_a_file_is_a_sheet(tmp_path: Path) -> None:
    assert made().save(tmp_path / "grid.png") == [tmp_path / "grid.png"]
    with Image.open(tmp_path / "grid.png") as picture:
        assert picture.size == ((2 + 3 * 10) * 28, (2 + 2 * 10) * 28)
    made().save(str(tmp_path / "row.png"), columns=6, scale=1)
    with Image.open(tmp_path / "row.png") as picture:
        assert picture.size == (2 + 6 * 10, 2 + 10)


def test_an_arrangement_of_its_own_unless_told_otherwise() -> None:
    strip = ImageSeries(made().images, made().labels, columns=6)
    assert strip.sheet(scale=1).size == (62, 12)
    assert strip.sheet(columns=2, scale=1).size == (22, 32)


@pytest.mark.parametrize("folder", ["folder", "folder/", "with.dot/"])
def test_a_folder_is_a_file_each(tmp_path: Path, folder: str) -> None:
    files = made().save(f"{tmp_path}/{folder}")
    assert [file.name for file in files] == ["08.png", "09.png", "10.png", "11.png", "12.png", "13.png"]
    with Image.open(tmp_path / folder / "13.png") as picture:
        np.testing.assert_array_equal(np.asarray(picture), np.full((8, 8), 255, np.uint8))
    with Image.open(files[1]) as picture:
        np.testing.assert_array_equal(np.asarray(picture), np.full((8, 8), 51, np.uint8))  # (-0.6 + 1) * 127.5


def test_an_existing_folder_is_a_folder(tmp_path: Path) -> None:
    (tmp_path / "a.b").mkdir()
    assert len(made().save(tmp_path / "a.b")) == 6


def test_numbered(tmp_path: Path) -> None:
    plain, numbered = made().sheet(scale=1), made().sheet(numbered=True, scale=1)
    assert numbered.width > plain.width  # enlarged until the numbers can be read
    made().save(tmp_path / "one", numbered=True)
    with Image.open(tmp_path / "one" / "08.png") as picture:
        assert np.asarray(picture).max() > 200  # white on black: the picture itself is black


def test_errors(tmp_path: Path) -> None:
    with refused("'grid.tga'", "in .png, .jpg, .jpeg, .webp", error=OptionError):
        made().save(tmp_path / "grid.tga")
    with refused("share a name", f"{tmp_path}/folder/", error=GansmithError):
        made(2, ("3", "3")).save(f"{tmp_path}/folder")


def test_frames() -> None:
    frames = list(made().frames(scale=1))
    assert len(frames) == 6
    assert frames[0].size == (8, 8)


def test_a_notebook_shows_the_sheet() -> None:
    series = made()
    with Image.open(io.BytesIO(series._repr_png_())) as shown:
        assert shown.format == "PNG"
        np.testing.assert_array_equal(np.asarray(shown), np.asarray(series.sheet()))
