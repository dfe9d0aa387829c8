"""gansmith translate: sizes, channels, transparency, and styles."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from translating import RNG, Command, done, picture, read, save, write

from gansmith.cli.translate import translate
from gansmith.data.decode import conform
from gansmith.data.settings import DataSettings
from gansmith.experiment.schema import Experiment
from gansmith.latent.translate import load_translator

# ---- sizes, modes, transparency


def test_the_size_that_was_trained_on(run_command: Command, cycle: Path, tmp_path: Path) -> None:
    image = write(tmp_path / "in.png", picture(40, 60, 3))
    done(run_command(translate, cycle, "in.png", "out.png", "--to", "b", "--size", "fit"))
    fitted = conform(image, size=(16, 16), channels=3)
    np.testing.assert_array_equal(read(tmp_path / "out.png"), load_translator(cycle, "b").translate(fitted))


def run_with(models: Path, place: Path, **data: Any) -> Path:
    """A run of these models that was trained with these settings."""
    place.mkdir()
    (place / "experiment.yaml").write_text(Experiment(data=DataSettings(**data)).to_yaml())
    models.rename(place / "model")
    return place


def test_a_run_knows_its_background_and_fit(run_command: Command, cycle: Path, tmp_path: Path) -> None:
    image = picture(20, 30, 4)
    image[..., 3] = RNG.integers(0, 2, (20, 30)) * 255
    write(tmp_path / "in.png", image)
    run = run_with(cycle, tmp_path / "run", background=(0, 0, 255), fit="pad")
    translator = load_translator(run / "model", "b")
    result = run_command(translate, run, "in.png", "out.png", "--to", "b")
    done(result)
    expected = translator.translate(conform(image, size=(20, 30), channels=3, background=(0, 0, 255)))
    np.testing.assert_array_equal(read(tmp_path / "out.png"), expected)
    assert "note: transparent pixels show the background (0, 0, 255); --keep-alpha keeps the tr" in result.stderr
    done(run_command(translate, run, "in.png", "out.png", "--to", "b", "--size", "fit", "--keep-alpha", "--force"))
    fitted = conform(image, size=(16, 16), channels=3, background=(0, 0, 255), fit="pad")
    found = read(tmp_path / "out.png")
    np.testing.assert_array_equal(found[..., :3], translator.translate(fitted))
    np.testing.assert_array_equal(found[..., 3:], conform(image, size=(16, 16), channels=4, fit="pad")[..., 3:])


def test_the_transparency_is_kept_when_asked(run_command: Command, cycle: Path, tmp_path: Path) -> None:
    image = write(tmp_path / "in.png", picture(20, 30, 4))
    result = run_command(translate, cycle, "in.png", "out.png", "--to", "b", "--keep-alpha")
    assert "note" not in result.stderr
    found = read(tmp_path / "out.png")
    np.testing.assert_array_equal(found[..., 3], image[..., 3])
    np.testing.assert_array_equal(found[..., :3], load_translator(cycle, "b").translate(image))
    write(tmp_path / "opaque.png")
    done(run_command(translate, cycle, "opaque.png", "out.png", "--to", "b", "--keep-alpha", "--force"))
    assert (read(tmp_path / "out.png")[..., 3] == 255).all()


def test_grey_runs(run_command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    grey = save(tmp_path / "grey", "translator", "cyclegan", "to_b", {"blocks": 1}, channels=1)
    image = write(tmp_path / "in.png")
    result = run_command(translate, grey, "in.png", "out.png")
    done(result)
    assert "note: this run was trained on grey images: colours are turned to grey\n" in result.stderr
    assert read(tmp_path / "out.png").shape == (18, 21)
    np.testing.assert_array_equal(read(tmp_path / "out.png")[..., None], load_translator(grey).translate(image))
    write(tmp_path / "in.png", picture(18, 21, 1))
    assert "note" not in run_command(translate, grey, "in.png", "out.png", "--force").stderr
    clear = np.repeat(picture(18, 21, 1), 4, axis=2)
    write(tmp_path / "in.png", clear)
    done(run_command(translate, grey, "in.png", "out.png", "--keep-alpha", "--force"))
    found = read(tmp_path / "out.png")
    assert found.shape == (18, 21, 4)
    np.testing.assert_array_equal(found[..., 3], clear[..., 3])
    np.testing.assert_array_equal(found[..., 0], found[..., 2])


def test_runs_with_a_transparency_of_their_own(
    run_command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    clear = save(tmp_path / "clear", "translator", "cyclegan", "to_b", {"blocks": 1}, channels=4)
    image = write(tmp_path / "in.png", picture(18, 21, 4))
    result = run_command(translate, clear, "in.png", "out.png")
    assert "note" not in result.stderr
    np.testing.assert_array_equal(read(tmp_path / "out.png"), load_translator(clear).translate(image))
    said = "note: a JPEG has no transparency: it is shown on white; write a .png or .webp\n"
    assert said in run_command(translate, clear, "in.png", "out.jpg").stderr
    refused = run_command(translate, clear, "in.png", "out.png", "--keep-alpha", "--force")
    assert str(refused.exception) == "this run makes a transparency of its own: leave --keep-alpha out"


# ---- styles


def test_several_styles(run_command: Command, several: Path, tmp_path: Path) -> None:
    image = write(tmp_path / "in" / "cat.png")
    translator = load_translator(several, "b")
    expected = [translator.translate(image, seed=seed) for seed in range(3)]
    assert done(run_command(translate, several, "in", "out", "--to", "b", "--styles", 3)) == "3 images -> out/\n"
    for seed, one in enumerate(expected):
        np.testing.assert_array_equal(read(tmp_path / "out" / f"cat_{seed}.png"), one)
    done(run_command(translate, several, "in/cat.png", "strip.png", "--to", "b", "--styles", 3, "--scale", 1))
    strip = read(tmp_path / "strip.png")
    assert strip.shape == (22, 2 + 3 * 23, 3)
    for seed, one in enumerate(expected):
        np.testing.assert_array_equal(strip[2:20, 2 + 23 * seed : 23 + 23 * seed], one)
    done(run_command(translate, several, "in/cat.png", "one.png", "--to", "b"))
    np.testing.assert_array_equal(read(tmp_path / "one.png"), expected[0])


def test_the_style_of_an_image(run_command: Command, several: Path, tmp_path: Path) -> None:
    image, like = write(tmp_path / "in.png"), write(tmp_path / "like.png")
    done(run_command(translate, several, "in.png", "out.png", "--to", "a", "--style-from", "like.png"))
    translator = load_translator(several, "a")
    expected = translator.translate(image, style=translator.style_of(like))
    np.testing.assert_array_equal(read(tmp_path / "out.png"), expected)
