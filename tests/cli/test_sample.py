"""gansmith sample."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import Result

from gansmith import zoo
from gansmith.cli.sample import sample
from gansmith.errors import CheckpointError, GansmithError, OptionError, RunError
from gansmith.runs.run import Run

Command = Callable[..., Result]


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        return np.asarray(picture)


def test_a_sheet(run_command: Command, models: Path, tmp_path: Path) -> None:
    out = tmp_path / "grid.png"
    result = run_command(sample, models, "--seeds", "0-3,9", "--out", out, "--columns", 5, "--scale", 1)
    assert result.exit_code == 0, result.exception
    assert result.stdout == f"5 images -> {out}\n"
    sheet = pixels(out)
    assert sheet.shape == (20, 2 + 5 * 18, 3)
    run = Run(models)
    expected = run.sample(seeds=[9], device="cpu")
    np.testing.assert_array_equal(sheet[2:18, 74:90], np.asarray(expected.sheet(scale=1))[2:18, 2:18])


def test_a_model_of_the_zoo_by_its_name(
    run_command: Command, models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A path of that name comes first; a name that is neither is an error."""
    monkeypatch.chdir(tmp_path)
    result = run_command(sample, "hand_signs", "--seeds", "0,1", "--out", "a.png", "--scale", 1)
    assert result.exit_code == 0, result.exception
    known = Run(zoo.folder("hand_signs") or "").sample(seeds=[0, 1], device="cpu")
    np.testing.assert_array_equal(pixels(tmp_path / "a.png"), np.asarray(known.sheet(scale=1)))
    (tmp_path / "hand_signs").symlink_to(models)
    assert run_command(sample, "hand_signs", "--seeds", "0,1", "--out", "b.png", "--scale", 1).exit_code == 0
    assert pixels(tmp_path / "a.png").shape != pixels(tmp_path / "b.png").shape
    assert isinstance(run_command(sample, "absent", "--out", "c.png").exception, RunError)


def test_sixty_four_by_default_large_enough_to_view(run_command: Command, models: Path, tmp_path: Path) -> None:
    """146 pixels a side, six times."""
    run_command(sample, models, "--out", tmp_path / "grid.png")
    run_command(sample, models, "--out", tmp_path / "exact.png", "--scale", 1)
    exact = pixels(tmp_path / "exact.png")
    assert exact.shape == (2 + 8 * 18, 2 + 8 * 18, 3)
    np.testing.assert_array_equal(pixels(tmp_path / "grid.png"), exact.repeat(6, axis=0).repeat(6, axis=1))


def test_a_file_each_has_exact_pixels_unless_told_otherwise(run_command: Command, models: Path, tmp_path: Path) -> None:
    run_command(sample, models, "--seeds", "8", "--out", tmp_path / "each")
    run_command(sample, models, "--seeds", "8", "--out", tmp_path / "large", "--scale", 3)
    exact = pixels(tmp_path / "each" / "8.png")
    assert exact.shape == (16, 16, 3)
    np.testing.assert_array_equal(pixels(tmp_path / "large" / "8.png"), exact.repeat(3, axis=0).repeat(3, axis=1))


@pytest.mark.parametrize("folder", ["each", "each/", "with.dot/"])
def test_a_folder(run_command: Command, models: Path, tmp_path: Path, folder: str) -> None:
    result = run_command(sample, models / "generator.safetensors", "--seeds", "8-10", "--out", f"{tmp_path}/{folder}")
    assert result.stdout == f"3 images -> {tmp_path / folder}/\n"
    assert sorted(file.name for file in (tmp_path / folder).iterdir()) == ["08.png", "09.png", "10.png"]
    assert pixels(tmp_path / folder / "08.png").shape == (16, 16, 3)


def test_a_canvas_and_numbers(run_command: Command, models: Path, tmp_path: Path) -> None:
    out = tmp_path / "a.png"
    arguments = ["--seeds", "1", "--canvas", "3x5", "--out", out, "--scale", 1]
    assert run_command(sample, models, *arguments).exit_code == 0
    plain = pixels(out)
    assert plain.shape == (4 + (4 + 2) * 4, 4 + (4 + 4) * 4, 3)
    assert run_command(sample, models, *arguments, "--numbered", "--force").exit_code == 0
    numbered = pixels(out)
    times = numbered.shape[0] // plain.shape[0]
    large = plain.repeat(times, axis=0).repeat(times, axis=1)
    assert numbered.shape == large.shape
    assert (numbered != large).any()


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        (["--seeds", "x"], OptionError, "seeds are whole numbers and ranges, such as 0-63 or 1,4,9, not 'x'"),
        (["--canvas", "3"], OptionError, "a canvas is height x width in latent cells, such as 3x5, not '3'"),
        (["--canvas", "0x5"], OptionError, "a canvas of 0x5 is not allowed"),
        (["--out", "a.xyz"], OptionError, "cannot write 'a.xyz': an image file ends in .png, .jpg, .jpeg, .webp"),
        (["--columns", "0"], OptionError, "columns = 0 is not allowed: at least 1"),
        (["--raw"], CheckpointError, "holds models only; --raw and --checkpoint need the whole run"),
        (["--checkpoint", "best"], CheckpointError, "holds models only; --raw and --checkpoint need the whole run"),
        (["--device", "gpu"], GansmithError, "gpu"),
    ],
)
def test_errors(
    run_command: Command,
    models: Path,
    arguments: list[str],
    kind: type[GansmithError],
    message: str,
) -> None:
    result = run_command(sample, models, *arguments)
    assert isinstance(result.exception, kind)
    assert message in str(result.exception)
    assert {path.name for path in models.parent.iterdir()} == {"model"}  # nothing was written


def test_the_weights_asked_for_reach_the_run(
    run_command: Command, models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, object] = {}

    def renderer(self: Run, **options: object) -> object:
        asked.update(options)
        monkeypatch.undo()
        return Run(models).renderer(device="cpu")

    monkeypatch.setattr(Run, "renderer", renderer)
    options = ["--raw", "--checkpoint", "best", "--device", "cpu", "--out", tmp_path / "a.png"]
    assert run_command(sample, models, *options).exit_code == 0
    assert asked == {"raw": True, "checkpoint": "best", "device": "cpu"}


def test_starred_images(run_command: Command, models: Path, tmp_path: Path) -> None:
    from gansmith.runs.stars import set_star

    isolated = run_command(sample, models, "--starred", "--out", tmp_path / "none.png")
    assert isinstance(isolated.exception, RunError)
    for seed in (9, 2):
        set_star(models, seed, on=True)
    try:
        result = run_command(sample, models, "--starred", "--out", tmp_path / "stars.png", "--scale", 1)
        assert result.exit_code == 0, result.exception
        run_command(sample, models, "--seeds", "9,2", "--out", tmp_path / "seeds.png", "--scale", 1)
        np.testing.assert_array_equal(pixels(tmp_path / "stars.png"), pixels(tmp_path / "seeds.png"))
        both = run_command(sample, models, "--starred", "--seeds", "3", "--out", tmp_path / "both.png")
        assert isinstance(both.exception, OptionError)
        assert "--seeds" in str(both.exception)
    finally:
        (models / "stars.json").unlink()
