"""gansmith directions and gansmith edit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageSequence
from typer.testing import Result

from gansmith.cli.directions import directions
from gansmith.cli.edit import edit
from gansmith.cli.sample import sample
from gansmith.cli.show import show
from gansmith.errors import DataError, OptionError, OutputError, RunError, UnknownNameError
from gansmith.latent.directions.direction import Direction, Directions
from gansmith.latent.directions.direction_file import save_directions
from gansmith.latent.directions.edit import edited_images
from gansmith.latent.origin import Origin
from gansmith.runs.run import Run

Command = Callable[..., Result]
CPU = ("--device", "cpu")


def pixels(path: Path | str) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image)


@pytest.fixture
def named(models: Path) -> Path:
    """The folder of models with two directions."""
    x, y = torch.eye(6)[:2]
    items = (Direction(x, "smile", step=2.0), Direction(y, "pca-2"))
    (models / "directions").mkdir()
    save_directions(
        models / "directions" / "directions.safetensors",
        Directions(items, "z", Run(models).renderer(device="cpu").origin),
    )
    return models


def test_directions_are_ranked_kept_and_shown(run_command: Command, models: Path) -> None:
    result = run_command(directions, models, "--count", 4, *CPU)
    assert result.exit_code == 0, result.exception
    kept = Run(models).directions
    assert [d.name for d in kept] == ["pca-1", "pca-2", "pca-3", "pca-4"]
    changes = [d.change or 0 for d in kept]
    assert changes == sorted(changes, reverse=True)
    assert all(d.purity is not None and 1 / 8 <= d.purity <= 1 for d in kept)
    for fact in ("random directions: change", f"{changes[0]:.3f}", "cosines", "pca.png", "gansmith edit"):
        assert fact in result.stdout
    sheet = run_command(sample, models, "--seeds", models / "directions" / "pca.png", "--scale", 1, "--out", "a/")
    assert "28 images" in sheet.stdout
    again = run_command(directions, models, "--method", "svd", "--count", 2, "--orthogonal-to", "1", *CPU)
    assert again.exit_code == 0, again.exception
    both = Run(models).directions
    assert [d.name for d in both] == ["pca-1", "pca-2", "pca-3", "pca-4", "svd-1", "svd-2"]
    assert both.cosines()[0, 4:].abs().max() < 1e-5
    assert both[3].vector.equal(kept[3].vector)


def test_names_are_given_and_not_lost(run_command: Command, models: Path) -> None:
    run_command(directions, models, "--count", 3, "--name", "2=light", *CPU)
    assert [d.name for d in Run(models).directions] == ["pca-1", "light", "pca-3"]
    assert run_command(directions, models, "--name", "light=dark", *CPU).exit_code == 0
    before = (models / "directions" / "directions.safetensors").read_bytes()
    lost = run_command(directions, models, "--method", "pca", *CPU)
    assert isinstance(lost.exception, OptionError)
    for fact in ("dark", "--replace"):
        assert fact in str(lost.exception)
    for wrong in ("x", "=a", "1=7", "1=a:b"):
        assert isinstance(run_command(directions, models, "--name", wrong, *CPU).exception, OptionError)
    assert (models / "directions" / "directions.safetensors").read_bytes() == before
    assert run_command(directions, models, "--method", "pca", "--count", 1, "--replace", *CPU).exit_code == 0
    assert [d.name for d in Run(models).directions] == ["pca-1"]


def test_an_edit_is_what_the_list_says(run_command: Command, named: Path) -> None:
    result = run_command(edit, named, "7", "--along", "smile:1.5", "--along", "2:-1", "--scale", 1, *CPU)
    assert result.exit_code == 0, result.exception
    run = Run(named)
    by_hand = run.renderer(device="cpu").latents([7]) + torch.tensor([[3.0, -1, 0, 0, 0, 0]])
    expected = run.renderer(device="cpu").render(by_hand)
    assert run.edit([7], {"smile": 1.5, "2": -1}, device="cpu").images.equal(expected)
    run_command(sample, named, "--seeds", "edited.png", "--scale", 1, "--out", "again.png", *CPU)
    assert pixels("edited.png").shape == (16, 16, 3)  # itself, without the border of a sheet
    np.testing.assert_array_equal(pixels("edited.png"), pixels("again.png")[2:-2, 2:-2])
    run_command(sample, named, "--seeds", "7", "--scale", 1, "--out", "before.png", *CPU)
    strip = pixels("edited-strip.png")
    assert strip.shape == (20, 2 + 7 * 18, 3)
    np.testing.assert_array_equal(strip[2:18, 2:18], pixels("before.png")[2:18, 2:18])
    np.testing.assert_array_equal(strip[2:18, 110:126], pixels("edited.png"))
    assert "edited.png" in run_command(show, "edited.png").stdout
    way_back = ("--along", "smile:-1.5", "--along", "pca-2:1", "--scale", 1, "--out", "b.png")
    back = run_command(edit, named, "edited.png", *way_back, *CPU)
    assert back.exit_code == 0, back.exception
    near = pixels("b.png").astype(int) - pixels("before.png")[2:18, 2:18]
    assert abs(near).max() <= 1


def test_a_film_goes_from_before_to_after(run_command: Command, named: Path) -> None:
    moves = ("--along", "smile:1.5", "--truncation", 0.8)
    done = run_command(edit, named, "7", *moves, "--film", "--steps", 4, "--out", "way.png", "--scale", 1, *CPU)
    assert done.exit_code == 0, done.exception
    assert not Path("way-strip.png").exists()
    with Image.open("way.png") as film:
        frames = [np.asarray(frame.convert("RGB")) for frame in ImageSequence.Iterator(film)]
    assert len(frames) == 5
    run_command(sample, named, "--seeds", "7", "--truncation", 0.8, "--scale", 1, "--out", "each/", *CPU)
    run_command(edit, named, "7", *moves, "--scale", 1, "--out", "after.png", *CPU)
    np.testing.assert_array_equal(frames[0], pixels("each/7.png"))
    np.testing.assert_array_equal(frames[-1], pixels("after.png"))
    assert run_command(edit, named, "7", *moves, "--film", *CPU).exit_code == 0
    with Image.open("edited.webp") as film:
        assert 20 <= film.n_frames <= 25  # equal neighbours are one
    for words, fact in (
        (("7", "--film", "--out", "a.jpg"), ".webp"),
        (("7", "--steps", 3), "--film"),
        (("1-3", "--film"), "3 are named"),
    ):
        refused = run_command(edit, named, *words, *moves, *CPU)
        assert isinstance(refused.exception, OptionError), words
        assert fact in str(refused.exception)


def test_what_an_edit_refuses(run_command: Command, named: Path) -> None:
    for along, error, fact in (
        ("smlie:1", UnknownNameError, "'smile'"),
        ("smile", OptionError, "NAME:STEPS"),
        ("smile:nan", OptionError, "NAME:STEPS"),
        (":1", OptionError, "NAME:STEPS"),
        ("smile:5000", OptionError, "1000"),
    ):
        result = run_command(edit, named, "7", "--along", along, *CPU)
        assert isinstance(result.exception, error), result.exception
        assert fact in str(result.exception)
    assert not Path("edited.png").exists()
    Path("edited-strip.png").write_text("theirs")
    taken = run_command(edit, named, "7", "--along", "smile:1", "--out", "edited.png", *CPU)
    assert isinstance(taken.exception, OutputError)


def test_directions_of_other_weights(run_command: Command, named: Path) -> None:
    other = Origin(version="1.0", model="b" * 64)
    file = named / "directions" / "directions.safetensors"
    save_directions(file, Directions((Direction(torch.eye(6)[0], "smile"),), "z", other), force=True)
    for command, words in ((edit, ("7", "--along", "smile:1")), (directions, ()), (directions, ("--method", "svd"))):
        result = run_command(command, named, *words, *CPU)
        assert isinstance(result.exception, OptionError), result.exception
        for fact in ("b" * 16, "--replace"):
            assert fact in str(result.exception)
    with pytest.raises(OptionError, match="b" * 16):
        Run(named).edit([7], {"smile": 1}, device="cpu")
    assert run_command(directions, named, "--method", "svd", "--count", 2, "--replace", *CPU).exit_code == 0
    assert [d.name for d in Run(named).directions] == ["svd-1", "svd-2"]


def test_no_directions_yet(run_command: Command, models: Path) -> None:
    result = run_command(edit, models, "7", "--along", "smile:1", *CPU)
    assert isinstance(result.exception, RunError)
    assert "gansmith directions" in str(result.exception)


def test_options_that_do_not_go_together(run_command: Command, named: Path) -> None:
    for words, fact in (
        (("--method", "svd", "--layer", 2), "--layer"),
        (("--method", "svd", "--data", "x"), "--data"),
        (("--orthogonal-to", "smile"), "--method"),
    ):
        result = run_command(directions, named, *words, *CPU)
        assert isinstance(result.exception, OptionError), result.exception
        assert fact in str(result.exception)


def test_classes_of_labelled_images(run_command: Command, models: Path) -> None:
    """Dark and bright: the generator makes both, and pixels tell them apart; a third class is never made."""
    images = Run(models).sample(range(120), device="cpu").images
    bright = images.mean((1, 2, 3))
    middle = bright.median()
    for number, image in enumerate(edited_pixels(images)):
        folder = Path("data") / ("bright" if bright[number] > middle else "dark")
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(folder / f"{number}.png")
    nothing = run_command(directions, models, "--method", "labels", *CPU)
    assert isinstance(nothing.exception, DataError)
    assert "--data" in str(nothing.exception)
    Path("plain").mkdir()
    Image.fromarray(edited_pixels(images)[0]).save("plain/a.png")
    Image.fromarray(edited_pixels(images)[1]).save("plain/b.png")
    unlabelled = run_command(directions, models, "--method", "labels", "--data", "plain", *CPU)
    assert isinstance(unlabelled.exception, DataError)
    assert "no labels" in str(unlabelled.exception)
    result = run_command(directions, models, "--method", "labels", "--data", "data", "--features", "pixels", *CPU)
    assert result.exit_code == 0, result.exception
    kept = Run(models).directions
    assert {d.name for d in kept} == {"bright", "dark"}
    assert all((d.auc or 0) > 0.8 for d in kept)
    moved = edited_images(Run(models).renderer(device="cpu"), range(20), [(kept.find("bright"), 2.0)]).images
    assert moved.mean() > Run(models).sample(range(20), device="cpu").images.mean() + 0.01


def edited_pixels(images: torch.Tensor) -> np.ndarray:
    from gansmith.records.images import to_uint8

    return to_uint8(images)
