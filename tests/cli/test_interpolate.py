"""gansmith interpolate."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import Result

from gansmith.cli.interpolate import interpolate
from gansmith.errors import OptionError
from gansmith.runs.run import Run

Command = Callable[..., Result]


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        return np.asarray(picture)


@pytest.mark.parametrize("path", ["linear", "spherical"])
def test_a_strip(run_command: Command, models: Path, tmp_path: Path, path: str) -> None:
    out = tmp_path / "strip.png"
    result = run_command(interpolate, models, 3, 8, 12, "--steps", 4, "--path", path, "--out", out, "--scale", 1)
    assert result.stdout == f"9 images -> {out}\n"
    strip = pixels(out)
    assert strip.shape == (20, 2 + 9 * 18, 3)
    samples = np.asarray(Run(models).sample(seeds=[3, 8, 12], device="cpu").sheet(columns=3, scale=1))
    for index, place in enumerate((0, 4, 8)):
        ours, theirs = 2 + 18 * place, 2 + 18 * index
        np.testing.assert_array_equal(strip[2:18, ours : ours + 16], samples[2:18, theirs : theirs + 16])


def test_seeds_are_framed_and_what_lies_between_is_not(run_command: Command, models: Path, tmp_path: Path) -> None:
    run_command(interpolate, models, 3, 8, "--steps", 4, "--out", tmp_path / "strip.png")
    strip = pixels(tmp_path / "strip.png")
    assert strip.shape == (20 * 16, (2 + 5 * 18) * 16, 3)
    above = strip[16, 16 * 10 :: 16 * 18].tolist()  # in the gap above the middle of each image
    assert above == [[200, 30, 30], [255, 255, 255], [255, 255, 255], [255, 255, 255], [200, 30, 30]]


def test_the_paths_differ(run_command: Command, models: Path, tmp_path: Path) -> None:
    made = {}
    for path in ("linear", "spherical"):
        run_command(interpolate, models, "3-4", "--path", path, "--out", tmp_path / "a.png", "--force")
        made[path] = pixels(tmp_path / "a.png")
    run_command(interpolate, models, "3,4", "--out", tmp_path / "a.png", "--force")
    np.testing.assert_array_equal(pixels(tmp_path / "a.png"), made["spherical"])
    assert (made["linear"] != made["spherical"]).any()


def test_a_grid(run_command: Command, models: Path, tmp_path: Path) -> None:
    run_command(
        interpolate, models, 3, 8, 12, "--steps", 4, "--as", "grid", "--out", tmp_path / "grid.png", "--scale", 1
    )
    assert pixels(tmp_path / "grid.png").shape == (2 + 2 * 18, 2 + 5 * 18, 3)


@pytest.mark.parametrize(("name", "more"), [("film.webp", []), ("film.gif", []), ("film.png", ["--as", "film"])])
def test_a_film(run_command: Command, models: Path, tmp_path: Path, name: str, more: list[str]) -> None:
    out = tmp_path / name
    result = run_command(interpolate, models, 3, 8, "--steps", 4, "--out", out, "--seconds", 2, *more)
    assert result.exit_code == 0, result.exception
    with Image.open(out) as film:
        assert (film.n_frames, film.size) == (5, (256, 256))
        film.load()
        assert film.info["duration"] == 500


def test_a_loop_goes_on_to_the_first_seed(run_command: Command, models: Path, tmp_path: Path) -> None:
    """Of a strip the last image is the first; a film leaves it out, and shows the last step no longer."""
    run_command(interpolate, models, 3, 8, "--steps", 4, "--loop", "--out", tmp_path / "a.png", "--scale", 1)
    run_command(interpolate, models, 3, 8, 3, "--steps", 4, "--out", tmp_path / "b.png", "--scale", 1)
    np.testing.assert_array_equal(pixels(tmp_path / "a.png"), pixels(tmp_path / "b.png"))
    result = run_command(interpolate, models, 3, 8, "--steps", 4, "--loop", "--out", tmp_path / "a.gif", "--scale", 1)
    assert result.stdout.startswith("8 images")
    with Image.open(tmp_path / "a.gif") as film:
        assert film.n_frames == 8
        film.seek(7)
        assert film.info["duration"] == 100
    result = run_command(interpolate, models, 3, "--loop", "--out", tmp_path / "c.gif")
    assert isinstance(result.exception, OptionError)


def test_a_film_that_pans(run_command: Command, models: Path, tmp_path: Path) -> None:
    """Its frames are windows of the canvas that `sample` makes; exact in PNG."""
    arguments = [models, 3, "--canvas", "1x4", "--pan", "1x2", "--steps", 3, "--as", "film", "--scale", 1]
    result = run_command(interpolate, *arguments, "--out", tmp_path / "a.png")
    assert result.exit_code == 0, result.exception
    canvas = np.asarray(next(Run(models).sample(seeds=[3], canvas=(1, 4), device="cpu").frames(scale=1)))
    width = Run(models).sample(seeds=[3], canvas=(1, 2), device="cpu").images.shape[-1]
    with Image.open(tmp_path / "a.png") as film:
        assert film.n_frames == 4
        for number in range(4):
            film.seek(number)
            left = round(number * (canvas.shape[1] - width) / 3)
            np.testing.assert_array_equal(np.asarray(film.convert("RGB")), canvas[:, left : left + width])
    result = run_command(interpolate, *arguments, "--loop", "--out", tmp_path / "b.png")
    assert result.stdout.startswith("3 images")


def test_a_truncation_on_its_way(run_command: Command, models: Path, tmp_path: Path) -> None:
    more = ["--truncation", "0.3:1.0", "--steps", 4, "--scale", 1]
    assert run_command(interpolate, models, 3, *more, "--out", tmp_path / "a.png").exit_code == 0
    strip, samples = pixels(tmp_path / "a.png"), Run(models)
    for place, cut in ((0, 0.3), (4, 1.0)):
        alone = np.asarray(samples.sample(seeds=[3], truncation=cut, device="cpu").sheet(scale=1))
        left = 2 + 18 * place
        np.testing.assert_array_equal(strip[2:18, left : left + 16], alone[2:18, 2:18])


def test_a_film_as_mp4(run_command: Command, models: Path, tmp_path: Path) -> None:
    result = run_command(interpolate, models, 3, 8, "--steps", 4, "--loop", "--out", tmp_path / "a.mp4")
    assert result.exit_code == 0, result.exception
    assert b"ftyp" in (tmp_path / "a.mp4").read_bytes()[:12]


def test_a_long_film_keeps_all_its_frames(run_command: Command, models: Path, tmp_path: Path) -> None:
    run_command(interpolate, models, 3, 8, "--steps", 120, "--out", tmp_path / "film.webp")
    with Image.open(tmp_path / "film.webp") as film:
        assert film.n_frames == 121


def test_a_webp_may_be_a_strip(run_command: Command, models: Path, tmp_path: Path) -> None:
    run_command(interpolate, models, 3, 8, "--steps", 4, "--as", "strip", "--numbered", "--out", tmp_path / "a.webp")
    with Image.open(tmp_path / "a.webp") as picture:
        assert picture.n_frames == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["3"], "an interpolation needs at least two seeds, not 1"),
        (["3", "b"], "seeds are whole numbers and ranges"),
        (["3", "4", "--truncation", "0.3:x"], "'0.3:x'"),
        (["3", "4", "--space", "w"], "space w"),
        (["3", "4", "--labels", "1,2,3"], "3 labels do not fit 2 seeds"),
        (["3", "--canvas", "1x4", "--pan", "1x2"], "--pan travels in a film"),
        (["3", "--pan", "1x2", "--out", "a.gif"], "--canvas 2x12"),
        (["3", "--canvas", "1x4", "--pan", "2x2", "--out", "a.gif"], "--pan 2x2"),
        (
            ["3", "4", "--seconds", "2"],
            "--seconds is the length of a film: add --as film, or write to a .webp",
        ),
        (["3", "4", "--out", "a.gif", "--numbered"], "a film is not numbered: leave --numbered out"),
        (
            ["3", "4", "--out", "a.avi", "--as", "film"],
            "cannot write 'a.avi': a film ends in .webp, .gif, .png",
        ),
    ],
)
def test_errors(
    run_command: Command,
    models: Path,
    arguments: list[str],
    message: str,
) -> None:
    result = run_command(interpolate, models, *arguments)
    assert isinstance(result.exception, OptionError)
    assert message in str(result.exception)
    assert {path.name for path in models.parent.iterdir()} == {"model"}


@pytest.mark.parametrize("seconds", ["inf", "nan", "-1", "1e30"])
def test_a_film_lasts_no_odd_number_of_seconds(run_command: Command, models: Path, seconds: str) -> None:
    result = run_command(interpolate, models, 3, 4, "--out", "a.gif", "--seconds", seconds)
    assert result.exit_code in (1, 2)
    assert result.exception is None or isinstance(result.exception, (SystemExit, OptionError))
    assert "seconds" in f"{result.output} {result.exception}"
    assert {path.name for path in models.parent.iterdir()} == {"model"}


def test_typer_refuses_an_unknown_path(run_command: Command, models: Path) -> None:
    result = run_command(interpolate, models, 3, 4, "--path", "cubic")
    assert result.exit_code == 2
    assert "linear" in result.output
    assert "spherical" in result.output
