"""Sheets, scatter pictures, files and films."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageSequence

from gansmith.errors import GansmithError, NotFiniteError, OptionError
from gansmith.records.films import save_film
from gansmith.records.images import draw_sheet, save_image, to_uint8, viewing_scale
from refusals import refused


def filled(count: int, channels: int = 3, size: tuple[int, int] = (8, 8)) -> torch.Tensor:
    """Picture i has the level i / 255."""
    levels = torch.arange(count) / 127.5 - 1
    return levels[:, None, None, None].expand(count, channels, *size)


def test_every_level_survives() -> None:
    levels = torch.arange(256).reshape(1, 1, 16, 16)
    made = to_uint8(levels / 127.5 - 1)
    assert made.shape == (1, 16, 16, 1)
    np.testing.assert_array_equal(made[0, :, :, 0], levels[0, 0].numpy())


def test_rounding_and_clamping() -> None:
    values = torch.tensor([-5.0, -1.0, -1 + 0.4 / 127.5, -1 + 0.6 / 127.5, 0.9999, 1.0, 5.0]).reshape(1, 1, 1, 7)
    np.testing.assert_array_equal(to_uint8(values).ravel(), [0, 0, 0, 1, 255, 255, 255])


def test_channels_go_last() -> None:
    image = torch.tensor([-1.0, 0.2, 1.0])[:, None, None].expand(3, 4, 5)
    made = to_uint8(image)
    assert made.shape == (4, 5, 3)
    np.testing.assert_array_equal(made[2, 3], [0, 153, 255])


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_what_is_not_finite_cannot_be_shown(bad: float) -> None:
    images = torch.zeros(2, 3, 4, 4)
    images[1, 2, 3, 0] = bad
    with refused("NaN", "diverged", error=NotFiniteError):
        draw_sheet(images)
    with refused("point", "NaN", "diverged", error=NotFiniteError):
        draw_sheet(torch.tensor([0.0, bad]).reshape(1, 2, 1, 1))


def test_the_place_of_every_picture() -> None:
    sheet = np.asarray(draw_sheet(filled(7, size=(5, 9)), columns=3, padding=2, background=(9, 200, 30)))
    assert sheet.shape == (2 + 3 * 7, 2 + 3 * 11, 3)
    expected = np.empty(sheet.shape, np.uint8)
    expected[:] = (9, 200, 30)
    for index in range(7):
        top, left = 2 + (index // 3) * 7, 2 + (index % 3) * 11
        expected[top : top + 5, left : left + 9] = index
    np.testing.assert_array_equal(sheet, expected)


@pytest.mark.parametrize(("count", "across", "down"), [(1, 1, 1), (2, 2, 1), (7, 3, 3), (64, 8, 8), (60, 8, 8)])
def test_near_square(count: int, across: int, down: int) -> None:
    assert draw_sheet(filled(count), padding=0).size == (across * 8, down * 8)


def test_more_columns_than_pictures() -> None:
    assert draw_sheet(filled(3), columns=10, padding=1).size == (1 + 3 * 9, 10)


@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (3, "RGB"), (4, "RGBA")])
def test_modes(channels: int, mode: str) -> None:
    sheet = draw_sheet(filled(2, channels), labels=["0", "1"])
    assert sheet.mode == mode
    ground = {"L": 255, "RGB": (255, 255, 255), "RGBA": (255, 255, 255, 0)}[mode]
    assert sheet.getpixel((0, 0)) == ground


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_scale_repeats_every_pixel(channels: int) -> None:
    exact = np.asarray(draw_sheet(filled(7, channels, (5, 9)), columns=3))
    sheet = np.asarray(draw_sheet(filled(7, channels, (5, 9)), columns=3, scale=4))
    np.testing.assert_array_equal(sheet, exact.repeat(4, axis=0).repeat(4, axis=1))


@pytest.mark.parametrize("side", [8, 16, 28, 32, 48, 64, 96, 128, 256])
@pytest.mark.parametrize("count", [1, 4, 16, 36, 64, 100, 256, 1000])
def test_sheets_can_be_viewed(side: int, count: int) -> None:
    across = int(np.ceil(np.sqrt(count)))
    times = viewing_scale(-(-count // across), across, (side, side))
    exact = across * (side + 2) + 2
    smaller = [abs(exact * other - 900) for other in (times - 1, times + 1) if other]
    assert times * side <= 256
    assert min(smaller) >= abs(exact * times - 900) or (times + 1) * side > 256  # the nearest to 900
    assert np.asarray(draw_sheet(filled(count, 1, (side, side)), scale=None)).shape[1] == exact * times


def test_known_sheets() -> None:
    assert [viewing_scale(8, 8, (side, side)) for side in (16, 28, 32, 64, 128)] == [6, 4, 3, 2, 1]
    assert [viewing_scale(1, 33, (side, side)) for side in (28, 32, 64)] == [2, 2, 1]  # a strip is twice as long
    assert viewing_scale(33, 1, (32, 32)) == 2
    assert viewing_scale(8, 8, (32, 16)) == 3
    assert viewing_scale(1, 1, (32, 32)) == 8


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_a_marked_image_has_a_frame(channels: int) -> None:
    images = filled(2, channels, (4, 4)) + 0.5
    mode = "RGBA" if channels == 4 else "RGB"
    plain = np.asarray(draw_sheet(images, scale=3).convert(mode))
    sheet = np.asarray(draw_sheet(images, marked=[False, True], scale=3))
    changed = (sheet != plain).any(axis=2)
    assert changed.any(axis=0).nonzero()[0][[0, -1]].tolist() == [18, 41]
    assert changed.sum() == 24 * 24 - 12 * 12  # the frame, without the image
    assert (sheet[changed] == [200, 30, 30, 255][: sheet.shape[2]]).all()


def test_a_sheet_too_large_for_the_memory_is_refused() -> None:
    with refused("scale = 10", "20,000", "24,000", "67,108,864", error=OptionError):
        draw_sheet(torch.zeros(1, 1, 1, 1).expand(1, 1, 2400, 2000), padding=0, scale=10)


def test_a_scatter_has_a_scale() -> None:
    points = torch.tensor([[0.0, 0.0], [0.5, 0.75]]).reshape(2, 2, 1, 1)
    assert draw_sheet(points, scale=None).size == (512, 512)
    half = draw_sheet(points, scale=2).resize((256, 256), Image.Resampling.BOX)
    np.testing.assert_allclose(np.asarray(half).astype(int), np.asarray(draw_sheet(points)).astype(int), atol=40)


def test_points_become_a_scatter() -> None:
    points = torch.tensor([[0.0, 0.0], [0.5, 0.75], [-3.0, 0.0]]).reshape(3, 2, 1, 1)
    sheet = np.asarray(draw_sheet(points)).astype(int)
    assert sheet.shape == (256, 256, 3)
    down, across = np.nonzero(sheet.sum(2) < 500)
    blue = sheet[down, across, 2] > sheet[down, across, 0]
    at = {(round(x / 255 * 2 - 1, 1), round(1 - y / 255 * 2, 1)) for x, y in zip(across[blue], down[blue], strict=True)}
    assert at <= {(0.0, 0.0), (0.5, 0.7), (0.5, 0.8)}  # x to the right, y upwards
    assert (0.0, 0.0) in at
    assert len(at) > 1
    assert set(across[~blue]) <= {0, 1, 2}  # outside: red, on the edge
    assert abs(down[~blue].mean() - 127.5) < 2


@pytest.mark.parametrize("size", [(1, 1), (8, 8), (28, 28), (64, 64), (20, 48), (256, 256)])
def test_labels_are_legible_at_any_size(size: tuple[int, int]) -> None:
    grey = torch.zeros(2, 1, *size)
    plain = draw_sheet(grey, padding=0)
    sheet = draw_sheet(grey, padding=0, labels=["1047", ""])
    times = sheet.width // plain.width
    assert sheet.size == (plain.width * times, plain.height * times)
    left = np.asarray(sheet)[:, : sheet.width // 2]
    down, _ = np.nonzero(left != 128)
    assert 13 <= down.max() + 1 <= left.shape[0] / 2 + 1
    assert (left[:, -1] <= 128).all()  # no letter is cut at the right
    assert (left[:13] > 200).sum() >= 20  # bright strokes on black
    assert (left[:13] < 20).sum() >= 100
    np.testing.assert_array_equal(np.asarray(sheet)[:, sheet.width // 2 :], 128)  # an empty label leaves no box
    letters = np.nonzero((left > 200).any(1))[0]
    assert letters.max() - letters.min() + 1 >= 7  # digits at least 7 pixels high


def test_a_label_changes_its_own_picture_only() -> None:
    images = filled(3, size=(64, 64))
    one = np.asarray(draw_sheet(images, padding=0, labels=["", "12", ""]))
    other = np.asarray(draw_sheet(images, padding=0, labels=["", "34", ""]))
    across = np.nonzero((one != other).any(axis=(0, 2)))[0]
    assert 64 <= across.min() <= across.max() < 128


@pytest.mark.parametrize(
    ("images", "options", "message"),
    [
        (torch.zeros(3, 4, 4), {}, r"^a sheet needs images \[N, C, H, W\], at least one, not \[3, 4, 4\]$"),
        (torch.zeros(0, 3, 4, 4), {}, r"^a sheet needs images"),
        (torch.zeros(1, 2, 4, 4), {}, r"1, 3 or 4 channels.*not 2"),
        (torch.zeros(1, 3, 4, 4), {"columns": 0}, r"^columns = 0 is not allowed: at least 1$"),
        (torch.zeros(2, 3, 4, 4), {"labels": ["1"]}, r"^2 images but 1 labels$"),
    ],
)
def test_errors_of_sheets(images: torch.Tensor, options: dict[str, object], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        draw_sheet(images, **options)  # type: ignore[arg-type]


def noise(count: int, channels: int = 3, size: int = 16) -> list[Image.Image]:
    images = torch.rand(count, channels, size, size, generator=torch.Generator().manual_seed(0)) * 2 - 1
    return [draw_sheet(image[None], padding=0) for image in images]


@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (3, "RGB"), (4, "RGBA")])
def test_png_is_exact(tmp_path: Path, channels: int, mode: str) -> None:
    image = noise(1, channels)[0]
    save_image(image, tmp_path / "deep" / "a.png")
    with Image.open(tmp_path / "deep" / "a.png") as read:
        assert read.mode == mode
        np.testing.assert_array_equal(np.asarray(read), np.asarray(image))
    assert [file.name for file in (tmp_path / "deep").iterdir()] == ["a.png"]  # no temporary file is left


@pytest.mark.parametrize("suffix", [".jpg", ".JPEG", ".webp"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_other_formats(tmp_path: Path, suffix: str, channels: int) -> None:
    images = filled(1, channels, (16, 16)) + 0.5
    path = save_image(draw_sheet(images, padding=0), tmp_path / f"a{suffix}")
    with Image.open(path) as read:
        assert read.size == (16, 16)
        levels = np.asarray(read.convert("L"), float)
    if channels < 4:
        np.testing.assert_allclose(levels, 64, atol=3)


def test_jpeg_lies_on_white(tmp_path: Path) -> None:
    clear = torch.tensor([-1.0, -1, -1, -1])[None, :, None, None].expand(1, 4, 16, 16)
    with Image.open(save_image(draw_sheet(clear, padding=0), tmp_path / "a.jpg")) as read:
        np.testing.assert_array_equal(np.asarray(read), np.full((16, 16, 3), 255))


def test_errors_of_files(tmp_path: Path) -> None:
    image = noise(1)[0]
    with refused("'a.bmp'", "in .png, .jpg, .jpeg, .webp", error=OptionError):
        save_image(image, tmp_path / "a.bmp")
    wide = Image.new("L", (16_384, 1))
    with refused("'a.webp'", "16,384 x 1", "16,383", "write a .png", error=OptionError):
        save_image(wide, tmp_path / "a.webp")
    save_image(image, tmp_path / "a.png")
    before = (tmp_path / "a.png").read_bytes()
    with pytest.raises(GansmithError, match=r"could not write .*a.png/b.png"):
        save_image(image, tmp_path / "a.png" / "b.png")
    assert (tmp_path / "a.png").read_bytes() == before


def read_film(path: Path) -> tuple[list[np.ndarray], list[int], int]:
    with Image.open(path) as read:
        frames, durations = [], []
        for frame in ImageSequence.Iterator(read):
            frames.append(np.asarray(frame.convert("RGB")))
            durations.append(round(frame.info["duration"]))
        return frames, durations, int(read.info.get("loop", -1))


@pytest.mark.parametrize("suffix", [".webp", ".gif", ".png"])
def test_a_film_holds_its_frames_and_holds_the_last_longer(tmp_path: Path, suffix: str) -> None:
    shown = [draw_sheet(filled(250, size=(16, 16))[index : index + 1], padding=0) for index in (0, 60, 120, 240)]
    path = save_film(shown, tmp_path / f"film{suffix}", seconds=0.6)
    frames, durations, loop = read_film(path)
    assert durations == [200, 200, 200, 1500]
    assert loop == 0
    for frame, image in zip(frames, shown, strict=True):
        np.testing.assert_allclose(frame.astype(int), np.asarray(image), atol=4)
    assert [file.name for file in tmp_path.iterdir()] == [f"film{suffix}"]


def test_a_film_of_sheets_of_two_scales(tmp_path: Path) -> None:
    """A run that an earlier version began: its first sheets are smaller by a whole factor."""
    small, large = noise(1)[0], noise(2, size=48)[1]
    frames, _, _ = read_film(save_film([small, large], tmp_path / "film.png"))
    np.testing.assert_array_equal(frames[0], np.asarray(small).repeat(3, axis=0).repeat(3, axis=1))
    np.testing.assert_array_equal(frames[1], np.asarray(large))


def test_a_film_of_files(tmp_path: Path) -> None:
    files = [save_image(image, tmp_path / f"{index}.png") for index, image in enumerate(noise(3, channels=4))]
    frames, durations, _ = read_film(save_film(files, tmp_path / "film.webp"))
    assert len(frames) == 3
    assert durations == [100, 100, 1500]


def test_transparent_frames_lie_on_white(tmp_path: Path) -> None:
    clear = draw_sheet(-torch.ones(1, 4, 16, 16), padding=0)
    frames, _, _ = read_film(save_film([clear, *noise(1, 4)], tmp_path / "film.webp"))
    np.testing.assert_array_equal(frames[0], np.full((16, 16, 3), 255))


def test_a_long_film_is_thinned_and_keeps_its_ends(tmp_path: Path) -> None:
    levels = filled(250, size=(16, 16))
    shown = [draw_sheet(levels[index : index + 1], padding=0) for index in range(250)]
    frames, _, _ = read_film(save_film(shown, tmp_path / "film.png"))
    chosen = [int(frame[0, 0, 0]) for frame in frames]
    assert len(chosen) == 100
    assert (chosen[0], chosen[-1]) == (0, 249)
    assert set(np.diff(chosen)) == {2, 3}
    assert len(read_film(save_film(shown, tmp_path / "film.png", most=7))[0]) == 7


def test_one_frame_is_a_film_too(tmp_path: Path) -> None:
    with Image.open(save_film(noise(1), tmp_path / "film.webp")) as read:
        assert read.n_frames == 1


def test_frames_are_reduced(tmp_path: Path) -> None:
    with Image.open(save_film([Image.new("L", (2400, 600))] * 2, tmp_path / "film.gif")) as read:
        assert read.size == (1200, 300)


def test_errors_of_films(tmp_path: Path) -> None:
    with refused("'a.avi'", "in .webp, .gif, .png, .apng, .mp4", error=OptionError):
        save_film(noise(2), tmp_path / "a.avi")
    with refused("'a.webp'", "at least one frame", error=OptionError):
        save_film([], tmp_path / "a.webp")
    with refused("'a.webp'", "(12, 12)", "(16, 16)", error=OptionError):
        save_film([*noise(1, size=12), *noise(1)], tmp_path / "a.webp")
    with refused("seconds = 0.01", "5 ms", "20", error=OptionError):
        save_film(noise(3), tmp_path / "a.webp", seconds=0.01)
    assert not list(tmp_path.iterdir())
